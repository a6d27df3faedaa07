"""Offers: what each plan of a destination makes of a load: days, room, and its list price."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flitstack.stages.plan.price import Duration, Pace, duration

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flitstack.protocols import JSON, AccountPlan


@dataclass(frozen=True, slots=True)
class Room:
    """A cap of a plan beside what the load needs of it.

    :param of: the objects that share it.
    :param has: what the account may hold; what it holds already is not counted off.
    :param seats: how many seats would suffice; None when no number of seats helps, or the cap does not grow with them.
    :param folds: what does not fit is folded into another field instead of refused.
    """

    of: tuple[str, ...]
    needs: int
    has: int
    seats: int | None = None
    folds: bool = False

    @property
    def suffices(self) -> bool:
        """Return whether the load fits."""
        return self.needs <= self.has


@dataclass(frozen=True, slots=True)
class PlanOffer:
    """One plan for a load.

    :param seats: that were reckoned with.
    """

    plan: AccountPlan
    seats: int
    duration: Duration
    rooms: tuple[Room, ...]

    @property
    def price(self) -> str:
        """Return what it costs, in words."""
        return (self.plan.price or "not known") if self.plan.is_sold else "not sold"

    def as_json(self) -> dict[str, JSON]:
        """Return what `--json` prints of it."""
        return {
            "plan": self.plan.name,
            "seats": self.seats,
            "daily_tokens": self.plan.daily_units * self.seats,
            "burst_seconds": None if self.duration.burst_s is None else round(self.duration.burst_s),
            "daily_budgets": None if self.duration.day_budgets is None else round(self.duration.day_budgets, 2),
            "days": self.duration.days,
            "room": [
                {"objects": list(r.of), "needs": r.needs, "has": r.has, "suffices": r.suffices, "seats": r.seats,
                 "folds": r.folds}
                for r in self.rooms
            ],
            "price": self.plan.price,
            "sold": self.plan.is_sold,
            "price_terms": self.plan.price_terms,
            "price_date": self.plan.price_date,
        }  # fmt: skip


def offers(
    plans: Sequence[AccountPlan], requests: int, tokens: int, held: Mapping[str, int], *, seats: int, reserve: float
) -> tuple[PlanOffer, ...]:
    """Return every plan's offer for a load, in the plans' order.

    :param held: per object, records and schema items that the account holds of ours in the end.
    """
    return tuple(
        PlanOffer(
            plan, seats, duration(requests, tokens, pace_of(plan, seats, reserve)), tuple(_rooms(plan, seats, held))
        )
        for plan in plans
    )


def pace_of(plan: AccountPlan, seats: int, reserve: float) -> Pace:
    """Return what an account on a plan with so many seats allows."""
    return Pace(plan.daily_units * seats, reserve, plan.requests, plan.window_s)


def _rooms(plan: AccountPlan, seats: int, held: Mapping[str, int]) -> list[Room]:
    rooms = [Room((name,), held.get(name, 0), cap, folds=True) for name, cap in plan.schema_caps.items()]
    for cap in plan.record_caps:
        needs = sum(held.get(name, 0) for name in cap.objects)
        enough = math.ceil(needs / cap.per_seat)
        reachable = cap.at_most is None or needs <= cap.at_most
        rooms.append(Room(cap.objects, needs, cap.room(seats), max(enough, 1) if reachable else None))
    return rooms
