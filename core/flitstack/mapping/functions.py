"""The functions every mapping may call, whatever the platforms: joining, choosing, dates, money, text for people.

A function is also a filter: `f(x, y)` may be written `x|f(y)`. None stands for what is missing: it is left out of what
is joined or added up, and a function of one missing value gives None.
"""

from __future__ import annotations

import calendar
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from flitstack.errors import Rejected
from flitstack.mapping.access import read_path
from flitstack.mapping.canonical import LONGEST_TEXT, exact
from flitstack.mapping.records import RecordView
from flitstack.mapping.texts import html_text, split_text, truncate_text
from flitstack.protocols import Transform

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_NOTHING: Any = object()


# --- joining and choosing -------------------------------------------------------------------------------------------


def text(value: Any) -> str | None:
    """Return a text, whole number, Decimal, date or time as text; None stays None.

    :raises TypeError: anything else has no one way to be written.
    """
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, Decimal):
        return format(exact(value), "f")
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise TypeError(f"{type(value).__name__} is not text")


def _present(parts: Iterable[Any]) -> list[Any]:
    flat: list[Any] = []
    for part in parts:
        if isinstance(part, str):
            if part and not part.isspace():
                flat.append(part)
        elif isinstance(part, list | tuple):
            flat.extend(_present(part))
        elif part is not None:
            flat.append(part)
    return flat


def join_present(separator: str, *parts: Any) -> str | None:
    """Return the parts that are there, as text, with the separator between them; None when none is.

    Lists among the parts are joined item by item; blank text counts as missing.
    """
    texts: list[str] = []
    for part in parts:  # mostly texts, and then nothing else has to be looked at
        if type(part) is str:
            if part and not part.isspace():
                texts.append(part)
        elif part is not None:
            texts += [each if isinstance(each, str) else str(text(each)) for each in _present((part,))]
    if sum(map(len, texts)) + len(separator) * len(texts) > LONGEST_TEXT:
        raise ValueError("text too long")
    return separator.join(texts) if texts else None


def lines(*parts: Any) -> str | None:
    """Return the parts that are there, each on its own line; None when none is."""
    return join_present("\n", *parts)


def first_present(*values: Any) -> Any:
    """Return the first value that is neither missing, blank text nor an empty list; None when there is none."""
    for value in values:
        if value is None or value == []:
            continue
        if not isinstance(value, str) or (value and not value.isspace()):
            return value
    return None


def choose(value: Any, table: Mapping[Any, Any], default: Any = _NOTHING) -> Any:
    """Return what the table holds for the value, else the default.

    A missing value gives the default, or None when none is stated.

    :raises Rejected: the table does not hold the value and no default was given (`unknown_value`).
    """
    if value is not None and value in table:
        return table[value]
    if default is not _NOTHING:
        return default
    if value is None:
        return None
    raise Rejected(
        "unknown_value",
        "A value is not in the mapping's table of choices.",
        "Add it to the table in the mapping, or give choose() a default.",
    )


def has_user(stream: str, record_id: str | None) -> bool:
    """Return whether the person of that stream and id is matched with a user of the destination.

    The answer is the scope's (`Scope.has_user`), which takes this function's place when an entry is evaluated.
    """
    raise TypeError("users are not known here")


def referring(stream: str, field: str, record_id: str | None) -> list[RecordView]:
    """Return the records of the stream that hold that id in that field.

    The answer is the scope's (`Scope.referring`), which takes this function's place when an entry is evaluated. It is
    quick where the entry also collects that stream by that field.
    """
    raise TypeError("records are not known here")


# --- lists of records -----------------------------------------------------------------------------------------------


def _with_field(items: Iterable[Any] | None, field: str) -> list[tuple[Any, Any]]:
    pairs = [(read_path(item, field), item) for item in items or ()]
    return [pair for pair in pairs if pair[0] is not None]


def latest(items: Iterable[Any] | None, field: str) -> Any:
    """Return the item whose field is greatest, the last of equals; None when no item has one."""
    best: tuple[Any, Any] | None = None
    for pair in _with_field(items, field):
        if best is None or pair[0] >= best[0]:
            best = pair
    return best[1] if best else None


def earliest(items: Iterable[Any] | None, field: str) -> Any:
    """Return the item whose field is smallest, the first of equals; None when no item has one."""
    best: tuple[Any, Any] | None = None
    for pair in _with_field(items, field):
        if best is None or pair[0] < best[0]:
            best = pair
    return best[1] if best else None


def sum_of(items: Iterable[Any] | None, field: str) -> Decimal:
    """Return the sum of the items' field, missing ones left out; 0 of nothing."""
    return sum((Decimal(value) for value, _ in _with_field(items, field)), Decimal(0))


def unique(items: Iterable[Any] | None) -> list[Any]:
    """Return the items without None and repetitions, in the order of their first appearance."""
    kept: list[Any] = []
    seen: set[Any] = set()
    for item in items or ():
        mark = (type(item), item.key) if isinstance(item, RecordView) else item
        try:
            new = mark not in seen
            seen.add(mark)
        except TypeError:  # a dict or list cannot be in a set
            new = item not in kept
        if new and item is not None:
            kept.append(item)
    return kept


