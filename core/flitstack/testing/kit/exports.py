"""Derives exports from an example one, so that a reader is tried with what its author did not think of."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from flitstack.errors import FlitError
from flitstack.protocols import Record, Rejection, Skip

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date, datetime

    from flitstack.protocols import Finding, InputFile, SourcePlugin, Stream

Row: TypeAlias = Record | Rejection | Skip
DELIMITERS = ",;\t|"
LONG_AGO = 1_234_567_890  # 2009
_LINE = re.compile(r"[^\n]*\n|[^\n]+")


@dataclass(frozen=True, slots=True)
class Reading:
    """What one reading of an export gave.

    :param rows: per stream, in reading order.
    :param refused: the message of the error by which the whole export was refused; "" when it was read.
    """

    streams: tuple[Stream, ...] = ()
    rows: Mapping[str, tuple[Row, ...]] | None = None
    as_of: datetime | date | None = None
    files: tuple[InputFile, ...] = ()
    findings: tuple[Finding, ...] = ()
    refused: str = ""

    def of(self, stream: str) -> tuple[Row, ...]:
        """Return the rows of a stream, () when it was not read."""
        return (self.rows or {}).get(stream, ())

    def records(self, stream: str) -> dict[str, Mapping[str, Any]]:
        """Return id to data of the records of a stream."""
        return {row.id: row.data for row in self.of(stream) if isinstance(row, Record)}


def read_export(plugin: SourcePlugin, path: str, settings: Mapping[str, Any], only: str = "") -> Reading:
    """Return what a new reader gives; what flit's own errors say is kept, anything else is raised.

    :param only: read this stream alone; the others stay away.
    """
    try:
        reader = plugin.open(path, settings)
    except FlitError as exc:
        return Reading(refused=str(exc) or type(exc).__name__)
    try:
        streams = tuple(reader.streams())
        wanted = [stream.name for stream in streams if only in ("", stream.name)]
        rows = {name: tuple(reader.read(name)) for name in wanted}
        return Reading(streams, rows, reader.as_of(), tuple(reader.inventory()), tuple(reader.findings()))
    except FlitError as exc:
        return Reading(refused=str(exc) or type(exc).__name__)
    finally:
        reader.close()


def copy_of(export: str, folder: Path, *, touched: bool = False) -> str:
    """Copy an export into a folder that does not exist yet, and return its path.

    :param touched: give its files another time, of some years ago.
    """
    root = Path(export)
    if root.is_dir():
        shutil.copytree(root, folder)
        copied = folder
    else:
        folder.mkdir(parents=True)
        copied = Path(shutil.copy2(root, folder))
    for path in [*folder.rglob("*"), folder] if touched else ():
        os.utime(path, (LONG_AGO, LONG_AGO))
    return str(copied)


@dataclass(frozen=True, slots=True)
class TextFile:
    """A file of text in an export, line by line, with the stream that is read from it.

    :param lines: with their line endings; the first is number 1.
    :param delimiter: between the cells, "" when it is no table.
    :param properties: of the stream's schema.
    :param plain: records that stand on one line which holds their id, by line.
    """

    root: Path
    path: Path
    name: str
    stream: str
    lines: tuple[str, ...]
    delimiter: str
    plain: Mapping[int, Record]
    properties: Mapping[str, Any]

    @property
    def is_json(self) -> bool:
        """Whether each record stands on its line as an object of JSON."""
        return all(_is_object(self.lines[number - 1]) for number in self.plain)

    def rows_at(self, reading: Reading, line: int) -> list[Row]:
        """Return what a reading gave for a line of this file, in whatever stream."""
        found = (row for rows in (reading.rows or {}).values() for row in rows if row.where is not None)
        return [row for row in found if row.where is not None and (row.where.file, row.where.line) == (self.name, line)]

    def text(self, changed: Mapping[int, str | None] | None = None) -> str:
        """Return the file's text with some lines replaced; None leaves a line out."""
        now = changed or {}
        kept = (now.get(number, line) for number, line in enumerate(self.lines, 1))
        return "".join(line for line in kept if line is not None)

    def put(self, folder: Path, content: str | bytes) -> str:
        """Copy the export into a folder that does not exist yet, this file with other content; return its path."""
        if self.root.is_dir():
            shutil.copytree(self.root, folder)
            place, export = folder / self.path.relative_to(self.root), folder
        else:
            folder.mkdir(parents=True)
            place = export = folder / self.path.name
        place.write_bytes(content.encode() if isinstance(content, str) else content)
        return str(export)


def _is_object(line: str) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except ValueError:
        return False


def text_file(export: str, reading: Reading, preferred: Sequence[str] = ()) -> TextFile | None:
    """Return the file of text to play with: of a preferred stream, else the one with the most records; None for none.

    A file counts when the inventory says that it is read, it is UTF-8 text, and records say on which of its lines they
    stand.
    """
    found = [each for file in reading.files if file.role is not None for each in _candidates(export, file, reading)]
    found.sort(key=lambda each: (each.stream in preferred, len(each.plain)), reverse=True)
    return found[0] if found else None


def _candidates(export: str, file: InputFile, reading: Reading) -> list[TextFile]:
    root = Path(export)
    path = root if root.is_file() else root / file.name
    if not path.is_file() or path.suffix == ".zip":
        return []
    try:
        text = path.read_bytes().decode("utf-8")
    except UnicodeDecodeError:
        return []
    if "\0" in text:
        return []
    lines = tuple(_LINE.findall(text))
    schemas = {stream.name: stream.schema.get("properties", {}) for stream in reading.streams}
    found = []
    for name, rows in (reading.rows or {}).items():
        plain = _plain(rows, file.name, lines)
        if len(plain) >= 3:
            found.append(TextFile(root, path, file.name, name, lines, _delimiter(lines, plain), plain, schemas[name]))
    return found


def _plain(rows: Sequence[Row], file: str, lines: Sequence[str]) -> dict[int, Record]:
    """Return the records that stand alone on one line of this file, which holds their id, by line."""
    starts = [row.where.line for row in rows if row.where is not None and row.where.file == file]
    if not starts or len(set(starts)) < len(starts) or max(starts) > len(lines):
        return {}  # several records of one line are none of which a line could be taken away
    times = Counter(row.id for row in rows)
    following = {line: after for line, after in zip(starts, [*starts[1:], len(lines) + 1], strict=True)}
    return {
        row.where.line: row
        for row in rows
        if isinstance(row, Record)
        and row.where.file == file
        and following[row.where.line] == row.where.line + 1
        and times[row.id] == 1
        and row.id in lines[row.where.line - 1]
        and lines[row.where.line - 1].count('"') % 2 == 0
    }


def _delimiter(lines: Sequence[str], plain: Mapping[int, Record]) -> str:
    """Return the delimiter that header and rows have equally often outside quotes, "" when none is."""
    bare = [lines[number - 1] for number in plain if '"' not in lines[number - 1]][:50]
    counts = {each: lines[0].count(each) for each in DELIMITERS}
    fitting = [each for each, times in counts.items() if times and all(line.count(each) == times for line in bare)]
    return max(fitting, key=lambda each: counts[each], default="") if bare else ""
