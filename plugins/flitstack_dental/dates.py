"""Reads dates and times as exports write them, and refuses those that can be read two ways."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Literal

from flitstack_dental.values import BadCell

if TYPE_CHECKING:
    from collections.abc import Callable

Order = Literal["dmy", "mdy", "unknown", "mixed"]

_ISO = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})")
_NUMBERS = re.compile(r"(\d{1,2})[-/. ](\d{1,2})[-/. ](\d{4}|\d{2})")
_COMPACT = re.compile(r"(18|19|20|21)(\d{2})(\d{2})(\d{2})")
_WORDS = re.compile(r"(?:(\d{1,2})(?:st|nd|rd|th)?[-/. ]*([a-z]{3,9})|([a-z]{3,9})[-/. ]*(\d{1,2})(?:st|nd|rd|th)?)"
                    r",?[-/. ]*(\d{4}|\d{2})", re.I)  # fmt: skip
_SERIAL = re.compile(r"\d{1,5}(?:\.\d+)?")
_TIME = re.compile(
    r"(\d{1,2})[:.h](\d{2})(?:[:.](\d{2})(?:[.,]\d+)?)?\s*([ap])?\.?(?:m\.?)?(?:\s*(z|[+-]\d{2}:?\d{2}))?", re.I
)
_CLOCK = re.compile(r"(?<!\d)(\d{1,2}):(\d{2})(?::\d{2}(?:[.,]\d+)?)?\s*([ap])?", re.I)
_SPLIT = re.compile(r"(?<=\d)(?:T|,?\s+)(?=\d{1,2}[:.h]\d{2})", re.I)
_MONTHS = {name: number for number, name in enumerate("jan feb mar apr may jun jul aug sep oct nov dec".split(), 1)}
_NO_DATES = frozenset({"0001-01-01", "0000-00-00", "1753-01-01", "1/0/1900", "01/00/1900", "0/0/0000", "00/00/0000"})
_APART = re.compile(r"(\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4})\s+(\d{1,2})\s+(\d{1,2})")
"""A day, an hour and a minute that a layout joined from three columns."""
_MASK = re.compile(r"[\s/.\-:_0]*")
_EXCEL_DAY_0 = date(1899, 12, 30)
PIVOT = 70
FIRST_YEAR = 1800  # before it, dates are what systems write for `no date`


@dataclass(frozen=True, slots=True)
class DateRules:
    """How a column's dates are to be read.

    :param order: which of day and month comes first in this column.
    :param reference: day the export speaks of, for two-digit years of birth; None when nobody stated it.
    :param birth: the column holds births, which are never in the future.
    :param excel: bare numbers are spreadsheet days.
    """

    column: str
    order: Order = "unknown"
    reference: date | None = None
    birth: bool = False
    excel: bool = False


def order_evidence(text: str) -> Order | None:
    """Return what one cell proves about its column's order, None when it proves nothing (both 12 or less, or ISO)."""
    found = _NUMBERS.match(text.strip())
    if not found:
        return None
    first, second = int(found[1]), int(found[2])
    if first > 12 >= second:
        return "dmy"
    return "mdy" if second > 12 >= first else None


def is_ambiguous(text: str) -> bool:
    """Say whether a cell is a date that can be read two ways, to different days."""
    found = _NUMBERS.match(text.strip())
    return found is not None and int(found[1]) != int(found[2]) and max(int(found[1]), int(found[2])) <= 12


def has_clock(text: str) -> bool:
    """Say whether a cell states a time of day, be it midnight: `2026-05-04 00:00`, `12:00 AM`."""
    return _CLOCK.search(text) is not None


def shows_time(text: str) -> bool:
    """Say whether a cell states a time of day that is not midnight, which many systems write for `no time`."""
    found = _CLOCK.search(text)
    if found is None:
        return False
    hour = int(found[1]) % 12 if found[3] and found[3].lower() == "a" else int(found[1])
    return bool(hour or int(found[2]))


def is_plain(text: str) -> bool:
    """Say whether a cell needs no order: empty, or with the year first."""
    text = text.strip()
    return not text or _ISO.match(text) is not None


def date_parser(rules: DateRules) -> Callable[[str], str | None]:
    """Return a function from a cell to `YYYY-MM-DD`, None for what stands for no date.

    :raises BadCell: the function does, for a cell that is no date or can be read two ways.
    """
    return partial(_parse_date, rules=rules)


def datetime_parser(rules: DateRules) -> Callable[[str], str | None]:
    """Return a function from a cell to `YYYY-MM-DDTHH:MM:SS` (with an offset only if it has one); None as above."""
    return partial(_parse_datetime, rules=rules)


def quick_datetime(parse: Callable[[str], str | None]) -> Callable[[str], str | None]:
    """Return the parser, sooner for a time that is written as `YYYY-MM-DD HH:MM:SS`, with a space or `T`."""

    def parsed(text: str) -> str | None:
        if len(text) == 19 and text[10] in " T" and text[4] == text[7] == "-" and text[13] == text[16] == ":":
            try:
                if datetime.fromisoformat(text).year >= FIRST_YEAR:
                    return text if text[10] == "T" else text.replace(" ", "T")
            except ValueError:
                pass  # the slow way says what is wrong
        return parse(text)

    return parsed


