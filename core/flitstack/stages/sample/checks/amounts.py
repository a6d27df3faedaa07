"""Amounts against the source's: sign and scale, one by one or summed."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

from flitstack.stages.sample.checks.found import EXAMPLES, FEWEST, Flag, Frame, common
from flitstack.stages.sample.observed import is_id, texts_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from flitstack.protocols import JSON
    from flitstack.stages.sample.observed import Observed

AGREES = 0.5
MOSTLY = 0.4
SCALES = {Decimal(n) for n in (-1, 10, 100, 1000, -100)} | {Decimal("0.1"), Decimal("0.01"), Decimal("0.001")}


def check_amounts(observed: Sequence[Observed], field: str, frame: Frame) -> Iterator[Flag]:
    """Look at a field of numbers beside the source's columns of numbers."""
    pairs = [(each, number) for each in observed if (number := _number(each.held.get(field))) is not None]
    if len(pairs) < FEWEST or len(pairs) < sum(bool(texts_of(each.held.get(field))) for each in observed):
        return
    best: tuple[int, str, Decimal, list[str], int] | None = None
    for column in _columns(pairs):
        ratios: list[tuple[str, Decimal]] = []
        for each, number in pairs:
            for source in _of_source(each, column)[:1]:
                if source and number:
                    ratios.append((each.key, (number / source).quantize(Decimal("0.0001"))))
        ratio, count, of = common(ratio.normalize() for _, ratio in ratios)
        if of < FEWEST or of < len(pairs) / 10:
            continue
        if ratio == 1 and count >= of * AGREES:
            return
        keys = [key for key, found in ratios if found == ratio]
        if ratio in SCALES and count >= of * MOSTLY and (best is None or count > best[0]):
            best = (count, column, ratio, keys, of)
    if best is not None:
        count, column, ratio, keys, of = best
        if ratio == -1:
            yield _flag("sign", frame, field, f"Amounts have the opposite sign of {column}.", keys, of)
        else:
            yield _flag("scale", frame, field, f"Amounts are {ratio.normalize():f} times those of {column}.", keys, of)


def _columns(pairs: Sequence[tuple[Observed, Decimal]]) -> list[str]:
    found: dict[str, None] = {}
    for each, _ in pairs:
        for row in each.rows():
            for name, value in row.data.items():
                if _number(value) is not None and not is_id(name):
                    found[f"{row.stream}.{name}"] = None
    return list(found)


def _of_source(each: Observed, column: str) -> list[Decimal]:
    """Return a column's sum over a record's rows: of one row its value."""
    stream, _, name = column.rpartition(".")
    numbers = [n for row in each.rows() if row.stream == stream and (n := _number(row.data.get(name))) is not None]
    return [sum(numbers, Decimal(0))] if numbers else []


def _number(value: JSON) -> Decimal | None:
    if isinstance(value, dict):
        value = value.get("value")
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return None
    return number if number.is_finite() and abs(number) < Decimal(10) ** 12 else None


def _flag(code: str, frame: Frame, field: str, text: str, keys: Sequence[str], of: int) -> Flag:
    return Flag(code, frame.entry, field, text, len(keys), of, tuple(keys[:EXAMPLES]))
