"""Runs, gates, approvals, and what identifies a migration."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from flitstack.errors import ConfigurationError
from flitstack.journal.audit import START, append
from flitstack.journal.jsontext import dumps
from flitstack.journal.spending import note_spent

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from flitstack.journal.spending import Spending
    from flitstack.journal.store import Store
    from flitstack.protocols import JSON


@dataclass(frozen=True, slots=True)
class Approval:
    """Who passed a gate, and how: `approved`, or `unseen`.

    :param attestation: the agreement that was named with it; "" when none was asked for, or none was given.
    :param audit_length, audit_head: of the audit log when it was given.
    """

    gate: str
    hash: str
    by: str
    at: str
    how: str
    attestation: str = ""
    audit_length: int = field(default=0, compare=False)
    audit_head: str = field(default="", compare=False)


class Runs:
    """Invocations, approvals and the migration's identity."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def identify(self, name: str, value: str, what_to_do: str) -> None:
        """Fix a part of the migration's identity when it is first known; refuse another one later.

        :raises ConfigurationError: the journal was made with another value.
        """
        known = self._store.value("SELECT value FROM meta WHERE name = ?", (name,))
        if known is None:
            self._store.write(lambda db: db.execute("INSERT INTO meta VALUES (?, ?)", (name, value)))
        elif known != value:
            raise ConfigurationError(f"{self._store.path}: this journal was made for {name} {known!r}. {what_to_do}")

    def meta(self, name: str) -> str | None:
        """Return a part of the identity."""
        value = self._store.value("SELECT value FROM meta WHERE name = ?", (name,))
        return None if value is None else str(value)

    def remember(self, name: str, value: str) -> None:
        """Keep something about the migration, in place of what was kept before."""
        self._store.write(lambda db: db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (name, value)))

    def learn(self, found: Mapping[str, JSON], at: str) -> None:
        """Keep what was found out about the account, by name, in place of what was known before."""
        rows = [(name, dumps(value), at) for name, value in found.items()]
        self._store.write(lambda db: db.executemany("INSERT OR REPLACE INTO learned VALUES (?, ?, ?)", rows))

    def learned(self) -> dict[str, JSON]:
        """Return what is known about the account, by name."""
        return {row["name"]: json.loads(row["value"]) for row in self._store.rows("SELECT * FROM learned")}

    def begin(self, run: str, at: str, version: str) -> None:
        """Note that a run began."""

        def job(db: sqlite3.Connection) -> None:
            db.execute(
                "INSERT INTO run (id, started_at, status, version) VALUES (?, ?, 'running', ?)", (run, at, version)
            )
            append(db, at, {"run": run, "outcome": "run_started", "version": version})

        self._store.write(job)

    def predict(self, run: str, tokens: int, minimum: int, spent: Spending | None = None) -> None:
        """Note what a run is expected to spend, the least it could, and what it has spent until now."""

        def job(db: sqlite3.Connection) -> None:
            note_spent(db, spent)
            db.execute("UPDATE run SET tokens_predicted = ?, minimum = ? WHERE id = ?", (tokens, minimum, run))

        self._store.write(job)

    def finish(self, run: str, at: str, status: str, requests: int, tokens: int) -> None:
        """Note how a run ended and what it spent."""

        def job(db: sqlite3.Connection) -> None:
            sql = "UPDATE run SET finished_at = ?, status = ?, requests = ?, tokens = ? WHERE id = ?"
            db.execute(sql, (at, status, requests, tokens, run))
            append(db, at, {"run": run, "outcome": "run_finished", "status": status, "tokens": tokens})

        self._store.write(job)

    def spent_since(self, at: str) -> int:
        """Return the budget units that earlier runs spent since a time."""
        return int(self._store.value("SELECT coalesce(sum(tokens), 0) FROM run WHERE started_at >= ?", (at,)))

    def written_variables(self) -> dict[str, JSON] | None:
        """Return the template's variables of the last spec of which anything was sent, None when nothing was."""
        sql = (
            "SELECT variables FROM spec WHERE sha256 = (SELECT spec FROM operation WHERE intended_at NOT NULL "
            "AND spec NOT NULL ORDER BY id DESC LIMIT 1)"
        )
        row = self._store.row(sql)
        return None if row is None else dict(json.loads(row["variables"]))

    def held_of(self, entries: Sequence[str]) -> dict[str, int]:
        """Return how many records the destination holds that these entries created, per object."""
        marks = ", ".join("?" * len(entries))
        sql = (
            "SELECT l.object, count(*) AS n FROM link l JOIN operation o ON o.id = l.made_by "  # noqa: S608 - marks alone
            f"WHERE o.entry IN ({marks}) GROUP BY l.object"
        )
        return {row["object"]: row["n"] for row in self._store.rows(sql, tuple(entries))}

    def spent_today(self, now: datetime) -> int:
        """Return the budget units that earlier runs spent since midnight, UTC.

        :param now: the time, UTC.
        """
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
        return self.spent_since(midnight.isoformat(timespec="milliseconds"))

    # --- gates ---

    def show(
        self,
        run: str,
        at: str,
        texts: Mapping[str, tuple[str, str]],
        rests: Mapping[str, tuple[str, str]] | None = None,
    ) -> None:
        """Note what was shown at gates: gate to (hash, text).

        :param rests: gate to (what the text rests on, as JSON; what must be attested, "" for nothing).
        """
        rows = [
            (gate, digest, run, at, text, *(rests or {}).get(gate, ("{}", "")))
            for gate, (digest, text) in texts.items()
        ]
        sql = "INSERT OR REPLACE INTO shown (gate, hash, run, at, text, basis, attest) VALUES (?, ?, ?, ?, ?, ?, ?)"
        self._store.write(lambda db: db.executemany(sql, rows))

    def last_shown(self, gate: str) -> tuple[str, str] | None:
        """Return (hash, text) of what was last shown at a gate."""
        row = self._store.row("SELECT hash, text FROM shown WHERE gate = ? ORDER BY at DESC, rowid DESC", (gate,))
        return (row["hash"], row["text"]) if row else None

    def was_shown(self, gate: str, digest: str) -> bool:
        """Tell whether exactly this was shown before."""
        return self._store.row("SELECT 1 FROM shown WHERE gate = ? AND hash = ?", (gate, digest)) is not None

    def approve(self, at: str, approvals: Sequence[Approval], note: str = "") -> None:
        """Record approvals, each bound to the hash of what was shown."""

        def job(db: sqlite3.Connection) -> None:
            for a in approvals:
                last = db.execute("SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1").fetchone()
                length, head = last or (0, START)
                db.execute(
                    "INSERT OR REPLACE INTO approval (gate, hash, by, at, how, attestation, audit_length, audit_head) "
                    "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                    (a.gate, a.hash, a.by, a.at, a.how, a.attestation, length, head),
                )
                event = {"gate": a.gate, "hash": a.hash, "by": a.by, "how": a.how, "note": note, "outcome": "approved"}
                append(db, at, event | ({"attestation": a.attestation} if a.attestation else {}))

        self._store.write(job)

    def approval(self, gate: str, digest: str) -> Approval | None:
        """Return the approval of exactly this, None when nobody gave it."""
        row = self._store.row("SELECT * FROM approval WHERE gate = ? AND hash = ?", (gate, digest))
        return read_approval(row) if row else None


def read_approval(row: sqlite3.Row) -> Approval:
    """Return a row of the table of approvals."""
    given = (row["gate"], row["hash"], row["by"], row["at"], row["how"], row["attestation"])
    return Approval(*given, row["audit_length"], row["audit_head"])