def _parse_date(text: str, rules: DateRules) -> str | None:
    if len(text) == 10 and text[4] == text[7] == "-":
        try:
            return text if date.fromisoformat(text).year >= FIRST_YEAR else None
        except ValueError:
            pass  # as above
    day = _day(_SPLIT.split(text.strip(), maxsplit=1)[0], rules)
    return day.isoformat() if day else None


def _parse_datetime(text: str, rules: DateRules) -> str | None:
    text = text.strip()
    if apart := _APART.fullmatch(text):
        text = f"{apart[1]} {apart[2]}:{apart[3]:0>2}"
    parts = _SPLIT.split(text, maxsplit=1)
    day = _day(parts[0], rules)
    if day is None:
        return None
    if len(parts) == 2:
        return f"{day.isoformat()}T{_time(parts[1], rules.column)}"
    if rules.excel and _SERIAL.fullmatch(parts[0]):
        seconds = round(float(parts[0]) % 1 * 86_400)
        return (datetime(day.year, day.month, day.day) + timedelta(seconds=seconds)).isoformat()
    return f"{day.isoformat()}T00:00:00"


def _time(text: str, column: str) -> str:
    found = _TIME.fullmatch(text.strip())
    if not found:
        raise _bad(column, "time")
    hour, minute, second = int(found[1]), int(found[2]), int(found[3] or 0)
    if found[4]:
        if not 1 <= hour <= 12:
            raise _bad(column, "time")
        hour = hour % 12 + (12 if found[4].lower() == "p" else 0)
    if hour > 23 or minute > 59 or second > 59:
        raise _bad(column, "time")
    if (digits := re.findall(r"\d\d", found[5] or "")) and (digits[0] > "15" or digits[1] > "59"):
        raise _bad(column, "time")
    zone = (found[5] or "").upper().replace("Z", "+00:00")
    if zone and ":" not in zone:
        zone = f"{zone[:3]}:{zone[3:]}"
    return f"{hour:02}:{minute:02}:{second:02}{zone}"


def _day(text: str, rules: DateRules) -> date | None:
    text = text.replace("\xa0", " ").strip()
    if text in _NO_DATES or _MASK.fullmatch(text):
        return None
    if found := _ISO.fullmatch(text) or _compact(text):
        return _known(_make(found[1], found[2], found[3], rules))
    if found := _NUMBERS.fullmatch(text):
        return _known(_ordered(found[1], found[2], found[3], rules))
    if found := _WORDS.fullmatch(text):
        month = _MONTHS.get((found[2] or found[3])[:3].lower())
        if month:
            return _make(str(_year(found[5], rules)), str(month), found[1] or found[4], rules)
    if _SERIAL.fullmatch(text):
        return _serial(text, rules)
    raise _bad(rules.column, "date")


def _compact(text: str) -> re.Match[str] | None:
    if not _COMPACT.fullmatch(text):
        return None
    return _ISO.fullmatch(f"{text[:4]}-{text[4:6]}-{text[6:]}")


def _known(day: date) -> date | None:
    """Return None for the days with which systems write `no date`."""
    return None if day.year < FIRST_YEAR else day


def _ordered(first: str, second: str, year: str, rules: DateRules) -> date:
    one, two = int(first), int(second)
    order = rules.order
    if one == two:
        order = "mdy"
    elif order in ("unknown", "mixed") or max(one, two) > 12:
        order = "dmy" if one > 12 else "mdy" if two > 12 else "unknown"
    if order == "unknown":
        raise BadCell(
            "ambiguous_date",
            rules.column,
            "The date can be read as day/month and as month/day, and no row of the column decides it.",
            "Say which with --set source.date_order=dmy or --set source.date_order=mdy.",
        )
    full = str(_year(year, rules))
    return _make(full, second, first, rules) if order == "dmy" else _make(full, first, second, rules)


def _year(text: str, rules: DateRules) -> int:
    """Return the year in full.

    Two digits: 70 to 99 are 19xx and 00 to 69 are 20xx (as POSIX strptime has it), but a birth is the latest that
    is not after the day the export speaks of; where nobody stated that day, 00 to 69 cannot be decided.
    """
    year = int(text)
    if len(text) == 4:
        return year
    if not rules.birth or year >= PIVOT:
        return year + (1900 if year >= PIVOT else 2000)
    if rules.reference is None:
        raise BadCell(
            "ambiguous_date",
            rules.column,
            "The year of birth has two digits, and its century depends on the day of the export.",
            "State that day with --set source.as_of=YYYY-MM-DD.",
        )
    return year + (2000 if year + 2000 <= rules.reference.year else 1900)


def _serial(text: str, rules: DateRules) -> date:
    if not rules.excel:
        raise BadCell(
            "bad_date",
            rules.column,
            "A bare number stands where a date belongs.",
            "If these are spreadsheet days, use --set source.excel_dates=true; else mend the cell.",
        )
    return _EXCEL_DAY_0 + timedelta(days=int(float(text)))


def _make(year: str, month: str, day: str, rules: DateRules) -> date:
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        raise _bad(rules.column, "date") from None


def _bad(column: str, what: str) -> BadCell:
    if what == "time":
        hint = "Write the time as HH:MM, or empty the cell."
        return BadCell("bad_time", column, "The cell is no time that can be read.", hint)
    hint = "Write the date as YYYY-MM-DD, or empty the cell."
    return BadCell("bad_date", column, "The cell is no date that can be read.", hint)
