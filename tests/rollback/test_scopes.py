"""A part of a migration taken back: one run, one object, single keys; and what is only shown, or not agreed to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from flitstack.errors import ApprovalNeeded, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from flitstack.stages.rollback.report import RollbackReport
    from flitstack.testing.migration import Migration

    Undo = Callable[..., RollbackReport]


def second_run(migration: Migration) -> tuple[str, list[tuple[str, str, str, str]]]:
    """Run, change the export, run again; return the second run and what the account held before it."""
    migration.run()
    before = migration.account.picture()
    migration.export.change("contacts", "1", phone="2", company_id="2")
    migration.export.change("contacts", "5", boss_id="1")
    migration.export.add("contacts", "7", name="Gus", company_id="1")
    migration.export.add("visits", "v7", contact_id="7", kind="check", note="new")
    return migration.run().run_id, before


def test_one_run_of_two_is_taken_back(migration: Migration, undo: Undo) -> None:
    run, before = second_run(migration)

    report = undo(run=run)

    assert migration.account.picture() == before
    assert report.exit_code == 0
    assert (report.total("deleted"), report.total("restored")) == (2, 2)
    assert undo(run=run).total("restored") == 0


def test_after_one_run_is_taken_back_the_next_run_writes_it_again(migration: Migration, undo: Undo) -> None:
    run, _ = second_run(migration)
    whole = migration.account.picture()
    undo(run=run)

    assert migration.run().exit_code == 0
    assert migration.account.picture() == whole


def test_the_first_run_stays_as_far_as_the_second_stands_on_it(migration: Migration, undo: Undo) -> None:
    second_run(migration)
    with migration.open() as journal:
        first = journal.undo.runs()[0][0]

    report = undo(run=first)

    codes = {one.ours.key: one.code for one in report.kept}
    assert codes["memory:companies:1"] == "ours_hangs_on_it"
    assert {stored.key for stored in migration.account.of("visit")} == {"memory:visits:v7"}
    assert undo().exit_code == 0
    assert migration.account.picture() == []


def test_one_object_is_taken_back(migration: Migration, undo: Undo) -> None:
    migration.run()
    others = [row for row in migration.account.picture() if row[0] != "visit"]

    report = undo(object="visit")

    assert report.exit_code == 0
    assert migration.account.picture() == others


def test_single_keys_are_taken_back_with_or_without_their_source_id(migration: Migration, undo: Undo) -> None:
    migration.run()

    report = undo(keys=("visits:v0", "memory:visits:v1"))

    assert report.exit_code == 0
    left = {stored.key for stored in migration.account.of("visit")}
    assert not left & {"memory:visits:v0", "memory:visits:v1"}
    assert len(left) == 2


def test_a_key_stays_while_ours_hang_on_it_unless_they_go_along(migration: Migration, undo: Undo) -> None:
    migration.run()
    assert {one.code for one in undo(keys=("contacts:2",)).kept} == {"ours_hangs_on_it"}
    visits = len(migration.account.of("visit"))

    undo(keys=("contacts:2",), with_dependents=True)

    assert len(migration.account.of("visit")) < visits
    assert any(stored.key == "memory:contacts:2" for stored in migration.account.of("contact")), "Ann's boss"


@pytest.mark.parametrize(
    ("scope", "told"),
    [({"run": "nope"}, "These did:"), ({"object": "nope"}, "There is:"), ({"keys": ("contacts:999",)}, "STREAM:ID")],
)
def test_a_scope_that_is_not_there_is_refused_with_what_is(
    migration: Migration, undo: Undo, scope: dict[str, str], told: str
) -> None:
    migration.run()

    with pytest.raises(UsageError, match=told):
        undo(**scope)


def test_a_dry_run_tells_what_would_go_and_writes_nothing(migration: Migration, undo: Undo) -> None:
    migration.run()
    held, arrived = migration.account.picture(), migration.account.arrived

    report = undo(dry_run=True, unseen=None)

    assert (report.status, report.exit_code) == ("dry_run", 0)
    assert report.total("deleted") == len(held)
    assert (migration.account.picture(), migration.account.arrived) == (held, arrived)
    assert undo().total("deleted") == len(held)


def test_nothing_is_undone_unless_somebody_agrees(migration: Migration, undo: Undo) -> None:
    migration.run()
    held = migration.account.picture()

    with pytest.raises(ApprovalNeeded, match="delete 3 contact"):
        undo(unseen=None)

    shown: list[str] = []
    with pytest.raises(ApprovalNeeded):
        undo(unseen=None, ask=shown.append)
    assert "To undo: the whole migration" in shown[0]
    assert migration.account.picture() == held


def test_who_agreed_to_what_is_in_the_audit_log(migration: Migration, undo: Undo) -> None:
    migration.run()

    undo(unseen=None, ask=lambda text: "Ada")

    with migration.open() as journal:
        events = [event for _, _, event, _ in journal.audit.events()]
    assert any('"by":"Ada"' in event and "rollback_approved" in event for event in events)
    assert any('"account_hash"' in event and "rolled_back" in event for event in events)
    assert any("approvals_withdrawn" in event for event in events)
