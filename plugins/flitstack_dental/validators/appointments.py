"""Appointments: visits of nobody, without a day, long past and still open, twice, or at an hour that never was."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from flitstack.protocols import Finding
from flitstack.validators.lines import Lines, Words, line

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from flitstack.protocols import StagedView

KINDS = {
    "stale_open": Words(
        "warning",
        "Past appointments that are still marked as scheduled.",
        "By default they are moved as done, with the outcome Unresolved, so that they do not show as overdue.",
        "What are they: done, still open, or to be left out (stale_open=done|open|skip)?",
        "done",
    ),
    "completed_in_future": Words(
        "warning",
        "Appointments marked as completed that lie after the export's day.",
        "They are moved as done, on their day.",
    ),
    "no_day": Words(
        "error", "Booked or past appointments without a day and time.", "They stay behind: no day is invented."
    ),
    "no_patient": Words(
        "info", "Appointments of nobody: lunches, blocks and notes in the calendar.", "They stay behind."
    ),
    "no_calendar_day": Words(
        "info", "Planned and unscheduled appointments, which have no day yet.", "They stay behind: no day is invented."
    ),
    "hour_never_was": Words(
        "warning",
        "Appointments at an hour that the change to summer time leaves out.",
        "They are moved, an hour later.",
    ),
    "appointment_twice": Words(
        "warning", "Appointments of one patient that begin at the same minute as another of theirs.", "Each is moved."
    ),
    "overlapping": Words("info", "Appointments that overlap another of the same provider.", "Each is moved."),
    "no_duration": Words("info", "Appointments without a duration.", "They are moved without one."),
}
STATUSES = Words("info", "Appointments by status, as the old system has it and as it is read.")
SHOWN = 24
NO_ZONE = Finding(
    "no_time_zone",
    "Neither the export nor its clinics state a time zone; its times are local.",
    "warning",
    "appointments",
    section="appointments",
    handling="The account's time zone is taken, or the one that is set.",
    decision="What is the practice's time zone (--set time_zone=America/Chicago)?",
    default="the account's",
)
OPEN = ("scheduled", "arrived")
TAKES_TIME = (*OPEN, "completed")
NO_DAY = ("planned", "unscheduled")
GONE = ("deleted", "cancelled", "no_show")


def check_appointments(view: StagedView) -> Iterator[Finding]:
    """Yield what is odd about appointments, and how their statuses are read."""
    if "appointments" not in view.streams():
        return
    day = str(view.as_of() or "9999")[:10]
    zone = _zone(view)
    lines = Lines(KINDS, "appointments", "appointments", view.count("appointments"))
    statuses = Counter[str]()
    calendar = _Calendar()
    for record in view.records("appointments"):
        data = record.data
        for code in _of(data, day, zone):
            lines.add(code, record.id)
        original, status = data.get("original_status"), str(data.get("status"))
        statuses[f"{original} -> {status}" if original else status] += 1
        if calendar.is_twice(data):
            lines.add("appointment_twice", record.id)
        calendar.note(data)
    places = calendar.overlapping()
    yield from lines.findings()
    if places:
        again = Lines(KINDS, "appointments", "appointments", view.count("appointments"))
        for record in view.records("appointments"):
            if _place(record.data) in places:
                again.add("overlapping", record.id)
        yield from again.findings()
    spread = tuple(statuses.most_common(SHOWN))
    yield line("statuses", STATUSES, "appointments", "appointments", statuses.total(), spread=spread)
    if zone is None:
        yield NO_ZONE


def _of(data: Mapping[str, Any], day: str, zone: ZoneInfo | None) -> Iterator[str]:
    status, starts = data.get("status"), data.get("starts_at")
    if not data.get("patient_id"):
        yield "no_patient"
        return
    if status in NO_DAY:
        yield "no_calendar_day"
        return
    if not starts:
        if status not in GONE:
            yield "no_day"
        return
    if status in OPEN and starts[:10] < day:
        yield "stale_open"
    if status == "completed" and starts[:10] > day:
        yield "completed_in_future"
    if zone is not None and starts[11:13] < "04" and _never_was(starts, zone):
        yield "hour_never_was"
    if status in TAKES_TIME and not data.get("duration_minutes"):
        yield "no_duration"


def _never_was(starts: str, zone: ZoneInfo) -> bool:
    local = datetime.fromisoformat(starts[:19])
    return local.replace(tzinfo=zone).astimezone(UTC).astimezone(zone).replace(tzinfo=None) != local


def _zone(view: StagedView) -> ZoneInfo | None:
    """Return the one time zone that the practice, else its clinics, state."""
    for stream in ("practice", "clinics"):
        if stream in view.streams():
            named = {name for name in view.tally(stream, "time_zone") if name}
            if len(named) == 1:
                try:
                    return ZoneInfo(str(named.pop()))
                except (ZoneInfoNotFoundError, ValueError):
                    continue
    return None


def _place(data: Mapping[str, Any]) -> tuple[str, str] | None:
    """Return provider and start of what takes time in a provider's day, None of all else."""
    starts, provider = data.get("starts_at"), data.get("provider_id")
    if data.get("status") not in TAKES_TIME or not starts or not provider or not data.get("duration_minutes"):
        return None
    return str(provider), str(starts)


class _Calendar:
    """The providers' days, kept in whole numbers: a million appointments must fit."""

    def __init__(self) -> None:
        self._of_patients: set[int] = set()
        self._days: dict[str, list[tuple[int, int]]] = {}

    def is_twice(self, data: Mapping[str, Any]) -> bool:
        """Tell whether the patient has another that begins at the same minute."""
        patient, starts = data.get("patient_id"), data.get("starts_at")
        if not patient or not starts or data.get("status") in GONE:
            return False
        place = hash((patient, starts[:16]))
        known = place in self._of_patients
        self._of_patients.add(place)
        return known

    def note(self, data: Mapping[str, Any]) -> None:
        """Keep one appointment's place in its provider's day."""
        place = _place(data)
        if place is not None:
            minutes = int(datetime.fromisoformat(place[1][:19]).replace(tzinfo=UTC).timestamp()) // 60
            self._days.setdefault(place[0], []).append((minutes, minutes + int(data["duration_minutes"])))

    def overlapping(self) -> set[tuple[str, str]]:
        """Return the places (provider, start) of those that begin before an earlier one ends."""
        found: set[tuple[str, str]] = set()
        for provider, spans in self._days.items():
            spans.sort()
            until = -1
            for begins, ends in spans:
                if begins < until:
                    found.add((provider, _text(begins)))
                until = max(until, ends)
        return found


def _text(minutes: int) -> str:
    return datetime.fromtimestamp(minutes * 60, UTC).replace(tzinfo=None).isoformat(timespec="seconds")
