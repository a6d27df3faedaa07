"""Listens at a destination: every writer it opens is kept, with what it was told and what it answered."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flitstack.protocols import DestinationPlugin, Operation, Outcome, SchemaItem, Writer, WriterContext


@dataclass(slots=True)
class Recording:
    """What writers of one account were told.

    :ivar applied: each operation with its outcome, in the order of the answers.
    :ivar bound: schema items, by their keys.
    :ivar failed: exceptions that came out of `apply`, which returns outcomes and raises nothing.
    """

    applied: list[tuple[Operation, Outcome]] = field(default_factory=list)
    bound: dict[str, SchemaItem] = field(default_factory=dict)
    failed: list[Exception] = field(default_factory=list)
    miscounted: int = 0
    last: Any = None

    def of(self, verb: str, key: str) -> tuple[Operation, Outcome]:
        """Return the last such operation on the record with this source key that was done.

        :raises LookupError: there is none.
        """
        for operation, outcome in reversed(self.applied):
            if (operation.verb, operation.key) == (verb, key) and outcome.error is None:
                return operation, outcome
        tried = [
            type(outcome.error).__name__
            for operation, outcome in self.applied
            if (operation.verb, operation.key) == (verb, key)
        ]
        came = f"apply answered {', '.join(tried)}" if tried else "apply was never told to"
        raise LookupError(f"no {verb} of {key} was done: {came}")


def recorded(destination: DestinationPlugin, recording: Recording) -> DestinationPlugin:
    """Return the destination with writers that are listened to."""

    def open_(settings: Mapping[str, Any], context: WriterContext) -> Writer:
        writer = destination.open(settings, context)
        recording.last = writer
        _listen(writer, recording)
        return writer

    return replace(destination, open=open_)


def _listen(writer: Any, recording: Recording) -> None:
    """Put a subclass in the place of the writer's class, so that everything else about it stays as it is."""
    kind: Any = type(writer)

    async def apply(self: Any, operations: Sequence[Operation]) -> list[Outcome]:
        try:
            outcomes: list[Outcome] = await kind.apply(self, operations)
        except Exception as exc:
            recording.failed.append(exc)
            raise
        recording.miscounted += [one.id for one in operations] != [one.operation for one in outcomes]
        recording.applied += zip(operations, outcomes, strict=False)
        return outcomes

    def bind(self: Any, items: Mapping[str, SchemaItem]) -> None:
        recording.bound.update(items)
        kind.bind(self, items)

    writer.__class__ = type(kind.__name__, (kind,), {"__slots__": (), "apply": apply, "bind": bind})
