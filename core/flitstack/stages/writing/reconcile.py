"""Reconcile: find out what became of writes whose answer is unknown, before anything like them is sent again."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from flitstack.journal import Settlement, is_cleared, read_link
from flitstack.protocols import KeyFinding, SchemaItem, full_key
from flitstack.stages.context import on_disk
from flitstack.stages.writing.answers import get_held, list_held
from flitstack.stages.writing.refusing import refused
from flitstack.stages.writing.schema import SCHEMA_KEY, bind_made
from flitstack.stages.writing.targets import Targets

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from flitstack.journal import OperationRow
    from flitstack.protocols import Stored
    from flitstack.stages.context import RunContext

CLOCK_SKEW = timedelta(minutes=15)
EDGE_S = 0.001  # a sleep may end a rounding too early
NO_ITEM = SchemaItem("", "")
LAST_OF_ALL = 4  # times the declared lag is waited for a create that no later one of ours follows


async def reconcile(ctx: RunContext) -> bool:
    """Settle what is in doubt: creates by listing what is new, updates and deletes by reading the record.

    A create counts as not done only when the declared lag has passed since it was given up and a record of ours that
    was begun after that shows in the same list. An update whose record holds the desired values is done; any other is
    planned again, and looked at once more before it leaves: who else was there is seen then.

    :return: whether anything was in doubt.
    """
    doubtful = ctx.journal.operations.in_doubt()
    if not doubtful:
        return False
    longest = LAST_OF_ALL * max(ctx.behaviours.objects[row.object].lag_s for row in doubtful)
    ctx.progress.say(
        f"{len(doubtful)} writes had no answer, or were just to be sent: looking for what became of them, once lists "
        f"show all there is ({longest:g} s at the most)."
    )
    for object_ in dict.fromkeys(row.object for row in doubtful):
        rows = [row for row in doubtful if row.object == object_]
        creates = [row for row in rows if row.verb == "create"]
        if object_ in ctx.behaviours.schema_objects:
            await _reconcile_schema(ctx, rows)
        elif creates and ctx.behaviours.objects[object_].key_unique and isinstance(ctx.writer, KeyFinding):
            await _reconcile_by_key(ctx, ctx.writer, object_, creates)
        elif creates:
            await _reconcile_creates(ctx, object_, creates)
        changes = [row for row in rows if row.verb != "create" and object_ not in ctx.behaviours.schema_objects]
        if changes:
            await _reconcile_changes(ctx, object_, changes)
    return True


async def _reconcile_schema(ctx: RunContext, rows: Sequence[OperationRow]) -> None:
    await _wait_for_lag(ctx, rows)
    found = {item.key: item async for item in _schema_items(ctx, rows[0].object)}
    settled: list[Settlement] = []
    for row in rows:
        item = found.get(row.key.removeprefix(SCHEMA_KEY))
        if row.inverse_of is not None:
            off = set(row.fields.get("remove_options") or ())  # type: ignore[arg-type]
            there = item is not None and item.id == row.destination_id
            left = there and (row.verb == "delete" or bool(off & set((item or NO_ITEM).settings.get("options", ()))))
            settled.append(_again(ctx, row) if left else _done(ctx, row, row.destination_id or ""))
            continue
        wanted = set(row.fields.get("options") or ())  # type: ignore[arg-type]
        if item is not None and item.id is not None and wanted <= set(item.settings.get("options", ())):
            bind_made(ctx, row, item.id)
            settled.append(_done(ctx, row, item.id))
        else:
            settled.append(_again(ctx, row))
    await on_disk(ctx.journal.operations.settle(settled))


async def _schema_items(ctx: RunContext, object_: str) -> AsyncIterator[SchemaItem]:
    """Yield the account's schema items of one kind: reading only these costs a fraction of the whole schema."""
    async for stored in list_held(ctx, object_):
        yield SchemaItem(object_, str(stored.fields["name"]), str(stored.fields["of"]), stored.fields, stored.id)


async def _reconcile_creates(ctx: RunContext, object_: str, rows: Sequence[OperationRow]) -> None:
    await _wait_for_lag(ctx, rows)
    since = min(datetime.fromisoformat(row.intended_at or ctx.at()) for row in rows) - CLOCK_SKEW
    left = await _settle_creates(ctx, object_, rows, since)
    if left:  # no later record of ours shows there, or the clocks differ: the whole list tells
        await _settle_creates(ctx, object_, left, None)


async def _reconcile_by_key(ctx: RunContext, writer: KeyFinding, object_: str, rows: Sequence[OperationRow]) -> None:
    """Settle creates of an object whose keys are unique: no lag to wait for, and no second record if one comes late."""
    keys = {row.id: full_key(row.key, row.part) for row in rows}
    found = {stored.key: stored.id for stored in await writer.find(object_, list(keys.values()))}
    settled = [_done(ctx, row, found[keys[row.id]]) if keys[row.id] in found else _again(ctx, row) for row in rows]
    await on_disk(ctx.journal.operations.settle(settled))


