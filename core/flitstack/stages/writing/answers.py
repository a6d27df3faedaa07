"""Looks at what a destination's plugin answers before anything is believed: what it cannot mean names the plugin.

The rule is the contract of `protocols.Writer`. A wrong answer ends the run; a write whose answer is wrong stays an
intent, which the next run looks for in the account before it sends anything like it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flitstack.errors import PluginError
from flitstack.protocols import Outcome, Stored

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from datetime import datetime

    from flitstack.protocols import Operation
    from flitstack.stages.context import RunContext

AGAIN = 16
"""Times that a record may come again in a list: pages shift while people work, and what goes in circles never ends."""


async def get_held(ctx: RunContext, object_: str, ids: Sequence[str]) -> dict[str, Stored]:
    """Return by id those of the records that exist, in the order of the answer.

    :raises PluginError: the answer holds what nobody asked for.
    """
    wanted, held = set(ids), dict[str, Stored]()
    answer: object = await ctx.writer.get_many(object_, ids)
    if not isinstance(answer, list | tuple):
        raise _wrong(ctx, "get_many", object_, f"returned a {type(answer).__name__}, expected a list of records")
    for stored in answer:
        _require_record(ctx, "get_many", object_, stored)
        if stored.id not in wanted:
            raise _wrong(ctx, "get_many", object_, "returned a record that nobody asked for")
        held.setdefault(stored.id, stored)
    return held


async def list_held(ctx: RunContext, object_: str, since: datetime | None = None) -> AsyncIterator[Stored]:
    """Yield what the account holds of an object, as `Writer.list` does.

    :raises PluginError: it yields what is no record of the object, or goes in circles.
    """
    circles = _Circles()
    async for stored in ctx.writer.list(object_, since=since):
        _require_record(ctx, "list", object_, stored)
        if circles.after(stored.id):
            raise _wrong(ctx, "list", object_, "yields the same records again and again, without an end")
        yield stored


async def apply_all(ctx: RunContext, operations: Sequence[Operation]) -> list[Outcome]:
    """Carry out operations of one object and return an outcome for each, in their order.

    :raises PluginError: the answer is no outcome for each; what was done is not known then.
    """
    object_ = operations[0].object
    answer: object = await ctx.writer.apply(operations)
    if not isinstance(answer, list | tuple) or not all(isinstance(each, Outcome) for each in answer):
        raise _wrong(ctx, "apply", object_, "returned something other than a list of outcomes")
    outcomes: list[Outcome] = list(answer)
    if [each.operation for each in outcomes] != [each.id for each in operations]:
        told = (
            f"was given {len(operations)} operations and returned {len(outcomes)} outcomes, not one for each in order"
        )
        raise _wrong(ctx, "apply", object_, told)
    for operation, outcome in zip(operations, outcomes, strict=True):
        _require_outcome(ctx, operation, outcome)
    return outcomes


def _require_outcome(ctx: RunContext, operation: Operation, outcome: Outcome) -> None:
    error, id_ = outcome.error, outcome.destination_id
    if error is not None and not isinstance(error, Exception):
        raise _wrong(ctx, "apply", operation.object, f"returned an outcome whose error is a {type(error).__name__}")
    if error is None and not _is_id(id_) and (operation.verb == "create" or id_ is not None):
        raise _wrong(ctx, "apply", operation.object, f"says that a {operation.verb} is done, without the record's id")


def _require_record(ctx: RunContext, method: str, object_: str, stored: object) -> None:
    if not isinstance(stored, Stored):
        raise _wrong(ctx, method, object_, f"gave a {type(stored).__name__}, expected a Stored")
    if stored.object != object_ or not _is_id(stored.id):
        raise _wrong(ctx, method, object_, "gave a record of another object, or one without an id of text")


def _is_id(id_: object) -> bool:
    return isinstance(id_, str) and id_ != ""


def _wrong(ctx: RunContext, method: str, object_: str, what: str) -> PluginError:
    name = ctx.journal.runs.meta("destination") or "of this run"
    return PluginError(
        f'The plugin of destination "{name}" is at fault: {method}() of {object_} {what}. Nothing more was written. '
        "Update the plugin, or tell its author; then run the same command again."
    )


class _Circles:
    """Notices a list that repeats itself, however long the circle, with one id kept (Brent's algorithm)."""

    def __init__(self) -> None:
        self._kept: str | None = None
        self._count, self._next, self._met = 0, 1, 0

    def after(self, id_: str) -> bool:
        """Take the next id; return whether the list goes in circles."""
        self._count += 1
        self._met += id_ == self._kept
        if self._count == self._next:
            self._kept, self._next = id_, self._next * 2
        return self._met >= AGAIN
