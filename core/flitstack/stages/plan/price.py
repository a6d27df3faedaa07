"""Price: what writing and reading back so many records takes of a destination, in requests and budget units.

The one place that turns counts and behaviours into a prediction: a plan's summary and `flit estimate` both ask here.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from flitstack.protocols import Spent

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flitstack.protocols import Behaviours, ObjectBehaviour

NOTHING = Spent(0, 0)
DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class Load:
    """How much is to be done.

    :param operations: (object, verb) to how many operations are planned.
    :param made: per object, desired records that are ours to make, done or not.
    :param held: per object, records of ours that the destination holds once all is written.
    """

    operations: Mapping[tuple[str, str], int]
    made: Mapping[str, int]
    held: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class ObjectPrice:
    """What the records of one object take.

    :param operations: verb to how many.
    :param writing, listing: requests and units of the writes, and of reading all back through lists.
    :param minimum: units of one create per record, and one listing at the largest page.
    """

    operations: Mapping[str, int]
    writing: Spent
    listing: Spent
    minimum: int

    @property
    def requests(self) -> int:
        """Return requests of writing and reading back."""
        return self.writing.requests + self.listing.requests

    @property
    def tokens(self) -> int:
        """Return budget units of writing and reading back."""
        return self.writing.tokens + self.listing.tokens


@dataclass(frozen=True, slots=True)
class LoadPrice:
    """What a load takes.

    :param objects: per object, in the order in which they must exist; those with nothing to do are left out.
    :param opening: what was, or will be, asked before the first write.
    :param schema: what reading back the schema takes beyond the listings counted per object; may be negative.
    """

    objects: Mapping[str, ObjectPrice]
    opening: Spent = NOTHING
    schema: Spent = NOTHING
    writes: int = field(default=0)

    @property
    def requests(self) -> int:
        """Return all requests: opening, writing, reading back."""
        return self.opening.requests + self.schema.requests + sum(one.requests for one in self.objects.values())

    @property
    def tokens(self) -> int:
        """Return all budget units: opening, writing, reading back."""
        return self.opening.tokens + self.schema.tokens + sum(one.tokens for one in self.objects.values())

    @property
    def minimum(self) -> int:
        """Return the least a whole load takes: one create per record and schema item, one listing of each object."""
        return sum(one.minimum for one in self.objects.values())


def price_load(behaviours: Behaviours, load: Load, opening: Spent = NOTHING) -> LoadPrice:
    """Return what a load takes of a destination that behaves so.

    :param opening: what was spent so far, or will be before the first write.
    """
    touched = {object_ for object_, _ in load.operations} | {name for name, held in load.held.items() if held}
    objects = {
        name: _object_price(behaviour, name, load) for name, behaviour in behaviours.objects.items() if name in touched
    }
    writes = sum(load.operations.values())
    return LoadPrice(objects, opening, _schema_extra(behaviours, objects), writes)


def pages(behaviour: ObjectBehaviour, records: int) -> int:
    """Return how many pages a listing of so many records takes at the largest page: one at least."""
    return max(1, math.ceil(records / behaviour.page_size))


def _object_price(behaviour: ObjectBehaviour, name: str, load: Load) -> ObjectPrice:
    operations = {verb: count for (object_, verb), count in load.operations.items() if object_ == name and count}
    made, held = load.made.get(name, 0), load.held.get(name, 0)
    lists = pages(behaviour, held) if held else 0
    listing = Spent(lists, lists * behaviour.cost.get("list", 0))
    requests = {verb: requests_of(behaviour, count) for verb, count in operations.items()}
    units = sum(count * behaviour.cost.get(verb, 0) for verb, count in requests.items())
    return ObjectPrice(
        operations,
        Spent(sum(requests.values()), units),
        listing,
        requests_of(behaviour, made) * behaviour.cost.get("create", 0) + listing.tokens,
    )


def requests_of(behaviour: ObjectBehaviour, operations: int) -> int:
    """Return the fewest requests that carry so many operations of one verb."""
    return math.ceil(operations / behaviour.batch)


def _schema_extra(behaviours: Behaviours, objects: Mapping[str, ObjectPrice]) -> Spent:
    """Return what reading the whole schema once takes, less the listings that are counted per object."""
    counted = [objects[name].listing for name in behaviours.schema_objects if name in objects]
    whole = behaviours.schema_reading
    if whole is None or not counted:
        return NOTHING
    return Spent(whole.requests - sum(c.requests for c in counted), whole.tokens - sum(c.tokens for c in counted))


# --- time -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Pace:
    """What an account allows.

    :param daily_units: budget units a day for the whole account; None when unknown.
    :param reserve: share of them that is left to the account's other integrations.
    :param requests: that may leave in any `window_s` seconds; None when unknown.
    :param spent_today: units that are gone of the first day.
    """

    daily_units: int | None
    reserve: float
    requests: int | None
    window_s: float = 1.0
    spent_today: int = 0

    @property
    def usable(self) -> int | None:
        """Return the units that a day's work may spend, None when unknown."""
        return None if self.daily_units is None else self.daily_units - int(self.daily_units * self.reserve)


@dataclass(frozen=True, slots=True)
class Duration:
    """How long a load takes.

    :param burst_s: seconds at the allowed rate, if no day ended; None when the rate is unknown.
    :param day_budgets: daily budgets that it uses up, less the reserve (2.4: two whole days' and a part of a third).
    :param days: calendar days on which it works, the first one included; None when the daily budget is unknown.
    """

    burst_s: float | None
    day_budgets: float | None
    days: int | None


def duration(requests: int, tokens: int, pace: Pace) -> Duration:
    """Return how long so many requests and units take.

    Of the first day what was spent is gone, of each day the reserve. Where the allowed rate spends a day's budget in
    more than a day, the rate counts.
    """
    burst_s = requests / pace.requests * pace.window_s if pace.requests else None
    usable = pace.usable
    if usable is None:
        return Duration(burst_s, None, None)
    if usable <= 0:
        return Duration(burst_s, math.inf if tokens else 0.0, None)
    later = max(0, tokens - max(0, usable - pace.spent_today))
    by_rate = math.ceil(burst_s / DAY_S) if burst_s else 0
    return Duration(burst_s, tokens / usable, max(1 + math.ceil(later / usable), by_rate))
