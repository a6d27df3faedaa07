"""An imitated account served on this machine, until it is no longer wanted."""

from __future__ import annotations

import json
import os
import signal
import socket
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from flitstack.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from contextlib import AbstractContextManager

    import uvicorn

HOST = "127.0.0.1"


def listen(port: int) -> socket.socket:
    """Return a socket that listens on this machine.

    :param port: 0 takes a free one.
    :raises UsageError: the port cannot be had.
    """
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


def server_of(app: Any, **settings: Any) -> uvicorn.Server:
    """Return a quiet server of an ASGI application, not yet running."""
    import uvicorn

    quiet: Mapping[str, Any] = {"log_config": None, "access_log": False, "lifespan": "off"}
    return uvicorn.Server(uvicorn.Config(app, **{**quiet, "timeout_graceful_shutdown": 2, **settings}))


@contextmanager
def in_thread(server: uvicorn.Server, listening: socket.socket) -> Iterator[str]:
    """Run the server on this socket and yield its base URL, such as `http://127.0.0.1:8080`; stop it afterwards."""
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, name="flit-sandbox", daemon=True)
    thread.start()
    try:
        yield f"http://{HOST}:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        listening.close()


def serve_until_signal(account: Any, serving: AbstractContextManager[str], state: str | None) -> None:
    """Serve an account until a signal comes; the first line on stdout is one JSON object: the url, and the users.

    :param account: closed when it is left. :param state: the file that keeps it; None for a temporary one.
    """
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    with account, serving as url:
        click.echo(json.dumps({"url": url, "users": account.users}))
        where = state or "a temporary file"
        click.echo(f"Sandbox on {url}, a development aid; its state is in {where}. Ctrl-C stops it.", err=True)
        while not stop.wait(0.5):  # a wait without end would keep Windows from noticing Ctrl-C
            pass
    click.echo("Sandbox stopped.", err=True)
