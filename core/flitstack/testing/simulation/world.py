"""The world of one simulation: its time, its wire, its disk and its chances, all of which outlive a process."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from typing import TYPE_CHECKING, Any, TypeVar

from flitstack.errors import JournalError
from flitstack.journal import Journal
from flitstack.journal.store import committing
from flitstack.testing.simulation.committing import InlineCommitter
from flitstack.testing.simulation.fate import Fate
from flitstack.testing.simulation.loop import LoopClock
from flitstack.testing.simulation.scenario import DECLARED_LAG_S, ROAD_S
from flitstack.testing.simulation.wire import Wire

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from pathlib import Path

    from flitstack.testing.simulation.scenario import Scenario

T = TypeVar("T")

LONGEST_DRIP_S = 90.0
SLOWEST_DISK_S = 0.005


class World:
    """What is outside of the process.

    :param journal: where the journal is.
    :ivar clock: the machine's, which may be set. :ivar account_clock: the account's, which is right.
    :ivar struck: how often each misfortune came.
    :ivar wrongs: what must never be, as it is noticed.
    """

    def __init__(self, scenario: Scenario, journal: Path, loop: asyncio.AbstractEventLoop) -> None:
        self.scenario = scenario
        self.journal = journal
        self.clock = LoopClock(loop)
        self.account_clock = LoopClock(loop)
        self.fate = Fate(scenario.deaths)
        self.wire = Wire(self)
        self.struck: Counter[str] = Counter()
        self.wrongs: list[str] = []
        self._dice = random.Random(f"world {scenario.seed}")  # noqa: S311 - repeatable choices, no secret
        self._on_its_way: set[asyncio.Task[Any]] = set()
        self._commits = 0
        self._full_from: int | None = None

    def begin(self) -> None:
        """A new process begins."""
        self.fate.begin()
        number = self.fate.processes - 1
        full = self.scenario.disk_full
        self._commits, self._full_from = 0, full[number] if number < len(full) else None

    def spawn(self, what: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Let something happen that no end of a process ends."""
        task = asyncio.get_running_loop().create_task(what)
        self._on_its_way.add(task)
        task.add_done_callback(self._on_its_way.discard)
        return task

    async def process(self, work: Coroutine[Any, Any, T]) -> T | None:
        """Return what one process comes to, None when it died; it commits on the loop's time.

        :raises FlitError: what stopped it.
        """
        self.begin()
        committing.set(lambda commit: InlineCommitter(commit, self))
        run = asyncio.get_running_loop().create_task(work)
        ended = asyncio.get_running_loop().create_task(self.fate.ended.wait())
        await asyncio.wait({run, ended}, return_when=asyncio.FIRST_COMPLETED)
        await self._end_process()
        return None if self.fate.dead or run.cancelled() else run.result()

    async def _end_process(self) -> None:
        """End every task of the process."""
        left = asyncio.all_tasks() - self._on_its_way - {asyncio.current_task()}
        for task in left:
            task.cancel()
        if left:
            await asyncio.wait(left)

    def before_request(self, number: int) -> None:
        """Let happen what is to happen before a request leaves: the clock is set, or somebody starts a second run."""
        jump = self.scenario.jumps.get(number)
        if jump is not None:
            self.struck["clock_jump"] += 1
            self.clock.jump(jump)
        if number in self.scenario.rivals and not self.fate.dead:
            self.struck["two_runners"] += 1
            try:
                Journal(self.journal, lease=True).close()
            except JournalError:
                return
            self.wrongs.append("a second run was let in")

    def disk_is_full(self) -> bool:
        """Count a commit and tell whether there was no room for it."""
        self._commits += 1
        full = self._full_from is not None and self._commits >= self._full_from
        self.struck["disk_full"] += full
        return full

    def disk_s(self) -> float:
        """Return the seconds that a commit takes."""
        return self._dice.uniform(0.0, SLOWEST_DISK_S)

    def road_s(self) -> float:
        """Return the seconds that a request takes to the account, or its answer back."""
        return self._dice.uniform(0.001, ROAD_S)

    def late_s(self) -> float:
        """Return by how much a request is late of which nobody heard: lists show what it did within the lag."""
        return self._dice.uniform(0.0, DECLARED_LAG_S - self.scenario.lag_s - 2 * ROAD_S)

    def drip_s(self) -> float:
        """Return how long an answer trickles."""
        return self._dice.uniform(1.0, LONGEST_DRIP_S)

    def lag_s(self) -> float:
        """Return how long lists hide a new record: at most what the scenario says."""
        return self._dice.uniform(0.0, self.scenario.lag_s) if self.scenario.lag_s else 0.0
