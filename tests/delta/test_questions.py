"""Exports in which half the practice seems to have left: ids given out anew, a column renamed, a file without rows."""

from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from flitstack.cli import cli
from flitstack_pipedrive.sandbox.app import Sandbox

if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result

NAMES = (("Aldous", "Ann"), ("Bell", "Bo"), ("Cole", "Cy"), ("Dean", "Di"), ("Eames", "Ed"), ("Ford", "Flo"))


class Practice:
    """A practice of six in the neutral layout."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "export").mkdir()

    def write(self, base: int, born: str = "birth_date") -> None:
        """Write an export whose ids begin beyond `base`."""
        with (self.folder / "export/patients.csv").open("w", encoding="utf-8", newline="") as file:
            out = csv.writer(file)
            out.writerow(["id", "last_name", "first_name", "status", born])
            for number, (last, first) in enumerate(NAMES, 1):
                out.writerow([base + number, last, first, "patient", f"198{number}-02-0{number}"])
        with (self.folder / "export/contact_points.csv").open("w", encoding="utf-8", newline="") as file:
            out = csv.writer(file)
            out.writerow(["id", "patient_id", "kind", "value"])
            for number in range(1, len(NAMES) + 1):
                out.writerow([base + number, base + number, "mobile", f"(312) 555-01{number:02}"])

    def run(self, *more: str) -> Result:
        """Run once."""
        account = f"dest.base_url=sandbox:{self.folder}/account.db?plan=ultimate&seats=5"
        sets = ["profile=full", "source.as_of=2026-06-30", "dest.list_lag_s=0", account]
        words = ["run", "--source", "dental", "--dest", "pipedrive", "--input", str(self.folder / "export")]
        words += [part for setting in sets for part in ("--set", setting)]
        return CliRunner().invoke(cli, [*words, "--json", "--journal", str(self.folder / "flit.db"), *more])

    def people(self) -> list[str]:
        """Return the names that the account holds."""
        with Sandbox(f"{self.folder}/account.db", plan="ultimate", seats=5) as sandbox:
            return sorted(doc["name"] for doc in sandbox.account.store.docs("person"))


@pytest.fixture
def practice(tmp_path: Path) -> Practice:
    practice = Practice(tmp_path)
    practice.write(0)
    done = practice.run("--approve-unseen", "Dana")
    assert done.exit_code == 0, done.output
    return practice


def test_the_same_people_under_other_ids_are_noticed_and_can_be_merged(practice: Practice) -> None:
    before = practice.people()
    practice.write(100)

    asked = practice.run()

    assert asked.exit_code == 3
    assert "== delta ==" in asked.stderr
    assert (
        "6 of the 6 new patients look just like ones that vanished (6): the same people under other ids" in asked.stderr
    )
    assert "Aldous" not in asked.stderr
    assert practice.people() == before
    draft = practice.folder / "flit-reports" / "reissued.csv"
    rows = list(csv.reader(draft.read_text(encoding="utf-8").splitlines()))
    decided = practice.folder / "decisions.csv"
    with decided.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([rows[0], *(["merge", *row[1:]] for row in rows[1:])])
    done = practice.run("--approve-unseen", "Dana", "--set", f"decisions={decided}")
    assert done.exit_code == 0, done.output
    assert practice.people() == before


def test_an_export_without_any_patient_is_a_question_and_nobody_vanished(practice: Practice) -> None:
    path = practice.folder / "export/patients.csv"
    path.write_text(path.read_text(encoding="utf-8").splitlines()[0] + "\n", encoding="utf-8")

    refused = practice.run("--approve-unseen", "Dana", "--set", "vanished=delete")

    assert refused.exit_code == 2
    assert "The export holds no patients, and the last one held 6." in refused.stderr
    assert len(practice.people()) == 6


def test_a_renamed_column_is_named_and_empties_nothing(practice: Practice) -> None:
    practice.write(0, born="birthday_of_patient")

    asked = practice.run()

    assert asked.exit_code == 3, asked.output
    assert "patients: empty in every row now: birth_date (6 before)" in asked.stderr
    assert "birthday_of_patient" in asked.stderr
    gates = json.loads(asked.stdout)["gates"]
    assert "delta" in {gate["gate"] for gate in gates}
