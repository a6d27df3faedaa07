"""Asks Pipedrive within its limits: what may leave now, what is tried again, and what an answer means."""

from __future__ import annotations

import asyncio
import logging
import random
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from flitstack.errors import (
    AuthError,
    BudgetExhausted,
    ConfigurationError,
    InDoubt,
    NotSent,
    RateLimited,
    Rejected,
    Unavailable,
)
from flitstack.protocols import end_of_budget
from flitstack.web.answers import LostError
from flitstack_pipedrive.answers import NOT_FOUND, Call, data_of, is_passing
from flitstack_pipedrive.costs import cost_of
from flitstack_pipedrive.limits import (
    REMAINING_HEADER,
    BurstLimiter,
    DailyBudget,
    Gate,
    header_number,
    parse_reset,
    says_day_is_over,
    window_wait_s,
)
from flitstack_pipedrive.paging import records_of
from flitstack_pipedrive.plans import SMALLEST_BURST
from flitstack_pipedrive.settings import API_HOST
from flitstack_pipedrive.wire import Wire

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

    from flitstack.clock import Clock
    from flitstack.errors import FlitError
    from flitstack.protocols import JSON
    from flitstack.web.answers import Answer
    from flitstack_pipedrive.limits import Ticket
    from flitstack_pipedrive.settings import Settings
    from flitstack_pipedrive.wire import Transport

logger = logging.getLogger("flitstack.pipedrive")

MOST_WAITS = 3
LONGEST_PAUSE_S = 8.0
RESETS_AT, BURST = "budget_resets_at", "burst_limit"  # names among what is learned of an account
PROBE = Call(2, "GET", "/persons/{id}", {"id": "1"})
_COMPANY = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")


