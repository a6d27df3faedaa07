"""Rebuilding: links for what the account holds of ours already, written by a journal that is lost.

What the account holds is kept aside while it is compared; it is gone from the journal when the comparison is over.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flitstack.journal.audit import append
from flitstack.journal.jsontext import dumps, loads
from flitstack.journal.mapped import link_json
from flitstack.journal.operations import read_operation
from flitstack.journal.records import read_desired
from flitstack.protocols import full_key

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Mapping, Sequence

    from flitstack.journal.operations import OperationRow
    from flitstack.journal.records import DesiredRow
    from flitstack.journal.store import Store
    from flitstack.protocols import JSON

REBUILT = "rebuilt"
LOOK_ALIKE = "look_alike"
EMPTY = '{"fields":{},"links":{}}'

MATCHED = """
SELECT d.*, h.id AS held_id, h.fields AS held_fields, h.links AS held_links FROM desired d
JOIN held h ON h.pos = (SELECT min(pos) FROM held o WHERE o.object = d.object AND o.key = d.key AND o.part = d.part)
WHERE d.object = ?
"""
MAKE = """
INSERT INTO operation (run, entry, verb, object, key, part, fields, links, state, level, destination_id, spec,
    settled_at, code)
SELECT :run, coalesce(d.entry, ''), 'create', h.object, h.key, h.part, '{}', '{}', 'done', 0, h.id, :spec, :at, :code
FROM (SELECT min(pos), object, id, key, part FROM held WHERE object = :object AND key NOT NULL
    GROUP BY key, part) h
