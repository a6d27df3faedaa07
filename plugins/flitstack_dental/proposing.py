"""How this source takes part in `flit map`: samples an export, names its targets, writes and checks a draft layout."""

from __future__ import annotations

from functools import cache
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import yaml

from flitstack.errors import FlitError, NotAnExportError
from flitstack.protocols import (
    KnownColumn,
    Lexicon,
    MapProposing,
    SampledColumn,
    SampledExport,
    SampledFile,
    Target,
)
from flitstack_dental.container import open_container
from flitstack_dental.dialect import normalise
from flitstack_dental.draft import write_draft
from flitstack_dental.layout import Layout, columns_of, load_layouts, stream_schemas
from flitstack_dental.recognise import Recognised, look_at, recognise
from flitstack_dental.rows import BadRow, Tally, read_rows
from flitstack_dental.sensitive import is_secret_name, is_secret_value
from flitstack_dental.settings import parse_settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from flitstack_dental.container import Container
    from flitstack_dental.layout import FileSpec, RecordSpec
    from flitstack_dental.recognise import DataFile

_HERE = Path(__file__).parent
_NO_TARGETS = frozenset({"practice"})
_SECRET_SHARE = 0.5


def proposing() -> MapProposing:
    """Return how exports of this source are mapped."""
    return MapProposing(sample, targets, lexicon, write_draft, check, known, frozenset({"patients"}))


def sample(path: str, settings: Mapping[str, Any], rows: int) -> SampledExport:
    """Return the export's files with their first rows; columns that hold secrets have no cells.

    :raises NotAnExportError: there is no text file.
    """
    parsed = parse_settings(settings)
    layouts = load_layouts(parsed.layout)
    container = open_container(path)
    try:
        files = look_at(container, parsed, layouts)
        if not files:
            raise NotAnExportError(f"{Path(path).name}: no CSV or text files here. Give the folder of the export.")
        found = _recognised(files, layouts, Path(path).name)
        sampled = tuple(_sampled(container, file, found, rows) for file in files if len(file.header) > 1)
        return SampledExport(sampled, found.layout.name if found else "")
    finally:
        container.close()


def _recognised(files: Sequence[DataFile], layouts: Sequence[Layout], place: str) -> Recognised | None:
    """Return what a layout makes of the files; None when none fits more than half of them."""
    manifests = {layout.manifest for layout in layouts if layout.manifest}
    data = [file for file in files if file.stem not in manifests]
    try:
        found = recognise(data, layouts, place)
    except NotAnExportError:
        return None
    return found if found.layout.file or 2 * len(found.roles) > len(data) else None


def _sampled(container: Container, file: DataFile, found: Recognised | None, rows: int) -> SampledFile:
    spec = found.roles.get(file.name) if found else None
    cells, count, whole = _cells(container, file, rows)
    columns, dropped = [], []
    for at, name in enumerate(file.header):
        values = tuple(row[at] for row in cells if at < len(row) and row[at].strip())
        secret = sum(map(is_secret_value, values)) > _SECRET_SHARE * len(values) if values else False
        if is_secret_name(name) or secret:
            dropped.append(name)
        elif name:
            columns.append(SampledColumn(name, values, count, whole))
    read = _read_columns(found.layout, spec) if found and spec else frozenset()
    unread = tuple(column.name for column in columns if normalise(column.name) not in read)
    role, stream = (spec.role, _row_stream(spec) if spec.records else "") if spec else ("", "")
    return SampledFile(file.name, tuple(columns), role, stream, unread, tuple(dropped))


def _read_columns(layout: Layout, spec: FileSpec) -> frozenset[str]:
    named = {normalise(name) for record in spec.records for name in columns_of(record)}
    return frozenset(named | spec.require | spec.ignore | layout.ignore)


def _cells(container: Container, file: DataFile, most: int) -> tuple[list[list[str]], int, bool]:
    """Return the first rows' cells, how many there are, and whether these are all."""
    found: list[list[str]] = []
    with container.open(file.name) as stream:
        rows = read_rows(stream, file.encoded.encoding, file.dialect, len(file.header), Tally())
        if file.headed:
            next(rows, None)
        for row in rows:
            if len(found) >= most:
                return found, most, False
            if not isinstance(row, BadRow):
                found.append(row.cells)
    return found, len(found), True


