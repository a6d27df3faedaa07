"""A server with a rolling window, another client of it, and an event loop on which time passes by itself."""

from __future__ import annotations

import asyncio
import selectors
from collections import deque
from dataclasses import dataclass
from itertools import pairwise
from math import ceil
from random import Random
from typing import TYPE_CHECKING, Any

from flitstack_pipedrive.limits import BurstLimiter, window_wait_s

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from datetime import datetime

WINDOW_S = 2.0
WAY_S = (0.020, 0.080)  # there, and back
NEAR_S = (0.001, 0.005)  # the same, to a server on the same machine
OTHERS_SHARE = 1 / 3
SETTLING_S = 5.0


class _NoFiles(selectors.SelectSelector):
    """Waits for nothing but time, which it moves on at once."""

    passed_s = 0.0

    def select(self, timeout: float | None = None) -> list[Any]:
        if timeout is None:
            raise RuntimeError("everybody waits for somebody else")
        self.passed_s += timeout
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose time passes exactly as far as the next timer, and without waiting."""

    def __init__(self) -> None:
        self._no_files = _NoFiles()
        super().__init__(self._no_files)

    def time(self) -> float:
        return self._no_files.passed_s


class LoopClock:
    """The running loop's time as a clock."""

    def now(self) -> datetime:
        raise NotImplementedError("nothing here asks for the date")

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


def run_virtually(main: Coroutine[Any, Any, Any]) -> Any:
    """Return what the coroutine returns, with its waits skipped."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main)


class RollingServer:
    """Counts what arrives in any two seconds, and refuses what is too much; a refusal is not counted."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._window: deque[float] = deque()
        self.ours: list[tuple[float, bool]] = []
        self.others = 0
        self.freed: Callable[[], None] | None = None

    def arrive(self, *, ours: bool = True) -> tuple[int, dict[str, str]]:
        """Count a request that arrives now; return its status and headers."""
        now = asyncio.get_running_loop().time()
        while self._window and self._window[0] <= now - WINDOW_S:
            self._window.popleft()
        accepted = len(self._window) < self._limit
        if accepted:
            self._window.append(now)
            if self.freed is not None:
                asyncio.get_running_loop().call_at(now + WINDOW_S + 1e-9, self.freed)
        if ours:
            self.ours.append((now, accepted))
        elif accepted:
            self.others += 1
        headers = {
            "x-ratelimit-limit": str(self._limit),
            "x-ratelimit-remaining": str(self._limit - len(self._window)),
            "x-ratelimit-reset": str(max(1, ceil(self._window[0] + WINDOW_S - now))),
        }
        return (200 if accepted else 429), headers


@dataclass(frozen=True, slots=True)
class Use:
    """What became of a load.

    :param share: of what could have been sent at the allowed rate between its first and its last write.
    :param refused: 429s. :param in_a_row: 429s that followed one another.
    """

    share: float
    refused: int
    in_a_row: int


async def load(
    limit: int,
    seed: int,
    others: str = "none",
    writes: int = 2_000,
    workers: int = 128,
    way_s: tuple[float, float] = WAY_S,
) -> Use:
    """Send the writes through a limiter, over a way of random length, and return how well the limit was used.

    :param others: another client takes a third of the limit: "none", "poisson" (whenever it likes), "uneven" (gaps
        between nothing and twice the mean), "slots" (each slot that becomes free, with a probability of a third).
    """
    clock, server, random = LoopClock(), RollingServer(limit), Random(seed)  # noqa: S311 - a simulation
    limiter = BurstLimiter(clock, limit)
    left = iter(range(writes))

    async def elsewhere() -> None:
        mean_s = WINDOW_S / (limit * OTHERS_SHARE)
        while server.freed is None:
            gap_s = random.expovariate(1 / mean_s) if others == "poisson" else random.uniform(0, 2 * mean_s)
            await asyncio.sleep(gap_s)
            server.arrive(ours=False)

    def take_a_third() -> None:
        if random.random() < OTHERS_SHARE:
            server.arrive(ours=False)

    async def write() -> None:
        status = 429
        while status == 429:
            ticket = await limiter.acquire()
            await asyncio.sleep(random.uniform(*way_s))
            status, headers = server.arrive()
            await asyncio.sleep(random.uniform(*way_s))
            limiter.release(ticket, headers, refused=status == 429)
            if status == 429:
                limiter.close_for(window_wait_s(headers))

    async def work() -> None:
        for _ in left:
            await write()

    other = asyncio.ensure_future(elsewhere()) if others != "none" else None
    if other is not None:
        await asyncio.sleep(SETTLING_S)
        server.others = 0
        if others == "slots":
            server.freed = take_a_third
    await asyncio.gather(*(work() for _ in range(workers)))
    if other is not None:
        other.cancel()
    return _use(limit, server)


def _use(limit: int, server: RollingServer) -> Use:
    accepted = [at for at, done in server.ours if done]
    seconds = accepted[-1] - accepted[0]
    allowed = limit * seconds / WINDOW_S - server.others
    refused = [not done for _, done in server.ours]
    return Use((len(accepted) - 1) / allowed, sum(refused), sum(a and b for a, b in pairwise(refused)))
