"""Keeps within HubSpot's limits: requests in a rolling window, and requests a day.

Source: HubSpot developer documentation, "API usage guidelines and limits": the smallest account allows 100 requests in
ten seconds and private app; answers carry the account's own figures in `X-HubSpot-RateLimit-*`.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from flitstack.errors import BudgetExhausted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flitstack.clock import Clock

SMALLEST_WINDOW = 100
WINDOW_S = 10.0
KEPT_BACK = 2  # requests of a window left unused, as others may share the account's edge
EDGE_S = 0.01
DAILY = "DAILY"


class Window:
    """Lets requests leave so that no rolling window holds more than are allowed."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._left: deque[float] = deque()
        self._closed_until = 0.0
        self._turn = asyncio.Lock()
        self.limit = SMALLEST_WINDOW - KEPT_BACK
        self.window_s = WINDOW_S

    async def acquire(self) -> None:
        """Return when one more request may leave."""
        async with self._turn:
            while (wait_s := self._wait_s()) > 0:
                await self._clock.sleep(wait_s + EDGE_S)
            self._left.append(self._clock.monotonic())

    def learn(self, headers: Mapping[str, str]) -> None:
        """Take over what an answer says the window is."""
        most, span_ms = (
            _number(headers, "x-hubspot-ratelimit-max"),
            _number(headers, "x-hubspot-ratelimit-interval-milliseconds"),
        )
        if most and span_ms:
            self.limit, self.window_s = max(1, most - KEPT_BACK), span_ms / 1000

    def close_for(self, seconds: float) -> None:
        """Let nothing leave for so long."""
        self._closed_until = max(self._closed_until, self._clock.monotonic() + seconds)

    def _wait_s(self) -> float:
        now = self._clock.monotonic()
        while self._left and self._left[0] <= now - self.window_s:
            self._left.popleft()
        wait_s = self._closed_until - now
        if len(self._left) >= self.limit:
            wait_s = max(wait_s, self._left[0] + self.window_s - now)
        return wait_s


@dataclass(slots=True)
class Day:
    """The account's requests of the day.

    :param limit: a day's requests of all private apps; None until the account said so.
    :param remaining: what an answer said is left.
    :param zone: the account's time zone, at whose midnight the day ends.
    """

    clock: Clock
    reserve: float
    limit: int | None = None
    remaining: int | None = None
    zone: str = "UTC"

    def learn(self, headers: Mapping[str, str]) -> None:
        """Take over what an answer says of the day."""
        limit, left = (_number(headers, f"x-hubspot-ratelimit-daily{more}") for more in ("", "-remaining"))
        self.limit = self.limit if limit is None else limit
        self.remaining = self.remaining if left is None else left

    def check(self) -> None:
        """:raises BudgetExhausted: but the reserve nothing is left of the day's requests."""
        if self.limit is None or self.remaining is None:
            return
        if self.remaining <= int(self.limit * self.reserve):
            raise self.over()

    def over(self) -> BudgetExhausted:
        """Return the error for a day whose requests are used up, with the time when the next begins."""
        resets_at = self.resets_at()
        self.remaining = None  # asked again after the wait; until then the answers tell
        return BudgetExhausted(
            "hubspot: the account's requests for today are used up, but for the reserve. Run the same command after "
            f"the reset at {resets_at:%H:%M} UTC, or now with --wait.",
            resets_at,
        )

    def resets_at(self) -> datetime:
        """Return the next midnight of the account's time zone, UTC."""
        zone = ZoneInfo(self.zone)
        local = self.clock.now().astimezone(zone)
        midnight = datetime.combine(local.date() + timedelta(days=1), datetime.min.time(), zone)
        return midnight.astimezone(UTC)


def _number(headers: Mapping[str, str], name: str) -> int | None:
    value = headers.get(name, "")
    return int(value) if value.isdecimal() else None
