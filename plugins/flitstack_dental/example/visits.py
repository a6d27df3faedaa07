"""The example's visits: appointments with what was done and written at each, and the recalls that call for the next."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from flitstack_dental.example import words
from flitstack_dental.example.accounts import money
from flitstack_dental.example.defects import STALE_OPEN
from flitstack_dental.example.practice import (
    APPOINTMENT_TYPES,
    AS_OF,
    CODES,
    RECALL_STATUSES,
    RECALL_TYPES,
    provider_id,
)
from flitstack_dental.example.words import Weighted, heavy_tailed

if TYPE_CHECKING:
    import random

    from flitstack_dental.example.defects import Row
    from flitstack_dental.example.people import Case
    from flitstack_dental.example.practice import Code

APPOINTMENT_STATUSES = Weighted(
    ("completed", 69.4),
    ("scheduled", 11.0),
    ("planned", 9.0),
    ("unscheduled", 4.3),
    ("deleted", 3.9),
    ("no_show", 3.0),
    ("cancelled", 2.4),
    ("arrived", 0.2),
)
"""Shares after two real practices: an American one, with the deletions of a British one.

More are drawn as scheduled than the 7.8 % that end so: those of patients who are not active become completed."""

PROCEDURE_STATUSES = Weighted(
    ("deleted", 14.4), ("existing_current", 4.6), ("condition", 3.9), ("referred_out", 1.4), ("existing_other", 0.6)
)
"""Statuses of procedures other than completed, in the shares of all procedures (completed: 55.6)."""

STALE_SHARE = 0.26
"""Of the appointments still marked as scheduled, those whose day has passed."""

_RECALLS_EACH = Weighted((0, 5.0), (1, 26.0), (2, 40.0), (3, 22.0), (4, 7.0))
_NO_VISITS = {"non_patient", "prospective"}
_WORDS_FOR = {
    "completed": "Complete",
    "no_show": "Did Not Attend",
    "arrived": "In Surgery",
    "unscheduled": "UnschedList",
}
_CATEGORIES = ("Treatment", "Hygiene", "Telephone", "Medical")


@dataclass(frozen=True, slots=True)
class Visit:
    """One appointment as planned: its status, and when; without a time it waits for one."""

    status: str
    starts_at: datetime | None


def planned_visits(case: Case) -> list[Visit]:
    """Return the patient's appointments, oldest first: none for one in seven, for a few more than sixty."""
    person, rng = case.person, case.rng
    if person.status in _NO_VISITS or (rng.random() >= 0.93 and person.number > 10):
        return []
    count = 1 + heavy_tailed(rng, 25.0 if rng.random() < 0.03 else 2.92)
    active = person.status == "patient"
    visits = []
    for _ in range(count):
        status = APPOINTMENT_STATUSES.draw(rng)
        if not active and status in {"scheduled", "arrived"}:
            status = "completed"
        visits.append(Visit(status, _start(rng, status, count)))
    if active and person.number <= len(APPOINTMENT_STATUSES.values):
        status = APPOINTMENT_STATUSES.values[person.number - 1]
        visits.append(Visit(status, _start(rng, status, count)))
    return sorted(visits, key=lambda visit: visit.starts_at or datetime.max)


def _start(rng: random.Random, status: str, count: int) -> datetime | None:
    if status in {"planned", "unscheduled"}:
        return None
    if status == "arrived":
        day = AS_OF
    elif status == "scheduled" and rng.random() >= STALE_SHARE:
        day = AS_OF + timedelta(days=1 + rng.randrange(200))
    else:
        day = AS_OF - timedelta(days=1 + rng.randrange(min(9000, 400 + count * 150)))
    day += timedelta(days=1 if day.weekday() == 6 and day < AS_OF - timedelta(days=1) else 0)
    return datetime(day.year, day.month, day.day, 8 + rng.randrange(10), 15 * rng.randrange(4))


def write_visits(case: Case, visits: list[Visit]) -> list[str]:
    """Write the appointments with their procedures and notes; return the ids of the completed ones."""
    completed = []
    for visit in visits:
        kind = case.rng.randrange(len(APPOINTMENT_TYPES)) if case.rng.random() < 0.49 else 0
        appointment = _write_appointment(case, visit, kind)
        if visit.status == "completed" and visit.starts_at is not None:
            _write_treatment(case, appointment, visit.starts_at, hygiene=kind == 0)
            completed += [appointment] if appointment is not None else []
    for _ in range(heavy_tailed(case.rng, 0.3)):
        _write_procedure(case, None, case.day(4000), case.rng.choice(CODES), "completed")
    return completed


