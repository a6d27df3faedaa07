"""What a run has spent so far, kept with what it commits anyway, so that one that is killed leaves a count as well."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3


@dataclass(frozen=True, slots=True)
class Spending:
    """Requests and budget units of a run until now; what is just leaving is counted among the units."""

    run: str
    requests: int
    tokens: int


def note_spent(db: sqlite3.Connection, spent: Spending | None) -> None:
    """Keep what a run has spent, within a transaction that is under way; what it says at its end goes over it."""
    if spent is not None:
        sql = "UPDATE run SET requests = ?, tokens = ? WHERE id = ? AND finished_at IS NULL"
        db.execute(sql, (spent.requests, spent.tokens, spent.run))
