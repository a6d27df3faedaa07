"""What plugins register through hooks."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, BinaryIO, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
    from datetime import date, datetime

    from flitstack.errors import BudgetExhausted
    from flitstack.protocols.base import JSON, Schema
    from flitstack.protocols.destination import Account, Behaviours, Spent, Writer
    from flitstack.protocols.proposing import MapProposing
    from flitstack.protocols.source import Finding, Record, SourceReader


@dataclass(frozen=True, slots=True)
class SourcePlugin:
    """A source: its settings' JSON Schema and the factory of a reader for one export.

    :param open: called with the input's path and validated settings.
    :param required_streams: streams without which there is nothing to move.
    :param demo: returns the path of a bundled example export, made under the folder given.
    :param demo_variables: variables of the map that the demo settles.
    :param audit_sections: (code, title) of the audit's sections, in their order; () for those that core has.
    :param proposing: returns how `flit map` samples its exports and writes what it proposes.
    """

    name: str
    settings_schema: Schema
    open: Callable[[str, Mapping[str, Any]], SourceReader]
    required_streams: tuple[str, ...] = ()
    demo: Callable[[str], str] | None = None
    demo_variables: Mapping[str, Any] = field(default_factory=dict)
    audit_sections: tuple[tuple[str, str], ...] = ()
    proposing: Callable[[], MapProposing] | None = None


async def end_of_budget(exhausted: BudgetExhausted) -> None:
    """:raises BudgetExhausted: always: nobody waits for the next day."""
    raise exhausted


@dataclass(frozen=True, slots=True)
class WriterContext:
    """What core hands to a writer: the clock, and the door to documents' bytes.

    :param spent_today: budget units that earlier runs of this migration spent since midnight, UTC.
    :param exhausted: called, before the request is tried again, when the budget cannot pay for it: returns once it can,
        or raises what it was given.
    :param learned: what this journal has found out about the account, by name (`flit probe`, and earlier runs).
    """

    clock: Any
    open_attachment: Callable[[str], BinaryIO]
    spent_today: int = 0
    learned: Mapping[str, JSON] = field(default_factory=dict)
    exhausted: Callable[[BudgetExhausted], Awaitable[None]] = end_of_budget


@dataclass(frozen=True, slots=True)
class RecordCap:
    """How many records of some objects together an account may hold.

    :param per_seat: records per seat. :param at_most: however many seats; None when nothing more is stated.
    """

    objects: tuple[str, ...]
    per_seat: int
    at_most: int | None = None

    def room(self, seats: int) -> int:
        """Return how many records an account with so many seats may hold."""
        whole = self.per_seat * seats
        return whole if self.at_most is None else min(whole, self.at_most)


@dataclass(frozen=True, slots=True)
class AccountPlan:
    """A plan on which a destination sells accounts, as an estimate needs it.

    :param daily_units: budget units a day, per seat.
    :param requests: that may leave in any `window_s` seconds with one token.
    :param schema_caps: per schema object how many items an account may have; absent means that no cap is known.
    :param record_caps: caps of records.
    :param price: list price per seat and month, as text with its currency (`39 USD`); None when it is not known.
    :param is_sold: whether it can be bought now; customers may keep one that cannot.
    :param price_terms: what the price holds for, in words; `price_date`: the day on which it was looked up, ISO 8601.
    """

    name: str
    daily_units: int
    requests: int
    window_s: float
    schema_caps: Mapping[str, int] = field(default_factory=dict)
    record_caps: tuple[RecordCap, ...] = ()
    price: str | None = None
    price_terms: str = ""
    price_date: str | None = None
    is_sold: bool = True


@dataclass(frozen=True, slots=True)
class AssumedAccount:
    """The account that an estimate stands on when nobody has signed in: empty, on the plan that settings state.

    :param opening: what a run asks of such an account before its first write.
    """

    account: Account
    opening: Spent


@dataclass(frozen=True, slots=True)
class DestinationPlugin:
    """A destination: settings, behaviours and the factory of a writer.

    :param open: called with validated settings and what core hands to a writer.
    :param settings_environment: environment variable per setting; one in `secrets` comes from nowhere else.
    :param demo: returns the settings and the clock of an embedded account kept under the folder given.
    :param plans: the plans on which accounts are sold, for `flit estimate`; where there are several, the settings
        `plan` and `seats` state the account's, and `reserve` the share of the daily units left to others.
    :param assume: returns the account that an estimate stands on when there is no token to sign in with.
    """

    name: str
    settings_schema: Schema
    settings_environment: Mapping[str, str]
    secrets: frozenset[str]
    behaviours: Behaviours
    open: Callable[[Mapping[str, Any], WriterContext], Writer]
    demo: Callable[[str], tuple[Mapping[str, Any], Any]] | None = None
    plans: tuple[AccountPlan, ...] = ()
    assume: Callable[[Mapping[str, Any]], AssumedAccount] | None = None


@dataclass(frozen=True, slots=True)
class Transform:
    """A function that expressions may call.

    :param kind: `function`, `filter` or `test`.
    :param attributes: positions of arguments that name a field of the records in the first argument; checked at load.
    """

    name: str
    call: Callable[..., Any]
    kind: Literal["function", "filter", "test"] = "function"
    attributes: tuple[int, ...] = ()


class StagedView(Protocol):
    """What a validator sees of the staged whole: the last state of every record that can move."""

    def streams(self) -> Sequence[str]: ...

    def schema(self, stream: str) -> Schema: ...

    def as_of(self) -> datetime | date | None:
        """Return the export's own time."""
        ...

    def records(self, stream: str) -> Iterator[Record]: ...

    def texts(self, stream: str) -> Iterator[tuple[str, str]]:
        """Yield id and canonical JSON of each record: a look that needs no parsing."""
        ...

    def count(self, stream: str, state: str = "ok") -> int:
        """Return how many rows of a stream are `ok`, `rejected` or `skipped`."""
        ...

    def tally(self, stream: str, field: str, first: int = 1, length: int = 0) -> Mapping[str | None, int]:
        """Return how many records have each value of a field; those without one under None.

        :param first, length: only these characters of the value (`6, 5`: month and day of a date); 0 for all.
        """
        ...

    def missing_references(self, stream: str, field: str) -> Iterator[str]:
        """Yield the ids of records whose reference leads to no row of the export, whatever became of that row."""
        ...

    def broken_references(self, stream: str) -> Iterator[tuple[str, str, str | None]]:
        """Yield id, field and what is wrong, of records that refer to a row that is not there or cannot move.

        What is wrong is the state of that row (`rejected`, `skipped`), None when the export has no such row. References
        into streams that the export does not hold are not looked at.
        """
        ...


@dataclass(frozen=True, slots=True)
class Validator:
    """A check: over the staged whole, yielding findings."""

    name: str
    source: str
    check: Callable[[StagedView], Iterator[Finding]]


@dataclass(frozen=True, slots=True)
class MappingTemplate:
    """A mapping template for a pair: a path of a file in the package, or a name in the shipped folder."""

    source: str
    destination: str
    path: str
