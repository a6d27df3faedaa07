"""`flit sample` as a person calls it."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

FLIT = (sys.executable, "-m", "flitstack", "sample", "--source", "dental", "--dest", "pipedrive")


def test_the_demo_takes_a_sample_and_names_its_report(tmp_path: Path) -> None:
    done = subprocess.run(
        [*FLIT, "--demo", "-n", "10", "--json"], cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False
    )

    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["sample"]["size"] == 10
    assert told["sample"]["open_links"] == 0
    assert told["diff"]["equal"] == told["diff"]["compared"] > 0
    assert told["flags"] == []
    assert (tmp_path / told["report"]).exists()


def test_an_export_of_its_own_and_the_demo_exclude_each_other(tmp_path: Path) -> None:
    done = subprocess.run(
        [*FLIT, "--demo", "--input", "x"], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )

    assert done.returncode == 2
    assert "--demo brings its own export" in done.stderr
