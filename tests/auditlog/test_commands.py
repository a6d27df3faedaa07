"""`flit journal export` and `verify`: the log leaves the journal, and either is proved whole."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from flitstack.cli import cli

if TYPE_CHECKING:
    from click.testing import Result

    from flitstack.testing.migration import Migration


def flit(*arguments: object) -> Result:
    """Run a command."""
    return CliRunner().invoke(cli, [str(each) for each in arguments])


def told(*arguments: object) -> dict[str, Any]:
    """Return what `--json` prints."""
    loaded: dict[str, Any] = json.loads(flit(*arguments, "--json").stdout)
    return loaded


def spoil(site: Migration, sql: str) -> None:
    """Change the journal behind flit's back."""
    with closing(sqlite3.connect(site.journal, isolation_level=None)) as db:
        db.execute(sql)


@pytest.mark.parametrize("form", ["jsonl", "csv"])
def test_an_exported_log_is_proved_against_the_head_that_was_printed(moved: Migration, form: str) -> None:
    file = moved.journal.parent / f"audit.{form}"

    exported = told("journal", "export", "--audit", file, "--journal", moved.journal)
    head = exported["head"]
    assert head.startswith(f"{exported['length']}:")

    assert head in flit("journal", "verify", "--journal", moved.journal).stdout
    proved = told("journal", "verify", "--export", file, "--head", head)
    assert (proved["status"], proved["proven"]) == ("whole", exported["length"])
    assert flit("journal", "verify", "--export", file, "--head", head).exit_code == 0


def test_the_head_of_a_report_has_its_length_and_whole_hash(moved: Migration) -> None:
    report = moved.run()

    assert len(report.audit.hash) == 64
    found = told("journal", "verify", "--journal", moved.journal, "--head", report.audit)
    assert found["proven"] == report.audit.length == found["length"]


def test_an_exported_log_holds_no_value(moved: Migration) -> None:
    file = moved.journal.parent / "audit.jsonl"
    flit("journal", "export", "--audit", file, "--journal", moved.journal)

    assert not [word for word in ("Quenby", "555-01", "Hartwick", "Velvetine") if word in file.read_text("utf-8")]
    assert file.stat().st_mode & 0o777 == 0o600


def test_the_first_digits_of_an_older_head_prove_too(moved: Migration) -> None:
    head = moved.run().audit

    short = f"{head.length}:{head.hash[:16]}"
    assert told("journal", "verify", "--journal", moved.journal, "--head", short)["proven"] == head.length
    wrong = f"{head.length}:{'0' * 16}"
    assert flit("journal", "verify", "--journal", moved.journal, "--head", wrong).exit_code == 6


def test_the_last_line_cannot_be_cut_unnoticed_after_a_report(moved: Migration) -> None:
    report = moved.run()
    spoil(moved, "DELETE FROM audit WHERE seq = (SELECT max(seq) FROM audit)")

    result = flit("journal", "verify", "--journal", moved.journal, "--head", report.audit)

    assert result.exit_code == 6
    assert "1 line is missing at the end" in result.stdout


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE audit SET event = replace(event, 'contact', 'kontact') WHERE seq = 9",
        "UPDATE audit SET at = '2027-01-01T00:00:00.000+00:00' WHERE seq = 9",
        "DELETE FROM audit WHERE seq = 9",
        "DELETE FROM audit WHERE seq > 9",
    ],
)
def test_a_journal_somebody_tampered_with_is_found(moved: Migration, sql: str) -> None:
    head = moved.run().audit
    spoil(moved, sql)

    result = flit("journal", "verify", "--journal", moved.journal, "--head", head)

    assert result.exit_code == 6
    assert "NOT WHOLE" in result.stdout


def test_a_cut_end_shows_by_the_approvals_alone(moved: Migration) -> None:
    spoil(moved, "DELETE FROM audit WHERE seq > 2")

    result = flit("journal", "verify", "--journal", moved.journal)

    assert result.exit_code == 6
    assert "missing at the end" in result.stdout


def test_without_a_head_the_journal_itself_proves_an_export(moved: Migration) -> None:
    file = moved.journal.parent / "audit.csv"
    flit("journal", "export", "--audit", file, "--journal", moved.journal)
    moved.run()

    assert told("journal", "verify", "--export", file, "--journal", moved.journal)["proven"] > 0
    assert told("journal", "verify", "--export", file, "--journal", "nowhere.db")["proven"] == 0
    file.write_bytes(b"".join(file.read_bytes().splitlines(keepends=True)[:-1]))
    assert told("journal", "verify", "--export", file, "--journal", moved.journal)["proven"] > 0


def test_a_log_is_never_written_over_a_file(moved: Migration) -> None:
    file = moved.journal.parent / "audit.csv"
    file.write_text("mine")

    result = flit("journal", "export", "--audit", file, "--journal", moved.journal)

    assert result.exit_code == 2
    assert "is there already" in result.stderr
    assert file.read_text() == "mine"


def test_a_head_that_is_none_gets_one_clear_message(moved: Migration) -> None:
    result = flit("journal", "verify", "--journal", moved.journal, "--head", "12")

    assert result.exit_code == 2
    assert "LENGTH:HASH" in result.stderr
