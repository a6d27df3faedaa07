"""On the wire: a small practice moved as a whole by `flit run`, and moved again to no effect."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from click.testing import CliRunner
from tests.cassettes.calm_plugin import CLOCK, NAME
from tests.cassettes.taping import FOLDER, START

from flitstack.cli import cli
from flitstack.clock import NOW_VARIABLE

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.cassettes.taping import Tape

EXPORT = Path(__file__).with_name("export")
PATIENTS = 5
SECRET_COLUMNS = ("ssn", "drivers_license", "portal_password")


def secrets_of_the_export() -> set[str]:
    """Return the values that a source must drop while it reads."""
    with (EXPORT / "patients.csv").open(encoding="utf-8", newline="") as file:
        found = {row[column] for row in csv.DictReader(file) for column in SECRET_COLUMNS}
    return {value for value in found if value}


def writes(report: dict[str, Any]) -> int:
    """Return how many records and schema items a run wrote."""
    return sum(counts[verb] for counts in report["objects"].values() for verb in ("created", "updated", "deleted"))


@pytest.fixture
def flit(
    tape: Tape, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, install: Callable[..., None]
) -> Callable[[], dict[str, Any]]:
    """Return what runs the migration and gives back its report."""
    install("flitstack-calm", {"calm": "tests.cassettes.calm_plugin"})
    CLOCK.set(tape.clock)
    settings = tape.settings()
    for name in ("base_url", "api_token", "plan", "seats"):
        monkeypatch.setenv(f"PIPEDRIVE_{name.upper()}", str(settings[name]))
    monkeypatch.setenv(NOW_VARIABLE, START.isoformat())
    command = ["run", "--source", "dental", "--dest", NAME, "--input", str(EXPORT), "--json"]
    command += ["--journal", str(tmp_path / "flit.db"), "--set", "profile=full", "--approve-unseen", "a test"]

    def run() -> dict[str, Any]:
        result = CliRunner().invoke(cli, command)
        assert result.stdout, result.stderr
        report: dict[str, Any] = json.loads(result.stdout)
        assert "error" not in report, report
        return report

    return run


@pytest.mark.cassette("run")
def test_a_small_practice_is_moved_verified_and_not_moved_twice(flit: Callable[[], dict[str, Any]]) -> None:
    first, second = flit(), flit()

    for report in (first, second):
        assert report["verified"]["mismatched"] == report["verified"]["drifted"] == 0
        for buckets in report["streams"].values():
            assert buckets["read"] == sum(count for name, count in buckets.items() if name != "read")
    assert first["streams"]["patients"]["created"] == PATIENTS
    assert writes(first) > 100
    assert writes(second) == 0
    assert second["verified"]["checked"] == first["verified"]["checked"]


def test_no_secret_of_the_export_is_on_the_cassette() -> None:
    text = (FOLDER / "run.yaml").read_text("ascii")

    secrets = secrets_of_the_export()

    assert secrets
    assert [number for number, value in enumerate(sorted(secrets)) if value in text] == []


def test_the_run_was_recorded_in_the_order_of_its_plan() -> None:
    asked = [
        one["request"]
        for one in yaml.safe_load((FOLDER / "run.yaml").read_text("ascii"))["interactions"]
        if one["request"]["method"] == "POST" and one["request"]["uri"].endswith("/organizations")
    ]

    keys = [found for request in asked for found in re.findall(r"dental:referral_sources:\w+", request["body"])]

    # Any other order would come from requests side by side, and give the records other ids at every recording.
    assert len(keys) > 5
    assert keys == sorted(keys)
