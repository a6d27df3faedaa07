"""Keeps requests under the burst limit: so many in any two seconds, shared with whoever else uses the token.

Source: Pipedrive API, "Rate limiting". The window rolls and is counted by the server when a request arrives, which is
some time between sending and answer.

Alone, a slot is free again two seconds after its answer came, less what any request spends on the way: a request that
leaves then arrives, however fast it is, when the other has left the window, however late it had arrived. So the
server never sees more than the limit. With others about, nothing is certain any more: our requests are counted where
they most likely are, and room is left for as much as the estimate has been seen to err.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING

from flitstack_pipedrive.limits.headers import EDGE_S, LIMIT_HEADER, REMAINING_HEADER, header_number
from flitstack_pipedrive.limits.latency import Latency
from flitstack_pipedrive.limits.others import Others, Sighting
from flitstack_pipedrive.limits.requests import RequestLog, TimeLog
from flitstack_pipedrive.plans import WINDOW_S

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flitstack.clock import Clock

LOOK_AGAIN_S = 0.002
CATCH_UP = 2.0  # times an answer takes: with others about, free room is taken over so long, not at once
LEAST_DOUBT = 0.25
DOUBT_SHARE = 0.15
OLD_NEWS_SHARE = 4


@dataclass(frozen=True, slots=True)
class Ticket:
    """One request that may leave, and what was known when it was let go.

    :param number: how many left before it. :param answered: how many answers had come.
    :param freed: how many had left the window for sure. :param expected: requests in the window with it, as a mean.
    :param unseen: others' among these that no answer has told of yet.
    :param under_way: requests without an answer, itself included.
    """

    sent_at: float
    number: int
    answered: int
    freed: int
    expected: float
    unseen: float
    under_way: int


class BurstLimiter:
    """One door for all requests of one token.

    :param limit: requests in two seconds, until an answer states them.
    """

    def __init__(self, clock: Clock, limit: int) -> None:
        self._clock = clock
        self._limit = limit
        self._stated = False
        self._sent = RequestLog()
        self._answered = TimeLog()
        self._latency = Latency()
        self._others = Others()
        self._closed_until = -inf
        self._changed = asyncio.Event()
        self._queue = asyncio.Lock()

    @property
    def limit(self) -> int:
        """Requests that two seconds may hold, as stated by the last answer."""
        return self._limit

    @property
    def stated_limit(self) -> int | None:
        """The limit, if an answer stated it."""
        return self._limit if self._stated else None

    async def acquire(self) -> Ticket:
        """Return as soon as one more request may leave, in the order of asking."""
        async with self._queue:
            while (wait_s := self._wait_s(self._clock.monotonic())) != 0.0:
                await self._wait(wait_s)
            return self._issue(self._clock.monotonic())

    def release(self, ticket: Ticket, headers: Mapping[str, str] | None = None, *, refused: bool = False) -> None:
        """Note that the answer came, or will not come.

        :param headers: of the answer, lower-case names; what they say of the window is believed.
        :param refused: the answer was a 429.
        """
        now = self._clock.monotonic()
        self._answered.note(now)
        self._sent.answer(ticket.number, now)
        if headers is not None:
            self._latency.note(now - ticket.sent_at)
            if refused:
                self._sent.refuse(ticket.sent_at)
            self._learn(headers, ticket, now, refused)
        self._changed.set()

    def close_for(self, seconds: float) -> None:
        """Let nothing leave for `seconds`."""
        self._closed_until = max(self._closed_until, self._clock.monotonic() + seconds)

    def _issue(self, now: float) -> Ticket:
        number, answered = self._sent.total, self._answered.total
        known = self._others.are_present(now)
        expected, unseen = (self._expected(now) + 1, self._unseen(now)) if known else (0.0, 0.0)
        ticket = Ticket(now, number, answered, self._freed(now), expected, unseen, number + 1 - answered)
        self._sent.note(now)
        return ticket

    def _freed(self, now: float) -> int:
        """Return how many have left the server's window for sure when one sent now arrives."""
        return self._answered.until(now - WINDOW_S - EDGE_S + self._latency.credit_s)

    def _arrived(self, at: float) -> float:
        return self._sent.arrived(at, self._latency.least_s * 0.9, self._latency.mean_s)

    def _expected(self, now: float) -> float:
        """Return requests in the window, ours and others', when one sent now arrives, as a mean."""
        arrives = now + self._latency.mean_s / 2
        own = self._sent.counted - self._arrived(arrives - WINDOW_S)
        return own + self._others.expected(arrives)

    def _unseen(self, now: float) -> float:
        return self._others.unseen(now + self._latency.mean_s / 2)

    def _learn(self, headers: Mapping[str, str], ticket: Ticket, now: float, refused: bool) -> None:
        """Take over the limit, and what the count tells of others."""
        limit, remaining = header_number(headers, LIMIT_HEADER), header_number(headers, REMAINING_HEADER)
        if limit is None or limit < 1:
            return
        self._limit, self._stated = int(limit), True
        if remaining is None:
            return
        if refused:
            self._others.refuse(now)
            return
        counted = limit - remaining
        # Ours that can have been in the window: all that left early enough, but for those that surely had left it.
        most_own = self._sent.until(now - self._latency.credit_s) - ticket.freed
        if counted <= most_own and not self._others.are_present(now):
            return
        least_own = ticket.answered + 1 - self._sent.until(now - self._latency.credit_s - WINDOW_S)
        middle = (ticket.sent_at + now) / 2
        arrived = self._arrived(middle)
        likely_own = arrived - self._arrived(middle - WINDOW_S)
        doubt = self._doubt(now, ticket)
        self._others.see(Sighting(middle, counted - most_own, counted - likely_own, counted - least_own, doubt))
        if ticket.expected:
            later = arrived - self._sent.counted_until(ticket.sent_at)
            self._others.err(counted - later - ticket.expected, ticket.unseen, ticket.sent_at)

    def _doubt(self, now: float, ticket: Ticket) -> float:
        """Return how unsure the count of our own is, as a variance: we do not know when each arrived."""
        rate = (self._sent.total - self._sent.until(now - WINDOW_S)) / WINDOW_S
        spread_s = max(now - ticket.sent_at - self._latency.least_s, 0.0)
        return max(rate * spread_s * DOUBT_SHARE, LEAST_DOUBT)

    def _wait_s(self, now: float) -> float:
        """Return seconds to wait, 0 to go, or -1 to wait for an answer."""
        if now < self._closed_until:
            return self._closed_until - now
        under_way = self._sent.total - self._answered.total
        if self._answered.last < now - WINDOW_S and under_way >= self._few():
            return -1.0
        if self._others.are_present(now):
            return self._wait_with_others_s(now)
        freed = self._freed(now)
        if self._sent.total - freed < self._limit:
            return 0.0
        if freed >= self._answered.total:
            return -1.0
        return max(self._answered.nth(freed) + WINDOW_S + EDGE_S - self._latency.credit_s - now, 1e-4)

    def _few(self) -> int:
        """Return how many may be under way while nothing is known of the window: no answer came lately, or ever."""
        return max(self._limit // OLD_NEWS_SHARE, 1) if self._answered.total else 1

    def _wait_with_others_s(self, now: float) -> float:
        if self._sent.last < now - WINDOW_S - self._latency.mean_s:
            return 0.0  # nothing of ours is in the window: one goes, however crowded it looks
        alone = self._sent.total == self._answered.total
        room = self._limit - self._expected(now) - self._others.margin(self._unseen(now), alone=alone)
        if room < 1:
            return LOOK_AGAIN_S
        rate = max(self._limit - self._others.expected(now), 1.0) / WINDOW_S + room / max(
            CATCH_UP * self._latency.mean_s, 1e-3
        )
        wait_s = self._sent.last + 1 / rate - now
        return min(wait_s, LOOK_AGAIN_S) if wait_s > 1e-6 else 0.0

    async def _wait(self, wait_s: float) -> None:
        if wait_s > 0:
            await self._clock.sleep(wait_s)
            return
        self._changed.clear()
        await self._changed.wait()
