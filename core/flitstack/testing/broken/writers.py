"""Writers that are wrong in one way each, on the account in memory: what the kit must see."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from flitstack.errors import AuthError, BudgetExhausted, FlitError, InDoubt, NotSent, Rejected
from flitstack.protocols import Operation, Outcome, SchemaItem, Spent, Stored
from flitstack.testing.simulation.memory_port import SECRET, WireWriter

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping, Sequence

    from flitstack.protocols import JSON

SHORT = 200
SOME = 5


def _is_record(writer: WireWriter, operation: Operation) -> bool:
    return operation.object not in writer.behaviours.schema_objects


class _Changing(WireWriter):
    """Sends something else than it was told."""

    def change(self, operation: Operation) -> Operation:
        """Return what is sent."""
        raise NotImplementedError

    async def apply(self, operations: Sequence[Operation]) -> list[Outcome]:
        """Send what was changed, if it is a record."""
        return await super().apply([self.change(one) if _is_record(self, one) else one for one in operations])


class BlackHole(WireWriter):
    """Says that it wrote, and writes nothing but schema items."""

    async def apply(self, operations: Sequence[Operation]) -> list[Outcome]:
        """Answer as if all was well."""
        if all(_is_record(self, one) for one in operations):
            return [Outcome(one.id, one.destination_id or f"{one.object}-{one.id}") for one in operations]
        return await super().apply(operations)


class DoubleWriter(WireWriter):
    """Sends every create twice."""

    async def apply(self, operations: Sequence[Operation]) -> list[Outcome]:
        """Send, and send again."""
        if all(_is_record(self, one) and one.verb == "create" for one in operations):
            await super().apply(operations)
        return await super().apply(operations)


class Truncator(_Changing):
    """Cuts long texts."""

    def change(self, operation: Operation) -> Operation:
        """Return the operation with its texts cut."""
        fields = {n: v[:SHORT] if isinstance(v, str) else v for n, v in operation.fields.items()}
        return replace(operation, fields=fields)

    def comparable(self, object: str, fields: Mapping[str, JSON]) -> Mapping[str, JSON]:
        """Return the fields as they would be cut, so that nobody notices."""
        return {n: v[:SHORT] if isinstance(v, str) else v for n, v in fields.items()}


class ZoneShifter(_Changing):
    """Takes times in UTC for local ones."""

    def change(self, operation: Operation) -> Operation:
        """Return the operation with its times an hour later."""
        return replace(operation, fields={name: _later(value) for name, value in operation.fields.items()})

    def comparable(self, object: str, fields: Mapping[str, JSON]) -> Mapping[str, JSON]:
        """Return the fields without times, so that nobody notices."""
        return {name: value for name, value in fields.items() if name != "since"}


def _later(value: JSON) -> JSON:
    if not isinstance(value, str) or not value.endswith("Z") or "T" not in value:
        return value
    return f"{datetime.fromisoformat(value) + timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}"


class WrongParent(_Changing):
    """Links a visit to another contact than its own."""

    def change(self, operation: Operation) -> Operation:
        """Return the operation with its parent exchanged."""
        if operation.object != "visit" or "contact" not in operation.links:
            return operation
        contacts = sorted(one.id for one in self.simulated.memory.of("contact") if one.key)
        others = [one for one in contacts if one != operation.links["contact"]]
        return replace(operation, links={**operation.links, "contact": others[0]}) if others else operation


class SecretLeaker(WireWriter):
    """Says its token in a message."""

    def signed_out(self) -> AuthError:
        """Return a refusal that says too much."""
        return AuthError(f"memory: 401 for the token {SECRET}. Check it.")


class BudgetIgnorer(WireWriter):
    """Knocks again and again when the budget is used up."""

    async def send(self, deliver: Callable[[], Any], cost: int = 1, *, write: bool) -> Any:
        """Return the answer of the fortieth attempt, if no earlier one was let in."""
        for _ in range(40):
            try:
                return await self._send(deliver, cost, write=write)
            except BudgetExhausted:
                await self._world.clock.sleep(0.1)
        return await self._send(deliver, cost, write=write)


class RetryOnRefusal(WireWriter):
    """Sends again what was refused for what it is."""

    async def apply(self, operations: Sequence[Operation]) -> list[Outcome]:
        """Send up to four times."""
        for _ in range(3):
            outcomes = await super().apply(operations)
            if not isinstance(outcomes[0].error, Rejected):
                return outcomes
        return await super().apply(operations)


class ErrorSwallower(WireWriter):
    """Takes an answer that never came for a good one."""

    async def apply(self, operations: Sequence[Operation]) -> list[Outcome]:
        """Answer as if all was well whenever nobody knows."""
        outcomes = await super().apply(operations)
        return [
            Outcome(one.id, f"{one.object}-0") if isinstance(outcome.error, InDoubt | Rejected) else outcome
            for one, outcome in zip(operations, outcomes, strict=True)
        ]


class UnstableKeys(_Changing):
    """Carries another key each time."""

    def change(self, operation: Operation) -> Operation:
        """Return the operation under a key that depends on the moment."""
        if operation.verb != "create":
            return operation
        return replace(operation, key=f"{operation.key}-{self.simulated.memory.made}")


class DirtyDryRun(WireWriter):
    """Writes while it is asked for the account's schema: it makes sure that a field of its own is there."""

    async def schema(self) -> Sequence[SchemaItem]:
        """Return the schema items, once its own is among them."""
        found = await super().schema()
        if not any(item.name == "Mine__c" for item in found):
            made = Operation(0, "create", "field", "schema:field/contact/Mine__c", "", _MINE, {})
            await self.send(lambda: self.simulated.take(self, made), 5, write=True)
            found = await super().schema()
        return found


