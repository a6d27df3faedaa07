"""Destinations that declare what they do not do, or do what they do not declare, and one that does all it declares."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from flitstack.errors import AuthError, BudgetExhausted, InDoubt, NotSent, RateLimited, Rejected, Unavailable
from flitstack.protocols import Operation, Outcome, Stored, full_key
from flitstack.testing.simulation.memory_port import SimulatedMemory, WireWriter

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from flitstack.testing.simulation.world import World

BATCH = 10
DAYS = 30


class AbleWriter(WireWriter):
    """Sends as many records in one request as its account takes, and finds them by their keys; fields go singly."""

    async def apply(self, operations: Sequence[Operation]) -> list[Outcome]:
        """Send batch after batch."""
        is_schema = operations[0].object in self.behaviours.schema_objects
        size = 1 if is_schema else self.simulated.carries  # type: ignore[attr-defined]
        outcomes: list[Outcome] = []
        for start in range(0, len(operations), size):
            outcomes += await self._together(operations[start : start + size])
        return outcomes

    async def _together(self, operations: Sequence[Operation]) -> list[Outcome]:
        first = operations[0]
        cost = self.behaviours.objects[first.object].cost[first.verb]
        try:
            found: list[Outcome] = await self.send(lambda: [self._taken(one) for one in operations], cost, write=True)
        except (AuthError, BudgetExhausted, InDoubt, NotSent, RateLimited, Unavailable) as exc:
            return [Outcome(one.id, error=exc) for one in operations]
        return found

    def _taken(self, operation: Operation) -> Outcome:
        try:
            return Outcome(operation.id, self.simulated.take(self, operation))
        except Rejected as exc:
            return Outcome(operation.id, error=exc)

    async def find(self, object: str, keys: Sequence[str]) -> Sequence[Stored]:
        """Return the records with these keys."""
        found: list[Stored] = await self._read(
            lambda: [one for one in self.simulated.memory.of(object) if one.key in keys], 1
        )
        return found


class LateFinder(AbleWriter):
    """Finds records by their keys in lists, which are late."""

    async def find(self, object: str, keys: Sequence[str]) -> Sequence[Stored]:
        """Return what a list shows by now."""
        return [one async for one in self.list(object) if one.key in keys]


class AbleAccount(SimulatedMemory):
    """Does all that its destination declares: unique keys, batches, a bin, times that a create sets.

    :cvar declared: of every kind of record. :cvar further: of single kinds, beside it.
    :cvar unique: whether a second record with the same key is refused. :cvar carries: records of one request.
    :cvar days: for how many days its bin keeps a record. :cvar deaf: fields that a create cannot set.
    :cvar largest_file: the most bytes that it takes.
    """

    writer: type[WireWriter] = AbleWriter
    declared: ClassVar[Mapping[str, Any]] = {
        "key_unique": True, "batch": BATCH, "restore_days": DAYS, "settable_times": ("since",)
    }  # fmt: skip
    further: ClassVar[Mapping[str, Mapping[str, Any]]] = {}
    unique: ClassVar[bool] = True
    carries: ClassVar[int] = BATCH
    days: ClassVar[int] = DAYS
    deaf: ClassVar[tuple[str, ...]] = ()
    largest_file: int = 1_000

    def __init__(self, world: World) -> None:
        super().__init__(world)
        known = self.behaviours.objects
        declared = {name: {**self.declared, **self.further.get(name, {})} for name in known}
        declared["memo"] = {**declared["memo"], "key_unique": False}
        objects = {
            name: one if name in self.behaviours.schema_objects else replace(one, **declared[name])
            for name, one in known.items()
        }
        self.behaviours = replace(self.behaviours, objects=objects, max_batch=BATCH)
        self._bin: dict[str, tuple[Stored, datetime]] = {}

    def take(self, writer: WireWriter, operation: Operation) -> str:
        """Carry an operation out.

        :raises Rejected: there is a record with the key already, or it is not as the account requires.
        """
        key = full_key(operation.key, operation.part)
        if operation.verb == "create":
            if self.unique and any(one.key == key for one in self.memory.of(operation.object)):
                raise Rejected("duplicate_key", "There is a record with this key.", "Update it.")
            fields = {name: value for name, value in operation.fields.items() if name not in self.deaf}
            operation = replace(operation, fields=fields)
        if operation.object == "memo" and operation.verb == "create":
            operation = self.file(operation)
        gone = self.memory.records.get((operation.object, operation.destination_id or ""))
        destination_id = super().take(writer, operation)
        if operation.verb == "delete" and gone is not None and gone.key:
            self._bin[gone.key] = gone, self.memory.clock.now()
        return destination_id

    def file(self, operation: Operation) -> Operation:
        """Return what becomes of a file.

        :raises Rejected: it is too large.
        """
        if _size(operation) > self.largest_file:
            raise Rejected("too_large", "The file is larger than the account takes.", "Keep it elsewhere.", "size")
        return operation

    def restore(self, kind: str, name: str) -> bool:
        """Bring a record back from the bin, as a person would; return whether it was still there."""
        stored, deleted = self._bin[name]
        if self.memory.clock.now() - deleted > timedelta(days=self.days):
            return False
        self.memory.records[stored.object, stored.id] = stored
        return True


class UniqueInWords(AbleAccount):
    """Declares that a key is unique, and makes a second record of it."""

    unique = False


class UniqueInSilence(AbleAccount):
    """Keeps each key unique, and does not declare it."""

    declared: ClassVar[Mapping[str, Any]] = {**AbleAccount.declared, "key_unique": False}


class FindsLate(AbleAccount):
    """Finds records by their keys no sooner than lists show them."""

    writer = LateFinder


class FindsNothing(AbleAccount):
    """Declares that a key is unique, and cannot be asked for one."""

    writer = type("Findless", (AbleWriter,), {"__doc__": "Has no `find`.", "find": None})


class BatchesInWords(AbleAccount):
    """Declares batches, and sends records one by one."""

    carries = 1


class BatchesInSilence(AbleAccount):
    """Sends records in batches, and does not declare it."""

    declared: ClassVar[Mapping[str, Any]] = {**AbleAccount.declared, "batch": 1}


class BatchesTooLarge(AbleAccount):
    """Declares larger batches than one request carries."""

    carries = BATCH // 2


class BinInWords(AbleAccount):
    """Declares a bin, and has none."""

    days = -1


class BinInSilence(AbleAccount):
    """Has a bin, and does not declare it."""

    declared: ClassVar[Mapping[str, Any]] = {**AbleAccount.declared, "restore_days": 0}


class BinTooSmall(AbleAccount):
    """Declares that its bin keeps records for longer than it does."""

    days = DAYS // 2


class BinTooLarge(AbleAccount):
    """Declares that its bin keeps records for less long than it does."""

    days = DAYS * 2


class TimesInWords(AbleAccount):
    """Declares a time that a create cannot set."""

    deaf = ("since",)


class TimesInSilence(AbleAccount):
    """Lets a create set a time, and does not declare it of every kind of record."""

    further: ClassVar[Mapping[str, Mapping[str, Any]]] = {"company": {"settable_times": ()}}


class FileCutter(AbleAccount):
    """Keeps of a large file as much as it takes."""

    def file(self, operation: Operation) -> Operation:
        """Return a smaller file."""
        return replace(operation, fields={**operation.fields, "size": min(_size(operation), self.largest_file)})


class EmptyFileLoser(AbleAccount):
    """Says that it stored a file of no bytes, and stores none."""

    def take(self, writer: WireWriter, operation: Operation) -> str:
        """Carry an operation out, if it is not about an empty file."""
        if operation.object == "memo" and operation.verb == "create" and not _size(operation):
            return "memo-0"
        return super().take(writer, operation)


def _size(operation: Operation) -> int:
    return int(str(operation.fields["size"]))


ACCOUNTS: Mapping[str, tuple[type[AbleAccount], tuple[str, ...]]] = {
    "unique_in_words": (UniqueInWords, ("B7",)),
    "unique_in_silence": (UniqueInSilence, ("B7",)),
    "finds_late": (FindsLate, ("B7",)),
    "finds_nothing": (FindsNothing, ("B7",)),
    "batches_in_words": (BatchesInWords, ("B8",)),
    "batches_in_silence": (BatchesInSilence, ("B8",)),
    "batches_too_large": (BatchesTooLarge, ("B8",)),
    "bin_in_words": (BinInWords, ("B9",)),
    "bin_in_silence": (BinInSilence, ("B9",)),
    "bin_too_small": (BinTooSmall, ("B9",)),
    "bin_too_large": (BinTooLarge, ("B9",)),
    "times_in_words": (TimesInWords, ("B10",)),
    "times_in_silence": (TimesInSilence, ("B10",)),
    "file_cutter": (FileCutter, ("W10",)),
    "empty_file_loser": (EmptyFileLoser, ("W10",)),
}
