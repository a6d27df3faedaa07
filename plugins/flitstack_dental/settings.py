"""What an operator can set about an export (`--set source.NAME=VALUE`): the schema, and its parsed form."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from flitstack.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping

SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "urn:flitstack:dental:settings",
    "title": "Settings of the dental source",
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "layout": {
            "type": "string",
            "default": "auto",
            "description": "Which vendor's files these are: auto, neutral, opendental, or the path of a layout file.",
        },
        "encoding": {
            "type": "string",
            "description": "Encoding of all files, such as utf-8 or cp1252; found per file when not set.",
        },
        "delimiter": {
            "type": "string",
            "description": "Delimiter of all files (one character, or tab); found per file when not set.",
        },
        "quote": {
            "type": "string",
            "description": "Quote character of all files (one character, or none); found per file when not set.",
        },
        "date_order": {
            "enum": ["auto", "dmy", "mdy"],
            "default": "auto",
            "description": "How 03/04/2020 is read; auto decides per column, by rows that can be read only one way, "
            "else as all other columns of the export that show it.",
        },
        "excel_dates": {
            "type": "boolean",
            "default": False,
            "description": "Read bare numbers in date columns as spreadsheet days (45658 is 2025-01-01).",
        },
        "as_of": {
            "type": "string",
            "pattern": r"^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2})?)?$",
            "description": "The day the export was made, YYYY-MM-DD, when no manifest says so.",
        },
        "headerless": {
            "type": ["object", "string"],
            "additionalProperties": {"type": "array", "items": {"type": "string"}},
            "description": "Columns of files that have no header line: {file: [column, ...]}, or a YAML file of that.",
        },
        "documents": {
            "type": "string",
            "description": "Folder at which the documents' paths start, in the export or elsewhere; else that of their "
            "table.",
        },
        "documents_by_name": {
            "type": "boolean",
            "default": False,
            "description": "Take a document whose row states a bare name from any folder, if one file has that name.",
        },
        "codes": {
            "type": ["object", "string"],
            "additionalProperties": {"type": "object"},
            "description": "Codes the layout does not know: {stream.field: {code: value}}, or a YAML file of that.",
        },
    },
}


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of one reading; empty strings stand for `find it out`.

    :param headerless: file name, lower case, to its columns.
    :param codes: `stream.field` to code, lower case, to the neutral value.
    """

    layout: str = "auto"
    encoding: str = ""
    delimiter: str = ""
    quote: str = ""
    date_order: str = "auto"
    excel_dates: bool = False
    as_of: str = ""
    documents: str = ""
    documents_by_name: bool = False
    headerless: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    codes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def parse_settings(given: Mapping[str, Any]) -> Settings:
    """Return the settings in the form the reader uses.

    :raises SettingsError: a file named by a setting cannot be read or holds something else.
    """
    headerless = {
        str(name).lower(): tuple(map(str, columns)) for name, columns in _table(given, "headerless", list).items()
    }
    codes = {
        str(name): {str(code).strip().lower(): value for code, value in book.items()}
        for name, book in _table(given, "codes", dict).items()
    }
    return Settings(
        layout=str(given.get("layout") or "auto"),
        encoding=str(given.get("encoding") or ""),
        delimiter=_character(given, "delimiter"),
        quote=_character(given, "quote"),
        date_order=str(given.get("date_order") or "auto"),
        excel_dates=bool(given.get("excel_dates", False)),
        as_of=str(given.get("as_of") or ""),
        documents=str(given.get("documents") or ""),
        documents_by_name=bool(given.get("documents_by_name", False)),
        headerless=headerless,
        codes=codes,
    )


def _table(given: Mapping[str, Any], name: str, of: type) -> dict[Any, Any]:
    value = given.get(name) or {}
    if isinstance(value, str):
        try:
            value = yaml.safe_load(Path(value).read_text(encoding="utf-8")) or {}
        except (OSError, ValueError, RecursionError, yaml.YAMLError) as exc:
            raise SettingsError(f"source.{name}: the file cannot be read as YAML ({type(exc).__name__}).") from exc
    if not isinstance(value, dict) or not all(isinstance(item, of) for item in value.values()):
        shape = "{stream.field: {code: value}}" if of is dict else "{file: [column, ...]}"
        raise SettingsError(f"source.{name}: expected {shape}.")
    return value


def _character(given: Mapping[str, Any], name: str) -> str:
    value = str(given.get(name) or "")
    value = {"tab": "\t", "\\t": "\t", "comma": ",", "semicolon": ";", "pipe": "|", "none": "\0"}.get(value, value)
    if len(value) > 1:
        raise SettingsError(f"source.{name}: expected one character.")
    return value
