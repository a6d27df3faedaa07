"""Holds what behaviours declare against the types in which they are declared, and against each other."""

from __future__ import annotations

import types
from collections.abc import Awaitable, Callable, Mapping, Sequence, Set
from dataclasses import fields, is_dataclass
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, Union, get_args, get_origin, get_type_hints

from flitstack.protocols import JSON, Verb

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flitstack.protocols import Behaviours, ObjectBehaviour

_NAMES = {
    "Awaitable": Awaitable, "Callable": Callable, "JSON": JSON, "Mapping": Mapping, "Sequence": Sequence,
    "Verb": Verb, "datetime": datetime,
}  # fmt: skip


def misfits(value: Any, where: str = "behaviours") -> list[str]:
    """Return which fields of a dataclass hold what their type does not allow, one sentence each."""
    kind: Any = type(value)
    return [said for name, hint in _hints(kind) for said in _unlike(getattr(value, name), hint, f"{where}.{name}")]


def contradictions(behaviours: Behaviours) -> list[str]:
    """Return what of behaviours does not agree with the rest of them, one sentence each."""
    objects = behaviours.objects
    order = list(objects)
    wrong = [f"{name}: {said}" for name, one in objects.items() for said in _of_object(one, behaviours)]
    first_record = next((order.index(name) for name in order if name not in behaviours.schema_objects), len(order))
    late = [name for name in behaviours.schema_objects if name not in order or order.index(name) > first_record]
    wrong += [f"{name}: schema items come first in `objects`, and it is not among the first" for name in late]
    nobody = [name for name in behaviours.people if name not in objects]
    wrong += [f"{name}: stands in `people`, but is none of the `objects`" for name in nobody]
    wrong += [f"concurrency is {behaviours.concurrency}, and must be 1 or more"] * (behaviours.concurrency < 1)
    return wrong


def _of_object(one: ObjectBehaviour, behaviours: Behaviours) -> Iterator[str]:
    for call in (*sorted(one.verbs), "list"):
        if call not in one.cost:
            yield f"{call} has no cost: name its price in `cost`"
    for what, least, found in (
        ("page_size", 1, one.page_size), ("batch", 1, one.batch), ("lag_s", 0, one.lag_s),
        ("restore_days", 0, one.restore_days), *((f"the cost of {call}", 0, units) for call, units in one.cost.items()),
        *((f"the limit of {field}", 1, most) for field, most in one.limits.items()),
    ):  # fmt: skip
        if found < least:
            yield f"{what} is {found}, and must be {least} or more"
    if one.batch > behaviours.max_batch:
        yield f"a batch of {one.batch}, but no more than max_batch={behaviours.max_batch} are ever sent at once"
    if one.delete != "none" and "delete" not in one.verbs:
        yield f'delete is "{one.delete}", but delete is not among the verbs: declare delete="none"'
    if one.restore_days and one.delete != "soft":
        yield f'can be restored for {one.restore_days} days, but delete is "{one.delete}" and not "soft"'
    if one.key_unique and one.key_in == "content":
        yield "key_unique is declared, but it carries no key (key_in is content)"


@cache
def _hints(kind: Any) -> tuple[tuple[str, Any], ...]:
    known = get_type_hints(kind, localns=_NAMES)
    return tuple((field.name, known[field.name]) for field in fields(kind))


def _unlike(value: Any, hint: Any, where: str) -> Iterator[str]:
    """Yield what in a value is not of its type; types that occur nowhere in behaviours are taken as they are."""
    origin, inner = get_origin(hint), get_args(hint)
    if origin is Literal:
        if value not in inner:
            yield f"{where} is {value!r}, which is none of {', '.join(map(repr, inner))}"
    elif origin in (Union, types.UnionType):
        said = [list(_unlike(value, one, where)) for one in inner]
        yield from said[0] if all(said) else ()
    elif origin is Mapping:
        if not isinstance(value, Mapping):
            yield f"{where} is a {type(value).__name__}, not a mapping"
            return
        for key, one in value.items():
            yield from _unlike(key, inner[0], f"a key of {where}")
            yield from _unlike(one, inner[1], f"{where}[{key!r}]")
    elif origin in (tuple, frozenset):
        wanted: Any = Sequence if origin is tuple else Set
        if isinstance(value, str) or not isinstance(value, wanted):
            yield f"{where} is a {type(value).__name__}, not a {origin.__name__}"
            return
        for one in value:
            yield from _unlike(one, inner[0], f"what is in {where}")
    elif isinstance(hint, type) and is_dataclass(hint) and isinstance(value, hint):
        yield from misfits(value, where)
    elif isinstance(hint, type) and not _is(value, hint):
        yield f"{where} is a {type(value).__name__}, not a {hint.__name__}"


def _is(value: object, kind: type) -> bool:
    if isinstance(value, bool) and kind is not bool:
        return False
    return isinstance(value, (int, float) if kind is float else kind)
