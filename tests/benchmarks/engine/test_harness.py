"""The benchmark's own logic: the server counts rightly, every tool sends the same, and the tables add up."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import httpx
import pytest
from tests.benchmarks.engine.compare import summary
from tests.benchmarks.engine.harness import Measured, tokens
from tests.benchmarks.engine.loads.bare_load import load as bare
from tests.benchmarks.engine.loads.flit_load import load as flit
from tests.benchmarks.engine.people import bodies
from tests.benchmarks.engine.server import Account, Faults, listen

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

COUNT = 30


def served(account: Account, job: Callable[[str], Awaitable[object]]) -> None:
    """Serve the account while the job runs."""

    async def run() -> None:
        server, url = await listen(account)
        try:
            await job(url)
        finally:
            server.close()

    asyncio.run(run())


def flit_once(account: Account, journal: Path) -> None:
    served(account, lambda url: flit(url, COUNT, journal, 0.02))


def test_flit_and_the_bare_loop_send_the_same_bodies(tmp_path: Path) -> None:
    by_flit, by_loop = Account(), Account()

    flit_once(by_flit, tmp_path / "flit.db")
    served(by_loop, lambda url: bare(url, COUNT, 2, 2))

    assert by_flit.report()["keys"] == by_loop.report()["keys"] == COUNT
    assert by_flit.report()["bodies"] == by_loop.report()["bodies"]


@pytest.mark.parametrize("faults", [Faults(drop=frozenset({3, 17})), Faults(fail=frozenset({3, 17}))])
def test_faults_after_the_commit_leave_flit_without_duplicates_and_losses(tmp_path: Path, faults: Faults) -> None:
    account = Account(faults=faults)

    flit_once(account, tmp_path / "flit.db")

    assert (account.report()["creates"], account.report()["keys"]) == (COUNT, COUNT)


def test_the_server_counts_what_came_twice() -> None:
    account = Account()
    first, second = (json.dumps(body).encode() for body in bodies(2))

    for raw in (first, second, first):
        account.create(raw)

    assert (account.report()["creates"], account.report()["keys"], account.report()["duplicates"]) == (3, 2, 1)


def test_a_stalled_server_commits_nothing_more() -> None:
    account = Account(faults=Faults(stall_after=2))

    async def post(url: str) -> None:
        async with httpx.AsyncClient(timeout=0.2) as client:
            for body in bodies(4):
                try:
                    await client.post(f"{url}/api/v2/persons", json=body)
                except httpx.ReadTimeout:
                    continue

    served(account, post)

    assert account.report()["creates"] == 2


def test_tokens_are_those_of_the_specification() -> None:
    asked = {"POST /api/v2/persons": 100, "GET /api/v2/persons": 1, "GET /api/v2/persons/7": 2}

    assert tokens({"requests": asked}) == 100 * 5 + 10 + 2 * 1


def test_ratios_are_taken_round_by_round() -> None:
    def rated(*rates: float) -> list[Measured]:
        return [Measured(rate, rate, 1.0, 1.0, {"workers": 4}, {}) for rate in rates]

    lines = summary({"flit": rated(100, 300, 200), "dlt": rated(50, 100, 200)}).splitlines()

    assert lines[2].split()[:4] == ["dlt", "100", "50-200", "100"]
    assert "2.00 x" in lines[2]
    assert lines[2].endswith("workers 4")
