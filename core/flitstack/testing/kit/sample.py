"""The example of a source that its suite plays with: read once, changed in single rows, and compared."""

from __future__ import annotations

import atexit
import gc
import hashlib
import json
import re
import tempfile
import tracemalloc
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator

from flitstack.errors import FlitError, UsageError
from flitstack.protocols import Record, SourcePlugin
from flitstack.testing.kit.exports import Reading, TextFile, read_export, text_file
from flitstack.testing.kit.offers import named, with_defaults

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from flitstack.testing.kit.exports import Row

X_TYPES = frozenset({"date", "datetime", "local-datetime", "time", "decimal", "text"})
JUNK = {
    "empty folder": None,
    "empty file": b"",
    "noise": bytes(range(256)) * 4,
    "other text": b"neither here\nnor there\n",
}


@dataclass(frozen=True, slots=True)
class Sample:
    """An example export and what a first reading of it gave."""

    plugin: SourcePlugin
    path: str
    settings: Mapping[str, Any]
    reading: Reading
    text: TextFile | None

    def read(self, path: str, stream: str = "") -> Reading:
        """Return what a new reader gives of another export."""
        return read_export(self.plugin, path, self.settings, stream)


def sample_of(suite: Any) -> Sample:
    """Return the example of a `SourceSuite`, made and read once."""
    return _sample(suite)


@cache
def _sample(suite: Any) -> Sample:
    kept = tempfile.TemporaryDirectory(prefix="flit-kit-")
    atexit.register(kept.cleanup)
    plugin = named(suite.plugin, SourcePlugin, suite.source)
    path = suite().example(Path(kept.name))
    settings = with_defaults(plugin.settings_schema, suite.settings)
    reading = read_export(plugin, path, settings)
    if reading.refused:
        pytest.fail(f"the example cannot be read: {reading.refused}")
    return Sample(plugin, path, settings, reading, text_file(path, reading, plugin.required_streams))


def check_hash(root: Path, name: str, sha256: str) -> None:
    path = root / name if root.is_dir() else root
    if path.is_file() and path.suffix != ".zip":
        assert hashlib.sha256(path.read_bytes()).hexdigest() == sha256, f"{name}: the inventory has another hash"


def check_refused(sample: Sample, path: str, what: str) -> None:
    try:
        reader = sample.plugin.open(path, sample.settings)
        try:
            reader.streams()
            held = [row for stream in reader.streams() for row in reader.read(stream.name) if isinstance(row, Record)]
        finally:
            reader.close()
    except UsageError as exc:
        if Path(path).name not in str(exc):
            pytest.fail(f"{what}: the message does not name the path.")
        return
    except FlitError as exc:
        pytest.fail(f"{what}: refused with {type(exc).__name__}; what is no export is a NotAnExportError.")
    except Exception as exc:  # noqa: BLE001 - whatever a reader may raise
        pytest.fail(f"{what}: {type(exc).__name__} instead of a NotAnExportError.")
    assert not held, f"{what}: {len(held)} records were read of what is no export"
    pytest.fail(f"{what}: taken for an export without a word; raise NotAnExportError.")


def check_records(stream: str, schema: Mapping[str, Any], rows: tuple[Row, ...]) -> None:
    validator = Draft202012Validator(dict(schema))
    properties = schema.get("properties", {})
    for row in (each for each in rows if isinstance(each, Record)):
        for error in validator.iter_errors(dict(row.data)):
            place = ".".join(map(str, error.absolute_path)) or "the record"
            pytest.fail(f"{stream}, {place}: not as the schema says ({error.validator}).")
        if not schema.get("additionalProperties"):
            unknown = sorted(set(row.data) - set(properties))
            assert not unknown, f"{stream}: the schema does not know {', '.join(unknown)}"
        for name, value in row.data.items():
            if isinstance(value, str) and not _is_typed(value, properties.get(name, {}).get("x-type")):
                pytest.fail(f"{stream}.{name}: not a {properties[name]['x-type']} in ISO form.")


def _is_typed(value: str, kind: str | None) -> bool:
    try:
        match kind:
            case "date":
                date.fromisoformat(value)
            case "datetime":
                return datetime.fromisoformat(value).tzinfo is not None
            case "local-datetime":
                return datetime.fromisoformat(value).tzinfo is None
            case "decimal":
                return re.fullmatch(r"-?\d+(\.\d+)?", value) is not None
    except ValueError:
        return False
    return True


def check_others(sample: Sample, after: Reading, stream: str, apart: set[str]) -> None:
    """Fail unless every record but these is as it was."""
    before, now = sample.reading.records(stream), after.records(stream)
    lost = [each for each in before if each not in now and each not in apart]
    changed = [each for each in before if each in now and each not in apart and now[each] != before[each]]
    assert not lost, f"{len(lost)} rows that nobody touched are gone"
    assert not changed, f"{len(changed)} rows that nobody touched are read otherwise"


def newly_found(after: Reading, before: Reading) -> list[str]:
    """Return what was noticed that the example as it is does not make a reader notice."""
    known = {(finding.code, finding.message, finding.count) for finding in before.findings}
    return [f.code for f in after.findings if (f.code, f.message, f.count) not in known]


def types_of(schema: Mapping[str, Any]) -> set[str]:
    stated = schema.get("type", ())
    return {stated} if isinstance(stated, str) else set(stated)


