"""Reads a file's rows with their physical line numbers, and comes back from broken quotes within a line."""

from __future__ import annotations

import csv
import io
import re
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO

from flitstack_dental.dialect import NO_QUOTE, Dialect
from flitstack_dental.encoding import ERRORS

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

csv.field_size_limit(1 << 28)  # ours is LIMIT_CHARS below; the module's own default is shorter than real notes

LIMIT_LINES = 2_000
LIMIT_CHARS = 1 << 20

_ODD = {0: None, 0x1A: None}
_INVISIBLE = {**_ODD, 0x200B: None, 0x2060: None, 0xFEFF: None}


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its cells as written, and the physical line on which it begins."""

    line: int
    cells: list[str]


@dataclass(frozen=True, slots=True)
class BadRow:
    """Lines that are no row: what is wrong with them, never what they hold."""

    line: int
    code: str
    reason: str
    hint: str


@dataclass(slots=True)
class Tally:
    """What was mended on the way, for the findings."""

    repaired_quotes: int = 0
    stray_characters: int = 0


def read_rows(
    stream: BinaryIO, encoding: str, dialect: Dialect, width: int | None, tally: Tally
) -> Iterator[Row | BadRow]:
    """Yield the file's rows, the header's included; empty lines are no rows.

    :param width: cells a row must have, None while that is unknown; used to tell a repaired row from a broken one.
    """
    text = io.TextIOWrapper(stream, encoding=encoding, errors=ERRORS, newline="")
    try:
        yield from _Rows(text, dialect, width, tally).read()
    finally:
        text.close()


class _Rows:
    def __init__(self, text: io.TextIOWrapper, dialect: Dialect, width: int | None, tally: Tally) -> None:
        self._text = text
        self._dialect = dialect
        self._width = width
        self._tally = tally
        self._again: deque[str] = deque()
        self._pending: list[str] = []
        self._line = 0
        self._at_end = False

    def read(self) -> Iterator[Row | BadRow]:
        for _ in range(self._dialect.skip_lines):
            self._text.readline()
            self._line += 1
        while True:
            again = yield from self._read_until_broken()
            if not again:
                return
            yield from self._salvage()

    def _read_until_broken(self) -> Generator[Row, None, bool]:
        """Yield good rows; return True when lines wait in `_pending` that are no good row, False at the end."""
        pending = self._pending
        reader = csv.reader(self._lines(), strict=True, **_format(self._dialect))
        width = self._width
        while True:
            try:
                for cells in reader:
                    if len(pending) > 1 and _swallowed(pending, width, self._dialect):
                        return True
                    start = self._line - len(pending) + 1
                    pending.clear()
                    if cells:
                        yield Row(start, cells)
                return False
            except csv.Error:
                return True

    def _lines(self) -> Iterator[str]:
        """Give physical lines to the csv module, keeping those of the row under way."""
        pending, again, stray = self._pending, self._again, self._dialect.stray
        quote, delimiter = self._dialect.quote, self._dialect.delimiter
        size = 0
        while True:
            if again:
                line = again.popleft()
            else:
                line = self._text.readline()
                if not line:
                    self._at_end = True
                    return
                if not line.isascii():
                    line = line.translate(_INVISIBLE)
                elif "\0" in line or "\x1a" in line:
                    line = line.translate(_ODD)
                if stray and not pending and line[1:2] == quote and line[0] not in (quote, delimiter):
                    line = line[1:]
                    self._tally.stray_characters += 1
            self._line += 1
            if pending:
                size += len(line)
                if len(pending) >= LIMIT_LINES or size > LIMIT_CHARS:
                    again.appendleft(line)
                    self._line -= 1
                    return
            else:
                size = 0
            pending.append(line)
            yield line

    def _salvage(self) -> Iterator[Row | BadRow]:
        """Mend the first pending row if its quotes allow only one reading, else give up its first line alone."""
        lines = list(self._pending)
        self._pending.clear()
        start = self._line - len(lines) + 1
        used, cells = _mend(lines, self._dialect, self._width)
        if cells is not None:
            self._tally.repaired_quotes += 1
        elif self._at_end and not _rows_among(lines[1:], lines[0], self._width, self._dialect):
            yield BadRow(start, "truncated_file", "The file ends inside a quoted cell.", "Export or copy it again.")
            return
        else:
            used = 1
        self._again.extendleft(reversed(lines[used:]))
        self._line = start + used - 1
        if cells is not None:
            yield Row(start, cells)
        else:
            yield BadRow(
                start,
                "broken_quotes",
                "A quote is opened or closed in the wrong place, or the file ends inside a quoted cell.",
                "Mend the quotes of this line, or export the file again; if quotes are plain text in it, "
                "use --set source.quote=none.",
            )


def _format(dialect: Dialect) -> dict[str, Any]:
    if dialect.quote == NO_QUOTE:
        return {"delimiter": dialect.delimiter, "quoting": csv.QUOTE_NONE, "quotechar": None}
    return {
        "delimiter": dialect.delimiter,
        "quotechar": dialect.quote,
        "escapechar": dialect.escape,
        "doublequote": True,
        "skipinitialspace": dialect.skip_space,
    }


def _mend(lines: list[str], dialect: Dialect, width: int | None) -> tuple[int, list[str] | None]:
    """Return how many of the lines make a row of `width` cells, and its cells; (0, None) when none do.

    A quote counts as closing only before a delimiter or the row's end, so quotes inside a text are read as text.
    The shortest reading wins, so that a broken row cannot swallow good ones.
    """
    if width is None or dialect.quote == NO_QUOTE:
        return 0, None
    quoted, plain = _cell_patterns(dialect)
    text = ""
    for used, line in enumerate(lines[:50], 1):
        text += line
        cells = _split(text.rstrip("\r\n"), dialect, quoted, plain)
        if cells is not None and len(cells) == width and not _rows_among(lines[1:used], lines[0], width, dialect):
            return used, cells
    return 0, None


def _cell_patterns(dialect: Dialect) -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Return what a quoted cell and a plain one look like where only a quote before a delimiter closes."""
    mark, edge = re.escape(dialect.quote), re.escape(dialect.delimiter)
    close = rf"[ ]*(?:{edge}|\Z)"
    quoted = re.compile(rf"{mark}((?:[^{mark}]|{mark}(?!{close}))*){mark}[ ]*(?={edge}|\Z)", re.S)
    return quoted, re.compile(rf"[^{edge}\r\n]*")


