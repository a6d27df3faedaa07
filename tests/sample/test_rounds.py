"""How often somebody is asked when a sample comes first: what is approved holds for the run that follows, and moves."""

from __future__ import annotations

import asyncio
import shutil
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from flitstack.clock import VirtualClock
from flitstack.errors import ApprovalNeeded
from flitstack.mapping import find_template
from flitstack.reports.audit import publish_audit
from flitstack.reports.plan import publish_plan
from flitstack.reports.sample import publish_sample
from flitstack.stages.context import StopFlag
from flitstack.stages.gates.gate import Passing
from flitstack.stages.options import RunOptions, SampleOptions
from flitstack.stages.publishing import Publishing
from flitstack.stages.run import run_migration
from flitstack.testing.migration import Words

if TYPE_CHECKING:
    from pathlib import Path

    from flitstack.stages.report import RunReport

ADMIN = "alex.admin@practice.example"
REPORTS = Publishing(publish_audit, publish_plan, publish_sample)


def walk(folder: Path, practice: Path) -> RunReport:
    """Run once more with a sample of ten, approving what an earlier run has shown."""
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
        Passing(approve=ADMIN, attestation="BAA 7 of 2026-05-04"), sample=SampleOptions(10), publishing=REPORTS,
    )  # fmt: skip
    clock = VirtualClock(datetime(2026, 7, 1, 8, tzinfo=UTC))
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


def test_approvals_hold_when_journal_and_reports_move_to_another_folder(practice: Path, tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there, since"
    here.mkdir()
    stopped(here, practice)
    shown = stopped(here, practice)
    shutil.move(here, there)
    export = shutil.copytree(practice, tmp_path / "the export, too")

    assert walk(there, export).exit_code == 0
    assert f"{here / 'flit-reports'}" in str(shown)
