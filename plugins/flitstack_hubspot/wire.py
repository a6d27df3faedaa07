"""Carries requests over HTTP: the only module that knows httpx, and the only one that holds the token.

A request carries up to a hundred records, so a plain client with a pool is quick enough.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import httpx

from flitstack.errors import NotSent, Unavailable
from flitstack.web import embedded
from flitstack.web.answers import Answer, LostError

if TYPE_CHECKING:
    from flitstack_hubspot.answers import Call
    from flitstack_hubspot.settings import Settings

Transport = httpx.AsyncBaseTransport
_NEVER_LEFT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError, httpx.UnsupportedProtocol)


class Wire:
    """The connections of one writer.

    :param transport: instead of the network, for the embedded sandbox and for tests.
    """

    def __init__(self, settings: Settings, transport: Transport | None = None) -> None:
        self._timeout = httpx.Timeout(settings.timeout_s, connect=settings.connect_timeout_s, pool=None)
        self._given = transport
        self._host = settings.host
        self._headers = {
            "authorization": f"Bearer {settings.access_token}",
            "accept": "application/json",
            "user-agent": "flitstack",
        }
        self._opened: httpx.AsyncClient | None = None
        self.sent = 0

    async def send(self, call: Call) -> Answer:
        """Return the answer to one request, whatever its status; `sent` counts those that left.

        :raises NotSent: it never left. :raises LostError: it may have left, and no whole answer came.
        """
        with ExitStack() as opened:
            files = None
            if call.upload is not None:
                name, opener = call.upload
                files = {"file": (name, opened.enter_context(opener()))}
            return await self._exchange(call, files)

    async def elsewhere(self, address: str) -> Answer:
        """Return what another host answers, to which the token is not sent.

        :raises Unavailable: it does not answer.
        """
        try:
            async with httpx.AsyncClient(timeout=self._timeout, transport=self._given) as plain:
                response = await plain.get(address)
        except httpx.HTTPError as exc:
            raise Unavailable("hubspot: the server that keeps the files does not answer. Try again.") from exc
        return Answer(response.status_code, {}, response.content)

    async def aclose(self) -> None:
        """Close all connections."""
        if self._opened is not None:
            await self._opened.aclose()

    async def _exchange(self, call: Call, files: Any) -> Answer:
        client = self._client()
        self.sent += 1
        try:
            response = await client.request(
                call.method,
                f"{self._host}{call.path}",
                params=dict(call.query) or None,
                json=call.body,
                data=dict(call.form) if call.form else None,
                files=files,
            )
        except _NEVER_LEFT as exc:
            self.sent -= 1
            raise NotSent(
                f"hubspot: no connection to {httpx.URL(self._host).host}. Check the network and HUBSPOT_BASE_URL, then "
                "run the same command again."
            ) from exc
        except (httpx.HTTPError, httpx.StreamError) as exc:
            raise LostError from exc
        headers = {name.lower(): value for name, value in response.headers.items()}
        return Answer(response.status_code, headers, response.content)

    def _client(self) -> httpx.AsyncClient:
        if self._opened is None:
            self._opened = httpx.AsyncClient(
                headers=self._headers, timeout=self._timeout, transport=self._given, follow_redirects=False
            )
        return self._opened


def app_transport(app: Any) -> Transport:
    """Return the way to an ASGI application in this process."""
    return embedded.app_transport(app, httpx)
