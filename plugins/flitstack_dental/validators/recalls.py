"""Recall: due visits without a day, long overdue, switched off, of inactive patients, or of one kind twice."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from flitstack.validators.lines import Lines, Words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flitstack.protocols import Finding, StagedView

KINDS = {
    "no_due_day": Words("error", "Recalls without a due day.", "They stay behind: no day is invented."),
    "long_overdue": Words(
        "warning",
        "Recalls that have been due for more than 18 months.",
        "They are moved with their due day, so they show as overdue.",
        "Shall recalls that old be switched off in the old system first?",
        "moved as they are",
    ),
    "recall_booked": Words(
        "info", "Recalls that already have an appointment.", "They stay behind: the visit is moved."
    ),
    "recall_disabled": Words("info", "Recalls that are switched off.", "They stay behind."),
    "recall_of_inactive": Words(
        "info", "Recalls of patients who are inactive, archived, deleted or deceased.", "They stay behind."
    ),
    "interval_unreadable": Words(
        "info", "Recalls whose interval cannot be read as a span of time.", "It is moved as it is written."
    ),
    "recall_twice": Words("warning", "Recalls of a kind that the patient has already.", "Each is moved."),
}
OVERDUE_MONTHS = 18
INACTIVE = ("inactive", "archived", "deleted", "deceased")
_SPAN = re.compile(r"\d+ ?(?:y|m|w|d|year|month|week|day|mo|mon|yr|wk)s?(?:[ ,]+(?:and )?\d+ ?\w+)*", re.IGNORECASE)


def check_recalls(view: StagedView) -> Iterator[Finding]:
    """Yield what is odd about recalls."""
    if "recalls" not in view.streams():
        return
    as_of = view.as_of()
    limit = ""
    if as_of is not None:
        months = as_of.year * 12 + as_of.month - 1 - OVERDUE_MONTHS
        limit = f"{months // 12:04d}-{months % 12 + 1:02d}-{as_of.day:02d}"
    inactive = {
        record.id
        for record in (view.records("patients") if "patients" in view.streams() else ())
        if record.data.get("status") in INACTIVE
    }
    lines = Lines(KINDS, "recalls", "recall", view.count("recalls"))
    known: set[int] = set()
    for record in view.records("recalls"):
        data = record.data
        due, interval = data.get("due_on"), data.get("interval")
        if data.get("disabled"):
            lines.add("recall_disabled", record.id)
        elif data.get("patient_id") in inactive:
            lines.add("recall_of_inactive", record.id)
        elif data.get("scheduled_on"):
            lines.add("recall_booked", record.id)
        elif not due:
            lines.add("no_due_day", record.id)
        elif str(due) < limit:
            lines.add("long_overdue", record.id)
        if isinstance(interval, str) and not _SPAN.fullmatch(interval.strip()):
            lines.add("interval_unreadable", record.id)
        kind = hash((data.get("patient_id"), data.get("type_id") or data.get("type_name")))
        if kind in known:
            lines.add("recall_twice", record.id)
        known.add(kind)
    yield from lines.findings()
