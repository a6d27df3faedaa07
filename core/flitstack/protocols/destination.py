"""What a destination does: its behaviours, its account, operations and outcomes; and the Protocol of its writer."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
    from datetime import datetime

    from flitstack.protocols.base import JSON, Verb


@dataclass(frozen=True, slots=True)
class ObjectBehaviour:
    """What a destination does with one kind of record; declared once, used by the engine, checked by the test-kit.

    :param verbs: what it can do with it.
    :param cost: budget units per call, by `create`, `update`, `delete`, `list` (one page), `get`.
    :param page_size: records per page at the largest.
    :param key_in: where the source key lives: `field:NAME`, `text:NAME` (a marker in that text, which the writer adds
        to what it sends and takes off what it reads), `content` (recognised by parent, name and size), or `name` (a
        schema item, known by its name).
    :param parents: fields, of which one must be linked.
    :param filter_since: the list can be restricted to what changed since a time.
    :param lag_s: a list shows a record at most this many seconds after its answer came or was given up: a request that
        arrives late and a list that is late share them, so it is 0 for nothing that goes over a network.
    :param settable_times: timestamps a create may set.
    :param delete: what deleting does: `hard` takes a record away for good, `soft` into a bin, `none` is not possible.
    :param restore_days: for how many days a person can bring a deleted record back by hand.
    :param limits: longest text per field, characters.
    :param batch: records that one request of `create`, `update` or `delete` carries; its cost is theirs together.
    :param key_unique: the account refuses a second record with the same source key, or takes it for the first one, and
        the writer finds a record by its key at once (`KeyFinding`): a create in doubt is looked up, not waited for.
    :param cannot_clear: fields that no write empties again once they are filled.
    :param archive: the field that says that a record was put away, "" where there is none.
    :param clash_suffix: of a schema item, what is added to its name where the account has another of that name; the
        name is cut so that both keep within the limit of `name`.
    """

    verbs: frozenset[Verb]
    cost: Mapping[str, int]
    page_size: int
    key_in: str
    parents: tuple[str, ...] = ()
    filter_since: bool = False
    lag_s: float = 5.0
    settable_times: tuple[str, ...] = ()
    delete: Literal["hard", "soft", "none"] = "soft"
    restore_days: int = 0
    limits: Mapping[str, int] = field(default_factory=dict)
    cannot_clear: tuple[str, ...] = ()
    archive: str = ""
    batch: int = 1
    key_unique: bool = False
    clash_suffix: str = " (flit)"


@dataclass(frozen=True, slots=True)
class PeopleFields:
    """Which fields of an object say who it is, for matching.

    :param fields: role (`name`, `emails`, `phones`, `birth_date`, `addresses` ...: `flitstack.matching.roles`) to the
        names that a field of it may have in an account; letter case does not count.
    """

    fields: Mapping[str, tuple[str, ...]]
    is_organization: bool = False


@dataclass(frozen=True, slots=True)
class Behaviours:
    """What the engine may rely on, per object.

    :param objects: in the order in which they must exist: schema items first, parents before children.
    :param schema_objects: those of them that are schema items (fields, pipelines, types).
    :param user: what links call the object that owns records; users are matched by e-mail.
    :param max_batch: operations that one `apply` takes.
    :param concurrency: requests that may be under way at once.
    :param schema_reading: what reading all schema items once takes; None when it is one listing of each.
    :param people: objects that stand for people and organizations: what the account has of them is matched.
    :param irreversible: what an undo cannot take back there, in words, for a person.
    """

    objects: Mapping[str, ObjectBehaviour]
    schema_objects: tuple[str, ...]
    user: str = "user"
    max_batch: int = 1
    concurrency: int = 8
    schema_reading: Spent | None = None
    people: Mapping[str, PeopleFields] = field(default_factory=dict)
    irreversible: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class User:
    """A user of the account, as an owner of records."""

    id: str
    name: str
    email: str
    active: bool
    is_admin: bool = False


@dataclass(frozen=True, slots=True)
class Account:
    """The account a token belongs to.

    :param id: stable identity of the account, for the journal.
    :param facts: what templates may use (`currency`, `time_zone`, `plan`, `name`).
    :param slots: per schema object the items that can still be created; absent means no cap is known.
    :param daily_budget: units a day for the whole account, None when unknown.
    :param compromises: what is particular to this account and a person should know, in words, for the gate.
    """

    id: str
    name: str
    user: User
    facts: Mapping[str, JSON]
    slots: Mapping[str, int]
    daily_budget: int | None = None
    compromises: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SchemaItem:
    """A field, pipeline, stage or type: wanted by a spec, or found in the account.

    :param object: `field`, `pipeline`, `stage`, `activity_type`.
    :param name: display name.
    :param of: what it belongs to: an object for a field, a pipeline's name for a stage, else "".
    :param settings: type, options and what else the destination needs, in the spec's words; of an item found, `options`
        are what our records know, and `renamed` maps those that the account calls otherwise by now to what it does.
    :param id: destination id; None for a wanted item.
    :param came_along: the account itself made it when it made what it belongs to, and goes with that again.
    """

    object: str
    name: str
    of: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    id: str | None = None
    came_along: bool = False

    @property
    def key(self) -> str:
        """Its name among all schema items: `field/person/Recall_Type__c`, `pipeline//Treatment Plans`."""
        return f"{self.object}/{self.of}/{self.name}"


@dataclass(frozen=True, slots=True)
class Operation:
    """One intended write, ready to send.

    :param fields: canonical fields: names as in the spec, JSON values; for an update only those that change, None to
        clear one. A schema item's operation has its settings here, with `name` and `of`; an update of one may have
        `remove_options`, options that go.
    :param links: field to destination id, already resolved; "" clears the link.
    :param destination_id: for update and delete.
    """

    id: int
    verb: Verb
    object: str
    key: str
    part: str
    fields: Mapping[str, JSON]
    links: Mapping[str, str]
    destination_id: str | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one operation.

    :param destination_id: the record's id when `error` is None.
    :param error: one of the error tree: NotSent, RateLimited, BudgetExhausted, InDoubt, Rejected, AuthError,
        PlanLimit, Unavailable, Fatal; None when it was done.
    """

    operation: int
    destination_id: str | None = None
    error: Exception | None = None