LEFT JOIN desired d ON d.object = h.object AND d.key = h.key AND d.part = h.part
"""
LINK = """
INSERT INTO link (object, key, part, destination_id, wanted, after, made_by, changed_by)
SELECT object, key, part, destination_id, :empty, '{}', id, id FROM operation WHERE object = :object AND code = :code
"""


@dataclass(frozen=True, slots=True)
class Held:
    """A record that the account holds.

    :param key: source key without its part; None when it carries none.
    :param fields: in comparable form. :param links: field to destination id.
    """

    object: str
    id: str
    key: str | None
    part: str
    fields: Mapping[str, JSON]
    links: Mapping[str, str]


class Rebuilding:
    """The comparison of the account with what the map wants, and the links that follow from it."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def begin(self) -> None:
        """Forget what an earlier rebuild came to, of which nothing was made use of."""

        def job(db: sqlite3.Connection) -> None:
            db.execute("DELETE FROM held")
            ours = "SELECT id FROM operation WHERE code = ?"
            db.execute(f"DELETE FROM link WHERE changed_by IN ({ours})", (REBUILT,))  # noqa: S608 - the line above
            db.execute("DELETE FROM operation WHERE code IN (?, ?)", (REBUILT, LOOK_ALIKE))

        self._store.write(job)

    def hold(self, rows: Sequence[Held]) -> None:
        """Keep records of the account aside."""
        values = [(h.object, h.id, h.key, h.part, dumps(dict(h.fields)), dumps(dict(h.links))) for h in rows]
        sql = "INSERT INTO held (object, id, key, part, fields, links) VALUES (?, ?, ?, ?, ?, ?)"
        self._store.write(lambda db: db.executemany(sql, values))

    def drop(self, object_: str | None = None) -> None:
        """Forget what was kept aside, of one object or of all."""
        where, parameters = (" WHERE object = ?", (object_,)) if object_ else ("", ())
        self._store.write(lambda db: db.execute(f"DELETE FROM held{where}", parameters))  # noqa: S608 - fixed text

    def keyed(self) -> dict[str, int]:
        """Return how many records of each object carry a key."""
        sql = "SELECT object, count(*) AS n FROM held WHERE key NOT NULL GROUP BY object"
        return {row["object"]: row["n"] for row in self._store.rows(sql)}

    def matched(self, object_: str, most: int | None = None) -> Iterator[tuple[DesiredRow, Held]]:
        """Yield desired records with what the account holds under their keys, the oldest of several.

        :param most: only so many, spread evenly.
        """
        sql = f"SELECT count(*) FROM ({MATCHED})"  # noqa: S608 - fixed text
        step = max(1, int(self._store.value(sql, (object_,))) // most) if most else 1
        for number, row in enumerate(self._store.rows(MATCHED + " ORDER BY d.pos", (object_,))):
            if number % step == 0:
                yield read_desired(row), _held(row, row["held_id"], row["held_fields"], row["held_links"])

    def loose(self, object_: str) -> Iterator[Held]:
        """Yield records of an object that carry no key, in the order of the account's list."""
        for row in self._store.rows("SELECT * FROM held WHERE object = ? AND key IS NULL ORDER BY pos", (object_,)):
            yield Held(object_, row["id"], None, "", loads(row["fields"]), loads(row["links"]))

    def missing(self, object_: str) -> Iterator[DesiredRow]:
        """Yield desired records of an object that may be written and are not linked."""
        sql = (
            "SELECT * FROM desired d WHERE d.object = ? AND d.verdict IS NULL AND NOT EXISTS (SELECT 1 FROM link l "
            "WHERE l.object = d.object AND l.key = d.key AND l.part = d.part) ORDER BY d.pos"
        )
        for row in self._store.rows(sql, (object_,)):
            yield read_desired(row)

    def link_keyed(self, object_: str, run: str, spec: str, at: str) -> None:
        """Link every record of an object that carries a key: a migration created it."""
        facts = {"object": object_, "run": run, "spec": spec, "at": at, "code": REBUILT, "empty": EMPTY}

        def job(db: sqlite3.Connection) -> None:
            db.execute(MAKE, facts)
            db.execute(LINK, facts)

        self._store.write(job)

    def link_loose(self, pairs: Sequence[tuple[DesiredRow, str]], run: str, spec: str, at: str) -> None:
        """Link desired records to what is recognised without a key: nobody can say who put it there."""

        def job(db: sqlite3.Connection) -> None:
            for desired, destination_id in pairs:
                number = _operation(db, desired, "update", "done", REBUILT, destination_id, (run, spec, at))
                db.execute(
                    "INSERT INTO link (object, key, part, destination_id, wanted, after, changed_by) "
                    "VALUES (?, ?, ?, ?, ?, '{}', ?)",
                    (desired.object, desired.key, desired.part, destination_id, EMPTY, number),
                )

        self._store.write(job)

    def doubt(self, pairs: Sequence[tuple[DesiredRow, str]], run: str, spec: str, at: str) -> None:
        """Put desired records in doubt: a record without a key that looks just like each is in the account."""

        def job(db: sqlite3.Connection) -> None:
            for desired, destination_id in pairs:
                _operation(db, desired, "create", "in_doubt", LOOK_ALIKE, destination_id, (run, spec, at))

        self._store.write(job)

    def doubted(self) -> list[OperationRow]:
        """Return what is in doubt because of a look-alike; each operation's `destination_id` is the look-alike's."""
        sql = "SELECT * FROM operation WHERE state = 'in_doubt' AND code = ? ORDER BY id"
        return [read_operation(row) for row in self._store.rows(sql, (LOOK_ALIKE,))]

    def look_alikes(self) -> list[tuple[str, str]]:
        """Return (object, key) of what is in doubt because of a look-alike."""
        return [(row.object, full_key(row.key, row.part)) for row in self.doubted()]

    def settle(self, rows: Sequence[tuple[str, str, str, Mapping[str, Any], Mapping[str, JSON]]]) -> None:
        """Note what a link stands for: (object, key, part, wanted, fields as last read back)."""
        values = [(dumps(dict(w)), dumps(dict(a)), object_, key, part) for object_, key, part, w, a in rows]
        sql = "UPDATE link SET wanted = ?, after = ? WHERE object = ? AND key = ? AND part = ?"
        self._store.write(lambda db: db.executemany(sql, values))

    def finish(self, at: str, event: Mapping[str, Any]) -> None:
        """Forget what was kept aside, and tell the audit log what came of it."""

        def job(db: sqlite3.Connection) -> None:
            db.execute("DELETE FROM held")
            append(db, at, event)

        self._store.write(job)


def _operation(
    db: sqlite3.Connection, desired: DesiredRow, verb: str, state: str, code: str, id_: str, when: tuple[str, str, str]
) -> int:
    links = {name: link_json(link) for name, link in desired.links.items()} if state == "in_doubt" else {}
    fields = dict(desired.fields) if state == "in_doubt" else {}
    run, spec, at = when
    row = db.execute(
        "INSERT INTO operation (run, entry, verb, object, key, part, fields, links, state, level, destination_id, "
        "spec, settled_at, code) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0, ?, ?, ?, ?)",
        (run, desired.entry, verb, desired.object, desired.key, desired.part, dumps(fields), dumps(links), state, id_,
         spec, at, code),
    )  # fmt: skip
    return int(row.lastrowid or 0)


def _held(row: sqlite3.Row, id_: str, fields: str, links: str) -> Held:
    return Held(row["object"], id_, row["key"], row["part"], loads(fields), loads(links))
