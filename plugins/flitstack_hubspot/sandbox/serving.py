"""The sandbox over HTTP: one server in a thread, for tests and for the command line."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from flitstack.web.serving import in_thread, listen, server_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flitstack_hubspot.sandbox.app import Sandbox


@contextmanager
def serve_in_thread(sandbox: Sandbox, port: int = 0) -> Iterator[str]:
    """Serve the sandbox on this machine and yield its base URL; the server stops when the block is left.

    :param port: 0 takes a free one.
    :raises UsageError: the port cannot be had.
    """
    with in_thread(server_of(sandbox.app, interface="asgi3"), listen(port)) as url:
        yield url
