"""Asks HubSpot within its limits: what may leave now, what is tried again, and what an answer means."""

from __future__ import annotations

import logging
import random
from typing import TYPE_CHECKING, Any

from flitstack.errors import BudgetExhausted, InDoubt, NotSent, RateLimited, Rejected, Unavailable
from flitstack.protocols import end_of_budget
from flitstack.web.answers import LostError
from flitstack_hubspot.answers import NOT_FOUND, Call, data_of, is_passing
from flitstack_hubspot.limits import DAILY, Day, Window
from flitstack_hubspot.wire import Wire

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

    from flitstack.clock import Clock
    from flitstack.web.answers import Answer
    from flitstack_hubspot.settings import Settings
    from flitstack_hubspot.wire import Transport

logger = logging.getLogger("flitstack.hubspot")

MOST_WAITS = 5
LONGEST_PAUSE_S = 8.0
USAGE = Call("GET", "/account-info/v3/api-usage/daily/private-apps", scope="account")


class Client:
    """One window and one day's budget for one token.

    :param transport: instead of the network, for the embedded sandbox and for tests.
    :param exhausted: called when the day's requests are used up; what was to be sent is tried again once it returns.
    :param rng: spreads retries; a simulation seeds it.
    """

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        transport: Transport | None = None,
        *,
        exhausted: Callable[[BudgetExhausted], Awaitable[None]] = end_of_budget,
        rng: random.Random | None = None,
    ) -> None:
        self.clock = clock
        self.day = Day(clock, settings.reserve)
        self.window = Window(clock)
        self._rng = rng or random.Random()  # noqa: S311 - spreads retries, no secret
        self._exhausted = exhausted
        self._attempts = settings.attempts
        self._host = settings.host
        self._wire = Wire(settings, transport)

    @property
    def requests(self) -> int:
        """Requests that left so far; each is one unit of the day's budget."""
        return self._wire.sent

    async def aclose(self) -> None:
        """Close the connections."""
        await self._wire.aclose()

    async def elsewhere(self, address: str) -> Answer:
        """Return what another host answers, to which the token is not sent."""
        return await self._wire.elsewhere(address)

    async def budget_is_open(self) -> bool:
        """Ask for the day's usage, one request; return whether the account answers and has room.

        :raises Unavailable: the account does not answer at all.
        """
        try:
            await self._answer(USAGE)
            self.day.check()
        except BudgetExhausted:
            return False
        return True

    async def send(self, call: Call) -> dict[str, Any]:
        """Return the answer's JSON object; {} where nothing is due.

        A read is tried again when the network or the server fails; a write only when it was refused with 429, or never
        left. Waits happen on the clock.

        :raises FlitError: what to do next, as `answers` and the error tree say.
        """
        return data_of(call, await self.answer(call))

    async def answer(self, call: Call) -> Answer:
        """Return the answer as it came, but for those that say to wait; as `send` otherwise."""
        while True:
            try:
                self.day.check()
                return await self._answer(call)
            except BudgetExhausted as exc:
                await self._exhausted(exc)

    async def find(self, call: Call) -> dict[str, Any] | None:
        """Return the answer to reading one thing, or None when there is no such thing."""
        try:
            return await self.send(call)
        except Rejected as exc:
            if exc.code == NOT_FOUND:
                return None
            raise

    async def pages(self, path: str, query: Mapping[str, str]) -> AsyncIterator[list[dict[str, Any]]]:
        """Yield the pages of a list."""
        more = dict(query)
        while True:
            page = await self.send(Call("GET", path, more))
            yield page.get("results") or []
            after = ((page.get("paging") or {}).get("next") or {}).get("after")
            if not after:
                return
            more["after"] = str(after)

    async def _answer(self, call: Call) -> Answer:
        failures = waits = 0
        while True:
            try:
                await self.window.acquire()
                answer = await self._wire.send(call)
            except (NotSent, LostError) as exc:
                failures += 1
                self._give_up(call, exc, failures)
                await self._pause(failures)
                continue
            logger.debug("%s: %d", call.words, answer.status)
            self.window.learn(answer.headers)
            self.day.learn(answer.headers)
            if answer.status == 429:
                waits += 1
                self._wait_or_stop(call, answer, waits)
                continue
            if not call.is_write and failures + 1 < self._attempts and is_passing(answer):
                failures += 1
                await self._pause(failures)
                continue
            return answer

    def _wait_or_stop(self, call: Call, answer: Answer, waits: int) -> None:
        """Close the window for as long as the answer says, or raise what the 429 means."""
        if (answer.parsed() or {}).get("policyName") == DAILY:
            raise self.day.over()
        stated = answer.headers.get("retry-after", "")
        wait_s = float(stated) if stated.isdecimal() else self.window.window_s
        if waits > MOST_WAITS:
            raise RateLimited(f"hubspot: 429 for {call.words}: too many requests, others use the token too.", wait_s)
        self.window.close_for(wait_s)

    def _give_up(self, call: Call, cause: Exception, failures: int) -> None:
        """Raise what the failure means, unless the request may be tried again."""
        if call.is_write and isinstance(cause, LostError):
            raise InDoubt(f"hubspot: {call.words} got no answer; whether it was done is looked up.") from cause
        if failures < self._attempts:
            return
        if call.is_write:
            raise cause
        raise Unavailable(
            f"hubspot: {self._host} does not answer ({call.words}, tried {failures} times). Check the network and "
            "HUBSPOT_BASE_URL, then run the same command again."
        ) from cause

    async def _pause(self, failures: int) -> None:
        longest_s = min(0.5 * 2**failures, LONGEST_PAUSE_S)
        await self.clock.sleep(self._rng.uniform(longest_s / 2, longest_s))
