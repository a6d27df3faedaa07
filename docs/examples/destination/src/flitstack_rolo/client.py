"""Sends requests and says what their answers mean, in the words of `flitstack.errors`. The only importer of httpx."""

from __future__ import annotations

import math
from collections import deque
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import httpx
from flitstack.errors import (
    AuthError,
    BudgetExhausted,
    Fatal,
    InDoubt,
    NotSent,
    RateLimited,
    Rejected,
    Unavailable,
)
from flitstack.protocols import end_of_budget

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from flitstack.clock import Clock

NAME = "rolo"
PER_SECOND = 10  # half of what the platform allows: requests bunch up on their way
LONG_S = 60.0  # who is told to wait for longer has used up the day's requests
READS = 4
TIMEOUT_S = 30.0
REFUSED = frozenset({400, 404, 409, 413, 422})


class Client:
    """A connection to one account; it counts its requests.

    :param transport: in place of the network, for tests.
    :param exhausted: `WriterContext.exhausted`: waits for the next day's requests, or raises.
    """

    def __init__(
        self,
        url: str,
        token: str,
        clock: Clock,
        transport: httpx.AsyncBaseTransport | None = None,
        exhausted: Callable[[BudgetExhausted], Awaitable[None]] = end_of_budget,
    ) -> None:
        headers = {"authorization": f"Bearer {token}", "accept": "application/json"}
        self._http = httpx.AsyncClient(base_url=url, headers=headers, transport=transport, timeout=TIMEOUT_S)
        self._clock = clock
        self._exhausted = exhausted
        self._turns: deque[float] = deque([-math.inf] * PER_SECOND, maxlen=PER_SECOND)
        self._not_before = -math.inf
        self.requests = 0

    async def read(self, path: str, params: Mapping[str, str] | None = None) -> Any:
        """Return the JSON of a GET. It changes nothing, so it is tried again when no answer can be used.

        :raises Unavailable: the account does not answer, time and again.
        :raises AuthError: the token is refused.
        """
        for attempt in range(1, READS + 1):
            try:
                return await self._ask("GET", path, params=params)
            except RateLimited as exc:
                await self._clock.sleep(exc.retry_after_s)
            except (InDoubt, NotSent):
                await self._clock.sleep(attempt)
        raise Unavailable(f"{NAME}: no answer that can be used. Try again later.")

    async def write(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """Return the JSON of a write, sent once: the engine looks before it sends again what may have happened.

        :raises NotSent, RateLimited: nothing was written.
        :raises Rejected, AuthError: the account refuses.
        :raises InDoubt: it may have been written.
        """
        return await self._ask(method, path, json=body)

    async def aclose(self) -> None:
        """Close connections."""
        await self._http.aclose()

    async def _ask(self, method: str, path: str, **more: Any) -> Any:
        while True:
            await self._turn()
            try:
                return self._meaning(await self._send(method, path, **more))
            except BudgetExhausted as exc:
                await self._exhausted(exc)

    async def _turn(self) -> None:
        """Return when one more request keeps within the rate, and within what the account asked for."""
        now = self._clock.monotonic()
        turn = max(now, self._turns[0] + 1.0, self._not_before)
        self._turns.append(turn)
        await self._clock.sleep(turn - now)

    async def _send(self, method: str, path: str, **more: Any) -> httpx.Response:
        self.requests += 1
        try:
            return await self._http.request(method, path, **more)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as exc:
            raise NotSent(f"{NAME}: no connection.") from exc
        except httpx.TransportError as exc:
            raise InDoubt(f"{NAME}: the answer was lost ({type(exc).__name__}).") from exc

    def _meaning(self, response: httpx.Response) -> Any:
        """Return the JSON of an answer, or raise what it means; no message holds a value of a record."""
        status = response.status_code
        if status == 204:
            return None
        if status in (401, 403):
            raise AuthError(f"{NAME}: {status}. Check the token and what its user may do.")
        if status == 429:
            raise self._too_many(float(response.headers.get("retry-after", "1")))
        if status in REFUSED:
            raise Rejected(f"refused_{status}", f"The account refuses this record ({status}).", "Correct it.")
        if status >= 500:
            raise InDoubt(f"{NAME}: {status}; it may have been written.")
        if status not in (200, 201):
            raise Fatal(f"{NAME}: an answer that nobody documented: {status}.")
        try:
            return response.json()
        except ValueError as exc:
            raise InDoubt(f"{NAME}: an answer that is no JSON; it may have been written.") from exc

    def _too_many(self, wait_s: float) -> RateLimited | BudgetExhausted:
        if wait_s <= LONG_S:
            self._not_before = self._clock.monotonic() + wait_s  # every request waits, not this one alone
            return RateLimited(f"{NAME}: too many requests.", wait_s)
        resets = self._clock.now() + timedelta(seconds=wait_s)
        return BudgetExhausted(f"{NAME}: today's requests are used up.", resets)
