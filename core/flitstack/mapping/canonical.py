"""Turns what an expression gives into canonical JSON, so that equal values are equal texts."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from jinja2 import Undefined

from flitstack.errors import Rejected

if TYPE_CHECKING:
    from flitstack.protocols import JSON

LONGEST_TEXT = 20_000_000
MOST_ITEMS = 100_000
LONGEST_NUMBER = 400
_DEEPEST = 20
_AS_IS = frozenset({str, int, bool, type(None)})
_SCALARS = frozenset({Decimal, datetime, date, time, float})


def exact(value: Any) -> Decimal:
    """Return the number that a text, whole number or Decimal states.

    :raises ValueError: it states none, or one that is endless or of an absurd length.
    """
    try:
        number = Decimal(str(value).strip())
    except InvalidOperation:
        raise ValueError("not a number") from None
    if not number.is_finite() or abs(number.adjusted()) > LONGEST_NUMBER:
        raise ValueError("number out of range")
    return number


def canonical(value: Any, depth: int = 0) -> JSON:
    """Return `value` as canonical JSON.

    Decimal becomes plain text with its places kept, a date ISO text, an aware time `YYYY-MM-DDTHH:MM:SSZ` in UTC,
    a clock time `HH:MM` (with seconds when it has some), a set a sorted list, other collections lists.

    :raises Rejected: a time without a zone (`time_without_zone`).
    :raises TypeError: something that is no value, such as a whole record.
    :raises ValueError: not a finite number, too long or too deep.
    """
    kind = type(value)
    if kind is date:
        return value.isoformat()  # type: ignore[no-any-return]
    if kind in _AS_IS:
        if kind is str and len(value) > LONGEST_TEXT:
            raise ValueError("text too long")
        return value  # type: ignore[no-any-return]
    if kind not in _SCALARS and (isinstance(value, Mapping | list | tuple | set | frozenset) or _is_iterator(value)):
        return _canonical_collection(value, depth)
    return _canonical_scalar(value)


def _canonical_scalar(value: Any) -> JSON:
    if isinstance(value, Decimal):
        return format(exact(value), "f")
    if isinstance(value, datetime):
        return _canonical_time(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, time):
        return value.strftime("%H:%M:%S" if value.second else "%H:%M")
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError("not a finite number")
        return value
    if isinstance(value, str | int) and not isinstance(value, Undefined):
        return str(value) if isinstance(value, str) else int(value)
    raise TypeError(f"{type(value).__name__} is no value")


def _canonical_time(value: datetime) -> str:
    if value.tzinfo is None:
        raise Rejected(
            "time_without_zone",
            "A time has no zone, so which moment it names is unknown.",
            "In the mapping, give it one: at_zone(value, values.time_zone).",
        )
    return value.astimezone(UTC).isoformat(timespec="seconds")[:19] + "Z"


def _is_iterator(value: Any) -> bool:
    return isinstance(value, Iterable) and hasattr(value, "__next__")


def _canonical_collection(value: Any, depth: int) -> JSON:
    if depth >= _DEEPEST:
        raise ValueError("nested too deep")
    if isinstance(value, Mapping):
        if not all(isinstance(key, str) for key in value):
            raise TypeError("a key is not text")
        return {str(key): canonical(item, depth + 1) for key, item in value.items()}
    items: list[JSON] = []
    for item in value:
        if len(items) >= MOST_ITEMS:
            raise ValueError("too many items")
        items.append(canonical(item, depth + 1))
    # A set has no order of its own: the same members must give the same list on every machine.
    return (
        sorted(items, key=lambda item: (type(item).__name__, str(item)))
        if isinstance(value, set | frozenset)
        else items
    )
