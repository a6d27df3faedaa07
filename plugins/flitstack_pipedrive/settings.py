"""The destination's settings: their schema, where they come from, and the checked form the rest works with."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from flitstack.errors import AuthError, SettingsError
from flitstack.web.embedded import SCHEME
from flitstack.web.settings import ATTEMPTS, CONNECT_TIMEOUT_S, TIMEOUT_S, WAITING, header_token, host_root
from flitstack_pipedrive.learned import assumptions
from flitstack_pipedrive.plans import DEFAULT_RESERVE, PLANS, Plan

if TYPE_CHECKING:
    from collections.abc import Mapping

API_HOST = "https://api.pipedrive.com"
SANDBOX_FILE = "pipedrive-sandbox.db"

ENVIRONMENT = {
    "api_token": "PIPEDRIVE_API_TOKEN",
    "base_url": "PIPEDRIVE_BASE_URL",
    "plan": "PIPEDRIVE_PLAN",
    "seats": "PIPEDRIVE_SEATS",
}
SECRETS = frozenset({"api_token"})

SETTINGS_SCHEMA: Mapping[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "api_token": {
            "type": "string",
            "description": "Personal API token of an admin user (Pipedrive: Personal preferences, API).",
        },
        "base_url": {
            "type": "string",
            "description": "Host root such as https://company.pipedrive.com or http://127.0.0.1:8080; found by the "
            "token when left out. sandbox:FOLDER opens the embedded sandbox kept there.",
        },
        "plan": {
            "type": "string",
            "enum": list(PLANS),
            "description": "The account's plan. No request tells it, and the daily tokens and the cap of custom "
            "fields depend on it.",
        },
        "seats": {
            "type": "integer",
            "minimum": 1,
            "description": "Paid seats of the account; the daily tokens grow with them.",
        },
        "reserve": {
            "type": "number",
            "minimum": 0,
            "maximum": 0.95,
            "default": DEFAULT_RESERVE,
            "description": "Share of the day's tokens left to the account's other integrations.",
        },
        "activity_time_zone": {
            "type": "string",
            "enum": ["utc", "user"],
            "description": "Zone in which the account reads the due time of activities: UTC or its user's own; what "
            "`flit probe` found, else utc.",
        },
        "list_lag_s": {
            "type": "number",
            "minimum": 0,
            "description": "Seconds after a write within which a list may not show it yet; 5, or three times what "
            "`flit probe` measured where that is more.",
        },
        **WAITING,
    },
}


@dataclass(frozen=True, slots=True)
class SandboxPlace:
    """An embedded sandbox: the file that holds its state, its plan and its seats."""

    path: str
    plan: str
    seats: int


@dataclass(frozen=True, slots=True)
class Settings:
    """Checked settings; `host` is None when it is to be found by the token.

    :param note_limit: bytes of a note that this account is known to keep; None when it takes what is documented.
    """

    api_token: str = field(repr=False)
    host: str | None
    sandbox: SandboxPlace | None
    plan: Plan | None
    seats: int | None
    reserve: float = DEFAULT_RESERVE
    activity_zone_is_utc: bool = True
    list_lag_s: float = 5.0
    connect_timeout_s: float = CONNECT_TIMEOUT_S
    timeout_s: float = TIMEOUT_S
    attempts: int = ATTEMPTS
    note_limit: int | None = None

    @property
    def daily_tokens(self) -> int | None:
        """The account's tokens a day; None unless plan and seats are stated."""
        return self.plan.daily_tokens(self.seats) if self.plan and self.seats else None


def parse_settings(given: Mapping[str, Any], learned: Mapping[str, Any] | None = None) -> Settings:
    """Return the settings in checked form.

    :param given: settings that fit `SETTINGS_SCHEMA`.
    :param learned: what the journal knows of the account; takes the place of an assumption, never of a given setting.
    :raises SettingsError: `base_url` is no host root, or would send the token unencrypted to another machine.
    :raises AuthError: there is no usable token.
    """
    base_url = str(given.get("base_url") or "")
    sandbox = _sandbox_place(base_url, given) if base_url.startswith(SCHEME) else None
    plan = sandbox.plan if sandbox else given.get("plan")
    found = assumptions(learned or {})
    return Settings(
        api_token=_token(given, optional=sandbox is not None),
        host=None if sandbox or not base_url else host_root(base_url, "pipedrive"),
        sandbox=sandbox,
        plan=PLANS[plan] if plan else None,
        seats=sandbox.seats if sandbox else given.get("seats"),
        reserve=given.get("reserve", DEFAULT_RESERVE),
        activity_zone_is_utc=given.get("activity_time_zone", found.activity_time_zone) == "utc",
        list_lag_s=given.get("list_lag_s", found.list_lag_s),
        connect_timeout_s=given.get("connect_timeout_s", CONNECT_TIMEOUT_S),
        timeout_s=given.get("timeout_s", TIMEOUT_S),
        attempts=given.get("attempts", ATTEMPTS),
        note_limit=found.note_limit,
    )


def _token(given: Mapping[str, Any], *, optional: bool) -> str:
    variable = ENVIRONMENT["api_token"]
    token = header_token(given.get("api_token"), plugin="pipedrive", called="API token", variable=variable)
    if not token and not optional:
        raise AuthError("pipedrive: no API token. Set PIPEDRIVE_API_TOKEN to the token of an admin user.")
    return token


def _sandbox_place(base_url: str, given: Mapping[str, Any]) -> SandboxPlace:
    path, _, query = base_url.removeprefix(SCHEME).partition("?")
    wanted = {name: values[-1] for name, values in parse_qs(query).items()}
    plan = wanted.get("plan", given.get("plan") or "growth")
    seats = wanted.get("seats", str(given.get("seats") or 1))
    if (
        not path
        or not wanted.keys() <= {"plan", "seats"}
        or plan not in PLANS
        or not seats.isdecimal()
        or int(seats) < 1
    ):
        raise SettingsError(
            'pipedrive: "base_url" names a sandbox that cannot be opened. Write sandbox:FOLDER?plan=growth&seats=1.'
        )
    return SandboxPlace(path, plan, int(seats))
