"""The shapes that rooms pass to each other: small Protocols, and the frozen dataclasses they exchange."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, BinaryIO, Literal, Protocol, TypeAlias, runtime_checkable
from urllib.parse import quote, unquote

if TYPE_CHECKING:
    from datetime import date, datetime

JSON: TypeAlias = bool | int | float | str | list[Any] | dict[str, Any] | None
Schema: TypeAlias = Mapping[str, Any]
Severity: TypeAlias = Literal["info", "warning", "error"]
Verb: TypeAlias = Literal["create", "update", "delete"]


def split_source_key(key: str) -> tuple[str, str, str, str]:
    """Return source id, stream, id and part of a source key, decoded; the part is "" when there is none."""
    whole, _, part = key.partition("#")
    source_id, stream, record_id = (unquote(piece) for piece in whole.split(":", 2))
    return source_id, stream, record_id, unquote(part)


def source_key(source_id: str, stream: str, record_id: str, part: str = "") -> str:
    """Return `SOURCE_ID:stream:id[#part]`; `:`, `#`, `%` and white space inside an id are percent-encoded."""
    safe = "/@+,=()!*'&;~$"
    key = f"{quote(source_id, safe=safe)}:{quote(stream, safe=safe)}:{quote(record_id, safe=safe)}"
    return f"{key}#{quote(part, safe=safe)}" if part else key


# --- source ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Stream:
    """One kind of source record.

    :param name: neutral name, plural (`patients`).
    :param schema: JSON Schema (2020-12) of a record's data. A property may carry `x-references: STREAM` (its value is
        an id of that stream), `x-as` (the name under which an expression reaches the record referred to) and `x-type`
        (`date`, `datetime`, `local-datetime`, `time`, `decimal`): how its text becomes a value in expressions.
    :param files: the files of the export it was read from, for messages.
    :param codebook: field to code to meaning, as the layout or the export states it.
    """

    name: str
    schema: Schema
    files: tuple[str, ...] = ()
    codebook: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Where:
    """Where in the export a record was found; lines count from 1, the header's line included."""

    file: str
    line: int


@dataclass(frozen=True, slots=True)
class Record:
    """One row of a stream: `data` holds JSON values under neutral names; a missing value is None or absent."""

    stream: str
    id: str
    data: Mapping[str, JSON]
    where: Where


@dataclass(frozen=True, slots=True)
class Rejection:
    """A row or record that cannot move: a stable code, the reason and what to do, never a value."""

    stream: str
    id: str | None
    code: str
    reason: str
    hint: str
    where: Where | None = None
    field: str | None = None


@dataclass(frozen=True, slots=True)
class Skip:
    """A row that is noticed and left out by a named rule (`totals_line`, `repeated_header`)."""

    stream: str
    id: str | None
    rule: str
    where: Where


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the audit: counts and source keys, never a value."""

    code: str
    message: str
    severity: Severity = "info"
    stream: str | None = None
    count: int = 1
    keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class InputFile:
    """One file of the export as it was found.

    :param dialect: encoding, delimiter, quote character and line ending in words, for people.
    :param role: the layout's name for it, or None when no stream reads it.
    :param sha256: of the bytes.
    :param dropped: columns that hold secrets and were dropped while parsing.
    """

    name: str
    size: int
    sha256: str
    dialect: str
    role: str | None
    rows: int | None = None
    dropped: tuple[str, ...] = ()


class SourceReader(Protocol):
    """Reads one export."""

    def streams(self) -> Sequence[Stream]:
        """Return the streams this export holds; a stream whose file is absent is not among them.

        :raises NotAnExportError: nothing here is recognised; the message says which setting would help.
        """
        ...

    def known_streams(self) -> Sequence[Stream]:
        """Return every stream this source can have, present or not."""
        ...

    def read(self, stream: str) -> Iterator[Record | Rejection | Skip]:
        """Yield every row of the stream, in the file's order, each as exactly one of the three."""
        ...

    def as_of(self) -> datetime | date | None:
        """Return what the export says of its own time: a setting or its manifest, else the newest clinical or
        transaction date seen while reading (so ask after reading), else None. Never a file's time."""
        ...

    def inventory(self) -> Sequence[InputFile]:
        """Return the files found; rows and dropped columns are complete once their streams were read."""
        ...

    def findings(self) -> Sequence[Finding]:
        """Return what was noticed about the export as a whole (unknown files, empty files, dropped columns)."""
        ...

    def close(self) -> None:
        """Let go of open files."""
        ...


@runtime_checkable
class Attachments(Protocol):
    """A reader whose export holds the bytes of documents."""

    def open_attachment(self, path: str) -> BinaryIO:
        """Return the file's bytes, opened for reading; `path` is as the record states it."""
        ...


