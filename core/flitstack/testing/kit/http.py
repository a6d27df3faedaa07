"""Carries the requests of a plugin that speaks HTTP over the simulated wire, where faults strike them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import httpx

from flitstack.testing.simulation.wire import LostError, NeverLeftError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from flitstack.testing.simulation.world import World

Request: TypeAlias = httpx.Request
Response: TypeAlias = httpx.Response
_PAGE = "<!DOCTYPE html><html><body><h1>One moment</h1></body></html>"


def json_answer(status: int, body: Mapping[str, Any], **headers: str) -> httpx.Response:
    """Return an answer as a server would give it."""
    return httpx.Response(status, json=body, headers=headers)


async def ask(app: Any, method: str, path: str, headers: Mapping[str, str], body: Mapping[str, Any]) -> Any:
    """Return the JSON that a server in this process answers, past the wire: as somebody else's client would be.

    :raises httpx.HTTPStatusError: it refused.
    """
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost", headers=headers) as client:
        answered = await client.request(method, path, json=body)
        return answered.raise_for_status().json()


def spoiled_answers(body: Mapping[str, Any] | None = None) -> dict[str, Callable[[], httpx.Response]]:
    """Return what an account's server answers when a fault strikes, by fault; a port may replace single ones.

    :param body: what this platform says in the body of an error.
    """
    said = dict(body or {"error": "The simulation has it so."})

    def answer(status: int, **headers: str) -> Callable[[], httpx.Response]:
        return lambda: json_answer(status, said, **headers)

    return {
        "signed_out": answer(401),
        "blocked": lambda: httpx.Response(403, html=_PAGE),
        "too_fast": answer(429, **{"retry-after": "2"}),
        "refused_5xx": answer(503),
        "commit_then_5xx": answer(500),
        "not_json": lambda: httpx.Response(200, html=_PAGE),
    }


class WireTransport(httpx.AsyncBaseTransport):
    """Takes each request over the wire to a server in this process; give it to the plugin's client as its transport.

    :param answer: lets the account do what a request asks for and returns the whole answer; it takes no time.
    :param spoiled: what comes back in place of an answer, by fault.
    :param is_write: whether a request is to change anything; by default, all but GET.
    """

    def __init__(
        self,
        world: World,
        answer: Callable[[httpx.Request], Awaitable[httpx.Response]],
        spoiled: Mapping[str, Callable[[], httpx.Response]] | None = None,
        is_write: Callable[[httpx.Request], bool] = lambda request: request.method not in ("GET", "HEAD"),
    ) -> None:
        self._world = world
        self._answer = answer
        self._spoiled = spoiled_answers() if spoiled is None else spoiled
        self._is_write = is_write

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Return what comes back.

        :raises httpx.TransportError: nothing did.
        """
        await request.aread()

        async def deliver() -> httpx.Response:
            response = await self._answer(request)
            content = await response.aread()
            return httpx.Response(response.status_code, headers=response.headers, content=content)

        try:
            answered = await self._world.wire.carry(deliver, write=self._is_write(request))
        except NeverLeftError as exc:
            raise httpx.ConnectError("refused", request=request) from exc
        except LostError as exc:
            raise httpx.ReadTimeout("no answer", request=request) from exc
        if answered.fault == "truncated":
            raise httpx.ReadError("cut", request=request)
        if answered.fault:
            return self._spoiled[answered.fault]()
        assert answered.value is not None, "the wire brought neither an answer nor a fault"
        return answered.value
