"""Layouts as data: which files a vendor's export has, and how their columns become the neutral streams."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from flitstack.errors import SettingsError
from flitstack_dental.dialect import normalise
from flitstack_dental.layout_check import as_json, check_layout
from flitstack_dental.values import fold_code

if TYPE_CHECKING:
    from collections.abc import Mapping

_HERE = Path(__file__).parent
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
SHIPPED = ("neutral", "opendental")


@dataclass(frozen=True, slots=True)
class Cell:
    """Where a field's value comes from, and how it is read.

    :param columns: one column; several are joined by `join`, or without it the first that holds something counts.
    :param parse: name of a parser, "" for the one that the field's type asks for.
    :param codes: name of a codebook; `name` takes the code's name in place of its meaning.
    :param prefix: put before the value (`27-` before a definition's number).
    :param otherwise: meaning of a code the codebook does not know.
    :param empty: meaning of an empty cell.
    :param optional: a file may lack the columns.
    """

    columns: tuple[str, ...]
    parse: str = ""
    codes: str = ""
    name: bool = False
    join: str | None = None
    prefix: str = ""
    otherwise: Any = None
    empty: Any = None
    optional: bool = False


@dataclass(frozen=True, slots=True)
class When:
    """Which rows become a record: those whose code is among `among`, or is not; or whose two columns are equal."""

    column: str
    codes: str = ""
    among: frozenset[str] = frozenset()
    negated: bool = False
    same_as: str = ""


@dataclass(frozen=True, slots=True)
class RecordSpec:
    """One record made of one row.

    :param id: pieces of the id: column names at odd places, text between them at even ones.
    :param fields: neutral field to cell.
    :param constants: neutral field to a value that all of them have.
    :param unless_empty: without anything in these columns there is no record.
    :param when_missing: a field to the values that others take when it is missing.
    """

    stream: str
    id: tuple[str, ...]
    fields: Mapping[str, Cell]
    constants: Mapping[str, Any] = field(default_factory=dict)
    when: When | None = None
    unless_empty: tuple[str, ...] = ()
    when_missing: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FileSpec:
    """One file of the export.

    :param names: normalised stems by which it is known.
    :param required: columns without which it is another file; `require` has them normalised.
    :param columns: normalised columns of interest.
    :param ignore: normalised columns that are left on purpose.
    :param records: empty for a file that is known and not read.
    """

    role: str
    names: frozenset[str]
    require: frozenset[str]
    columns: frozenset[str]
    records: tuple[RecordSpec, ...]
    required: tuple[str, ...] = ()
    ignore: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class AsOf:
    """A field whose newest value tells the export's day; only in records whose fields hold the values of `when`."""

    stream: str
    date_field: str
    when: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Layout:
    """One vendor's export.

    :param codes: codebook to code (lower case, or the word for it) to (meaning, name).
    :param null_ids: what the system writes for `refers to nothing`.
    :param manifest: normalised stem of the file that says when the export was made.
    :param file: its file's name when it is the user's own, "" for a shipped one.
    :param ignore: normalised columns that are left on purpose in every file.
    :param number_ids: normalised columns whose ids are numbers; an export with words in them has lost its ids.
    """

    name: str
    title: str
    files: tuple[FileSpec, ...]
    codes: Mapping[str, Mapping[str, tuple[Any, str]]]
    null_ids: frozenset[str]
    as_of: tuple[AsOf, ...]
    manifest: str = ""
    file: str = ""
    ignore: frozenset[str] = frozenset()
    number_ids: frozenset[str] = frozenset()

    def known_columns(self) -> frozenset[str]:
        """Return the normalised names of all columns it mentions."""
        return frozenset().union(*(file.columns for file in self.files))


@cache
def stream_schemas() -> Mapping[str, Mapping[str, Any]]:
    """Return the JSON Schema of each neutral stream, by its name."""
    return {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(_HERE.glob("streams/*.json"))}


def load_layouts(setting: str) -> tuple[Layout, ...]:
    """Return the layouts to try: all shipped ones for `auto`, else the one named or the file given.

    :raises SettingsError: there is no such layout, or the file is no layout.
    """
    if setting == "auto":
        return tuple(map(_shipped, SHIPPED))
    if setting in SHIPPED:
        return (_shipped(setting),)
    path = Path(setting).expanduser()
    if not path.is_file():
        raise SettingsError(f"source.layout: neither a layout ({', '.join(SHIPPED)}) nor a file.")
    return (replace(_read(path), file=path.name),)


@cache
def _shipped(name: str) -> Layout:
    return _read(_HERE / "layouts" / f"{name}.yaml")


def _read(path: Path) -> Layout:
    try:
        raw = yaml.load(path.read_text(encoding="utf-8"), Loader=_LOADER)  # noqa: S506 - a SafeLoader, in C if there is one
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as exc:
        at = getattr(exc, "problem_mark", None)
        place = f" line {at.line + 1}" if at else ""
        raise SettingsError(
            f"{path.name}{place}: cannot be read as YAML ({type(exc).__name__}). See docs/layouts.md."
        ) from exc
    try:
        raw = as_json(raw)
    except RecursionError as exc:
        raise SettingsError(f"{path.name}: a part of it contains itself. See docs/layouts.md.") from exc
    check_layout(raw, path.name, stream_schemas())
    return _layout(raw)


def _layout(raw: dict[str, Any]) -> Layout:
    codes = {name: _codebook(book) for name, book in (raw.get("codes") or {}).items()}
    return Layout(
        name=raw["name"],
        title=raw["title"],
        files=tuple(_file(str(role), spec or {}, raw.get("ignore", [])) for role, spec in raw["files"].items()),
        codes=codes,
        null_ids=frozenset(map(str, raw.get("null_ids", ()))),
        as_of=tuple(AsOf(each["stream"], each["field"], each.get("when", {})) for each in raw.get("as_of", ())),
        manifest=normalise(raw.get("manifest", "")),
        ignore=frozenset(map(normalise, raw.get("ignore", ()))),
        number_ids=frozenset(map(normalise, raw.get("number_ids", ()))),
    )


def _codebook(book: dict[Any, Any]) -> dict[str, tuple[Any, str]]:
    """Return code to (meaning, name): `2: [completed, Complete]`; names and further words count as codes too."""
    result: dict[str, tuple[Any, str]] = {}
    for code, entry in book.items():
        meaning, *words = entry if isinstance(entry, list) else [entry]
        name = str(words[0]) if words else str(code)
        for word in (code, *words):
            result.setdefault(fold_code(str(word)), (meaning, name))
    return result


def _file(role: str, spec: dict[str, Any], ignore: list[str]) -> FileSpec:
    records = tuple(_record(each) for each in spec.get("records", ()))
    columns = {normalise(name) for record in records for name in columns_of(record)}
    required = tuple(spec.get("require", ()))
    require = frozenset(map(normalise, required))
    left = frozenset(map(normalise, [*ignore, *spec.get("ignore", ())]))
    names = frozenset(map(normalise, [role, *spec.get("names", ())]))
    return FileSpec(role, names, require, frozenset(columns) | require, records, required, left)


def columns_of(record: RecordSpec) -> list[str]:
    """Return all columns that a record reads."""
    found = [column for cell in record.fields.values() for column in cell.columns]
    found += [*record.id[1::2], *record.unless_empty]
    if record.when:
        found += [record.when.column, *([record.when.same_as] if record.when.same_as else [])]
    return found


def _record(raw: dict[str, Any]) -> RecordSpec:
    stream = raw["stream"]
    given = raw.get("fields", {})
    if given == "same":
        names = [name for name in stream_schemas()[stream]["properties"] if name != "id"]
        given = {name: {"column": name, "optional": True} for name in names}
    cells = {name: _cell(spec) for name, spec in {**given, **raw.get("but", {})}.items()}
    return RecordSpec(
        stream=stream,
        id=_id(raw["id"]),
        fields=cells,
        constants=raw.get("set", {}),
        when=_when(raw["when"]) if "when" in raw else None,
        unless_empty=tuple(raw.get("unless_empty", ())),
        when_missing=raw.get("when_missing", {}),
    )


def _id(text: str) -> tuple[str, ...]:
    """Return `{PatNum}-home` as ("", "PatNum", "-home"), and a bare column name as ("", name, "")."""
    if "{" not in text:
        return ("", text, "")
    return tuple(piece for part in text.split("{") for piece in part.split("}"))


def _cell(spec: Any) -> Cell:
    if isinstance(spec, str):
        return Cell((spec,))
    options = dict(spec)
    columns = options.pop("column", None) or options.pop("columns")
    return Cell(columns=(columns,) if isinstance(columns, str) else tuple(columns), **options)


def _when(raw: dict[str, Any]) -> When:
    among = raw.get("is", raw.get("is_not", ()))
    return When(
        column=raw["column"],
        codes=raw.get("codes", ""),
        among=frozenset(fold_code(str(code)) for code in among),
        negated="is_not" in raw,
        same_as=raw.get("same_as", ""),
    )