@dataclass(frozen=True, slots=True)
class Stored:
    """A record as the destination holds it, in canonical form.

    :param key: the source key it carries (in its field or marker), None when it carries none.
    :param fields: as `Operation.fields`, plus what only the destination knows; absent fields are None or missing.
    :param links: field to destination id.
    :param added, updated: by the destination's clock, UTC.
    """

    object: str
    id: str
    key: str | None
    fields: Mapping[str, JSON]
    links: Mapping[str, str]
    added: datetime | None = None
    updated: datetime | None = None


@dataclass(frozen=True, slots=True)
class Spent:
    """Requests and budget units used so far by one writer."""

    requests: int
    tokens: int


class Writer(Protocol):
    """Talks to one account of a destination; its behaviours are the plugin's, as this account's settings have them."""

    @property
    def behaviours(self) -> Behaviours: ...

    async def account(self) -> Account:
        """Return whose account this is.

        :raises AuthError: the token is refused or its user may not do what a migration needs.
        """
        ...

    async def users(self) -> Sequence[User]:
        """Return all users of the account, deactivated ones included."""
        ...

    async def schema(self) -> Sequence[SchemaItem]:
        """Return the account's schema items, each with its id."""
        ...

    def bind(self, items: Mapping[str, SchemaItem]) -> None:
        """Tell the writer which item each name of the spec stands for (`SchemaItem.key` to the account's item).

        What is told adds to what was told before; of an item that the writer itself created, its id is enough. A name
        of the spec that was never told of is an item that the account refused: a record with it is `Rejected`.
        """
        ...

    async def apply(self, operations: Sequence[Operation]) -> list[Outcome]:
        """Carry out at most `max_batch` operations of one object and return an outcome for each, in their order.

        They are of one verb, and as many whatever the `batch` of their object is. Where the account asked to wait, no
        request follows before that time: those that are left get the same RateLimited. What goes wrong is in an
        outcome's `error`, never raised.
        """
        ...

    def list(self, object: str, since: datetime | None = None, parent: str | None = None) -> AsyncIterator[Stored]:
        """Yield what the account holds, through pages at their largest.

        :param since: only what was added or changed at or after this time, where `filter_since` is declared.
        :param parent: `FIELD:ID`, only what hangs on that record.
        """
        ...

    async def get_many(self, object: str, ids: Sequence[str]) -> Sequence[Stored]:
        """Return those of the records that exist."""
        ...

    def comparable(self, object: str, fields: Mapping[str, JSON]) -> Mapping[str, JSON]:
        """Return the fields in the form in which two of them mean the same exactly if they are equal."""
        ...

    def spent(self) -> Spent:
        """Return what this writer has used so far."""
        ...

    async def aclose(self) -> None:
        """Close connections."""
        ...


