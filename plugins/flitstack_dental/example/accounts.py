"""The example's accounts: who covers a patient, what the patient owes, and the ledger that does not add up to it."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

from flitstack_dental.example.defects import NO_AGEING
from flitstack_dental.example.practice import AS_OF
from flitstack_dental.example.words import Weighted, heavy_tailed

if TYPE_CHECKING:
    from flitstack_dental.example.defects import Row
    from flitstack_dental.example.people import Case

_LEDGER_KINDS = Weighted(
    ("payment", 50.0), ("adjustment", 33.0), ("insurance_payment", 11.0), ("charge", 4.0), ("refund", 2.0)
)


def write_insurance(case: Case) -> None:
    """Write the patient's cover: a subscription, the patient's place under it, perhaps a second one."""
    person = case.person
    if "insured" not in person.traits:
        return
    ordinals = (1, 2) if "secondary_insurance" in person.traits else (1,)
    for ordinal in ordinals:
        expired = ordinal == 1 and "expired_insurance" in person.traits
        start = case.day(1500) - timedelta(days=400)
        policy = f"M{case.rng.randrange(10**8):08d}"
        plan = case.practice.plan(case.rng)
        ends = AS_OF - timedelta(days=30 + case.rng.randrange(300)) if expired else None
        member: Row = {"plan_id": plan, "policy_number": policy, "effective_on": start, "terminated_on": ends}
        owner = person.id if person.adult else person.family.guarantor
        subscription = case.export.next_id("insurance_subscriptions", "IS")
        case.export.emit("insurance_subscriptions", {"id": subscription, "subscriber_id": owner, **member})
        relation = "self" if owner == person.id else "child"
        place: Row = {"subscription_id": subscription, "ordinal": ordinal, "relationship": relation, "pending": False}
        case.emit("patient_insurance", "PI", {**member, **place})


def write_money(case: Case, last_visit: date | None) -> None:
    """Write the balance as the practice states it, and the lines of the ledger, which do not add up to it."""
    rng, traits = case.rng, case.person.traits
    cents = 0
    if "credit_balance" in traits:
        cents = -(500 + rng.randrange(40000))
    elif "balance_due" in traits:
        cents = 500 + rng.randrange(90000)
    aged = cents > 0 and "no_ageing" not in traits
    paid = last_visit + timedelta(days=14) if last_visit is not None and rng.random() < 0.8 else None
    case.emit(
        "account_balances",
        "B",
        {
            "balance": money(cents),
            "outstanding": money(max(cents, 0)),
            "insurance_estimate": money(rng.randrange(20000)) if rng.random() < 0.1 else None,
            "days_0_30": money(cents // 2) if aged else None,
            "days_31_60": money(cents - cents // 2) if aged else None,
            "days_61_90": money(0) if aged else None,
            "days_over_90": money(0) if aged else None,
            "balance_on": AS_OF,
            "last_payment_on": min(paid, AS_OF) if paid is not None else None,
        },
        shape=NO_AGEING if cents > 0 and not aged else None,
    )
    for _ in range(heavy_tailed(rng, 3.0 if case.practice.small else 9.0)):
        kind = _LEDGER_KINDS.draw(rng)
        amount = 500 + rng.randrange(60000)
        case.emit(
            "ledger",
            "LE",
            {
                "kind": kind,
                "posted_on": case.day(2500),
                "amount": money(amount if kind in {"charge", "refund"} else -amount),
                "method": rng.choice(("card", "cash", "check", "transfer")) if kind == "payment" else None,
                "note": "Reversed by the office" if rng.random() < 0.02 else None,
            },
        )


def money(cents: int) -> str:
    """Return an amount in cents as decimal text."""
    sign = "-" if cents < 0 else ""
    return f"{sign}{abs(cents) // 100}.{abs(cents) % 100:02d}"
