"""What is asked of the address and the token of an account on the web, and how long to wait for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from flitstack.errors import AuthError, SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
CONNECT_TIMEOUT_S, TIMEOUT_S, ATTEMPTS = 10.0, 60.0, 4

WAITING: Mapping[str, Any] = {
    "connect_timeout_s": {
        "type": "number",
        "exclusiveMinimum": 0,
        "default": 10,
        "description": "Seconds to wait for a connection.",
    },
    "timeout_s": {
        "type": "number",
        "exclusiveMinimum": 0,
        "default": 60,
        "description": "Seconds to wait for an answer.",
    },
    "attempts": {
        "type": "integer",
        "minimum": 1,
        "maximum": 10,
        "default": ATTEMPTS,
        "description": "How often a read is tried before the destination counts as unavailable.",
    },
}
"""Properties of a settings schema, for all who wait for answers."""


def host_root(base_url: str, plugin: str) -> str:
    """Return a host root as `https://HOST`, with its port when it states one.

    :raises SettingsError: it is no host root, or would send the token unencrypted to another machine.
    """
    try:
        parts = urlsplit(base_url)
        host, _ = parts.hostname, parts.port
    except ValueError as exc:
        raise SettingsError(f'{plugin}: "base_url" is no address. Give a host root, https://HOST.') from exc
    if parts.scheme not in ("http", "https") or not host:
        raise SettingsError(f'{plugin}: "base_url" is no address. Give a host root, https://HOST.')
    if parts.path.strip("/") or parts.query or parts.fragment or parts.username:
        raise SettingsError(f'{plugin}: "base_url" is more than a host root. Leave out everything after the host.')
    if parts.scheme == "http" and host not in LOOPBACK:
        raise SettingsError(
            f'{plugin}: "base_url" is http to another machine, which would show the token on the way. Use https.'
        )
    return f"{parts.scheme}://{parts.netloc}"


def header_token(text: Any, *, plugin: str, called: str, variable: str) -> str:
    """Return a token as it can stand in a header; empty when none is given.

    :param called: what the platform calls it: `API token`. :param variable: of the environment, to look at.
    :raises AuthError: it holds characters no token has.
    """
    token = str(text or "").strip()
    if not token.isascii() or not all(character.isprintable() and character != " " for character in token):
        raise AuthError(f"{plugin}: the {called} holds characters no token has. Check {variable}.")
    return token
