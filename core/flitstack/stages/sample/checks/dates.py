"""Dates and times against the source's: order of day and month, what was lost, and constant shifts."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING

from flitstack.stages.sample.checks.found import EXAMPLES, FEWEST, Flag, Frame

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from flitstack.protocols import JSON
    from flitstack.stages.sample.observed import Observed

MOSTLY = 0.8
AGREES = 0.9
HALF_DAY = timedelta(hours=12)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
NOON = 12
SWAPS = 0.25


def check_dates(observed: Sequence[Observed], field: str, frame: Frame) -> Iterator[Flag]:
    """Look at a field of dates, with the times that stand beside them."""
    pairs = [(each, moment) for each in observed if (moment := moment_of(each, field, frame)) is not None]
    if len(pairs) < FEWEST or len(pairs) < sum(bool(each.held.get(field)) for each in observed) * MOSTLY:
        return
    column, compared = _column(pairs, field, frame)
    if len(compared) < FEWEST:
        return
    yield from _shifted(compared, field, column, frame)


def _column(
    pairs: Sequence[tuple[Observed, datetime]], field: str, frame: Frame
) -> tuple[str, list[tuple[Observed, datetime, datetime]]]:
    """Return the source column of dates that the field follows, with (record, source, destination) of each."""
    names = {name for each, _ in pairs for row in each.own() for name in (f"{row.stream}.{n}" for n in row.data)}
    wanted = [name for name in frame.lineage.get(field, ()) if name in names]
    best: tuple[float, str, list[tuple[Observed, datetime, datetime]]] = (-1.0, "", [])
    for name in wanted or sorted(names):
        found = [(each, source, moment) for each, moment in pairs if (source := _source(each, name)) is not None]
        if len(found) < max(FEWEST, len(pairs) // 3):
            continue
        near = sum(abs((moment.date() - source.date()).days) == 0 for _, source, moment in found) / len(found)
        score = near + len(found) / len(pairs) / 10 if wanted else near - 1 + (near >= AGREES)
        if score > best[0]:
            best = (score, name, found)
    return best[1], best[2]


def _source(each: Observed, column: str) -> datetime | None:
    stream, _, name = column.rpartition(".")
    values = [row.data.get(name) for row in each.own() if row.stream == stream]
    found = [moment for value in values if (moment := _parsed(value)) is not None]
    return found[0] if len(found) == 1 else None


def _parsed(value: JSON) -> datetime | None:
    if not isinstance(value, str) or len(value) < len("2026-01-01") or value[4:5] != "-":
        return None
    try:
        return datetime.fromisoformat(value)
    except ValueError:
        return None


def moment_of(each: Observed, field: str, frame: Frame) -> datetime | None:
    """Return a date as the business's clock shows it, with the time of the field beside it (due date, due time)."""
    value = _parsed(each.held.get(field))
    if value is None:
        return None
    if value.tzinfo is not None:
        return value.astimezone(frame.zone).replace(tzinfo=None)
    clock = _clock(each, field)
    if clock is None:
        return value
    shown = datetime.combine(value.date(), clock, frame.shown)
    return shown.astimezone(frame.zone).replace(tzinfo=None)


def _clock(each: Observed, field: str) -> time | None:
    if not field.endswith("date"):
        return None
    value = each.held.get(f"{field.removesuffix('date')}time")
    try:
        return time.fromisoformat(value) if isinstance(value, str) and len(value) == len("09:00") else None
    except ValueError:
        return None


def _shifted(
    compared: Sequence[tuple[Observed, datetime, datetime]], field: str, column: str, frame: Frame
) -> Iterator[Flag]:
    timed = [
        (each, source, moment)
        for each, source, moment in compared
        if _has_time(source) and (_has_time(moment) or _clock(each, field) is not None)
    ]
    wrong = [each for each in compared if each[1].date() != each[2].date()]
    if len(timed) >= FEWEST:
        beside = f"{field.removesuffix('date')}time"
        is_apart = any(_clock(each, field) is not None for each, _, _ in timed)
        yield from _times(timed, beside if is_apart else field, column, frame)
    if len(wrong) < len(compared) * (1 - AGREES) or not wrong:
        return
    swapped = [e for e in wrong if (e[2].month, e[2].day) == (e[1].day, e[1].month) and e[1].day != e[1].month]
    places = {(moment.month, moment.day) for _, _, moment in compared}
    if len(swapped) >= max(FEWEST, len(wrong) * SWAPS):
        text = f"Day and month stand the other way round than in {column}."
        yield _flag("day_and_month", frame, field, text, swapped, len(compared))
    elif len(places) == 1 and len({(source.month, source.day) for _, source, _ in compared}) > FEWEST:
        text = f"Every date is the same day of the year, though {column} has many: day and month are lost."
        yield _flag("day_lost", frame, field, text, wrong, len(compared))
    elif len({moment.day for _, _, moment in compared}) == 1 and len({s.day for _, s, _ in compared}) > FEWEST:
        text = f"Every date is the same day of its month, though {column} has many: the day is lost."
        yield _flag("day_lost", frame, field, text, wrong, len(compared))
    else:
        days = Counter((moment.date() - source.date()).days for _, source, moment in compared)
        shift, count = days.most_common(1)[0]
        if shift and count >= len(compared) * MOSTLY and len(timed) < len(compared):
            text = f"Dates are {abs(shift):,} days {'after' if shift > 0 else 'before'} those in {column}."
            yield _flag("days_off", frame, field, text, wrong, len(compared))


