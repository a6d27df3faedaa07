"""After a rollback: status, report and one record's life say so."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from flitstack.cli import cli
from flitstack.journal import Conflict, Journal


@pytest.fixture(scope="module")
def undone(demo: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The journal of the demo, rolled back."""
    folder = tmp_path_factory.mktemp("undone") / "flit-demo"
    shutil.copytree(demo.parent, folder)
    path = folder / demo.name
    ended = CliRunner().invoke(
        cli, ["rollback", "--demo", "--journal", str(path), "--approve-unseen", "test", "--json"]
    )
    assert ended.exit_code in (0, 1), ended.output
    return path


def asked(command: str, *args: str, journal: Path) -> dict[str, Any]:
    ended = CliRunner().invoke(cli, [command, *args, "--journal", str(journal), "--json"])
    assert ended.exit_code == 0, ended.output
    found: dict[str, Any] = json.loads(ended.stdout)
    return found


def test_status_says_that_it_was_rolled_back(undone: Path) -> None:
    found = asked("status", journal=undone)

    assert found["state"] == "rolled_back"
    assert found["in_destination"] == 0
    assert found["undone"] > 500


def test_the_report_counts_what_was_taken_back_and_no_longer_says_that_all_was_read_back(undone: Path) -> None:
    found = asked("report", journal=undone)

    assert found["status"] == "rolled_back"
    assert found["verified"] is None
    assert sum(states.get("done", 0) for states in found["undone"].values()) > 500
    assert len(found["approvals"]) >= 4
    assert not any(one["stands"] for one in found["approvals"])
    page = (undone.parent / "flit-reports" / "report.html").read_text("utf-8")
    assert "What was taken back" in page


def test_a_records_life_ends_with_what_took_it_back(undone: Path) -> None:
    life = asked("explain", "patients:P000017", journal=undone)

    (person,) = [one for one in life["made"] if one["object"] == "person"]
    kinds = [event["kind"] for event in person["events"]]
    assert "undo" in kinds
    assert kinds.index("undo") > kinds.index("done")
    assert "receipt" not in kinds
    assert any("delete was done" in event["text"] for event in person["events"])


@pytest.fixture(scope="module")
def purged(demo: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The journal of the demo, its values taken out."""
    folder = tmp_path_factory.mktemp("purged") / "flit-demo"
    shutil.copytree(demo.parent, folder)
    args = ["journal", "purge", "--journal", str(folder / demo.name), "--approve-unseen", "test"]
    ended = CliRunner().invoke(cli, args)
    assert ended.exit_code == 0, ended.output
    return folder / demo.name


def test_once_values_are_purged_the_report_says_so_and_asks_nobody_to_sign_amounts(purged: Path) -> None:
    found = asked("report", journal=purged)

    assert found["purged"]
    assert found["sign"] == []
    assert found["objects"]["person"]["destination"] == 39
    page = Path(found["reports"]["html"]).read_text("utf-8")
    assert "taken out of the journal" in page
    assert "Confidential" not in page


def test_the_page_to_sign_from_before_a_purge_is_left_as_it_is(purged: Path) -> None:
    signed = purged.parent / "flit-reports" / "report.html"
    before = signed.read_bytes(), signed.with_suffix(".json").read_bytes()

    told = CliRunner().invoke(cli, ["report", "--journal", str(purged)])

    assert (signed.read_bytes(), signed.with_suffix(".json").read_bytes()) == before
    assert b"Confidential" in before[0]
    assert f"The report: {signed.with_name('report-after-purge.html')}" in told.stdout
    assert f"The page from before the purge is left as it is: {signed}" in told.stdout


def test_once_values_are_purged_a_life_is_still_told(purged: Path) -> None:
    life = asked("explain", "patients:P000017", "--show-values", journal=purged)

    assert any(event["kind"] == "done" for one in life["made"] for event in one["events"])
    assert "its values were purged" in json.dumps(life)
    assert asked("status", journal=purged)["state"] == "done"


@pytest.fixture(scope="module")
def partly(demo: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The journal of the demo, of which one object was rolled back."""
    folder = tmp_path_factory.mktemp("partly") / "flit-demo"
    shutil.copytree(demo.parent, folder)
    path = folder / demo.name
    words = ["rollback", "--demo", "--journal", str(path), "--object", "note", "--approve-unseen", "test"]
    ended = CliRunner().invoke(cli, words)
    assert ended.exit_code in (0, 1), ended.output
    assert f"head {asked('journal', 'verify', journal=path)['length'] - 1}:" in ended.stdout
    return path


def test_a_part_that_was_taken_back_is_not_called_a_rollback_of_all(partly: Path) -> None:
    found = asked("status", journal=partly)

    assert found["state"] == "rolled_back"
    assert found["words"].startswith(f"A part was taken back, {found['undone']} writes; ")
    assert asked("report", journal=partly)["status"] == "incomplete"


def test_what_stays_in_use_is_no_conflict_of_a_record(partly: Path, tmp_path: Path) -> None:
    path = tmp_path / "flit.db"
    shutil.copy(partly, path)
    before = asked("status", journal=path)
    with Journal(path) as journal:
        journal.conflicts.note(
            [
                Conflict("person", "dental:patients:P1", "", "name", "undo", "r", "2026-07-02", "open"),
                Conflict("field", "schema:field/person/Shade", "", "", "undo", "r", "2026-07-02", "open"),
            ]
        )

    found = asked("status", journal=path)

    assert (found["conflicts"], found["in_use"]) == (before["conflicts"] + 1, before["in_use"] + 1)
    assert (
        CliRunner().invoke(cli, ["status", "--journal", str(path)]).stdout.count("stay, as records that stay use") == 1
    )
