"""Users, and what else only v1 says about an account: currencies, lead labels, webhooks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flitstack_pipedrive.sandbox.account import CURRENCIES
from flitstack_pipedrive.sandbox.answers import Answer, ApiError, data_v1

if TYPE_CHECKING:
    from flitstack_pipedrive.sandbox.account import Account, Member
    from flitstack_pipedrive.sandbox.answers import Doc
    from flitstack_pipedrive.sandbox.call import Call

COMPANY_NAME = "Sandbox Practice"
_LEAD_SOURCES = ("Manually created", "Deal", "Import", "API")
_APPS = ("sales", "global", "account_settings")


def user_doc(account: Account, member: Member, *, is_you: bool) -> Doc:
    """Return a user as v1 shows it."""
    return {
        "id": member.id,
        "name": member.name,
        "default_currency": account.currency,
        "locale": "en_US",
        "lang": 1,
        "email": member.email,
        "phone": None,
        "activated": True,
        "last_login": "2026-01-05 08:00:00",
        "created": "2025-01-06 08:00:00",
        "modified": "2026-01-05 08:00:00",
        "has_created_company": member.id == 1,
        "access": [
            {"app": app, "admin": member.is_admin, "permission_set_id": account.uuid("set", app, member.is_admin)}
            for app in _APPS
            if member.is_admin or app != "account_settings"
        ],
        "active_flag": member.active,
        "timezone_name": account.time_zone,
        "timezone_offset": "-05:00",
        "role_id": 1,
        "icon_url": None,
        "is_you": is_you,
        "is_deleted": False,
    }


def list_users(call: Call) -> Answer:
    """Return all users, deactivated ones included; unpaged."""
    members = call.account.members.values()
    return data_v1([user_doc(call.account, member, is_you=member.id == call.user.id) for member in members])


def get_me(call: Call) -> Answer:
    """Return the token's user with the company."""
    doc = user_doc(call.account, call.user, is_you=True)
    doc |= {
        "company_id": company_id(call.account),
        "company_name": COMPANY_NAME,
        "company_domain": f"sandbox-{call.account.key('domain')[:6]}",
        "company_country": "US",
        "company_industry": "Healthcare",
        "language": {"language_code": "en", "country_code": "US"},
    }
    return data_v1(doc)


def get_user(call: Call) -> Answer:
    """Return one user."""
    member = call.account.members.get(call.number())
    if member is None:
        raise ApiError(404, {"success": False, "error": "User not found or not accessible."})
    return data_v1(user_doc(call.account, member, is_you=member.id == call.user.id))


def company_id(account: Account) -> int:
    """Return the account's number, which its seed decides."""
    return 10_000_000 + int(account.key("company")[:6], 16)


def list_currencies(call: Call) -> Answer:
    """Return the currencies; `term` narrows them by code or name."""
    term = call.query.get("term", "").lower()
    return data_v1(
        [
            {
                "id": number,
                "code": code,
                "name": name,
                "decimal_points": points,
                "symbol": symbol,
                "active_flag": True,
                "is_custom_flag": False,
            }
            for number, (code, name, points, symbol) in enumerate(CURRENCIES, 1)
            if term in code.lower() or term in name.lower()
        ]
    )


def list_lead_labels(call: Call) -> Answer:
    """Return the labels a lead may carry."""
    return data_v1(call.store.docs("lead_label"))


def list_lead_sources(call: Call) -> Answer:
    """Return where leads can come from; only one is open to the API."""
    return data_v1([{"name": name} for name in _LEAD_SOURCES])


def find_users(call: Call) -> Answer:
    """Return the active users whose name or, on request, email holds the term."""
    term = call.query["term"].lower()
    by_email = call.query.get("search_by_email") == "1"
    return data_v1(
        [
            user_doc(call.account, member, is_you=member.id == call.user.id)
            for member in call.account.members.values()
            if member.active and term in (member.email if by_email else member.name).lower()
        ]
    )


def list_webhooks(call: Call) -> Answer:
    """Return the webhooks; the sandbox has none."""
    call.need_admin()
    return data_v1([])
