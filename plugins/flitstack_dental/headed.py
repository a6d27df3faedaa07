"""Tells a header from a row of data, so that no message and no draft shows a patient's row in place of names."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from flitstack_dental.dialect import normalise

if TYPE_CHECKING:
    from collections.abc import Sequence
    from collections.abc import Set as AbstractSet

_VALUE = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+|\d{1,4}[-/.]\d{1,2}[-/.]\d{2,4}(?:[ T].*)?")
_NUMBERS = re.compile(r"[\d\s.,:/()$€£+-]*\d[\d\s.,:/()$€£+-]*")
_DIGITS = re.compile(r"\d+")
_LETTERS = re.compile(r"[^\W\d_]+")
_MOST_LINES = 6
_LONGEST = 300
_SHOWN = 60
_LOOK = 500
_ENOUGH = 2
_ALIKE = 0.8


def no_header(first: Sequence[str], rows: Sequence[Sequence[str]], known: AbstractSet[str]) -> str:
    """Return why a file's first line is no header of the rows that follow, in words that hold no cell; "" if it is one.

    :param known: normalised names of columns that layouts know: a line with several of these is a header.
    """
    if any(len(cell) > _LONGEST or len(cell.splitlines()) > _MOST_LINES for cell in first):
        return "its first line runs on into the rows, as if a quote were open"
    cells = [cell.strip() for cell in first if cell.strip()]
    numbers = sum(_NUMBERS.fullmatch(cell) is not None for cell in cells)
    if any(map(_VALUE.fullmatch, cells)) or 2 * numbers > len(cells):
        return "its first line seems to be data and not a header"
    body = [row for row in rows[:_LOOK] if [normalise(cell) for cell in row] != [normalise(cell) for cell in first]]
    longer = sum(_width(row) > len(first) for row in body)
    if body and 2 * longer > len(body):
        return "its rows have more cells than its first line, which is no header of them"
    if sum(normalise(cell) in known for cell in cells) >= min(_ENOUGH, len(cells)):
        return ""
    if sum(_is_value(first[at], [row[at] for row in body if at < len(row)]) for at in range(len(first))) >= _ENOUGH:
        return "its first line seems to be data and not a header"
    return ""


def shown_name(at: int, header: str) -> str:
    """Return how a message calls the column at a position: by its name, where that is one line and short."""
    plain = header.strip()
    if not plain:
        return f"column {at + 1} (without a name)"
    if len(plain) > _SHOWN or len(plain.splitlines()) > 1:
        return f"column {at + 1}"
    return plain


def _width(row: Sequence[str]) -> int:
    return max((at + 1 for at, cell in enumerate(row) if cell.strip()), default=0)


def _is_value(head: str, cells: Sequence[str]) -> bool:
    """Say whether what stands above a column stands in it, too, or has the digits and letters of its ids."""
    head = head.strip()
    filled = [cell.strip() for cell in cells if cell.strip()]
    if not head or not filled:
        return False
    if head in filled:
        return True
    alike = Counter(map(_shape, filled))[_shape(head)]
    return _DIGITS.search(head) is not None and alike >= _ALIKE * len(filled)


def _shape(text: str) -> str:
    """Return a text with `9` for each digit and `a` for letters, other characters as they are."""
    return _LETTERS.sub("a", re.sub(r"\d", "9", text))