def _has_time(moment: datetime) -> bool:
    return moment.time() != time(0)


def _times(
    timed: Sequence[tuple[Observed, datetime, datetime]], field: str, column: str, frame: Frame
) -> Iterator[Flag]:
    shifts = Counter(_rounded(moment - source.replace(tzinfo=None)) for _, source, moment in timed)
    if shifts[timedelta(0)] >= len(timed) * AGREES:
        return
    usual = [shift for shift, count in shifts.items() if count >= len(timed) / 10]
    wrong = [each for each in timed if _rounded(each[2] - each[1].replace(tzinfo=None))]
    late = [each for each in timed if each[1].hour > NOON]
    halved = [each for each in late if each[1] - each[2] == HALF_DAY or each[1].hour - each[2].hour == NOON]
    if late and len(halved) >= max(FEWEST, len(late) * MOSTLY) and shifts[timedelta(0)] >= len(timed) - len(wrong):
        text = f"Times after noon in {column} stand twelve hours earlier: no hour is past twelve."
        yield _flag("half_day", frame, field, text, halved, len(timed))
    elif len({moment.time() for _, _, moment in timed}) == 1:
        text = f"Every time is the same, though {column} has many."
        yield _flag("time_lost", frame, field, text, wrong, len(timed))
    elif usual and max(usual) - min(usual) <= HOUR and any(usual):
        low, high = sorted(abs(shift) / HOUR for shift in (min(usual), max(usual)))
        span = f"{low:g}" if low == high else f"{low:g} to {high:g}"
        side = "later" if max(usual) > timedelta(0) else "earlier"
        text = f"Seen on the business's clock ({frame.zone.key}), times are {span} hours {side} than in {column}."
        yield _flag("times_shifted", frame, field, text, wrong, len(timed))


def _rounded(shift: timedelta) -> timedelta:
    """Return a shift in quarters of an hour."""
    quarter = timedelta(minutes=15)
    return round(shift / quarter) * quarter


def _flag(
    code: str, frame: Frame, field: str, text: str, wrong: Sequence[tuple[Observed, datetime, datetime]], of: int
) -> Flag:
    return Flag(code, frame.entry, field, text, len(wrong), of, tuple(each.key for each, *_ in wrong[:EXAMPLES]))


def check_done(observed: Sequence[Observed], frame: Frame) -> Iterator[Flag]:
    """Look at fields of yes and no beside a date: what is over should not be open, nor what is to come be done."""
    for name in {n: None for each in observed for n, value in each.held.items() if isinstance(value, bool)}:
        for day in {n: None for each in observed for n in each.held if n.endswith("date")}:
            sides = {True: Counter[bool](), False: Counter[bool]()}
            for each in observed:
                moment, value = _parsed(each.held.get(day)), each.held.get(name)
                if moment is not None and isinstance(value, bool):
                    sides[_day(moment) > frame.as_of.date()][value] += 1
            coming, over = sides[True], sides[False]
            if min(coming.total(), over.total()) < FEWEST:
                continue
            if coming[True] / coming.total() > over[True] / over.total():
                wrong = [e for e in observed if (m := _parsed(e.held.get(day))) and _day(m) > frame.as_of.date()]
                text = f'"{name}" is yes for what is still to come more often than for what is over ({day}).'
                keys = tuple(each.key for each in wrong[:EXAMPLES])
                yield Flag("done_upside_down", frame.entry, name, text, coming[True], coming.total(), keys)


def _day(moment: datetime) -> date:
    return moment.date()