def cell(
    file: TextFile, line: int, record: Record, fits: Callable[[Mapping[str, Any]], bool]
) -> tuple[str, str] | None:
    """Return field and text of a cell that is read as it stands, whose schema fits; never the id's."""
    schemas = file.properties
    cells = _cells(file, line)
    for name, value in record.data.items():
        if isinstance(value, str) and value and value != record.id and cells.count(value) == 1:
            if fits(schemas.get(name, {})) and '"' not in value:
                return name, value
    return None


def _cells(file: TextFile, line: int) -> list[str]:
    """Return the texts of a line: between its delimiters, or of an object of JSON its own values."""
    if file.is_json:
        return [value for value in json.loads(file.lines[line - 1]).values() if isinstance(value, str)]
    return file.lines[line - 1].rstrip("\r\n").split(file.delimiter)


def replace_cell(file: TextFile, line: int, text: str, other: str) -> str:
    if file.is_json:
        return file.lines[line - 1].replace(json.dumps(text), json.dumps(other), 1)
    cells = _cells(file, line)
    cells[cells.index(text)] = other
    return file.delimiter.join(cells) + "\n"


def dated(file: TextFile) -> tuple[int, str, str] | None:
    if not file.delimiter and not file.is_json:
        return None
    for line, record in file.plain.items():
        place = cell(file, line, record, lambda schema: schema.get("x-type") == "date")
        if place is not None:
            return line, *place
    return None


def renamed_columns(file: TextFile) -> Iterator[tuple[str, str]]:
    """Yield each column's name with the file's text in which it has another; of JSON lines, each key's."""
    if file.is_json:
        for number, name in enumerate(json.loads(file.lines[min(file.plain) - 1])):
            key = re.compile(rf'"{re.escape(name)}"(\s*):')
            lines = {line: key.sub(rf'"zq{number}_renamed"\1:', file.lines[line - 1], count=1) for line in file.plain}
            yield name, file.text(lines)
        return
    header = file.lines[0].rstrip("\r\n").split(file.delimiter)
    for number, name in enumerate(header):
        renamed = [*header[:number], f"zq{number}_renamed", *header[number + 1 :]]
        yield name.strip(), file.text({1: file.delimiter.join(renamed) + "\n"})


def cut_short(file: TextFile) -> list[str]:
    """Return the file's text with its last row cut off in the middle, at several places."""
    last = file.lines[-1]
    if file.is_json:
        ends = {len(last) // 3, len(last) // 2, len(last.rstrip()) - 1}
    else:
        found = [number for number, letter in enumerate(last) if letter == file.delimiter and number]
        ends = set(found[:1]) if '"' in last else {found[0], found[len(found) // 2], found[-1]}
    return [file.text({len(file.lines): last[:end]}) for end in sorted(ends)]


def ended(line: str) -> str:
    return line.rstrip("\r\n") + "\n"


def other_id(file: TextFile, record_id: str) -> str:
    """Return an id that no record has, as long as the one given and of the same make."""
    taken = {record.id for record in file.plain.values()}
    for number in range(1, 10_000):
        digits = str(number)
        other = record_id[: -len(digits)] + digits if len(record_id) > len(digits) else digits
        if other not in taken and not any(other in line for line in file.lines):
            return other
    return record_id + "9"


def multiplied(file: TextFile, size: int) -> str:
    """Return the file with its rows repeated until it has so many bytes, each under an id of its own."""
    first = min(file.plain)
    head = "".join(file.lines[: first - 1])
    parts, length, round_ = [head], len(head), 0
    while length < size:
        round_ += 1
        for line, record in file.plain.items():
            text = ended(file.lines[line - 1].replace(record.id, f"{record.id}{round_:06}"))
            parts.append(text)
            length += len(text)
    return "".join(parts)


def least_peak(sample: Sample, path: str, streams: Sequence[str], tries: int, enough: float = 0.0) -> int:
    """Return the most memory, in bytes, that reading took at any moment: the least of some tries.

    What other threads allocate meanwhile is counted too, and only ever adds; so the least is the nearest.

    :param enough: no further try once a peak is below this.
    """
    least = peak(sample, path, streams)
    for _ in range(tries - 1):
        if least < enough:
            break
        least = min(least, peak(sample, path, streams))
    return least


def peak(sample: Sample, path: str, streams: Sequence[str]) -> int:
    """Return the most memory, in bytes, that reading the streams took at any moment, once.

    What was there before is set aside: the collector comes as often as in a process of the reader's own.
    """
    gc.collect()
    gc.freeze()
    ours = not tracemalloc.is_tracing()
    if ours:
        tracemalloc.start()
    try:
        tracemalloc.reset_peak()
        before = tracemalloc.get_traced_memory()[0]
        reader = sample.plugin.open(path, sample.settings)
        reader.streams()
        for stream in streams:
            for _ in reader.read(stream):
                pass
        reader.close()
        return tracemalloc.get_traced_memory()[1] - before
    finally:
        if ours:
            tracemalloc.stop()
        gc.unfreeze()


def bytes_of(path: str) -> int:
    """Return how many bytes an export has."""
    root = Path(path)
    files = [root] if root.is_file() else [each for each in root.rglob("*") if each.is_file()]
    return sum(each.stat().st_size for each in files)
