"""Terms: an account's plan, seats and reserve, and the pace that they allow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flitstack.stages.plan.price import Pace

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from flitstack.protocols import AccountPlan


@dataclass(frozen=True, slots=True)
class Terms:
    """The account's side of an estimate: its plan, if it is known, seats and reserve."""

    plans: tuple[AccountPlan, ...]
    plan: AccountPlan | None
    seats: int | None
    reserve: float

    def pace(self, daily_units: int | None = None) -> Pace:
        """Return what the account allows.

        :param daily_units: as the account itself states them; None takes the plan's.
        """
        plan = self.plan
        if daily_units is None and plan is not None and self.seats is not None:
            daily_units = plan.daily_units * self.seats
        if plan is None:
            return Pace(daily_units, self.reserve, None)
        return Pace(daily_units, self.reserve, plan.requests, plan.window_s)

    def assumptions(self) -> Iterator[str]:
        """Yield what the account's side stands on, in words."""
        if self.plan is None:
            yield "The account's plan is not stated: its days are not known; the table shows every plan's."
        if self.seats is None:
            yield "Seats are not stated: the plans are reckoned with one seat; with more, the days shrink accordingly."
        yield (
            f"{self.reserve:.0%} of each day's tokens is left to the account's other integrations; the rest of the "
            "first day is taken as unspent, and nothing has to be sent twice."
        )


def terms_of(setup_plans: Sequence[AccountPlan], settings: Mapping[str, Any], facts: Mapping[str, Any]) -> Terms:
    """Return the account's side from its own facts, else from what settings state."""
    name = facts.get("plan") or settings.get("plan")
    seats: Any = facts.get("seats") or settings.get("seats")
    plan = next((one for one in setup_plans if one.name == name), None)
    return Terms(tuple(setup_plans), plan, None if seats is None else int(seats), float(settings.get("reserve", 0.0)))
