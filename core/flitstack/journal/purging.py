"""Purging: values of records leave the journal's file; keys, ids and the audit log stay, so that it still proves."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

from flitstack.errors import JournalError
from flitstack.journal.audit import append

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from flitstack.journal.store import Store

PURGED = "purged"
BUSY_S = 10.0

EMPTIED: Mapping[str, str] = {
    "staged": "UPDATE staged SET data = '{}', hash = '' WHERE data <> '{}' OR hash <> ''",
    "accepted_staged": "DELETE FROM accepted_staged",
    "desired": "UPDATE desired SET fields = '{}', links = '{}' WHERE fields <> '{}' OR links <> '{}'",
    "link": (
        'UPDATE link SET wanted = \'{"fields":{},"links":{}}\', after = NULL '
        'WHERE wanted <> \'{"fields":{},"links":{}}\' OR after NOT NULL'
    ),
    "operation": (
        "UPDATE operation SET fields = '{}', links = '{}', before = NULL, message = NULL "
        "WHERE fields <> '{}' OR links <> '{}' OR before NOT NULL OR message NOT NULL"
    ),
    "grouped": "DELETE FROM grouped",
    "held": "DELETE FROM held",
    "approved_row": "DELETE FROM approved_row",
    "rejected_row": "DELETE FROM rejected_row",
    "correction": "DELETE FROM correction",
}
"""Table to the statement that takes the values of records, and hashes of them, out of it."""

KEPT: Mapping[str, str] = {
    "accepted_left_out": "source ids and rules",
    "accepted_rejection": "source ids, codes and reasons, without values",
    "accepted_snapshot_stream": "schemas and codebooks",
    "adoption": "source keys and ids of the account",
    "approval": "who approved what, by its hash",
    "audit": "the chain: names and keys, never a value",
    "conflict": "source keys and names of fields",
    "contribution": "source keys",
    "decision": "source keys and what was decided",
    "earlier_life": "source keys and numbers of operations",
    "finding": "counts and keys",
    "learned": "what is known of the account itself",
    "left_out": "source ids and rules",
    "loaded_row": "source ids",
    "meta": "what the migration is",
    "owner": "ids of staff and users",
    "rejection": "source ids, codes and reasons, without values",
    "run": "when, and what it spent",
    "sample_unit": "numbers",
    "sampled": "source keys",
    "schema_decision": "names of fields",
    "shown": "what gates showed: counts, names of staff, no value of a record",
    "snapshot": "names and hashes of the export's files",
    "snapshot_stream": "schemas and codebooks",
    "spec": "the map, which approvals rest on",
    "throwaway": "records that flit invented to probe the account",
    "used": "source ids",
}
"""Table to what it holds that is no value of a record."""

OF_OTHERS = ("sqlite_", "_sqlite_migrations")


class Purging:
    """Takes values out of the journal."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def purged_at(self) -> str | None:
        """Return when values were purged, None when they are there."""
        value = self._store.value("SELECT value FROM meta WHERE name = ?", (PURGED,))
        return None if value is None else str(value)

    def unknown_tables(self) -> list[str]:
        """Return tables of which nobody has said whether they hold values."""
        rows = self._store.tuples("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
        return [name for (name,) in rows if name not in {**EMPTIED, **KEPT} and not name.startswith(OF_OTHERS)]

    def purge(self, at: str, by: str) -> dict[str, int]:
        """Empty every table that holds values, and add that to the audit log; return rows emptied, per table.

        The file's free pages and its log may hold values until `compact` has run.
        """

        def job(db: sqlite3.Connection) -> dict[str, int]:
            db.execute("PRAGMA secure_delete = ON")
            emptied = {table: db.execute(statement).rowcount for table, statement in EMPTIED.items()}
            db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (PURGED, at))
            append(db, at, {"outcome": "purged", "by": by, "emptied": emptied})
            return emptied

        return self._store.write(job)


def compact(path: Path) -> None:
    """Write the journal's file anew without its free pages, and cut its log to nothing.

    :raises JournalError: another program has the journal open.
    """
    try:
        with closing(sqlite3.connect(path, timeout=BUSY_S, isolation_level=None)) as db:
            db.execute("VACUUM")
            busy = db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
    except sqlite3.Error as exc:
        raise JournalError(f"{path}: the file could not be written anew ({exc}). {_AGAIN}") from exc
    if busy:
        raise JournalError(f"{path}: another program reads this journal. {_AGAIN}")


_AGAIN = "Values may still be in it: close what has it open, make room, and purge again."
