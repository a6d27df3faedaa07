"""What people made theirs stays: what they changed, hung something on, or made of the account's own records."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from flitstack.protocols import Operation, Stored
    from flitstack.stages.rollback.report import RollbackReport
    from flitstack.testing.migration import Migration

    Undo = Callable[..., RollbackReport]


def the(migration: Migration, object_: str, name: str) -> Stored:
    """Return the record of that name."""
    return next(stored for stored in migration.account.of(object_) if stored.fields.get("name") == name)


def kept(report: RollbackReport) -> set[tuple[str, str, str, str]]:
    """Return (object, key, field, why) of what stays."""
    return {(one.ours.object, one.ours.key, one.field, one.code) for one in report.kept}


def test_a_record_that_somebody_changed_stays_with_all_it_needs(migration: Migration, undo: Undo) -> None:
    migration.run()
    migration.account.edit(the(migration, "contact", "Ann"), phone="555")

    report = undo()

    assert report.exit_code == 1
    assert ("contact", "memory:contacts:1", "phone", "changed") in kept(report)
    assert ("company", "memory:companies:1", "", "needed_by_what_stays") in kept(report)
    left = {(stored.object, stored.key) for stored in migration.account.records.values()}
    assert ("contact", "memory:contacts:1") in left
    assert not any(object_ in ("visit", "memo") for object_, _ in left)
    assert the(migration, "contact", "Ann").fields["phone"] == "555"
    with migration.open() as journal:
        assert {(c.object, c.key, c.field) for c in journal.conflicts.open("undo")} == {
            (object_, key, field) for object_, key, field, _ in kept(report)
        }


def test_a_record_that_nobody_needs_goes_though_its_neighbour_stays(migration: Migration, undo: Undo) -> None:
    migration.run()
    migration.account.edit(the(migration, "contact", "Eve"), phone="555")

    report = undo()

    assert {stored.key for stored in migration.account.of("contact")} == {"memory:contacts:5"}
    assert ("field", "schema:field/contact/Source_Key__c", "", "in_use") in kept(report)
    assert {item.name for item in migration.account.items.values()} == {"Source_Key__c"}


def test_what_somebody_hung_on_a_record_keeps_it(migration: Migration, undo: Undo) -> None:
    migration.run()
    eve = the(migration, "contact", "Eve")
    note = migration.account.put("visit", note="they called")
    migration.account.records["visit", note.id] = replace(note, links={"contact": eve.id})

    report = undo()

    assert ("contact", "memory:contacts:5", "", "something_hangs_on_it") in kept(report)
    assert next(one for one in report.kept if one.ours.object == "contact").by == {"visit": 1}
    assert [stored.id for stored in migration.account.of("visit")] == [note.id]


def test_a_value_that_somebody_filled_in_beside_ours_keeps_the_record(migration: Migration, undo: Undo) -> None:
    migration.run()
    migration.account.edit(the(migration, "contact", "Eve"), hobby="chess")

    report = undo()

    assert ("contact", "memory:contacts:5", "hobby", "changed") in kept(report)


def test_a_field_that_is_to_be_disregarded_keeps_nothing(migration: Migration, undo: Undo) -> None:
    migration.run()
    migration.account.edit(the(migration, "contact", "Eve"), hobby="chess")

    report = undo(disregard=("contact.hobby",))

    assert report.exit_code == 0
    assert migration.account.picture() == []


def test_what_the_account_puts_into_every_record_itself_is_nobodys_edit(migration: Migration, undo: Undo) -> None:
    def fill(operation: Operation) -> None:
        for stored in migration.account.of("contact"):
            migration.account.records["contact", stored.id] = replace(stored, fields={**stored.fields, "state": "new"})

    migration.account.answering = fill
    migration.run()

    assert undo().exit_code == 0
    assert migration.account.picture() == []


def test_what_somebody_deleted_already_is_no_conflict(migration: Migration, undo: Undo) -> None:
    migration.run()
    gone = migration.account.of("visit")[0]
    del migration.account.records["visit", gone.id]

    report = undo()

    assert report.exit_code == 0
    assert report.total("gone") == 1
    assert migration.account.picture() == []


@pytest.mark.parametrize("what", ["edit", "hang", "delete"])
def test_what_happens_while_the_undo_goes_on_is_seen_before_the_record_goes(
    migration: Migration, undo: Undo, what: str
) -> None:
    migration.run()
    eve = the(migration, "contact", "Eve")

    def meanwhile(operation: Operation) -> None:
        if operation.verb != "delete" or migration.account.arriving is calm:
            return
        migration.account.arriving = calm
        if what == "edit":
            migration.account.edit(eve, phone="555")
        elif what == "delete":
            del migration.account.records["contact", eve.id]
        else:
            note = migration.account.put("visit", note="they called")
            migration.account.records["visit", note.id] = replace(note, links={"contact": eve.id})

    def calm(operation: Operation) -> None:
        """Let it be."""

    migration.account.arriving = meanwhile
    report = undo()

    stays = [stored for stored in migration.account.of("contact") if stored.id == eve.id]
    assert bool(stays) == (what != "delete")
    assert report.exit_code == (0 if what == "delete" else 1)
    assert report.proof is not None
    assert not report.proof.wrong


def test_a_second_undo_takes_what_stands_in_nobodys_way_any_more(migration: Migration, undo: Undo) -> None:
    migration.run()
    eve = the(migration, "contact", "Eve")
    migration.account.edit(eve, hobby="chess")
    assert undo().exit_code == 1
    arrived = migration.account.arrived
    assert undo().exit_code == 1
    assert migration.account.arrived == arrived
    migration.account.edit(the(migration, "contact", "Eve"), hobby=None)

    report = undo()

    assert report.exit_code == 0
    assert migration.account.picture() == []
    with migration.open() as journal:
        assert journal.conflicts.open("undo") == []


def test_what_the_destination_refuses_to_delete_is_listed(migration: Migration, undo: Undo) -> None:
    migration.run()
    eve = the(migration, "contact", "Eve")
    migration.account.refuse = lambda operation: operation.verb == "delete" and operation.destination_id == eve.id

    report = undo()

    assert ("contact", "memory:contacts:5", "", "refused") in kept(report)
    assert report.exit_code == 1
    migration.account.refuse = lambda operation: False
    assert undo().exit_code == 0
    assert migration.account.picture() == []


def test_a_field_that_somebody_begins_to_use_while_the_undo_goes_on_stays(migration: Migration, undo: Undo) -> None:
    migration.account.put("contact", name="Zoe")
    migration.run()

    def meanwhile(operation: Operation) -> None:
        if operation.verb == "delete" and operation.object == "contact":
            migration.clock.advance(1.0)
            migration.account.edit(the(migration, "contact", "Zoe"), Labels__c=["vip"])

    migration.account.arriving = meanwhile

    report = undo()

    assert ("field", "schema:field/contact/Labels__c", "", "in_use") in kept(report)
    assert [item.name for item in migration.account.items.values()] == ["Labels__c"]
    assert the(migration, "contact", "Zoe").fields["Labels__c"] == ["vip"]
