"""In every simulation the account ends as the exports say: nothing lost, nothing twice, no wrong link.

The longer command runs 10,000 seeds: `nox -s simulate`. What it is and how to replay a seed: docs/simulation.md.
"""

from __future__ import annotations

import pytest

from flitstack.testing.simulation.campaign import explain, run_seeds

EACH = 20


def nothing_fails(port: str, chunk: int) -> None:
    tally = run_seeds(port, range(chunk * EACH, (chunk + 1) * EACH))

    assert tally.all.seeds == EACH
    assert not tally.failures, explain(port, min(tally.failures))


@pytest.mark.parametrize("chunk", range(15))
def test_nothing_is_lost_doubled_or_wrongly_linked_in_memory(memory: str, chunk: int) -> None:
    nothing_fails(memory, chunk)


@pytest.mark.parametrize("chunk", range(11))
def test_nothing_is_lost_doubled_or_wrongly_linked_in_pipedrive(pipedrive: str, chunk: int) -> None:
    nothing_fails(pipedrive, chunk)


@pytest.mark.parametrize("chunk", range(5))
def test_nothing_is_lost_doubled_or_wrongly_linked_in_hubspot(hubspot: str, chunk: int) -> None:
    nothing_fails(hubspot, chunk)
