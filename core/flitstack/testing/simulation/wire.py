"""The wire between a process and its account: latency, faults, and moments at which the process can end.

A request that left goes its way whatever becomes of the process that sent it.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from flitstack.testing.simulation.world import World

T = TypeVar("T")

TIMEOUT_S = 60.0

#: Faults that strike before the account has done anything, and of which it says so.
ANSWERED_BEFORE = frozenset({"signed_out", "blocked", "too_fast", "refused_5xx"})
#: Faults that spoil the answer after the account has done what it was asked.
SPOILED_AFTER = frozenset({"commit_then_5xx", "truncated", "not_json"})


class NeverLeftError(Exception):
    """No connection: nothing left."""


class LostError(Exception):
    """No answer came."""


@dataclass(frozen=True, slots=True)
class Answered(Generic[T]):
    """What came back.

    :param value: what the account answered, None when the fault is all that came.
    :param fault: what spoiled the answer, "" when nothing did.
    """

    value: T | None
    fault: str = ""


class Wire:
    """Carries the requests of all processes of a simulation, one after the other numbered.

    :ivar requests: how many came so far. :ivar writes: the numbers of those that were to write.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self.requests = 0
        self.writes: list[int] = []

    async def carry(self, deliver: Callable[[], Awaitable[T]], *, write: bool) -> Answered[T]:
        """Return the answer to one request.

        :param deliver: lets the account do it and returns its answer; it takes no time and sends nothing else.
        :raises NeverLeftError: nothing left.
        :raises LostError: no answer came; the account may have done it, or may do it later.
        :raises Death: the process ended.
        """
        world, fate = self._world, self._world.fate
        self.requests += 1
        if write:
            self.writes.append(self.requests)
        world.before_request(self.requests)
        fault = world.scenario.faults.get(self.requests, "")
        if fault:
            world.struck[fault] += 1
        fate.moment("before a send")
        if fault == "connect":
            await asyncio.sleep(world.road_s())
            raise NeverLeftError
        if fault in ANSWERED_BEFORE:
            await asyncio.sleep(2 * world.road_s())
            fate.moment("after an answer")
            return Answered(None, fault)
        if fault == "lost":
            fate.pass_by("after a send")
            await asyncio.sleep(TIMEOUT_S)
            raise LostError
        on_its_way = world.spawn(self._travel(deliver, late_s=world.late_s() if fault == "late" else 0.0))
        if fault == "late":
            raise LostError
        answer = await asyncio.shield(on_its_way)
        if fault == "commit_then_drop":
            raise LostError
        if fault == "drip":
            await self._drip()
        await asyncio.sleep(world.road_s())
        fate.moment("after an answer")
        return Answered(answer, fault if fault in SPOILED_AFTER else "")

    async def _drip(self) -> None:
        """Let an answer trickle in, for longer than anybody waits perhaps."""
        drip_s = self._world.drip_s()
        await asyncio.sleep(min(drip_s, TIMEOUT_S))
        if drip_s > TIMEOUT_S:
            raise LostError

    async def _travel(self, deliver: Callable[[], Awaitable[T]], late_s: float) -> T:
        """Bring a request to the account, which does it."""
        await asyncio.sleep(self._world.road_s() + late_s)
        self._world.fate.pass_by("after a send")
        return await deliver()