_MINE: Mapping[str, JSON] = {"name": "Mine__c", "of": "contact", "type": "text"}


class RosyReader(WireWriter):
    """Reads back what it wrote from a memory of its own, so that an undo deletes what people changed."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._known: dict[tuple[str, str], Stored] = self.simulated.notes

    async def apply(self, operations: Sequence[Operation]) -> list[Outcome]:
        """Write, and remember how it was."""
        outcomes = await super().apply(operations)
        for one, outcome in zip(operations, outcomes, strict=True):
            place = (one.object, outcome.destination_id or "")
            if place in self.simulated.memory.records:
                self._known[place] = self.simulated.memory.records[place]
        return outcomes

    async def list(
        self, object: str, since: datetime | None = None, parent: str | None = None
    ) -> AsyncIterator[Stored]:
        """Yield the records as they were written."""
        async for one in super().list(object, since, parent):
            yield self._known.get((object, one.id), one)

    async def get_many(self, object: str, ids: Sequence[str]) -> Sequence[Stored]:
        """Return the records as they were written."""
        return [self._known.get((object, one.id), one) for one in await super().get_many(object, ids)]


class FirstPage(WireWriter):
    """Lists the first page alone."""

    async def list(
        self, object: str, since: datetime | None = None, parent: str | None = None
    ) -> AsyncIterator[Stored]:
        """Yield what is on it."""
        size, count = self.behaviours.objects[object].page_size, 0
        async for one in super().list(object, since, parent):
            count += 1
            if count <= size:
                yield one


class NeverSent(WireWriter):
    """Takes a write of which nobody knows for one that never left."""

    async def apply(self, operations: Sequence[Operation]) -> list[Outcome]:
        """Answer that nothing was sent."""
        outcomes = await super().apply(operations)
        return [
            Outcome(one.operation, error=NotSent("memory: no answer.")) if isinstance(one.error, InDoubt) else one
            for one in outcomes
        ]


class KeyLess(WireWriter):
    """Lists records without the keys that they carry."""

    async def list(
        self, object: str, since: datetime | None = None, parent: str | None = None
    ) -> AsyncIterator[Stored]:
        """Yield the records as anybody's."""
        async for one in super().list(object, since, parent):
            yield replace(one, key=None)


class KeyEraser(WireWriter):
    """Changes a text without the key that stood in it."""

    async def apply(self, operations: Sequence[Operation]) -> list[Outcome]:
        """Answer as the account did, and leave the changed visits without a key."""
        outcomes = await super().apply(operations)
        records = self.simulated.memory.records
        for operation in operations:
            where = (operation.object, operation.destination_id or "")
            if operation.verb == "update" and operation.object == "visit" and where in records:
                records[where] = replace(records[where], key=None)
        return outcomes


class ShortSighted(WireWriter):
    """Compares the first letters of texts alone."""

    def comparable(self, object: str, fields: Mapping[str, JSON]) -> Mapping[str, JSON]:
        """Return the fields, their texts cut."""
        return {name: value[:40] if isinstance(value, str) else value for name, value in fields.items()}


class Rounder(WireWriter):
    """Compares numbers without what stands behind the point."""

    def comparable(self, object: str, fields: Mapping[str, JSON]) -> Mapping[str, JSON]:
        """Return the fields, a score as a whole number."""
        return {name: str(value).split(".")[0] if name == "score" else value for name, value in fields.items()}


class PartLoser(_Changing):
    """Gives all parts of a record the same key."""

    def change(self, operation: Operation) -> Operation:
        """Return the operation as that of the first part."""
        return replace(operation, part="")


class LinkKeeper(_Changing):
    """Leaves out of an update the links that it is to clear."""

    def change(self, operation: Operation) -> Operation:
        """Return the operation with the links that lead somewhere."""
        return replace(operation, links={name: target for name, target in operation.links.items() if target})


