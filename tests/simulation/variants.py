"""Engines broken on purpose, each in one way: a simulation that does not catch them proves nothing.

`python tests/simulation/variants.py` prints for each port which seed catches each of them, and what was seen.
"""

from __future__ import annotations

import json
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import click

from flitstack.errors import InDoubt, NotSent
from flitstack.journal import Operations, Records, Settlement, dumps
from flitstack.protocols import full_key
from flitstack.stages import run
from flitstack.stages.context import on_disk
from flitstack.stages.intake import stage
from flitstack.stages.writing import reconcile, sending
from flitstack.testing.memory import MemoryAccount
from flitstack.testing.simulation.campaign import replay_command
from flitstack.testing.simulation.port import load_port
from flitstack.testing.simulation.scenario import SEARCH_LAG_S, scenario_of
from flitstack.testing.simulation.walk import simulate
from flitstack_pipedrive import client
from flitstack_pipedrive.answers import Call
from flitstack_pipedrive.codec import records as codec
from flitstack_pipedrive.costs import cost_of

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager

    from flitstack.journal import OperationRow
    from flitstack.protocols import Operation, Outcome
    from flitstack.stages.context import RunContext
    from flitstack.testing.simulation.walk import Verdict

HERE = Path(__file__).parent
PORTS = {
    "memory": "flitstack.testing.simulation.memory_port:PORT",
    "pipedrive": "flitstack_pipedrive.testing:PORT",
}
WITHIN = 500
SEARCH_COST = 20


@contextmanager
def intent_after_send() -> Iterator[None]:
    """Keep the intent back, and write it down together with the outcome."""
    intend, settle = Operations.intend, Operations.settle
    late: dict[int, tuple[str, str]] = {}

    def broken_intend(self: Operations, ids: Sequence[int], run_id: str, at: str) -> Future[None]:
        late.update(dict.fromkeys(ids, (run_id, at)))
        done: Future[None] = Future()
        done.set_result(None)
        return done

    def broken_settle(self: Operations, settlements: Sequence[Settlement]) -> Future[None]:
        for settled in settlements:
            if settled.operation.id in late:
                intend(self, [settled.operation.id], *late.pop(settled.operation.id))
        return settle(self, settlements)

    with patch.object(Operations, "intend", broken_intend), patch.object(Operations, "settle", broken_settle):
        yield


class _Retrying:
    """A writer to whom a write without an answer is a write that was not done."""

    def __init__(self, writer: Any) -> None:
        self._writer = writer

    def __getattr__(self, name: str) -> Any:
        return getattr(self._writer, name)

    async def apply(self, operations: Sequence[Operation]) -> list[Outcome]:
        return [
            replace(one, error=NotSent("no answer")) if isinstance(one.error, InDoubt) else one
            for one in await self._writer.apply(operations)
        ]


@contextmanager
def retry_on_timeout() -> Iterator[None]:
    """Send again what got no answer."""
    begin = sending.Level.__init__

    def broken(self: sending.Level, ctx: RunContext, level: int) -> None:
        if not isinstance(ctx.writer, _Retrying):
            ctx.writer = _Retrying(ctx.writer)
        begin(self, ctx, level)

    with patch.object(sending.Level, "__init__", broken):
        yield


@contextmanager
def search_instead_of_list() -> Iterator[None]:
    """Ask the search for a create in doubt, and believe it."""

    async def broken(ctx: RunContext, object_: str, rows: Sequence[OperationRow]) -> None:
        await reconcile._wait_for_lag(ctx, rows)
        settled = []
        for row in rows:
            found = await _searched(ctx, object_, full_key(row.key, row.part))
            settled.append(reconcile._done(ctx, row, found) if found else reconcile._again(ctx, row))
        await on_disk(ctx.journal.operations.settle(settled))

    def priced(version: Any, method: Any, path: str) -> int:
        return SEARCH_COST if path.endswith("/search") else cost_of(version, method, path)

    with patch.object(reconcile, "_reconcile_creates", broken), patch.object(client, "cost_of", priced):
        yield


async def _searched(ctx: RunContext, object_: str, key: str) -> str | None:
    writer: Any = ctx.writer
    if hasattr(writer, "_simulated"):
        known = writer._simulated.memory.clock.now() - timedelta(seconds=SEARCH_LAG_S)
        shown = [s.id for s in writer._simulated.memory.of(object_) if s.key == key and s.added <= known]
        return shown[0] if shown else None
    if object_ not in ("person", "organization"):
        listed = [stored.id async for stored in writer.list(object_) if stored.key == key]
        return listed[0] if listed else None
    query = {"term": key, "fields": "custom_fields", "exact_match": "true"}
    answer = await writer._client.send(Call(2, "GET", f"/{object_}s/search", query=query))
    return next((str(one["item"]["id"]) for one in answer["data"]["items"]), None)


@contextmanager
def marker_missing() -> Iterator[None]:
    """Write texts without the line that carries the source key."""
    create = MemoryAccount._create

    def unmarked(self: MemoryAccount, operation: Operation, behaviours: Any) -> str:
        destination_id = create(self, operation, behaviours)
        where = (operation.object, destination_id)
        if behaviours.objects[operation.object].key_in.startswith("text:"):
            self.records[where] = replace(self.records[where], key=None)
        return destination_id

    with ExitStack() as stack:
        stack.enter_context(patch.object(MemoryAccount, "_create", unmarked))
        stack.enter_context(patch.object(codec, "with_marker", lambda text, key: text))
        yield


