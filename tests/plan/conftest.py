"""The plan of the example practice into an embedded account of the smallest plan, where fields fold."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from flitstack.clock import VirtualClock
from flitstack.reports.plan import publish_plan
from flitstack.stages.context import StopFlag
from flitstack.stages.gates.gate import Passing
from flitstack.stages.options import RunOptions
from flitstack.stages.publishing import Publishing
from flitstack.stages.run import run_migration
from flitstack.testing.migration import Words
from flitstack_dental.example import write_example

if TYPE_CHECKING:
    from pathlib import Path

    from flitstack.stages.report import RunReport

NOW = datetime(2026, 7, 1, 8, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Place:
    """An export and an account of its own, in a folder."""

    folder: Path
    plan: str = "ultimate"

    @property
    def journal(self) -> Path:
        return self.folder / "flit.db"

    def options(self, *, plan_only: bool, passing: Passing | None = None) -> RunOptions:
        base = f"dest.base_url=sandbox:{self.folder / 'account.db'}?plan={self.plan}&seats=5"
        return RunOptions(
            "dental", "pipedrive", self.journal, str(self.folder / "export"),
            sets=("profile=full", base, "dest.list_lag_s=0"), passing=passing or Passing(),
            publishing=Publishing(plan=publish_plan), plan_only=plan_only,
        )  # fmt: skip

    def show(self) -> RunReport:
        return asyncio.run(self._walk(self.options(plan_only=True)))

    def run(self, passing: Passing) -> RunReport:
        return asyncio.run(self._walk(self.options(plan_only=False, passing=passing)))

    async def _walk(self, options: RunOptions) -> RunReport:
        return await run_migration(options, Words(), StopFlag(), clock=VirtualClock(NOW))


def place_in(folder: Path, plan: str = "ultimate") -> Place:
    """Return a practice of 30 patients, and an account that has nothing of it."""
    write_example(folder / "export", 30, 3)
    return Place(folder, plan)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A migration that is not begun."""
    return place_in(tmp_path)


@pytest.fixture(scope="module")
def planned(tmp_path_factory: pytest.TempPathFactory) -> RunReport:
    """What is planned on the smallest plan."""
    return place_in(tmp_path_factory.mktemp("planned"), "lite").show()
