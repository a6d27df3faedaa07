"""Rejected rows as their files have them, and what people wrote in their place."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from flitstack.journal.audit import append_all
from flitstack.journal.buckets import REJECTED
from flitstack.journal.jsontext import dumps, loads
from flitstack.protocols import Correction, SourceRow, Where

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Mapping, Sequence

    from flitstack.journal.store import Store

# The line of a record that has vanished from the export may hold another by now: it is at no line.
_PLACED = (
    "SELECT r.stream, r.id, r.code, r.reason, r.hint, r.field, coalesce(s.file, '') AS file, "  # noqa: S608 - fixed text
    f"CASE WHEN s.snapshot = p.snapshot THEN s.line ELSE 0 END AS line FROM ({REJECTED}) r "
    "LEFT JOIN staged s ON s.stream = r.stream AND s.id = r.id LEFT JOIN snapshot_stream p ON p.stream = r.stream"
)

_KEEP = (
    "INSERT OR REPLACE INTO correction (mark, file, line, streams, keys, cells, at, state, was) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
)


@dataclass(frozen=True, slots=True)
class RejectedRecord:
    """A record that cannot move, and why.

    :param field: the column or field at fault, where one is.
    :param where: its place in the export read last; line 0 when that has it no more.
    """

    stream: str
    id: str
    code: str
    reason: str
    hint: str
    field: str | None
    where: Where


@dataclass(frozen=True, slots=True)
class KeptCorrection:
    """A correction as the journal holds it.

    :param streams: of the records that the row makes. :param keys: their source keys when it was made.
    :param cells: column to what is read there. :param was: column to what stood there before, each time.
    :param state: `waiting` until an export was read with it, then `used`; `set_aside` while no row says what it was
        made for.
    """

    mark: str
    where: Where
    streams: tuple[str, ...]
    keys: tuple[str, ...]
    cells: Mapping[str, str]
    at: str
    state: str
    was: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @property
    def revision(self) -> str:
        """Return a short hash of what it corrects: by it a sheet tells which corrections it shows."""
        return hashlib.sha256(dumps(dict(self.cells)).encode()).hexdigest()[:12]


class Corrections:
    """Rejected rows and their corrections."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def rejected(self) -> Iterator[RejectedRecord]:
        """Yield every rejection, in the order of files and lines."""
        for r in self._store.rows(f"SELECT * FROM ({_PLACED}) ORDER BY file, line, stream, id, code"):  # noqa: S608 - fixed text
            where = Where(r["file"], r["line"])
            yield RejectedRecord(r["stream"], r["id"], r["code"], r["reason"], r["hint"], r["field"], where)

    def places(self) -> list[Where]:
        """Return where rejected records stand in the export, each place once."""
        sql = f"SELECT DISTINCT file, line FROM ({_PLACED}) WHERE line > 0 ORDER BY file, line"  # noqa: S608 - fixed text
        return [Where(file, line) for file, line in self._store.tuples(sql)]

    def keep_rows(self, rows: Sequence[SourceRow]) -> None:
        """Keep the rows that rejected records come from, in place of those kept before."""
        values = [(r.where.file, r.where.line, r.mark, dumps(r.columns), dumps(r.cells)) for r in rows]

        def job(db: sqlite3.Connection) -> None:
            db.execute("DELETE FROM rejected_row")
            db.executemany("INSERT OR REPLACE INTO rejected_row VALUES (?, ?, ?, ?, ?)", values)

        self._store.write(job)

    def rows(self) -> Iterator[SourceRow]:
        """Yield the rows that are kept."""
        for r in self._store.rows("SELECT * FROM rejected_row ORDER BY file, line"):
            yield SourceRow(Where(r[0], r[1]), r[2], tuple(loads(r[3])), tuple(loads(r[4])))

    def correct(self, corrections: Sequence[KeptCorrection], facts: Mapping[str, str]) -> None:
        """Keep corrections, each over what was corrected in that row before; the audit log names rows and columns.

        :param facts: what else the audit log says of each.
        """

        def job(db: sqlite3.Connection) -> None:
            for c in corrections:
                known = db.execute("SELECT cells, was FROM correction WHERE mark = ?", (c.mark,)).fetchone()
                cells = {**(loads(known[0]) if known else {}), **c.cells}
                was: dict[str, Sequence[str]] = loads(known[1]) if known else {}
                was |= {name: [*was.get(name, ()), *texts] for name, texts in c.was.items()}
                where = (c.where.file, c.where.line)
                row = (c.mark, *where, dumps(c.streams), dumps(c.keys), dumps(cells), c.at, c.state, dumps(was))
                db.execute(_KEEP, row)
            append_all(db, [(c.at, {**facts, "outcome": "row_corrected", **_told(c)}) for c in corrections])

        self._store.write(job)

    def withdraw(self, corrections: Sequence[KeptCorrection], at: str, facts: Mapping[str, str]) -> None:
        """Forget corrections: their rows are read as they stand."""

        def job(db: sqlite3.Connection) -> None:
            db.executemany("DELETE FROM correction WHERE mark = ?", [(c.mark,) for c in corrections])
            append_all(db, [(at, {**facts, "outcome": "correction_withdrawn", **_told(c)}) for c in corrections])

        self._store.write(job)

    def kept(self) -> list[KeptCorrection]:
        """Return all corrections, in the order of files and lines."""
        rows = self._store.rows("SELECT * FROM correction ORDER BY file, line, mark")
        return [
            KeptCorrection(
                r["mark"], Where(r["file"], r["line"]), tuple(loads(r["streams"])), tuple(loads(r["keys"])),
                loads(r["cells"]), r["at"], r["state"], loads(r["was"]),
            )
            for r in rows
        ]  # fmt: skip

    def for_reader(self) -> list[Correction]:
        """Return what a reader is to read in place of rows."""
        return [Correction(kept.mark, kept.cells) for kept in self.kept()]

    def set_states(self, states: Mapping[str, str]) -> None:
        """Note, by mark, what became of corrections when the export was read."""
        sql = "UPDATE correction SET state = ? WHERE mark = ?"
        rows = [(state, mark) for mark, state in states.items()]
        self._store.write(lambda db: db.executemany(sql, rows))

    def refused(self, records: Sequence[tuple[str, str]]) -> list[int]:
        """Return the operations that the destination refused of these source records (stream, id)."""
        sql = (
            "SELECT DISTINCT o.id FROM operation o JOIN contribution c ON c.object = o.object AND c.key = o.key "
            "AND c.part = o.part WHERE o.state = 'rejected' AND c.role <> 'folded' AND c.stream = ? AND c.id = ?"
        )
        return sorted({number for record in records for (number,) in self._store.tuples(sql, record)})


def _told(c: KeptCorrection) -> dict[str, object]:
    """Return what the audit log says of a correction: never a value."""
    return {"keys": list(c.keys), "file": c.where.file, "line": c.where.line, "fields": sorted(c.cells)}
