"""Real processes: killed in the middle, left without disk, and started again with the same command."""

from __future__ import annotations

import importlib.util
import random
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from flitstack.journal import Journal

if TYPE_CHECKING:
    from flitstack.testing.migration import Migration

SCRIPT = Path(__file__).with_name("process.py")


def started(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, str(SCRIPT), str(folder), *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def run(folder: Path, *arguments: str) -> tuple[int, str]:
    """Run to the end; return exit code and what was said on stderr."""
    process = started(folder, *arguments)
    _, said = process.communicate(timeout=120)
    return process.returncode, said


def migration_in(folder: Path) -> Migration:
    spec = importlib.util.spec_from_file_location("process", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found: Migration = module.migration_in(folder)
    return found


@pytest.fixture(scope="module")
def wanted(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[str, str, str, str]]:
    """Return the account's picture after a run that nothing disturbed."""
    folder = tmp_path_factory.mktemp("calm")
    assert run(folder) == (0, "")
    return migration_in(folder).account.picture()


def test_a_process_killed_again_and_again_leaves_no_gap_and_no_double(
    tmp_path: Path, wanted: list[tuple[str, str, str, str]]
) -> None:
    chance = random.Random(20260701)  # noqa: S311 - no secret hangs on it
    for _ in range(8):
        process = started(tmp_path)
        assert process.stdout is not None
        for _ in range(chance.randint(1, 12)):
            process.stdout.readline()
        process.kill()
        process.communicate()

    assert run(tmp_path) == (0, "")

    assert migration_in(tmp_path).account.picture() == wanted
    with Journal.existing(tmp_path / "flit.db") as journal:
        assert journal.audit.broken_at() is None


@pytest.mark.parametrize("room", [0, 30_000, 120_000, 200_000, 260_000, 330_000, 420_000])
def test_a_full_disk_stops_the_run_and_the_same_command_carries_on_when_there_is_room(
    tmp_path: Path, wanted: list[tuple[str, str, str, str]], room: int
) -> None:
    code, said = run(tmp_path, str(room))

    assert code == 5
    assert said.startswith("JournalError: ")
    assert "flit.db" in said
    assert "Free some space" in said or "cannot be written" in said
    assert run(tmp_path) == (0, "")
    assert migration_in(tmp_path).account.picture() == wanted
