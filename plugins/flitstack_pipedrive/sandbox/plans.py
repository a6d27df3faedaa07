"""What each plan includes, and what each call costs: Pipedrive API, "Rate limiting" and "Usage limits"."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

from flitstack.errors import UsageError

TOKENS_PER_SEAT = 30_000
DEALS_CEILING = 300_000


@dataclass(frozen=True, slots=True)
class Plan:
    """One plan's limits.

    :param multiplier: of the 30,000 tokens a seat has per day.
    :param burst: requests per rolling two seconds with an API token.
    :param deals_per_seat: deals and leads together, per seat.
    :param custom_fields: of all objects together.
    :param visibilities: values that `visible_to` may have.
    """

    multiplier: int
    burst: int
    deals_per_seat: int
    custom_fields: int
    visibilities: tuple[int, ...]

    def daily_tokens(self, seats: int) -> int:
        """Return the company's budget for one day."""
        return TOKENS_PER_SEAT * self.multiplier * seats

    def deals(self, seats: int) -> int:
        """Return how many deals and leads the company may hold."""
        return min(self.deals_per_seat * seats, DEALS_CEILING)


PLANS = MappingProxyType(
    {
        "lite": Plan(1, 20, 2_500, 30, (1, 3)),
        "growth": Plan(2, 40, 5_000, 100, (1, 3)),
        "premium": Plan(5, 100, 15_000, 300, (1, 3, 5, 7)),
        "ultimate": Plan(7, 120, 20_000, 500, (1, 3, 5, 7)),
    }
)


def plan_named(name: str) -> Plan:
    """Return the plan.

    :raises UsageError: there is no such plan.
    """
    try:
        return PLANS[name.lower()]
    except KeyError:
        raise UsageError(f'There is no plan "{name}"; use one of {", ".join(PLANS)}.') from None


def _costs() -> dict[tuple[str, str, str], int]:
    """Return tokens by version, method and path as the specs write it (`x-token-cost`)."""
    costs: dict[tuple[str, str, str], int] = {}
    for name in ("persons", "organizations", "deals", "activities", "pipelines", "stages"):
        costs["v2", "GET", f"/{name}"] = 5 if name in ("pipelines", "stages") else 10
        costs["v2", "POST", f"/{name}"] = 5
        costs |= {("v2", verb, f"/{name}/{{id}}"): cost for verb, cost in _ONE_V2.items()}
    for name in ("person", "organization", "deal"):
        fields = f"/{name}Fields"
        costs["v2", "GET", fields] = 10
        costs["v2", "POST", fields] = 5
        costs |= {("v2", verb, f"{fields}/{{field_code}}"): cost for verb, cost in _ONE_V2.items()}
        costs |= {("v2", v, f"{fields}/{{field_code}}/options"): c for v, c in _ONE_V2.items() if v != "GET"}
        costs |= {("v2", "POST", f"{fields}/{{field_code}}/options"): 5, ("v1", "GET", f"/{name}s/{{id}}/files"): 20}
    for name, update in (("leads", "PATCH"), ("notes", "PUT"), ("files", "PUT"), ("activityTypes", "PUT")):
        costs |= {("v1", "GET", f"/{name}"): 20, ("v1", "POST", f"/{name}"): 10, ("v1", update, f"/{name}/{{id}}"): 10}
        costs["v1", "DELETE", f"/{name}/{{id}}"] = 6
        if name != "activityTypes":
            costs["v1", "GET", f"/{name}/{{id}}"] = 2
    return costs | _OTHERS


_ONE_V2 = MappingProxyType({"GET": 1, "PATCH": 5, "DELETE": 3})
_OTHERS = {
    ("v2", "GET", "/deals/archived"): 20,
    ("v2", "GET", "/activityFields"): 10,
    ("v2", "GET", "/activityFields/{field_code}"): 1,
    ("v1", "GET", "/leads/archived"): 40,
    ("v1", "GET", "/leadLabels"): 10,
    ("v1", "GET", "/files/{id}/download"): 20,
    ("v1", "GET", "/users"): 20,
    ("v1", "GET", "/users/me"): 2,
    ("v1", "GET", "/users/{id}"): 2,
    ("v1", "GET", "/currencies"): 20,
    ("v1", "GET", "/webhooks"): 10,
}
COSTS = MappingProxyType(_costs())
