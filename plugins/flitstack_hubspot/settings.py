"""The destination's settings: their schema, where they come from, and the checked form the rest works with."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from flitstack.errors import AuthError, SettingsError
from flitstack_hubspot.plans import TIERS

if TYPE_CHECKING:
    from collections.abc import Mapping

API_HOST = "https://api.hubapi.com"
SANDBOX_SCHEME = "sandbox:"
SANDBOX_FILE = "hubspot-sandbox.db"
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
DEFAULT_RESERVE = 0.1
DEFAULT_LAG_S = 5.0

ENVIRONMENT = {"access_token": "HUBSPOT_ACCESS_TOKEN", "base_url": "HUBSPOT_BASE_URL", "plan": "HUBSPOT_PLAN"}
SECRETS = frozenset({"access_token"})

SETTINGS_SCHEMA: Mapping[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "access_token": {
            "type": "string",
            "description": "Access token of a private app, made by a super admin (HubSpot: Settings, Integrations, "
            "Private apps).",
        },
        "base_url": {
            "type": "string",
            "description": "Host root; https://api.hubapi.com when left out. sandbox:FOLDER opens the embedded sandbox "
            "kept there.",
        },
        "plan": {
            "type": "string",
            "enum": list(TIERS),
            "description": "The account's subscription, for estimates; a run is told by the account what it allows.",
        },
        "reserve": {
            "type": "number",
            "minimum": 0,
            "maximum": 0.95,
            "default": DEFAULT_RESERVE,
            "description": "Share of the day's requests left to the account's other private apps.",
        },
        "list_lag_s": {
            "type": "number",
            "minimum": 0,
            "default": DEFAULT_LAG_S,
            "description": "Seconds after a write within which a list may not show it yet; HubSpot states none.",
        },
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
            "default": 4,
            "description": "How often a read is tried before the destination counts as unavailable.",
        },
    },
}


@dataclass(frozen=True, slots=True)
class Settings:
    """Checked settings; `sandbox` is the folder or file of an embedded account, None on the network."""

    access_token: str = field(repr=False)
    host: str = API_HOST
    sandbox: str | None = None
    plan: str | None = None
    reserve: float = DEFAULT_RESERVE
    list_lag_s: float = DEFAULT_LAG_S
    connect_timeout_s: float = 10.0
    timeout_s: float = 60.0
    attempts: int = 4


def parse_settings(given: Mapping[str, Any]) -> Settings:
    """Return the settings in checked form.

    :param given: settings that fit `SETTINGS_SCHEMA`.
    :raises SettingsError: `base_url` is no host root, or would send the token unencrypted to another machine.
    :raises AuthError: there is no usable token.
    """
    base_url = str(given.get("base_url") or "")
    sandbox = base_url.removeprefix(SANDBOX_SCHEME) if base_url.startswith(SANDBOX_SCHEME) else None
    if sandbox == "":
        raise SettingsError('hubspot: "base_url" names no sandbox. Write sandbox:FOLDER.')
    return Settings(
        access_token=_token(given, optional=sandbox is not None),
        host=API_HOST if sandbox or not base_url else _host_root(base_url),
        sandbox=sandbox,
        plan=given.get("plan"),
        reserve=given.get("reserve", DEFAULT_RESERVE),
        list_lag_s=given.get("list_lag_s", DEFAULT_LAG_S),
        connect_timeout_s=given.get("connect_timeout_s", 10.0),
        timeout_s=given.get("timeout_s", 60.0),
        attempts=given.get("attempts", 4),
    )


def _token(given: Mapping[str, Any], *, optional: bool) -> str:
    token = str(given.get("access_token") or "").strip()
    if not token and not optional:
        raise AuthError("hubspot: no access token. Set HUBSPOT_ACCESS_TOKEN to the token of a private app.")
    if not token.isascii() or not all(character.isprintable() and character != " " for character in token):
        raise AuthError("hubspot: the access token holds characters no token has. Check HUBSPOT_ACCESS_TOKEN.")
    return token


def _host_root(base_url: str) -> str:
    try:
        parts = urlsplit(base_url)
        host, _ = parts.hostname, parts.port
    except ValueError as exc:
        raise SettingsError('hubspot: "base_url" is no address. Give a host root, https://HOST.') from exc
    if parts.scheme not in ("http", "https") or not host:
        raise SettingsError('hubspot: "base_url" is no address. Give a host root, https://HOST.')
    if parts.path.strip("/") or parts.query or parts.fragment or parts.username:
        raise SettingsError('hubspot: "base_url" is more than a host root. Leave out everything after the host.')
    if parts.scheme == "http" and host not in LOOPBACK:
        raise SettingsError('hubspot: "base_url" is http to another machine, which would show the token. Use https.')
    return f"{parts.scheme}://{parts.netloc}"
