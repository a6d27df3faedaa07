"""The port for the account in memory: the quickest way to put the engine itself through a simulation."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from flitstack.errors import AuthError, BudgetExhausted, InDoubt, NotSent, RateLimited, Rejected, Unavailable
from flitstack.protocols import Account, DestinationPlugin, Operation, Outcome, Spent, Stored
from flitstack.testing.memory import ADMIN, MemoryAccount, memory_behaviours
from flitstack.testing.memory_source import TEMPLATE
from flitstack.testing.simulation.oracle import AUTOMATED, held
from flitstack.testing.simulation.port import Meter
from flitstack.testing.simulation.scenario import DECLARED_LAG_S
from flitstack.testing.simulation.wire import LostError, NeverLeftError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping, Sequence

    from flitstack.protocols import JSON, Behaviours, SchemaItem, User, Writer, WriterContext
    from flitstack.testing.simulation.port import Held
    from flitstack.testing.simulation.world import World

READS = 4
SECRET = "canary-7f3a9c51"  # noqa: S105 - invented, so that tests can look for it
_SHORT = "phone: contact.phone, email: contact.email,"
_FULLER = TEMPLATE.replace(_SHORT, f"{_SHORT} born: contact.born, score: contact.score, since: contact.since,")


class WireWriter:
    """Writes to the account through the wire, as a plugin would through the network."""

    def __init__(self, account: SimulatedMemory, behaviours: Behaviours, context: WriterContext) -> None:
        self.behaviours = behaviours
        self.bound: dict[str, SchemaItem] = {}
        self.simulated = account
        self._world = account.world
        self._exhausted = context.exhausted
        self._requests = 0
        self._units = 0

    def bind(self, items: Mapping[str, SchemaItem]) -> None:
        """Remember which custom fields the account has."""
        self.bound |= items

    async def apply(self, operations: Sequence[Operation]) -> list[Outcome]:
        """Send one operation, and say what is known of it."""
        (operation,) = operations
        try:
            cost = self.behaviours.objects[operation.object].cost[operation.verb]
            destination_id = await self.send(lambda: self.simulated.take(self, operation), cost, write=True)
        except (Rejected, AuthError, BudgetExhausted, InDoubt, NotSent, RateLimited, Unavailable) as exc:
            return [Outcome(operation.id, error=exc)]
        return [Outcome(operation.id, destination_id)]

    async def list(
        self, object: str, since: datetime | None = None, parent: str | None = None
    ) -> AsyncIterator[Stored]:
        """Yield the records that a list shows by now; schema items at once."""
        if object in self.behaviours.schema_objects:
            for item in await self.schema():
                if item.object == object:
                    yield Stored(object, item.id or "", None, {"name": item.name, "of": item.of, **item.settings}, {})
            return
        begin, more, behaviour = 0, True, self.behaviours.objects[object]
        while more:
            page = await self._read(partial(self._page, object, since, parent, begin), behaviour.cost["list"])
            begin, more = begin + behaviour.page_size, len(page) == behaviour.page_size
            for stored in page:
                yield stored

    def _page(self, object: str, since: datetime | None, parent: str | None, begin: int) -> Sequence[Stored]:
        """Return one page of a list, as the account would send it."""
        name, _, wanted = (parent or "").partition(":")
        found = [
            stored
            for stored in self.simulated.listed(object)
            if (since is None or (stored.updated is not None and stored.updated >= since))
            and (parent is None or stored.links.get(name) == wanted)
        ]
        return found[begin : begin + self.behaviours.objects[object].page_size]

    async def get_many(self, object: str, ids: Sequence[str]) -> Sequence[Stored]:
        """Return those of the records that exist."""
        records = self.simulated.memory.records
        cost = self.behaviours.objects[object].cost["get"]
        found: list[Stored] = await self._read(
            lambda: [records[object, i] for i in ids if (object, i) in records], cost
        )
        return found

    async def schema(self) -> Sequence[SchemaItem]:
        """Return the account's schema items."""
        cost = sum(self.behaviours.objects[name].cost["list"] for name in self.behaviours.schema_objects)
        items: list[SchemaItem] = await self._read(lambda: list(self.simulated.memory.items.values()), cost)
        return items

    async def users(self) -> Sequence[User]:
        """Return all users."""
        users: tuple[User, ...] = await self._read(lambda: self.simulated.memory.users)
        return users

    async def account(self) -> Account:
        """Return whose account this is."""
        memory = self.simulated.memory
        await self._read(lambda: None)
        return Account(memory.id, "Memory Ltd", memory.token_user, {"time_zone": "UTC"}, memory.slots)

    def comparable(self, object: str, fields: Mapping[str, JSON]) -> Mapping[str, JSON]:
        """Return the fields as they are: this account keeps what it is given."""
        return dict(fields)

    def spent(self) -> Spent:
        """Return requests and units, as the behaviours price them."""
        return Spent(self._requests, self._units)

    async def budget_is_open(self) -> bool:
        """Return whether the account takes requests."""
        try:
            await self.send(lambda: None, write=False)
        except BudgetExhausted:
            return False
        return True

    async def aclose(self) -> None:
        """Close nothing."""

    async def _read(self, deliver: Callable[[], Any], cost: int = 1) -> Any:
        for attempt in range(1, READS + 1):
            try:
                return await self.send(deliver, cost, write=False)
            except (InDoubt, NotSent, Unavailable) as exc:
                if attempt == READS:
                    raise Unavailable("memory: no answer.") from exc
                await self._world.clock.sleep(attempt)
            except RateLimited as exc:
                await self._world.clock.sleep(exc.retry_after_s)
        raise Unavailable("memory: too fast, time and again.")

    async def send(self, deliver: Callable[[], Any], cost: int = 1, *, write: bool) -> Any:
        """Return the answer, or raise what it means; wait for the budget where whoever runs this waits."""
        while True:
            try:
                return await self._send(deliver, cost, write=write)
            except BudgetExhausted as exc:
                await self._exhausted(exc)

    async def _send(self, deliver: Callable[[], Any], cost: int, *, write: bool) -> Any:
        async def delivered() -> Any:
            try:
                self.simulated.charge(cost)
                self._requests += 1
                self._units += cost
                return deliver()
            except (Rejected, BudgetExhausted) as exc:
                return exc

        try:
            answer = await self._world.wire.carry(delivered, write=write)
        except NeverLeftError as exc:
            raise NotSent("memory: connection refused.") from exc
        except LostError as exc:
            raise InDoubt("memory: no answer.") from exc
        match answer.fault:
            case "":
                if isinstance(answer.value, Exception):
                    raise answer.value
                return answer.value
            case "signed_out":
                raise self.signed_out()
            case "blocked":
                raise Unavailable("memory: the gateway blocks this token.")
            case "too_fast":
                raise RateLimited("memory: too fast.", 2.0)
            case _:
                raise InDoubt("memory: an answer that cannot be read.")

    def signed_out(self) -> AuthError:
        """Return what a refused token comes to."""
        return AuthError("memory: 401. Check the token.")


