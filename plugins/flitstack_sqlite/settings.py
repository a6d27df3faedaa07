"""What an operator can set about a database (`--set source.NAME=VALUE`): the schema, and its parsed form."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

_NAMES = {"type": "array", "items": {"type": "string", "minLength": 1}}

SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "urn:flitstack:sqlite:settings",
    "title": "Settings of the SQLite source",
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "tables": {**_NAMES, "description": "Tables to read; all of them when not set."},
        "leave_out": {**_NAMES, "default": [], "description": "Tables not to read."},
        "views": {"type": "boolean", "default": False, "description": "Read views as well; each needs a key."},
        "keys": {
            "type": "object",
            "additionalProperties": _NAMES,
            "default": {},
            "description": "Columns that name a row: {table: [column, ...]}. Default: the primary key, else the rowid.",
        },
        "references": {
            "type": "object",
            "additionalProperties": {"type": "string"},
            "default": {},
            "description": "Links that the database does not declare: {table.column: table}.",
        },
        "as_of": {
            "type": "string",
            "pattern": r"^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2})?)?$",
            "description": "The day of the data, YYYY-MM-DD, when no table export_info states it.",
        },
    },
}


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of one reading.

    :param tables: None for all. :param keys: table to columns. :param references: (table, column) to table.
    """

    tables: frozenset[str] | None = None
    leave_out: frozenset[str] = frozenset()
    views: bool = False
    keys: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    references: Mapping[tuple[str, str], str] = field(default_factory=dict)
    as_of: str | None = None


def parse_settings(given: Mapping[str, Any]) -> Settings:
    """Return validated settings in their parsed form."""
    pairs = ((place.rpartition("."), table) for place, table in given.get("references", {}).items())
    return Settings(
        frozenset(given["tables"]) if given.get("tables") is not None else None,
        frozenset(given.get("leave_out", ())),
        given.get("views", False),
        {table: tuple(columns) for table, columns in given.get("keys", {}).items()},
        {(table, column): target for (table, _, column), target in pairs},
        given.get("as_of"),
    )
