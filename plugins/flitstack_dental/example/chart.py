"""The example's charts: treatment plans, gum examinations, tooth conditions, prescriptions, talks and documents."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from flitstack_dental.example import words
from flitstack_dental.example.accounts import money
from flitstack_dental.example.defects import EMPTY_PLAN, LOOSE_ITEM
from flitstack_dental.example.papers import write_paper
from flitstack_dental.example.practice import AS_OF, CODES, provider_id
from flitstack_dental.example.visits import tooth
from flitstack_dental.example.words import Weighted, heavy_tailed

if TYPE_CHECKING:
    import random

    from flitstack_dental.example.defects import Row
    from flitstack_dental.example.people import Case

PLAN_STATUSES = Weighted(
    ("proposed", 33.0),
    ("accepted", 18.0),
    ("in_progress", 13.0),
    ("completed", 20.0),
    ("rejected", 6.0),
    ("inactive", 5.0),
    ("suspended", 3.0),
    ("unknown", 2.0),
)
_ITEM_STATUSES: dict[str, Weighted[str]] = {
    "proposed": Weighted(("planned", 90.0), ("deleted", 10.0)),
    "accepted": Weighted(("accepted", 60.0), ("scheduled", 30.0), ("planned", 10.0)),
    "in_progress": Weighted(("completed", 40.0), ("scheduled", 30.0), ("accepted", 30.0)),
    "completed": Weighted(("completed", 100.0)),
    "rejected": Weighted(("rejected", 90.0), ("referred", 10.0)),
    "inactive": Weighted(("inactive", 100.0)),
    "suspended": Weighted(("planned", 50.0), ("accepted", 50.0)),
    "unknown": Weighted(("planned", 100.0)),
}
_MEASURES = Weighted(
    ("probing", 45.0), ("bleeding", 18.0), ("gingival_margin", 18.0), ("mobility", 8.0), ("furcation", 5.0),
    ("mgj", 4.0), ("skip", 2.0),
)  # fmt: skip
_TALKS = Weighted(("call", 40.0), ("email", 20.0), ("meeting", 5.0), ("text", 25.0), ("letter", 7.0), ("other", 3.0))
_ABSENT = {"non_patient", "prospective"}


@dataclass(frozen=True, slots=True)
class Plan:
    """One treatment plan, for its items."""

    id: str | None
    status: str
    proposed: date
    closed: date


def write_chart(case: Case, appointments: list[str]) -> None:
    """Write everything of one patient that is neither a visit nor an account.

    :param appointments: ids of the completed ones, for documents made there.
    """
    if case.person.status not in _ABSENT:
        _write_plans(case)
        _write_perio(case)
        _write_teeth(case)
        _write_prescriptions(case)
    _write_talks(case)
    _write_documents(case, appointments)


def _write_plans(case: Case) -> None:
    rng = case.rng
    count = heavy_tailed(rng, 0.4) or int(case.person.number <= len(PLAN_STATUSES.values))
    for _ in range(count):
        _write_plan(case, PLAN_STATUSES.spread(case.export.rows("treatment_plans"), rng))
    if rng.random() < 0.06 or case.person.number == 10:
        day = case.day(600)
        for _ in range(2):
            _write_item(case, Plan(None, "proposed", day, day))


def _write_plan(case: Case, status: str) -> None:
    rng = case.rng
    proposed = AS_OF - timedelta(days=60 + rng.randrange(900))
    closed = min(proposed + timedelta(days=20 + rng.randrange(200)), AS_OF)
    signed = status in {"accepted", "in_progress", "completed"} and rng.random() < 0.8
    empty = case.export.rows("treatment_plans") == len(PLAN_STATUSES.values) or rng.random() < 0.02
    plan_id = case.emit(
        "treatment_plans",
        "TP",
        {
            "proposed_on": proposed,
            "heading": rng.choice(("Restore the upper left", "Phase one", "Crown and core", "Full mouth, in steps")),
            "note": "Explained twice, leaflet given" if rng.random() < 0.2 else None,
            "status": status,
            "provider_id": case.person.dentist,
            "presenter_id": f"ST{1 + rng.randrange(6)}" if rng.random() < 0.6 else None,
            "signed_at": _at(proposed + timedelta(days=5), 11) if signed else None,
            "completed_on": closed if status == "completed" else None,
            "closed_on": closed if status in {"completed", "rejected", "inactive"} else None,
            "created_at": _at(proposed, 12),
        },
        shape=EMPTY_PLAN if empty else None,
    )
    if not empty:
        plan = Plan(plan_id, status, proposed, closed)
        for number in range(1 + heavy_tailed(rng, 3.4) + (status == "rejected")):
            _write_item(case, plan, number)


def _write_item(case: Case, plan: Plan, number: int = 0) -> None:
    rng, code = case.rng, case.rng.choice(CODES)
    statuses = _ITEM_STATUSES[plan.status]
    status = statuses.spread(number, rng) if plan.status == "rejected" else statuses.draw(rng)
    item_id = case.emit(
        "treatment_plan_items",
        "TI",
        {
            "plan_id": plan.id,
            "procedure_code_id": code.id,
            "code": code.code,
            "description": code.wording,
            "tooth": tooth(rng, adult=case.person.adult) if code.code > "D1350" else None,
            "surface": rng.choice(words.SURFACES) or None,
            "fee": money(code.cents),
            "quantity": 2 if rng.random() < 0.04 else 1,
            "discount": money(code.cents // 20) if rng.random() < 0.1 else None,
            "status": status,
            "original_status": status.title(),
            "planned_on": plan.proposed,
            "completed_on": plan.closed if status == "completed" else None,
            "provider_id": case.person.dentist,
            "priority": rng.choice(("1", "2", "Next", None)),
            "created_at": _at(plan.proposed, 12),
        },
        ordinary=plan.id is not None and status != "deleted",
        shape=LOOSE_ITEM if plan.id is None and status != "deleted" else None,
    )
    if plan.id is not None and item_id is not None and number == 0:  # the item says so too: it changes nothing
        link_id = case.export.next_id("treatment_plan_links", "TL")
        case.export.emit("treatment_plan_links", {"id": link_id, "plan_id": plan.id, "item_id": item_id}, None, None)


def _write_perio(case: Case) -> None:
    rng, traits = case.rng, case.person.traits
    count = 3 if "several_perio" in traits else int(rng.random() < 0.29)
    latest = AS_OF - timedelta(days=rng.randrange(200))
    for number in range(count):
        exam_id = case.emit(
            "perio_exams",
            "PE",
            {
                "exam_date": latest - timedelta(days=182 * (count - 1 - number)),
                "provider_id": provider_id(3 + rng.randrange(2)),
                "note": "Home care improved" if rng.random() < 0.3 else None,
            },
        )
        for row in range(14 if case.practice.small else 38 + rng.randrange(19)):
            _write_measure(case, exam_id, row)


def _write_measure(case: Case, exam_id: str | None, row: int) -> None:
    rng = case.rng
    kind = _MEASURES.values[0] if row == 0 else _MEASURES.draw(rng)
    sites: dict[str, int | None] = dict.fromkeys(("mb", "b", "db", "ml", "l", "dl"))
    if kind in {"mobility", "furcation", "skip"}:
        sites["b"] = 1
    else:
        sites = {site: _depth(rng, kind) for site in sites}
    case.emit("perio_measurements", "PM", {"exam_id": exam_id, "tooth": str(1 + row % 32), "kind": kind, **sites})


def _depth(rng: random.Random, kind: str) -> int | None:
    drawn = rng.random()
    if kind == "gingival_margin" and drawn < 0.05:
        return 101 + rng.randrange(3)
    if drawn < 0.08:
        return -1 if drawn < 0.04 else None
    return rng.randrange(2) if kind == "bleeding" else 1 + rng.randrange(3) + (rng.randrange(5) if drawn > 0.9 else 0)


def _write_teeth(case: Case) -> None:
    rng = case.rng
    if "charted" not in case.person.traits:
        return
    for _ in range(1 + heavy_tailed(rng, 6.0 if case.practice.small else 15.0)):
        condition = rng.choice(words.CONDITIONS)
        case.emit(
            "tooth_chart",
            "TC",
            {
                "tooth": tooth(rng, adult=case.person.adult),
                "surface": rng.choice(words.SURFACES) or None if condition == "filling" else None,
                "condition": condition,
                "note": "Seen on the x-ray" if rng.random() < 0.1 else None,
                "recorded_on": case.day(2000),
            },
        )


def _write_prescriptions(case: Case) -> None:
    rng = case.rng
    count = 4 if "several_prescriptions" in case.person.traits else heavy_tailed(rng, 0.1)
    count = count or int(case.practice.small and case.person.number <= 8)
    for number in range(count):
        drug, directions, quantity, controlled = rng.choice(words.DRUGS)
        # The first is on a 31st: the file's own proof that its dates begin with the day.
        first = case.export.rows("prescriptions") == 0
        case.emit(
            "prescriptions",
            "RX",
            {
                "prescribed_on": date(2025, 10, 31) if first else case.day(1200) - timedelta(days=number),
                "drug": drug,
                "directions": directions,
                "quantity": quantity,
                "refills": str(rng.randrange(3)),
                "provider_id": case.person.dentist,
                "notes": "Naïve to opioids; call after two days; señora prefers Spanish" if controlled else None,
                "controlled": controlled,
            },
        )


def _write_talks(case: Case) -> None:
    rng = case.rng
    for _ in range(heavy_tailed(rng, 2.0)):
        kind = _TALKS.spread(case.export.rows("communications"), rng)
        case.emit(
            "communications",
            "CO",
            {
                "happened_at": case.moment(900),
                "kind": kind,
                "direction": rng.choice(("in", "out", "out", "unknown")),
                "topic": rng.choice(words.TOPICS),
                "note": f"{rng.choice(words.TOPICS)}: will call back. Grüße, 再见, شكرا"
                if rng.random() < 0.7
                else None,
                "author_id": f"ST{1 + rng.randrange(6)}" if rng.random() < 0.8 else None,
            },
        )


def _write_documents(case: Case, appointments: list[str]) -> None:
    for number in range(heavy_tailed(case.rng, 2.0 if case.practice.small else 8.0)):
        paper = write_paper(case.export.out, case.person.number, number, case.rng)
        created = case.moment(2500)
        row: Row = {
            "appointment_id": appointments[-1] if appointments and number % 3 == 1 else None,
            "name": paper.name,
            "path": paper.path,
            "description": paper.wording,
            "category": paper.category,
            "created_at": created,
        }
        case.emit("documents", "D", row)


def _at(day: date, hour: int) -> datetime:
    return datetime(day.year, day.month, day.day, hour)
