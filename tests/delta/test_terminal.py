"""What an operator sees of a conflict, from the later export to its decision; the picture in the docs is this."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.shell import at_work, shell_in

if TYPE_CHECKING:
    from tests.shell import Shell

IMAGES = Path(__file__).parents[2] / "docs" / "images"
PATIENTS = """\
id,last_name,first_name,status,birth_date
1,Aldous,Ann,patient,1980-02-03
2,Bell,Bo,patient,1981-02-03
3,Cole,Cy,patient,1982-02-03
"""
PHONES = """\
id,patient_id,kind,value
1,1,mobile,(312) 555-0101
2,2,mobile,(312) 555-0102
3,3,mobile,(312) 555-0103
"""
HIDDEN = "--set source.as_of=2026-06-30 --set dest.list_lag_s=0 --set profile=full"


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """A journal that moved three patients; somebody corrected the phone of one of them since."""
    files = {"friday/patients.csv": PATIENTS, "friday/contact_points.csv": PHONES}
    shell = shell_in(tmp_path, monkeypatch, files)
    first = "run --source dental --dest pipedrive --input friday --approve-unseen Dana --json"
    done = shell.flit(first, HIDDEN)
    assert done.exit_code == 0, done.output
    shell.shown.clear()
    with at_work() as (hand, people):
        hand.edit("person", people["Bo Bell"], {"phones": [{"value": "(312) 555-0199", "primary": True}]})
    shutil.copytree("friday", "monday")
    text = PHONES.replace("555-0102", "555-0177").replace("555-0103", "555-0178")
    Path("monday/contact_points.csv").write_text(text, encoding="utf-8")
    return shell


def test_a_conflict_from_the_later_export_to_its_decision(shell: Shell) -> None:
    run = "run --source dental --dest pipedrive --input monday --approve-unseen Dana"

    met = shell.flit(run, HIDDEN)
    listed = shell.flit("conflicts")
    exported = shell.flit("conflicts --export decisions.csv")
    file = Path("decisions.csv")
    file.write_text(
        file.read_text(encoding="utf-8").replace("\n,patients:2", "\noverwrite,patients:2"), encoding="utf-8"
    )
    decided = shell.flit(f"{run} --set decisions=decisions.csv", HIDDEN)
    after = shell.flit("conflicts --all")

    assert (met.exit_code, listed.exit_code, exported.exit_code) == (1, 1, 1), met.output
    assert "Done, but for conflicts." in met.output
    assert "patients:2  person.phones  open" in listed.output
    assert decided.exit_code == 0, decided.output
    assert after.exit_code == 0
    assert "overwritten" in after.output
    assert all("555-" not in output for _, output in shell.shown)
    shell.keep("delta-conflict", "A later export")
    assert (IMAGES / "delta-conflict.svg").exists()
