"""The audit log: every outcome, in a hash chain whose length and head every report prints."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flitstack.journal.jsontext import dumps

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Mapping, Sequence

    from flitstack.journal.store import Store
    from flitstack.protocols import JSON

START = "0" * 64


@dataclass(frozen=True, slots=True)
class Head:
    """Length and last hash of the chain: a cut tail shows. As text, `LENGTH:HASH`."""

    length: int
    hash: str

    def __str__(self) -> str:
        return f"{self.length}:{self.hash}"

    def as_json(self) -> dict[str, JSON]:
        """Return what `--json` prints: how many lines, and the head as `flit journal verify --head` takes it."""
        return {"length": self.length, "head": str(self)}


def next_hash(previous: str, at: str, event: str) -> str:
    """Return the hash of an event (its JSON text) that follows `previous`."""
    return hashlib.sha256(f"{previous}\n{at}\n{event}".encode()).hexdigest()


def append(db: sqlite3.Connection, at: str, event: Mapping[str, Any]) -> None:
    """Add an event to the chain, inside the caller's transaction."""
    append_all(db, [(at, event)])


def append_all(db: sqlite3.Connection, events: Sequence[tuple[str, Mapping[str, Any]]]) -> None:
    """Add events, each with its time, in their order, inside the caller's transaction."""
    if not events:
        return
    last = db.execute("SELECT hash FROM audit ORDER BY seq DESC LIMIT 1").fetchone()
    digest = last[0] if last else START
    rows: list[tuple[str, str, str]] = []
    for at, event in events:
        text = dumps(dict(event))
        digest = next_hash(digest, at, text)
        rows.append((at, text, digest))
    db.executemany("INSERT INTO audit (at, event, hash) VALUES (?, ?, ?)", rows)


class AuditLog:
    """Reads the chain."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def head(self) -> Head:
        """Return length and head."""
        row = self._store.row("SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1")
        return Head(row["seq"], row["hash"]) if row else Head(0, START)

    def at(self, length: int) -> Head | None:
        """Return the head that the chain had when it was so long, None when it never was."""
        if length == 0:
            return Head(0, START)
        value = self._store.value("SELECT hash FROM audit WHERE seq = ?", (length,))
        return None if value is None else Head(length, str(value))

    def events(self) -> Iterator[tuple[int, str, str, str]]:
        """Yield (number, time, event as JSON text, hash)."""
        for row in self._store.rows("SELECT * FROM audit ORDER BY seq"):
            yield row["seq"], row["at"], row["event"], row["hash"]

    def broken_at(self) -> int | None:
        """Return the number of the first event that does not follow from the one before, None when all do."""
        previous = START
        for expected, (seq, at, event, digest) in enumerate(self.events(), start=1):
            if seq != expected or digest != next_hash(previous, at, event):
                return expected
            previous = digest
        return None
