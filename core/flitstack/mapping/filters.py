"""The filters and tests of expressions: a small part of Jinja's, none of which turns a missing value into text."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Any, cast

from jinja2 import Undefined, filters, pass_context, tests

from flitstack.mapping.access import read_path
from flitstack.mapping.canonical import LONGEST_TEXT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from jinja2.runtime import Context


def _on_text(method: Callable[[str], str]) -> Callable[[str | None], str | None]:
    def apply(value: str | None) -> str | None:
        return None if value is None else method(value)

    return apply


def _replace(value: str | None, old: str, new: str) -> str | None:
    if value is None:
        return None
    if len(value) + (value.count(old) + 1) * len(new) > LONGEST_TEXT:
        raise ValueError("text too long")
    return value.replace(old, new)


def _default(value: Any, alternative: Any) -> Any:
    return alternative if value is None or isinstance(value, Undefined) else value


def _length(value: Any) -> int:
    return 0 if value is None else len(value)


def _first(items: Iterable[Any] | None) -> Any:
    return next(iter(items or ()), None)


def _last(items: Iterable[Any] | None) -> Any:
    return next(iter(list(items or ())[::-1]), None)


def _listed(items: Iterable[Any] | None) -> list[Any]:
    return list(items or ())


def _reverse(items: Iterable[Any] | None) -> list[Any]:
    return list(items or ())[::-1]


def _field(item: Any, attribute: str | None) -> Any:
    return item if attribute is None else read_path(item, attribute)


def _sort(items: Iterable[Any] | None, reverse: bool = False, attribute: str | None = None) -> list[Any]:
    """Return the items in order; those without a value come last, either way."""
    pairs = [(_field(item, attribute), item) for item in items or ()]
    there = sorted((pair for pair in pairs if pair[0] is not None), key=lambda pair: pair[0], reverse=reverse)
    return [item for _, item in there] + [item for value, item in pairs if value is None]


def _sum(items: Iterable[Any] | None, attribute: str | None = None) -> Any:
    return sum(value for value in (_field(item, attribute) for item in items or ()) if value is not None)


def _extreme(choice: Callable[..., Any]) -> Callable[..., Any]:
    def apply(items: Iterable[Any] | None, attribute: str | None = None) -> Any:
        there = [item for item in items or () if _field(item, attribute) is not None]
        return choice(there, key=lambda item: _field(item, attribute), default=None)

    return apply


def _round(value: int | Decimal | None, places: int = 0) -> Decimal | None:
    if value is None:
        return None
    if not 0 <= places <= 12:
        raise ValueError("places out of range")
    return Decimal(str(value)).quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)


def _whole(value: Any) -> int | None:
    """Return a whole number; a text that is none is an error, never 0."""
    return None if value is None else int(value)


def _absolute(value: Any) -> Any:
    return None if value is None else abs(value)


def _items(value: Mapping[str, Any] | None) -> list[tuple[str, Any]]:
    return list((value or {}).items())


def _now(lazy: Callable[..., Iterable[Any]]) -> Callable[..., list[Any]]:
    """Return Jinja's filter with its result listed: a generator could be read only once."""

    @pass_context
    def apply(context: Context, items: Iterable[Any] | None, *arguments: Any, **named: Any) -> list[Any]:
        return list(lazy(context, items or (), *arguments, **named))

    return apply


FILTERS: Mapping[str, Callable[..., Any]] = {
    "abs": _absolute,
    "capitalize": _on_text(str.capitalize),
    "count": _length,
    "default": _default,
    "first": _first,
    "int": _whole,
    "items": _items,
    "last": _last,
    "length": _length,
    "list": _listed,
    "lower": _on_text(str.lower),
    "map": _now(filters.sync_do_map),
    "max": _extreme(max),
    "min": _extreme(min),
    "reject": _now(filters.sync_do_reject),
    "rejectattr": _now(filters.sync_do_rejectattr),
    "replace": _replace,
    "reverse": _reverse,
    "round": _round,
    "select": _now(filters.sync_do_select),
    "selectattr": _now(filters.sync_do_selectattr),
    "sort": _sort,
    "sum": _sum,
    "title": _on_text(str.title),
    "trim": _on_text(str.strip),
    "upper": _on_text(str.upper),
}


def _is_present(value: Any) -> bool:
    return value is not None and value != [] and not (isinstance(value, str) and not value.strip())


_TESTS_OF_JINJA = (
    "boolean", "divisibleby", "eq", "equalto", "even", "false", "ge", "greaterthan", "gt", "in", "le", "lessthan", "lt",
    "mapping", "ne", "none", "number", "odd", "sequence", "string", "true", "==", "!=", "<", "<=", ">", ">=",
)  # fmt: skip
TESTS: Mapping[str, Callable[..., Any]] = {
    **{name: cast("Callable[..., bool]", tests.TESTS[name]) for name in _TESTS_OF_JINJA},
    "present": _is_present,
}
