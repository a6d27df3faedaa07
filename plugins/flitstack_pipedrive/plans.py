"""What each Pipedrive plan allows: tokens a day, requests in two seconds, custom fields, deals, visibilities.

Sources: Pipedrive API, "Rate limiting"; Pipedrive knowledge base, "Usage limits" and "New Pipedrive plans".
"""

from __future__ import annotations

from dataclasses import dataclass

from flitstack.protocols import AccountPlan, RecordCap

TOKENS_PER_SEAT = 30_000
DEALS_CEILING = 300_000
WINDOW_S = 2.0
SMALLEST_BURST = 20
OAUTH_BURSTS = 4
DEFAULT_RESERVE = 0.1
PRICE_DATE = "2026-09-20"
PRICE_TERMS = "per seat and month, paid for a year"
# List prices in USD as published on PRICE_DATE, of the plans that are sold.
PRICES = {"lite": 14, "growth": 39, "premium": 59, "ultimate": 79}
_TWO = (1, 3)
_FOUR = (1, 3, 5, 7)


@dataclass(frozen=True, slots=True)
class Plan:
    """One plan as sold; an older plan's burst is the smallest it may be, the answers' headers teach the rest.

    :param multiplier: of the 30,000 tokens a day and seat.
    :param burst: requests in any two seconds with one API token; an OAuth app has four times as many.
    :param custom_fields: of all entities together; None when the plan has no cap.
    :param deals_per_seat: deals and leads together, per seat.
    :param visibilities: values that `visible_to` may have.
    """

    name: str
    multiplier: int
    burst: int
    custom_fields: int | None
    deals_per_seat: int
    visibilities: tuple[int, ...]

    def daily_tokens(self, seats: int) -> int:
        """Return the company's tokens for one day."""
        return TOKENS_PER_SEAT * self.multiplier * seats

    def deals(self, seats: int) -> int:
        """Return how many deals and leads the company may hold."""
        return min(self.deals_per_seat * seats, DEALS_CEILING)


# Lite to Ultimate are sold today; Essential to Enterprise are kept by customers from before. For those, four numbers of
# deals are known for five plans: Power has the one of the plan below it.
PLANS = {
    plan.name: plan
    for plan in (
        Plan("lite", 1, 20, 30, 2_500, _TWO),
        Plan("growth", 2, 40, 100, 5_000, _TWO),
        Plan("premium", 5, 100, 300, 15_000, _FOUR),
        Plan("ultimate", 7, 120, 500, 20_000, _FOUR),
        Plan("essential", 1, 20, 30, 2_000, _TWO),
        Plan("advanced", 2, 40, 100, 4_000, _TWO),
        Plan("professional", 3, 40, 300, 10_000, _FOUR),
        Plan("power", 5, 100, 500, 10_000, _FOUR),
        Plan("enterprise", 7, 120, None, 15_000, _FOUR),
    )
}


def account_plan(plan: Plan) -> AccountPlan:
    """Return a plan as the engine's estimates know it; one that is no longer sold has no price."""
    price = PRICES.get(plan.name)
    return AccountPlan(
        name=plan.name,
        daily_units=plan.daily_tokens(1),
        requests=plan.burst,
        window_s=WINDOW_S,
        schema_caps={} if plan.custom_fields is None else {"field": plan.custom_fields},
        record_caps=(RecordCap(("deal", "lead"), plan.deals_per_seat, DEALS_CEILING),),
        price=None if price is None else f"{price} USD",
        price_terms="" if price is None else PRICE_TERMS,
        price_date=None if price is None else PRICE_DATE,
        is_sold=price is not None,
    )


def account_plans() -> tuple[AccountPlan, ...]:
    """Return all plans, those sold today first."""
    return tuple(account_plan(plan) for plan in PLANS.values())
