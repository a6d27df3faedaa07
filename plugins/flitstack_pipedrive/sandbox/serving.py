"""The sandbox over HTTP: one server in a thread, for tests and for the command line."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from flitstack.web.serving import in_thread, listen, server_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    import uvicorn

    from flitstack.clock import Clock
    from flitstack_pipedrive.sandbox.app import Sandbox


@contextmanager
def serve_in_thread(sandbox: Sandbox, port: int = 0) -> Iterator[str]:
    """Serve the sandbox on this machine and yield its base URL, such as `http://127.0.0.1:8080`.

    The socket listens before the URL is known; the server stops when the block is left.

    :param port: 0 takes a free one.
    :raises UsageError: the port cannot be had.
    """
    listening = listen(port)
    server = server_of(sandbox.app)
    sandbox.front.door = _Door(server, listening.getsockname()[1], sandbox.account.clock)
    with in_thread(server, listening) as url:
        try:
            yield url
        finally:
            sandbox.front.door = None


class _Door:
    """The listening socket of a running server, which a fault may shut for a while."""

    def __init__(self, server: uvicorn.Server, port: int, clock: Clock) -> None:
        self._server = server
        self._port = port
        self._clock = clock
        self._opening: asyncio.Task[None] | None = None

    async def shut(self, seconds: float) -> None:
        """Break every connection and refuse new ones until `seconds` have passed; returns at once."""
        for listener in self._server.servers:
            listener.close()
        self._server.servers.clear()
        for connection in list(self._server.server_state.connections):
            connection.transport.abort()
        self._opening = asyncio.create_task(self._open_after(seconds))

    async def _open_after(self, seconds: float) -> None:
        await self._clock.sleep(seconds)
        config, state = self._server.config, self._server.server_state
        protocol: Any = config.http_protocol_class

        def connected() -> asyncio.Protocol:
            made: asyncio.Protocol = protocol(config=config, server_state=state, app_state={})
            return made

        again = await asyncio.get_running_loop().create_server(connected, sock=listen(self._port))
        self._server.servers.append(again)