@dataclass(frozen=True, slots=True)
class LinkRef:
    """What a field of a desired record points to.

    :param key: source key of the other record; `schema:` and a `SchemaItem.key` for a schema item; "" when the record
        names nothing, which is kept only for a link that is required or has a fallback.
    :param required: without it the desired record cannot be written.
    :param fallback: when nobody is found under the key, the fallback user takes its place.
    """

    object: str
    key: str
    part: str = ""
    required: bool = False
    fallback: bool = False


# --- destination ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ObjectBehaviour:
    """What a destination does with one kind of record; declared once, used by the engine, checked by the test-kit.

    :param verbs: what it can do with it.
    :param cost: budget units per call, by `create`, `update`, `delete`, `list` (one page), `get`.
    :param page_size: records per page at the largest.
    :param key_in: where the source key lives: `field:NAME`, `text:NAME` (a marker in that text), `content`
        (recognised by parent, name and size), or `name` (a schema item, known by its name).
    :param parents: fields, of which one must be linked.
    :param filter_since: the list can be restricted to what changed since a time.
    :param lag_s: a list shows a record at most this many seconds after its write.
    :param settable_times: timestamps a create may set.
    :param delete: what deleting does; `restore_days` says for how long a person can bring it back.
    :param limits: longest text per field, characters.
    :param optional: fields that a kind of account may not have.
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


@dataclass(frozen=True, slots=True)
class Behaviours:
    """What the engine may rely on, per object; `user` names the object that owns records, matched by e-mail.

    :param objects: in the order in which they must exist: schema items first, parents before children.
    :param schema_objects: those of them that are schema items (fields, pipelines, types).
    :param max_batch: operations that one `apply` takes.
    :param concurrency: requests that may be under way at once.
    """

    objects: Mapping[str, ObjectBehaviour]
    schema_objects: tuple[str, ...]
    user: str = "user"
    max_batch: int = 1
    concurrency: int = 8


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
    :param settings: type, options and what else the destination needs, in the spec's words.
    :param id: destination id; None for a wanted item.
    """

    object: str
    name: str
    of: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    id: str | None = None

    @property
    def key(self) -> str:
        """Its name among all schema items: `field/person/Recall_Type__c`, `pipeline//Treatment Plans`."""
        return f"{self.object}/{self.of}/{self.name}"


@dataclass(frozen=True, slots=True)
class Operation:
    """One intended write, ready to send.

    :param fields: canonical fields: names as in the spec, JSON values; for an update only those that change, None to
        clear one. A schema item's operation has its settings here, with `name` and `of`.
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

        What is told adds to what was told before; of an item that the writer itself created, its id is enough.
        """
        ...

    async def apply(self, operations: Sequence[Operation]) -> list[Outcome]:
        """Carry out at most `max_batch` operations of one object and return an outcome for each, in their order."""
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


# --- what plugins register ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SourcePlugin:
    """A source: its settings' JSON Schema and the factory of a reader for one export.

    :param open: called with the input's path and validated settings.
    :param required_streams: streams without which there is nothing to move.
    :param demo: returns the path of a bundled example export, made under the folder given.
    """

    name: str
    settings_schema: Schema
    open: Callable[[str, Mapping[str, Any]], SourceReader]
    required_streams: tuple[str, ...] = ()
    demo: Callable[[str], str] | None = None


@dataclass(frozen=True, slots=True)
class WriterContext:
    """What core hands to a writer: the clock, and the door to documents' bytes.

    :param spent_today: budget units that earlier runs of this migration spent since midnight, UTC.
    """

    clock: Any
    open_attachment: Callable[[str], BinaryIO]
    spent_today: int = 0


@dataclass(frozen=True, slots=True)
class DestinationPlugin:
    """A destination: settings, behaviours and the factory of a writer.

    :param settings_environment: environment variable per setting; one in `secrets` comes from nowhere else.
    :param demo: returns the settings and the clock of an embedded account kept under the folder given.
    """

    name: str
    settings_schema: Schema
    settings_environment: Mapping[str, str]
    secrets: frozenset[str]
    behaviours: Behaviours
    open: Callable[[Mapping[str, Any], WriterContext], Writer]
    demo: Callable[[str], tuple[Mapping[str, Any], Any]] | None = None


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
    """What a validator sees of the staged whole."""

    def streams(self) -> Sequence[str]: ...

    def records(self, stream: str) -> Iterator[Record]: ...

    def missing_references(self, stream: str, field: str) -> Iterator[str]:
        """Yield the ids of records whose reference leads nowhere."""
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
