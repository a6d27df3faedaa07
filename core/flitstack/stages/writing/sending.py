"""Sends the operations of one level: intents are on disk before requests leave, outcomes follow the answers.

A feeder resolves links and commits intents in batches, workers send, a settler commits outcomes in batches. How many
requests are really under way at once is the writer's to find; the engine only keeps enough of them ready.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from itertools import groupby, islice
from typing import TYPE_CHECKING, Any

from flitstack.errors import (
    AuthError,
    BudgetExhausted,
    ConfigurationError,
    InDoubt,
    Interrupted,
    NotSent,
    PlanLimit,
    RateLimited,
    Rejected,
)
from flitstack.journal import Settlement, is_cleared, link_json, read_link
from flitstack.protocols import LinkRef, Operation, Outcome
from flitstack.stages.context import on_disk
from flitstack.stages.writing.answers import apply_all
from flitstack.stages.writing.looking import look
from flitstack.stages.writing.refusing import refused
from flitstack.stages.writing.schema import bind_made
from flitstack.stages.writing.targets import Targets

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from flitstack.journal import Merge, OperationRow, Spending
    from flitstack.stages.context import RunContext
    from flitstack.stages.writing.looking import Looked

RETRIES = 5
DOUBTS_IN_A_ROW = 10
CHUNK = 500
BATCH = 64
UNWRITTEN = (RateLimited, NotSent, BudgetExhausted, AuthError, PlanLimit, ConfigurationError, Interrupted)
GATHER_S = 0.01


@dataclass(frozen=True, slots=True)
class _Ready:
    """An operation whose links are resolved; `row` holds the links that are really asked for."""

    row: OperationRow
    operation: Operation


class Level:
    """Operations that need nothing of each other, on their way to the destination."""

    def __init__(self, ctx: RunContext, level: int) -> None:
        self._ctx = ctx
        self._level = level
        self._targets = Targets(ctx)
        self._ready: asyncio.Queue[list[_Ready] | None] = asyncio.Queue(maxsize=ctx.behaviours.concurrency)
        self._settled: list[Settlement] = []
        self._wake = asyncio.Event()
        self._at_work = ctx.behaviours.concurrency
        self._failure: Exception | None = None
        self._doubts = 0
        self._leaving: dict[int, float] = {}

    async def run(self) -> None:
        """Send what is planned at this level, until it is done, or something says to stop.

        It also ends early when many writes in a row got no answer: they are looked for before more are sent.
        """
        workers = [asyncio.create_task(self._work()) for _ in range(self._at_work)]
        tasks = [asyncio.create_task(self._feed()), asyncio.create_task(self._settle()), *workers]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        if self._failure is not None:
            raise self._failure
        self._ctx.stop.check()

    @property
    def _halted(self) -> bool:
        return self._failure is not None or self._ctx.stop.raised or self._doubts >= DOUBTS_IN_A_ROW

    # --- what is sent next ---

    async def _feed(self) -> None:
        """Keep the queue of what may leave filled; each entry's intent is on disk."""
        try:
            await self._fill()
        except Exception as exc:  # noqa: BLE001 - raised once what is under way is settled
            self._failure = self._failure or exc
        for _ in range(self._ctx.behaviours.concurrency):
            await self._ready.put(None)

    async def _fill(self) -> None:
        operations, last = self._ctx.journal.operations, 0
        size = _whole(BATCH, self._ctx.behaviours.max_batch)  # else each chunk would leave a request that is half empty
        while not self._halted and (rows := operations.ready(self._level, last, _whole(CHUNK, size))):
            last = rows[-1].id
            for batch in _batches(rows, size):
                if self._halted:
                    return
                ready, merges = await self._prepare(batch)
                ids = [item.row.id for item in ready]
                self._leaving |= {item.row.id: self._price(item.row) for item in ready}
                spent = self._spending()
                await on_disk(operations.intend(ids, self._ctx.id, self._ctx.at(), merges, spent))
                for group in self._groups(ready):
                    await self._ready.put(group)

    def _groups(self, ready: Sequence[_Ready]) -> Iterator[list[_Ready]]:
        """Yield what one call of the writer takes: operations of one kind, as many as it can."""
        for _, alike in groupby(ready, key=lambda item: (item.row.object, item.row.verb)):
            yield from _batches(alike, self._ctx.behaviours.max_batch)

    async def _prepare(self, rows: Sequence[OperationRow]) -> tuple[list[_Ready], list[Merge]]:
        """Return those that can be sent, and what becomes of the fields that somebody changed.

        Those that must wait, have nothing to say or were overtaken are settled.
        """
        guard = self._ctx.guard
        judged = await guard.judge(rows) if guard is not None else {}
        for row in rows:
            if row.id in judged:
                state, code = judged[row.id]
                done = row.destination_id if state == "done" else None
                self._note(Settlement(row, state, self._ctx.at(), self._ctx.facts(row), done, code=code))
        rows = [row for row in rows if row.id not in judged]
        looked = await look(self._ctx, [] if guard is not None else rows, self._targets)
        ready: list[_Ready] = []
        for row in rows:
            resolved = self._resolve(row)
            verdict, code = "blocked", ""
            if resolved is not None:
                item, verdict, code = self._judge(*resolved, looked)
                row = item.row
                if not verdict:
                    ready.append(item)
                    continue
            self._note(Settlement(row, verdict, self._ctx.at(), self._ctx.facts(row), code=code))
        return ready, looked.merges

    def _judge(self, row: OperationRow, links: Mapping[str, str], looked: Looked) -> tuple[_Ready, str, str]:
        """Return the operation, and the state and code it is in when it must not be sent."""
        destination_id, verdict, code = row.destination_id, "", ""
        if row.verb != "create":
            destination_id = self._ctx.journal.records.destination_id(row.object, row.key, row.part) or destination_id
            if destination_id is None:
                verdict = "blocked"
            elif row.verb == "update" and not row.fields and not row.links:
                verdict = "superseded"
            else:
                row, verdict, code = looked.judge(row, links)
                links = {name: end for name, end in links.items() if name in row.links}
        operation = Operation(row.id, row.verb, row.object, row.key, row.part, row.fields, links, destination_id)
        return _Ready(row, operation), verdict, code

    def _resolve(self, row: OperationRow) -> tuple[OperationRow, dict[str, str]] | None:
        """Return the operation, and field to destination id; None when it must wait for a parent.

        An optional link whose parent was refused is left out, so that a later plan can add it; one that led elsewhere
        before is cleared, as it would now lead to the wrong record.
        """
        ids: dict[str, str] = {}
        links = dict(row.links)
        for name, stored in row.links.items():
            link = read_link(stored)
            found = "" if is_cleared(link) else self._targets.id(link)
            if found is not None:
                ids[name] = found
            elif link.object != self._ctx.behaviours.user and (link.required or self._still_coming(link)):
                return None
            elif link.object != self._ctx.behaviours.user and self._led_elsewhere(row, name):
                ids[name], links[name] = "", link_json(LinkRef(link.object, ""))
        if len(ids) < len(row.links) or links != row.links:
            row = replace(row, links={name: stored for name, stored in links.items() if name in ids})
        return row, ids

    def _led_elsewhere(self, row: OperationRow, name: str) -> bool:
        """Tell whether a link of a record that an update changes leads somewhere now."""
        if row.verb != "update":
            return False
        record = self._ctx.journal.records.link(row.object, row.key, row.part)
        kept = record.wanted["links"].get(name) if record else None
        return kept is not None and not is_cleared(read_link(kept))

    def _still_coming(self, link: LinkRef) -> bool:
        last = self._ctx.journal.operations.last(link.object, link.key, link.part)
        return last is not None and last.state in ("in_doubt", "intended")

    def _price(self, row: OperationRow) -> float:
        """Return what an operation costs in a full request."""
        behaviour = self._ctx.behaviours.objects[row.object]
        return behaviour.cost.get(row.verb, 0) / behaviour.batch

    def _spending(self) -> Spending:
        return self._ctx.spending(sum(self._leaving.values()))

    # --- sending ---

    async def _work(self) -> None:
        while (group := await self._ready.get()) is not None:
            if self._halted:
                for item in group:  # its intent is on disk, and it never left
                    self._note(self._settlement(item, "planned"))
                continue
            try:
                await self._carry_out(group)
            except Exception as exc:  # noqa: BLE001 - raised once what is under way is settled
                self._failure = self._failure or exc
        self._at_work -= 1
        self._wake.set()

    async def _carry_out(self, group: list[_Ready]) -> None:
        failure: Exception | None = None
        for item, outcome in await self._send(group):
            try:
                self._take(item, outcome)
            except Exception as exc:  # noqa: BLE001 - the others of the group have their outcome too
                failure = failure or exc
            self._ctx.notify("flit_operation_finished", operation=item.operation, outcome=outcome)
        if failure is not None:
            raise failure

    async def _send(self, group: list[_Ready]) -> list[tuple[_Ready, Outcome]]:
        """Send until each is known to be done, refused or in doubt; send again only what certainly was not written."""
        finished: list[tuple[_Ready, Outcome]] = []
        for attempt in range(RETRIES):
            outcomes = await apply_all(self._ctx, [item.operation for item in group])
            answered = list(zip(group, outcomes, strict=True))
            again = [pair for pair in answered if isinstance(pair[1].error, RateLimited | NotSent)]
            finished += [pair for pair in answered if pair not in again]
            if not again or attempt == RETRIES - 1 or self._halted:
                return finished + again
            waits = (o.error.retry_after_s for _, o in again if isinstance(o.error, RateLimited))
            await self._ctx.clock.sleep(max(waits, default=0.2 * 2**attempt))
            group = [item for item, _ in again]
        return finished

    def _take(self, item: _Ready, outcome: Outcome) -> None:
        """Note what an outcome means for its operation.

        :raises Exception: the outcome says that nothing more can be sent now.
        """
        row, error = item.row, outcome.error
        if error is None:
            self._doubts = 0
            bind_made(self._ctx, row, outcome.destination_id or "")
            users = {n: u for n, u in item.operation.links.items() if row.links[n][0] == self._ctx.behaviours.user}
            self._note(self._settlement(item, "done", destination_id=outcome.destination_id or "", users=users))
        elif isinstance(error, Rejected):
            self._note(refused(self._ctx, row, error))
        elif isinstance(error, InDoubt):
            self._doubts += 1
            self._ctx.doubt(row.id, error.refusal)
            self._note(self._settlement(item, "in_doubt", code="no_answer"))
        else:
            unwritten = isinstance(error, UNWRITTEN)
            self._note(self._settlement(item, "planned" if unwritten else "in_doubt", code=type(error).__name__))
            if not (self._halted and isinstance(error, RateLimited | NotSent)):
                raise error

    # --- what became of it ---

    def _settlement(self, item: _Ready, state: str, **more: Any) -> Settlement:
        if state == "in_doubt":
            self._ctx.give_up(item.row.id)
        return Settlement(item.row, state, self._ctx.at(), self._ctx.facts(item.row), **more)

    def _note(self, settled: Settlement) -> None:
        self._settled.append(settled)
        if settled.state != "planned":
            self._ctx.progress.advance()
        self._wake.set()

    async def _settle(self) -> None:
        """Commit outcomes as they come, as many at once as there are, until nobody is at work any more."""
        while self._at_work or self._settled:
            await self._wake.wait()
            if self._at_work and len(self._settled) < BATCH:  # a few more will come; few large commits cost the least
                await self._ctx.clock.sleep(GATHER_S)
            self._wake.clear()
            batch, self._settled = self._settled, []
            try:
                if batch:
                    for settled in batch:
                        self._leaving.pop(settled.operation.id, None)
                    await on_disk(self._ctx.journal.operations.settle(batch, self._spending()))
            except Exception as exc:  # noqa: BLE001 - raised once what is under way is answered; then it is in doubt
                self._failure = self._failure or exc


def _batches(items: Iterable[Any], size: int) -> Iterator[list[Any]]:
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch


def _whole(least: int, size: int) -> int:
    """Return the smallest multiple of a size that is not below the least."""
    return -(-least // size) * size
