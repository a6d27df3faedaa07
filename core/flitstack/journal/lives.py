"""Lives: all that the journal holds of one record, table by table, and the keys that look like one nobody knows."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flitstack.journal.findings import read_finding
from flitstack.journal.jsontext import dumps, loads
from flitstack.journal.operations import OperationRow, read_operation
from flitstack.journal.records import read_desired

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping

    from flitstack.journal.records import DesiredRow
    from flitstack.journal.store import Store
    from flitstack.protocols import JSON, Finding

CANDIDATES = 50_000
NEAREST = 5


@dataclass(frozen=True, slots=True)
class StagedRow:
    """A row of the export as it was staged last, and the snapshot that did."""

    stream: str
    id: str
    state: str
    data: Mapping[str, JSON]
    file: str
    line: int
    read_at: str
    run: str
    as_of: str


@dataclass(frozen=True, slots=True)
class Sent:
    """An operation with what only a look back needs: the runs, the map, and what was known before."""

    row: OperationRow
    run: str
    sent_run: str
    spec: str
    message: str
    before: Mapping[str, JSON] | None


@dataclass(frozen=True, slots=True)
class Place:
    """Where a record is in the destination; `after` is None until it was read back, `ours` whether flit made it."""

    object: str
    key: str
    part: str
    destination_id: str
    after: Mapping[str, JSON] | None
    ours: bool


class Lives:
    """Reads what became of single records."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def staged(self, stream: str, record_id: str) -> StagedRow | None:
        """Return a row of the export, None when none was ever read under that id."""
        sql = (
            "SELECT s.*, p.started_at, p.run, coalesce(p.as_of, '') AS as_of FROM staged s "
            "JOIN snapshot p ON p.id = s.snapshot WHERE s.stream = ? AND s.id = ?"
        )
        row = self._store.row(sql, (stream, record_id))
        if row is None:
            return None
        return StagedRow(
            row["stream"], row["id"], row["state"], dict(loads(row["data"])), row["file"], row["line"],
            row["started_at"], row["run"], row["as_of"],
        )  # fmt: skip

    def findings(self, stream: str, record_id: str, key: str) -> list[Finding]:
        """Return the findings that name a record as an example."""
        sql = "SELECT * FROM finding WHERE instr(keys, ?1) > 0 OR (stream = ?3 AND instr(keys, ?2) > 0) ORDER BY pos"
        rows = self._store.rows(sql, (dumps(key), dumps(record_id), stream))
        found = [read_finding(row) for row in rows]
        return [one for one in found if key in one.keys or (one.stream == stream and record_id in one.keys)]

    def rejections(self, stream: str, record_id: str) -> list[tuple[str, str, str, str, str]]:
        """Return (stage, code, reason, hint, field) of each rejection of a source record."""
        sql = (
            "SELECT stage, code, reason, hint, coalesce(field, '') FROM rejection WHERE stream = ? AND id = ? "
            "ORDER BY stage DESC, code"
        )
        return self._store.tuples(sql, (stream, record_id))

    def left_out(self, stream: str, record_id: str) -> list[tuple[str, str, str]]:
        """Return (stage, rule, bucket) of each rule that left a source record out."""
        sql = "SELECT stage, rule, bucket FROM left_out WHERE stream = ? AND id = ? ORDER BY stage DESC, rule"
        return self._store.tuples(sql, (stream, record_id))

    def decisions(self, stream: str, record_id: str) -> list[tuple[str, str, str]]:
        """Return (what about, decision, what it names) of each decision of a person about a source record."""
        sql = "SELECT about, decision, other FROM decision WHERE stream = ? AND id = ? ORDER BY about"
        return self._store.tuples(sql, (stream, record_id))

    def was_looked_up(self, stream: str, record_id: str) -> bool:
        """Tell whether other records' expressions looked a source record up."""
        return self._store.row("SELECT 1 FROM used WHERE stream = ? AND id = ?", (stream, record_id)) is not None

    def owner(self, stream: str, record_id: str) -> tuple[str | None, str] | None:
        """Return (user id or None, how it was found) where a source record is somebody who may own records."""
        row = self._store.row("SELECT user, how FROM owner WHERE stream = ? AND id = ?", (stream, record_id))
        return (row["user"], row["how"]) if row else None

    def made_of(self, stream: str, record_id: str) -> list[tuple[str, str, str, str]]:
        """Return (object, key, part, role) of the desired records to which a source record contributed."""
        sql = (
            "SELECT object, key, part, role FROM contribution WHERE stream = ? AND id = ? "
            "ORDER BY CASE role WHEN 'main' THEN 0 WHEN 'grouped' THEN 1 ELSE 2 END, object, key, part"
        )
        return self._store.tuples(sql, (stream, record_id))

    def named(self, key: str) -> list[tuple[str, str, str]]:
        """Return (object, key, part) of all that was ever planned, written or is desired under a key."""
        sql = (
            "SELECT object, key, part FROM desired WHERE key = ?1 UNION SELECT object, key, part FROM link "
            "WHERE key = ?1 UNION SELECT object, key, part FROM operation WHERE key = ?1 ORDER BY 1, 3"
        )
        return self._store.tuples(sql, (key,))

    def at_destination(self, object_: str, destination_id: str) -> tuple[str, str, str] | None:
        """Return (object, key, part) of what is, or was, in the destination under an id."""
        sql = (
            "SELECT object, key, part FROM link WHERE object = ?1 AND destination_id = ?2 UNION ALL "
            "SELECT object, key, part FROM operation WHERE object = ?1 AND destination_id = ?2 LIMIT 1"
        )
        return next(iter(self._store.tuples(sql, (object_, destination_id))), None)

    def desired(self, object_: str, key: str, part: str) -> DesiredRow | None:
        """Return a desired record, without its contributions."""
        row = self._store.row("SELECT * FROM desired WHERE object = ? AND key = ? AND part = ?", (object_, key, part))
        return read_desired(row) if row else None

    def operations(self, object_: str, key: str, part: str) -> list[Sent]:
        """Return every operation of a record, superseded ones included, the oldest first."""
        sql = "SELECT * FROM operation WHERE object = ? AND key = ? AND part = ? ORDER BY id"
        return [_sent(row) for row in self._store.rows(sql, (object_, key, part))]

    def place(self, object_: str, key: str, part: str) -> Place | None:
        """Return where a record is in the destination, None while it is not there."""
        row = self._store.row("SELECT * FROM link WHERE object = ? AND key = ? AND part = ?", (object_, key, part))
        if row is None:
            return None
        after = dict(loads(row["after"])) if row["after"] else None
        return Place(object_, key, part, row["destination_id"], after, row["made_by"] is not None)

    def audit(self, key: str) -> list[tuple[int, str, Mapping[str, Any]]]:
        """Return (number, time, event) of each line of the audit log about a key."""
        sql = "SELECT seq, at, event FROM audit WHERE instr(event, ?) > 0 ORDER BY seq"
        found = [(seq, at, loads(event)) for seq, at, event in self._store.tuples(sql, (dumps(key),))]
        return [one for one in found if one[2].get("key") == key]

    def lineage(self, spec: str) -> Mapping[str, Mapping[str, Mapping[str, Any]]]:
        """Return, per entry and field of a map, its expression and the source columns."""
        sql = 'SELECT event FROM audit WHERE instr(event, \'"outcome":"spec_rendered"\') > 0 AND instr(event, ?) > 0'
        events = [loads(row[0]) for row in self._store.tuples(sql, (spec,))]
        return next((dict(event["entries"]) for event in events if event.get("spec") == spec), {})

    def runs_at(self) -> dict[str, str]:
        """Return when each run began."""
        return dict(self._store.tuples("SELECT id, started_at FROM run"))

    def last_spec(self) -> tuple[str, str] | None:
        """Return hash and time of the map that was rendered last."""
        row = self._store.row("SELECT sha256, rendered_at FROM spec ORDER BY rendered_at DESC, rowid DESC")
        return (row["sha256"], row["rendered_at"]) if row else None

    def objects(self) -> set[str]:
        """Return the names of the objects of which there is anything."""
        sql = "SELECT object FROM desired UNION SELECT object FROM link UNION SELECT object FROM operation"
        return {row[0] for row in self._store.tuples(sql)}

    def nearest(self, kind: str, record_id: str) -> list[str]:
        """Return ids most like one that is unknown, of a stream, or of an object's records in the destination."""
        digits = record_id.lstrip("0") or record_id
        sql = (
            "SELECT id FROM staged WHERE stream = ?1 UNION ALL SELECT destination_id FROM link WHERE object = ?1 "
            "LIMIT ?2"
        )
        ids = [row[0] for row in self._store.tuples(sql, (kind, CANDIDATES))]
        found = [one for one in ids if one.casefold() == record_id.casefold() or one.lstrip("0") == digits]
        close = difflib.get_close_matches(record_id, ids, NEAREST, 0.5)
        return list(dict.fromkeys((*found, *close)))[:NEAREST]


def _sent(row: sqlite3.Row) -> Sent:
    before = dict(loads(row["before"])) if row["before"] else None
    return Sent(read_operation(row), row["run"], row["sent_run"] or "", row["spec"] or "", row["message"] or "", before)
