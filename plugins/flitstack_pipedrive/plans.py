"""What each Pipedrive plan allows: tokens a day, requests in two seconds, custom fields.

Sources: Pipedrive API, "Rate limiting"; Pipedrive knowledge base, "Usage limits".
"""

from __future__ import annotations

from dataclasses import dataclass

TOKENS_PER_SEAT = 30_000
WINDOW_S = 2.0
SMALLEST_BURST = 20
DEFAULT_RESERVE = 0.1


@dataclass(frozen=True, slots=True)
class Plan:
    """One plan as sold; an older plan's burst is the smallest it may be, the answers' headers teach the rest.

    :param multiplier: of the 30,000 tokens a day and seat.
    :param burst: requests in any two seconds with one API token.
    :param custom_fields: of all entities together; None when the plan has no cap.
    """

    name: str
    multiplier: int
    burst: int
    custom_fields: int | None

    def daily_tokens(self, seats: int) -> int:
        """Return the company's tokens for one day."""
        return TOKENS_PER_SEAT * self.multiplier * seats


PLANS = {
    plan.name: plan
    for plan in (
        Plan("lite", 1, 20, 30),
        Plan("growth", 2, 40, 100),
        Plan("premium", 5, 100, 300),
        Plan("ultimate", 7, 120, 500),
        Plan("essential", 1, 20, 30),
        Plan("advanced", 2, 40, 100),
        Plan("professional", 3, 40, 300),
        Plan("power", 5, 100, 300),
        Plan("enterprise", 7, 120, None),
    )
}
