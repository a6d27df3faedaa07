"""What is known of a value before there is one: the kinds that expressions are checked against."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from flitstack.mapping.access import DATE_MEMBERS, MAPPING_MEMBERS, MOMENT_MEMBERS, TEXT_MEMBERS, TIME_MEMBERS

if TYPE_CHECKING:
    from flitstack.mapping.records import Shape


@dataclass(frozen=True, slots=True)
class Scalar:
    """One value: an `x-type` of a schema, or `text`, `integer`, `number`, `boolean`, `none`, `any`."""

    name: str


@dataclass(frozen=True, slots=True)
class OneRecord:
    """A record of a stream, or None."""

    shape: Shape


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list whose items are of one kind."""

    item: Kind


@dataclass(frozen=True, slots=True)
class DictOf:
    """A dict whose keys are known."""

    keys: Mapping[str, Kind]


Kind: TypeAlias = Scalar | OneRecord | ListOf | DictOf

ANY = Scalar("any")
NONE = Scalar("none")
TEXT = Scalar("text")
NUMBERS = frozenset({"integer", "number", "decimal"})

_MEMBERS: Mapping[str, frozenset[str]] = {
    "text": TEXT_MEMBERS,
    "date": DATE_MEMBERS,
    "time": TIME_MEMBERS,
    "datetime": MOMENT_MEMBERS,
    "local-datetime": MOMENT_MEMBERS,
    "any": TEXT_MEMBERS | MOMENT_MEMBERS | MAPPING_MEMBERS,
}
METHODS = TEXT_MEMBERS | MAPPING_MEMBERS | {"date", "time", "weekday", "isoformat"}


def member_kind(kind: Kind, name: str) -> Kind | None:
    """Return the kind of what `name` is of a value of this kind; None when there is no such name."""
    if isinstance(kind, OneRecord):
        return _record_member(kind.shape, name)
    if isinstance(kind, DictOf):
        return kind.keys.get(name) or (ANY if name in MAPPING_MEMBERS else None)
    if isinstance(kind, ListOf):
        return None
    if kind.name == "any":
        return None if name.startswith("_") else ANY
    if name not in _MEMBERS.get(kind.name, ()):
        return None
    if kind.name != "text" and name not in METHODS:
        return Scalar("integer")
    return ANY


def _record_member(shape: Shape, name: str) -> Kind | None:
    if name in ("id", "key"):
        return TEXT
    if name in shape.kinds:
        return Scalar(shape.kinds[name])
    if name in shape.references:
        peer = shape.peers.get(shape.references[name][1])
        return ANY if peer is None else OneRecord(peer)
    return ANY if shape.open and not name.startswith("_") else None


def member_names(kind: Kind) -> frozenset[str]:
    """Return the names that may stand after the dot."""
    if isinstance(kind, OneRecord):
        return kind.shape.names
    if isinstance(kind, DictOf):
        return frozenset(kind.keys)
    return frozenset() if isinstance(kind, ListOf) else _MEMBERS.get(kind.name, frozenset())


def described(kind: Kind) -> str:
    """Return the kind in words, for a message."""
    if isinstance(kind, OneRecord):
        return f"a record of {kind.shape.stream}"
    if isinstance(kind, DictOf):
        return "a dict"
    return "a list" if isinstance(kind, ListOf) else {"none": "nothing", "any": "a value"}.get(kind.name, kind.name)


def joined(one: Kind, other: Kind) -> Kind:
    """Return the kind of a value that is of either kind; None does not count, any value may be missing."""
    if one == other or other == NONE:
        return one
    if one == NONE:
        return other
    if isinstance(one, OneRecord) and isinstance(other, OneRecord) and one.shape.stream == other.shape.stream:
        return one
    return ANY


def kind_of_constant(value: object) -> Kind:
    """Return the kind of a JSON value that is known before any record is."""
    if isinstance(value, bool):
        return Scalar("boolean")
    if isinstance(value, str):
        return TEXT
    if isinstance(value, int):
        return Scalar("integer")
    if isinstance(value, Mapping):
        return DictOf({str(key): kind_of_constant(item) for key, item in value.items()})
    if isinstance(value, list | tuple):
        kinds = [kind_of_constant(item) for item in value]
        return ListOf(kinds[0] if kinds and all(kind == kinds[0] for kind in kinds) else ANY)
    return NONE if value is None else Scalar("number")
