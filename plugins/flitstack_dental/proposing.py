"""How this source takes part in `flit map`: samples an export, names its targets, writes and checks a draft layout."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from flitstack.errors import FlitError, NotAnExportError
from flitstack.protocols import (
    KnownColumn,
    MapProposing,
    SampledColumn,
    SampledExport,
    SampledFile,
    Target,
)
from flitstack_dental.container import open_container
from flitstack_dental.dialect import normalise
from flitstack_dental.draft import write_draft
from flitstack_dental.headed import no_header
from flitstack_dental.layout import Layout, columns_of, load_layouts, stream_schemas
from flitstack_dental.lexicon import beside, lexicon, lexicon_data, meanings
from flitstack_dental.recognise import Recognised, look_at, recognise
from flitstack_dental.rows import BadRow, Tally, read_rows
from flitstack_dental.sensitive import is_secret_name, is_secret_value
from flitstack_dental.settings import parse_settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from flitstack_dental.container import Container
    from flitstack_dental.layout import FileSpec, RecordSpec
    from flitstack_dental.recognise import DataFile

_NAMED = 5
_NO_TARGETS = frozenset({"practice"})
_SECRET_SHARE = 0.5


def proposing() -> MapProposing:
    """Return how exports of this source are mapped."""
    return MapProposing(
        sample, targets, lexicon, write_draft, check, known, frozenset({"patients"}), own_map, stream_schemas
    )


def own_map(settings: Mapping[str, Any]) -> Path | None:
    """Return the layout file that the settings name, None where they name a layout that ships, or none."""
    layout = parse_settings(settings).layout
    return Path(layout) if layout and Path(layout).is_file() else None


def sample(path: str, settings: Mapping[str, Any], rows: int) -> SampledExport:
    """Return the export's files with their first rows; columns that hold secrets have no cells.

    :raises NotAnExportError: there is no text file, or no table in any.
    """
    parsed = parse_settings(settings)
    layouts = load_layouts(parsed.layout)
    container = open_container(path)
    try:
        files = look_at(container, parsed, layouts)
        if not files:
            raise NotAnExportError(f"{Path(path).name}: no CSV or text files here. Give the folder of the export.")
        found = _recognised(files, layouts, Path(path).name)
        known = frozenset().union(*(layout.known_columns() for layout in layouts))
        sampled = tuple(_sampled(container, file, found, rows, known) for file in files)
        sampled = sampled if found else tuple(_told_apart(files, sampled))
        if not any(file.columns for file in sampled):
            told = "; ".join(f"{file.name}: {file.note}" for file in sampled[:_NAMED])
            raise NotAnExportError(f"No table here that could be mapped. {told}.")
        if found is None:
            return SampledExport(sampled)
        return SampledExport(sampled, str(Path(parsed.layout).expanduser()) if found.layout.file else found.layout.name)
    finally:
        container.close()


def _told_apart(files: Sequence[DataFile], sampled: Sequence[SampledFile]) -> Iterator[SampledFile]:
    """Yield the files; one that a layout could not tell from an earlier one by its name has no columns."""
    stems: dict[str, str] = {}
    for file in sorted(files, key=lambda file: (len(file.name), file.name)):  # `list.csv` before `list (1).csv`
        stems.setdefault(file.stem, file.name)
    for file, each in zip(files, sampled, strict=True):
        first = stems[file.stem]
        other = f"a layout cannot tell it from {first} by its name; rename it, or take it away"
        yield each if first == file.name else SampledFile(each.name, (), note=other)


def _recognised(files: Sequence[DataFile], layouts: Sequence[Layout], place: str) -> Recognised | None:
    """Return what a layout makes of the files; None when none fits more than half of them."""
    manifests = {layout.manifest for layout in layouts if layout.manifest}
    data = [file for file in files if file.stem not in manifests]
    try:
        found = recognise(data, layouts, place)
    except NotAnExportError:
        return None
    return found if found.layout.file or 2 * len(found.roles) > len(data) else None


def _sampled(
    container: Container, file: DataFile, found: Recognised | None, rows: int, known: AbstractSet[str]
) -> SampledFile:
    """Return a file with its first rows; where it is no table, or heads no columns, without any and with a note why.

    Without a header the first line would be shown as one, and it is a patient's row.
    """
    if note := _no_table(file):
        return SampledFile(file.name, (), note=note)
    cells, count, whole = _cells(container, file, rows)
    if file.headed and (why := no_header(file.header, cells, known)):
        return SampledFile(file.name, (), note=f"{why}; {_with_header(file)}")
    spec = found.roles.get(file.name) if found else None
    columns, dropped = [], []
    seen: set[str] = set()
    again: list[str] = []
    for at, name in enumerate(file.header):
        if not normalise(name):
            continue  # without a name nothing can be said of it; the reader warns of such columns
        if normalise(name) in seen:
            again.append(str(at + 1))  # never the name: of a file that has no header after all, it is a patient's cell
            continue
        seen.add(normalise(name))
        values = tuple(row[at] for row in cells if at < len(row) and row[at].strip())
        secret = sum(map(is_secret_value, values)) > _SECRET_SHARE * len(values) if values else False
        if is_secret_name(name) or secret:
            dropped.append(name)
        else:
            columns.append(SampledColumn(name, values, count, whole))
    read = _read_columns(found.layout, spec) if found and spec else frozenset()
    unread = tuple(column.name for column in columns if normalise(column.name) not in read)
    role, stream = (spec.role, _row_stream(spec) if spec.records else "") if spec else ("", "")
    note = _headed_alike(again)
    return SampledFile(file.name, tuple(columns), role, stream, unread, tuple(dropped), note)


def _no_table(file: DataFile) -> str:
    if file.kind:
        return f"{file.kind}, whatever its name says; save it as CSV"
    if file.encoded.empty or not file.header:
        return "it is empty"
    if len(file.header) == 1:
        return "one column only; if the delimiter was misjudged, --set source.delimiter=CHARACTER helps"
    return ""


def _with_header(file: DataFile) -> str:
    plain = PurePosixPath(file.name).name
    return (
        "export it with column names, or say what they are with "
        f"""--set source.headerless='{{"{plain}": ["id", "..."]}}'"""
    )


def _headed_alike(places: Sequence[str]) -> str:
    """Return what is said of columns that have the name of one before them, by their places in the file."""
    if not places:
        return ""
    more = f" and {len(places) - _NAMED:,} more" if len(places) > _NAMED else ""
    return f"of columns headed alike only the first is read; left out, by place: {', '.join(places[:_NAMED])}{more}"


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


def targets() -> Sequence[Target]:
    """Return every field of every neutral stream, and those of the records made beside a patient's row."""
    return tuple([*_own(), *_beside()])


