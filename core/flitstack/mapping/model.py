"""What a mapping gives for a record: desired records with their links and contributions, or why there are none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flitstack.protocols import JSON, LinkRef

MAIN = "main"
GROUPED = "grouped"
FOLDED = "folded"
SCHEMA_PREFIX = "schema:"


class Contribution(NamedTuple):
    """One source record that a desired record is made of.

    :param role: `main` for the record itself, `grouped` for each of a group, `folded` for one that was collected.
    """

    stream: str
    id: str
    role: str


@dataclass(frozen=True, slots=True)
class Desired:
    """One record as the destination should hold it.

    :param entry: name of the spec's entry that made it.
    :param key: source key, without the part.
    :param part: "" for the first or only one, then "2", "3", ...
    :param fields: canonical JSON by field; None is no value: not written on create, cleared on update.
    """

    object: str
    entry: str
    key: str
    part: str
    fields: Mapping[str, JSON]
    links: Mapping[str, LinkRef]
    contributions: tuple[Contribution, ...]


@dataclass(frozen=True, slots=True)
class Skipped:
    """An entry leaves the record out under a named rule."""

    entry: str
    stream: str
    id: str
    rule: str


@dataclass(frozen=True, slots=True)
class RejectedEntry:
    """An entry cannot make of the record what it should: code, reason and what to do, never a value."""

    entry: str
    stream: str
    id: str
    code: str
    reason: str
    hint: str
    field: str | None = None


@dataclass(frozen=True, slots=True)
class Owner:
    """A person at the source who may own records, to be matched with a user of the destination.

    :param key: source key, as links to a user carry it.
    """

    stream: str
    id: str
    key: str
    email: str | None
    name: str | None
    active: bool


@dataclass(frozen=True, slots=True)
class Lineage:
    """Where a destination field comes from, for the audit log: names only.

    :param expression: as the spec states it.
    :param columns: `stream.field`, sorted.
    """

    expression: str
    columns: tuple[str, ...]
