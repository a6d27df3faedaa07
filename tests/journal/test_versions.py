"""A journal and the versions that open it: an older one is brought up to date, one of a later version is refused."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

import pytest

from flitstack.errors import ConfigurationError
from flitstack.journal import Journal
from flitstack.journal.migrations import migrations

if TYPE_CHECKING:
    from pathlib import Path

APPLIED = "SELECT name FROM _sqlite_migrations WHERE migration_set = 'flitstack' ORDER BY id"


def changes(path: Path) -> list[str]:
    """Return the names of the changes that a journal has been through."""
    with sqlite3.connect(path) as db:
        return [name for (name,) in db.execute(APPLIED)]


def test_a_journal_that_a_later_version_changed_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "flit.db"
    Journal(path).close()
    with sqlite3.connect(path) as db:
        db.execute(
            "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('flitstack', 'of_tomorrow', '')"
        )
    before = changes(path)

    with pytest.raises(ConfigurationError, match="a later version of flit has used this journal"):
        Journal.existing(path)

    assert changes(path) == before


def test_a_journal_of_an_earlier_version_is_brought_up_to_date(tmp_path: Path) -> None:
    from sqlite_utils import Database

    path = tmp_path / "flit.db"
    with sqlite3.connect(path) as connection:
        from flitstack.journal.readonly import APPLICATION_ID

        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    old = Database(str(path), execute_plugins=False)
    migrations.apply(old, stop_before="decisions")
    old.close()
    assert "decisions" not in changes(path)

    Journal(path).close()

    assert changes(path)[-1] == [each.name for each in migrations._migrations][-1]
