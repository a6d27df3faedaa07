"""An export that nobody approved leaves no trace: what only it had is never written once a later one is there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from flitstack.errors import ApprovalNeeded
from flitstack.protocols import Record, Rejection, Where
from flitstack.stages.gates.gate import Passing
from flitstack.testing.migration import Migration

if TYPE_CHECKING:
    from pathlib import Path


def refuse(migration: Migration) -> None:
    """Show an export to somebody who does not approve it."""
    with pytest.raises(ApprovalNeeded):
        migration.run(passing=Passing())


def leave(migration: Migration, stream: str, number: str) -> None:
    rows = migration.export.rows[stream]
    migration.export.rows[stream] = [row for row in rows if not (isinstance(row, Record) and row.id == number)]


def phones(migration: Migration) -> list[object]:
    return [stored.fields.get("phone") for stored in migration.account.of("contact")]


def test_a_record_that_only_a_refused_export_had_is_not_created(people: Migration) -> None:
    people.export.add("contacts", "9", name="Stranger", phone="9", company_id="a")
    people.export.add("visits", "9", contact_id="9", kind="check", note="Visit 9")
    refuse(people)
    leave(people, "contacts", "9")
    leave(people, "visits", "9")

    reports = people.run(), people.run()

    assert phones(people) == ["1", "2", "3", "4", "5"]
    assert [report.exit_code for report in reports] == [0, 0]
    assert (reports[0].streams["contacts"]["read"], reports[0].streams["contacts"]["skipped"]) == (5, 0)


def test_it_is_created_once_an_export_has_it_again(people: Migration) -> None:
    people.export.add("contacts", "9", name="Stranger", phone="9", company_id="a")
    refuse(people)
    leave(people, "contacts", "9")
    people.run()
    people.export.add("contacts", "9", name="Stranger", phone="9", company_id="a")

    report = people.run()

    assert phones(people) == ["1", "2", "3", "4", "5", "9"]
    assert report.exit_code == 0


def test_what_a_refused_export_said_of_a_record_that_vanished_is_not_written(people: Migration) -> None:
    people.export.change("contacts", "1", phone="wrong")
    refuse(people)
    leave(people, "contacts", "1")
    leave(people, "visits", "1")

    report = people.run()

    assert phones(people) == ["1", "2", "3", "4", "5"]
    assert (report.objects["contact"]["updated"], report.exit_code) == (0, 0)


def test_a_file_that_the_next_export_lacks_counts_as_it_was_accepted(people: Migration) -> None:
    people.export.change("contacts", "1", phone="wrong")
    people.export.add("contacts", "9", name="Stranger", phone="9", company_id="a")
    refuse(people)
    del people.export.rows["contacts"]
    people.export.change("visits", "2", note="Said later")

    reports = people.run(), people.run()

    assert phones(people) == ["1", "2", "3", "4", "5"]
    assert [report.exit_code for report in reports] == [0, 0]
    assert reports[0].streams["contacts"]["read"] == 5
    assert reports[0].objects["visit"]["updated"] == 1


def test_a_file_that_only_a_refused_export_had_is_not_known(people: Migration) -> None:
    people.export.add("memos", "1", contact_id="1", name="scan", size=3)
    refuse(people)
    del people.export.rows["memos"]

    report = people.run()

    assert "memos" not in report.streams
    assert not people.account.of("memo")
    assert report.exit_code == 0


def test_what_hangs_on_a_row_of_a_refused_export_is_mapped_by_the_accepted_one(people: Migration) -> None:
    people.export.change("contacts", "1", company_id="b")
    refuse(people)
    leave(people, "contacts", "1")
    people.export.change("visits", "1", note="Said later")

    report = people.run()

    with people.open() as journal:
        staged = journal.staging.get("contacts", "1")
    assert staged is not None
    assert staged["company_id"] == "a"
    assert report.objects["visit"]["updated"] == 1


def test_of_two_refused_exports_neither_counts(people: Migration) -> None:
    people.export.change("contacts", "1", phone="wrong")
    refuse(people)
    people.export.change("contacts", "1", phone="wrong still")
    refuse(people)
    del people.export.rows["contacts"]

    people.run()

    with people.open() as journal:
        assert {str(record.data["phone"]) for record in journal.staging.records("contacts")} == set("12345")


def test_what_a_refused_export_rejected_is_rejected_no_more_by_the_next_that_lacks_its_file(people: Migration) -> None:
    bad = Rejection("visits", "8", "bad_date", "No day.", "Give one.", Where("visits.csv", 9))
    people.export.rows["visits"].append(bad)
    people.export.change("contacts", "2", phone="22")
    refuse(people)
    del people.export.rows["visits"]

    report = people.run()

    assert report.rejections == []
    assert report.streams["visits"]["read"] == 5
    assert report.exit_code == 0


def test_before_anything_was_accepted_a_refused_export_says_nothing(people: Migration, tmp_path: Path) -> None:
    folder = tmp_path / "another"
    folder.mkdir()
    fresh = Migration(folder)
    fresh.export.add("contacts", "1", name="Ann", phone="1")
    fresh.export.add("visits", "1", contact_id="1", kind="check", note="Visit 1")
    refuse(fresh)
    del fresh.export.rows["visits"]

    report = fresh.run()

    assert "visits" not in report.streams
    assert not fresh.account.of("visit")


def test_an_export_that_was_approved_later_is_accepted_as_it_was_read_then(people: Migration) -> None:
    people.export.change("contacts", "1", phone="11")
    refuse(people)
    people.run()
    del people.export.rows["contacts"]
    people.export.change("visits", "2", note="Said later")

    people.run()

    assert phones(people) == ["11", "2", "3", "4", "5"]


def test_nothing_that_was_kept_aside_is_left_once_an_export_is_accepted(people: Migration) -> None:
    people.export.change("contacts", "1", phone="11")
    refuse(people)
    with people.open() as journal:
        assert journal._store.value("SELECT count(*) FROM accepted_staged") > 0

    people.run()

    with people.open() as journal:
        for table in ("staged", "snapshot_stream", "rejection", "left_out"):
            sql = f"SELECT count(*) FROM accepted_{table}"  # noqa: S608 - names from the line above
            assert journal._store.value(sql) == 0
