"""Days: columns whose days say that something went wrong on the way, such as birthdays that are all 1 January."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from flitstack.validators.lines import Lines, Words, in_words, line, section_of, streams_with

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import date

    from flitstack.protocols import Finding, Schema, StagedView

ENOUGH = 20
SUSPECT = 0.5
"""Share of one day of the year from which on a column counts as having lost its days."""
ANCIENT = "1970"
"""Before this year hardly a business or shop kept its books in a computer: such a day is most often a birth date."""
FAR_YEARS = 10


def check_dates(view: StagedView) -> Iterator[Finding]:
    """Yield columns of days that never change their month and day, and days that cannot be meant."""
    as_of = view.as_of()
    for stream, schema in streams_with(view):
        for field, each in schema.get("properties", {}).items():
            if each.get("x-type") in ("date", "local-datetime", "datetime"):
                yield from _column(view, stream, schema, field, each, as_of)


def _column(
    view: StagedView, stream: str, schema: Schema, field: str, each: Mapping[str, Any], as_of: date | None
) -> Iterator[Finding]:
    days = {day: count for day, count in view.tally(stream, field, 1, 10).items() if day is not None}
    known = sum(days.values())
    section = section_of(schema)
    yearly = Counter[str]()
    for day, count in days.items():
        yearly[day[5:]] += count
    top, most = yearly.most_common(1)[0] if yearly else ("", 0)
    if known >= ENOUGH and most >= known * SUSPECT and len(days) > 1 and not _entered_at_once(days, known):
        words = Words(
            "error", f"Most days of {in_words(field)} fall on {top} (month-day) of "
            "different years: a conversion has kept the year alone.",
            "They are moved as they are.", "Can the export be made again with whole dates?", "moved as they are",
        )  # fmt: skip
        yield line("days_of_one_kind", words, stream, section, most, (), known)
    if each.get("x-person") == "birth_date":
        return
    if old := {day for day in days if day[:4] < ANCIENT}:
        words = Words(
            "warning", f"Their day of `{in_words(field)}` lies before {ANCIENT}, as a birth date "
            "typed into the wrong column does.", "They are moved as they are.",
        )  # fmt: skip
        yield from _those(view, stream, field, "ancient_date", words, section, old, known)
    limit = f"{as_of.year + FAR_YEARS}" if as_of is not None else "9999"
    if far := {day for day in days if day[:4] > limit}:
        words = Words(
            "warning", f"Their day of `{in_words(field)}` lies more than {FAR_YEARS} years ahead.",
            "They are moved as they are.",
        )  # fmt: skip
        yield from _those(view, stream, field, "far_date", words, section, far, known)


def _entered_at_once(days: Mapping[str, int], known: int) -> bool:
    """Tell whether one whole day has most of them, as when a list was typed in at once: no month and day were lost."""
    return max(days.values()) >= known * SUSPECT


def _those(
    view: StagedView, stream: str, field: str, code: str, words: Words, section: str, days: set[str], known: int
) -> Iterator[Finding]:
    """Yield the finding of the records whose day is one of these."""
    lines = Lines({code: words}, stream, section, known)
    for record in view.records(stream):
        value = record.data.get(field)
        if isinstance(value, str) and value[:10] in days:
            lines.add(code, record.id)
    yield from lines.findings()
