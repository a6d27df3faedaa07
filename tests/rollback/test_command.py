"""`flit rollback` as its user sees it, against the embedded account; and its recording for the docs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.shell import at_work, shell_in

if TYPE_CHECKING:
    from tests.shell import Shell

TEMPLATE = """\
template: people
source: dental
destination: pipedrive
variables: {type: object, additionalProperties: false, properties: {}}
---
spec: 1
template: people
schema:
  - {object: field, of: person, name: Source_System_ID__c, type: varchar, key: true, priority: 0}
  - {object: field, of: person, name: Date_Of_Birth__c, type: date, priority: 1}
entries:
  - entry: patients
    object: person
    from: patients
    as: patient
    fields:
      name: "join_present(' ', patient.first_name, patient.last_name)"
      Date_Of_Birth__c: patient.birth_date
"""
PATIENTS = """\
id,last_name,first_name,status,birth_date
1,Aldous,Ann,patient,1980-02-03
2,Bell,Bo,patient,1981-02-03
3,Cole,Cy,patient,1982-02-03
4,Dean,Di,patient,1983-02-03
5,Eames,Ed,patient,1984-02-03
"""
HIDDEN = "--mapping people.yaml.j2 --set source.as_of=2026-06-30 --set dest.list_lag_s=0"
QUIET = "--set dest.list_lag_s=0"


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """A folder with a journal that moved five patients; two of them are people's own work since."""
    shell = shell_in(tmp_path, monkeypatch, {"export/patients.csv": PATIENTS, "people.yaml.j2": TEMPLATE}, width=100)
    done = shell.flit(f"run --source dental --dest pipedrive --input export --json --approve-unseen Dana {HIDDEN}")
    assert done.exit_code == 0, done.output
    with at_work() as (hand, people):
        hand.edit("person", people["Bo Bell"], {"phones": [{"value": "(312) 555-0100", "primary": True}]})
        hand.add("note", {"content": "Called about Tuesday.", "person_id": people["Di Dean"]})
    shell.shown.clear()
    return shell


def test_a_rollback_lists_what_people_made_theirs(shell: Shell) -> None:
    dry = shell.flit("rollback --dry-run", QUIET)
    done = shell.flit("rollback --approve-unseen Dana", QUIET)
    again = shell.flit("rollback --approve-unseen Dana", QUIET)

    assert (dry.exit_code, done.exit_code, again.exit_code) == (0, 1, 1), done.output
    assert "Nothing was written." in dry.stdout
    assert "person dental:patients:2, phones: somebody changed it since" in done.stdout
    assert "person dental:patients:4: somebody hung something on it (1 note)" in done.stdout
    assert "as expected" in done.stdout
    assert "it stays as they left it" in done.stdout
    assert "555-0100" not in done.output
    with at_work() as (_, people):
        assert people.keys() == {"Bo Bell", "Di Dean"}
    shell.keep("rollback-conflicts", "flit rollback")


def test_where_nobody_can_be_asked_it_stops_with_what_it_would_do(shell: Shell) -> None:
    result = shell.flit("rollback", QUIET)

    assert result.exit_code == 3
    assert "delete 3 person" in result.stderr
    assert "--approve-unseen NAME" in result.stderr


def test_json_prints_one_object_also_when_it_stops(shell: Shell) -> None:
    stopped = shell.flit("rollback --json", QUIET)
    done = shell.flit("rollback --json --approve-unseen Dana", QUIET)

    assert json.loads(stopped.stdout)["exit_code"] == 3
    report = json.loads(done.stdout)
    assert report["status"] == "undone_but_for_conflicts"
    assert report["objects"]["person"] == {"deleted": 3, "restored": 0, "gone": 0, "kept": 2}
    assert {(c["key"], c["code"]) for c in report["conflicts"] if c["object"] == "person"} == {
        ("dental:patients:2", "changed"),
        ("dental:patients:4", "something_hangs_on_it"),
    }
    assert Path(report["reports"]["html"]).exists()


@pytest.mark.parametrize(
    ("line", "code", "told"),
    [
        ("--run nope", 2, "no run of that name"),
        ("--object deal", 2, "nothing of it was written"),
        ("--keys nobody:7", 2, "STREAM:ID"),
        ("--keys missing.txt", 2, "neither a source key"),
        ("--run a --object person", 2, "exclude each other"),
        ("--set source.as_of=2026-01-01", 2, "no export is read here"),
        ("--journal elsewhere.db", 4, "no journal here"),
    ],
)
def test_bad_input_gets_one_clear_message(shell: Shell, line: str, code: int, told: str) -> None:
    result = shell.flit(f"rollback {line}", QUIET)

    assert result.exit_code == code, result.output
    assert told in result.stderr
    assert "Traceback" not in result.stderr
    assert not Path("elsewhere.db").exists()
