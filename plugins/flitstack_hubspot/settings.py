"""The destination's settings: their schema, where they come from, and the checked form the rest works with."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from flitstack.errors import AuthError, SettingsError
from flitstack.web.embedded import SCHEME
from flitstack.web.settings import ATTEMPTS, CONNECT_TIMEOUT_S, TIMEOUT_S, WAITING, header_token, host_root
from flitstack_hubspot.plans import TIERS

if TYPE_CHECKING:
    from collections.abc import Mapping

API_HOST = "https://api.hubapi.com"
SANDBOX_FILE = "hubspot-sandbox.db"
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
        **WAITING,
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
    connect_timeout_s: float = CONNECT_TIMEOUT_S
    timeout_s: float = TIMEOUT_S
    attempts: int = ATTEMPTS


def parse_settings(given: Mapping[str, Any]) -> Settings:
    """Return the settings in checked form.

    :param given: settings that fit `SETTINGS_SCHEMA`.
    :raises SettingsError: `base_url` is no host root, or would send the token unencrypted to another machine.
    :raises AuthError: there is no usable token.
    """
    base_url = str(given.get("base_url") or "")
    sandbox = base_url.removeprefix(SCHEME) if base_url.startswith(SCHEME) else None
    if sandbox == "":
        raise SettingsError('hubspot: "base_url" names no sandbox. Write sandbox:FOLDER.')
    return Settings(
        access_token=_token(given, optional=sandbox is not None),
        host=API_HOST if sandbox or not base_url else host_root(base_url, "hubspot"),
        sandbox=sandbox,
        plan=given.get("plan"),
        reserve=given.get("reserve", DEFAULT_RESERVE),
        list_lag_s=given.get("list_lag_s", DEFAULT_LAG_S),
        connect_timeout_s=given.get("connect_timeout_s", CONNECT_TIMEOUT_S),
        timeout_s=given.get("timeout_s", TIMEOUT_S),
        attempts=given.get("attempts", ATTEMPTS),
    )


def _token(given: Mapping[str, Any], *, optional: bool) -> str:
    variable = ENVIRONMENT["access_token"]
    token = header_token(given.get("access_token"), plugin="hubspot", called="access token", variable=variable)
    if not token and not optional:
        raise AuthError("hubspot: no access token. Set HUBSPOT_ACCESS_TOKEN to the token of a private app.")
    return token