class CaseBlind(WireWriter):
    """Compares texts without regard to letter case, which the account keeps."""

    def comparable(self, object: str, fields: Mapping[str, JSON]) -> Mapping[str, JSON]:
        """Return the fields, their texts in lower case."""
        return {name: value.lower() if isinstance(value, str) else value for name, value in fields.items()}


class Clobberer(_Changing):
    """Sends the whole record, as it was first written, with each update."""

    def change(self, operation: Operation) -> Operation:
        """Return the update with all that was ever written."""
        if operation.verb == "create":
            self.simulated.notes[operation.key] = operation.fields
            return operation
        return replace(operation, fields={**self.simulated.notes.get(operation.key, {}), **operation.fields})


class Normaliser(_Changing):
    """Makes texts pretty: composed, trimmed of what joins, single quotes straight."""

    def change(self, operation: Operation) -> Operation:
        """Return the operation with prettier texts."""
        import unicodedata

        fields = {
            name: unicodedata.normalize("NFC", value).replace("\u200d", "") if isinstance(value, str) else value
            for name, value in operation.fields.items()
        }
        return replace(operation, fields=fields)


class WordForNothing(_Changing):
    """Writes the word None where there is nothing."""

    def change(self, operation: Operation) -> Operation:
        """Return the operation with words for nothing."""
        return replace(operation, fields={n: "None" if v is None else v for n, v in operation.fields.items()})


class SoftDeleter(WireWriter):
    """Says that it deleted, and deletes nothing."""

    async def apply(self, operations: Sequence[Operation]) -> list[Outcome]:
        """Answer as if it was gone."""
        if operations[0].verb == "delete" and _is_record(self, operations[0]):
            return [Outcome(one.id, one.destination_id) for one in operations]
        return await super().apply(operations)


class CheapTalker(WireWriter):
    """Counts half of what it spends."""

    def spent(self) -> Spent:
        """Return less than was spent."""
        found = super().spent()
        return Spent(found.requests, found.tokens // 2)


class HastyRetrier(WireWriter):
    """Does not wait when it is told that it is too fast."""

    async def apply(self, operations: Sequence[Operation]) -> list[Outcome]:
        """Send again at once."""
        while True:
            outcomes = await super().apply(operations)
            if type(outcomes[0].error).__name__ != "RateLimited":
                return outcomes
            await asyncio.sleep(0)


class Raiser(WireWriter):
    """Raises what it should return as an outcome."""

    async def apply(self, operations: Sequence[Operation]) -> list[Outcome]:
        """Raise what went wrong.

        :raises FlitError: anything.
        """
        outcomes = await super().apply(operations)
        error = outcomes[0].error
        if isinstance(error, FlitError) and not isinstance(error, Rejected):
            raise ValueError(str(error))
        return outcomes


class Gossip(WireWriter):
    """Says in a message what a record holds."""

    async def apply(self, operations: Sequence[Operation]) -> list[Outcome]:
        """Say too much of what was refused."""
        outcomes = await super().apply(operations)
        return [
            Outcome(o.operation, error=Rejected("refused", f"{dict(p.fields)} was refused.", "Correct it."))
            if isinstance(o.error, Rejected)
            else o
            for p, o in zip(operations, outcomes, strict=True)
        ]


class SinceIgnorer(WireWriter):
    """Gives everything, whatever time a list is restricted to."""

    async def list(
        self, object: str, since: datetime | None = None, parent: str | None = None
    ) -> AsyncIterator[Stored]:
        """Yield everything."""
        async for one in super().list(object, None, parent):
            yield one


class IdLoser(WireWriter):
    """Leaves out the last of the ids that it is asked for."""

    async def get_many(self, object: str, ids: Sequence[str]) -> Sequence[Stored]:
        """Return the others."""
        return await super().get_many(object, ids[: max(1, len(ids) - 1)])


class IdGusher(WireWriter):
    """Gives every record that has a key when it is asked for some ids."""

    async def get_many(self, object: str, ids: Sequence[str]) -> Sequence[Stored]:
        """Return all of them."""
        if len(ids) < SOME:
            return await super().get_many(object, ids)
        return await super().get_many(object, [one.id for one in self.simulated.memory.of(object) if one.key])


class IdKeyLess(WireWriter):
    """Finds records by their ids without the keys that they carry."""

    async def get_many(self, object: str, ids: Sequence[str]) -> Sequence[Stored]:
        """Return the records as anybody's."""
        return [replace(one, key=None) for one in await super().get_many(object, ids)]


class OddSignIn(WireWriter):
    """Has an error of its own for a refused token, with an exit code of its own."""

    def signed_out(self) -> AuthError:
        """Return it."""
        return _OddError("memory: 401. Check the token.")


class _OddError(AuthError):
    exit_code = 7
