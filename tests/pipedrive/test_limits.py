"""No two seconds ever hold more requests than the limit, and no day more than its budget."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flitstack.clock import VirtualClock
from flitstack.errors import BudgetExhausted
from flitstack_pipedrive.limits import (
    BurstLimiter,
    DailyBudget,
    header_number,
    parse_reset,
    says_day_is_over,
    window_wait_s,
)

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
WINDOW_S = 2.0


class RollingServer:
    """Counts arrivals in a rolling window as Pipedrive does, and says so in headers."""

    def __init__(self, clock: VirtualClock, limit: int, others: list[float]) -> None:
        self._clock = clock
        self._limit = limit
        self._others = others
        self.arrivals: list[float] = []
        self.refused = 0

    def arrive(self) -> dict[str, str]:
        now = self._clock.monotonic()
        recent = [at for at in [*self.arrivals, *self._others] if now - WINDOW_S < at <= now]
        if len(recent) >= self._limit:
            self.refused += 1
            return {"x-ratelimit-limit": str(self._limit), "x-ratelimit-remaining": "0"}
        self.arrivals.append(now)
        return {"x-ratelimit-limit": str(self._limit), "x-ratelimit-remaining": str(self._limit - len(recent) - 1)}


def run_load(
    server: RollingServer, limiter: BurstLimiter, clock: VirtualClock, delays: list[tuple[float, float]]
) -> None:
    """Send one request per pair of delays: to the server, and back."""
    gate = asyncio.Semaphore(8)

    async def one(there_s: float, back_s: float) -> None:
        async with gate:
            ticket = await limiter.acquire()
            await clock.sleep(there_s)
            headers = server.arrive()
            await clock.sleep(back_s)
            limiter.release(ticket, headers)

    async def load() -> None:
        await asyncio.gather(*(one(*delay) for delay in delays))

    asyncio.run(load())


SHORTEST_S = 0.13  # one way; both ways together are more than the limiter ever takes off
delays = st.lists(st.tuples(st.floats(SHORTEST_S, 3), st.floats(SHORTEST_S, 3)), min_size=1, max_size=120)


@given(delays=delays, limit=st.integers(1, 40))
def test_no_two_seconds_hold_more_than_the_limit_however_uneven_the_way_is(
    delays: list[tuple[float, float]], limit: int
) -> None:
    clock = VirtualClock(START)
    server = RollingServer(clock, limit, [])

    run_load(server, BurstLimiter(clock, limit), clock, delays)

    assert server.refused == 0
    assert len(server.arrivals) == len(delays)


@given(delays=delays, limit=st.integers(20, 120))
def test_a_higher_limit_is_learned_from_the_headers_and_never_exceeded(
    delays: list[tuple[float, float]], limit: int
) -> None:
    clock = VirtualClock(START)
    server, limiter = RollingServer(clock, limit, []), BurstLimiter(clock, 20)

    run_load(server, limiter, clock, delays)

    assert server.refused == 0
    assert limiter.limit == limit


def test_what_others_sent_with_the_token_is_left_room_for() -> None:
    clock = VirtualClock(START)
    server, limiter = RollingServer(clock, 20, [0.0] * 15), BurstLimiter(clock, 20)

    async def load() -> None:
        for _ in range(50):
            ticket = await limiter.acquire()
            limiter.release(ticket, server.arrive())

    asyncio.run(load())

    assert server.refused == 0


def test_a_full_limit_is_used_not_half_of_it() -> None:
    clock = VirtualClock(START)
    server = RollingServer(clock, 20, [])

    run_load(server, BurstLimiter(clock, 20), clock, [(0.0, 0.0)] * 200)

    assert clock.monotonic() < 25


def test_a_closed_limiter_lets_nothing_leave_until_its_time() -> None:
    clock = VirtualClock(START)
    limiter = BurstLimiter(clock, 20)
    limiter.close_for(7.0)

    asyncio.run(limiter.acquire())

    assert clock.monotonic() == 7.0


@given(text=st.text(max_size=12))
def test_a_header_that_is_no_number_is_no_header(text: str) -> None:
    number = header_number({"x": text}, "x")

    assert number is None or number >= 0


@pytest.mark.parametrize(
    ("headers", "wait_s"),
    [
        ({}, 2.0),
        ({"x-ratelimit-reset": "1"}, 1.0),
        ({"retry-after": "5", "x-ratelimit-reset": "1"}, 5.0),
        ({"x-ratelimit-reset": "1767600000"}, 2.0),
        ({"retry-after": "Wed, 21 Oct 2026 07:28:00 GMT"}, 2.0),
    ],
    ids=["nothing said", "reset", "retry-after counts first", "an epoch is no wait", "a date is no number"],
)
def test_the_wait_after_a_429_is_what_the_answer_says_within_reason(headers: dict[str, str], wait_s: float) -> None:
    assert wait_s <= window_wait_s(headers) < wait_s + 0.1


def test_a_429_without_headers_says_nothing_of_the_day() -> None:
    assert not says_day_is_over({})
    assert not says_day_is_over({"x-ratelimit-remaining": "0"})


@given(costs=st.lists(st.integers(1, 40), max_size=200), total=st.integers(0, 2_000), reserve=st.floats(0, 0.9))
def test_a_day_never_pays_more_than_its_share(costs: list[int], total: int, reserve: float) -> None:
    budget = DailyBudget(VirtualClock(START), total, reserve)
    for cost in costs:
        try:
            budget.pay(cost, counted_write=True)
        except BudgetExhausted as exc:
            assert exc.resets_at == datetime(2026, 3, 3, tzinfo=UTC)  # noqa: PT017 - the time is part of the promise

    assert budget.spent <= total - int(total * reserve)


@pytest.mark.parametrize(("stated", "held"), [(210_000, 1_200), (30_000, 90_000)], ids=["too much", "too little"])
def test_the_reserve_is_a_share_of_the_day_that_the_account_states_not_of_the_plan(stated: int, held: int) -> None:
    budget = DailyBudget(VirtualClock(START), stated, 0.1)
    budget.learn({"x-daily-ratelimit-token-limit": str(held), "x-daily-ratelimit-token-remaining": str(held)})

    budget.pay(held - held // 10, counted_write=False)

    with pytest.raises(BudgetExhausted):
        budget.pay(1, counted_write=False)


def test_a_new_day_has_a_new_budget() -> None:
    clock = VirtualClock(START)
    budget = DailyBudget(clock, 10, 0.0)
    budget.pay(10, counted_write=False)

    clock.advance(timedelta(hours=15).total_seconds())
    budget.pay(10, counted_write=False)

    assert budget.spent == 20


def test_what_the_account_says_is_left_beats_our_own_count() -> None:
    budget = DailyBudget(VirtualClock(START), 1_000, 0.0)
    budget.learn({"x-daily-ratelimit-token-remaining": "3"})

    with pytest.raises(BudgetExhausted):
        budget.pay(5, counted_write=False)


def test_when_no_writes_are_left_reads_still_go() -> None:
    budget = DailyBudget(VirtualClock(START), None, 0.1)
    budget.learn({"x-daily-requests-left": "0"})

    budget.pay(10, counted_write=False)
    with pytest.raises(BudgetExhausted):
        budget.pay(5, counted_write=True)


def test_what_was_refused_is_given_back() -> None:
    budget = DailyBudget(VirtualClock(START), 10, 0.0)
    budget.pay(10, counted_write=False)
    budget.refund(10)

    budget.pay(10, counted_write=False)

    assert budget.spent == 10


@pytest.mark.parametrize(
    ("refused", "answered", "learned"),
    [
        ("04:20", "05:10", "05:00"),
        ("04:40", "05:00", "05:00"),
        ("05:05", "05:40", "05:30"),
        ("05:35", "05:50", "05:45"),
        ("03:30", "05:10", None),
        ("01:00", "09:00", None),
        ("05:01", "05:10", None),
    ],
    ids=["full hour", "to the second", "half hour", "quarter", "two hours possible", "too long ago", "no such time"],
)
def test_the_hour_of_the_reset_is_learned_only_when_there_is_one_it_can_be(
    refused: str, answered: str, learned: str | None
) -> None:
    clock = VirtualClock(datetime.combine(START, time.fromisoformat(refused), UTC))
    budget = DailyBudget(clock, None, 0.1)
    assert budget.refused() is None

    clock.advance((datetime.combine(START, time.fromisoformat(answered), UTC) - clock.now()).total_seconds())
    budget.answered()

    assert budget.learned_reset == (time.fromisoformat(learned) if learned else None)


def test_a_known_hour_of_reset_is_said_and_the_day_turns_with_it() -> None:
    clock = VirtualClock(START)
    budget = DailyBudget(clock, 100, 0.0, resets_at=time(5))
    budget.pay(100, counted_write=False)

    with pytest.raises(BudgetExhausted) as caught:
        budget.pay(1, counted_write=False)
    assert caught.value.resets_at == budget.refused() == datetime(2026, 3, 3, 5, tzinfo=UTC)

    clock.advance(20 * 3600)
    budget.pay(100, counted_write=False)


def test_a_refusal_soon_after_the_known_hour_shows_that_it_is_known_no_longer() -> None:
    budget = DailyBudget(VirtualClock(START), None, 0.1, resets_at=time(8))

    assert budget.refused() is None


def test_a_budget_that_opened_and_was_refused_again_at_once_has_taught_nothing() -> None:
    clock = VirtualClock(START - timedelta(minutes=10))
    budget = DailyBudget(clock, None, 0.1)
    budget.refused()
    clock.advance(1_200)
    budget.answered()
    assert budget.learned_reset == time(9)

    budget.refused()

    assert budget.learned_reset is None


@given(given=st.one_of(st.none(), st.integers(), st.text(max_size=6)))
def test_what_is_no_time_of_day_is_no_hour_of_reset(given: object) -> None:
    found = parse_reset(given)

    assert found is None or f"{found:%H:%M}" == given