class SimulatedMemory:
    """An account in memory at the other end of the wire; each of its records has a lag of its own.

    :ivar notes: what writers keep past the end of their process.
    """

    writer: type[WireWriter] = WireWriter
    secrets: Sequence[str] = (SECRET,)

    def __init__(self, world: World) -> None:
        self.world = world
        self.memory = MemoryAccount(world.account_clock)
        self.behaviours = memory_behaviours(lag_s=DECLARED_LAG_S, concurrency=world.scenario.concurrency)
        self.notes: dict[Any, Any] = {}
        self._meter = Meter(0, 0)
        self._closed_until: datetime | None = None
        self._shown: dict[tuple[str, str], timedelta] = {}
        self._strangers = [self.memory.put("contact", name="Stranger"), self.memory.put("visit", note="Strange")]

    @property
    def writes(self) -> int:
        """Return how many writes took effect."""
        return len(self.memory.written)

    def take(self, writer: WireWriter, operation: Operation) -> str:
        """Carry an operation out, and let the account's automation do its part.

        :raises Rejected: it is not as the account requires.
        """
        scenario, memory = self.world.scenario, self.memory
        if operation.verb == "create" and operation.key in scenario.refused:
            self.world.struck["refused_4xx"] += 1
            raise Rejected("refused", "The account refuses this record.", "Correct it and run again.")
        for name in operation.fields:
            if name.endswith("__c") and f"field/{operation.object}/{name}" not in writer.bound:
                raise Rejected("unknown_field", "The account has no such field.", "Create it first.", name)
        destination_id = memory.take(operation, writer.behaviours)
        where = (operation.object, destination_id)
        if operation.verb == "create" and where in memory.records:
            self._shown[where] = timedelta(seconds=self.world.lag_s())
            if operation.key in scenario.automated and operation.fields.get("phone"):
                self.world.struck["automation"] += 1
                stored = memory.records[where]
                phone = AUTOMATED + str(stored.fields["phone"])
                memory.records[where] = replace(stored, fields={**stored.fields, "phone": phone})
        return destination_id

    def listed(self, object_: str) -> list[Stored]:
        """Return what a list shows by now."""
        now = self.memory.clock.now()
        none = timedelta()
        return [
            stored
            for stored in self.memory.of(object_)
            if stored.added is not None and stored.added + self._shown.get((object_, stored.id), none) <= now
        ]

    def destination(self) -> DestinationPlugin:
        """Return the destination, named `memory`."""

        def open_(settings: Mapping[str, Any], context: WriterContext) -> Writer:
            return self.writer(self, self.behaviours, context)

        return DestinationPlugin(
            "memory", {"type": "object", "properties": {}}, {}, frozenset(), self.behaviours, open_
        )

    def charge(self, units: int) -> None:
        """Count one request.

        :raises BudgetExhausted: the account takes no more today.
        """
        now = self.memory.clock.now()
        if self._closed_until is not None and now < self._closed_until:
            raise BudgetExhausted("memory: no more today.", self._closed_until)
        self._meter = Meter(self._meter.requests + 1, self._meter.units + units)

    def meter(self) -> Meter:
        """Return what was counted."""
        return self._meter

    def use_up(self) -> None:
        """Take no more until midnight, UTC."""
        tomorrow = self.memory.clock.now().date() + timedelta(days=1)
        self._closed_until = datetime.combine(tomorrow, time(), UTC)

    def edit(self, kind: str, name: str, field: str, value: str) -> None:
        """Change one field, as a person would."""
        self.memory.edit(self._named(kind, name), **{field: value})

    def remove(self, kind: str, name: str) -> None:
        """Delete a record, as a person would."""
        stored = self._named(kind, name)
        del self.memory.records[stored.object, stored.id]

    def hang(self, contact: str) -> None:
        """Hang a visit of a person's own on a contact."""
        visit = self.memory.put("visit", note="By hand")
        links = {"contact": self._named("contact", contact).id}
        self.memory.records["visit", visit.id] = replace(visit, links=links)

    def _named(self, kind: str, name: str) -> Stored:
        return next(stored for stored in self.memory.of("visit" if kind == "round" else kind) if stored.key == name)

    def picture(self) -> Sequence[Held]:
        """Return what the account holds."""
        memory = self.memory
        keys = {stored.id: stored.key for stored in memory.records.values()}
        keys |= {item.id or "": item.name for item in memory.items.values()}
        users = {user.id: user.email for user in memory.users}
        return [_held(stored, keys, users) for stored in memory.records.values()]

    def close(self) -> None:
        """Let nothing go."""


