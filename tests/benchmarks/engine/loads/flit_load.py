"""flit's own way: planned operations in a durable journal, sent by the apply stage through the Pipedrive writer.

    python -m tests.benchmarks.engine.loads.flit_load --url URL --count 5000 --journal FILE

Run again on the same journal, it carries on as `flit run` would: what was under way is looked up, the rest is sent.
"""

from __future__ import annotations

import argparse
import asyncio
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.benchmarks.engine.loads.saying import timed
from tests.benchmarks.engine.people import SOURCE, fields, key

from flitstack.clock import SystemClock
from flitstack.journal import Journal, Planned
from flitstack.protocols import WriterContext
from flitstack.stages.context import RunContext, StopFlag
from flitstack.stages.writing.apply import apply_operations
from flitstack.stages.writing.reconcile import reconcile
from flitstack_pipedrive.opening import open_writer

if TYPE_CHECKING:
    from flitstack.protocols import Writer

BATCH = 1_000


class Silence:
    """A progress that shows nothing."""

    def begin(self, stage: str, total: int | None = None) -> None:
        """Show nothing."""

    def advance(self, count: int = 1) -> None:
        """Show nothing."""

    def end(self) -> None:
        """Show nothing."""

    def say(self, text: str) -> None:
        """Show nothing."""


def plan(journal: Journal, count: int) -> None:
    """Plan the persons, unless this journal has them."""
    if journal.operations.count("planned", "intended", "in_doubt", "done"):
        return
    for start in range(1, count + 1, BATCH):
        numbers = range(start, min(start + BATCH, count + 1))
        planned = [Planned("create", "people", "person", key(n), "", fields(n), {}, 0) for n in numbers]
        journal.operations.plan("plan", "", planned)


def context(journal: Journal, writer: Writer) -> RunContext:
    """Return a run's context, with no observer and no screen."""

    def notify(hook: str, **arguments: Any) -> None:
        return

    run = f"bench-{secrets.token_hex(3)}"
    clock, stop = SystemClock(), StopFlag()
    return RunContext(run, SOURCE, journal, writer, writer.behaviours, clock, Silence(), stop, notify)


async def load(url: str, count: int, journal_file: Path, lag_s: float) -> dict[str, int]:
    """Send what is planned and return how many operations are in each state."""
    settings = {"api_token": "bench", "base_url": url, "list_lag_s": lag_s}
    with Journal(journal_file, lease=True) as journal:
        plan(journal, count)
        writer = open_writer(settings, WriterContext(SystemClock(), _no_document))
        try:
            await writer.account()
            ctx = context(journal, writer)
            journal.operations.doubt_intended(ctx.at())
            await reconcile(ctx)
            await apply_operations(ctx)
        finally:
            await writer.aclose()
        return {state: journal.operations.count(state) for state in ("done", "planned", "intended", "in_doubt")}


def _no_document(path: str) -> Any:
    raise FileNotFoundError(path)


def main() -> None:
    """Read the options, load, and say what was used."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--url", required=True)
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("--journal", type=Path, required=True)
    parser.add_argument("--lag-s", type=float, default=1.0)
    given = parser.parse_args()
    with timed(journal="synchronous=FULL", list_lag_s=given.lag_s) as said:
        said |= asyncio.run(load(given.url, given.count, given.journal, given.lag_s))


if __name__ == "__main__":
    main()
