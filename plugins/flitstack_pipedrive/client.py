"""Speaks HTTP with Pipedrive: the only module that knows httpx, and the only one that holds the token."""

from __future__ import annotations

import asyncio
import logging
import random
import re
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

import httpx

from flitstack.errors import BudgetExhausted, ConfigurationError, InDoubt, NotSent, RateLimited, Rejected, Unavailable
from flitstack_pipedrive.answers import NOT_FOUND, Answer, Call, data_of, is_passing
from flitstack_pipedrive.costs import cost_of
from flitstack_pipedrive.limits import (
    REMAINING_HEADER,
    BurstLimiter,
    DailyBudget,
    header_number,
    says_day_is_over,
    window_wait_s,
)
from flitstack_pipedrive.plans import SMALLEST_BURST
from flitstack_pipedrive.settings import API_HOST

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from flitstack.clock import Clock
    from flitstack_pipedrive.settings import Settings

logger = logging.getLogger("flitstack.pipedrive")

MOST_WAITS = 3
LONGEST_PAUSE_S = 8.0
_COMPANY = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_NEVER_LEFT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError, httpx.UnsupportedProtocol)


class _LostError(Exception):
    """The request left, or may have; no whole answer came."""


class Client:
    """One connection pool, one limiter and one budget for one token.

    :param transport: instead of the network, for the embedded sandbox and for tests.
    :param spent_today: tokens that were spent today before this client began to count.
    """

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        transport: httpx.AsyncBaseTransport | None = None,
        *,
        spent_today: int = 0,
    ) -> None:
        self._clock = clock
        self._attempts = settings.attempts
        self._host = settings.host or API_HOST
        self._host_is_given = settings.host is not None
        self._limiter = BurstLimiter(clock, settings.plan.burst if settings.plan else SMALLEST_BURST)
        self._budget = DailyBudget(clock, settings.daily_tokens, settings.reserve, spent_today)
        self._requests = 0
        self._field_names: dict[str, str] = {}
        timeout = httpx.Timeout(settings.timeout_s, connect=settings.connect_timeout_s, pool=None)
        self._http = httpx.AsyncClient(
            headers={"x-api-token": settings.api_token, "accept": "application/json", "user-agent": "flitstack"},
            timeout=timeout,
            transport=transport,
            follow_redirects=False,
        )

    @property
    def clock(self) -> Clock:
        """The clock on which it waits."""
        return self._clock

    @property
    def requests(self) -> int:
        """Requests that left so far."""
        return self._requests

    @property
    def tokens(self) -> int:
        """Tokens spent so far."""
        return self._budget.spent

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()

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
        left. Waits happen on the clock.

        :raises FlitError: what to do next, as `answers` and the error tree say.
        """
        failures = waits = 0
        while True:
            try:
                answer = await self._exchange(call)
            except (NotSent, _LostError) as exc:
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
            return data_of(call, answer, lambda key: self._field_names.get(key, "a custom field"))

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
        except _LostError as exc:
            if call.is_write:
                raise InDoubt(f"pipedrive: {call.words} got no answer; whether it was done is looked up.") from exc
            raise Unavailable(f"pipedrive: {call.words} got no answer. Check the network, then run it again.") from exc

    async def find(self, call: Call) -> dict[str, Any] | None:
        """Return the answer to reading one record, or None when there is no such record."""
        try:
            return await self.send(call)
        except Rejected as exc:
            if exc.code == NOT_FOUND:
                return None
            raise

    async def pages(self, call: Call, limit: int) -> AsyncIterator[dict[str, Any]]:
        """Yield the records of a list, page by page: by cursor in version 2, by offset in version 1."""
        query = {**call.query, "limit": str(limit)}
        start = 0
        while True:
            page = await self.send(_with_query(call, query))
            records = page.get("data") or []
            for record in records:
                yield record
            more = page.get("additional_data") or {}
            if call.version == 2:
                if not more.get("next_cursor"):
                    return
                query["cursor"] = str(more["next_cursor"])
                continue
            # Leads state it beside, not inside, `pagination`, and without `next_start`.
            paging = more.get("pagination") or more
            if not paging.get("more_items_in_collection"):
                return
            start = int(paging.get("next_start") or start + limit)
            query["start"] = str(start)

    def _give_up(self, call: Call, cause: Exception, failures: int) -> None:
        """Raise what the failure means, unless the request may be tried again."""
        if call.is_write and isinstance(cause, _LostError):
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
            raise BudgetExhausted(
                f"pipedrive: 429 for {call.words}: the account's API tokens for today are used up. Run the same "
                "command after the reset, at midnight of Pipedrive's servers."
            )
        if waits > MOST_WAITS:
            raise RateLimited(f"pipedrive: 429 for {call.words}: too many requests, others use the token too.", wait_s)
        self._limiter.close_for(wait_s * waits)

    async def _pause(self, failures: int) -> None:
        longest_s = min(0.5 * 2**failures, LONGEST_PAUSE_S)
        await self._clock.sleep(random.uniform(longest_s / 2, longest_s))  # noqa: S311 - spreads retries, no secret

    async def _exchange(self, call: Call) -> Answer:
        """Send the request once, within the limits, and pay for it unless it was refused."""
        cost = cost_of(call.version, call.method, call.path)
        self._budget.pay(cost, counted_write=call.method in ("POST", "PUT"))
        answer: Answer | None = None
        kept = False
        try:
            ticket = await self._limiter.acquire()
            try:
                answer = await self._request(call)
                kept = answer.status < 400
            except (_LostError, asyncio.CancelledError):
                kept = True
                raise
            finally:
                self._limiter.release(ticket, answer.headers if answer else None)
        finally:
            if not kept:
                self._budget.refund(cost)
            if answer is not None:
                self._budget.learn(answer.headers)
        return answer

    async def _request(self, call: Call) -> Answer:
        with ExitStack() as opened:
            files = None
            if call.upload is not None:
                name, opener = call.upload
                files = {"file": (name, opened.enter_context(opener()))}
            request = self._http.build_request(
                call.method,
                self._url(call),
                params=dict(call.query) or None,
                json=call.body,
                data=call.form,
                files=files,
            )
            self._requests += 1
            try:
                response = await self._http.send(request)
            except _NEVER_LEFT as exc:
                self._requests -= 1
                raise NotSent(
                    f"pipedrive: no connection to {request.url.host}. Check the network and PIPEDRIVE_BASE_URL, then "
                    "run the same command again."
                ) from exc
            except (httpx.HTTPError, httpx.StreamError) as exc:
                raise _LostError from exc
        logger.debug("%s: %d", call.words, response.status_code)
        headers = {name.lower(): value for name, value in response.headers.items()}
        return Answer(response.status_code, headers, response.content)

    def _url(self, call: Call) -> str:
        path = call.path.format_map({name: quote(value, safe="") for name, value in call.ids.items()})
        # The specification's own host for version 1 has no /api before it.
        prefix = "/v1" if call.version == 1 and self._host == API_HOST else f"/api/v{call.version}"
        return f"{self._host}{prefix}{path}"


def _with_query(call: Call, query: Mapping[str, str]) -> Call:
    return Call(call.version, call.method, call.path, call.ids, query, scope=call.scope)


def app_transport(app: Any) -> httpx.AsyncBaseTransport:
    """Return the way to an ASGI application in this process, without a network.

    An application that raises `ConnectionError` broke the connection: the client sees what it would see of a network.
    """
    return _InProcess(app)


class _InProcess(httpx.AsyncBaseTransport):
    def __init__(self, app: Any) -> None:
        self._app = app

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        broken: list[ConnectionError] = []

        async def watched(scope: Any, receive: Any, send: Any) -> None:
            try:
                await self._app(scope, receive, send)
            except ConnectionError as exc:
                broken.append(exc)
                raise

        transport = httpx.ASGITransport(app=watched, raise_app_exceptions=False)
        response = await transport.handle_async_request(request)
        if broken:
            refused = isinstance(broken[0], ConnectionRefusedError)
            raise (httpx.ConnectError if refused else httpx.ReadError)(str(broken[0]), request=request) from broken[0]
        return response