@runtime_checkable
class Watched(Protocol):
    """A writer that can tell what in the account reacts to records that are written."""

    async def watchers(self) -> Sequence[str]:
        """Return what importing may set off, one thing a line, in words for an admin; asked once, before a gate."""
        ...


@runtime_checkable
class BudgetAsking(Protocol):
    """A writer that can find out, at the least price, whether the account takes requests again."""

    async def budget_is_open(self) -> bool:
        """Send one request of the smallest price; return whether the account answered it.

        :raises Unavailable: the destination does not answer at all.
        """
        ...


@runtime_checkable
class Surveying(Protocol):
    """A writer that can tell of everything that may hang on a record."""

    def leads_to(self, object: str) -> Mapping[str, str]:
        """Return every link that records of the object may have, with the object that it leads to."""
        ...

    def archived(self, object: str) -> AsyncIterator[Stored]:
        """Yield the records that are there and that `list` leaves out."""
        ...


@runtime_checkable
class KeyFinding(Protocol):
    """A writer that can ask for records by the source keys they carry, where `key_unique` is declared."""

    async def find(self, object: str, keys: Sequence[str]) -> Sequence[Stored]:
        """Return those of the records that exist; one written before the call is found, however lists may lag."""
        ...


@runtime_checkable
class FileHashing(Protocol):
    """A writer that can read a file's bytes back."""

    async def file_sha256(self, destination_id: str) -> str:
        """Return the SHA-256 (hexadecimal) of a stored file's bytes; priced `hash` among its costs.

        :raises Rejected: the account has no such file.
        """
        ...


@runtime_checkable
class Learning(Protocol):
    """A writer that finds out, while it works, how the account behaves."""

    def learned(self) -> Mapping[str, JSON]:
        """Return what was found out by this writer, by name; kept in the journal and handed to the next writer."""
        ...


@dataclass(frozen=True, slots=True)
class Probe:
    """One question to an account that only trying answers.

    :param name: stable name; the journal keeps the answer as `probe.NAME`.
    :param question: in words, for a person.
    :param creates: how many throwaway records of each object it makes at most.
    :param cost: budget units at most, removing what it made included.
    :param on_request: it has an effect that not everybody wants, which `warning` names: asked only when named.
    """

    name: str
    question: str
    creates: Mapping[str, int]
    cost: int
    on_request: bool = False
    warning: str = ""


@dataclass(frozen=True, slots=True)
class ProbeAnswer:
    """What an account answered.

    :param value: for the journal and the writer; None when trying did not tell.
    :param words: the answer, for a person; why it is not known when `value` is None.
    :param changes: what it changes for a migration, for a person; "" when nothing.
    """

    value: JSON
    words: str
    changes: str = ""


class Bench(Protocol):
    """Where a probe makes its throwaway records: each is journaled before it exists, and removed afterwards."""

    async def make(
        self, object: str, create: Callable[[str], Awaitable[str | None]], name: str | None = None
    ) -> str | None:
        """Create one throwaway record and return its id.

        :param create: creates the record under the name it is given, and returns its id, None when it was refused.
        :param name: of an earlier record of this bench, to give it to a second one; a new name when left out.
        """
        ...


@runtime_checkable
class Probing(Protocol):
    """A writer that can find out by trying what nobody has written down about the account."""

    def probes(self) -> Sequence[Probe]:
        """Return the questions it can ask, in the order of asking."""
        ...

    async def ask(self, probe: str, bench: Bench) -> ProbeAnswer:
        """Ask one question; every record it makes is made through the bench, and named as the bench says."""
        ...

    async def remove(self, object: str, name: str, destination_id: str | None, since: datetime) -> bool:
        """Remove the record, or without an id every record that bears the name; a name is unlike any other.

        :param since: when it was about to be made.
        :return: whether nothing that bears the name is left; False when the record of this id bears another name by
            now, which is a person's doing and left alone.
        """
        ...
