"""An export that nobody approved leaves no trace: what only it had is never written once a later one is there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from flitstack.errors import ApprovalNeeded
from flitstack.protocols import Record
from flitstack.stages.gates.gate import Passing

if TYPE_CHECKING:
    from flitstack.testing.migration import Migration


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
    assert reports[0].streams["contacts"]["skipped"] == 1


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