def _own() -> Iterator[Target]:
    names = lexicon_data()["fields"]
    for stream, schema in stream_schemas().items():
        if stream in _NO_TARGETS:
            continue
        required = schema.get("required", ())
        for field, given in schema["properties"].items():
            if field.startswith("original_") or "x-time-of" in given:  # the reader says these, and no column
                continue
            yield Target(
                stream,
                field,
                given if field != "ordinal" else {"type": ["string", "null"]},  # it is also written in words
                tuple(names.get(f"{stream}.{field}", ())),
                field in required,
                looks=_looks(field),
                codes=frozenset(meanings(stream, field)),
            )


def _looks(field: str) -> Any:
    return next((looks for looks, fields in lexicon_data()["looks"].items() if field in fields), "")


def _beside() -> Iterator[Target]:
    schemas = stream_schemas()
    for given in lexicon_data()["beside"]:
        for field, names in given["fields"].items():
            schema = schemas[given["stream"]]["properties"][field]
            looks = given.get("looks") or _looks(field)
            yield Target(
                given["stream"], field, schema, tuple(names), part=given["part"], beside=(given["of"],), looks=looks
            )


def check(path: Path) -> Sequence[str]:
    """Return what is wrong in a layout file, a line a problem; empty when it can be used."""
    try:
        layout = load_layouts(str(path))[0]
    except FlitError as exc:
        return str(exc).splitlines()
    if not any(file.records for file in layout.files):
        return (f"{path.name}: it reads no file, as no entry under `files` has `records`. Say what its columns are.",)
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
