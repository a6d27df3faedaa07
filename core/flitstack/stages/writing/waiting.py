"""Waits for the destination: for its budget to open again, through days if need be, and for its lists to show all."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from flitstack.journal import dumps
from flitstack.protocols import BudgetAsking

if TYPE_CHECKING:
    from collections.abc import Callable

    from flitstack.clock import Clock
    from flitstack.errors import BudgetExhausted
    from flitstack.protocols import Writer
    from flitstack.stages.context import Progress, RunContext, StopFlag

ASK_EVERY = timedelta(minutes=15)
SLICE_S = 5.0


class BudgetWait:
    """What a writer does when the day's budget is used up: end the run, or wait, all its requests together.

    :param waits: wait; else the run ends.
    """

    def __init__(self, clock: Clock, progress: Progress, stop: StopFlag, *, waits: bool) -> None:
        self._clock = clock
        self._progress = progress
        self._stop = stop
        self._waits = waits
        self._writer: Writer | None = None
        self._note: Callable[[str], None] = _note_nothing
        self._turn = asyncio.Lock()
        self._reopened = 0

    def watch(self, writer: Writer, note: Callable[[str], None] | None = None) -> None:
        """Name the writer that can ask whether the budget is open.

        :param note: told until when the budget is used up, as JSON with `until` (ISO, "" when unknown); "" once it is
            open again.
        """
        self._writer = writer
        self._note = note or _note_nothing

    async def __call__(self, exhausted: BudgetExhausted) -> None:
        """Return when the budget is open again.

        :raises BudgetExhausted: waiting was not asked for.
        :raises Interrupted: a person asked to stop.
        """
        self._note(dumps({"until": exhausted.resets_at.isoformat() if exhausted.resets_at else ""}))
        if not self._waits:
            raise exhausted
        known = self._reopened
        async with self._turn:
            self._stop.check()
            if self._reopened == known:  # else another request has waited already
                await self._wait(exhausted.resets_at)
                self._reopened += 1
        self._note("")

    async def _wait(self, resets_at: datetime | None) -> None:
        now = self._clock.now()
        until = resets_at if resets_at is not None and resets_at > now else now + ASK_EVERY
        known = f"until {until:%Y-%m-%d %H:%M} UTC" if resets_at is not None else "and asking every 15 minutes"
        self._progress.say(f"The day's budget is used up at {now:%H:%M} UTC: waiting {known}. Ctrl-C stops; run again.")
        while True:
            await self._sleep_until(until)
            if not isinstance(self._writer, BudgetAsking) or await self._writer.budget_is_open():
                break
            until = self._clock.now() + ASK_EVERY
        self._progress.say(f"The budget is open again at {self._clock.now():%Y-%m-%d %H:%M} UTC: carrying on.")

    async def _sleep_until(self, until: datetime) -> None:
        while (left := (until - self._clock.now()).total_seconds()) > 0:
            self._stop.check()
            await self._clock.sleep(min(left, SLICE_S))
        self._stop.check()


def _note_nothing(text: str) -> None:
    """Nobody asked to be told."""


async def wait_until_shown(ctx: RunContext) -> None:
    """Wait until the declared lag has passed since the last write: until then a list may not show it."""
    last = ctx.journal.operations.last_settled_at()
    if last is not None:
        lag = max(behaviour.lag_s for behaviour in ctx.behaviours.objects.values())
        left = lag - (ctx.clock.now() - datetime.fromisoformat(last)).total_seconds()
        if left > 0:
            await ctx.clock.sleep(min(left, lag))
