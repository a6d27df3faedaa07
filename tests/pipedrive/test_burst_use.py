"""The burst limit is used nearly whole, alone and beside another client, over a way of random length."""

from __future__ import annotations

from statistics import median

import pytest
from tests.pipedrive.rolling import NEAR_S, load, run_virtually

SEEDS = range(3)
MORE_SEEDS = range(5)


@pytest.mark.parametrize("limit", [20, 40, 100, 480])
def test_two_thousand_writes_use_the_allowed_rate_and_are_never_refused(limit: int) -> None:
    least = 0.95 if limit == 20 else 0.98

    uses = [run_virtually(load(limit, seed)) for seed in SEEDS]

    assert [use.refused for use in uses] == [0] * len(SEEDS)
    assert min(use.share for use in uses) >= least, uses


@pytest.mark.parametrize("others", ["poisson", "uneven"])
@pytest.mark.parametrize("limit", [40, 100, 120, 480])
def test_beside_another_client_on_a_short_way_ninety_five_percent_of_the_rest_are_used_but_at_small_limits(
    limit: int, others: str
) -> None:
    """With 1 to 5 ms each way. At 40 ours comes to 0.93, though a sender that knew all there is to know would to 0.99:

    what is missing is when exactly each of our own arrived (`tests/benchmarks/limits/bound.py`).
    """
    least = {40: 0.90}.get(limit, 0.95)

    uses = [run_virtually(load(limit, seed, others, way_s=NEAR_S)) for seed in MORE_SEEDS]

    assert sum(use.refused for use in uses) <= 2 * len(MORE_SEEDS)
    assert sum(use.in_a_row for use in uses) == 0
    assert median(use.share for use in uses) >= least, uses


@pytest.mark.parametrize("limit", [40, 100, 480])
def test_beside_another_client_on_a_long_way_refusals_stay_rare_and_less_of_the_rest_is_used(limit: int) -> None:
    """With 20 to 80 ms each way, what it sends unseen must be kept free: `tests/benchmarks/limits/bound.py`.

    Even a sender that knows all there is to know comes to 0.91 at 40, 0.96 at 100 and 0.99 at 480.
    """
    least = {40: 0.75, 100: 0.83, 480: 0.92}[limit]

    uses = [run_virtually(load(limit, seed, "uneven")) for seed in SEEDS]

    assert sum(use.refused for use in uses) <= 2 * len(SEEDS)
    assert sum(use.in_a_row for use in uses) == 0
    assert median(use.share for use in uses) >= least, uses


def test_the_same_seed_gives_the_same_load() -> None:
    assert run_virtually(load(40, 7, "poisson", writes=300)) == run_virtually(load(40, 7, "poisson", writes=300))
