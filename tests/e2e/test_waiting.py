"""A practice whose load is worth several days of an account's budget, carried through unattended by `--wait`."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from flitstack.clock import VirtualClock
from flitstack.errors import BudgetExhausted
from flitstack.stages.context import StopFlag
from flitstack.stages.gates.gate import Passing
from flitstack.stages.options import RunOptions
from flitstack.stages.run import run_migration
from flitstack.testing.migration import Words
from flitstack_dental.example import write_example

if TYPE_CHECKING:
    from pathlib import Path

    from flitstack.stages.report import RunReport

START = datetime(2026, 7, 1, 8, tzinfo=UTC)


class Load:
    """The example practice into an embedded account of the smallest plan, a tenth of which it may use: 3,000 a day."""

    def __init__(self, folder: Path, patients: int) -> None:
        self.clock = VirtualClock(START)
        self.words = Words()
        self._folder = folder
        write_example(folder / "export", patients=patients, seed=1)

    def run(self, *, wait: bool) -> RunReport:
        options = RunOptions(
            "dental",
            "pipedrive",
            self._folder / "flit.db",
            str(self._folder / "export"),
            None,
            ("profile=full", "dest.reserve=0.9", f"dest.base_url=sandbox:{self._folder}/account?plan=lite&seats=1"),
            Passing(unseen="test"),
            wait=wait,
        )
        return asyncio.run(run_migration(options, self.words, StopFlag(), clock=self.clock))


@pytest.fixture(scope="module")
def waited(tmp_path_factory: pytest.TempPathFactory) -> tuple[Load, RunReport]:
    load = Load(tmp_path_factory.mktemp("waits"), 100)
    return load, load.run(wait=True)


def test_a_load_of_five_days_ends_complete_without_anybody(waited: tuple[Load, RunReport]) -> None:
    load, report = waited

    assert report.exit_code in (0, 1)  # 1: what the example plants cannot move
    assert report.verification is not None
    assert report.verification.mismatched == 0
    assert all(counts["pending"] == counts["in_doubt"] == 0 for counts in report.streams.values())
    assert load.clock.now().day - START.day + 1 == 5
    assert report.tokens.spent <= 1.02 * report.tokens.minimum


def test_it_says_until_when_it_waits_and_when_it_goes_on(waited: tuple[Load, RunReport]) -> None:
    said = waited[0].words.said

    assert sum("used up" in line for line in said) == sum("carrying on" in line for line in said) >= 4


def test_without_waiting_it_stops_and_the_next_day_carries_on(tmp_path: Path) -> None:
    load = Load(tmp_path, 40)
    began = 0

    while True:
        try:
            report = load.run(wait=False)
            break
        except BudgetExhausted as stopped:
            began += 1
            assert stopped.resets_at is not None  # noqa: PT017 - it happens several times
            load.clock.advance((stopped.resets_at - load.clock.now()).total_seconds() + 60)

    assert began >= 1
    assert report.verification is not None
    assert report.verification.mismatched == 0
