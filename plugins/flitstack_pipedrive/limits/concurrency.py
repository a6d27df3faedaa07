"""Finds how many requests may be under way at once: as many as make more answers, and no more.

The measure is the queue: of N requests under way, N x (1 - least time / time now) are waiting for others of ours, be it
at the server, on the way, or in this process (TCP Vegas). A few waiting show that nothing is left unused; many make
every answer slower and none of them sooner.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flitstack.clock import Clock

START = 16
MOST = 128
FEWEST = 2
ENOUGH_WAITING = 6
ENOUGH_SHARE = 0.35  # of those under way: times differ for other reasons too
TOO_MANY = 2  # times enough
FEW_ANSWERS = 16
FORGET_AFTER_S = 30.0


class Gate:
    """Lets as many requests be under way as has been found useful.

    :param most: never more than this.
    """

    def __init__(self, clock: Clock, start: int = START, most: int = MOST) -> None:
        self._clock = clock
        self._limit = min(start, most)
        self._most = most
        self._taken = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._doubling = True
        self._least_s: float | None = None
        self._measured_at = clock.monotonic()
        self._answers = 0
        self._seconds = 0.0
        self._under_way = 0
        self._failed = False

    @property
    def limit(self) -> int:
        """Requests that may be under way now."""
        return self._limit

    async def enter(self) -> None:
        """Return as soon as one more request may begin, in the order of asking."""
        if self._taken < self._limit and not self._waiting:
            self._taken += 1
            return
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(place)
        try:
            await place
        except asyncio.CancelledError:
            if place.done() and not place.cancelled():
                self.leave()
            raise

    def leave(self) -> None:
        """Give a place back."""
        self._taken -= 1
        self._admit()

    def answered(self, seconds: float, under_way: int) -> None:
        """Learn from an answer.

        :param seconds: from sending to the whole answer, without any wait before it.
        :param under_way: requests that were under way when this one was sent, itself included.
        """
        self._answers += 1
        self._seconds += seconds
        self._under_way += under_way
        if self._answers >= max(self._limit, FEW_ANSWERS):
            self._judge(self._seconds / self._answers, self._under_way / self._answers)
            self._begin()
            self._admit()

    def failed(self) -> None:
        """Learn that the server did not manage a request: fewer at once, counted once for all that failed together."""
        if self._failed:
            return
        self._failed, self._doubling = True, False
        self._limit = max(self._limit * 3 // 4, FEWEST)

    def _begin(self) -> None:
        self._answers = 0
        self._seconds = 0.0
        self._under_way = 0
        self._failed = False

    def _judge(self, mean_s: float, under_way: float) -> None:
        now = self._clock.monotonic()
        if now - self._measured_at > FORGET_AFTER_S and under_way > 0.8 * self._limit:
            # The way may have become longer for good; seen with half the requests, the queue is no part of it.
            self._least_s, self._measured_at, self._doubling = None, now, False
            self._limit = max(self._limit // 2, FEWEST)
            return
        if self._least_s is None or mean_s < self._least_s:
            self._least_s, self._measured_at = mean_s, now
        waiting = under_way * (1 - self._least_s / mean_s) if mean_s > 0 else 0.0
        enough = max(ENOUGH_WAITING, ENOUGH_SHARE * under_way)
        if waiting > TOO_MANY * enough:
            self._doubling = False
            self._limit = max(int(self._limit - (waiting - enough) / 2), FEWEST)
        elif waiting < enough and under_way > 0.8 * self._limit:
            self._limit = min(self._limit * 2 if self._doubling else self._limit + max(self._limit // 8, 1), self._most)

    def _admit(self) -> None:
        while self._waiting and self._taken < self._limit:
            place = self._waiting.popleft()
            if not place.done():
                self._taken += 1
                place.set_result(None)
