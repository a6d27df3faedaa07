"""The burst limit is used nearly whole, alone and beside another client, over a way of random length."""

from __future__ import annotations

import pytest
from tests.pipedrive.rolling import load, run_virtually

SEEDS = range(3)


@pytest.mark.parametrize("limit", [20, 40, 100, 480])
def test_two_thousand_writes_use_the_allowed_rate_and_are_never_refused(limit: int) -> None:
    least = 0.95 if limit == 20 else 0.98

    uses = [run_virtually(load(limit, seed)) for seed in SEEDS]

    assert [use.refused for use in uses] == [0] * len(SEEDS)
    assert min(use.share for use in uses) >= least, uses


@pytest.mark.parametrize("limit", [40, 100, 480])
def test_beside_another_client_refusals_stay_rare_and_the_rest_is_used(limit: int) -> None:
    # How much of the rest can be used depends on the limit: tests/benchmarks/limits/README.md says why.
    least = {40: 0.70, 100: 0.80, 480: 0.95}[limit]

    uses = [run_virtually(load(limit, seed, "uneven")) for seed in SEEDS]

    assert sum(use.refused for use in uses) <= 2 * len(SEEDS)
    assert sum(use.in_a_row for use in uses) == 0
    assert min(use.share for use in uses) >= least, uses


def test_the_same_seed_gives_the_same_load() -> None:
    assert run_virtually(load(40, 7, "poisson", writes=300)) == run_virtually(load(40, 7, "poisson", writes=300))
