"""A destination in memory, with faults on demand: what tests of the engine write to, and read back from."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time, timedelta
from enum import Enum
from typing import TYPE_CHECKING, Any

from flitstack.errors import (
    AuthError,
    BudgetExhausted,
    Fatal,
    FlitError,
    InDoubt,
    NotSent,
    PlanLimit,
    RateLimited,
    Rejected,
    Unavailable,
)
from flitstack.protocols import (
    JSON,
    Account,
    Behaviours,
    DestinationPlugin,
    ObjectBehaviour,
    Operation,
    Outcome,
    PeopleFields,
    SchemaItem,
    Spent,
    Stored,
    User,
    Verb,
    Writer,
    WriterContext,
    end_of_budget,
    full_key,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
    from datetime import date

    from flitstack.clock import Clock

ALL: frozenset[Verb] = frozenset({"create", "update", "delete"})
COST = {"create": 5, "update": 5, "delete": 3, "list": 10, "get": 1}
KEY_FIELD = "Source_Key__c"
ADMIN = User("u1", "Ada Admin", "admin@example.org", active=True, is_admin=True)
STAFF = User("u2", "Sam Staff", "sam@example.org", active=True)
GONE = User("u3", "Gil Gone", "gil@example.org", active=False)


class Fault(Enum):
    """What happens to one write instead of what should."""

    NOT_SENT = "the connection is refused: nothing left"
    RATE_LIMITED = "refused for being too fast: nothing written"
    COMMIT_THEN_DROP = "written, and the answer is lost"
    COMMIT_LATE = "the answer is lost, and it is written a second later all the same"
    DROP = "lost on its way: nothing written, and nobody knows"
    REJECTED = "the record is refused"
    CONTRADICTED = "accepted, by an answer that says it was refused; it is written unless the account refuses it"
    BUDGET = "the daily budget is used up"
    AUTH = "the token is refused"
    PLAN_LIMIT = "the plan has no room"
    UNAVAILABLE = "the server says that it is down"
    CRASH = "the writer itself fails"


ERRORS: Mapping[Fault, Callable[[], Exception]] = {
    Fault.NOT_SENT: lambda: NotSent("memory: connection refused."),
    Fault.RATE_LIMITED: lambda: RateLimited("memory: too fast.", 2.0),
    Fault.COMMIT_THEN_DROP: lambda: InDoubt("memory: the answer was lost."),
    Fault.COMMIT_LATE: lambda: InDoubt("memory: the answer was lost."),
    Fault.DROP: lambda: InDoubt("memory: the answer was lost."),
    Fault.REJECTED: lambda: Rejected("refused", "The account refuses this record.", "Correct it and run again."),
    Fault.CONTRADICTED: lambda: InDoubt("memory: yes and no.", Rejected("refused", "The account says no.", "Look.")),
    Fault.BUDGET: lambda: BudgetExhausted("memory: the daily budget is used up."),
    Fault.AUTH: lambda: AuthError("memory: 401. Check the token."),
    Fault.PLAN_LIMIT: lambda: PlanLimit("memory: no room on this plan."),
    Fault.UNAVAILABLE: lambda: Unavailable("memory: down."),
}
WRITTEN = frozenset({Fault.COMMIT_THEN_DROP, Fault.COMMIT_LATE, Fault.CONTRADICTED})


def memory_behaviours(*, lag_s: float = 5.0, concurrency: int = 4) -> Behaviours:
    """Return what the engine may rely on: every place for a key, required parents, links within one object."""

    def behaviour(key_in: str, parents: tuple[str, ...] = ()) -> ObjectBehaviour:
        return ObjectBehaviour(ALL, COST, 100, key_in, parents, filter_since=True, lag_s=lag_s)

    objects = {
        "field": behaviour("name"),
        "type": behaviour("name"),
        "company": behaviour(f"field:{KEY_FIELD}"),
        "contact": behaviour(f"field:{KEY_FIELD}"),
        "visit": behaviour("text:note", ("contact",)),
        "memo": behaviour("content", ("contact",)),
    }
    people = {
        "company": PeopleFields({"name": ("name",)}, is_organization=True),
        "contact": PeopleFields({"name": ("name",), "emails": ("email",), "phones": ("phone",)}),
    }
    return Behaviours(objects, ("field", "type"), concurrency=concurrency, people=people)


@dataclass(slots=True)
class MemoryAccount:
    """An account that outlives the runs that write to it.

    :param latency_s: each write takes this long, so that the account's clock moves on.
    :param lag_s: a list shows a new record this many seconds after it was written, on the account's clock.
    :param daily: requests the account takes a day; None when there is no end to them.
    :param tells_reset: whether it says when the day's requests are there again, at midnight UTC.
    :param faults: number of a write, counted from 1 over the account's life, to what happens to it.
    :param refuse: whether the account refuses an operation for what it is, every time it comes.
    :param arriving: called with each operation as it arrives, before anything becomes of it.
    :param answering: called with each operation that took effect, before the answer leaves.
    :param written: operations that took effect, in order.
    """

    clock: Clock
    id: str = "account-1"
    token_user: User = ADMIN
    users: tuple[User, ...] = (ADMIN, STAFF, GONE)
    slots: Mapping[str, int] = field(default_factory=dict)
    latency_s: float = 0.0625
    lag_s: float = 0.0
    daily: int | None = None
    tells_reset: bool = True
    faults: dict[int, Fault] = field(default_factory=dict)
    refuse: Callable[[Operation], bool] = field(default=lambda operation: False)
    arriving: Callable[[Operation], None] = field(default=lambda operation: None)
    answering: Callable[[Operation], None] = field(default=lambda operation: None)
    records: dict[tuple[str, str], Stored] = field(default_factory=dict)
    items: dict[tuple[str, str], SchemaItem] = field(default_factory=dict)
    written: list[Operation] = field(default_factory=list)
    made: int = 0
    arrived: int = 0
    requests: int = 0
    by_day: Counter[date] = field(default_factory=Counter)

    def charge(self) -> None:
        """Count one request.

        :raises BudgetExhausted: the account takes no more today.
        """
        today = self.clock.now().date()
        if self.daily is not None and self.by_day[today] >= self.daily:
            midnight = datetime.combine(today + timedelta(days=1), time(), UTC)
            raise BudgetExhausted("memory: no more today.", midnight if self.tells_reset else None)
        self.by_day[today] += 1
        self.requests += 1

    def of(self, object_: str) -> list[Stored]:
        """Return the records of an object, oldest first."""
        return [stored for (name, _), stored in self.records.items() if name == object_]

    def picture(self) -> list[tuple[str, str, str, str]]:
        """Return what the account holds, sorted: object, key, fields and links, with keys in place of ids.

        Two accounts hold the same when their pictures are equal; a record that is there twice is in it twice.
        """
        names = {(stored.object, stored.id): _name_of(stored) for stored in self.records.values()}
        by_id = {id_: name for (_, id_), name in names.items()} | {i.id or "": i.key for i in self.items.values()}
        held = [
            (s.object, names[s.object, s.id], _text(s.fields), _text({n: by_id.get(t, t) for n, t in s.links.items()}))
            for s in self.records.values()
        ]
        return sorted([*held, *((i.object, i.key, _text(i.settings), "") for i in self.items.values())])

    def put(self, object_: str, key: str | None = None, **fields: JSON) -> Stored:
        """Add a record that nobody migrated, as a person would."""
        stored = self._new(object_, key, fields, {})
        self.records[object_, stored.id] = stored
        return stored

    def edit(self, stored: Stored, **fields: JSON) -> None:
        """Change fields of a record, as a person would."""
        changed = replace(stored, fields={**stored.fields, **fields}, updated=self.clock.now())
        self.records[stored.object, stored.id] = changed

    def take(self, operation: Operation, behaviours: Behaviours) -> str:
        """Carry an operation out and return the record's id.

        :raises Rejected: it is not as the account requires.
        """
        if operation.object in behaviours.schema_objects:
            destination_id = self._take_item(operation)
        elif operation.verb == "create":
            destination_id = self._create(operation, behaviours)
        else:
            destination_id = self._change(operation)
        self.written.append(operation)
        return destination_id

    def delay(self, object_: str, destination_id: str) -> None:
        """Let a record that was just written have been written a second later than it was."""
        stored = self.records.get((object_, destination_id))
        if stored is not None and stored.added is not None and stored.added == stored.updated:
            late = stored.added + timedelta(seconds=1)
            self.records[object_, destination_id] = replace(stored, added=late, updated=late)

    def _take_item(self, operation: Operation) -> str:
        settings = {n: v for n, v in operation.fields.items() if n not in ("name", "of", "remove_options")}
        place = (operation.object, operation.destination_id or "")
        if operation.verb != "create":
            if place not in self.items:
                raise Rejected("not_found", "The account has no such item.", "Look at what became of it.")
            item = self.items.pop(place)
            if operation.verb == "update":
                off: Any = operation.fields.get("remove_options") or ()
                left = [o for o in {**item.settings, **settings}.get("options") or () if o not in off]
                options = {"options": left} if "options" in {**item.settings, **settings} else {}
                self.items[place] = replace(item, settings={**item.settings, **settings, **options})
            return item.id or ""
        name, of = str(operation.fields["name"]), str(operation.fields["of"])
        if any((item.object, item.of, item.name) == (operation.object, of, name) for item in self.items.values()):
            raise Rejected("duplicate_name", "The account has an item of this name.", "Choose another name.")
        gone = sum(done.verb == "delete" and "of" in done.fields for done in self.written)
        number = len(self.items) + gone + 1
        item = SchemaItem(operation.object, name, of, settings, f"{operation.object}-{number}")
        self.items[item.object, item.id or ""] = item
        return item.id or ""

    def _create(self, operation: Operation, behaviours: Behaviours) -> str:
        behaviour = behaviours.objects[operation.object]
        if behaviour.parents and not any(operation.links.get(name) for name in behaviour.parents):
            raise Rejected("no_parent", "A record needs a parent.", "Link it to one.")
        self._check_links(operation)
        key = None
        if behaviour.key_in != "content":
            key = full_key(operation.key, operation.part)
        stored = self._new(operation.object, key, operation.fields, operation.links)
        self.records[stored.object, stored.id] = stored
        return stored.id

    def _change(self, operation: Operation) -> str:
        destination_id = operation.destination_id or ""
        stored = self.records.get((operation.object, destination_id))
        if stored is None:
            raise Rejected("not_found", "The account has no such record.", "Look at what became of it.")
        self._check_links(operation)
        if operation.verb == "delete":
            del self.records[operation.object, destination_id]
            return destination_id
        fields = {**stored.fields, **operation.fields}
        if KEY_FIELD in operation.fields:
            key = operation.fields[KEY_FIELD]
            stored = replace(stored, key=str(key) if key else None)
        links = {name: target for name, target in {**stored.links, **operation.links}.items() if target}
        self.records[operation.object, destination_id] = replace(
            stored, fields=fields, links=links, updated=self.clock.now()
        )
        return destination_id

    def _check_links(self, operation: Operation) -> None:
        known = {destination_id for _, destination_id in (*self.records, *self.items)} | {u.id for u in self.users}
        if not set(operation.links.values()) <= known | {""}:
            raise Rejected("unknown_parent", "A link leads to nothing.", "Link it to a record that is there.")

    def _new(self, object_: str, key: str | None, fields: Mapping[str, JSON], links: Mapping[str, str]) -> Stored:
        self.made += 1
        now = self.clock.now()
        return Stored(object_, f"{object_}-{self.made}", key, dict(fields), dict(links), now, now)


def _name_of(stored: Stored) -> str:
    return stored.key or f"{stored.fields.get('name')}/{stored.fields.get('size')}"


def _text(values: Mapping[str, Any]) -> str:
    return json.dumps({name: value for name, value in values.items() if value is not None}, sort_keys=True)


class MemoryWriter:
    """Writes to an account in memory; a new one for each run."""

    def __init__(
        self,
        account: MemoryAccount,
        behaviours: Behaviours,
        exhausted: Callable[[BudgetExhausted], Awaitable[None]] = end_of_budget,
    ) -> None:
        self._account = account
        self._behaviours = behaviours
        self._exhausted = exhausted
        self._bound: dict[str, SchemaItem] = {}
        self._requests = 0

    @property
    def behaviours(self) -> Behaviours:
        """Return what the engine may rely on."""
        return self._behaviours

    async def account(self) -> Account:
        """Return whose account this is."""
        await self._pay()
        found = self._account
        if not found.token_user.is_admin:
            raise AuthError("memory: the token's user is no admin. Use an admin's token.")
        return Account(found.id, "Memory Ltd", found.token_user, {"time_zone": "UTC"}, found.slots)

    async def users(self) -> Sequence[User]:
        """Return all users."""
        await self._pay()
        return self._account.users

    async def schema(self) -> Sequence[SchemaItem]:
        """Return the account's schema items."""
        await self._pay()
        return list(self._account.items.values())

    def bind(self, items: Mapping[str, SchemaItem]) -> None:
        """Remember which custom fields the account has."""
        self._bound |= items

    async def apply(self, operations: Sequence[Operation]) -> list[Outcome]:
        """Carry one operation out, or do to it what the account's faults say."""
        (operation,) = operations
        try:
            await self._pay()
        except FlitError as exc:
            return [Outcome(operation.id, error=exc)]
        account = self._account
        account.arrived += 1
        account.arriving(operation)
        fault = account.faults.get(account.arrived)
        await account.clock.sleep(account.latency_s)
        if fault is Fault.CRASH:
            raise Fatal("memory: the writer failed.")
        if fault is not None and fault not in WRITTEN:
            return [Outcome(operation.id, error=ERRORS[fault]())]
        try:
            self._check(operation)
            destination_id = account.take(operation, self._behaviours)
            if fault is Fault.COMMIT_LATE:
                account.delay(operation.object, destination_id)
        except Rejected as exc:
            return [Outcome(operation.id, error=ERRORS[fault]() if fault is Fault.CONTRADICTED else exc)]
        account.answering(operation)
        await asyncio.sleep(0)
        if fault is not None:
            return [Outcome(operation.id, error=ERRORS[fault]())]
        return [Outcome(operation.id, destination_id)]

    def _check(self, operation: Operation) -> None:
        if self._account.refuse(operation):
            raise ERRORS[Fault.REJECTED]()
        if operation.verb == "update" and not operation.fields and not operation.links:
            raise Rejected("empty", "An update says nothing.", "Do not send it.")
        for name in operation.fields:
            if name.endswith("__c") and f"field/{operation.object}/{name}" not in self._bound:
                raise Rejected("unknown_field", "The account has no such field.", "Create it first.", name)

    async def list(
        self, object: str, since: datetime | None = None, parent: str | None = None
    ) -> AsyncIterator[Stored]:
        """Yield the records that a list shows by now."""
        await self._pay()
        shown_by = self._account.clock.now() - timedelta(seconds=self._account.lag_s)
        name, _, wanted = (parent or "").partition(":")
        for item in self._account.items.values():
            if item.object == object:
                yield Stored(object, item.id or "", None, {"name": item.name, "of": item.of, **item.settings}, {})
        for stored in self._account.of(object):
            if stored.added is None or stored.updated is None or stored.added > shown_by:
                continue
            if (since is None or stored.updated >= since) and (parent is None or stored.links.get(name) == wanted):
                yield stored

    async def get_many(self, object: str, ids: Sequence[str]) -> Sequence[Stored]:
        """Return those of the records that exist."""
        await self._pay()
        found = (self._account.records.get((object, destination_id)) for destination_id in ids)
        return [stored for stored in found if stored is not None]

    def comparable(self, object: str, fields: Mapping[str, JSON]) -> Mapping[str, JSON]:
        """Return the fields as they are: this account changes nothing it is given."""
        return dict(fields)

    def spent(self) -> Spent:
        """Return requests, each at one token."""
        return Spent(self._requests, self._requests)

    async def budget_is_open(self) -> bool:
        """Return whether the account takes requests."""
        try:
            self._account.charge()
        except BudgetExhausted:
            return False
        self._requests += 1
        return True

    async def aclose(self) -> None:
        """Close nothing."""

    async def _pay(self) -> None:
        while True:
            try:
                self._account.charge()
            except BudgetExhausted as exc:
                await self._exhausted(exc)
                continue
            self._requests += 1
            return


def memory_destination(account: MemoryAccount, behaviours: Behaviours) -> DestinationPlugin:
    """Return a destination, named `memory`, that writes to this account."""

    def open_(settings: Mapping[str, Any], context: WriterContext) -> Writer:
        return MemoryWriter(account, behaviours, context.exhausted)

    return DestinationPlugin("memory", {"type": "object", "properties": {}}, {}, frozenset(), behaviours, open_)
