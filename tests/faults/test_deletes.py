"""Deletes whose answer is lost: what was to go is gone, what was not is there, and nothing stays in doubt."""

from __future__ import annotations

import asyncio
from itertools import combinations
from typing import TYPE_CHECKING, Any

import pytest

from flitstack.journal import Journal, Planned
from flitstack.stages.context import RunContext, StopFlag
from flitstack.stages.writing.apply import apply_operations
from flitstack.stages.writing.reconcile import reconcile
from flitstack.testing.memory import Fault, MemoryWriter
from flitstack.testing.migration import Migration
from flitstack.testing.small_load import small_load

if TYPE_CHECKING:
    from pathlib import Path

    from flitstack.journal import Link

LOSSES = (None, Fault.COMMIT_THEN_DROP, Fault.DROP, Fault.NOT_SENT)


@pytest.fixture
def migration(tmp_path: Path) -> Migration:
    """Return a migration that has been carried out."""
    migration = Migration(tmp_path)
    small_load(migration.export)
    assert migration.run().exit_code == 0
    return migration


def deletes(migration: Migration, journal: Journal) -> list[Link]:
    """Plan the delete of every visit; return what is to go."""
    visits = list(journal.records.links("visit"))
    planned = [
        Planned("delete", "visits", "visit", link.key, link.part, {}, {}, 9_000_000, link.destination_id)
        for link in visits
    ]
    journal.operations.plan("run", "spec", planned)
    return visits


def context(migration: Migration, journal: Journal) -> RunContext:
    """Return a run that is under way."""
    writer = MemoryWriter(migration.account, migration.behaviours)

    def notify(hook: str, **arguments: Any) -> None:
        pass

    behaviours, clock = migration.behaviours, migration.clock
    return RunContext(
        "run", "memory", journal, writer, behaviours, clock, migration.words, StopFlag(), notify=notify
    )  # fmt: skip


@pytest.mark.parametrize("faults", list(combinations(LOSSES, 2)))
def test_a_delete_in_doubt_is_carried_out_once(migration: Migration, faults: tuple[Fault | None, Fault | None]) -> None:
    others = [row for row in migration.account.picture() if row[0] != "visit"]
    arrived = migration.account.arrived
    migration.account.faults = {arrived + n: fault for n, fault in enumerate(faults, 1) if fault is not None}

    with Journal(migration.journal, lease=True) as journal:
        gone = deletes(migration, journal)
        asyncio.run(apply_operations(context(migration, journal)))

        assert len(gone) > 3
        assert not list(journal.records.links("visit"))
        assert journal.operations.count("planned", "intended", "in_doubt", "rejected", "conflict", "blocked") == 0
    assert not migration.account.of("visit")
    assert migration.account.picture() == others


@pytest.mark.parametrize("happened", [True, False])
def test_a_delete_of_a_process_that_died_is_looked_for(migration: Migration, happened: bool) -> None:
    with Journal(migration.journal, lease=True) as journal:
        first, *rest = deletes(migration, journal)
        rows = journal.operations.ready(9_000_000, 0, 100)
        journal.operations.intend([row.id for row in rows], "run", "2026-07-01T09:00:00.000+00:00").result()
    if happened:
        del migration.account.records["visit", first.destination_id]

    with Journal(migration.journal, lease=True) as journal:
        ctx = context(migration, journal)
        assert journal.operations.doubt_intended(ctx.at()) == len(rest) + 1
        asyncio.run(reconcile(ctx))

        assert journal.operations.count("in_doubt") == 0
        assert journal.operations.count("planned") == len(rest) + (not happened)
        asyncio.run(apply_operations(ctx))
        assert not list(journal.records.links("visit"))
    assert not migration.account.of("visit")