async def _settle_creates(
    ctx: RunContext, object_: str, rows: Sequence[OperationRow], since: datetime | None
) -> list[OperationRow]:
    """Settle creates by one listing, of all records when `since` is None; return those it does not decide."""
    targets = Targets(ctx)
    names = {row.id: _name(ctx, row, targets) for row in rows}
    wanted = set(names.values())
    found: dict[str, list[str]] = {}
    seen: set[str] = set()
    async for stored in list_held(ctx, object_, since):
        seen.add(stored.id)
        for name in _names(ctx, stored):
            if name in wanted:
                found.setdefault(name, []).append(stored.id)
    taken = {link.destination_id for link in ctx.journal.records.links(object_)}
    settled: list[Settlement] = []
    undecided: list[OperationRow] = []
    for row in rows:
        free = next((id_ for id_ in found.get(names[row.id], ()) if id_ not in taken), None)
        if free is not None:
            taken.add(free)
            settled.append(_done(ctx, row, free))
        elif _certainly_absent(ctx, row, seen, taken if since is None else None):
            settled.append(_again(ctx, row))
        else:
            undecided.append(row)
    await on_disk(ctx.journal.operations.settle(settled))
    return undecided


def _certainly_absent(ctx: RunContext, row: OperationRow, seen: set[str], ours: set[str] | None) -> bool:
    """Tell whether a create was certainly not done: a later one of ours shows in the list.

    For the last create of all there is none; then the list must be whole and show all else of ours, long after.

    :param ours: ids of our records when the list is whole, else None.
    """
    later = ctx.journal.operations.later_done(row.object, row.id)
    if later or ours is None:
        return any(destination_id in seen for destination_id in later)
    return (not ours or bool(ours & seen)) and _waited_long(ctx, row)


def _waited_long(ctx: RunContext, row: OperationRow) -> bool:
    """Tell whether long enough has passed for the last create of all, which no later one follows."""
    return ctx.since_given_up_s(row.id) >= LAST_OF_ALL * ctx.behaviours.objects[row.object].lag_s


async def _reconcile_changes(ctx: RunContext, object_: str, rows: Sequence[OperationRow]) -> None:
    await _wait_for_lag(ctx, rows)
    links = {row.id: ctx.journal.records.link(row.object, row.key, row.part) for row in rows}
    # An operation planned before its record was created does not know the record's id; the link does.
    ids = {row.id: link.destination_id if (link := links[row.id]) else row.destination_id or "" for row in rows}
    found = await get_held(ctx, object_, sorted(set(ids.values()) - {""}))
    targets = Targets(ctx)
    settled: list[Settlement] = []
    for row in rows:
        stored, link = found.get(ids[row.id]), links[row.id]
        if row.verb == "delete":
            settled.append(_again(ctx, row) if stored else _done(ctx, row, ids[row.id]))
            continue
        done = stored is not None and _is_done(ctx, row, stored, targets)
        settled.append(_done(ctx, row, ids[row.id]) if done else _again(ctx, row))
    await on_disk(ctx.journal.operations.settle(settled))


def _is_done(ctx: RunContext, row: OperationRow, stored: Stored, targets: Targets) -> bool:
    """Tell whether a record holds all that an update in doubt was to write.

    If not, it is planned again: before it is sent, it is looked at field by field, and what holds neither what was
    written nor what was there before is a conflict.
    """
    held = {**ctx.writer.comparable(row.object, stored.fields), **stored.links}
    wanted = {**ctx.writer.comparable(row.object, row.fields), **targets.ids(row.links)}
    # An owner matched in an earlier run is not known yet: looked at once more, such a link does no harm.
    unknown = any(wanted[name] is None and not is_cleared(read_link(link)) for name, link in row.links.items())
    return not unknown and all(held.get(name) == value for name, value in wanted.items())


def _names(ctx: RunContext, stored: Stored) -> list[str]:
    """Return the names by which a stored record can be known: its key, or its place, name and size."""
    if stored.key is not None:
        return [stored.key]
    if ctx.behaviours.objects[stored.object].key_in != "content":
        return []
    name, size = stored.fields.get("name"), stored.fields.get("size")
    return [f"{parent}|{destination_id}|{name}|{size}" for parent, destination_id in sorted(stored.links.items())]


def _name(ctx: RunContext, row: OperationRow, targets: Targets) -> str:
    if ctx.behaviours.objects[row.object].key_in != "content":
        return full_key(row.key, row.part)
    name, size = row.fields.get("name"), row.fields.get("size")
    parents = (f"{parent}|{id_}" for parent, id_ in sorted(targets.ids(row.links).items()) if id_ is not None)
    return next((f"{parent}|{name}|{size}" for parent in parents), "")


async def _wait_for_lag(ctx: RunContext, rows: Sequence[OperationRow]) -> None:
    """Wait until the declared lag has passed since the last of them was given up, longer for one without a later.

    An operation's last byte left before it was given up, however long it had to queue.
    """
    lag = max(ctx.behaviours.objects[row.object].lag_s for row in rows)
    if not all(ctx.journal.operations.later_done(row.object, row.id) for row in rows):
        lag *= LAST_OF_ALL
    left = lag - min(ctx.since_given_up_s(row.id) for row in rows)
    if left > 0:
        await ctx.clock.sleep(left + EDGE_S)


def _done(ctx: RunContext, row: OperationRow, destination_id: str) -> Settlement:
    facts = {**ctx.facts(row), "found_by": "reconcile"}
    return Settlement(row, "done", ctx.at(), facts, destination_id)


def _again(ctx: RunContext, row: OperationRow) -> Settlement:
    """Return that the operation is to be sent again; refused, where its answer said so and it was not done."""
    refusal = ctx.refusal(row.id)
    if refusal is not None:
        return refused(ctx, row, refusal)
    return Settlement(row, "planned", ctx.at(), ctx.facts(row))
