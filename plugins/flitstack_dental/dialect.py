"""Finds how a file writes its rows: delimiter, quote character, escape, line ending and where the header is."""

from __future__ import annotations

import csv
import re
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

DELIMITERS = (",", ";", "\t", "|", "^", ":")
QUOTES = ('"', "~", "'")
NO_QUOTE = "\0"
_SAMPLE_ROWS = 200
_MOST_TITLES = 20
_LEAST_WIDTH = 3
_SEP = re.compile(r'^\ufeff?"?sep=(\\t|.)"?[ \t]*(?:\r\n|\r|\n|$)', re.I)
_VALUE = re.compile(r"\s*[\d.,:/()$€£+\- ]*\d[\d.,:/()$€£+\- ]*(?:[AaPp][Mm])?\s*|\S+@\S+\.\S+")
_NAMES = {",": "comma", ";": "semicolon", "\t": "tab", "|": "pipe", "^": "caret", ":": "colon", " ": "space"}
_ENDINGS = {"\r\n": "CRLF", "\n": "LF", "\r": "CR"}


@dataclass(frozen=True, slots=True)
class Dialect:
    """How one file is written.

    :param quote: the quote character, `NO_QUOTE` when quoting is switched off.
    :param skip_lines: physical lines before the header (a `sep=` line, the titles of a report).
    :param stray: lines begin with one character before the first quote, which belongs to no cell.
    :param skip_space: a space stands between a delimiter and an opening quote.
    """

    delimiter: str
    quote: str = '"'
    escape: str | None = None
    ending: str = "\n"
    skip_lines: int = 0
    stray: bool = False
    skip_space: bool = False

    def described(self, encoding: str) -> str:
        """Return it in words, for people."""
        delimiter = _NAMES.get(self.delimiter, self.delimiter)
        quote = "no quotes" if self.quote == NO_QUOTE else f"quotes {self.quote}"
        return f"{encoding}, {delimiter}, {quote}, {_ENDINGS.get(self.ending, 'mixed line endings')}"


@lru_cache(maxsize=8192)  # each name is asked about for every file and every layout
def normalise(header: str) -> str:
    """Return a column's name without what people write differently: case, spaces, signs, accents stay."""
    return "".join(character for character in header.lower() if character.isalnum())


def find_dialect(sample: str, known: AbstractSet[str], delimiter: str = "", quote: str = "") -> Dialect:
    """Return the dialect that explains a file's beginning best.

    :param sample: the first characters of the file.
    :param known: normalised names of all columns that layouts know: a delimiter that splits the header
        into these is the right one.
    :param delimiter, quote: what the operator says; then it is not looked for.
    """
    skip = 0
    if found := _SEP.match(sample):
        delimiter = delimiter or found[1].replace("\\t", "\t")
        sample = sample[found.end() :]
        skip = 1
    present = [each for each in DELIMITERS if each in sample]
    candidates = [delimiter] if delimiter else present or [","]
    best = max(candidates, key=lambda each: _score(sample, each, quote or _find_quote(sample, each), known))
    chosen = quote or _find_quote(sample, best)
    titles = _title_lines(sample, best, chosen)
    sample, skip = "".join(_lines(sample)[titles:]), skip + titles
    return Dialect(
        delimiter=best,
        quote=chosen,
        escape=_find_escape(sample, best, chosen),
        ending=_find_ending(sample),
        skip_lines=skip,
        stray=_has_stray(sample, best, chosen),
        skip_space=sample.count(f"{best} {chosen}") > sample.count(f"{best}{chosen}"),
    )


def _find_quote(sample: str, delimiter: str) -> str:
    """Return the quote character that encloses whole cells most often; `"` when none does."""
    counts = {quote: _quoted_cells(sample, delimiter, quote) for quote in QUOTES if quote != delimiter}
    best = max(counts, key=lambda quote: counts[quote])
    return best if counts[best] else '"'


def _quoted_cells(sample: str, delimiter: str, quote: str) -> int:
    if quote not in sample:
        return 0
    edge, mark = re.escape(delimiter), re.escape(quote)
    # A cell in quotes: opened after a delimiter or at a line's start, closed before one or at its end.
    cell = re.compile(
        rf"(?:^|(?<={edge})|(?<=[\r\n]))[^{mark}{edge}\r\n]?{mark}(?:[^{mark}]|{mark}{mark})*{mark}(?={edge}|[\r\n]|$)"
    )
    return sum(1 for _ in cell.finditer(sample))


