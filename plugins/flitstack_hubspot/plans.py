"""What each HubSpot subscription allows, and the account that an estimate stands on when nobody has signed in.

Source: HubSpot developer changelog, "Increasing our API limits" (Professional and Enterprise); "API usage guidelines"
(Free and Starter). Limits are the account's, however many seats it has; its list prices depend on more than the
subscription and are not stated.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flitstack.protocols import Account, AccountPlan, AssumedAccount, Spent, User
from flitstack_hubspot.behaviours import SCHEMA_READING

if TYPE_CHECKING:
    from collections.abc import Mapping

WINDOW_S = 10.0
# Name to requests in ten seconds of one private app, and requests a day of the account.
TIERS: Mapping[str, tuple[int, int]] = {
    "free": (100, 250_000),
    "starter": (100, 250_000),
    "professional": (190, 650_000),
    "enterprise": (190, 1_000_000),
}
OPENING = SCHEMA_READING + 9  # users, owners twice, the token, its user, details, usage, two limits


def account_plans() -> tuple[AccountPlan, ...]:
    """Return all subscriptions, the smallest first."""
    return tuple(AccountPlan(name, daily, burst, WINDOW_S) for name, (burst, daily) in TIERS.items())


def assumed_account(given: Mapping[str, Any]) -> AssumedAccount:
    """Return an empty account of the subscription that the settings state, if they do, for an estimate.

    Its currency and zone stand for any: neither changes how much is written.
    """
    plan = given.get("plan")
    account = Account(
        id="assumed",
        name="",
        user=User("1", "", "", active=True, is_admin=True),
        facts={"currency": "USD", "time_zone": "UTC", "plan": plan, "seats": 1, "name": None},
        slots={},
        daily_budget=TIERS[str(plan)][1] if plan else None,
    )
    return AssumedAccount(account, Spent(OPENING, OPENING))
