"""Looks at a column's cells: what kind of thing they are, and whether a target could hold them."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flitstack.protocols import SampledColumn, Target

_LOOKED_AT = 400
_LONGEST = 300
"""A longer cell is a text, whatever it holds: patterns are not tried on it, as some take time by its length squared."""
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_DATE = re.compile(
    r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}|\d{1,2}[- ][A-Za-z]{3,9}[- ,]+\d{2,4}"
)
_DATETIME = re.compile(rf"(?:{_DATE.pattern})[T ]+\d{{1,2}}:\d{{2}}\S*(?:\s*[AaPp][Mm])?")
_TIME = re.compile(r"\d{1,2}:\d{2}(?::\d{2})?\s*(?:[AaPp]\.?[Mm]?\.?)?")
_NUMBER = re.compile(r"[-+(]?[$€£]?\s?\d{1,3}(?:[ ,.']?\d{3})*(?:[.,]\d+)?\)?|[-+]?\d+(?:[.,]\d+)?")
_WHOLE = re.compile(r"[-+]?\d+")
_PHONE = re.compile(r"\+?[\d(][\d\s().\-/]{5,20}\d(?:\s*(?:x|ext\.?)\s*\d+)?")
_SENTENCE = re.compile(r".*[^\W\d_].*[\s,].*|.*[\s,].*[^\W\d_].*", re.DOTALL)
_POSTAL_CODE = re.compile(r"(?=.*\d)[A-Za-z0-9][A-Za-z0-9 -]{2,9}")
_FLAGS = frozenset("y n yes no true false t f 0 1 ja nein on off".split())
_NUMBERED = frozenset({"id", "number", "code", "key", "postal", "quantity", "tooth"})
_EMPTY_DATES = frozenset({"0001-01-01", "0001-01-01 00:00:00", "1753-01-01"})


@dataclass(frozen=True, slots=True)
class Profile:
    """What a column's cells are like; shares of those that hold something.

    :param distinct: share of cells that are unlike all before them; `kinds` how many different ones there are.
    :param sentence: letters with a blank or a comma among them, as names and texts have; `postal` may be postal codes.
    :param length: mean, in characters.
    """

    seen: int
    date: float = 0.0
    datetime: float = 0.0
    time: float = 0.0
    number: float = 0.0
    whole: float = 0.0
    email: float = 0.0
    phone: float = 0.0
    flag: float = 0.0
    distinct: float = 0.0
    kinds: int = 0
    sentence: float = 0.0
    postal: float = 0.0
    length: float = 0.0
    words: frozenset[str] = frozenset()


def profile(column: SampledColumn) -> Profile:
    """Return the column's profile, from its first cells."""
    cells = [cell.strip() for cell in column.values[:_LOOKED_AT]]
    cells = [cell for cell in cells if cell and cell not in _EMPTY_DATES]
    if not cells:
        return Profile(0)

    short = [cell for cell in cells if len(cell) <= _LONGEST]

    def share(pattern: re.Pattern[str]) -> float:
        return sum(pattern.fullmatch(cell) is not None for cell in short) / len(cells)

    different = Counter(cell.lower() for cell in cells)
    datetime_ = share(_DATETIME)
    return Profile(
        seen=len(cells),
        date=share(_DATE) + datetime_,
        datetime=datetime_,
        time=share(_TIME),
        number=share(_NUMBER),
        whole=share(_WHOLE),
        email=share(_EMAIL),
        phone=sum(_PHONE.fullmatch(cell) is not None and sum(map(str.isdigit, cell)) >= 7 for cell in short)
        / len(cells),
        flag=sum(cell.lower() in _FLAGS for cell in cells) / len(cells),
        distinct=len(different) / len(cells),
        kinds=len(different),
        sentence=share(_SENTENCE) + (len(cells) - len(short)) / len(cells),
        postal=share(_POSTAL_CODE),
        length=sum(map(len, cells)) / len(cells),
        words=frozenset(different) if len(different) <= 60 else frozenset(),
    )


def fit(found: Profile, target: Target) -> tuple[float, str]:
    """Return how cells and target go together, -1 (they cannot) to 1 (they surely do), and why in words."""
    if not found.seen:
        return 0.0, ""
    schema = target.schema
    kind = str(schema.get("x-type", ""))
    if target.looks == "email":
        return (
            (1.0, "the cells are e-mail addresses") if found.email > 0.8 else (-1.0, "few cells are e-mail addresses")
        )
    if target.looks == "phone":
        return (
            (0.8, "the cells are telephone numbers") if found.phone > 0.6 else (-0.8, "few cells are telephone numbers")
        )
    if found.email > 0.8:
        return -0.8, "the cells are e-mail addresses"
    if kind in ("date", "datetime", "local-datetime") or schema.get("format") in ("date", "date-time"):
        return _dates(found, kind)
    if found.date > 0.9:
        return -0.9, "the cells are dates"
    if options := _options(target):
        return _choices(found, options)
    types = _types(schema.get("type"))
    if kind == "decimal" or "number" in types or "integer" in types:
        return (0.3, "the cells are numbers") if found.number > 0.9 else (-0.9, "the cells are not numbers")
    if "boolean" in types:
        return (0.5, "the cells are yes or no") if found.flag > 0.9 else (-0.9, "the cells are not yes or no")
    return _texts(found, target)


def _types(given: object) -> tuple[str, ...]:
    return (given,) if isinstance(given, str) else tuple(given) if isinstance(given, list | tuple) else ()


def _dates(found: Profile, kind: str) -> tuple[float, str]:
    if found.date < 0.6:
        return -1.0, "few cells are dates"
    timed = found.datetime > 0.5
    if timed and kind == "date":
        return 0.3, "the cells are dates with times"
    return (0.6, "the cells are dates with times") if timed else (0.5, "the cells are dates")


def _options(target: Target) -> frozenset[str]:
    words = {str(word).lower().replace("_", " ") for word in target.schema.get("enum", ()) if word is not None}
    return frozenset(words | target.codes)


def _choices(found: Profile, options: frozenset[str]) -> tuple[float, str]:
    if found.kinds > max(40, len(options) * 4) and found.distinct > 0.3:
        return -0.8, "too many different cells for a choice"
    if not found.words:
        return -0.5, "too many different cells for a choice"
    share = len(found.words & options) / len(found.words)
    if share >= 0.5:
        return 0.8, "most of its codes are known meanings"
    return (0.1, "few different codes") if found.kinds <= 20 else (-0.2, "its codes are not known")


def _texts(found: Profile, target: Target) -> tuple[float, str]:
    if target.field == "id" and not target.part:
        if found.distinct < 0.9:
            return -0.7, "cells repeat, so it is no id"
        if found.sentence > 0.5 or found.email > 0.5:
            return -0.9, "the cells are names or texts, so it is no id"
        if found.distinct < 1.0:
            return 0.1, "nearly every cell is different"  # a row that stands there twice is a defect, and no proof
        return (0.4, "every cell is different") if found.seen > 5 else (0.1, "")
    if target.looks == "postal_code":
        return (0.2, "the cells may be postal codes") if found.postal > 0.9 else (-0.6, "the cells are no postal codes")
    if target.looks in ("name", "place") and found.number > 0.8:
        return -0.8, "the cells are numbers"
    if target.looks == "text" and found.length > 25:
        return 0.3, "the cells are longer texts"
    if target.looks == "text" and found.number > 0.95:
        return -0.4, "the cells are numbers"
    if found.whole > 0.95 and not _NUMBERED & set(target.field.split("_")):
        return -0.1, "the cells are numbers"  # the number of a list's entry, rather than its text
    return 0.0, ""