def _score(sample: str, delimiter: str, quote: str, known: AbstractSet[str]) -> tuple[int, float, int]:
    rows = _sample_rows(sample, delimiter, quote)
    if not rows:
        return (0, 0.0, 0)
    header = rows[_titles(rows)]
    hits = sum(normalise(cell) in known for cell in header) if len(header) > 1 else 0
    width = Counter(map(len, rows)).most_common(1)[0][0]
    same = sum(len(row) == width for row in rows) / len(rows)
    return (hits, same if width > 1 else 0.0, width)


def _title_lines(sample: str, delimiter: str, quote: str) -> int:
    """Return how many physical lines stand above the header: the titles of a report, and what is blank around them."""
    rows = _sample_rows(sample, delimiter, quote)
    if not (titles := _titles(rows)):
        return 0
    reader = _reader(sample, delimiter, quote)
    at, seen = 0, 0
    for row in reader:  # the same rows again, this time with the lines on which they end
        if row and seen == titles:
            break
        seen += bool(row)
        at = reader.line_num
    return at


def _titles(rows: list[list[str]]) -> int:
    """Return how many of the first rows are the titles of a report.

    They fill half of the columns at most; the first row below that fills more is the header if no cell of it is a
    number or a date, and if most rows below have as many cells.
    """
    widths = Counter(len(row) for row in rows if len(row) >= _LEAST_WIDTH)
    if not widths:
        return 0
    width = widths.most_common(1)[0][0]
    for at, row in enumerate(rows[: _MOST_TITLES + 1]):
        filled = [cell for cell in row if cell.strip()]
        if len(filled) * 2 > width:
            named = len(row) == width and len(filled) * 4 >= width * 3 and not any(map(_VALUE.fullmatch, filled))
            below = [len(each) == width for each in rows[at + 1 :]]
            return at if named and sum(below) * 2 > len(below) else 0
    return 0


def _reader(sample: str, delimiter: str, quote: str) -> Any:
    return csv.reader(
        _lines(sample),
        delimiter=delimiter,
        quotechar=None if quote == NO_QUOTE else quote,
        quoting=csv.QUOTE_NONE if quote == NO_QUOTE else csv.QUOTE_MINIMAL,
        skipinitialspace=False,
    )


def _sample_rows(sample: str, delimiter: str, quote: str) -> list[list[str]]:
    rows: list[list[str]] = []
    try:
        for row in _reader(sample, delimiter, quote):
            if row:
                rows.append(row)
            if len(rows) >= _SAMPLE_ROWS:
                break
    except csv.Error:
        pass  # the part that could be read is sample enough
    return rows[:-1] if len(rows) > 1 else rows


def _lines(text: str) -> list[str]:
    """Split at CR, LF and CRLF only, keeping them (str.splitlines also splits at form feeds and others)."""
    return re.findall(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+$", text)


def _find_escape(sample: str, delimiter: str, quote: str) -> str | None:
    """Return a backslash when quotes inside cells are written with one (database dumps)."""
    if quote == NO_QUOTE:
        return None
    mark, edge = re.escape(quote), re.escape(delimiter)
    inside = re.search(rf"[^\\{edge}\r\n]\\{mark}[^{mark}{edge}\r\n]", sample)
    doubled = re.search(rf"[^{edge}\r\n{mark}]{mark}{mark}[^{edge}\r\n{mark}]", sample)
    return "\\" if inside and not doubled else None


def _find_ending(sample: str) -> str:
    counts = Counter(re.findall(r"\r\n|\r|\n", sample))
    return counts.most_common(1)[0][0] if counts else "\n"


def _has_stray(sample: str, delimiter: str, quote: str) -> bool:
    """Say whether lines after the header begin with one odd character before an opening quote."""
    if quote == NO_QUOTE:
        return False
    lines = _lines(sample)[1:_SAMPLE_ROWS]
    stray = sum(line[1:2] == quote and line[:1] not in (quote, delimiter) for line in lines)
    return stray > 0 and stray >= sum(line[:1] == quote for line in lines)
