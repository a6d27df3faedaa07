"""What a later export changes, counted by desired record: new, changed, vanished; and what its columns hold."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flitstack.journal.audit import append
from flitstack.journal.jsontext import loads

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Mapping

    from flitstack.journal.store import Store
    from flitstack.protocols import JSON

SAMPLE = 2000  # rows of a stream that tell whether one of its columns is filled at all

SAME = "{0}.object = {1}.object AND {0}.key = {1}.key AND {0}.part = {1}.part"
# A record is gone from the source when none of the rows that it was made of is in the last export of their stream.
STALE = f"""
    EXISTS (SELECT 1 FROM contribution c WHERE {SAME.format("c", "d")} AND c.role <> 'folded')
    AND NOT EXISTS (SELECT 1 FROM contribution c JOIN staged s ON s.stream = c.stream AND s.id = c.id
        JOIN snapshot_stream p ON p.stream = s.stream
        WHERE {SAME.format("c", "d")} AND c.role <> 'folded' AND s.snapshot = p.snapshot)
"""  # noqa: S608 - fixed text
# It has vanished since when one of them was in the export that was loaded before.
_VANISHED = f"""
    {STALE}
    AND EXISTS (SELECT 1 FROM contribution c JOIN loaded_row a ON a.stream = c.stream AND a.id = c.id
        WHERE {SAME.format("c", "d")} AND a.here = 1)
"""  # noqa: S608 - fixed text
_COUNTS = f"""
SELECT object, sum(is_new) AS new, sum(is_changed) AS changed, sum(is_vanished) AS vanished,
    sum(there AND NOT is_changed AND NOT is_vanished) AS unchanged, sum(there) AS there, sum(left) AS left
FROM (
    SELECT d.object, l.key NOT NULL AS there,
        l.key IS NULL AND o.verb IS 'create' AND fresh AS is_new,
        l.key IS NULL AND o.verb IS 'create' AND NOT fresh AS left,
        l.key NOT NULL AND o.verb IS 'update' AS is_changed,
        l.key NOT NULL AND o.verb IS NOT 'update' AND {_VANISHED} AS is_vanished
    FROM (SELECT d.*, EXISTS (SELECT 1 FROM contribution c WHERE {SAME.format("c", "d")} AND c.role <> 'folded'
            AND NOT EXISTS (SELECT 1 FROM loaded_row a WHERE a.stream = c.stream AND a.id = c.id AND a.moved)) AS fresh
        FROM desired d WHERE d.verdict IS NULL AND d.key NOT LIKE 'schema:%') d
    LEFT JOIN link l ON {SAME.format("l", "d")}
    LEFT JOIN (SELECT object, key, part, min(verb) AS verb FROM operation WHERE state = 'planned'
        GROUP BY object, key, part) o ON {SAME.format("o", "d")}
)
GROUP BY object
"""  # noqa: S608 - fixed text
_LOADED = f"""
INSERT INTO loaded_row
SELECT s.stream, s.id, s.snapshot = p.snapshot,
    EXISTS (SELECT 1 FROM contribution c JOIN desired d ON {SAME.format("c", "d")}
        WHERE c.stream = s.stream AND c.id = s.id AND c.role <> 'folded' AND d.verdict IS NULL)
FROM staged s JOIN snapshot_stream p ON p.stream = s.stream ORDER BY s.stream, s.id
"""  # noqa: S608 - fixed text


@dataclass(frozen=True, slots=True)
class Changed:
    """How the desired records of one object differ from those that were written.

    :param left: planned before and not written yet. :param there: written at any time.
    """

    new: int
    changed: int
    vanished: int
    unchanged: int
    there: int
    left: int


NAMES = ("new", "changed", "vanished", "unchanged", "there", "left")


class Delta:
    """Counts what a plan changes."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def keep_rows(self) -> None:
        """Keep which rows the export holds that is being loaded, and which of them move: a row that could not is new
        once it can.
        """

        def job(db: sqlite3.Connection) -> None:
            db.execute("DELETE FROM loaded_row")
            db.execute(_LOADED)

        self._store.write(job)

    def stale(self) -> str:
        """Return a hash of which rows the last export of their stream no longer has."""
        sql = (
            "SELECT s.stream, s.id FROM staged s JOIN snapshot_stream p ON p.stream = s.stream "
            "WHERE s.snapshot < p.snapshot ORDER BY s.stream, s.id"
        )
        digest = hashlib.sha256()
        for stream, record_id in self._store.tuples(sql):
            digest.update(f"{stream}\x1f{record_id}\x1e".encode())
        return digest.hexdigest()

    def note_allowed(self, event: Mapping[str, JSON], at: str) -> None:
        """Note in the audit log that a later export is loaded on the approval of an earlier one."""
        self._store.write(lambda db: append(db, at, dict(event)))

    def counts(self) -> dict[str, Changed]:
        """Return, per object, how many desired records are new, changed, vanished and unchanged, as now planned."""
        return {row["object"]: Changed(*(int(row[name] or 0) for name in NAMES)) for row in self._store.rows(_COUNTS)}

    def fills(self) -> dict[str, dict[str, int]]:
        """Return, per stream, how many of its first rows have a value in each field; only those of the last export."""
        sql = (
            "SELECT j.key, count(*) AS n FROM (SELECT data FROM staged WHERE stream = ? AND snapshot = ? "
            "AND state = 'ok' ORDER BY pos LIMIT ?) s, json_each(s.data) j WHERE j.type <> 'null' GROUP BY j.key"
        )
        streams = self._store.tuples("SELECT stream, snapshot FROM snapshot_stream ORDER BY stream")
        return {stream: dict(self._store.tuples(sql, (stream, snapshot, SAMPLE))) for stream, snapshot in streams}

    def gone(self, stream: str) -> Iterator[tuple[str, Mapping[str, JSON]]]:
        """Yield id and data of a stream's rows that the export before had and the last one has not."""
        yield from self._rows(
            "s.snapshot < p.snapshot AND EXISTS (SELECT 1 FROM loaded_row a WHERE a.stream = s.stream "
            "AND a.id = s.id AND a.here = 1)",
            stream,
        )

    def new(self, stream: str) -> Iterator[tuple[str, Mapping[str, JSON]]]:
        """Yield id and data of a stream's rows that the export before did not have."""
        yield from self._rows(
            "s.snapshot = p.snapshot AND NOT EXISTS (SELECT 1 FROM loaded_row a WHERE a.stream = s.stream "
            "AND a.id = s.id)",
            stream,
        )

    def _rows(self, where: str, stream: str) -> Iterator[tuple[str, Mapping[str, JSON]]]:
        sql = (
            "SELECT s.id, s.data FROM staged s JOIN snapshot_stream p ON p.stream = s.stream "  # noqa: S608 - fixed text
            f"WHERE s.stream = ? AND s.state = 'ok' AND {where} ORDER BY s.pos"
        )
        for row in self._store.rows(sql, (stream,)):
            yield row[0], loads(row[1])
