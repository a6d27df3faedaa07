"""An account imitated in the same process: where it is kept, which token opens it, and the way to it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import httpx

SCHEME = "sandbox:"
"""A base URL that begins so names a folder or file instead of a host."""
HOST = "http://sandbox.localhost"


def state_file(place: str, name: str) -> Path:
    """Return the file that keeps the account, its folder made.

    :param place: a file, or a folder in which the file has this name.
    """
    path = Path(place)
    file = path if path.suffix and not path.is_dir() else path / name
    file.parent.mkdir(parents=True, exist_ok=True)
    return file


def token_for(users: Sequence[Mapping[str, Any]], given: str) -> str:
    """Return the token that was given if it is of one of the account's users, else the first user's."""
    tokens = [str(user["token"]) for user in users]
    return given if given in tokens else tokens[0]


def app_transport(app: Any, http: Any) -> httpx.AsyncBaseTransport:
    """Return the way to an ASGI application in this process, without a network.

    An application that raises `ConnectionError` broke the connection: the client sees what it would see of a network.

    :param http: the library of the client that goes this way: httpx, or one with the same interface.
    """

    # The client uses more of its library's transport than this one method, so the class is one of that library's.
    class InProcess(http.AsyncBaseTransport):  # type: ignore[misc]
        async def handle_async_request(self, request: Any) -> Any:
            broken: list[ConnectionError] = []

            async def watched(scope: Any, receive: Any, send: Any) -> None:
                try:
                    await app(scope, receive, send)
                except ConnectionError as exc:
                    broken.append(exc)
                    raise

            transport = http.ASGITransport(app=watched, raise_app_exceptions=False)
            response = await transport.handle_async_request(request)
            if broken:
                refused = isinstance(broken[0], ConnectionRefusedError)
                error = http.ConnectError if refused else http.ReadError
                raise error(str(broken[0]), request=request) from broken[0]
            return response

    made: httpx.AsyncBaseTransport = InProcess()
    return made