def _swallowed(lines: list[str], width: int | None, dialect: Dialect) -> bool:
    """Say whether what lies inside one quoted cell are rows of their own, which two stray quotes joined.

    Its first and last line hold the quotes and prove nothing.
    """
    inside = _rows_among(lines[1:-1], lines[0], width, dialect)
    return inside > 0 and inside * 2 >= len(lines) - 2


def _rows_among(lines: list[str], first: str, width: int | None, dialect: Dialect) -> int:
    """Count the lines that by themselves are whole rows, and begin with an id like that of `first`."""
    if not lines or width is None or width < 2:
        return 0
    quoted, plain = _cell_patterns(dialect)
    edge = dialect.delimiter
    shape = _shape(first.partition(edge)[0])
    count = 0
    for line in lines:
        if line.count(edge) >= width - 1 and _shape(line.partition(edge)[0]) == shape:
            cells = _split(line.rstrip("\r\n"), dialect, quoted, plain)
            count += cells is not None and len(cells) == width
    return count


def _shape(text: str) -> str:
    """Return a cell's shape: `9` for digits, `a` for letters, other characters as they are."""
    return re.sub(r"[^\W\d_]+", "a", re.sub(r"\d+", "9", text.strip()))


def _split(text: str, dialect: Dialect, quoted: re.Pattern[str], plain: re.Pattern[str]) -> list[str] | None:
    cells: list[str] = []
    at = 0
    while True:
        if text.startswith(dialect.quote, at):
            found = quoted.match(text, at)
            if found is None:
                return None
            cells.append(found[1].replace(dialect.quote * 2, dialect.quote))
        else:
            found = plain.match(text, at)
            if found is None or dialect.quote in found[0]:
                return None
            cells.append(found[0])
        at = found.end()
        if at >= len(text):
            return cells
        if text[at] != dialect.delimiter:
            return None
        at += 1