def _write_appointment(case: Case, visit: Visit, kind: int) -> str | None:
    rng, start = case.rng, visit.starts_at
    type_id, name, minutes = APPOINTMENT_TYPES[kind]
    done = start is not None and visit.status == "completed"
    timed = done and rng.random() < 0.5
    row: Row = {
        "starts_at": start,
        "duration_minutes": minutes,
        "status": visit.status,
        "original_status": _WORDS_FOR.get(visit.status, visit.status.title()),
        "confirmation": rng.choice(("Confirmed", "Not called", None)),
        "type_id": type_id,
        "type_name": name,
        "provider_id": case.person.dentist,
        "hygienist_id": provider_id(3) if kind == 0 else None,
        "clinic_id": case.person.clinic,
        "operatory": f"Room {1 + rng.randrange(4)}",
        "is_hygiene": kind == 0,
        "is_new_patient": kind == 1,
        "reason": f"{name} visit",
        "note": "Running late, parking is difficult" if rng.random() < 0.05 else None,
        "arrived_at": start - timedelta(minutes=6) if timed and start is not None else None,
        "seated_at": start + timedelta(minutes=4) if timed and start is not None else None,
        "dismissed_at": start + timedelta(minutes=minutes) if timed and start is not None else None,
        "created_at": start - timedelta(days=20) if start is not None else case.moment(300),
    }
    stale = STALE_OPEN if start is not None and visit.status == "scheduled" and start.date() < AS_OF else None
    return case.emit("appointments", "AP", row, visit.status == "completed", stale)


def _write_treatment(case: Case, appointment: str | None, start: datetime, *, hygiene: bool) -> None:
    rng, small = case.rng, case.practice.small
    for _ in range(1 + heavy_tailed(rng, 0.8 if small else 3.0)):
        code = CODES[rng.randrange(9)] if hygiene and rng.random() < 0.7 else rng.choice(CODES)
        procedure = _write_procedure(case, appointment, start.date(), code, "completed")
        if rng.random() < 0.65:
            _write_note(case, start + timedelta(minutes=40), procedure, appointment)
    for _ in range(heavy_tailed(rng, 0.9 if small else 1.79)):
        _write_procedure(case, None, start.date(), rng.choice(CODES), PROCEDURE_STATUSES.draw(rng))


def _write_procedure(case: Case, appointment: str | None, day: date, code: Code, status: str) -> str | None:
    rng = case.rng
    on_tooth = code.code > "D1350"
    row: Row = {
        "appointment_id": appointment,
        "performed_on": day,
        "procedure_code_id": code.id,
        "code": code.code,
        "description": code.wording,
        "tooth": tooth(rng, adult=case.person.adult) if on_tooth else None,
        "surface": rng.choice(words.SURFACES) or None if on_tooth else None,
        "fee": money(code.cents),
        "quantity": 1,
        "discount": money(code.cents // 10) if rng.random() < 0.05 else None,
        "status": status,
        "original_status": status.replace("_", " ").title(),
        "provider_id": case.person.dentist,
        "clinic_id": case.person.clinic,
        "note": rng.choice(words.NOTE_LINES) if rng.random() < 0.1 else None,
        "created_at": datetime(day.year, day.month, day.day, 16, rng.randrange(60)),
    }
    return case.emit("procedures", "PX", row, ordinary=status == "completed")


def _write_note(case: Case, written: datetime, procedure: str | None, appointment: str | None) -> None:
    rng = case.rng
    count = 1 + heavy_tailed(rng, 1.5)
    row: Row = {
        "procedure_id": procedure,
        "appointment_id": appointment,
        "written_at": written,
        "provider_id": case.person.dentist if rng.random() < 0.9 else None,
        "author_id": f"ST{1 + rng.randrange(6)}" if rng.random() < 0.6 else None,
        "category": rng.choice(_CATEGORIES),
        "text": "\n".join(rng.choice(words.NOTE_LINES) for _ in range(count)),
    }
    case.emit("clinical_notes", "N", row)


def tooth(rng: random.Random, *, adult: bool) -> str:
    """Return a tooth in the American numbering: 1 to 32, or A to T for a child."""
    return str(1 + rng.randrange(32)) if adult else "ABCDEFGHIJKLMNOPQRST"[rng.randrange(20)]


def write_recalls(case: Case, visits: list[Visit]) -> None:
    """Write what the patient is due for: in time, overdue, put off, switched off or already booked."""
    person, rng = case.person, case.rng
    if person.status in _NO_VISITS:
        return
    booked = next((v.starts_at for v in visits if v.status == "scheduled" and v.starts_at is not None), None)
    number = _RECALLS_EACH.draw(rng)
    kinds = [4] if not person.adult else rng.sample(range(4), max(number, 1 if person.number <= 10 else 0))
    for kind in kinds[:number] if not person.adult and person.number > 10 else kinds:
        type_id, name, interval = RECALL_TYPES[kind]
        overdue = rng.random() < 0.26
        due = case.day(700) if overdue else AS_OF + timedelta(days=1 + rng.randrange(300))
        disabled = rng.random() < 0.06 or person.number == 4
        scheduled = booked.date() if booked is not None and booked.date() > AS_OF and kind == kinds[0] else None
        row: Row = {
            "type_id": type_id,
            "type_name": name,
            "due_on": due,
            "previous_on": due - timedelta(days=182) if rng.random() < 0.7 else None,
            "scheduled_on": scheduled,
            "interval": interval,
            "status": rng.choice(RECALL_STATUSES) if overdue else None,
            "disabled": disabled,
            "note": "Prefers spring" if rng.random() < 0.05 else None,
        }
        case.emit("recalls", "RC", row, ordinary=not disabled and scheduled is None)
