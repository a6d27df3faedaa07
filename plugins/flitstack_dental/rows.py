"""Reads a file's rows with their physical line numbers, and comes back from broken quotes within a line."""

from __future__ import annotations

import csv
import io
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

from flitstack_dental.dialect import NO_QUOTE, Dialect
from flitstack_dental.encoding import ERRORS
from flitstack_dental.rowlike import RowSense

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

csv.field_size_limit(1 << 28)  # ours is LIMIT_CHARS below; the module's own default is shorter than real notes

LIMIT_LINES = 200_000
LIMIT_CHARS = 1 << 24
_FIRST_LOOK = 64  # lines after which a cell is suspected to be rows that a stray quote joined

_ODD = {0: None, 0x1A: None}
_INVISIBLE = {**_ODD, 0x200B: None, 0x2060: None, 0xFEFF: None}


class Row(NamedTuple):
    """One row: its cells as written, and the physical line on which it begins."""

    line: int
    cells: list[str]


@dataclass(frozen=True, slots=True)
class BadRow:
    """A line that is no row: what is wrong with it; what it holds is for a person who corrects it, and no message."""

    line: int
    code: str
    reason: str
    hint: str
    text: str = field(default="", repr=False)


@dataclass(slots=True)
class Tally:
    """What was mended on the way, for the findings."""

    repaired_quotes: int = 0
    stray_characters: int = 0
    invisible: int = 0
    control: int = 0


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


def split_line(line: str, dialect: Dialect) -> list[str]:
    """Return the cells of a row by itself, [] when its quotes are wrong."""
    try:
        rows = list(csv.reader(line.splitlines(keepends=True), strict=True, **_format(dialect)))
    except csv.Error:
        return []
    return rows[0] if len(rows) == 1 else []


class _Rows:
    def __init__(self, text: io.TextIOWrapper, dialect: Dialect, width: int | None, tally: Tally) -> None:
        self._text = text
        self._dialect = dialect
        self._sense = RowSense(dialect, width)
        self._tally = tally
        self._again: deque[str] = deque()
        self._pending: list[str] = []
        self._line = 0
        self._stop = ""
        self._past_header = False

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
        pending, sense = self._pending, self._sense
        reader = csv.reader(self._lines(), strict=True, **_format(self._dialect))
        try:
            for cells in reader:
                if len(pending) > 1 and sense.has_swallowed(pending, cells, self._peek):
                    self._stop = ""
                    return True
                start = self._line - len(pending) + 1
                pending.clear()
                if cells:
                    if self._past_header:
                        sense.learn(cells)
                    self._past_header = True
                    yield Row(start, cells)
        except csv.Error:
            return True
        return False

    def _lines(self) -> Iterator[str]:
        """Give physical lines to the csv module, keeping those of the row under way."""
        pending, again = self._pending, self._again
        size, look = 0, _FIRST_LOOK
        self._stop = ""
        while True:
            line = again.popleft() if again else self._physical_line(not pending)
            if not line:
                self._stop = "truncated_file"
                return
            self._line += 1
            if pending:
                size += len(line)
                long = len(pending) >= LIMIT_LINES or size > LIMIT_CHARS
                if long or (len(pending) >= look and self._is_table(pending[look // 2 :])):
                    self._stop = "row_too_long" if long else ""
                    again.appendleft(line)
                    self._line -= 1
                    return
                look = look * 2 if len(pending) >= look else look
            else:
                size, look = 0, _FIRST_LOOK
            pending.append(line)
            yield line

    def _physical_line(self, first: bool) -> str:
        """Return the file's next line without what belongs to no cell, "" at the end."""
        line = self._text.readline()
        if "\0" in line or "\x1a" in line:
            line = line.translate(_ODD)
            self._tally.control += 1
        if not line.isascii():
            before = len(line)
            line = line.translate(_INVISIBLE)
            self._tally.invisible += self._past_header and len(line) < before
        if self._dialect.stray and first:
            quote = self._dialect.quote
            if line[1:2] == quote and line[0] not in (quote, self._dialect.delimiter):
                line = line[1:]
                self._tally.stray_characters += 1
        return line

    def _peek(self) -> str:
        """Return the next line without taking it, "" at the end."""
        if not self._again and (line := self._physical_line(True)):
            self._again.append(line)
        return self._again[0] if self._again else ""

    def _is_table(self, lines: list[str]) -> bool:
        return sum(map(self._sense.is_row_with_id, lines)) * 2 >= len(lines)

    def _salvage(self) -> Iterator[Row | BadRow]:
        """Mend the first pending row if its quotes allow only one reading, else give up its first line alone.

        All lines are given up, each with its own item, when they end in an open cell and none of them is a row.
        """
        lines = list(self._pending)
        self._pending.clear()
        start = self._line - len(lines) + 1
        used, cells = self._sense.mend(lines)
        code = self._stop
        if cells is not None:
            self._tally.repaired_quotes += 1
        elif code and not self._holds_rows(lines[1:]):
            used = len(lines)
        else:
            used, code = 1, "broken_quotes"
        self._again.extendleft(reversed(lines[used:]))
        self._line = start + used - 1
        if cells is not None:
            yield Row(start, cells)
            return
        for line, text in enumerate(lines[:used], start):
            yield BadRow(line, code, *_WRONG[code], text=text)

    def _holds_rows(self, lines: list[str]) -> bool:
        sense = self._sense
        return any(map(sense.is_row_with_id, lines)) or sum(map(sense.is_row, lines)) * 2 > len(lines)


_WRONG = {
    "truncated_file": ("The file ends inside a quoted cell.", "Export or copy it again."),
    "row_too_long": (
        f"A quoted cell has more than {LIMIT_LINES} lines or {LIMIT_CHARS} characters.",
        "Mend the quotes of the first of these lines, or shorten the cell.",
    ),
    "broken_quotes": (
        "A quote is opened or closed in the wrong place, or the file ends inside a quoted cell.",
        "Mend the quotes of this line, or export the file again; if quotes are plain text in it, "
        "use --set source.quote=none.",
    ),
}


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
