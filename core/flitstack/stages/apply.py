"""Apply: carry out what was planned, each write's intent on disk before it leaves and its outcome after the answer."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from flitstack.errors import (
    AuthError,
    BudgetExhausted,
    ConfigurationError,
    InDoubt,
    NotSent,
    PlanLimit,
    RateLimited,
    Rejected,
    Unavailable,
)
from flitstack.journal import is_cleared, read_link
from flitstack.protocols import Operation, Outcome, Rejection
from flitstack.stages.reconcile import reconcile
from flitstack.stages.schema import bind_made

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flitstack.journal import Link, OperationRow
    from flitstack.stages.context import RunContext

RETRIES = 5
DOUBTS_IN_A_ROW = 5
CHUNK = 500


@dataclass(slots=True)
class _Level:
    """The state that the workers of one level share."""

    queue: asyncio.Queue[OperationRow]
    failure: BaseException | None = None
    doubts: int = 0


async def apply_operations(ctx: RunContext) -> None:
    """Send everything planned, level by level: parents before children, schema before records.

    :raises Stopped: the destination does not answer, or the budget is used up; run again to carry on.
    :raises ConfigurationError: sign-in, rights or plan.
    :raises Interrupted: a person asked to stop; what was under way is settled.
    """
    ctx.progress.begin("apply", ctx.journal.operations.count("planned"))
    try:
        doubted: Counter[int] = Counter()
        while levels := ctx.journal.operations.levels():
            level = levels[0]
            await _apply_level(ctx, level)
            if await reconcile(ctx):
                doubted[level] += 1
                ctx.journal.operations.unblock()
            if doubted[level] > RETRIES:
                raise Unavailable("The destination keeps leaving writes without an answer. Run the same command later.")
    finally:
        ctx.progress.end()


async def _apply_level(ctx: RunContext, level: int) -> None:
    last = 0
    while chunk := ctx.journal.operations.ready(level, last, CHUNK):
        ctx.stop.check()
        last = chunk[-1].id
        state = _Level(asyncio.Queue())
        for operation in chunk:
            state.queue.put_nowait(operation)
        workers = [asyncio.create_task(_work(ctx, state)) for _ in range(ctx.behaviours.concurrency)]
        await asyncio.gather(*workers)
        if state.failure is not None:
            raise state.failure
        ctx.stop.check()


async def _work(ctx: RunContext, state: _Level) -> None:
    while not state.queue.empty() and state.failure is None and not ctx.stop.raised:
        row = state.queue.get_nowait()
        try:
            await _carry_out(ctx, state, row)
        except Exception as exc:  # noqa: BLE001 - handed to the caller of the level, after the others have settled
            state.failure = state.failure or exc
        ctx.progress.advance()


async def _carry_out(ctx: RunContext, state: _Level, row: OperationRow) -> None:
    resolved = resolve_links(ctx, row)
    if resolved is None:
        await _settled(ctx.journal.operations.settle(row, "blocked", ctx.at(), ctx.facts(row)))
        return
    row, links = resolved
    destination_id = row.destination_id
    if row.verb != "create":
        link = ctx.journal.records.link(row.object, row.key, row.part)
        destination_id = link.destination_id if link else destination_id
        unmade, empty = destination_id is None, row.verb == "update" and not row.fields and not row.links
        if unmade or empty:
            verdict = "blocked" if unmade else "superseded"
            await _settled(ctx.journal.operations.settle(row, verdict, ctx.at(), ctx.facts(row)))
            return
        if link is not None and await _changed_elsewhere(ctx, row, link):
            await _settled(
                ctx.journal.operations.settle(row, "conflict", ctx.at(), ctx.facts(row), "changed_elsewhere")
            )
            return
    operation = Operation(row.id, row.verb, row.object, row.key, row.part, row.fields, links, destination_id)
    outcome = await _send(ctx, row, operation)
    await _settle(ctx, state, row, links, outcome)
    ctx.notify("flit_operation_finished", operation=operation, outcome=outcome)


async def _changed_elsewhere(ctx: RunContext, row: OperationRow, link: Link) -> bool:
    """Tell whether somebody changed, since it was last read back, a field that an update is about to write."""
    if row.verb != "update" or link.after is None or row.object in ctx.behaviours.schema_objects:
        return False
    found = await ctx.writer.get_many(row.object, [link.destination_id])
    if not found:
        return False  # the write itself says that it is gone
    held = ctx.writer.comparable(row.object, found[0].fields)
    wanted = ctx.writer.comparable(row.object, row.fields)
    return any(held.get(name) not in (link.after.get(name), value) for name, value in wanted.items())


async def _send(ctx: RunContext, row: OperationRow, operation: Operation) -> Outcome:
    """Send until it is known to be done, refused or in doubt; send again only what certainly was not written."""
    outcome = Outcome(row.id, error=NotSent("not tried"))
    for attempt in range(RETRIES):
        await _settled(ctx.journal.operations.intend([row.id], ctx.id, ctx.at()))
        (outcome,) = await ctx.writer.apply([operation])
        if isinstance(outcome.error, RateLimited):
            await _settled(ctx.journal.operations.settle(row, "planned", ctx.at(), ctx.facts(row)))
            await ctx.clock.sleep(outcome.error.retry_after_s)
        elif isinstance(outcome.error, NotSent):
            await _settled(ctx.journal.operations.settle(row, "planned", ctx.at(), ctx.facts(row)))
            await ctx.clock.sleep(0.2 * 2**attempt)
        else:
            return outcome
        if ctx.stop.raised:
            break
    return outcome


async def _settle(
    ctx: RunContext, state: _Level, row: OperationRow, links: Mapping[str, str], outcome: Outcome
) -> None:
    operations, facts, error = ctx.journal.operations, ctx.facts(row), outcome.error
    if error is None:
        state.doubts = 0
        bind_made(ctx, row, outcome.destination_id or "")
        users = {name: user for name, user in links.items() if row.links[name][0] == ctx.behaviours.user}
        await _settled(operations.settle_done(row, outcome.destination_id or "", ctx.at(), facts, users))
        return
    if isinstance(error, Rejected):
        await _settled(operations.settle(row, "rejected", ctx.at(), facts, error.code, f"{error.reason} {error.hint}"))
        _tell_rejected(ctx, row, error)
        return
    if isinstance(error, InDoubt):
        await _settled(operations.settle(row, "in_doubt", ctx.at(), facts, "no_answer"))
        state.doubts += 1
        if state.doubts >= DOUBTS_IN_A_ROW:
            raise Unavailable(f"{DOUBTS_IN_A_ROW} writes in a row had no answer. Run the same command again later.")
        return
    unwritten = isinstance(error, RateLimited | NotSent | BudgetExhausted | AuthError | PlanLimit | ConfigurationError)
    await _settled(
        operations.settle(row, "planned" if unwritten else "in_doubt", ctx.at(), facts, type(error).__name__)
    )
    if unwritten and ctx.stop.raised and isinstance(error, RateLimited | NotSent):
        return
    raise error


def _tell_rejected(ctx: RunContext, row: OperationRow, error: Rejected) -> None:
    for stream, record_id, role in ctx.journal.records.contributors(row.object, row.key, row.part):
        if role != "folded":
            rejection = Rejection(stream, record_id, error.code, error.reason, error.hint, field=error.field)
            ctx.notify("flit_record_rejected", rejection=rejection)


async def _settled(future: Any) -> None:
    await asyncio.wrap_future(future)


def resolve_links(ctx: RunContext, row: OperationRow) -> tuple[OperationRow, dict[str, str]] | None:
    """Return the operation, and field to destination id; None when it must wait for a parent.

    An optional link whose parent was refused is left out of the operation, so that a later plan can add it.
    """
    ids: dict[str, str] = {}
    dropped: set[str] = set()
    for name, stored in row.links.items():
        link = read_link(stored)
        if is_cleared(link):
            ids[name] = ""
            continue
        if link.object == ctx.behaviours.user:
            user = ctx.user_for(link)
            if user is None:
                dropped.add(name)
            else:
                ids[name] = user
            continue
        found = ctx.journal.records.link(link.object, link.key, link.part)
        if found is not None:
            ids[name] = found.destination_id
        elif link.required or _still_coming(ctx, link.object, link.key, link.part):
            return None
        else:
            dropped.add(name)
    if dropped:
        row = replace(row, links={name: stored for name, stored in row.links.items() if name not in dropped})
    return row, ids


def _still_coming(ctx: RunContext, object_: str, key: str, part: str) -> bool:
    last = ctx.journal.operations.last(object_, key, part)
    return last is not None and last.state in ("in_doubt", "intended")
