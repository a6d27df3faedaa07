"""Undo: what was written and can be taken back, and what the journal forgets once it was."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flitstack.journal.audit import append
from flitstack.journal.jsontext import dumps, loads
from flitstack.journal.operations import BESIDE, read_operation
from flitstack.journal.rebuilding import REBUILT

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Mapping, Sequence

    from flitstack.journal.operations import OperationRow
    from flitstack.journal.store import Store
    from flitstack.protocols import JSON

Name = tuple[str, str, str]
HABITS = "undo habits"

# Operations of an earlier life of an adopted record were taken back already: they say nothing of what it held now.
_WRITTEN = """
SELECT o.* FROM operation o LEFT JOIN earlier_life e ON e.object = o.object AND e.key = o.key AND e.part = o.part
WHERE o.object = ? AND o.key = ? AND o.part = ? AND o.state = 'done' AND o.verb <> 'delete'
    AND o.id > coalesce(e.until, 0)
    AND o.id >= coalesce((SELECT made_by FROM link l WHERE l.object = o.object AND l.key = o.key
        AND l.part = o.part), 0)
ORDER BY o.id
"""
_OURS = """
SELECT l.object, l.key, l.part, l.destination_id, l.made_by, m.sent_run, m.code, coalesce(m.entry, c.entry, '') AS entry
FROM link l LEFT JOIN operation m ON m.id = l.made_by LEFT JOIN operation c ON c.id = l.changed_by
ORDER BY l.made_by DESC, l.object, l.key, l.part
"""
_RUNS = """
SELECT r.id, r.started_at, count(*) AS n FROM run r JOIN operation o ON o.sent_run = r.id
WHERE o.state = 'done' AND o.inverse_of IS NULL GROUP BY r.id ORDER BY r.started_at, r.id
"""
_LEADS = """
SELECT DISTINCT o.object, j.key AS name, json_extract(j.value, '$[0]') AS target
FROM operation o, json_each(o.links) j WHERE o.links <> '{}' AND json_extract(j.value, '$[1]') <> ''
    AND json_extract(j.value, '$[0]') <> '='
"""
_BESIDE = f"""
SELECT l.object, j.key AS name, j.value AS value, j.type AS type, count(*) AS n FROM link l,
    json_each(l.after, '$."{BESIDE}"') j WHERE l.made_by NOT NULL GROUP BY 1, 2, 3, 4
