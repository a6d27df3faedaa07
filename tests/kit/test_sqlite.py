"""SQLite's source passes the test-kit; no kit can multiply its example, so it says itself what a larger one is."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from sqlite_utils import Database

from flitstack.testing import SourceSuite
from flitstack_sqlite.example import write_example

if TYPE_CHECKING:
    from pathlib import Path

NOTE = "Prefers e-mail, and sends samples on Fridays. " * 20


class TestSqlite(SourceSuite):
    plugin = "sqlite"

    def larger(self, folder: Path, size: int) -> str:
        """Write the example with as many further notes as are asked for."""
        path = write_example(folder / "larger.sqlite")
        with closing(Database(path)) as database:
            notes = ({"note_id": 10 + n, "person_id": 1, "text": NOTE} for n in range(size // len(NOTE)))
            database.table("notes").insert_all(notes)
        return str(path)
