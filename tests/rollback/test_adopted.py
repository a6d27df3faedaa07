"""The account's own records that were adopted: put back field by field, let go, and adopted anew by the next run."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from flitstack.registry import load_plugins
from flitstack.testing.memory import memory_destination
from flitstack.testing.memory_source import memory_source
from flitstack.testing.migration import MemoryPlugin, Migration

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from flitstack.protocols import Stored
    from flitstack.stages.rollback.report import RollbackReport

    Undo = Callable[..., RollbackReport]


@pytest.fixture
def migration(tmp_path: Path) -> Migration:
    """Return a migration of two people into an account that has one of them already, typed in by hand."""
    migration = Migration(tmp_path)
    migration.export.add("companies", "1", name="Ace")
    migration.export.add("contacts", "1", name="Ann Lee", phone="312 555 1000", email="ann@example.org", company_id="1")
    migration.export.add("contacts", "2", name="Bob Ray", phone="773 555 2000", email="bob@example.org")
    migration.account.put("contact", name="Ann Lee", email="ann@example.org", phone="312 555 1000", hobby="chess")
    return migration


def ann(migration: Migration) -> Stored:
    """Return her record."""
    return next(stored for stored in migration.account.of("contact") if stored.fields["name"] == "Ann Lee")


def test_an_adopted_record_holds_what_it_held_and_nothing_of_ours(migration: Migration, undo: Undo) -> None:
    before, own = migration.account.picture(), ann(migration)
    assert migration.run().exit_code == 0
    assert ann(migration).key == "memory:contacts:1"
    assert ann(migration).links["company"]

    report = undo()

    assert migration.account.picture() == before
    assert ann(migration).id == own.id
    assert (report.exit_code, report.objects["contact"]["restored"]) == (0, 1)
    with migration.open() as journal:
        assert journal.records.link_objects() == {}
        assert journal.decisions.adoptions() == []


def test_it_is_adopted_anew_and_let_go_anew(migration: Migration, undo: Undo) -> None:
    before = migration.account.picture()
    migration.run()
    whole = migration.account.picture()
    undo()
    migration.account.edit(ann(migration), phone="312 555 1000")

    assert migration.run().exit_code == 0
    assert migration.account.picture() == whole
    assert undo().exit_code == 0
    assert migration.account.picture() == before


def test_what_a_person_wrote_between_two_of_our_writes_is_what_comes_back(migration: Migration, undo: Undo) -> None:
    migration.run()
    migration.export.change("contacts", "1", phone="312 555 6666")
    migration.run()
    migration.account.edit(ann(migration), phone="312 555 7777")
    migration.export.change("contacts", "1", phone="312 555 7777")
    migration.run()
    migration.export.change("contacts", "1", phone="312 555 8888")
    migration.run()
    assert ann(migration).fields["phone"] == "312 555 8888"

    assert undo().exit_code == 0

    assert ann(migration).fields["phone"] == "312 555 7777"


def test_what_several_runs_wrote_goes_back_to_before_the_first(migration: Migration, undo: Undo) -> None:
    before = migration.account.picture()
    migration.run()
    migration.export.change("contacts", "1", phone="312 555 7777")
    migration.run()
    migration.export.change("contacts", "1", phone="312 555 8888", company_id=None)
    migration.run()
    assert ann(migration).fields["phone"] == "312 555 8888"

    assert undo().exit_code == 0

    assert migration.account.picture() == before


def test_a_field_that_somebody_changed_since_stays_and_the_others_go_back(migration: Migration, undo: Undo) -> None:
    migration.run()
    migration.export.change("contacts", "1", phone="312 555 7777")
    migration.run()
    migration.account.edit(ann(migration), phone="312 555 9999")

    report = undo()

    assert [(one.ours.key, one.field, one.code) for one in report.kept] == [("memory:contacts:1", "phone", "changed")]
    assert report.exit_code == 1
    assert ann(migration).fields["phone"] == "312 555 9999"
    assert ann(migration).key is None
    assert ann(migration).links == {}
    arrived = migration.account.arrived
    assert undo().exit_code == 1
    assert migration.account.arrived == arrived


def test_what_people_did_to_it_since_and_we_never_wrote_is_left_be(migration: Migration, undo: Undo) -> None:
    migration.run()
    migration.account.edit(ann(migration), hobby="go")

    assert undo().exit_code == 0

    assert ann(migration).fields["hobby"] == "go"
    assert ann(migration).key is None


@pytest.mark.parametrize("allowed", [False, True])
def test_an_empty_field_that_no_undo_could_empty_is_filled_only_when_allowed(
    migration: Migration, undo: Undo, allowed: bool
) -> None:
    objects = dict(migration.behaviours.objects)
    objects["contact"] = replace(objects["contact"], cannot_clear=("Labels__c",))
    migration.behaviours = replace(migration.behaviours, objects=objects)
    plugin = MemoryPlugin(memory_source(migration.export), memory_destination(migration.account, migration.behaviours))
    migration.registry = load_plugins((), {"memory": plugin})
    migration.export.add("labels", "l1", contact_id="1", label="blue")
    before = migration.account.picture()

    migration.run(allow_irreversible=allowed)

    assert ann(migration).key == "memory:contacts:1"
    assert bool(ann(migration).fields.get("Labels__c")) == allowed
    report = undo()
    if allowed:
        assert [(one.field, one.code) for one in report.kept] == [("Labels__c", "cannot_clear"), ("", "in_use")]
    else:
        assert migration.account.picture() == before
