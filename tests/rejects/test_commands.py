"""The round trip as its user sees it: a run, the sheets, a correction, the retry; and its recording for the docs."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.shell import shell_in

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
entries:
  - entry: patients
    object: person
    from: patients
    as: patient
    reject:
      missing_name: {when: patient.last_name is none, reason: A patient has no name., hint: Give one., field: last_name}
    fields: {name: "join_present(' ', patient.first_name, patient.last_name)"}
"""
PATIENTS = """\
id,last_name,first_name,status,birth_date,ssn
1,Aldous,Ann,patient,1980-02-03,666-12-3456
2,Bell,Bo,patient,1980-02-31,666-12-3457
3,,Cy,patient,1980-02-04,666-12-3458
4,Dean,Di,patient,1980-02-05,666-12-3459
"""


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """A folder with an export of four patients, of whom two cannot move."""
    return shell_in(tmp_path, monkeypatch, {"export/patients.csv": PATIENTS, "people.yaml.j2": TEMPLATE})


HIDDEN = "--mapping people.yaml.j2 --set source.as_of=2026-06-30 --set dest.list_lag_s=0"


def test_rejected_rows_go_round_and_move(shell: Shell) -> None:
    run = shell.flit(f"run --source dental --dest pipedrive --input export --json --approve-unseen Dana {HIDDEN}")
    assert json.loads(run.stdout)["streams"]["patients"]["rejected"] == 2
    shell.shown.clear()

    shell.flit("rejects list")
    exported = shell.flit("rejects export ./rejected")
    assert exported.exit_code == 0
    _correct(Path("rejected/patients.csv"), {"2": ("birth_date", "1980-02-28")})
    shell.shown.append(("soffice rejected/patients.csv   # birth_date of patient 2: 1980-02-28", ""))
    retried = shell.flit("rejects retry ./rejected --input ./export --by Dana --approve-unseen Dana", HIDDEN)
    listed = shell.flit("rejects list")
    shell.flit("rejects corrections")

    assert retried.exit_code == 0, retried.output
    assert "1 row corrected (1 cell); 1 as exported" in retried.stderr
    assert "Done and verified." in retried.stdout
    assert "missing_name" in listed.stdout
    assert "bad_date" not in listed.stdout
    shell.keep("rejects-round-trip", "Rejected rows")


def test_a_retry_without_the_export_waits_for_the_next_run(shell: Shell) -> None:
    shell.flit(f"run --source dental --dest pipedrive --input export --json --approve-unseen Dana {HIDDEN}")
    shell.flit("rejects export rejected")
    _correct(Path("rejected/patients.csv"), {"2": ("birth_date", "1980-02-28"), "3": ("last_name", "Cole")})

    kept = json.loads(shell.flit("rejects retry rejected --json").stdout)
    waiting = json.loads(shell.flit("rejects corrections --json").stdout)["corrections"]
    run = shell.flit(f"run --source dental --dest pipedrive --input export --json --approve-unseen Dana {HIDDEN}")

    assert kept["status"] == "kept"
    assert kept["retried"]["corrected"] == 2
    assert [(each["line"], each["columns"], each["state"]) for each in waiting] == [
        (3, ["birth_date"], "waiting"),
        (4, ["last_name"], "waiting"),
    ]
    assert json.loads(run.stdout)["streams"]["patients"]["created"] == 2
    assert json.loads(shell.flit("rejects corrections --json").stdout)["corrections"][0]["state"] == "used"
    withdrawn = shell.flit("rejects corrections --withdraw dental:patients:2 --withdraw dental:patients:3")
    assert "0 corrected rows" in withdrawn.stderr


def test_a_listed_record_is_one_line_that_steers_no_terminal(shell: Shell) -> None:
    hostile = '"P\x1b]0;owned\x07\x1b[2J\nforged.csv line 1",Eve,E,patient,1980-02-31,\n'
    Path("export/patients.csv").write_text(PATIENTS + hostile, encoding="utf-8")
    shell.flit(f"run --source dental --dest pipedrive --input export --json --approve-unseen Dana {HIDDEN}")

    listed = shell.flit("rejects list")

    assert len(listed.stdout.splitlines()) == 3
    assert not set("\x1b\x07") & set(listed.stdout)
    assert "patients.csv line 6, patients P" in listed.stdout


def test_a_retry_of_sheets_that_nobody_changed_keeps_nothing_and_says_so(shell: Shell) -> None:
    shell.flit(f"run --source dental --dest pipedrive --input export --json --approve-unseen Dana {HIDDEN}")
    shell.flit("rejects export rejected")

    retried = shell.flit("rejects retry rejected")

    assert "0 rows corrected (0 cells); 2 as exported" in retried.stderr
    assert "nothing new to keep" in retried.stdout


def test_nothing_rejected_writes_nothing(shell: Shell) -> None:
    Path("export/patients.csv").write_text(PATIENTS.splitlines()[0] + "\n1,A,B,patient,,\n", encoding="utf-8")
    shell.flit(f"run --source dental --dest pipedrive --input export --json --approve-unseen Dana {HIDDEN}")

    result = shell.flit("rejects export rejected")

    assert result.exit_code == 0
    assert "Nothing is rejected; nothing was written." in result.stderr
    assert not list(Path("rejected").glob("*"))


def test_a_journal_that_is_not_there_gets_one_clear_message(shell: Shell) -> None:
    for command in ("rejects list", "rejects export x", "rejects retry x", "rejects corrections"):
        result = shell.flit(command)

        assert (result.exit_code, result.stderr.count("no journal here")) == (4, 1)


def _correct(sheet: Path, cells: dict[str, tuple[str, str]]) -> None:
    header, *rows = csv.reader(io.StringIO(sheet.read_bytes().decode("utf-8-sig"), newline=""))
    own = header.index("mark") + 1
    for row in rows:
        column, text = cells.get(row[own], ("id", row[own]))
        row[own + header[own:].index(column)] = text
    out = io.StringIO(newline="")
    csv.writer(out).writerows([header, *rows])
    sheet.write_text(out.getvalue(), encoding="utf-8", newline="")