class Client:
    """One limiter, one budget and as many connections as are of use, for one token.

    :param transport: instead of the network, for the embedded sandbox and for tests.
    :param spent_today: tokens that were spent today before this client began to count.
    :param learned: what `learned` returned to an earlier client of this account.
    :param exhausted: called when the day's budget cannot pay for a request, which is tried again once it returns.
    :param rng: spreads retries; a simulation seeds it.
    """

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        transport: Transport | None = None,
        *,
        spent_today: int = 0,
        learned: Mapping[str, JSON] | None = None,
        exhausted: Callable[[BudgetExhausted], Awaitable[None]] = end_of_budget,
        rng: random.Random | None = None,
    ) -> None:
        known = learned or {}
        self._clock = clock
        self._rng = rng or random.Random()  # noqa: S311 - spreads retries, no secret
        self._exhausted = exhausted
        self._attempts = settings.attempts
        self._host = settings.host or API_HOST
        self._host_is_given = settings.host is not None
        self._first_burst = _first_burst(settings, known)
        self._limiter = BurstLimiter(clock, self._first_burst)
        self._gate = Gate(clock)
        resets_at = parse_reset(known.get(RESETS_AT))
        self._budget = DailyBudget(clock, settings.daily_tokens, settings.reserve, spent_today, resets_at)
        self._halt: FlitError | None = None
        self._halts = 0
        self._field_names: dict[str, str] = {}
        self._wire = Wire(settings, transport)

    @property
    def clock(self) -> Clock:
        """The clock on which it waits."""
        return self._clock

    @property
    def requests(self) -> int:
        """Requests that left so far."""
        return self._wire.sent

    @property
    def tokens(self) -> int:
        """Tokens spent so far."""
        return self._budget.spent

    @property
    def concurrency(self) -> int:
        """Requests that may be under way at once, as found so far."""
        return self._gate.limit

    def learned(self) -> dict[str, JSON]:
        """Return what was found out of the account: a burst limit nobody stated, and when its budget is full again."""
        found: dict[str, JSON] = {}
        if self._limiter.stated_limit not in (None, self._first_burst):
            found[BURST] = self._limiter.stated_limit
        if self._budget.learned_reset is not None:
            found[RESETS_AT] = f"{self._budget.learned_reset:%H:%M}"
        return found

    async def aclose(self) -> None:
        """Close the connections."""
        await self._wire.aclose()

    async def budget_is_open(self) -> bool:
        """Return whether the day's budget has room: as far as we count it ourselves, and then as the account says.

        Asks for one record that need not exist, the cheapest request there is (1 token); a 404 is an answer. Without a
        request, the answer is no while our own count has nothing to spend.

        :raises Unavailable: the account does not answer at all.
        """
        if self._budget.is_over:
            return False
        try:
            await self._send(PROBE)
        except BudgetExhausted:
            return False
        except Rejected:
            pass  # there is no such record: an answer all the same
        return True

    def name_fields(self, names: Mapping[str, str]) -> None:
        """Learn the names of custom fields by key, for messages."""
        self._field_names.update(names)

    def use_company(self, domain: str) -> None:
        """Send what follows to the company's own host, unless a host was set.

        :raises ConfigurationError: the name is no host name, so the token is not sent there.
        """
        if self._host_is_given:
            return
        if not _COMPANY.fullmatch(domain):
            raise ConfigurationError("pipedrive: the account's host is not known. Set PIPEDRIVE_BASE_URL to it.")
        self._host = f"https://{domain}.pipedrive.com"

    async def send(self, call: Call) -> dict[str, Any]:
        """Return the answer's JSON object.

        A read is tried again when the network or the server fails; a write only when it was refused with 429, or never
        left. Waits happen on the clock; whether the end of the day's budget is waited for, the caller decides.

        :raises FlitError: what to do next, as `answers` and the error tree say.
        """
        while True:
            try:
                return await self._send(call)
            except BudgetExhausted as exc:
                await self._exhausted(exc)

    async def _send(self, call: Call) -> dict[str, Any]:
        failures = waits = 0
        while True:
            try:
                answer = await self._exchange(call)
            except (NotSent, LostError) as exc:
                failures += 1
                self._give_up(call, exc, failures)
                await self._pause(failures)
                continue
            if answer.status == 429:
                waits += 1
                self._wait_or_stop(call, answer, waits)
                continue
            if not call.is_write and failures + 1 < self._attempts and is_passing(answer):
                failures += 1
                await self._pause(failures)
                continue
            try:
                return data_of(call, answer, lambda key: self._field_names.get(key, "a custom field"))
            except (AuthError, Unavailable) as exc:
                if answer.status in (401, 402) or (answer.status == 403 and isinstance(exc, Unavailable)):
                    self._halted(exc)
                raise

    async def once(self, call: Call, *, within_burst: bool = True) -> Answer:
        """Return the answer to one request as it came, whatever its status; nothing is tried again.

        :param within_burst: wait until the window has room for it; without, it leaves at once.
        :raises FlitError: no answer came: NotSent, InDoubt for a write, Unavailable for a read; or the day cannot pay.
        """
        try:
            if within_burst:
                return await self._exchange(call)
            self._budget.pay(cost_of(call.version, call.method, call.path), counted_write=False)
            return await self._request(call)
        except LostError as exc:
            if call.is_write:
                raise InDoubt(f"pipedrive: {call.words} got no answer; whether it was done is looked up.") from exc
            raise Unavailable(f"pipedrive: {call.words} got no answer. Check the network, then run it again.") from exc

    async def elsewhere(self, address: str) -> Answer:
        """Return what another host answers, to which the token is not sent.

        :raises Unavailable: it does not answer.
        """
        return await self._wire.elsewhere(address)

    async def find(self, call: Call) -> dict[str, Any] | None:
        """Return the answer to reading one record, or None when there is no such record."""
        try:
            return await self.send(call)
        except Rejected as exc:
            if exc.code == NOT_FOUND:
                return None
            raise

    def pages(self, call: Call, limit: int) -> AsyncIterator[dict[str, Any]]:
        """Yield the records of a list, each once, page by page."""
        return records_of(self.send, call, limit)

    def _give_up(self, call: Call, cause: Exception, failures: int) -> None:
        """Raise what the failure means, unless the request may be tried again."""
        if call.is_write and isinstance(cause, LostError):
            raise InDoubt(f"pipedrive: {call.words} got no answer; whether it was done is looked up.") from cause
        if failures < self._attempts:
            return
        if call.is_write:
            raise cause
        raise Unavailable(
            f"pipedrive: {urlsplit(self._host).hostname} does not answer ({call.words}, tried {failures} times). "
            "Check the network and PIPEDRIVE_BASE_URL, then run the same command again."
        ) from cause

    def _wait_or_stop(self, call: Call, answer: Answer, waits: int) -> None:
        """Close the limiter for as long as the answer says, or raise what the 429 means."""
        wait_s = window_wait_s(answer.headers)
        window_is_empty = header_number(answer.headers, REMAINING_HEADER) == 0
        if says_day_is_over(answer.headers) or (waits > 1 and not window_is_empty):
            resets_at = self._budget.refused()
            when = f"at {resets_at:%H:%M} UTC" if resets_at else "at midnight of Pipedrive's servers"
            raise self._halted(
                BudgetExhausted(
                    f"pipedrive: 429 for {call.words}: the account's API tokens for today are used up. Run the same "
                    f"command after the reset, {when}, or now with --wait.",
                    resets_at,
                )
            )
        if waits > MOST_WAITS:
            raise RateLimited(f"pipedrive: 429 for {call.words}: too many requests, others use the token too.", wait_s)
        self._limiter.close_for(wait_s * waits)

    async def _pause(self, failures: int) -> None:
        longest_s = min(0.5 * 2**failures, LONGEST_PAUSE_S)
        await self._clock.sleep(self._rng.uniform(longest_s / 2, longest_s))

    def _halted(self, error: FlitError) -> FlitError:
        """Let the requests that are waiting now stop with the same error, unsent: they would fare no better."""
        self._halt = error
        self._halts += 1
        return error

    async def _exchange(self, call: Call) -> Answer:
        """Send the request once, within the limits, and pay for it unless it was refused or never left."""
        cost = cost_of(call.version, call.method, call.path)
        self._budget.pay(cost, counted_write=call.method in ("POST", "PUT"))
        halts, left, kept = self._halts, False, False
        try:
            await self._gate.enter()
            try:
                ticket = await self._limiter.acquire()
                if self._halt is not None and self._halts != halts:
                    self._limiter.release(ticket)
                    raise self._halt
                refusals = self._budget.refusals
                left = True
                answer = await self._request_in_turn(call, ticket)
                kept = answer.status < 400 or (call.is_write and answer.status >= 500)  # it may have been done
            except (LostError, asyncio.CancelledError):
                kept = left
                raise
            finally:
                self._gate.leave()
        finally:
            if not kept:
                self._budget.refund(cost)
        if refusals == self._budget.refusals and (answer.status < 400 or answer.status == 404):
            self._budget.answered()
        self._budget.learn(answer.headers)
        return answer

    async def _request_in_turn(self, call: Call, ticket: Ticket) -> Answer:
        """Send the request that has a ticket, and learn from the time and the headers of its answer."""
        answer: Answer | None = None
        try:
            answer = await self._request(call)
        except (LostError, NotSent):
            self._gate.failed()
            raise
        finally:
            refused = answer is not None and answer.status == 429
            self._limiter.release(ticket, answer.headers if answer else None, refused=refused)
        self._note(answer, self._clock.monotonic() - ticket.sent_at, ticket.under_way)
        return answer

    def _note(self, answer: Answer, seconds: float, under_way: int) -> None:
        if answer.status >= 500:
            self._gate.failed()
        elif answer.status != 429:
            self._gate.answered(seconds, under_way)

    async def _request(self, call: Call) -> Answer:
        answer = await self._wire.send(call, self._url(call))
        logger.debug("%s: %d", call.words, answer.status)
        return answer

    def _url(self, call: Call) -> str:
        path = call.path.format_map({name: quote(value, safe="") for name, value in call.ids.items()})
        # The specification's own host for version 1 has no /api before it.
        prefix = "/v1" if call.version == 1 and self._host == API_HOST else f"/api/v{call.version}"
        return f"{self._host}{prefix}{path}"


def _first_burst(settings: Settings, known: Mapping[str, JSON]) -> int:
    """Return the burst limit to begin with: as answers stated it before, else the plan's, else the smallest sold."""
    stated = known.get(BURST)
    if isinstance(stated, int) and stated >= 1:
        return stated
    return settings.plan.burst if settings.plan else SMALLEST_BURST