def _held(stored: Stored, keys: Mapping[str, str | None], users: Mapping[str, str]) -> Held:
    fields, key = stored.fields, stored.key
    links = {f"@{name}": keys.get(target) or users.get(target) or "nothing" for name, target in stored.links.items()}
    match stored.object:
        case "memo":
            return held("memo", f"{fields['name']}/{fields['size']}", links)
        case _ if key is None:
            return held("stranger", str(fields.get("name") or fields.get("note")), {**fields, **links})
        case "contact":
            links.setdefault("@owner", ADMIN.email)
            known = {name: fields.get(name) for name in ("name", "phone", "born", "score", "since")}
            return held("contact", key, {**known, "labels": _labels(fields), **links})
        case "visit" if ":tasks:" in key:
            del links["@type"]
            return held("round", key, {"note": "|".join(sorted(str(fields["note"]).splitlines())), **links})
        case kind:
            return held(kind, key, {**fields, **links})


def _labels(fields: Mapping[str, Any]) -> Sequence[str]:
    return sorted(set(fields.get("Labels__c") or ()))


class MemoryPort:
    """The account in memory."""

    name = "memory"
    template = _FULLER
    sets = ("profile=full",)
    simulated: type[SimulatedMemory] = SimulatedMemory

    def account(self, world: World) -> SimulatedMemory:
        """Return a new account, with two records that are not ours."""
        return self.simulated(world)


PORT = MemoryPort()
