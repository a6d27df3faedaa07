"""Tells which physical lines are rows of their own, so that a broken quote cannot swallow them."""

from __future__ import annotations

import re
from collections import deque
from typing import TYPE_CHECKING

from flitstack_dental.dialect import NO_QUOTE, Dialect

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

_LEARNT = 64
_STALE = 256
_MANY_SHAPES = 12
_LONGEST_ID = 64
_MENDED_LINES = 50
_MENDED_CHARS = 100_000
_LETTERS = re.compile(r"[^\W\d_]+")
_DIGITS = re.compile(r"\d+")
_RUN = re.compile(r"[^\W_]+")


class RowSense:
    """What rows of one file look like: their number of cells, and what the ids of its last good rows had in common.

    :param width: cells of a row, None while that is unknown; then nothing is taken for a row.
    """

    def __init__(self, dialect: Dialect, width: int | None) -> None:
        self._dialect = dialect
        self._width = 0 if width is None or dialect.quote == NO_QUOTE else width
        self._last: deque[str] = deque(maxlen=_LEARNT)
        self._since = 0
        self._ids = _Ids(())
        mark, edge = re.escape(dialect.quote), re.escape(dialect.delimiter)
        close = rf"[ ]*(?:{edge}|\Z)"
        # A quote closes only before a delimiter or the row's end, so quotes inside a text are read as text.
        self._quoted = re.compile(rf"{mark}((?:[^{mark}]|{mark}(?!{close}))*){mark}[ ]*(?={edge}|\Z)", re.S)
        self._strict = re.compile(rf"{mark}((?:[^{mark}]|{mark}{mark})*){mark}(?={edge}|\Z)", re.S)
        self._plain = re.compile(rf"[^{edge}\r\n]*")

    def learn(self, cells: Sequence[str]) -> None:
        """Note a good row's id."""
        if len(cells) == self._width:
            self._last.append(cells[0])
            self._since += 1

    def is_row(self, line: str) -> bool:
        """Say whether the line has by itself as many cells as a row."""
        if not self._width or line.count(self._dialect.delimiter) < self._width - 1:
            return False
        return any(
            cells is not None and not is_open and len(cells) == self._width for cells, is_open in self._readings(line)
        )

    def is_row_with_id(self, line: str) -> bool:
        """Say whether the line is a row whose id looks like those before."""
        return self.is_row(line) and self._has_id(line)

    def starts_row(self, line: str) -> bool:
        """Say whether the line begins as those before did, and is a row or a row's first line up to an open quote."""
        if self._width < 2 or self._dialect.delimiter not in line or not self._has_id(line):
            return False
        return any(map(self._fills_row, self._readings(line)))

    def _fills_row(self, reading: tuple[list[str] | None, bool]) -> bool:
        cells, is_open = reading
        return cells is not None and (0 < len(cells) < self._width if is_open else len(cells) == self._width)

    def _readings(self, line: str) -> Iterator[tuple[list[str] | None, bool]]:
        text = line.rstrip("\r\n")
        yield self._split(text, self._strict)
        yield self._split(text, self._quoted)

    def has_swallowed(self, lines: Sequence[str], cells: Sequence[str], peek: Callable[[], str]) -> bool:
        """Say whether a row that was read from several lines holds rows of its own, which stray quotes joined to it.

        Its quoted text may well look like rows; what decides is a wrong number of cells or of quotes, that most of
        what lies between the first and the last line is rows, or that its closing quote would open a row's cell and
        no row follows.

        :param peek: gives the line after these.
        """
        if not self._ids.known and not self._last and cells and "\n" not in cells[0]:
            self._ids = _Ids(cells[:1])  # the first row has none before it
        starts = [self.starts_row(line) for line in lines[1:]]
        if not any(starts):
            return False
        if len(cells) != self._width or self._quotes(lines) % 2:
            return True
        if starts[-1] and self._ids.known and (after := peek()) and not self.starts_row(after):
            return True
        inside = sum(map(self.is_row_with_id, lines[1:-1]))
        return inside > 0 and inside * 2 >= len(lines) - 2

    def mend(self, lines: Sequence[str]) -> tuple[int, list[str] | None]:
        """Return how many of the lines make a row of the right width, and its cells; (0, None) when none do.

        The shortest reading wins, so that a broken row cannot swallow good ones.
        """
        text = ""
        for used, line in enumerate(lines[: _MENDED_LINES if self._width else 0], 1):
            if used > 1 and (self.starts_row(line) or len(text) > _MENDED_CHARS):
                break
            text += line
            cells, is_open = self._split(text.rstrip("\r\n"), self._quoted)
            if cells is not None and not is_open and len(cells) == self._width:
                return used, cells
        return 0, None

    def _quotes(self, lines: Sequence[str]) -> int:
        quote, escape = self._dialect.quote, self._dialect.escape
        return sum(line.count(quote) - (line.count(escape + quote) if escape else 0) for line in lines)

    def _has_id(self, line: str) -> bool:
        if self._since and self._since >= min(_STALE, self._ids.known):
            self._ids, self._since = _Ids(self._last), 0
        first = line.partition(self._dialect.delimiter)[0].strip()
        if first.startswith(self._dialect.quote):
            first = first.strip(self._dialect.quote)
        return self._ids.fits(first)

    def _split(self, text: str, quoted: re.Pattern[str]) -> tuple[list[str] | None, bool]:
        """Return the cells, and whether the last was left open and is not among them; None when it cannot be split."""
        cells: list[str] = []
        quote, at = self._dialect.quote, 0
        while True:
            if text.startswith(quote, at):
                found = quoted.match(text, at)
                if found is None:
                    return cells, True
                cells.append(found[1].replace(quote * 2, quote))
            else:
                found = self._plain.match(text, at)
                if found is None or quote in found[0]:
                    return None, False
                cells.append(found[0])
            at = found.end()
            if at >= len(text):
                return cells, False
            if text[at] != self._dialect.delimiter:
                return None, False
            at += 1


class _Ids:
    """What ids have in common; without any, an id is whatever is short and without a space."""

    def __init__(self, ids: Sequence[str] | deque[str]) -> None:
        texts = [text.strip() for text in ids if text.strip()]
        self.known = len(texts)
        shapes = {_shape(text) for text in texts}
        # Ids of many shapes, such as UUIDs, share only how their parts are joined.
        self._shape = _shape if len(shapes) <= min(_MANY_SHAPES, len(texts) // 2) else _joints
        self._shapes = {self._shape(text) for text in texts}
        self._digits = all(_DIGITS.search(text) for text in texts)
        self._longest = 2 * max(map(len, texts), default=_LONGEST_ID // 2)

    def fits(self, text: str) -> bool:
        if not text or len(text) > self._longest:
            return False
        if not self.known:
            return not any(map(str.isspace, text))
        return self._shape(text) in self._shapes and (not self._digits or _DIGITS.search(text) is not None)


def _shape(text: str) -> str:
    """Return a text with `9` for digits and `a` for letters, other characters as they are."""
    return _LETTERS.sub("a", _DIGITS.sub("9", text))


def _joints(text: str) -> str:
    return _RUN.sub("x", text)
