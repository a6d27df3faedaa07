"""Brings a plugin's settings together from the command line, the environment and flit.toml, and checks them."""

from __future__ import annotations

import json
import os
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import jsonschema

from flitstack.errors import SettingsError, UsageError
from flitstack.registry import nearest_name

if TYPE_CHECKING:
    from pathlib import Path

    from flitstack.protocols import Schema

PROJECT_FILE = "flit.toml"
_SECTIONS = ("source", "dest", "variables")
_VARIABLE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")


@dataclass(frozen=True, slots=True)
class Sets:
    """What `--set` gave, as text: settings of the source, of the destination, and template variables."""

    source: Mapping[str, str] = field(default_factory=dict)
    dest: Mapping[str, str] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ProjectFile:
    """What `flit.toml` beside the journal holds, by section, as TOML values; everything empty when there is none."""

    source: Mapping[str, Any] = field(default_factory=dict)
    dest: Mapping[str, Any] = field(default_factory=dict)
    variables: Mapping[str, Any] = field(default_factory=dict)


def parse_sets(items: Sequence[str]) -> Sets:
    """Return `--set` options sorted by what they set: `source.KEY=VALUE`, `dest.KEY=VALUE`, `KEY=VALUE`.

    :raises UsageError: an item has no `=`, an unknown prefix, or repeats a key. No message holds a value.
    """
    found: dict[str, dict[str, str]] = {section: {} for section in _SECTIONS}
    for number, item in enumerate(items, start=1):
        key, equals, value = item.partition("=")
        if not equals:
            raise UsageError(f"--set number {number} has no =. Write --set KEY=VALUE.")
        section, name = _section_of(key.strip())
        if name in found[section]:
            raise UsageError(f"--set {key.strip()} is given twice. Give it once.")
        found[section][name] = value
    return Sets(**found)


def _section_of(key: str) -> tuple[str, str]:
    prefix, dot, name = key.rpartition(".")
    if not _VARIABLE_NAME.fullmatch(name) or prefix not in ("", "source", "dest") or (dot and not prefix):
        shown = key if re.fullmatch(r"[\w.-]*", key) else "(unreadable key)"
        raise UsageError(
            f"--set {shown}: not a key. Write source.KEY=VALUE for the source, dest.KEY=VALUE for the destination, "
            "KEY=VALUE for a variable of the mapping template."
        )
    return prefix or "variables", name


def read_project_file(folder: Path) -> ProjectFile:
    """Return what `flit.toml` in this folder holds, in its sections `source`, `dest` and `variables`.

    :raises SettingsError: the file cannot be read, is no TOML, or has something outside these sections.
    """
    path = folder / PROJECT_FILE
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ProjectFile()
    except (OSError, UnicodeDecodeError) as exc:
        raise SettingsError(f"{path}: cannot be read ({type(exc).__name__}). It must be a UTF-8 text file.") from exc
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as exc:
        place = re.search(r"\(at [^()]*\)", str(exc))
        raise SettingsError(f"{path}: not valid TOML {place[0] if place else ''}".rstrip() + ".") from exc
    except RecursionError:
        raise SettingsError(f"{path}: lists or tables are nested too deep. Settings need a few levels.") from None
    for name, section in content.items():
        if name not in _SECTIONS or not isinstance(section, dict):
            raise SettingsError(f"{path}: {_unknown(name, _SECTIONS, 'one of its sections')}")
    return ProjectFile(**content)


