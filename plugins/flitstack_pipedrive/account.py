"""Whose account a token belongs to: its identity, its users, and how much room its plan leaves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flitstack.errors import AuthError, FlitError
from flitstack.protocols import Account, AssumedAccount, User
from flitstack_pipedrive.answers import Call
from flitstack_pipedrive.behaviours import OPENING_LISTS, reading
from flitstack_pipedrive.plans import PLANS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flitstack_pipedrive.client import Client
    from flitstack_pipedrive.codec.fieldbook import FieldBook
    from flitstack_pipedrive.settings import Settings

ME = Call(1, "GET", "/users/me", scope="account")
USERS = Call(1, "GET", "/users", scope="account")
PRODUCT_FIELDS = Call(2, "GET", "/productFields", scope="account")

PLAN_UNKNOWN = (
    "The plan or its seats are not stated (PIPEDRIVE_PLAN, PIPEDRIVE_SEATS): how many custom fields and daily "
    "API tokens are left is not known before Pipedrive refuses."
)


def read_user(raw: Mapping[str, Any]) -> User:
    """Return a user; only an admin of deals sees every record."""
    access = raw.get("access")
    sales = [one for one in access if one.get("app") == "sales"] if isinstance(access, list) else []
    admin = any(one.get("admin") for one in sales) if sales else bool(raw.get("is_admin"))
    return User(
        id=str(raw["id"]),
        name=str(raw.get("name") or ""),
        email=str(raw.get("email") or ""),
        active=bool(raw.get("active_flag", True)),
        is_admin=admin,
    )


def require_admin(user: User) -> None:
    """Raise unless the user sees and may do what a migration needs.

    :raises AuthError: the user is no admin.
    """
    if not user.is_admin:
        raise AuthError(
            "pipedrive: the token's user is no deals admin, so lists would leave out what the user may not see. "
            "Use the token of an admin user."
        )


def read_account(me: Mapping[str, Any], settings: Settings, custom_fields: int) -> Account:
    """Return the account as users/me describes it.

    :param custom_fields: how many the account has already, all entities together.
    """
    plan, zone = settings.plan, str(me.get("timezone_name") or "UTC")
    slots = {}
    if plan is not None and plan.custom_fields is not None:
        slots["field"] = max(plan.custom_fields - custom_fields, 0)
    return Account(
        id=str(me["company_id"]),
        name=str(me.get("company_name") or ""),
        user=read_user(me),
        facts={
            "currency": me.get("default_currency"),
            "time_zone": zone,
            "activity_zone": "UTC" if settings.activity_zone_is_utc else zone,
            "plan": plan.name if plan else None,
            "seats": settings.seats,
            "company": me.get("company_name"),
            "name": me.get("company_name"),
            **({"note_limit": settings.note_limit} if settings.note_limit else {}),
        },
        slots=slots,
        daily_budget=settings.daily_tokens,
        compromises=() if settings.daily_tokens else (PLAN_UNKNOWN,),
    )


def assumed_account(given: Mapping[str, Any]) -> AssumedAccount:
    """Return an empty account of the plan and seats that the settings state, if they do, for an estimate.

    Its currency and zone stand for any: neither changes how much is written.
    """
    plan, seats = PLANS.get(str(given.get("plan"))), given.get("seats")
    facts: dict[str, Any] = {"currency": "USD", "time_zone": "UTC", "activity_zone": "UTC", "seats": seats}
    facts |= {"plan": plan.name if plan else None, "company": None, "name": None}
    account = Account(
        id="assumed",
        name="",
        user=User("1", "", "", active=True, is_admin=True),
        facts=facts,
        slots={} if plan is None or plan.custom_fields is None else {"field": plan.custom_fields},
        daily_budget=plan.daily_tokens(seats) if plan and seats else None,
        compromises=() if plan and seats else (PLAN_UNKNOWN,),
    )
    return AssumedAccount(account, reading(OPENING_LISTS if plan else OPENING_LISTS[:-1]))


async def count_custom_fields(client: Client, fields: FieldBook) -> int:
    """Return how many custom fields the account has; those of products count against the same cap."""
    try:
        products = [raw async for raw in client.pages(PRODUCT_FIELDS, 500)]
    except FlitError:
        products = []  # an account without the product feature has no such fields; a server that is down is met again
    return sum(1 for _ in fields.all()) + sum(1 for raw in products if raw.get("is_custom_field"))