"""  # noqa: S608 - fixed text

_READ_BACK = f"""
SELECT object, count(*) AS n FROM link WHERE made_by NOT NULL AND json_type(after, '$."{BESIDE}"') = 'object'
GROUP BY object
"""  # noqa: S608 - fixed text

_FILLED = f"""
SELECT object, j.key AS field, count(*) AS n FROM link, json_each(wanted, '$.fields') j
WHERE made_by NOT NULL AND (json_type(after, '$."{BESIDE}"') IS 'object') >= ? GROUP BY 1, 2
"""  # noqa: S608 - fixed text


@dataclass(frozen=True, slots=True)
class Ours:
    """A record or schema item that the journal has a link to.

    :param made_by: the operation that created it; None when the account had it before.
    :param run: that created it. :param rebuilt: found in the account by its key: nobody knows who created it.
    """

    object: str
    key: str
    part: str
    destination_id: str
    made_by: int | None
    run: str | None
    rebuilt: bool
    entry: str

    @property
    def name(self) -> Name:
        """Return object, key and part."""
        return self.object, self.key, self.part


@dataclass(frozen=True, slots=True)
class Written:
    """One write of a record that was done; `before` is what it replaced, links as `@NAME`."""

    operation: int
    fields: Mapping[str, JSON]
    links: Mapping[str, Any]
    before: Mapping[str, Any]
    run: str | None
    is_undo: bool


class Undo:
    """Reads what was written, and forgets what was taken back."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def ours(self) -> list[Ours]:
        """Return all that is linked, the newest first."""
        return [
            Ours(r["object"], r["key"], r["part"], r["destination_id"], r["made_by"], r["sent_run"],
                 r["code"] == REBUILT, r["entry"])
            for r in self._store.rows(_OURS)
        ]  # fmt: skip

    def written(self, name: Name) -> list[Written]:
        """Return the writes of a record that were done and make it what it is, the oldest first."""
        return [
            Written(r["id"], loads(r["fields"]), loads(r["links"]), loads(r["before"]) if r["before"] else {},
                    r["sent_run"], r["inverse_of"] is not None)
            for r in self._store.rows(_WRITTEN, name)
        ]  # fmt: skip

    def runs(self) -> list[tuple[str, str, int]]:
        """Return (run, when it began, writes) of the runs that wrote anything, the oldest first."""
        return [(r["id"], r["started_at"], r["n"]) for r in self._store.rows(_RUNS)]

    def touched(self, run: str) -> set[Name]:
        """Return the records that a run wrote."""
        sql = (
            "SELECT DISTINCT object, key, part FROM operation WHERE sent_run = ? AND state = 'done' "
            "AND inverse_of IS NULL"
        )
        return {(r["object"], r["key"], r["part"]) for r in self._store.rows(sql, (run,))}

    def leads_to(self) -> dict[str, dict[str, str]]:
        """Return, per object, each link that was ever written and the object that it leads to."""
        found: dict[str, dict[str, str]] = {}
        for row in self._store.rows(_LEADS):
            found.setdefault(row["object"], {})[row["name"]] = row["target"]
        return found

    def beside(self) -> Iterator[tuple[str, str, JSON, int]]:
        """Yield (object, field, value, count) of what created records held beside what was written to them."""
        for r in self._store.rows(_BESIDE):
            value = json.loads(r["value"]) if r["type"] in ("object", "array") else r["value"]
            yield r["object"], r["name"], bool(value) if r["type"] in ("true", "false") else value, r["n"]

    def read_back(self) -> dict[str, int]:
        """Return how many created records of each object were read back with what they held beside our own writes."""
        return {row["object"]: row["n"] for row in self._store.rows(_READ_BACK)}

    def filled(self, *, read_back: bool) -> dict[tuple[str, str], int]:
        """Return into how many created records each (object, field) was written.

        :param read_back: of those alone that were read back with what they held beside our own writes.
        """
        return {(row["object"], row["field"]): row["n"] for row in self._store.rows(_FILLED, (int(read_back),))}

    def removed_id(self, name: Name) -> str | None:
        """Return the id that a record had before it was deleted, None when it never was."""
        sql = (
            "SELECT destination_id FROM operation WHERE object = ? AND key = ? AND part = ? AND verb = 'delete' "
            "AND state = 'done' ORDER BY id DESC LIMIT 1"
        )
        row = self._store.row(sql, name)
        return str(row["destination_id"]) if row else None

    def unsettled(self) -> list[OperationRow]:
        """Return undo writes that were refused, or met somebody's change."""
        sql = "SELECT * FROM operation WHERE inverse_of NOT NULL AND state IN ('rejected', 'conflict') ORDER BY id"
        return [read_operation(row) for row in self._store.rows(sql)]

    def done_by(self, run: str) -> dict[tuple[str, str], int]:
        """Return how many undo writes of each (object, verb) a run carried out."""
        sql = (
            "SELECT object, verb, count(*) AS n FROM operation WHERE inverse_of NOT NULL AND state = 'done' "
            "AND sent_run = ? GROUP BY object, verb"
        )
        return {(r["object"], r["verb"]): r["n"] for r in self._store.rows(sql, (run,))}

    def drop(self, operations: Sequence[int]) -> None:
        """Withdraw undo writes that did not come about."""
        sql = "UPDATE operation SET state = 'superseded' WHERE id = ? AND state IN ('rejected', 'conflict')"
        self._store.write(lambda db: db.executemany(sql, [(number,) for number in operations]))

    def let_go(self, names: Sequence[Name]) -> None:
        """Forget that the account's own records were adopted: they are as they were before."""

        def job(db: sqlite3.Connection) -> None:
            for name in names:
                db.execute(
                    "INSERT OR REPLACE INTO earlier_life SELECT ?1, ?2, ?3, coalesce(max(id), 0) FROM operation "
                    "WHERE object = ?1 AND key = ?2 AND part = ?3",
                    name,
                )
                db.execute("DELETE FROM link WHERE object = ? AND key = ? AND part = ? AND made_by IS NULL", name)
                db.execute("DELETE FROM adoption WHERE object = ? AND key = ? AND part = ?", name)

        self._store.write(job)

    def withdraw_approvals(self, run: str, at: str, meta: Sequence[str]) -> int:
        """Let no approval stand that was given before, and forget these marks of the migration; return how many."""

        def job(db: sqlite3.Connection) -> int:
            found = db.execute("SELECT gate, hash FROM approval ORDER BY gate, hash").fetchall()
            if found:
                gates = [[row["gate"], row["hash"]] for row in found]
                append(db, at, {"run": run, "outcome": "approvals_withdrawn", "gates": gates})
                db.execute("DELETE FROM approval")
            db.executemany("DELETE FROM meta WHERE name = ?", [(name,) for name in meta])
            return len(found)

        return self._store.write(job)

    def keep_habits(self, habits: Mapping[str, Mapping[str, str]]) -> None:
        """Keep what the account puts into records by itself, object to field to value: undone, nothing tells it."""
        text = dumps({object_: dict(values) for object_, values in habits.items()})
        self._store.write(lambda db: db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (HABITS, text)))

    def habits(self) -> dict[str, dict[str, str]]:
        """Return what an earlier undo kept, {} when none did."""
        text = self._store.value("SELECT value FROM meta WHERE name = ?", (HABITS,))
        return {} if text is None else dict(json.loads(str(text)))

    def begin_anew(self) -> None:
        """Once nothing of ours is there any more, let the next plan decide anew which fields get one of their own."""

        def job(db: sqlite3.Connection) -> None:
            if db.execute("SELECT 1 FROM link").fetchone() is None:
                db.execute("DELETE FROM schema_decision")
                db.execute("DELETE FROM meta WHERE name = ?", (HABITS,))

        self._store.write(job)

    def log(self, at: str, event: Mapping[str, Any]) -> None:
        """Add a line to the audit log."""
        self._store.write(lambda db: append(db, at, json.loads(dumps(dict(event)))))
