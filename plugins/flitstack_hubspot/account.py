"""Whose account a token belongs to: its identity, its users and owners, and what is left of its day.

Sources: HubSpot developer documentation, "Account information", "Owners", "User provisioning" (`superAdmin`), "Private
apps" (access-token-info).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flitstack.errors import AuthError, ConfigurationError, Rejected
from flitstack.protocols import Account, User
from flitstack_hubspot.answers import Call
from flitstack_hubspot.client import USAGE
from flitstack_hubspot.objects import BATCH

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flitstack_hubspot.client import Client

DETAILS = Call("GET", "/account-info/v3/details", scope="account")
TOKEN_INFO = "/oauth/v2/private-apps/get/access-token-info"  # noqa: S105 - a path, no secret
DEALS = "0-3"  # the type of deals, as the API numbers objects
WATCHERS = (
    "HubSpot can create companies by the domain of a new contact's e-mail address, and associate them. Switch it off "
    "before the run: Settings, Objects, Companies.",
    "Workflows, and private apps that subscribe to changes, react to records that are created through the API. The API "
    "does not list them all: switch off those that send something.",
)


async def read_users(client: Client) -> list[User]:
    """Return the account's owners, former ones included; who is a super admin the account's users say."""
    admins = {str(raw["id"]) async for raw in _all(client, "/settings/v3/users") if raw.get("superAdmin")}
    found: list[User] = []
    for archived in ("false", "true"):
        async for raw in _all(client, "/crm/v3/owners", archived=archived):
            name = f"{raw.get('firstName') or ''} {raw.get('lastName') or ''}".strip()
            number = str(raw.get("userId") or raw.get("userIdIncludingInactive") or "")
            email = str(raw.get("email") or "")
            found.append(User(str(raw["id"]), name or email, email, archived == "false", number in admins))
    return found


async def token_user(client: Client, token: str, users: list[User]) -> tuple[str, User]:
    """Return the account's id, and the owner who made the token.

    :raises AuthError: who made it is no super admin, or owns nothing.
    """
    info = await client.send(Call("POST", TOKEN_INFO, body={"tokenKey": token}, reads=True, scope="account"))
    if "hubId" not in info:
        raise ConfigurationError("hubspot: the server does not say whose account this is. Check HUBSPOT_BASE_URL.")
    number = str(info.get("userId") or "")
    raw = await client.find(Call("GET", f"/settings/v3/users/{number}", words_of="/settings/v3/users/{id}"))
    email = str((raw or {}).get("email") or "").casefold()
    user = next((user for user in users if user.email.casefold() == email and user.active), None)
    if user is None or not user.is_admin:
        raise AuthError(
            "hubspot: the private app was not made by a super admin of the account who is still active. Let one make "
            "it, and use its token."
        )
    return str(info["hubId"]), user


async def read_account(client: Client, id: str, user: User, plan: str | None) -> Account:
    """Return the account as its details describe it.

    :param plan: the subscription, as settings state it: no request tells.
    """
    details = await client.send(DETAILS)
    usage = await client.send(USAGE)
    day: Mapping[str, Any] = next(iter(usage.get("results") or ()), {})
    zone, name = str(details.get("timeZone") or "UTC"), str(details.get("uiDomain") or id)
    client.day.zone = zone
    limit = day.get("usageLimit")
    if isinstance(limit, int):
        client.day.limit, client.day.remaining = limit, limit - int(day.get("currentUsage") or 0)
    slots, unsaid = await read_room(client)
    return Account(
        id=id,
        name=name,
        user=user,
        facts={
            "currency": details.get("companyCurrency"),
            "currencies": [details.get("companyCurrency"), *(details.get("additionalCurrencies") or ())],
            "time_zone": zone,
            "plan": plan,
            "seats": 1,  # the limits are the account's, however many it has
            "name": name,
        },
        slots=slots,
        daily_budget=limit if isinstance(limit, int) else None,
        compromises=(
            f"How many {unsaid} the subscription allows is not known beforehand: HubSpot refuses what is too many, and "
            "the run then says so before any record is written.",
        ),
    )


async def read_room(client: Client) -> tuple[dict[str, int], str]:
    """Return how many properties and deal pipelines the account can still have, and in words what it does not say.

    Source: HubSpot developer documentation, "Limits tracking".
    """
    slots: dict[str, int] = {}
    properties = await _limits(client, "custom-properties")
    pipelines = await _limits(client, "pipelines")
    deals = [one for one in pipelines.get("hubspotDefinedObjectTypes") or () if one.get("objectTypeId") == DEALS]
    _note_room(slots, "field", properties.get("overallLimit"), properties.get("overallUsage"))
    for one in deals:
        _note_room(slots, "pipeline", one.get("limit"), one.get("usage"))
    words = {"field": "custom properties", "pipeline": "pipelines"}
    unsaid = [said for name, said in words.items() if name not in slots]
    return slots, " and ".join([*unsaid, "association labels, and properties of one object,"])


def _note_room(slots: dict[str, int], name: str, limit: Any, usage: Any) -> None:
    if isinstance(limit, int) and isinstance(usage, int) and limit > 0:
        slots[name] = max(0, limit - usage)


async def _limits(client: Client, what: str) -> dict[str, Any]:
    """Return what the account says of a limit; {} where the token or the subscription does not let it."""
    try:
        return await client.send(Call("GET", f"/crm/v3/limits/{what}"))
    except (AuthError, Rejected):
        return {}


async def _all(client: Client, path: str, **query: str) -> Any:
    async for page in client.pages(path, {"limit": str(BATCH), **query}):
        for raw in page:
            yield raw
