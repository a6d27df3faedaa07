"""What people decided about single records, and which records of the account were adopted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flitstack.journal.audit import append
from flitstack.journal.jsontext import dumps

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Mapping, Sequence

    from flitstack.journal.store import Store
    from flitstack.protocols import JSON

WITHDRAW = (
    "DELETE FROM link WHERE made_by IS NULL AND changed_by IS NULL AND EXISTS (SELECT 1 FROM adoption a "
    "WHERE a.object = link.object AND a.key = link.key AND a.part = link.part AND a.approved = 0)"
)


@dataclass(frozen=True, slots=True)
class Adoption:
    """A record that the account had before, taken for a desired one.

    :param wanted: as in `Link`: what it holds of the desired record already; `kept` names the fields (links as
        `@NAME`) that hold something else and stay so.
    :param after: the desired record's fields as the account holds them, comparable form.
    """

    object: str
    key: str
    part: str
    destination_id: str
    wanted: Mapping[str, Any]
    after: Mapping[str, JSON]


class Decisions:
    """Keeps decisions by the record they are about, and adoptions from their proposal on."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def kept(self) -> dict[tuple[str, str, str], tuple[str, str]]:
        """Return the decisions of earlier runs: (stream, id, about) to (decision, what it names)."""
        rows = self._store.rows("SELECT stream, id, about, decision, other FROM decision")
        return {(r["stream"], r["id"], r["about"]): (r["decision"], r["other"]) for r in rows}

    def adoptions(self) -> list[tuple[str, str, str, str]]:
        """Return (object, key, part, destination id) of what is or would be adopted, sorted."""
        sql = "SELECT object, key, part, destination_id FROM adoption ORDER BY object, key, part"
        return [(r["object"], r["key"], r["part"], r["destination_id"]) for r in self._store.rows(sql)]

    def withdraw(self) -> None:
        """Forget adoptions that were proposed and not approved."""

        def job(db: sqlite3.Connection) -> None:
            db.execute(WITHDRAW)
            db.execute("DELETE FROM adoption WHERE approved = 0")

        self._store.write(job)

    def propose(self, adoptions: Sequence[Adoption]) -> None:
        """Link desired records to what the account has, until the proposal is withdrawn or approved."""

        def job(db: sqlite3.Connection) -> None:
            for one in adoptions:
                name = (one.object, one.key, one.part, one.destination_id)
                db.execute("INSERT OR REPLACE INTO adoption VALUES (?, ?, ?, ?, 0)", name)
                db.execute(
                    "INSERT INTO link (object, key, part, destination_id, wanted, after) VALUES (?, ?, ?, ?, ?, ?)",
                    (*name, dumps(dict(one.wanted)), dumps(dict(one.after))),
                )

        self._store.write(job)

    def approve(self, decided: Iterable[tuple[tuple[str, str, str], tuple[str, str]]], at: str, run: str) -> None:
        """Keep decisions, and the adoptions that were proposed; the audit log names each."""
        rows = [(*about, *decision) for about, decision in decided]

        def job(db: sqlite3.Connection) -> None:
            known = {tuple(row) for row in db.execute("SELECT stream, id, about, decision, other FROM decision")}
            for row in rows:
                if row not in known:
                    db.execute("INSERT OR REPLACE INTO decision VALUES (?, ?, ?, ?, ?)", row)
                    event = {"run": run, "outcome": "decided", "record": f"{row[0]}:{row[1]}", "decision": row[3]}
                    append(db, at, {**event, "other": row[4]})
            sql = "SELECT object, key, part, destination_id FROM adoption WHERE approved = 0 ORDER BY object, key, part"
            for row in db.execute(sql).fetchall():
                names = ("object", "key", "part", "destination_id")
                append(db, at, {"run": run, "outcome": "adopted", **{name: row[name] for name in names}})
            db.execute("UPDATE adoption SET approved = 1")

        self._store.write(job)
