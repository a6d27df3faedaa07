"""What a run spends is on disk with each of its commits: one that is killed leaves a count, and never one too low."""

from __future__ import annotations

import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from flitstack.journal import Journal
from flitstack.stages.status import standing_of
from flitstack.testing.memory import COST, Fault
from flitstack.testing.migration import Migration
from flitstack.testing.small_load import small_load

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from flitstack.protocols import Operation

FLYING = 2 * 64 + 2 * 4
"""A batch of intents, what is queued and at work, and a batch of outcomes on its way to the disk."""


@pytest.fixture
def dear(tmp_path: Path) -> Migration:
    """A migration of some contacts into an account whose every request costs one unit."""
    migration = Migration(tmp_path)
    small_load(migration.export)
    for number in range(100, 260):
        migration.export.add("contacts", str(number), name=f"N{number}", email=f"n{number}@example.org")
    objects = {name: replace(each, cost=dict.fromkeys(COST, 1)) for name, each in migration.behaviours.objects.items()}
    object.__setattr__(migration.behaviours, "objects", objects)
    return migration


def spent(path: Path) -> int:
    """Return what the last run has on disk."""
    with Journal.existing(path) as journal:
        return journal.history.runs()[-1].tokens


def seen_by(migration: Migration, look: Callable[[], None]) -> None:
    """Look each time an operation arrives, before anything becomes of it."""
    migration.account.arriving = lambda operation: look()
    migration.run()
    migration.account.arriving = lambda operation: None


def test_what_is_on_disk_is_never_less_than_what_was_asked_of_the_account_and_hardly_more(dear: Migration) -> None:
    seen: list[tuple[int, int]] = []

    seen_by(dear, lambda: seen.append((spent(dear.journal), dear.account.requests)))

    assert len(seen) > 150
    assert all(asked <= kept <= asked + FLYING for kept, asked in seen)
    assert spent(dear.journal) == dear.account.requests


def test_a_run_that_was_killed_leaves_a_count_that_status_and_the_next_run_know(dear: Migration) -> None:
    killed = dear.journal.with_name("killed")
    killed.mkdir()
    asked: list[int] = []

    def kill() -> None:
        if dear.account.arrived == 120:  # as a kill leaves the files: what is committed, and no word of an end
            asked.append(dear.account.requests)
            for path in dear.journal.parent.glob("flit.db*"):
                if not path.name.endswith("-lease"):
                    shutil.copy(path, killed / path.name)

    seen_by(dear, kill)

    with Journal.existing(killed / "flit.db") as journal:
        (run,) = journal.history.runs()
        today = journal.runs.spent_today(dear.clock.now())
    standing = standing_of(killed / "flit.db", dear.clock.now())
    assert run.status == "running"
    assert asked[0] <= run.tokens <= asked[0] + FLYING
    assert today == standing.tokens == standing.tokens_today == run.tokens


def test_a_run_that_is_stopped_says_exactly_what_it_spent(dear: Migration) -> None:
    dear.account.faults[150] = Fault.AUTH

    with pytest.raises(Exception, match="401"):
        dear.run()

    assert spent(dear.journal) == dear.account.requests


def test_a_run_that_is_killed_while_it_reads_back_leaves_what_reading_cost(dear: Migration) -> None:
    dear.run()
    before = spent(dear.journal)
    on_disk: list[int] = []
    listed = dear.account.of

    def looking(object_: str) -> list[object]:
        if object_ == "visit":
            on_disk.append(spent(dear.journal))
        return listed(object_)  # type: ignore[return-value]

    dear.export.change("contacts", "100", name="Changed")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(dear.account), "of", lambda _, object_: looking(object_))
        dear.run()

    assert before > 0
    assert 0 < on_disk[-1] <= spent(dear.journal)


def test_what_each_operation_of_a_full_request_costs_is_counted_once(dear: Migration) -> None:
    objects = {
        name: replace(each, cost={**each.cost, "create": 100}, batch=100)
        for name, each in dear.behaviours.objects.items()
    }
    object.__setattr__(dear.behaviours, "objects", objects)
    seen: list[tuple[int, int]] = []

    def look(operation: Operation) -> None:
        seen.append((spent(dear.journal), dear.account.requests))

    dear.account.arriving = look
    dear.run()

    assert max(kept - asked for kept, asked in seen) <= FLYING
