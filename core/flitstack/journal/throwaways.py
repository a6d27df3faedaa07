"""Throwaway records of probes: each is noted before it is made, so that one left behind is found and removed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3

    from flitstack.journal.store import Store


@dataclass(frozen=True, slots=True)
class Throwaway:
    """One throwaway record.

    :param destination_id: None as long as no answer said that it was made.
    :param state: `intended`, `made`; `removed` once it is gone, `kept` when a person changed it and it stays.
    :param at: when it was about to be made.
    """

    id: int
    probe: str
    object: str
    name: str
    destination_id: str | None
    state: str
    at: str


class Throwaways:
    """What probes made in the account and have not removed yet."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def intend(self, probe: str, object_: str, name: str, at: str) -> int:
        """Note, before the request leaves, that a record is about to be made; return the note's number."""

        def job(db: sqlite3.Connection) -> int:
            sql = "INSERT INTO throwaway (probe, object, name, state, at) VALUES (?, ?, ?, 'intended', ?)"
            return int(db.execute(sql, (probe, object_, name, at)).lastrowid or 0)

        return self._store.write(job)

    def made(self, number: int, destination_id: str) -> None:
        """Note that the record was made."""
        sql = "UPDATE throwaway SET destination_id = ?, state = 'made' WHERE id = ?"
        self._store.write(lambda db: db.execute(sql, (destination_id, number)))

    def settle(self, number: int, state: str) -> None:
        """Note what became of the record: `removed`, or `kept`."""
        self._store.write(lambda db: db.execute("UPDATE throwaway SET state = ? WHERE id = ?", (state, number)))

    def left(self) -> list[Throwaway]:
        """Return what may still be in the account, the newest first."""
        sql = "SELECT * FROM throwaway WHERE state IN ('intended', 'made') ORDER BY id DESC"
        return [Throwaway(*row) for row in self._store.rows(sql)]

    def kept(self) -> list[Throwaway]:
        """Return what a person has taken over, the newest first."""
        return [Throwaway(*row) for row in self._store.rows("SELECT * FROM throwaway WHERE state = 'kept' ORDER BY id")]