@contextmanager
def marker_unread() -> Iterator[None]:
    """Write the line that carries the source key, and overlook it when reconciling."""
    names = reconcile._names

    def broken(ctx: RunContext, stored: Any) -> list[str]:
        marked = ctx.behaviours.objects[stored.object].key_in.startswith("text:")
        return [] if marked else list(names(ctx, stored))

    with patch.object(reconcile, "_names", broken):
        yield


@contextmanager
def absence_before_lag() -> Iterator[None]:
    """Take a record for absent as soon as a list does not show it."""

    async def no_wait(ctx: RunContext, rows: Sequence[OperationRow]) -> None:
        """Trust the list as it is."""

    with ExitStack() as stack:
        stack.enter_context(patch.object(reconcile, "_wait_for_lag", no_wait))
        stack.enter_context(patch.object(reconcile, "_certainly_absent", lambda *_: True))
        yield


@contextmanager
def after_image_from_answer() -> Iterator[None]:
    """Remember of a record what was sent, as the answer repeats it, not what the account made of it."""
    note, settle, set_after = sending.Level._note, Operations.settle, Records.set_after
    sent: dict[int, Any] = {}

    def broken_note(self: sending.Level, settled: Settlement) -> None:
        row = settled.operation
        if settled.state == "done" and row.verb != "delete" and row.object not in self._ctx.behaviours.schema_objects:
            sent[row.id] = dict(self._ctx.writer.comparable(row.object, row.fields))
        note(self, settled)

    def broken_settle(self: Operations, settlements: Sequence[Settlement]) -> Future[None]:
        images = [(s.operation, sent.pop(s.operation.id)) for s in settlements if s.operation.id in sent]
        if images:
            self._store.submit(partial(_complete_images, images))
        done = settle(self, settlements)
        return self._store.submit(partial(_keep_images, images)) if images else done

    def no_set(self: Records, *_: Any) -> None:
        """Keep what the answer said."""

    with ExitStack() as stack:
        stack.enter_context(patch.object(sending.Level, "_note", broken_note))
        stack.enter_context(patch.object(Operations, "settle", broken_settle))
        stack.enter_context(patch.object(Records, set_after.__name__, no_set))
        yield


def _complete_images(images: Sequence[tuple[OperationRow, Any]], db: sqlite3.Connection) -> None:
    """Add to what an update sent what was remembered of the record before."""
    sql = "SELECT after FROM link WHERE object = ? AND key = ? AND part = ?"
    for row, image in images:
        found = db.execute(sql, (row.object, row.key, row.part)).fetchone()
        for name, value in json.loads((found and found[0]) or "{}").items():
            image.setdefault(name, value)


def _keep_images(images: Sequence[tuple[OperationRow, Any]], db: sqlite3.Connection) -> None:
    db.executemany(
        "UPDATE link SET after = ? WHERE object = ? AND key = ? AND part = ?",
        [(dumps(image), row.object, row.key, row.part) for row, image in images],
    )


@contextmanager
def absent_taken_for_empty() -> Iterator[None]:
    """Take a stream that an export does not hold for one without records."""

    def broken(ctx: RunContext, plugin: Any, reader: Any) -> None:
        stage.stage_export(ctx, plugin, reader)
        here = [stream.name for stream in reader.streams()]
        gone = [(name,) for name in ctx.journal.staging.streams() if name not in here]
        ctx.journal.staging._store.write(lambda db: db.executemany("DELETE FROM staged WHERE stream = ?", gone))

    with patch.object(run, "stage_export", broken):
        yield


VARIANTS: dict[str, Callable[[], AbstractContextManager[None]]] = {
    "intent after send": intent_after_send,
    "retry on timeout": retry_on_timeout,
    "search instead of list": search_instead_of_list,
    "marker missing": marker_missing,
    "marker there, but not read": marker_unread,
    "absence trusted before the lag": absence_before_lag,
    "after-image from the answer": after_image_from_answer,
    "absent stream taken for empty": absent_taken_for_empty,
}


def caught(name: str, port: str, within: int = WITHIN) -> Verdict | None:
    """Return the first simulation in which a broken engine shows, None when no seed below `within` shows it."""
    loaded = load_port(PORTS[port])
    with VARIANTS[name]():
        for seed in range(within):
            verdict = simulate(scenario_of(seed), loaded)
            if verdict.wrongs:
                return verdict
    return None


def _telling(wrongs: Sequence[str]) -> str:
    """Return the line that says most."""
    worst = ("duplicate", "lost", "wrong", "not wanted", "buckets", "never")
    return min(wrongs, key=lambda line: next((n for n, word in enumerate(worst) if line.startswith(word)), len(worst)))


@click.command()
@click.option("--port", "ports", multiple=True, type=click.Choice(list(PORTS)), default=list(PORTS))
def main(ports: Sequence[str]) -> None:
    """Print which seed catches each broken engine."""
    click.echo("| broken engine | port | caught by seed | seen |\n|---|---|---:|---|")
    for name in VARIANTS:
        for port in ports:
            verdict = caught(name, port)
            seed = "none" if verdict is None else str(verdict.scenario.seed)
            seen = "" if verdict is None else _telling(verdict.wrongs)
            click.echo(f"| {name} | {port} | {seed} | {seen} |")
    command = replay_command("PORT", 0, f"{Path(__file__).name}:NAME").replace("--seeds 0", "--seeds SEED")
    click.echo(f"\nReplay one: `{command}`", err=True)


if __name__ == "__main__":
    main()
