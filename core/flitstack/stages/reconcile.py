"""Reconcile: find out what became of writes whose answer is unknown, before anything like them is sent again."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from flitstack.journal import read_link
from flitstack.stages.schema import SCHEMA_KEY, bind_made

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flitstack.journal import OperationRow
    from flitstack.protocols import Stored
    from flitstack.stages.context import RunContext

CLOCK_SKEW = timedelta(minutes=15)


async def reconcile(ctx: RunContext) -> bool:
    """Settle what is in doubt: creates by listing what is new, updates and deletes by reading the record.

    A create counts as not done only when the declared lag has passed since it was sent and a record of ours that was
    created later shows in the same list.

    :return: whether anything was in doubt.
    """
    doubtful = ctx.journal.operations.in_doubt()
    if not doubtful:
        return False
    ctx.progress.say(f"{len(doubtful)} writes had no answer: looking for what became of them.")
    for object_ in dict.fromkeys(row.object for row in doubtful):
        rows = [row for row in doubtful if row.object == object_]
        creates = [row for row in rows if row.verb == "create"]
        if object_ in ctx.behaviours.schema_objects:
            await _reconcile_schema(ctx, rows)
        elif creates:
            await _reconcile_creates(ctx, object_, creates)
        changes = [row for row in rows if row.verb != "create" and object_ not in ctx.behaviours.schema_objects]
        if changes:
            await _reconcile_changes(ctx, object_, changes)
    return True


async def _reconcile_schema(ctx: RunContext, rows: Sequence[OperationRow]) -> None:
    await _wait_for_lag(ctx, rows)
    found = {item.key: item for item in await ctx.writer.schema()}
    for row in rows:
        item = found.get(row.key.removeprefix(SCHEMA_KEY))
        wanted = set(row.fields.get("options") or ())  # type: ignore[arg-type]
        if item is not None and item.id is not None and wanted <= set(item.settings.get("options", ())):
            bind_made(ctx, row, item.id)
            await _done(ctx, row, item.id)
        else:
            await _again(ctx, row)


async def _reconcile_creates(ctx: RunContext, object_: str, rows: Sequence[OperationRow]) -> None:
    await _wait_for_lag(ctx, rows)
    since = min(datetime.fromisoformat(row.intended_at or ctx.at()) for row in rows) - CLOCK_SKEW
    by_key: dict[str, str] = {}
    seen: set[str] = set()
    async for stored in ctx.writer.list(object_, since=since):
        seen.add(stored.id)
        for name in _names(ctx, stored):
            by_key.setdefault(name, stored.id)
    taken = {link.destination_id for link in ctx.journal.records.links(object_)}
    for row in rows:
        found = by_key.get(_name(ctx, row))
        if found is not None and found not in taken:
            taken.add(found)
            await _done(ctx, row, found)
        elif _certainly_absent(ctx, row, seen):
            await _again(ctx, row)


def _certainly_absent(ctx: RunContext, row: OperationRow, seen: set[str]) -> bool:
    later = ctx.journal.operations.later_done(row.object, row.id)
    return any(destination_id in seen for destination_id in later) or (not later and _waited_long(ctx, row))


def _waited_long(ctx: RunContext, row: OperationRow) -> bool:
    """Tell whether four times the declared lag has passed, for the last create of all, which no later one follows."""
    sent = datetime.fromisoformat(row.intended_at or ctx.at())
    return ctx.clock.now() - sent >= timedelta(seconds=4 * ctx.behaviours.objects[row.object].lag_s)


async def _reconcile_changes(ctx: RunContext, object_: str, rows: Sequence[OperationRow]) -> None:
    await _wait_for_lag(ctx, rows)
    ids = [row.destination_id for row in rows if row.destination_id]
    found = {stored.id: stored for stored in await ctx.writer.get_many(object_, ids)}
    for row in rows:
        stored = found.get(row.destination_id or "")
        if row.verb == "delete":
            await (_again(ctx, row) if stored else _done(ctx, row, row.destination_id or ""))
        elif stored is None:
            await _wrap(ctx.journal.operations.settle(row, "conflict", ctx.at(), ctx.facts(row), "record_gone"))
        elif _equal(ctx, row, stored):
            await _done(ctx, row, stored.id)
        else:
            await _again(ctx, row)


def _equal(ctx: RunContext, row: OperationRow, stored: Stored) -> bool:
    wanted = ctx.writer.comparable(row.object, row.fields)
    held = ctx.writer.comparable(row.object, stored.fields)
    return all(held.get(name) == value for name, value in wanted.items())


def _names(ctx: RunContext, stored: Stored) -> list[str]:
    """Return the names by which a stored record can be known: its key, or its place, name and size."""
    if stored.key is not None:
        return [stored.key]
    if ctx.behaviours.objects[stored.object].key_in != "content":
        return []
    name, size = stored.fields.get("name"), stored.fields.get("size")
    return [f"{parent}|{destination_id}|{name}|{size}" for parent, destination_id in sorted(stored.links.items())]


def _name(ctx: RunContext, row: OperationRow) -> str:
    if ctx.behaviours.objects[row.object].key_in != "content":
        return f"{row.key}#{row.part}" if row.part else row.key
    name, size = row.fields.get("name"), row.fields.get("size")
    for parent, stored in sorted(row.links.items()):
        link = read_link(stored)
        found = ctx.journal.records.link(link.object, link.key, link.part)
        if found is not None:
            return f"{parent}|{found.destination_id}|{name}|{size}"
    return ""


async def _wait_for_lag(ctx: RunContext, rows: Sequence[OperationRow]) -> None:
    """Wait until the declared lag has passed since the last of them was sent."""
    sent = max(datetime.fromisoformat(row.intended_at or ctx.at()) for row in rows)
    lag = max(ctx.behaviours.objects[row.object].lag_s for row in rows)
    if not any(ctx.journal.operations.later_done(row.object, row.id) for row in rows):
        lag *= 4
    left = lag - (ctx.clock.now() - sent).total_seconds()
    if left > 0:
        await ctx.clock.sleep(left)


async def _done(ctx: RunContext, row: OperationRow, destination_id: str) -> None:
    facts = {**ctx.facts(row), "found_by": "reconcile"}
    await _wrap(ctx.journal.operations.settle_done(row, destination_id, ctx.at(), facts))


async def _again(ctx: RunContext, row: OperationRow) -> None:
    await _wrap(ctx.journal.operations.settle(row, "planned", ctx.at(), ctx.facts(row)))


async def _wrap(future: Any) -> None:
    await asyncio.wrap_future(future)
