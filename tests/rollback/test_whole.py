"""A whole migration taken back: the account holds what it held before, and nothing is done twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from flitstack.stages.rollback.report import RollbackReport
    from flitstack.testing.migration import Migration

    Undo = Callable[..., RollbackReport]


def test_an_account_is_as_it_was_before_the_migration(migration: Migration, undo: Undo) -> None:
    migration.account.put("contact", name="Zoe", phone="99")
    before = migration.account.picture()
    assert migration.run().exit_code == 0

    report = undo()

    assert migration.account.picture() == before
    assert (report.status, report.exit_code) == ("undone", 0)
    assert report.proof is not None
    assert report.proof.expected == report.proof.found
    with migration.open() as journal:
        assert journal.records.link_objects() == {}
        assert journal.audit.broken_at() is None


def test_taking_back_twice_writes_nothing_the_second_time(migration: Migration, undo: Undo) -> None:
    migration.run()
    undo()
    arrived = migration.account.arrived

    report = undo()

    assert migration.account.arrived == arrived
    assert (report.status, report.exit_code, report.total("deleted")) == ("undone", 0, 0)


def test_a_run_can_begin_anew_and_must_be_approved_anew(migration: Migration, undo: Undo) -> None:
    migration.run()
    whole = migration.account.picture()
    report = undo()

    again = migration.run()

    assert report.withdrawn > 0
    assert again.exit_code == 0
    assert migration.account.picture() == whole
    assert undo().exit_code == 0
    assert migration.account.picture() == []
