"""Texts against the source's: cut short, stripped of zeros or of signs beyond ASCII."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

from flitstack.stages.sample.checks.found import EXAMPLES, FEWEST, Flag, Frame
from flitstack.stages.sample.observed import plain, texts_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from flitstack.stages.sample.observed import Observed, Row

BEGINNING = 20
MOSTLY = 0.6
SHORTEST = 3
MANY = 10
MARKUP = ("&", "<", ">")


def check_texts(observed: Sequence[Observed], field: str, frame: Frame) -> Iterator[Flag]:
    """Look at what became of the texts that a field is made of."""
    cut: list[tuple[str, int]] = []
    whole = 0
    ends = _Ends()
    zeros: list[str] = []
    lost: list[str] = []
    several = {each.key for each in observed if each.part}
    columns = set(frame.lineage.get(field, ()))
    for each in observed:
        held = plain(" ".join(texts_of(each.held.get(field))))
        if not held or each.key in several:
            continue
        for column, value in _sources(each, columns, frame):
            ends.see(each.key, column, value, held)
            if value in held:
                whole += len(value) > BEGINNING
                continue
            if len(value) > BEGINNING and value[:BEGINNING] in held:
                cut.append((each.key, len(held)))
            if _is_zeroed(value, held):
                zeros.append(each.key)
            elif not value.isascii() and any(form in held for form in _damaged(value)):
                lost.append(each.key)
    if clipped := ends.clipped():
        yield _flag("last_character", frame, field, "The last character is missing.", clipped, len(observed))
    elif len(cut) >= FEWEST or (cut and whole == 0):
        length = max(size for _, size in cut)
        text = f"Longer texts of the source are cut: what is left is {length:,} characters at the most."
        yield _flag("cut_short", frame, field, text, [key for key, _ in cut], whole + len(cut))
    if zeros:
        text = "Zeros at the beginning of a number of the source are gone."
        yield _flag("leading_zeros", frame, field, text, zeros, len(observed))
    if lost:
        text = "Letters and signs beyond plain ASCII were replaced or dropped."
        yield _flag("letters_lost", frame, field, text, lost, len(observed))


class _Ends:
    """Counts, column by column, how often a field ends with a value of it, and how often with all but its last sign.

    A short number ends many a text by chance; a map that drops the last sign does so wherever the column stands.
    """

    def __init__(self) -> None:
        self._of: dict[str, set[str]] = {}
        self._whole: dict[str, set[str]] = {}
        self._ended: dict[str, set[str]] = {}
        self._clipped: dict[str, dict[str, str]] = {}

    def see(self, key: str, column: str, value: str, held: str) -> None:
        """Take note of one value of a record, and of what its field holds."""
        self._of.setdefault(column, set()).add(key)
        if value in held:
            self._whole.setdefault(column, set()).add(key)
            if held.endswith(value):
                self._ended.setdefault(column, set()).add(key)
        elif (len(value) > SHORTEST or value.isalpha()) and _ends_with(held, value[:-1]):
            self._clipped.setdefault(column, {})[key] = value

    def clipped(self) -> list[str]:
        """Return the records of the column that is clipped in most; [] when none is."""
        found: list[str] = []
        for column, clipped in self._clipped.items():
            most = len(clipped) > len(self._of[column] - self._whole.get(column, set())) * MOSTLY
            ended = len(self._ended.get(column, ()))
            mostly = len(clipped) > (len(clipped) + ended) * MOSTLY
            if len(clipped) >= FEWEST and most and mostly and (len(set(clipped.values())) > 1 or len(clipped) > MANY):
                found = max(found, list(clipped), key=len)
        return found


def _ends_with(held: str, text: str) -> bool:
    """Tell whether a text ends with another, which begins where a word does."""
    at = len(held) - len(text)
    return held.endswith(text) and (at == 0 or not held[at - 1].isalnum())


def _sources(each: Observed, columns: set[str], frame: Frame) -> Iterator[tuple[str, str]]:
    """Yield (column, text) of what a field is made of: the record's row, what it gathers, what it refers to."""
    main = {(row.stream, row.id) for row in each.main}
    for row in (*each.own(), *_referred(each, columns, frame)):
        for name, value in row.data.items():
            if isinstance(value, str) and len(value) >= SHORTEST and not name.endswith(("_at", "_on", "_date")):
                if (row.stream, row.id) in main and columns and f"{row.stream}.{name}" not in columns:
                    continue
                text = plain(value) if not any(sign in value for sign in MARKUP) else " ".join(value.split())
                if len(text) >= SHORTEST:
                    yield f"{row.stream}.{name}", text


def _referred(each: Observed, columns: set[str], frame: Frame) -> Iterator[Row]:
    """Yield the rows to which the columns of a field refer."""
    named = {
        (target, row.data.get(name))
        for row in each.main
        for name, target in frame.references.get(row.stream, {}).items()
        if f"{row.stream}.{name}" in columns
    }
    yield from (row for row in each.beside if (row.stream, row.id) in named)


def _is_zeroed(value: str, held: str) -> bool:
    """Tell whether a number that begins with zeros stands there without them."""
    bare = value.lstrip("0")
    if not (value.isalnum() and value[0] == "0" and len(bare) >= SHORTEST and bare[0].isdigit()):
        return False
    at = held.find(bare)
    return at >= 0 and (at == 0 or not held[at - 1].isalnum())


def _damaged(value: str) -> Iterator[str]:
    """Yield what a text becomes where its signs cannot be held."""
    folded = unicodedata.normalize("NFKD", value).encode("ascii", "ignore").decode()
    forms = (folded, value.encode("ascii", "replace").decode(), value.encode("ascii", "ignore").decode())
    for form in (*forms, value.encode("utf-8").decode("latin-1")):
        if len(form.strip(" ?")) >= SHORTEST:
            yield " ".join(form.split())


def _flag(code: str, frame: Frame, field: str, text: str, keys: Sequence[str], of: int) -> Flag:
    return Flag(code, frame.entry, field, text, len(keys), of, tuple(dict.fromkeys(keys))[:EXAMPLES])
