"""What a load takes: requests and units from counts and behaviours, and the days they come to."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flitstack.protocols import AccountPlan, Behaviours, ObjectBehaviour, RecordCap, Spent, Verb
from flitstack.stages.plan.offers import offers
from flitstack.stages.plan.price import Load, Pace, duration, price_load

ALL: frozenset[Verb] = frozenset({"create", "update", "delete"})
COST = {"create": 5, "update": 4, "delete": 3, "list": 10, "get": 1}


def behaviours(schema_reading: Spent | None = None) -> Behaviours:
    """Return two objects and a schema item, each listed by the hundred."""
    objects = {name: ObjectBehaviour(ALL, COST, 100, "name") for name in ("field", "person", "note")}
    return Behaviours(objects, ("field",), schema_reading=schema_reading)


def test_every_write_and_every_page_counts() -> None:
    load = Load(
        {("person", "create"): 250, ("person", "update"): 3, ("note", "delete"): 2}, {"person": 250}, {"person": 250}
    )

    price = price_load(behaviours(), load, Spent(7, 70))

    assert price.objects["person"].writing == Spent(253, 250 * 5 + 3 * 4)
    assert price.objects["person"].listing == Spent(3, 30)
    assert price.objects["note"].listing == Spent(0, 0)
    assert price.requests == 7 + 253 + 3 + 2
    assert price.tokens == 70 + 1262 + 30 + 6
    assert price.minimum == 250 * 5 + 30
    assert price.writes == 255


def test_an_object_with_nothing_to_do_is_left_out() -> None:
    assert list(price_load(behaviours(), Load({}, {}, {"person": 0, "note": 1})).objects) == ["note"]


def test_a_schema_that_is_read_as_a_whole_costs_that_and_not_a_list_of_each() -> None:
    load = Load({("field", "create"): 4}, {"field": 4}, {"field": 4})

    price = price_load(behaviours(Spent(6, 60)), load)

    assert price.tokens == 4 * 5 + 60
    assert price.requests == 4 + 6
    assert price.minimum == 4 * 5 + 10


def test_without_a_schema_item_the_schema_is_not_read() -> None:
    assert price_load(behaviours(Spent(6, 60)), Load({}, {}, {"note": 1})).tokens == 10


@pytest.mark.parametrize(
    ("tokens", "usable", "days"), [(900, 900, 1), (901, 900, 2), (1_800, 900, 2), (1_801, 900, 3), (0, 900, 1)]
)
def test_a_load_takes_a_day_more_for_each_budget_it_uses_up(tokens: int, usable: int, days: int) -> None:
    found = duration(tokens, tokens, Pace(1_000, 0.1, 20, 2.0))

    assert found.days == days
    assert found.day_budgets == tokens / usable


def test_what_was_spent_today_makes_the_first_day_shorter() -> None:
    assert duration(900, 900, Pace(1_000, 0.1, 20, 2.0, spent_today=899)).days == 2
    assert duration(900, 901, Pace(1_000, 0.1, 20, 2.0, spent_today=5_000)).days == 3


def test_the_rate_counts_where_a_day_of_it_spends_less_than_the_budget() -> None:
    found = duration(3 * 86_400, 3 * 86_400, Pace(10_000_000, 0.0, 1, 1.0))

    assert (found.burst_s, found.days) == (3 * 86_400, 3)


def test_what_is_not_known_stays_unknown() -> None:
    found = duration(10, 10, Pace(None, 0.1, None))

    assert (found.burst_s, found.day_budgets, found.days) == (None, None, None)


def test_a_reserve_of_everything_leaves_no_day_to_work_on() -> None:
    found = duration(10, 10, Pace(100, 1.0, 20, 2.0))

    assert (found.day_budgets, found.days) == (math.inf, None)


@given(
    tokens=st.integers(0, 10**8), daily=st.integers(1, 10**6), reserve=st.floats(0, 0.9), spent=st.integers(0, 10**6)
)
def test_the_days_hold_the_load_and_one_less_would_not(tokens: int, daily: int, reserve: float, spent: int) -> None:
    pace = Pace(daily, reserve, None, spent_today=spent)

    days, usable = duration(1, tokens, pace).days, pace.usable

    assert days is not None
    assert usable is not None
    first = max(0, usable - spent)
    assert first + (days - 1) * usable >= tokens
    assert days == 1 or first + (days - 2) * usable < tokens


PLAN = AccountPlan("small", 1_000, 20, 2.0, {"field": 30}, (RecordCap(("deal", "lead"), 100, 250),))


def test_an_offer_says_what_does_not_fit_and_how_many_seats_would_do() -> None:
    held = {"deal": 120, "lead": 31, "field": 31}

    field_room, deals = offers([PLAN], 10, 10, held, seats=1, reserve=0.0)[0].rooms

    assert (field_room.needs, field_room.has, field_room.suffices, field_room.folds) == (31, 30, False, True)
    assert (deals.needs, deals.has, deals.suffices, deals.seats) == (151, 100, False, 2)


def test_past_the_ceiling_no_number_of_seats_helps() -> None:
    deals = offers([PLAN], 10, 10, {"deal": 251}, seats=9, reserve=0.0)[0].rooms[1]

    assert (deals.has, deals.suffices, deals.seats) == (250, False, None)


def test_seats_share_their_tokens_and_the_reserve_stays() -> None:
    offer = offers([PLAN], 4_000, 4_000, {}, seats=2, reserve=0.1)[0]

    assert (offer.duration.days, offer.duration.burst_s) == (3, 400)
    assert offer.as_json()["daily_tokens"] == 2_000


@pytest.mark.parametrize(
    ("price", "is_sold", "words"), [("9 USD", True, "9 USD"), (None, True, "not known"), (None, False, "not sold")]
)
def test_a_price_that_is_not_known_is_not_a_plan_that_is_not_sold(price: str | None, is_sold: bool, words: str) -> None:
    plan = AccountPlan("one", 1_000, 10, 2.0, price=price, is_sold=is_sold)

    (offer,) = offers([plan], 1, 1, {}, seats=1, reserve=0.0)

    assert offer.price == words
    assert (offer.as_json()["price"], offer.as_json()["sold"]) == (price, is_sold)
