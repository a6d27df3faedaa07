"""Money: the totals that a practice compares with its own report and signs, and balances that do not agree."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from flitstack.protocols import Finding
from flitstack.validators.lines import Lines, Words, line

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from flitstack.protocols import Severity, StagedView

BALANCES = {
    "balances_disagree": Words(
        "warning",
        "Patients whose two balances differ by more than a cent.",
        "The balance is moved as such, the other as the amount outstanding.",
        "Which of the two holds?",
        "each is moved under its own name",
    ),
    "balance_without_ageing": Words(
        "warning", "Patients who owe money, and nothing says since when.", "The balance is moved."
    ),
    "ageing_differs": Words(
        "warning",
        "Patients whose ages of debt do not add up to their balance.",
        "The balance is moved; ages of debt are not.",
    ),
    "large_credit": Words(
        "warning",
        "Patients with a credit of more than 1,000.",
        "It is moved as a negative balance.",
        "Are these credits real?",
        "moved as they are",
    ),
}
LEDGER = {
    "no_amount": Words("warning", "Ledger lines without an amount.", "Ledger lines are not moved; balances are."),
    "reversal": Words(
        "info",
        "Ledger lines that undo another of the same patient and day.",
        "Ledger lines are not moved; balances are.",
    ),
}
AGES = ("days_0_30", "days_31_60", "days_61_90", "days_over_90")
AGE_WORDS = ("0-30 days", "31-60 days", "61-90 days", "over 90 days")
CENT = Decimal("0.01")
LARGE = Decimal(1000)
SIGN = "Compare with the practice's own report of the same day, and sign."


def _amount(data: Mapping[str, Any], name: str) -> Decimal | None:
    value = data.get(name)
    return None if value is None else Decimal(str(value))


def _figure(code: str, message: str, amount: Decimal, stream: str, count: int, severity: Severity = "info") -> Finding:
    return Finding(code, message, severity, stream, count, section="ledger", handling=SIGN, figure=f"{amount:,.2f}")


def check_balances(view: StagedView) -> Iterator[Finding]:
    """Yield the totals to be signed, and balances that disagree with themselves."""
    stream = "account_balances"
    if stream not in view.streams():
        yield Finding(
            "no_balances", "The export holds no balances; they are never rebuilt from ledger lines.", "warning",
            section="ledger", decision="Can the practice export a list of balances?", default="no balance is moved",
        )  # fmt: skip
        return
    lines = Lines(BALANCES, stream, "ledger", view.count(stream))
    owed, credit, owing, in_credit = Decimal(0), Decimal(0), 0, 0
    ages = [Decimal(0)] * len(AGES)
    days = Counter[str]()
    for record in view.records(stream):
        balance, known = _amount(record.data, "balance"), [_amount(record.data, name) for name in AGES]
        for code in _of_balance(balance, _amount(record.data, "outstanding"), known):
            lines.add(code, record.id)
        if balance is not None and balance > 0:
            owed, owing = owed + balance, owing + 1
        elif balance is not None and balance < 0:
            credit, in_credit = credit + balance, in_credit + 1
        for place, amount in enumerate(known):
            ages[place] += amount or 0
        days[str(record.data.get("balance_on") or "no day")] += 1
    yield _figure("total_owed", "Owed by patients (sum of positive balances).", owed, stream, owing)
    yield _figure("total_credit", "In credit (sum of negative balances).", credit, stream, in_credit)
    yield _figure("total_net", "Net: total accounts receivable.", owed + credit, stream, view.count(stream))
    for code, words, amount in zip(AGES, AGE_WORDS, ages, strict=True):
        yield _figure(f"total_{code}", f"Of it, {words} old.", amount, stream, view.count(stream))
    words_ = Words("info", "Days of the balances: what they say holds for that day.")
    yield line("balance_days", words_, stream, "ledger", days.total(), spread=tuple(days.most_common(5)))
    yield from lines.findings()


def _of_balance(balance: Decimal | None, outstanding: Decimal | None, ages: list[Decimal | None]) -> Iterator[str]:
    if balance is None:
        return
    # What is outstanding cannot be less than nothing: a credit beside 0.00 agrees.
    if outstanding is not None and CENT < abs(balance - outstanding) and (balance > 0 or outstanding):
        yield "balances_disagree"
    aged = sum((age for age in ages if age is not None), Decimal(0))
    if balance > 0 and not any(ages):
        yield "balance_without_ageing"
    elif any(ages) and abs(aged - balance) > CENT:
        yield "ageing_differs"
    if balance < -LARGE:
        yield "large_credit"


def check_ledger(view: StagedView) -> Iterator[Finding]:
    """Yield the ledger's sums by kind, lines without an amount, and lines that undo each other."""
    if "ledger" not in view.streams():
        return
    lines = Lines(LEDGER, "ledger", "ledger", view.count("ledger"))
    sums: dict[str, Decimal] = {}
    counts = Counter[str]()
    waiting = Counter[int]()
    for record in view.records("ledger"):
        data = record.data
        kind, amount = str(data.get("kind")), _amount(data, "amount")
        counts[kind] += 1
        if amount is None:
            lines.add("no_amount", record.id)
            continue
        sums[kind] = sums.get(kind, Decimal(0)) + amount
        if not amount:
            continue
        place = (data.get("patient_id"), kind, data.get("posted_on"))
        if waiting[hash((*place, -amount))] > 0:
            waiting[hash((*place, -amount))] -= 1
            lines.add("reversal", record.id)
        else:
            waiting[hash((*place, amount))] += 1
    for kind, total in sorted(sums.items()):
        yield _figure(f"ledger_{kind}", f"Ledger: {kind.replace('_', ' ')}s in all.", total, "ledger", counts[kind])
    yield from lines.findings()
