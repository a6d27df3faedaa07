"""Amounts to sign: the source's own rows summed up beside what the destination holds, and people to look at by hand."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, Literal

from flitstack.protocols import full_key

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from flitstack.journal import Amount, Journal
    from flitstack.mapping.reporting import Signed
    from flitstack.protocols import JSON

ZERO = Decimal(0)
LARGEST = 3
"""So many of the people are those with the largest amounts; the others are drawn by a hash of their keys."""


@dataclass(frozen=True, slots=True)
class Person:
    """A record of the destination to look at by hand.

    :param ids: of the source's rows. :param source, held: amounts; `held` is None where the field holds none.
    :param changed: reading back found that the account holds something else now; `held` is what it held before.
    """

    key: str
    destination_id: str
    ids: tuple[str, ...]
    source: Decimal
    held: Decimal | None
    changed: bool = False

    @property
    def agrees(self) -> bool:
        """Tell whether both sides state the same."""
        return self.held == self.source and not self.changed


@dataclass(frozen=True, slots=True)
class Total:
    """One kind of amount: how many there are and what they come to."""

    count: int = 0
    sum: Decimal = ZERO

    def plus(self, amount: Decimal) -> Total:
        """Return the total with one more."""
        return Total(self.count + 1, self.sum + amount)


@dataclass(frozen=True, slots=True)
class Reconciled:
    """Amounts of both sides.

    :param source: all the rows of the export that can be read. :param owed, credit: those above and below zero.
    :param behind: rows that went into no record of the destination. :param moved: the others.
    :param older: rows that a newer one of the same record replaces. :param held: what the destination holds.
    :param unread: records not read back yet. :param lacking: records that hold no amount though the source states one.
    :param differing: keys of the records where both sides differ. :param currency: "" when none is stated.
    """

    title: str
    why: str
    field: str
    source: Total
    owed: Total
    credit: Total
    behind: Total
    older: Total
    moved: Total
    held: Total
    unread: int
    lacking: int
    differing: tuple[str, ...]
    people: tuple[Person, ...]
    currency: str = ""

    @property
    def agrees(self) -> bool:
        """Tell whether every record that was moved holds what the source states."""
        return not self.differing and not self.unread and not self.lacking

    @property
    def verdict(self) -> Literal["agrees", "differs", "unread", "nothing"]:
        """Return how both sides compare; `unread` and `nothing` while there is too little to compare."""
        if self.differing or self.lacking:
            return "differs"
        return "unread" if self.unread else "agrees" if self.moved.count or not self.source.count else "nothing"

    @property
    def difference(self) -> Decimal:
        """Return what the destination holds more than what was moved."""
        return self.held.sum - self.moved.sum

    def as_json(self) -> dict[str, JSON]:
        """Return what machines and terminals are told: counts and keys; amounts stand on the page alone."""
        return {
            "title": self.title, "field": self.field, "rows": self.source.count, "moved": self.moved.count,
            "stayed_behind": self.behind.count, "replaced_by_newer": self.older.count, "held": self.held.count,
            "unread": self.unread, "lacking": self.lacking, "agrees": self.agrees, "verdict": self.verdict,
            "differing": list(self.differing),
            "people": [{"key": one.key, "id": one.destination_id, "agrees": one.agrees} for one in self.people],
        }  # fmt: skip


@dataclass(slots=True)
class _Held:
    """What the source's rows of one record of the destination come to."""

    destination_id: str
    held: Any
    unread: bool
    rows: list[Amount] = field(default_factory=list)


def reconcile_amounts(journal: Journal, wish: Signed, changed: Collection[tuple[str, str, str]] = ()) -> Reconciled:
    """Return both sides of an amount that is to be signed.

    :param changed: (object, key with its part, field or "") of what reading back found to be otherwise.
    """
    rows = journal.history.amounts(wish.stream, wish.amount, wish.newest, wish.entry, wish.field)
    source, owed, credit, behind, older, moved, held = (Total(),) * 7
    records: dict[tuple[str, str, str], _Held] = {}
    for row in rows:
        amount = amount_of(row.amount) or ZERO
        source = source.plus(amount)
        owed, credit = (owed.plus(amount) if amount > 0 else owed), (credit.plus(amount) if amount < 0 else credit)
        if row.name is None or row.destination_id is None:
            behind = behind.plus(amount)
            continue
        records.setdefault(row.name, _Held(row.destination_id, row.held, row.unread)).rows.append(row)
    people: list[Person] = []
    unread = 0
    for name, record in records.items():
        rows_, replaced = _counting(record.rows, newest=bool(wish.newest))
        for row in replaced:
            older = older.plus(amount_of(row.amount) or ZERO)
        stated = sum((amount_of(row.amount) or ZERO for row in rows_), ZERO)
        found = amount_of(record.held)
        moved = Total(moved.count + len(rows_), moved.sum + stated)
        held = held if found is None else held.plus(found)
        unread += record.unread
        ids = tuple(row.id for row in rows_)
        key = full_key(name[1], name[2])
        moved_on = (name[0], key, wish.field) in changed or (name[0], key, "") in changed
        people.append(Person(key, record.destination_id, ids, stated, found, moved_on))
    seen = [one for one, record in zip(people, records.values(), strict=True) if not record.unread]
    lacking = sum(one.held is None and bool(one.source) for one in seen)
    differing = tuple(one.key for one in seen if one.changed or (one.held is not None and not one.agrees))
    chosen = tuple(choose(people, wish.people, wish.credit))
    return Reconciled(
        wish.title, wish.why, wish.field, source, owed, credit, behind, older, moved, held, unread, lacking, differing,
        chosen, currency_of(record.held for record in records.values()),
    )  # fmt: skip


def _counting(rows: Sequence[Amount], *, newest: bool) -> tuple[list[Amount], list[Amount]]:
    """Return the rows of one record that count, and those that a newer one replaces."""
    if not newest or len(rows) == 1:
        return list(rows), []
    last = max(range(len(rows)), key=lambda at: (rows[at].newest, at))
    return [rows[last]], [row for at, row in enumerate(rows) if at != last]


def choose(people: Sequence[Person], count: int, credit: int) -> list[Person]:
    """Return whom to look at: the largest amounts, and others drawn by a hash of their keys; the same ones each time.

    :param credit: how many of them have less than nothing, where there are so many.
    """
    above = [one for one in people if one.source > 0]
    below = [one for one in people if one.source < 0]
    in_credit = _drawn(below, min(credit, count))
    return _drawn(above, count - len(in_credit)) + in_credit


def _drawn(people: Sequence[Person], count: int) -> list[Person]:
    by_size = sorted(people, key=lambda one: (-abs(one.source), one.key))
    first = by_size[: min(LARGEST, count // 2 if count > 1 else count)]
    rest = sorted(by_size[len(first) :], key=lambda one: hashlib.sha256(one.key.encode()).digest())
    return [*first, *rest[: count - len(first)]]


def amount_of(value: Any) -> Decimal | None:
    """Return an amount as either side states it: a number, its text, or an object with a `value`; None for none."""
    if isinstance(value, dict):
        value = value.get("value", value.get("amount"))
    if value is None or isinstance(value, bool | list):
        return None
    try:
        found = Decimal(str(value))
    except InvalidOperation:
        return None
    return found if found.is_finite() else None


def currency_of(held: Iterable[Any]) -> str:
    """Return the one currency that amounts are stated in, "" when there is none or more than one."""
    found = {str(one["currency"]) for one in held if isinstance(one, dict) and one.get("currency")}
    return found.pop() if len(found) == 1 else ""
