"""How often somebody is asked when a sample comes first: what is approved holds for the run that follows, and moves."""

from __future__ import annotations

import asyncio
import re
import shutil
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from flitstack.clock import VirtualClock
from flitstack.errors import ApprovalNeeded
from flitstack.journal import Journal
from flitstack.mapping import find_template
from flitstack.reports.audit import publish_audit
from flitstack.reports.plan import publish_plan
from flitstack.reports.sample import publish_sample
from flitstack.stages.context import StopFlag
from flitstack.stages.gates.gate import Passing
from flitstack.stages.gates.passing import approve_shown
from flitstack.stages.options import RunOptions, SampleOptions
from flitstack.stages.publishing import Publishing
from flitstack.stages.run import run_migration
from flitstack.testing.migration import Words
from flitstack_dental.example import write_example

if TYPE_CHECKING:
    from pathlib import Path

    from flitstack.stages.report import RunReport

ADMIN = "alex.admin@practice.example"
TEN = SampleOptions(10)
REPORTS = Publishing(publish_audit, publish_plan, publish_sample)


@pytest.fixture(scope="module")
def practice(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A practice of which ten are a part, and no larger: each test goes several times through all of it."""
    folder = tmp_path_factory.mktemp("practice") / "export"
    write_example(folder, 20, seed=3)
    return folder


def walk(
    folder: Path,
    practice: Path,
    *,
    sample: SampleOptions | None = TEN,
    approve: str | None = ADMIN,
    at: int = 8,
) -> RunReport:
    """Run once more, with a sample of ten first, approving what an earlier run has shown."""
    template = folder / "dental-to-pipedrive.yaml.j2"
    if not template.exists():
        template.write_bytes(find_template("dental-to-pipedrive").read_bytes())
    settings = (
        f"dest.base_url=sandbox:{folder / 'account.db'}?plan=ultimate&seats=5",
        "dest.list_lag_s=0",
        "profile=full",
    )
    options = RunOptions(
        "dental", "pipedrive", folder / "flit.db", str(practice), str(template), settings,
        Passing(approve=approve, attestation="BAA 7 of 2026-05-04"), sample=sample, publishing=REPORTS,
    )  # fmt: skip
    clock = VirtualClock(datetime(2026, 7, 1, at, tzinfo=UTC))
    return asyncio.run(run_migration(options, Words(), StopFlag(), clock=clock))


def stopped(folder: Path, practice: Path) -> ApprovalNeeded:
    with pytest.raises(ApprovalNeeded) as stop:
        walk(folder, practice)
    return stop.value


def test_after_a_sample_its_gate_and_the_last_are_asked_for_once_and_no_other_again(
    practice: Path, tmp_path: Path
) -> None:
    before = stopped(tmp_path, practice)
    after = stopped(tmp_path, practice)

    report = walk(tmp_path, practice)

    assert [name for name, _ in before.gates] == ["profile", "map", "schema"]
    assert [name for name, _ in after.gates] == ["sample", "full"]
    assert report.exit_code == 0
    assert walk(tmp_path, practice).exit_code == 0


def test_a_full_run_that_was_approved_and_then_sampled_says_why_it_asks_again(practice: Path, tmp_path: Path) -> None:
    with pytest.raises(ApprovalNeeded) as shown:
        walk(tmp_path, practice, sample=None)
    with Journal(tmp_path / "flit.db") as journal:
        for gate, _ in shown.value.gates:
            attest = "BAA 7" if gate == "profile" else None
            approve_shown(journal, gate, ADMIN, "2026-07-01T08:30:00.000+00:00", attest)
    walk(tmp_path, practice, sample=SampleOptions(10, alone=True), at=9)

    with pytest.raises(ApprovalNeeded) as again:
        walk(tmp_path, practice, sample=None, approve=None, at=10)

    assert [name for name, _ in again.value.gates] == ["sample", "full"]
    full = str(again.value).partition("== full ==\n")[2].splitlines()
    assert full[0] == f"Approved by {ADMIN} on 2026-07-01 08:30 UTC; since then:"
    assert re.fullmatch(
        r"  a sample was migrated on 2026-07-01 09:0\d UTC: its \d+ records are there, and are no longer to be written",
        full[1],
    )
    assert "operations > person > create" in "\n".join(full)


def test_approvals_hold_when_journal_and_reports_move_to_another_folder(practice: Path, tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there, since"
    here.mkdir()
    stopped(here, practice)
    shown = stopped(here, practice)
    shutil.move(here, there)
    export = shutil.copytree(practice, tmp_path / "the export, too")

    assert walk(there, export).exit_code == 0
    assert f"{here / 'flit-reports'}" in str(shown)
