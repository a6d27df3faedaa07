"""The port for the account in memory: the quickest way to put the engine itself through a simulation."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from flitstack.errors import AuthError, InDoubt, NotSent, RateLimited, Rejected, Unavailable
from flitstack.protocols import Account, DestinationPlugin, Operation, Outcome, Spent, Stored
from flitstack.testing.memory import ADMIN, MemoryAccount, memory_behaviours
from flitstack.testing.memory_source import TEMPLATE
from flitstack.testing.simulation.oracle import AUTOMATED, held
from flitstack.testing.simulation.scenario import DECLARED_LAG_S
from flitstack.testing.simulation.wire import LostError, NeverLeftError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping, Sequence
    from datetime import datetime

    from flitstack.protocols import JSON, Behaviours, SchemaItem, User, Writer, WriterContext
    from flitstack.testing.simulation.port import Held
    from flitstack.testing.simulation.world import World

READS = 4


class _Writer:
    """Writes to the account through the wire, as a plugin would through the network."""

    def __init__(self, account: SimulatedMemory, behaviours: Behaviours) -> None:
        self.behaviours = behaviours
        self.bound: dict[str, SchemaItem] = {}
        self._world = account.world
        self._simulated = account
        self._requests = 0

    def bind(self, items: Mapping[str, SchemaItem]) -> None:
        """Remember which custom fields the account has."""
        self.bound |= items

    async def apply(self, operations: Sequence[Operation]) -> list[Outcome]:
        """Send one operation, and say what is known of it."""
        (operation,) = operations
        try:
            destination_id = await self._send(lambda: self._simulated.take(self, operation), write=True)
        except (Rejected, AuthError, InDoubt, NotSent, RateLimited, Unavailable) as exc:
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
        name, _, wanted = (parent or "").partition(":")
        for stored in await self._read(lambda: self._simulated.listed(object)):
            assert stored.updated is not None  # noqa: S101 - this account dates everything
            if (since is None or stored.updated >= since) and (parent is None or stored.links.get(name) == wanted):
                yield stored

    async def get_many(self, object: str, ids: Sequence[str]) -> Sequence[Stored]:
        """Return those of the records that exist."""
        records = self._simulated.memory.records
        found: list[Stored] = await self._read(lambda: [records[object, i] for i in ids if (object, i) in records])
        return found

    async def schema(self) -> Sequence[SchemaItem]:
        """Return the account's schema items."""
        items: list[SchemaItem] = await self._read(lambda: list(self._simulated.memory.items.values()))
        return items

    async def users(self) -> Sequence[User]:
        """Return all users."""
        users: tuple[User, ...] = await self._read(lambda: self._simulated.memory.users)
        return users

    async def account(self) -> Account:
        """Return whose account this is."""
        memory = self._simulated.memory
        await self._read(lambda: None)
        return Account(memory.id, "Memory Ltd", memory.token_user, {"time_zone": "UTC"}, memory.slots)

    def comparable(self, object: str, fields: Mapping[str, JSON]) -> Mapping[str, JSON]:
        """Return the fields as they are: this account keeps what it is given."""
        return dict(fields)

    def spent(self) -> Spent:
        """Return requests, each at one token."""
        return Spent(self._requests, self._requests)

    async def aclose(self) -> None:
        """Close nothing."""

    async def _read(self, deliver: Callable[[], Any]) -> Any:
        for attempt in range(1, READS + 1):
            try:
                return await self._send(deliver, write=False)
            except (InDoubt, NotSent, Unavailable) as exc:
                if attempt == READS:
                    raise Unavailable("memory: no answer.") from exc
                await self._world.clock.sleep(attempt)
            except RateLimited as exc:
                await self._world.clock.sleep(exc.retry_after_s)
        raise Unavailable("memory: too fast, time and again.")

    async def _send(self, deliver: Callable[[], Any], *, write: bool) -> Any:
        """Return the answer, or raise what it means."""

        async def delivered() -> Any:
            self._requests += 1
            try:
                return deliver()
            except Rejected as exc:
                return exc

        try:
            answer = await self._world.wire.carry(delivered, write=write)
        except NeverLeftError as exc:
            raise NotSent("memory: connection refused.") from exc
        except LostError as exc:
            raise InDoubt("memory: no answer.") from exc
        match answer.fault:
            case "":
                if isinstance(answer.value, Rejected):
                    raise answer.value
                return answer.value
            case "signed_out":
                raise AuthError("memory: 401. Check the token.")
            case "blocked":
                raise Unavailable("memory: the gateway blocks this token.")
            case "too_fast":
                raise RateLimited("memory: too fast.", 2.0)
            case _:
                raise InDoubt("memory: an answer that cannot be read.")


class SimulatedMemory:
    """An account in memory at the other end of the wire; each of its records has a lag of its own."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.memory = MemoryAccount(world.account_clock)
        self._shown: dict[tuple[str, str], timedelta] = {}
        self._strangers = [self.memory.put("contact", name="Stranger"), self.memory.put("visit", note="Strange")]

    @property
    def writes(self) -> int:
        """Return how many writes took effect."""
        return len(self.memory.written)

    def take(self, writer: _Writer, operation: Operation) -> str:
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
        behaviours = memory_behaviours(lag_s=DECLARED_LAG_S, concurrency=self.world.scenario.concurrency)

        def open_(settings: Mapping[str, Any], context: WriterContext) -> Writer:
            return _Writer(self, behaviours)

        return DestinationPlugin("memory", {"type": "object", "properties": {}}, {}, frozenset(), behaviours, open_)

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
            known = {"name": fields.get("name"), "phone": fields.get("phone"), "labels": _labels(fields)}
            return held("contact", key, {**known, **links})
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
    template = TEMPLATE
    sets = ("profile=full",)

    def account(self, world: World) -> SimulatedMemory:
        """Return a new account, with two records that are not ours."""
        return SimulatedMemory(world)


PORT = MemoryPort()
