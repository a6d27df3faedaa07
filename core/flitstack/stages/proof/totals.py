"""Totals: sums of money at the source, and over the same records as the account holds them.

A map says which (`totals`): a field of an object, and what of the source it stands for.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from flitstack.mapping.yamltext import read_yaml
from flitstack.stages.proof.differences import CHANGED, Total

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from flitstack.journal import Journal
    from flitstack.protocols import JSON
    from flitstack.stages.context import RunContext
    from flitstack.stages.proof.differences import Verification

ZERO = Decimal(0)
_SIGNS = {"positive": 1, "negative": -1}


@dataclass(frozen=True, slots=True)
class Wanted:
    """One total that a map asks for.

    :param stream: whose rows `amount` is computed of: columns, joined by `*`, `+` and `-`; "" when the source has none.
    :param unless: column to the value of rows that do not count.
    :param why: why no field holds it; "" when one does.
    :param sign: 1 or -1 when only amounts of that sign count, 0 for all.
    """

    name: str
    object: str
    field: str
    stream: str
    amount: str
    unless: Mapping[str, JSON]
    sign: int
    why: str

    def of_row(self, row: Mapping[str, JSON]) -> Decimal:
        """Return a row's amount."""
        if any(row.get(name) == value for name, value in self.unless.items()):
            return ZERO
        return self.counted(_formula(self.amount, row))

    def counted(self, amount: Decimal | None) -> Decimal:
        """Return an amount, 0 when it is none or of the other sign."""
        return amount if amount is not None and amount * self.sign >= 0 else ZERO


@dataclass(slots=True)
class Sums:
    """Adds up what is read back.

    :param sums: per total, as written and as held.
    """

    journal: Journal
    wanted: tuple[Wanted, ...]
    sums: list[list[Decimal]] = field(default_factory=list)

    @classmethod
    def of(cls, ctx: RunContext) -> Sums:
        """Return the sums that the map asks for, at zero."""
        text = ctx.journal.proving.spec_text(ctx.spec_sha256)
        wanted = tuple(_wanted((read_yaml(text, "mapping spec").data or {}).get("totals") or ())) if text else ()
        return cls(ctx.journal, wanted, [[ZERO, ZERO] for _ in wanted])

    def add(self, object_: str, expected: Mapping[str, JSON], held: Mapping[str, JSON]) -> None:
        """Add one record of ours, in comparable form."""
        for one, sums in zip(self.wanted, self.sums, strict=True):
            if one.object == object_ and one.field in expected:
                sums[0] += one.counted(amount_of(expected[one.field]))
                sums[1] += one.counted(amount_of(held.get(one.field)))

    def totals(self, result: Verification) -> list[Total]:
        """Return the totals, each beside the source's own; note those that no field holds as not compared."""
        for one in self.wanted:
            rows = sum(bool(one.of_row(row)) for row, _ in self._rows(one)) if one.why else 0
            if rows:
                result.uncompared[one.object, one.name, one.why] += rows
        pairs = zip(self.wanted, self.sums, strict=True)
        return [self._total(one, sums[0], sums[1], result) for one, sums in pairs if not one.why]

    def _rows(self, one: Wanted) -> Iterable[tuple[Mapping[str, JSON], bool]]:
        return self.journal.proving.amounts(one.stream, one.object) if one.stream else ()

    def _total(self, one: Wanted, written: Decimal, held: Decimal, result: Verification) -> Total:
        source, left, rows = ZERO, ZERO, 0
        for row, there in self._rows(one):
            amount = one.of_row(row)
            source += amount
            if not there and amount:
                left += amount
                rows += 1
        why = {d.kind for d in result.differences if d.object == one.object and (not d.fields or one.field in d.fields)}
        stated = source if one.stream else None
        return Total(one.name, one.object, one.field, stated, left, rows, written, held, why == {CHANGED})


def amount_of(value: JSON) -> Decimal | None:
    """Return the amount of a field, whether it stands alone or beside its currency; None when it has none."""
    if isinstance(value, dict):
        value = value.get("value")
    if value is None or isinstance(value, bool | list | dict):
        return None
    try:
        return Decimal(str(value))
    except InvalidOperation:
        return None


def _wanted(declared: Iterable[Mapping[str, Any]]) -> Iterable[Wanted]:
    for one in declared:
        sign = _SIGNS.get(one.get("sign", ""), 0)
        yield Wanted(
            one["total"],
            one["object"],
            one.get("field", ""),
            one.get("from", ""),
            one.get("amount", ""),
            one.get("unless") or {},
            sign,
            one.get("why", ""),
        )


def _formula(text: str, row: Mapping[str, JSON]) -> Decimal:
    """Return the sum of terms, each a product of columns; a first column that is empty is 0, another one 1."""
    total = ZERO
    for sign, term in re.findall(r"([+-]?)\s*([a-z0-9_]+(?:\s*\*\s*[a-z0-9_]+)*)", text):
        first, *others = (amount_of(row.get(name.strip())) for name in term.split("*"))
        product = first or ZERO
        for factor in others:
            product *= Decimal(1) if factor is None else factor
        total += -product if sign == "-" else product
    return total