@cache
def _lexicon() -> dict[str, Any]:
    data: dict[str, Any] = yaml.safe_load((_HERE / "lexicon.yaml").read_text(encoding="utf-8"))
    return data


def lexicon() -> Lexicon:
    """Return the words of dental systems."""
    data = _lexicon()
    words = {str(meaning): tuple(map(str, spellings)) for meaning, spellings in data["words"].items()}
    return Lexicon(words, {stream: tuple(names) for stream, names in data["streams"].items()})


def targets() -> Sequence[Target]:
    """Return every field of every neutral stream, and those of the records made beside a patient's row."""
    return tuple([*_own(), *_beside()])


def _own() -> Iterator[Target]:
    names = _lexicon()["fields"]
    books = load_layouts("neutral")[0].codes
    for stream, schema in stream_schemas().items():
        if stream in _NO_TARGETS:
            continue
        required = schema.get("required", ())
        for field, given in schema["properties"].items():
            if field.startswith("original_"):
                continue
            yield Target(
                stream,
                field,
                given,
                tuple(names.get(f"{stream}.{field}", ())),
                field in required,
                looks=_looks(field),
                codes=_codes(books, stream, field),
            )


def _codes(books: Mapping[str, Mapping[str, Any]], stream: str, field: str) -> frozenset[str]:
    book = {"appointments.status": "appointment_status", "patients.status": "patient_status"}.get(f"{stream}.{field}")
    return frozenset(books.get(book or field, {}))


def _looks(field: str) -> Any:
    return next((looks for looks, fields in _lexicon()["looks"].items() if field in fields), "")


def _beside() -> Iterator[Target]:
    schemas = stream_schemas()
    for given in _lexicon()["beside"]:
        for field, names in given["fields"].items():
            schema = schemas[given["stream"]]["properties"][field]
            looks = given.get("looks") or _looks(field)
            yield Target(
                given["stream"], field, schema, tuple(names), part=given["part"], beside=(given["of"],), looks=looks
            )


def beside() -> Sequence[Mapping[str, Any]]:
    """Return the records that a row may hold beside its own, as the lexicon states them."""
    found: list[Mapping[str, Any]] = _lexicon()["beside"]
    return found


def check(path: Path) -> Sequence[str]:
    """Return what is wrong in a layout file, a line a problem; empty when it can be used."""
    try:
        load_layouts(str(path))
    except FlitError as exc:
        return str(exc).splitlines()
    return ()


def known(path: Path) -> Sequence[KnownColumn]:
    """Return which columns a layout file reads as what.

    :raises SettingsError: it is no layout.
    """
    layout = load_layouts(str(path))[0]
    return tuple(
        KnownColumn(file.role, _row_stream(file), column, target)
        for file in layout.files
        if file.records
        for record in file.records
        for column, target in _columns(record, _row_stream(file))
    )


def _row_stream(file: FileSpec) -> str:
    return file.records[0].stream


def _columns(record: RecordSpec, row_stream: str) -> Iterator[tuple[str, str]]:
    part = ""
    if record.stream != row_stream:
        parts = [
            each["part"]
            for each in beside()
            if each["stream"] == record.stream and each["of"] == row_stream
            and all(record.constants.get(name) == value for name, value in each.get("set", {}).items())
        ]  # fmt: skip
        if not parts:
            return
        part = f" ({parts[0]})"
    if record.id[::2] == ("", "") and not part:
        yield record.id[1], f"{record.stream}.id"
    for field, cell in record.fields.items():
        if len(cell.columns) == 1 and not cell.name and not (part and field == "patient_id"):
            yield cell.columns[0], f"{record.stream}.{field}{part}"


def role_of(file: str) -> str:
    """Return what a layout calls a file: its name without folder and extension."""
    return PurePosixPath(file).stem
