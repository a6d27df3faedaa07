"""Says what is wrong in a layout before it is used: unknown keys, names, meanings, and columns that are absent."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any

import jsonschema_rs

from flitstack.errors import SettingsError
from flitstack_dental.dialect import normalise
from flitstack_dental.headed import shown_name
from flitstack_dental.values import fold_code

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from flitstack_dental.layout import FileSpec, Layout
    from flitstack_dental.recognise import DataFile

PARSERS = (
    "text", "phone", "id", "date", "local-datetime", "decimal", "integer", "ordinal", "boolean", "negated", "stamp",
    "zone", "cdt", "pattern_minutes", "recall_interval", "perio_depth", "perio_margin",
)  # fmt: skip
"""What `parse` may name; `flitstack_dental.convert` has what they do."""

_LAYOUT = ("name", "title", "manifest", "null_ids", "as_of", "ignore", "number_ids", "codes", "files")
_AS_OF = ("stream", "field", "when")
_FILE = ("names", "require", "ignore", "records")
_RECORD = ("stream", "id", "fields", "but", "set", "when", "unless_empty", "when_missing")
_WHEN = ("column", "codes", "is", "is_not", "same_as")
_CELL = ("column", "columns", "parse", "codes", "name", "join", "prefix", "otherwise", "empty", "optional")
_SHOWN = 30

_TEXT = {"type": "string", "minLength": 1}
_TEXTS = {"type": "array", "items": _TEXT}
_OBJECT = {"type": "object"}
_CELLS = {
    "type": "object",
    "additionalProperties": {
        "anyOf": [
            _TEXT,
            {
                "type": "object",
                "oneOf": [{"required": ["column"]}, {"required": ["columns"]}],
                "properties": {
                    "column": _TEXT,
                    "columns": {**_TEXTS, "minItems": 1},
                    "parse": _TEXT,
                    "codes": _TEXT,
                    "name": {"type": "boolean"},
                    "optional": {"type": "boolean"},
                    "join": {"type": "string"},
                    "prefix": {"type": "string"},
                },
            },
        ]
    },
}
_SHAPE = jsonschema_rs.Draft202012Validator(
    {
        "type": "object",
        "required": ["name", "title", "files"],
        "properties": {
            "name": _TEXT,
            "title": _TEXT,
            "manifest": {"type": "string"},
            "null_ids": {"type": "array"},
            "ignore": _TEXTS,
            "number_ids": _TEXTS,
            "as_of": {
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["stream", "field"],
                    "properties": {"stream": _TEXT, "field": _TEXT, "when": _OBJECT},
                },
            },
            "codes": {
                "type": "object",
                "additionalProperties": {"type": "object", "additionalProperties": {"minItems": 1}},
            },
            "files": {
                "type": "object",
                "additionalProperties": {
                    "type": ["object", "null"],
                    "properties": {
                        "names": _TEXTS,
                        "require": _TEXTS,
                        "ignore": _TEXTS,
                        "records": {
                            "type": "array",
                            "items": {
                                "type": "object",
                                "required": ["stream", "id"],
                                "properties": {
                                    "stream": _TEXT,
                                    "id": _TEXT,
                                    "fields": {"anyOf": [{"const": "same"}, _CELLS]},
                                    "but": _CELLS,
                                    "set": _OBJECT,
                                    "unless_empty": _TEXTS,
                                    "when": {
                                        "type": "object",
                                        "required": ["column"],
                                        "anyOf": [{"required": [key]} for key in ("is", "is_not", "same_as")],
                                        "properties": {
                                            **{key: _TEXT for key in ("column", "codes", "same_as")},
                                            **{key: {"type": "array"} for key in ("is", "is_not")},
                                        },
                                    },
                                    "when_missing": {"type": "object", "additionalProperties": _OBJECT},
                                },
                            },
                        },
                    },
                },
            },
        },
    }
)


def as_json(raw: Any) -> Any:
    """Return what YAML read with text for every key, and for every value that JSON has no word for."""
    if isinstance(raw, dict):
        return {str(key): as_json(value) for key, value in raw.items()}
    if isinstance(raw, list | tuple):
        return [as_json(value) for value in raw]
    return raw if raw is None or isinstance(raw, str | bool | int | float) else str(raw)


def check_layout(raw: Any, file: str, schemas: Mapping[str, Mapping[str, Any]]) -> None:
    """Return when a layout, as its file states it, can be used.

    :param schemas: JSON Schema of each stream.
    :raises SettingsError: it cannot; one line a problem, with the file, the place in it and the nearest known name.
    """
    problems = list(_keys(raw)) or list(_shape(raw)) or list(_names(raw, schemas))
    if problems:
        lines = [f"{file}, {place}: {message}" for place, message in problems[:_SHOWN]]
        raise SettingsError("\n".join([*lines, "What a layout may say is in docs/layouts.md."]))


def _keys(raw: Any) -> Iterator[tuple[str, str]]:
    """Yield the keys that nobody knows; what is no mapping is left to the shape."""
    yield from _unknown(raw, "the layout", _LAYOUT)
    if not isinstance(raw, dict):
        return
    for at, each in enumerate(_list(raw.get("as_of"))):
        yield from _unknown(each, f"as_of[{at}]", _AS_OF)
    for role, spec in _dict(raw.get("files")).items():
        yield from _unknown(spec, f"files.{role}", _FILE)
        for at, record in enumerate(_list(_dict(spec).get("records"))):
            place = f"files.{role}.records[{at}]"
            yield from _unknown(record, place, _RECORD)
            yield from _unknown(_dict(record).get("when"), f"{place}.when", _WHEN)
            for part in ("fields", "but"):
                for name, cell in _dict(_dict(record).get(part)).items():
                    yield from _unknown(cell, f"{place}.{part}.{name}", _CELL)


def _unknown(given: Any, place: str, known: Sequence[str]) -> Iterator[tuple[str, str]]:
    for key in _dict(given):
        if key not in known:
            yield place, f'unknown key "{key}".{nearest(str(key), known)}'


def _shape(raw: Any) -> Iterator[tuple[str, str]]:
    for error in _SHAPE.iter_errors(raw):
        place = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in error.instance_path)
        yield place.lstrip(".") or "the layout", f"{_shortened(error.message)}."


def _shortened(message: str) -> str:
    return message if len(message) <= 200 else f"{message[:200]} ..."


def _names(raw: dict[str, Any], schemas: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    """Yield streams, fields, codebooks and parsers that do not exist, and meanings that a schema does not allow."""
    for at, each in enumerate(raw.get("as_of") or ()):
        yield from _stream_fields(each["stream"], [each["field"], *each.get("when", {})], f"as_of[{at}]", schemas)
    books = raw.get("codes") or {}
    for role, spec in raw["files"].items():
        for at, record in enumerate((spec or {}).get("records", ())):
            place = f"files.{role}.records[{at}]"
            wrong = list(_stream_fields(record["stream"], _fields_named(record), place, schemas))
            yield from wrong
            if not wrong:
                yield from _record(record, place, books, schemas[record["stream"]]["properties"])


def _fields_named(record: dict[str, Any]) -> list[str]:
    others = [name for values in record.get("when_missing", {}).values() for name in values]
    return [*_cells(record), *record.get("set", {}), *record.get("when_missing", {}), *others]


def _cells(record: dict[str, Any]) -> dict[str, Any]:
    """Return the cells that the record itself describes, `but` included."""
    given = record.get("fields", {})
    return {**(given if isinstance(given, dict) else {}), **record.get("but", {})}


def _stream_fields(
    stream: str, fields: Iterable[str], place: str, schemas: Mapping[str, Mapping[str, Any]]
) -> Iterator[tuple[str, str]]:
    if stream not in schemas:
        yield place, f'no stream named "{stream}".{nearest(str(stream), schemas)}'
        return
    known = schemas[stream]["properties"]
    for name in fields:
        if name not in known:
            yield place, f'stream {stream} has no field "{name}".{nearest(str(name), known)}'


def _record(
    record: dict[str, Any], place: str, books: Mapping[str, Any], properties: Mapping[str, Any]
) -> Iterator[tuple[str, str]]:
    when = record.get("when") or {}
    if (book := when.get("codes")) and book not in books:
        yield f"{place}.when", f'no codebook named "{book}".{nearest(book, books)}'
        return
    if "{" in record["id"] and not all(piece.strip() for piece in _id_columns(record["id"])):
        yield f"{place}.id", "a brace without its column. Write it as {Column}-text."
    part = "but" if record.get("fields") == "same" else "fields"
    for name, cell in _cells(record).items():
        if isinstance(cell, dict):
            yield from _cell(cell, f"{place}.{part}.{name}", books, properties[name], when)
    fixed = [*record.get("set", {}).items()]
    fixed += [item for values in record.get("when_missing", {}).values() for item in values.items()]
    for name, value in fixed:
        yield from _meanings([value], f"{place}.{name}", properties[name])


def _id_columns(text: str) -> list[str]:
    return [piece.partition("}")[0] if "}" in piece else "" for piece in text.split("{")[1:]]


def _cell(
    cell: dict[str, Any], place: str, books: Mapping[str, Any], schema: Mapping[str, Any], when: Mapping[str, Any]
) -> Iterator[tuple[str, str]]:
    if (parser := cell.get("parse")) and parser not in PARSERS:
        yield place, f'no parser named "{parser}".{nearest(parser, PARSERS)}'
    stated = [cell[key] for key in ("otherwise", "empty") if key in cell]
    book = cell.get("codes")
    if book and book not in books:
        yield place, f'no codebook named "{book}".{nearest(book, books)}'
    elif book and not cell.get("name"):
        stated += _possible(books[book], when if when.get("codes") == book else {})
    yield from _meanings(stated, place, schema)


def _possible(book: dict[Any, Any], when: Mapping[str, Any]) -> list[Any]:
    """Return the meanings that rows can have which pass the condition."""
    among = {fold_code(str(code)) for code in when.get("is", when.get("is_not", ()))}
    found = []
    for code, entry in book.items():
        meaning, *words = entry if isinstance(entry, list) and entry else [entry]
        named = any(fold_code(str(word)) in among for word in (code, *words))
        if not when or named is not ("is_not" in when):
            found.append(meaning)
    return found


def _meanings(values: Iterable[Any], place: str, schema: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    allowed = schema.get("enum")
    if allowed is None:
        return
    for value in values:
        if value is not None and value not in allowed:
            words = [str(word) for word in allowed if word is not None]
            yield place, f'"{value}" is no meaning of this field.{nearest(str(value), words)}'


def check_columns(layout: Layout, files: Sequence[DataFile], roles: Mapping[str, FileSpec]) -> None:
    """Return when the files have the columns that a layout of the user's own names.

    :param roles: what files are, by their name; a file of a known name may be missing among them.
    :raises SettingsError: a file that has others of its layout's columns lacks some.
    """
    problems: list[str] = []
    for file in files:
        named = [spec for spec in layout.files if file.stem in spec.names]
        spec = roles.get(file.name) or (named[0] if len(named) == 1 else None)
        columns = frozenset(map(normalise, file.header))
        if spec is None or not columns & spec.columns:
            continue
        for column, place in _absent(spec, columns):
            near = nearest(column, file.header, only_close=True)
            shown = ", ".join(shown_name(at, name) for at, name in enumerate(file.header[:_SHOWN]))
            shown += ", ..." if len(file.header) > _SHOWN else ""
            problems.append(
                f"{layout.file}, {place}: file {file.name} has no column {column}.{near} Its columns are {shown}."
            )
    if problems:
        hint = "For a column that some exports lack, write {column: NAME, optional: true}."
        raise SettingsError("\n".join([*dict.fromkeys(problems), hint]))


def _absent(spec: FileSpec, columns: AbstractSet[str]) -> Iterator[tuple[str, str]]:
    """Yield the columns that are not there, and where the layout names them; of several to choose from, all or none."""

    def lacks(column: str) -> bool:
        return normalise(column) not in columns

    place = f"files.{spec.role}"
    for column in filter(lacks, spec.required):
        yield column, f"{place}.require"
    for at, record in enumerate(spec.records):
        where = f"{place}.records[{at}]"
        for column in filter(lacks, record.id[1::2]):
            yield column, f"{where}.id"
        if record.when is not None:
            for column in filter(lacks, filter(None, (record.when.column, record.when.same_as))):
                yield column, f"{where}.when"
        if record.unless_empty and all(map(lacks, record.unless_empty)):
            yield record.unless_empty[0], f"{where}.unless_empty"
        for name, cell in record.fields.items():
            absent = list(filter(lacks, cell.columns))
            if absent and not cell.optional and (cell.join is not None or len(absent) == len(cell.columns)):
                yield absent[0], f"{where}.fields.{name}"


def nearest(name: str, known: Iterable[str], *, only_close: bool = False) -> str:
    """Return a sentence that names the known name nearest to `name`, else those that there are."""
    names = list(dict.fromkeys(map(str, known)))
    folded = {each.lower(): each for each in names}
    close = difflib.get_close_matches(name.lower(), folded, n=1, cutoff=0.6)
    if close:
        return f' Did you mean "{folded[close[0]]}"?'
    return "" if only_close or not names else f" Known: {', '.join(names[:_SHOWN])}."


def _dict(value: Any) -> dict[Any, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
