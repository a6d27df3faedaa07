"""People at work while a migration is taken back, and links that lead to what they deleted."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tests.rollback.conftest import undo_of

from flitstack.protocols import SchemaItem
from flitstack.testing.memory_source import TEMPLATE
from flitstack.testing.migration import Migration

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from flitstack.protocols import Operation, Stored
    from flitstack.stages.rollback.report import RollbackReport

    Undo = Callable[..., RollbackReport]


def the(migration: Migration, name: str) -> Stored:
    """Return the contact of that name."""
    return next(stored for stored in migration.account.of("contact") if stored.fields.get("name") == name)


def test_a_link_to_what_somebody_deleted_keeps_nothing_and_breaks_nothing(migration: Migration, undo: Undo) -> None:
    migration.run()
    ann = the(migration, "Ann")
    del migration.account.records["company", ann.links["company"]]
    migration.account.edit(ann, phone="555")

    report = undo()

    assert report.exit_code == 1
    assert the(migration, "Ann").fields["phone"] == "555"
    assert "company" not in {one.ours.object for one in report.kept}
    assert report.objects["company"]["gone"] == 1


def test_what_people_do_to_a_record_that_was_just_put_back_is_theirs_and_no_mistake(
    migration: Migration, undo: Undo
) -> None:
    told = {"name": "Ann Lee", "email": "ann@example.org", "phone": "312 555 1000"}
    migration.account.put("contact", **told)
    migration.export.add("contacts", "90", company_id="1", **told)
    migration.run()
    assert the(migration, "Ann Lee").key == "memory:contacts:90"

    def meanwhile(operation: Operation) -> None:
        if operation.object == "contact" and operation.verb == "update":
            migration.account.edit(the(migration, "Ann Lee"), hobby="chess")

    migration.account.answering = meanwhile

    report = undo()

    assert report.exit_code == 0
    assert report.proof is not None
    assert report.proof.elsewhere == 1
    assert report.proof.expected == report.proof.found
    assert the(migration, "Ann Lee").fields["hobby"] == "chess"
    assert the(migration, "Ann Lee").key is None


def test_options_that_were_taken_out_of_a_field_that_stays_are_added_again_by_the_next_run(tmp_path: Path) -> None:
    kind = "{object: field, of: contact, name: Labels__c, type: set, "
    migration = Migration(tmp_path, template=TEMPLATE.replace(kind, f"{kind}options: [blue, red], "))
    theirs = {"type": "set", "options": []}
    migration.account.items["field", "f1"] = SchemaItem("field", "Labels__c", "contact", theirs, "f1")
    for number, label in (("1", "blue"), ("2", "red")):
        migration.export.add("contacts", number, name=f"Name {number}")
        migration.export.add("labels", number, contact_id=number, label=label)
    assert migration.run().exit_code == 0
    migration.account.edit(the(migration, "Name 1"), hobby="chess")

    undone = undo_of(migration)()
    between = migration.account.items["field", "f1"].settings["options"]
    report = migration.run()

    assert undone.exit_code == 1
    assert between == ["blue"]
    assert migration.account.items["field", "f1"].settings["options"] == ["blue", "red"]
    assert report.exit_code == 0
    assert the(migration, "Name 2").fields["Labels__c"] == ["red"]


def test_what_a_record_hangs_on_that_somebody_changed_meanwhile_stays(migration: Migration, undo: Undo) -> None:
    migration.run()

    def meanwhile(operation: Operation) -> None:
        if operation.verb == "delete" and operation.object == "memo":
            for visit in migration.account.of("visit"):
                migration.account.edit(visit, note="by hand")

    migration.account.arriving = meanwhile

    report = undo()

    staying = {stored.id for stored in migration.account.of("contact")}
    assert migration.account.of("visit")
    assert {visit.links["contact"] for visit in migration.account.of("visit")} <= staying
    assert report.exit_code == 1


def test_what_people_delete_meanwhile_is_no_part_of_the_comparison_though_it_was_a_conflict(
    migration: Migration, undo: Undo
) -> None:
    migration.account.put("contact", name="Ann Lee", email="ann@example.org", phone="312 555 1000")
    told = {"name": "Ann Lee", "email": "ann@example.org", "phone": "312 555 1000"}
    migration.export.add("contacts", "90", company_id="1", **told)
    migration.run()
    own = the(migration, "Ann Lee")
    elsewhere = migration.account.put("company", name="Elsewhere")
    migration.account.records["contact", own.id] = replace(own, links={**own.links, "company": elsewhere.id})

    def meanwhile(operation: Operation) -> None:
        migration.account.records.pop(("contact", own.id), None)

    migration.account.answering = meanwhile

    report = undo()

    assert {one.code for one in report.kept if one.ours.key == "memory:contacts:90"} == {"changed"}
    assert report.proof is not None
    assert report.proof.expected == report.proof.found
    assert report.proof.wrong == ()
