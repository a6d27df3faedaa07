"""A purge takes every value out of the file's bytes, says so in a certificate, and leaves a log that still proves."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from flitstack.cli import cli
from flitstack.errors import ConfigurationError, JournalError
from flitstack.journal import Journal
from flitstack.stages.auditlog.purge import plan_purge, purge

if TYPE_CHECKING:
    from pathlib import Path

    from flitstack.testing.migration import Migration

AT = "2026-08-01T09:00:00.000+00:00"
VALUES = (b"Quenby", b"555-01", b"Hartwick", b"Velvetine")


def bytes_of(journal: Path) -> bytes:
    """Return all that is on the disk of a journal."""
    return b"".join(path.read_bytes() for path in sorted(journal.parent.glob("flit.db*")))


def test_no_value_is_in_the_bytes_of_the_file_any_more(moved: Migration) -> None:
    moved.export.change("contacts", "k1", name="Quenby the Second")
    moved.run()
    assert all(value in bytes_of(moved.journal) for value in VALUES)

    certificate = purge(moved.journal, AT, "Dana Cho")

    assert [value for value in VALUES if value in bytes_of(moved.journal)] == []
    assert certificate.emptied["staged"] == 7
    assert b"memory:contacts:k1" in bytes_of(moved.journal)


def test_the_certificate_says_what_went_and_what_the_file_is(moved: Migration) -> None:
    before = moved.run()

    certificate = purge(moved.journal, AT, "Dana Cho")

    kept = json.loads((moved.journal.parent / "flit-reports" / "purge-20260801090000.json").read_text("utf-8"))
    assert kept == certificate.as_json()
    assert kept["sha256"] == hashlib.sha256(moved.journal.read_bytes()).hexdigest()
    assert (kept["by"], kept["at"]) == ("Dana Cho", AT)
    assert kept["audit_before"] == str(before.audit)
    assert kept["rows"] == sum(kept["emptied"].values()) > 0


def test_the_log_still_proves_and_ends_with_the_purge(moved: Migration) -> None:
    head = moved.run().audit
    certificate = purge(moved.journal, AT, "Dana Cho")

    with Journal.existing(moved.journal) as journal:
        *_, (_, at, event, _) = journal.audit.events()
    assert (at, json.loads(event)["outcome"], json.loads(event)["by"]) == (AT, "purged", "Dana Cho")
    heads = [option for each in (head, certificate.before, certificate.after) for option in ("--head", str(each))]
    proved = CliRunner().invoke(cli, ["journal", "verify", "--journal", str(moved.journal), *heads])
    assert proved.exit_code == 0
    assert "Proved whole." in proved.stdout


def test_afterwards_a_run_is_refused_with_its_reason(moved: Migration) -> None:
    purge(moved.journal, AT, "Dana Cho")
    written = len(moved.account.written)

    with pytest.raises(ConfigurationError, match="its values were purged on 2026-08-01"):
        moved.run()

    assert len(moved.account.written) == written
    listed = CliRunner().invoke(cli, ["rejects", "list", "--journal", str(moved.journal)])
    assert "missing_name" in listed.stdout
    exported = CliRunner().invoke(cli, ["rejects", "export", "x", "--journal", str(moved.journal)])
    assert exported.exit_code == 4


def test_a_purge_that_was_cut_short_is_finished_by_another(moved: Migration) -> None:
    with Journal.existing(moved.journal) as journal:
        journal.purging.purge(AT, "Dana Cho")  # and the process died before the file was written anew

    certificate = purge(moved.journal, AT, "Dana Cho")

    assert sum(certificate.emptied.values()) == 0
    assert [value for value in VALUES if value in bytes_of(moved.journal)] == []


def test_nothing_is_purged_without_a_name(moved: Migration) -> None:
    result = CliRunner().invoke(cli, ["journal", "purge", "--journal", str(moved.journal)])

    assert result.exit_code == 3
    assert "--approve-unseen NAME" in result.stderr
    assert "1 records are rejected" in result.stderr
    assert VALUES[0] in bytes_of(moved.journal)


def test_nothing_is_purged_while_a_write_is_in_doubt(moved: Migration) -> None:
    with closing(sqlite3.connect(moved.journal, isolation_level=None)) as db:
        db.execute("UPDATE operation SET state = 'in_doubt' WHERE id = 3")

    with pytest.raises(ConfigurationError, match="1 writes are in doubt"):
        plan_purge(moved.journal)
    with pytest.raises(ConfigurationError, match="1 writes are in doubt"):
        purge(moved.journal, AT, "Dana Cho")


def test_nothing_is_purged_when_the_log_is_not_whole(moved: Migration) -> None:
    with closing(sqlite3.connect(moved.journal, isolation_level=None)) as db:
        db.execute("DELETE FROM audit WHERE seq = 4")

    with pytest.raises(ConfigurationError, match="the audit log is not whole"):
        purge(moved.journal, AT, "Dana Cho")


def test_a_reader_that_holds_old_pages_is_told_of(moved: Migration, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flitstack.journal.purging.BUSY_S", 0.1)
    with closing(sqlite3.connect(moved.journal, isolation_level=None)) as other:
        other.execute("BEGIN")
        other.execute("SELECT count(*) FROM staged").fetchone()

        with pytest.raises(JournalError, match="purge again"):
            purge(moved.journal, AT, "Dana Cho")

    purge(moved.journal, AT, "Dana Cho")
    assert [value for value in VALUES if value in bytes_of(moved.journal)] == []


def test_of_every_table_it_is_known_whether_it_holds_values(moved: Migration) -> None:
    with Journal.existing(moved.journal) as journal:
        assert journal.purging.unknown_tables() == []
