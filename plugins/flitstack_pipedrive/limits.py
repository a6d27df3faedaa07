"""Keeps requests under Pipedrive's limits: so many in any two seconds, so many tokens and writes in a day.

Source: Pipedrive API, "Rate limiting". The window rolls and is counted by the server when a request arrives, which is
some time between sending and answer. A slot is therefore held from before the request leaves until two seconds after
its answer came: whatever the network does, the server never sees more than the limit.
"""

from __future__ import annotations

import asyncio
from collections import deque
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING

from flitstack.errors import BudgetExhausted
from flitstack_pipedrive.plans import WINDOW_S

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from flitstack.clock import Clock

LIMIT_HEADER = "x-ratelimit-limit"
REMAINING_HEADER = "x-ratelimit-remaining"
RESET_HEADER = "x-ratelimit-reset"
RETRY_HEADER = "retry-after"
DAY_TOKENS_LEFT_HEADER = "x-daily-ratelimit-token-remaining"
DAY_WRITES_LEFT_HEADER = "x-daily-requests-left"

EDGE_S = 0.01
LONGEST_WAIT_S = 60.0


class BurstLimiter:
    """A sliding log of requests, shared by all that use one token."""

    def __init__(self, clock: Clock, limit: int) -> None:
        self._clock = clock
        self._limit = limit
        self._under_way = 0
        self._noted = 0
        self._free_at: deque[float] = deque()
        self._closed_until = 0.0
        self._finished = asyncio.Event()
        self._queue = asyncio.Lock()

    @property
    def limit(self) -> int:
        """Requests that two seconds may hold, as stated by the last answer."""
        return self._limit

    async def acquire(self) -> int:
        """Return as soon as one more request may leave, in the order of asking: its ticket, for `release`."""
        async with self._queue:
            while (wait_s := self._wait_s()) != 0.0:
                await self._wait(wait_s)
            ticket = self._under_way + len(self._free_at) - self._noted
            self._under_way += 1
            self._noted += 1
            return ticket

    def release(self, ticket: int, headers: Mapping[str, str] | None = None) -> None:
        """Note that the answer came, or will not come.

        :param headers: of the answer, lower-case names; what they say of the window is believed.
        """
        self._under_way -= 1
        free_at = self._clock.monotonic() + WINDOW_S + EDGE_S
        self._free_at.append(free_at)
        if headers is not None:
            self._learn(headers, ticket + self._noted, free_at)
        self._finished.set()

    def close_for(self, seconds: float) -> None:
        """Let nothing leave for `seconds`."""
        self._closed_until = max(self._closed_until, self._clock.monotonic() + seconds)

    def _learn(self, headers: Mapping[str, str], counted: int, free_at: float) -> None:
        """Take over the limit, and make room for what others sent.

        :param counted: requests known to us that the server can have had in its window when it wrote the headers: those
            in the log when this one left, and all noted since.
        """
        limit, remaining = header_number(headers, LIMIT_HEADER), header_number(headers, REMAINING_HEADER)
        if limit is None or limit < 1:
            return
        self._limit = int(limit)
        if remaining is None:
            return
        others = max(int(limit - remaining) - counted, 0)
        self._noted += others
        self._free_at.extend([free_at] * others)

    def _wait_s(self) -> float:
        """Return seconds to wait, 0 to go, or -1 to wait for an answer."""
        now = self._clock.monotonic()
        if now < self._closed_until:
            return self._closed_until - now
        while self._free_at and self._free_at[0] <= now:
            self._free_at.popleft()
        if self._under_way + len(self._free_at) < self._limit:
            return 0.0
        return self._free_at[0] - now if self._free_at else -1.0

    async def _wait(self, wait_s: float) -> None:
        if wait_s > 0:
            await self._clock.sleep(wait_s)
            return
        self._finished.clear()
        await self._finished.wait()


class DailyBudget:
    """What may still be spent today: tokens of the whole company, and writes of this token where they are counted.

    :param daily_tokens: of the account; None when unknown, then only what answers state is obeyed.
    :param reserve: share of them to leave to others.
    :param spent_today: tokens that were spent before this budget began to count.
    """

    def __init__(self, clock: Clock, daily_tokens: int | None, reserve: float, spent_today: int = 0) -> None:
        self._clock = clock
        self._reserve = reserve
        self._daily_tokens = daily_tokens
        self._day = clock.now().date()
        self._spent_today = spent_today
        self._tokens_left: int | None = None
        self._writes_left: int | None = None
        self.spent = 0

    def pay(self, cost: int, *, counted_write: bool) -> None:
        """Take the cost of one request that is about to leave.

        :param counted_write: it is a POST or PUT, of which a day may hold only so many.
        :raises BudgetExhausted: the day cannot pay for it; nothing was sent.
        """
        self._turn_day()
        if counted_write and self._writes_left is not None and self._writes_left < 1:
            raise BudgetExhausted(
                "pipedrive: the account takes no more writes from this token today. Run the same command tomorrow.",
                self._next_midnight(),
            )
        left = self._left()
        if left is not None and left < cost:
            raise BudgetExhausted(
                "pipedrive: today's API tokens are used up but for the reserve. Run the same command tomorrow, or "
                'lower the setting "reserve".',
                self._next_midnight(),
            )
        self._add(cost)

    def refund(self, cost: int) -> None:
        """Give back the cost of a request that never left or was refused."""
        self._add(-cost)

    def learn(self, headers: Mapping[str, str]) -> None:
        """Believe what an answer says of the day; both headers may be missing."""
        tokens, writes = header_number(headers, DAY_TOKENS_LEFT_HEADER), header_number(headers, DAY_WRITES_LEFT_HEADER)
        if tokens is not None:
            self._tokens_left = int(tokens)
        if writes is not None:
            self._writes_left = int(writes)

    def _left(self) -> int | None:
        if self._daily_tokens is None:
            return self._tokens_left
        reserved = int(self._daily_tokens * self._reserve)
        left = self._daily_tokens - self._spent_today if self._tokens_left is None else self._tokens_left
        return left - reserved

    def _add(self, cost: int) -> None:
        self.spent += cost
        self._spent_today += cost
        if self._tokens_left is not None:
            self._tokens_left -= cost

    def _turn_day(self) -> None:
        # The server's own midnight is not documented; at UTC's we start counting anew, and a 429 corrects us.
        today: date = self._clock.now().date()
        if today != self._day:
            self._day = today
            self._spent_today = 0
            self._tokens_left = self._writes_left = None

    def _next_midnight(self) -> datetime:
        return datetime.combine(self._day + timedelta(days=1), time(), UTC)


def header_number(headers: Mapping[str, str], name: str) -> float | None:
    """Return a header as a number of at least 0, or None when it is missing or is none."""
    try:
        number = float(headers.get(name, ""))
    except ValueError:
        return None
    return number if 0 <= number < float("inf") else None


def window_wait_s(headers: Mapping[str, str]) -> float:
    """Return the seconds to wait after a 429: what the answer says, within reason, else one whole window."""
    stated = header_number(headers, RETRY_HEADER)
    if stated is None:
        stated = header_number(headers, RESET_HEADER)
    if stated is None or stated > LONGEST_WAIT_S:
        stated = WINDOW_S
    return max(stated, EDGE_S) + EDGE_S


def says_day_is_over(headers: Mapping[str, str]) -> bool:
    """Return whether a 429 means the day's budget: requests are left in the window, or no tokens in the day."""
    remaining, tokens = header_number(headers, REMAINING_HEADER), header_number(headers, DAY_TOKENS_LEFT_HEADER)
    return (remaining is not None and remaining > 0) or tokens == 0