def resolve_settings(
    schema: Schema,
    *,
    what: str,
    prefix: str,
    given: Mapping[str, str] | None = None,
    file: Mapping[str, Any] | None = None,
    environment: Mapping[str, str] | None = None,
    secrets: frozenset[str] = frozenset(),
    environ: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Return a plugin's settings: from `--set`, else its environment variable, else flit.toml, else the default.

    Text becomes what the schema's `type` says. An environment variable that is set to nothing counts as not set.
    :param what: whose settings they are, for messages: `source "acme"`.
    :param prefix: how `--set` and flit.toml call them: `source` or `dest`.
    :param given: from `--set`, as text.
    :param file: the section of flit.toml.
    :param environment: variable per setting.
    :param secrets: settings that come from their environment variable alone; their values are never shown.
    :param environ: the environment; None is the process's own.
    :raises SettingsError: names every setting that does not fit, where it came from and what was expected.
    """
    desk = _Desk(schema, what, prefix, environment or {}, secrets)
    values: dict[str, tuple[Any, str]] = {}
    for name, value in (file or {}).items():
        values[name] = (value, f"[{prefix}] in {PROJECT_FILE}")
    for name, variable in desk.environment.items():
        if text := (os.environ if environ is None else environ).get(variable):
            values[name] = (desk.convert(name, text), variable)
    for name, text in (given or {}).items():
        values[name] = (desk.convert(name, text), f"--set {prefix}.{name}")
    for name, default in desk.defaults().items():
        values.setdefault(name, (default, "its default"))
    try:
        desk.check(values, file or {}, given or {})
    except RecursionError:
        raise SettingsError(f"Settings of {what}: one is nested too deep. Settings need a few levels.") from None
    return {name: value for name, (value, _) in values.items()}


@dataclass(frozen=True, slots=True)
class _Desk:
    """One plugin's schema, and how to speak of its settings."""

    schema: Schema
    what: str
    prefix: str
    environment: Mapping[str, str]
    secrets: frozenset[str]

    @property
    def properties(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.schema.get("properties", {})
        return found

    def defaults(self) -> dict[str, Any]:
        return {
            name: about["default"]
            for name, about in self.properties.items()
            if isinstance(about, Mapping) and "default" in about
        }

    def convert(self, name: str, text: str) -> Any:
        """Return the value that a setting's text stands for, or the text itself, for the check to refuse."""
        about = self.properties.get(name)
        if not isinstance(about, Mapping):
            return text
        stated = about.get("type", [])
        types = [stated] if isinstance(stated, str) else list(stated)
        for choice in about.get("enum", []):
            if not isinstance(choice, str) and text == json.dumps(choice):
                return choice
        for kind in ("null", "boolean", "integer", "number", "array", "object"):
            if kind in types and (found := _CONVERTERS[kind](text)) is not _NO:
                return found
        return text

    def check(self, values: Mapping[str, tuple[Any, str]], file: Mapping[str, Any], given: Mapping[str, str]) -> None:
        """Raise a SettingsError with one line per setting that does not fit."""
        leaked = sorted(self.secrets & (set(file) | set(given)))
        lines = [
            f"{self.prefix}.{name}: a secret is taken from the environment only. Set {self.environment[name]} "
            "and remove it here."
            for name in leaked
        ]
        plain = {name: value for name, (value, _) in values.items()}
        checker = jsonschema.Draft202012Validator(self._closed(), format_checker=jsonschema.FormatChecker())
        for error in sorted(checker.iter_errors(plain), key=lambda error: [str(step) for step in error.absolute_path]):
            lines += self._lines(error, values)
        if lines:
            raise SettingsError("\n".join(f"Settings of {self.what}: {line}" for line in dict.fromkeys(lines)))

    def _closed(self) -> dict[str, Any]:
        """Return the schema with unknown settings refused, unless it says itself what to do with them."""
        return {"additionalProperties": False, **self.schema}

    def _lines(self, error: jsonschema.ValidationError, values: Mapping[str, tuple[Any, str]]) -> list[str]:
        path = [str(step) for step in error.absolute_path]
        if not path and error.validator == "additionalProperties":
            strangers = [(name, origin) for name, (_, origin) in values.items() if name not in self.properties]
            return [
                f"{_unknown(f'{self.prefix}.{name}', self._known(), 'a setting')} It is from {origin}."
                for name, origin in strangers
            ]
        if not path and error.validator == "required":
            return [self._missing(name) for name in self.schema.get("required", []) if name not in values]
        if not path:
            return [f"they do not fit together ({error.validator})."]
        name, origin = path[0], values[path[0]][1]
        shown = "," if name in self.secrets else f" is {_short(error.instance)},"
        where = ".".join([self.prefix, *path])
        return [f"{where}{shown} from {origin}: expected {_expected(error)}.{self._meant(name, error)}"]

    def _known(self) -> list[str]:
        return [f"{self.prefix}.{name}" for name in self.properties if name not in self.secrets]

    def _missing(self, name: str) -> str:
        ways = [f"Set {self.environment[name]}"] if name in self.environment else []
        ways += [] if name in self.secrets else [f"give --set {self.prefix}.{name}=VALUE"]
        about = self.properties.get(name, {}).get("description", "")
        advice = " or ".join(ways)
        words = f"{self.prefix}.{name} is missing. {advice[:1].upper()}{advice[1:]}."
        return f"{words} It is: {about}" if about else words

    def _meant(self, name: str, error: jsonschema.ValidationError) -> str:
        if error.validator != "enum" or name in self.secrets or not isinstance(error.instance, str):
            return ""
        choices: Any = error.validator_value
        meant = nearest_name(error.instance, [choice for choice in choices if isinstance(choice, str)])
        return f' Did you mean "{meant}"?' if meant else ""


_NO = object()


def _json_of(kind: type) -> Any:
    def convert(text: str) -> Any:
        try:
            found = json.loads(text)
        except (ValueError, RecursionError):
            return _NO
        return found if isinstance(found, kind) else _NO

    return convert


def _number(text: str) -> Any:
    try:
        return float(text)
    except ValueError:
        return _NO


def _list(text: str) -> Any:
    as_json = _json_of(list)(text)
    return [part.strip() for part in text.split(",")] if as_json is _NO else as_json


_BOOLEANS = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}
_CONVERTERS: Mapping[str, Any] = {
    "null": lambda text: None if text == "null" else _NO,
    "boolean": lambda text: _BOOLEANS.get(text.lower(), _NO),
    "integer": lambda text: int(text) if re.fullmatch(r"[+-]?\d{1,400}", text, re.ASCII) else _NO,
    "number": _number,
    "array": _list,
    "object": _json_of(dict),
}

_TYPES = {
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "string": "text",
    "array": "a list",
    "object": "a table",
    "null": "nothing",
}
_PHRASES = {
    "minimum": "at least {}",
    "maximum": "at most {}",
    "exclusiveMinimum": "more than {}",
    "exclusiveMaximum": "less than {}",
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "minItems": "at least {} entries",
    "maxItems": "at most {} entries",
    "pattern": "text of the form {}",
    "format": "a valid {}",
    "const": "{}",
}


def _expected(error: jsonschema.ValidationError) -> str:
    """Return what the schema wanted, in words, with the setting's own description when it has one."""
    wanted: Any = error.validator_value
    match error.validator:
        case "enum":
            words = "one of " + ", ".join(str(choice) for choice in wanted)
        case "type":
            kinds = [wanted] if isinstance(wanted, str) else wanted
            words = " or ".join(_TYPES.get(kind, kind) for kind in kinds)
        case str() as rule if rule in _PHRASES:
            words = _PHRASES[rule].format(wanted)
        case rule:
            words = f"what its schema says under {rule}"
    about = error.schema.get("description") if isinstance(error.schema, Mapping) else None
    return f"{words} ({str(about).rstrip('.')})" if about else words


def _unknown(name: str, known: Sequence[str], what: str) -> str:
    meant = nearest_name(name, known)
    return f"{name} is not {what}." + (f' Did you mean "{meant}"?' if meant else f" Known: {', '.join(known)}.")


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else f"{text[:57]}..."
