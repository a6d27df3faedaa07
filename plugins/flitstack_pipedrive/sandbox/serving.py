"""The sandbox over HTTP: one server in a thread, for tests and for the command line."""

from __future__ import annotations

import asyncio
import os
import socket
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from flitstack.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    import uvicorn

    from flitstack.clock import Clock
    from flitstack_pipedrive.sandbox.app import Sandbox

HOST = "127.0.0.1"


@contextmanager
def serve_in_thread(sandbox: Sandbox, port: int = 0) -> Iterator[str]:
    """Serve the sandbox on this machine and yield its base URL, such as `http://127.0.0.1:8080`.

    The socket listens before the URL is known; the server stops when the block is left.

    :param port: 0 takes a free one.
    :raises UsageError: the port cannot be had.
    """
    import uvicorn

    listening = _listen(port)
    config = uvicorn.Config(sandbox.app, log_config=None, access_log=False, lifespan="off", timeout_graceful_shutdown=2)
    server = uvicorn.Server(config)
    sandbox.front.door = _Door(server, listening.getsockname()[1], sandbox.account.clock)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, name="flit-sandbox", daemon=True)
    thread.start()
    try:
        yield f"http://{HOST}:{listening.getsockname()[1]}"
    finally:
        sandbox.front.door = None
        server.should_exit = True
        thread.join()
        listening.close()


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

        again = await asyncio.get_running_loop().create_server(connected, sock=_listen(self._port))
        self._server.servers.append(again)


def _listen(port: int) -> socket.socket:
    # asyncio turns off Nagle's delay, 40 ms per answer, only on sockets that say they are TCP.
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if os.name == "posix":
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((HOST, port))
        listening.listen(2048)
    except OSError as exc:
        listening.close()
        raise UsageError(f"Port {port} of {HOST} cannot be used ({exc}). Choose another with --port.") from exc
    return listening
