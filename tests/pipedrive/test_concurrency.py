"""As many requests are under way as are of use: found, not configured."""

from __future__ import annotations

import asyncio
from random import Random

import pytest
from tests.pipedrive.rolling import LoopClock, run_virtually

from flitstack_pipedrive.limits import Gate


async def settle(latency_s: float, work_s: float, requests: int = 6_000, workers: int = 128) -> tuple[float, int]:
    """Send through a gate to a server that works on one request at a time; return requests per second, and the limit.

    :param latency_s: mean time on the way; single requests take up to three fifths more or less.
    :param work_s: what the server needs for each, one after the other.
    """
    clock, random, turn = LoopClock(), Random(3), asyncio.Lock()  # noqa: S311 - a simulation
    gate = Gate(clock)
    under_way = 0
    left = iter(range(requests))

    async def work() -> None:
        nonlocal under_way
        for _ in left:
            await gate.enter()
            began, under_way = clock.monotonic(), under_way + 1
            seen = under_way
            await asyncio.sleep(random.uniform(0.4 * latency_s, 1.6 * latency_s))
            async with turn:
                await asyncio.sleep(work_s)
            under_way -= 1
            gate.leave()
            gate.answered(clock.monotonic() - began, seen)

    await asyncio.gather(*(work() for _ in range(workers)))
    return requests / clock.monotonic(), gate.limit


def test_over_a_long_way_enough_are_under_way_to_keep_the_server_busy() -> None:
    rate, _ = run_virtually(settle(0.05, 0.001))

    assert rate >= 850


def test_without_a_way_few_are_under_way_and_the_server_is_as_busy() -> None:
    rate, limit = run_virtually(settle(0.0, 0.001))

    assert rate >= 990
    assert limit <= 48


def test_a_way_of_random_length_alone_does_not_hold_requests_back() -> None:
    _, limit = run_virtually(settle(0.1, 0.0))

    assert limit >= 48


def test_a_server_that_fails_gets_fewer_at_once_and_one_bad_moment_counts_once() -> None:
    gate = Gate(LoopClockStub())

    for _ in range(10):
        gate.failed()

    assert gate.limit == 12


def test_places_are_given_in_the_order_of_asking_and_a_cancelled_one_is_not_lost() -> None:
    async def scenario() -> list[int]:
        gate, came = Gate(LoopClock(), start=1), []

        async def ask(number: int) -> None:
            await gate.enter()
            came.append(number)
            gate.leave()

        await gate.enter()
        asking = [asyncio.ensure_future(ask(number)) for number in range(4)]
        await asyncio.sleep(1)
        asking[1].cancel()
        gate.leave()
        await asyncio.gather(*asking, return_exceptions=True)
        return came

    assert run_virtually(scenario()) == [0, 2, 3]


class LoopClockStub(LoopClock):
    """A clock outside of any loop."""

    def monotonic(self) -> float:
        return 0.0


@pytest.mark.parametrize("most", [1, 5])
def test_it_never_lets_more_through_than_it_may(most: int) -> None:
    assert Gate(LoopClockStub(), most=most).limit == most
