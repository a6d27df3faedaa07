"""Carries requests over HTTP: the only module that knows httpx, and the only one that holds the token.

A pool looks through all its connections for each request, and an AsyncClient merges URLs, headers, cookies and
authentication of which nothing is wanted here; together they cost more time than everything else that is done for a
record. The work is therefore shared over transports with one connection each, which are used directly (measured in
`tests/benchmarks/limits` and `tests/benchmarks/engine`).
"""

from __future__ import annotations

import importlib
import json
import os
from contextlib import ExitStack
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.request import getproxies

import httpcore

from flitstack.errors import ConfigurationError, NotSent, Unavailable
from flitstack.web import embedded
from flitstack.web.answers import Answer, LostError
from flitstack_pipedrive.sockets import AsyncioBackend

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    import httpx

    from flitstack_pipedrive.answers import Call
    from flitstack_pipedrive.settings import Settings

HTTP_VARIABLE = "FLITSTACK_HTTPX"
HTTP_MODULES = ("httpx", "httpx2")  # the second, a fork with the same interface and a faster pool, is an extra

if not TYPE_CHECKING:
    # Never chosen by what happens to be installed: how requests are sent is the user's decision.
    _chosen = os.environ.get(HTTP_VARIABLE) or HTTP_MODULES[0]
    try:
        httpx = importlib.import_module(_chosen if _chosen in HTTP_MODULES else "")
    except (ImportError, ValueError) as exc:
        raise ConfigurationError(
            f"{HTTP_VARIABLE}: choose one of {', '.join(HTTP_MODULES)}, and install it (pip install flitstack[httpx2])."
        ) from exc

Transport = httpx.AsyncBaseTransport
_PROXIES = {"http", "https", "all"}
_NEVER_LEFT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError, httpx.UnsupportedProtocol)


class Wire:
    """As many connections as there are requests under way, opened when needed; the one used last goes first.

    :param transport: instead of the network, for the embedded sandbox and for tests.
    """

    def __init__(self, settings: Settings, transport: Transport | None = None) -> None:
        self._timeout = httpx.Timeout(settings.timeout_s, connect=settings.connect_timeout_s, pool=None)
        self._extensions = {"timeout": self._timeout.as_dict()}
        ours = {"x-api-token": settings.api_token, "accept": "application/json", "user-agent": "flitstack"}
        self._headers = httpx.Headers(ours)
        self._json_headers = httpx.Headers({**ours, "content-type": "application/json"})
        self._read_headers = httpx.Headers({**ours, "accept-encoding": "gzip, deflate"})
        self._given = transport
        self._verify: Any = None
        self._opened: list[Transport | httpx.AsyncClient] = []
        self._idle: list[Callable[[httpx.Request], Awaitable[httpx.Response]]] = []
        self.sent = 0

    async def send(self, call: Call, url: str) -> Answer:
        """Return the answer to one request, whatever its status; `sent` counts those that left.

        :raises NotSent: it never left. :raises LostError: it may have left, and no whole answer came.
        """
        if call.upload is None:
            return await self._exchange(self._request(call, url))
        name, opener = call.upload
        with ExitStack() as opened:
            return await self._exchange(self._request(call, url, {"file": (name, opened.enter_context(opener()))}))

    async def elsewhere(self, address: str) -> Answer:
        """Return what another host answers, to which the token is not sent.

        :raises Unavailable: it does not answer.
        """
        try:
            async with httpx.AsyncClient(timeout=self._timeout, transport=self._given) as plain:
                response = await plain.get(address)
        except httpx.HTTPError as exc:
            raise Unavailable("pipedrive: the server that keeps the documents does not answer. Try again.") from exc
        return Answer(response.status_code, {}, response.content)

    async def aclose(self) -> None:
        """Close all connections."""
        for line in self._opened:
            await line.aclose()

    def _request(self, call: Call, url: str, files: Any = None) -> httpx.Request:
        headers, content = self._headers if call.is_write else self._read_headers, None
        if call.body is not None:
            headers = self._json_headers
            content = json.dumps(call.body, ensure_ascii=False, separators=(",", ":")).encode()
        return httpx.Request(
            call.method,
            httpx.URL(url) if call.ids else _parsed(url),
            params=dict(call.query) or None,
            headers=headers,
            content=content,
            data=call.form,
            files=files,
            extensions=self._extensions,
        )

    async def _exchange(self, request: httpx.Request) -> Answer:
        line = self._idle.pop() if self._idle else self._open()
        self.sent += 1
        try:
            response = await line(request)
            try:
                content = await response.aread()
            finally:
                await response.aclose()
        except _NEVER_LEFT as exc:
            self.sent -= 1
            raise NotSent(
                f"pipedrive: no connection to {request.url.host}. Check the network and PIPEDRIVE_BASE_URL, then "
                "run the same command again."
            ) from exc
        except (httpx.HTTPError, httpx.StreamError) as exc:
            raise LostError from exc
        finally:
            self._idle.append(line)
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers.raw}
        return Answer(response.status_code, headers, content)

    def _open(self) -> Callable[[httpx.Request], Awaitable[httpx.Response]]:
        """Return what sends one request at a time, over a connection of its own."""
        if self._given is not None:
            self._opened = [self._given]
            return self._given.handle_async_request
        if self._verify is None:
            self._verify = httpx.create_ssl_context()  # once for all: reading the certificates takes longest
        limits = httpx.Limits(max_connections=1)
        if _PROXIES & getproxies().keys():
            # Which of them a host needs, and how it is spoken to, an AsyncClient finds out; it costs time.
            client = httpx.AsyncClient(verify=self._verify, limits=limits, follow_redirects=False)
            self._opened.append(client)
            return client.send
        transport = httpx.AsyncHTTPTransport(verify=self._verify, limits=limits)
        _use_asyncio(transport, self._verify)
        self._opened.append(transport)
        return transport.handle_async_request


def _use_asyncio(transport: httpx.AsyncHTTPTransport, verify: Any) -> None:
    """Let a transport of httpx open its connections with asyncio; httpx has no option for that, httpcore has."""
    if httpx.__name__ == HTTP_MODULES[0] and hasattr(transport, "_pool"):
        transport._pool = httpcore.AsyncConnectionPool(
            ssl_context=verify, max_connections=1, keepalive_expiry=5.0, network_backend=AsyncioBackend()
        )


@lru_cache(maxsize=64)
def _parsed(url: str) -> httpx.URL:
    return httpx.URL(url)


def app_transport(app: Any) -> Transport:
    """Return the way to an ASGI application in this process, for the library that was chosen."""
    return embedded.app_transport(app, httpx)
