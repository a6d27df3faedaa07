"""The sandbox over HTTP: one server in a thread, for tests and for the command line."""

from __future__ import annotations

import os
import socket
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from flitstack.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flitstack_hubspot.sandbox.app import Sandbox

HOST = "127.0.0.1"


@contextmanager
def serve_in_thread(sandbox: Sandbox, port: int = 0) -> Iterator[str]:
    """Serve the sandbox on this machine and yield its base URL; the server stops when the block is left.

    :param port: 0 takes a free one.
    :raises UsageError: the port cannot be had.
    """
    import uvicorn

    listening = _listen(port)
    config = uvicorn.Config(
        sandbox.app,
        interface="asgi3",
        log_config=None,
        access_log=False,
        lifespan="off",
        timeout_graceful_shutdown=2,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, name="flit-hubspot", daemon=True)
    thread.start()
    try:
        yield f"http://{HOST}:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        listening.close()


def _listen(port: int) -> socket.socket:
    # asyncio turns off Nagle's delay, 40 ms per answer, only on sockets that say they are TCP.
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if os.name == "posix":
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((HOST, port))
        listening.listen(128)
    except OSError as exc:
        listening.close()
        raise UsageError(f"Port {port} of {HOST} cannot be used ({exc}). Choose another with --port.") from exc
    return listening
