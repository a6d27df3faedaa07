"""The plan an account was opened with; the figures are those the destination counts on."""

from __future__ import annotations

from flitstack.errors import UsageError
from flitstack_pipedrive.plans import PLANS, Plan

__all__ = ["PLANS", "Plan", "plan_named"]


def plan_named(name: str) -> Plan:
    """Return the plan, sold today or kept from before.

    :raises UsageError: there is no such plan.
    """
    try:
        return PLANS[name.lower()]
    except KeyError:
        raise UsageError(f'There is no plan "{name}"; use one of {", ".join(PLANS)}.') from None