def key_of(record: RecordView | None) -> str | None:
    """Return the record's source key."""
    return None if record is None else record.key


# --- dates and times ------------------------------------------------------------------------------------------------


@lru_cache(maxsize=64)
def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (OSError, ValueError) as exc:  # ZoneInfoNotFoundError is a KeyError
        raise _unknown_zone() from exc
    except KeyError as exc:
        raise _unknown_zone() from exc


def _unknown_zone() -> Rejected:
    return Rejected(
        "unknown_time_zone",
        "The mapping names a time zone that does not exist.",
        "Use a name of the IANA list, such as America/Chicago.",
    )


def at_zone(value: datetime | None, zone: str) -> datetime | None:
    """Return a local time as a moment in the zone.

    A time that the change to summer time skips is moved forward by the gap; one that occurs twice is the first.
    A time that states its own zone is the same moment, as the clocks of `zone` show it.
    """
    if value is None:
        return None
    if value.tzinfo is not None:
        return value.astimezone(_zone(zone))
    place = _zone(zone)
    moment = value.replace(tzinfo=place, fold=0)
    if moment.utcoffset() == moment.replace(fold=1).utcoffset():  # no change of the clock near it
        return moment
    return moment.astimezone(UTC).astimezone(place)


def in_zone(value: datetime | None, zone: str) -> datetime | None:
    """Return the same moment as the clocks of another zone show it.

    :raises Rejected: the time has no zone (`time_without_zone`).
    """
    if value is None:
        return None
    if value.tzinfo is None:
        raise Rejected(
            "time_without_zone",
            "A time has no zone, so which moment it names is unknown.",
            "In the mapping, give it one first: at_zone(value, values.time_zone).",
        )
    return value.astimezone(_zone(zone))


def day(value: date | None) -> date | None:
    """Return the calendar day of a date or time, as its own clock shows it."""
    return value.date() if isinstance(value, datetime) else value


def date_text(value: date | None) -> str | None:
    """Return the day as `YYYY-MM-DD`."""
    stated = day(value)
    return None if stated is None else stated.isoformat()


def time_text(value: datetime | time | None) -> str | None:
    """Return the time of day as `HH:MM`."""
    return None if value is None else value.strftime("%H:%M")


def minutes_text(value: int | Decimal | None) -> str | None:
    """Return a number of minutes as `HH:MM`.

    :raises ValueError: it is negative.
    """
    if value is None:
        return None
    minutes = int(value)
    if minutes < 0:
        raise ValueError("negative duration")
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def days_between(start: date | None, end: date | None) -> int | None:
    """Return the whole days from `start` to `end`, by the calendar; negative when `end` is earlier."""
    first, last = day(start), day(end)
    return None if first is None or last is None else (last - first).days


def minutes_between(start: datetime | None, end: datetime | None) -> int | None:
    """Return the whole minutes from `start` to `end`, both with or both without a zone."""
    return None if start is None or end is None else int((end - start).total_seconds() // 60)


def plus_days(value: date | None, days: int) -> date | None:
    """Return the date or time that many days later."""
    return None if value is None else value + timedelta(days=days)


def plus_minutes(value: datetime | None, minutes: int) -> datetime | None:
    """Return the time that many minutes later, by the clock on the wall."""
    return None if value is None else value + timedelta(minutes=minutes)


def plus_months(value: date | None, months: int) -> date | None:
    """Return the date or time that many months later; a day the month does not have becomes its last."""
    if value is None:
        return None
    years, month = divmod(value.month - 1 + months, 12)
    year = value.year + years
    last = calendar.monthrange(year, month + 1)[1]
    return value.replace(year=year, month=month + 1, day=min(value.day, last))


# --- numbers --------------------------------------------------------------------------------------------------------


def decimal(value: Any) -> Decimal | None:
    """Return a whole number, a Decimal or the text of one as Decimal."""
    return None if value is None else exact(text(value))


def money(value: int | Decimal | None) -> str | None:
    """Return an amount as text with two places, halves rounded away from zero."""
    if value is None:
        return None
    rounded = Decimal(value).quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)
    return format(rounded + 0, "f")  # adding 0 turns -0.00 into 0.00


# Functions whose answer is the scope's: they cannot be filters, which Jinja binds once and for all.
OF_SCOPE = frozenset({"has_user", "referring"})

BUILTIN: tuple[Transform, ...] = (
    *(
        Transform(call.__name__, call)
        for call in (
            at_zone, choose, date_text, day, days_between, decimal, first_present, has_user, html_text, in_zone,
            join_present, key_of, lines, minutes_between, minutes_text, money, plus_days, plus_minutes, plus_months,
            referring, split_text, text, time_text, truncate_text, unique,
        )
    ),
    *(Transform(call.__name__, call, attributes=(1,)) for call in (latest, earliest, sum_of)),
)  # fmt: skip
