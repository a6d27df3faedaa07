"""Whatever happened to the writes, and however often the journal is lost: in the end nothing is missing or twice.

FLITSTACK_LOST_SEEDS says how many seeds are tried (8 by default).
"""

from __future__ import annotations

import os
import random
from typing import TYPE_CHECKING

import pytest

from flitstack.errors import FlitError
from flitstack.testing.memory import Fault
from flitstack.testing.migration import Migration
from flitstack.testing.small_load import small_load

if TYPE_CHECKING:
    from pathlib import Path

SEEDS = int(os.environ.get("FLITSTACK_LOST_SEEDS", "8"))
MOST_RUNS = 30
PASSING = (Fault.COMMIT_THEN_DROP, Fault.COMMIT_LATE, Fault.DROP, Fault.NOT_SENT, Fault.RATE_LIMITED)
ENDING = (Fault.CRASH, Fault.AUTH, Fault.BUDGET)


def migration_in(folder: Path, concurrency: int = 4) -> Migration:
    """Return a migration with circles, files of one name and size, and a lag that lists may use to the full."""
    folder.mkdir()
    migration = Migration(folder, concurrency=concurrency)
    small_load(migration.export)
    for number in range(10, 22):
        boss = str(number + 1 if number < 21 else 10)
        migration.export.add("contacts", str(number), name=f"Name {number}", phone=f"5{number}", boss_id=boss)
        migration.export.add("visits", f"w{number}", contact_id=str(number), kind="call", note=f"Note {number}")
        migration.export.add("memos", f"m{number}", contact_id=str(number), name="scan.png", size=7 + number % 2)
    migration.export.add("memos", "again", contact_id="10", name="scan.png", size=7)
    return migration


def lose_journal(migration: Migration) -> None:
    """Delete the journal and all that belongs to it."""
    for file in migration.journal.parent.glob("flit.db*"):
        file.unlink()


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Migration:
    """The same load with nothing in its way."""
    migration = migration_in(tmp_path_factory.mktemp("undisturbed") / "load")
    migration.run()
    return migration


@pytest.mark.parametrize("seed", range(SEEDS))
def test_a_load_whose_journal_is_lost_again_and_again_ends_whole(
    tmp_path: Path, undisturbed: Migration, seed: int
) -> None:
    chance = random.Random(seed)  # noqa: S311 - a seed names the case
    migration = migration_in(tmp_path / "load", chance.choice([1, 3, 8]))
    account, writes = migration.account, undisturbed.account.arrived
    account.lag_s = chance.choice([0.0, 2.0, 4.5])
    account.faults = {chance.randrange(1, 2 * writes): chance.choice(PASSING) for _ in range(chance.randrange(12))}
    account.faults |= {chance.randrange(1, writes + 20): chance.choice(ENDING) for _ in range(chance.randrange(1, 4))}

    for _ in range(MOST_RUNS):
        try:
            if migration.run().exit_code == 0:
                break
        except FlitError:
            pass
        if chance.random() < 0.7:
            lose_journal(migration)

    assert account.picture() == undisturbed.account.picture()
    arrived = account.arrived
    lose_journal(migration)
    assert migration.run().exit_code == 0
    assert account.arrived == arrived
