"""Text for people: escaped for HTML, cut to a length, and split where a reader would split it."""

from __future__ import annotations

import re
from bisect import bisect_right
from itertools import accumulate

_COST = {"&": 5, "<": 4, ">": 4, "\n": 4, "\r": 4}
_ATOM = re.compile(
    r"\r\n|&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});|<[^<>\r\n]{1,60}>|.", re.DOTALL
)
_BREAKS = (re.compile(r"(?:\r\n|\r|\n)\s*(?:\r\n|\r|\n)"), re.compile(r"\r\n|\r|\n"), re.compile(r"[ \t]+"))
SMALLEST_LIMIT = 16
_LONGEST_ATOM = 64


def html_text(value: str | None) -> str | None:
    """Return plain text as HTML that shows the same: `&`, `<`, `>` escaped, line breaks as `<br>`."""
    if value is None:
        return None
    escaped = value.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return escaped.replace("\r\n", "\n").replace("\r", "\n").replace("\n", "<br>")


def truncate_text(value: str | None, length: int) -> str | None:
    """Return at most `length` characters: text that is longer is cut, at a space where one is near, and ends in `…`."""
    if value is None or len(value) <= length:
        return value
    if length < 1:
        return ""
    kept = value[: length - 1]
    space = kept.rfind(" ")
    if space >= length // 2:
        kept = kept[:space]
    return kept.rstrip() + "…"


def split_text(value: str | None, limit: int) -> list[str]:
    """Return the text in pieces, joined again without loss, each at most `limit` bytes (UTF-8) after `html_text`.

    It is split after a paragraph, else a line, else a space, where that leaves the piece at least half full; never
    inside an entity (`&amp;`), a tag or a CR LF pair. Missing or empty text has no pieces.

    :raises ValueError: the limit is below `SMALLEST_LIMIT`.
    """
    if limit < SMALLEST_LIMIT:
        raise ValueError("limit too small")
    if not value:
        return []
    if len(value) * 5 <= limit or _cost(value) <= limit:
        return [value]
    pieces: list[str] = []
    start = 0
    while start < len(value):
        window = value[start : start + limit + _LONGEST_ATOM]  # no piece has more characters than bytes
        ends, costs = _measure(window, limit)
        last = bisect_right(costs, limit)
        end = ends[last - 1]
        if last < len(ends):
            end = _good_end(window, 0, end, ends)
        pieces.append(window[:end])
        start += end
    return pieces


def _cost(piece: str) -> int:
    """Return the bytes of UTF-8 that `html_text` makes of the piece, or a few more."""
    extra = sum(piece.count(character) * (cost - 1) for character, cost in _COST.items())
    return len(piece if piece.isascii() else piece.encode("utf-8", "surrogatepass")) + extra


def _measure(value: str, limit: int) -> tuple[list[int], list[int]]:
    """Return where each unsplittable piece ends, and what everything up to there costs."""
    atoms: list[str] = _ATOM.findall(value)
    costs = {atom: _cost(atom) for atom in set(atoms)}  # few differ: most are single characters
    if max(costs.values()) > limit:
        atoms = [part for atom in atoms for part in (atom if costs[atom] > limit else (atom,))]
        costs = {atom: _cost(atom) for atom in set(atoms)}
    return list(accumulate(map(len, atoms))), list(accumulate(costs[atom] for atom in atoms))


def _good_end(value: str, start: int, end: int, ends: list[int]) -> int:
    """Return the best place to end a piece that may reach from `start` to `end`."""
    half = start + (end - start) // 2
    for pattern in _BREAKS:
        found = 0
        for match in pattern.finditer(value, half, end):
            found = match.end()
        # A break may lie inside a tag, which must stay whole.
        if found > half and ends[bisect_right(ends, found) - 1] == found:
            return found
    return end
