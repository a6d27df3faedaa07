"""Staged records: what was read from the export, snapshot by snapshot, with what was rejected or skipped."""

from __future__ import annotations

import hashlib
import re
from collections import deque
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from flitstack.errors import Fatal
from flitstack.journal.accepting import accept, forget_refused, set_aside
from flitstack.journal.bulk import insert_rows
from flitstack.journal.findings import INSERT as INSERT_FINDING
from flitstack.journal.findings import finding_row, read_finding
from flitstack.journal.jsontext import dumps, loads
from flitstack.protocols import Record, Rejection, Skip, Where

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from concurrent.futures import Future

    from flitstack.journal.store import Store
    from flitstack.protocols import JSON, Finding, InputFile, Stream

SAFE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")

UPSERT = (
    "INSERT INTO staged (stream, id, state, data, hash, file, line, snapshot) VALUES (?, ?, ?, ?, ?, ?, ?, ?) "
    "ON CONFLICT (stream, id) DO UPDATE SET state = excluded.state, data = excluded.data, hash = excluded.hash, "
    "file = excluded.file, line = excluded.line, snapshot = excluded.snapshot"
)


# The same, but a row that this snapshot has already is left alone, which the number of changes then shows.
INSERT_NEW = "INSERT INTO staged (stream, id, state, data, hash, file, line, snapshot)"
NEW_ROW = "(?1, ?, ?, ?, ?, ?3, ?, ?2)"
UNLESS_READ = (
    "ON CONFLICT (stream, id) DO UPDATE SET state = excluded.state, data = excluded.data, hash = excluded.hash, "
    "file = excluded.file, line = excluded.line, snapshot = excluded.snapshot "
    "WHERE staged.snapshot <> excluded.snapshot"
)
CHUNK = 2000
UNDER_WAY = 4  # chunks that may wait for the disk: enough to keep it busy, few enough to be small


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One reading of an export; `as_of` is ISO text."""

    id: int
    as_of: str | None
    sha256: str | None


class Staged(NamedTuple):
    """A staged record that can move: what `Record` holds, without its cost."""

    stream: str
    id: str
    data: Mapping[str, JSON]
    file: str
    line: int

    @property
    def where(self) -> Where:
        """Where in the export it was found."""
        return Where(self.file, self.line)


class Staging:
    """Writes and reads staged records."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def begin(self, run: str, at: str) -> int:
        """Open a snapshot and forget what earlier runs derived from staged records; return its number.

        What was read and never accepted is forgotten as well.
        """

        def job(db: sqlite3.Connection) -> int:
            forget_refused(db)
            cursor = db.execute("INSERT INTO snapshot (run, started_at) VALUES (?, ?)", (run, at))
            db.execute("DELETE FROM finding")
            return int(cursor.lastrowid or 0)

        return self._store.write(job)

    def add_stream(self, snapshot: int, stream: Stream) -> None:
        """Note that the snapshot holds this stream: what it held before and is not read again has vanished."""
        row = (stream.name, snapshot, dumps(stream.schema), dumps(stream.codebook))

        def job(db: sqlite3.Connection) -> None:
            set_aside(db, stream.name)
            db.execute("INSERT OR REPLACE INTO snapshot_stream VALUES (?, ?, ?, ?)", row)
            db.execute("DELETE FROM rejection WHERE stream = ? AND stage = 'stage'", (stream.name,))
            db.execute("DELETE FROM left_out WHERE stream = ? AND stage = 'stage'", (stream.name,))
            db.execute("DELETE FROM staged WHERE stream = ? AND state <> 'ok'", (stream.name,))

        self._store.write(job)

    def add(self, snapshot: int, rows: Sequence[Record | Rejection | Skip], stamps: frozenset[str]) -> list[Rejection]:
        """Stage rows of one stream; return the rejections among them, duplicates of an id included.

        A row whose id the snapshot already has is skipped (`duplicate_row`) when it says the same, else rejected
        (`duplicate_id`).

        :param stamps: fields that say when a row was changed, and so do not count as a change.
        """
        return self._store.write(_Chunk(snapshot, stamps, rows).write)

    def add_all(
        self, snapshot: int, rows: Iterable[Record | Rejection | Skip], stamps: frozenset[str]
    ) -> Iterator[tuple[int, list[Rejection]]]:
        """Stage all rows of one stream as `add` does; yield, chunk by chunk, how many and the rejections among them.

        The next rows are read while those before are on their way to the disk.
        """
        under_way: deque[tuple[int, Future[list[Rejection]]]] = deque()
        iterator = iter(rows)
        while chunk := list(islice(iterator, CHUNK)):
            under_way.append((len(chunk), self._store.submit(_Chunk(snapshot, stamps, chunk).write)))
            if len(under_way) >= UNDER_WAY:
                count, future = under_way.popleft()
                yield count, future.result()
        for count, future in under_way:
            yield count, future.result()

    def complete(self, snapshot: int, at: str, as_of: str | None, files: Sequence[InputFile], sha256: str) -> None:
        """Close a snapshot."""
        listing = dumps(
            [
                {"name": f.name, "size": f.size, "sha256": f.sha256, "dialect": f.dialect, "role": f.role,
                 "rows": f.rows, "dropped": list(f.dropped)}
                for f in files
            ]
        )  # fmt: skip
        self._store.write(
            lambda db: db.execute(
                "UPDATE snapshot SET completed_at = ?, as_of = ?, files = ?, sha256 = ? WHERE id = ?",
                (at, as_of, listing, sha256, snapshot),
            )
        )

    def accept(self) -> None:
        """Take what is staged for what was approved: until then, the next reading forgets it."""
        self._store.write(accept)

    def latest(self) -> Snapshot | None:
        """Return the last complete snapshot."""
        row = self._store.row("SELECT id, as_of, sha256 FROM snapshot WHERE completed_at NOT NULL ORDER BY id DESC")
        return Snapshot(row["id"], row["as_of"], row["sha256"]) if row else None

    def files(self) -> list[dict[str, Any]]:
        """Return the files of the last complete snapshot."""
        text = self._store.value("SELECT files FROM snapshot WHERE completed_at NOT NULL ORDER BY id DESC")
        return list(loads(text)) if text else []

    def streams(self) -> list[str]:
        """Return the names of the streams that any snapshot has held."""
        return [row["stream"] for row in self._store.rows("SELECT stream FROM snapshot_stream ORDER BY stream")]

    def count(self, stream: str) -> int:
        """Return how many rows of a stream are staged, rejected and skipped ones included."""
        return int(self._store.value("SELECT count(*) FROM staged WHERE stream = ?", (stream,)))

    def fingerprint(self) -> str:
        """Return a hash of everything staged: equal for equal content, whatever the order of the snapshots."""
        digest = hashlib.sha256()
        for row in self._store.rows("SELECT stream, id, hash, state FROM staged ORDER BY stream, id"):
            digest.update(f"{row['stream']}\x1f{row['id']}\x1f{row['hash']}\x1f{row['state']}\x1e".encode())
        return digest.hexdigest()

    def records(self, stream: str) -> Iterator[Record]:
        """Yield the staged records of a stream that can move, in the order in which they were first read."""
        for chunk in self.chunks(stream):
            for _, found in chunk:
                yield Record(stream, found.id, found.data, found.where)

    def chunks(self, stream: str) -> Iterator[list[tuple[int, Staged]]]:
        """Yield what `records` does, many at a time and each with its number in the stream.

        Nothing is held open in between, so that what is written meanwhile need not be kept apart.
        """
        sql = (
            "SELECT pos, id, data, file, line FROM staged WHERE stream = ? AND state = 'ok' AND pos > ? "
            "ORDER BY pos LIMIT ?"
        )
        last = 0
        while rows := self._store.tuples(sql, (stream, last, CHUNK)):
            last = rows[-1][0]
            yield [(row[0], Staged(stream, row[1], loads(row[2]), row[3], row[4])) for row in rows]

    def extent(self, stream: str) -> range:
        """Return the numbers of a stream's records, from the first to beyond the last; others may lie between."""
        ((first, last),) = self._store.tuples("SELECT min(pos), max(pos) FROM staged WHERE stream = ?", (stream,))
        return range(0) if first is None else range(first, last + 1)

    def between(self, stream: str, numbers: range) -> list[tuple[int, Staged]]:
        """Return those of a stream's records that can move and have one of these numbers, each with it."""
        sql = (
            "SELECT pos, id, data, file, line FROM staged WHERE stream = ? AND state = 'ok' AND pos >= ? AND pos < ? "
            "ORDER BY pos"
        )
        rows = self._store.tuples(sql, (stream, numbers.start, numbers.stop))
        return [(row[0], Staged(stream, row[1], loads(row[2]), row[3], row[4])) for row in rows]

    def at(self, pos: int) -> Record:
        """Return the staged record with that number."""
        row = self._store.row("SELECT * FROM staged WHERE pos = ?", (pos,))
        if row is None:
            raise Fatal(f"staged record {pos} is gone.")
        return Record(row["stream"], row["id"], loads(row["data"]), Where(row["file"], row["line"]))

    def get(self, stream: str, record_id: str) -> Mapping[str, JSON] | None:
        """Return a staged record's data, or None."""
        sql = "SELECT data FROM staged WHERE stream = ? AND id = ? AND state = 'ok'"
        text = self._store.value(sql, (stream, record_id))
        return dict(loads(text)) if text else None

    def state(self, stream: str, record_id: str) -> str | None:
        """Return `ok`, `rejected` or `skipped`; None when the record was never read."""
        value = self._store.value("SELECT state FROM staged WHERE stream = ? AND id = ?", (stream, record_id))
        return str(value) if value else None

    def index(self, stream: str, field: str) -> None:
        """Make `referring` fast for a field."""
        name, field = safe_name(stream), safe_name(field)
        sql = (
            f"CREATE INDEX IF NOT EXISTS staged_{name}_{field} ON staged (json_extract(data, '$.{field}')) "
            f"WHERE stream = '{name}'"
        )
        self._store.write(lambda db: db.execute(sql))

    def referring(self, stream: str, field: str, target: str) -> list[tuple[str, Mapping[str, JSON]]]:
        """Return id and data of a stream's records whose field holds `target`, in reading order."""
        name, field = safe_name(stream), safe_name(field)
        sql = (
            f"SELECT id, data FROM staged WHERE stream = '{name}' AND json_extract(data, '$.{field}') = ? "  # noqa: S608 - both names are checked identifiers
            "AND state = 'ok' ORDER BY pos"
        )
        return [(row["id"], loads(row["data"])) for row in self._store.rows(sql, (target,))]

    def referring_many(
        self, stream: str, field: str, targets: Sequence[str]
    ) -> dict[str, list[tuple[str, Mapping[str, JSON]]]]:
        """Return what `referring` does for each target that any record refers to."""
        name, field = safe_name(stream), safe_name(field)
        sql = (
            f"SELECT json_extract(data, '$.{field}') AS target, id, data FROM staged WHERE stream = '{name}' "  # noqa: S608 - as above
            f"AND json_extract(data, '$.{field}') IN (SELECT value FROM json_each(?)) AND state = 'ok' ORDER BY pos"
        )
        found: dict[str, list[tuple[str, Mapping[str, JSON]]]] = {}
        for target, record_id, data in self._store.rows(sql, (dumps(list(targets)),)):
            found.setdefault(target, []).append((record_id, loads(data)))
        return found

    def missing_references(self, stream: str, field: str, target: str) -> Iterator[str]:
        """Yield ids of records whose reference into stream `target` leads nowhere."""
        name, field = safe_name(stream), safe_name(field)
        sql = (
            f"SELECT s.id FROM staged s WHERE s.stream = '{name}' AND s.state = 'ok' "  # noqa: S608 - as above
            f"AND json_extract(s.data, '$.{field}') NOT NULL AND NOT EXISTS (SELECT 1 FROM staged t "
            f"WHERE t.stream = ? AND t.id = json_extract(s.data, '$.{field}')) ORDER BY s.pos"
        )
        for row in self._store.rows(sql, (target,)):
            yield row["id"]

    def is_fresh(self, stream: str) -> bool:
        """Tell whether the last snapshot that holds a stream has any row of it."""
        sql = (
            "SELECT 1 FROM staged s JOIN snapshot_stream p ON p.stream = s.stream AND p.snapshot = s.snapshot "
            "WHERE s.stream = ?"
        )
        return self._store.row(sql, (stream,)) is not None

    def vanished(self, stream: str) -> list[str]:
        """Return ids of records that an earlier snapshot had and the last one that holds their stream has not."""
        sql = (
            "SELECT s.id FROM staged s JOIN snapshot_stream p ON p.stream = s.stream "
            "WHERE s.stream = ? AND s.state = 'ok' AND s.snapshot < p.snapshot ORDER BY s.pos"
        )
        return [row["id"] for row in self._store.rows(sql, (stream,))]

    def filled(self, stream: str, fields: Sequence[str]) -> dict[str, int]:
        """Return, per field, how many records of a stream have a value in it."""
        if not fields:
            return {}
        sums = ", ".join(f"sum(json_extract(data, '$.{safe_name(field)}') NOT NULL)" for field in fields)
        sql = f"SELECT {sums} FROM staged WHERE stream = ? AND state = 'ok'"  # noqa: S608 - checked identifiers
        (counts,) = self._store.tuples(sql, (stream,))
        return {field: count or 0 for field, count in zip(fields, counts, strict=True)}

    def distinct(self, stream: str, field: str) -> list[str]:
        """Return the sorted distinct values of a field."""
        name, field = safe_name(stream), safe_name(field)
        sql = (
            f"SELECT DISTINCT json_extract(data, '$.{field}') AS value FROM staged WHERE stream = '{name}' "  # noqa: S608 - as above
            "AND state = 'ok' AND value NOT NULL"
        )
        return sorted(str(row["value"]) for row in self._store.rows(sql))

    def add_findings(self, stage: str, findings: Sequence[Finding]) -> None:
        """Note findings."""
        rows = [finding_row(stage, finding) for finding in findings]
        self._store.write(lambda db: db.executemany(INSERT_FINDING, rows))

    def findings(self) -> list[Finding]:
        """Return what the last run noticed; the lines of an audit stand in its report."""
        return [read_finding(row) for row in self._store.rows("SELECT * FROM finding WHERE section = '' ORDER BY pos")]

    def forget_findings(self, stage: str) -> None:
        """Forget what a stage noted before."""
        self._store.write(lambda db: db.execute("DELETE FROM finding WHERE stage = ?", (stage,)))


class _Chunk:
    """A few rows of one stream on their way into the journal; made on the thread that read them."""

    def __init__(self, snapshot: int, stamps: frozenset[str], rows: Sequence[Record | Rejection | Skip]) -> None:
        self._snapshot = snapshot
        self._stamps = stamps
        self._rows = rows
        self._values: list[Any] = []  # id, state, data, hash, line of one row after the other
        self._files: set[str] = set()
        for row in rows:
            if type(row) is Record:
                text = dumps(row.data)
                self._values += (row.id, "ok", text, self._hash(row.data, text), row.where.line)
                self._files.add(row.where.file)
            else:
                where = row.where or NOWHERE
                state = "rejected" if isinstance(row, Rejection) else "skipped"
                self._values += (_id_of(row), state, "{}", "", where.line)
                self._files.add(where.file)

    def write(self, db: sqlite3.Connection) -> list[Rejection]:
        """Write the rows, all at once; one by one only if the snapshot has one of the ids already."""
        if not self._rows:
            return []
        db.execute("SAVEPOINT chunk")
        if len(self._files) > 1 or not self._all_new(db):
            db.execute("ROLLBACK TO chunk")
            db.execute("RELEASE chunk")
            return self._one_by_one(db)
        db.execute("RELEASE chunk")
        rejections = [row for row in self._rows if isinstance(row, Rejection)]
        skips = [(row.stream, _id_of(row), row.rule) for row in self._rows if isinstance(row, Skip)]
        return self._noted(db, rejections, skips)

    def _all_new(self, db: sqlite3.Connection) -> bool:
        shared = (self._rows[0].stream, self._snapshot, next(iter(self._files)))
        return insert_rows(db, INSERT_NEW, NEW_ROW, self._values, UNLESS_READ, shared) == len(self._rows)

    def _noted(
        self, db: sqlite3.Connection, rejections: list[Rejection], skips: list[tuple[str, str, str]]
    ) -> list[Rejection]:
        db.executemany("INSERT OR REPLACE INTO left_out VALUES (?, ?, ?, 'stage', 'skipped')", skips)
        insert_rejections(db, rejections, "stage")
        return rejections

    def _one_by_one(self, db: sqlite3.Connection) -> list[Rejection]:
        known = self._known(db)
        staged: list[tuple[str, str, str, str, str, str, int, int]] = []
        rejections: list[Rejection] = []
        skips: list[tuple[str, str, str]] = []
        for at, row in enumerate(self._rows):
            where = row.where or NOWHERE
            record_id, _, text, digest, _ = self._values[at * 5 : at * 5 + 5]
            if record_id in known:
                same = bool(digest) and known[record_id] == digest
                if row.id is None:  # another record of the same line, likewise without an id: no double of the first
                    record_id = self._unused(db, row.stream, record_id, known)
                    row = replace(row, id=record_id)
                else:
                    record_id = self._unused(db, row.stream, f"{record_id}@{where.file}:{where.line}", known)
                    row = _duplicate(row, record_id, same=same)
            known[record_id] = digest
            state = "ok"
            if isinstance(row, Rejection):
                state = "rejected"
                rejections.append(row)
            elif isinstance(row, Skip):
                state = "skipped"
                skips.append((row.stream, record_id, row.rule))
            text = text if state == "ok" else "{}"
            staged.append((row.stream, record_id, state, text, digest, where.file, where.line, self._snapshot))
        db.executemany(UPSERT, staged)
        return self._noted(db, rejections, skips)

    def _known(self, db: sqlite3.Connection) -> dict[str, str]:
        sql = "SELECT id, hash FROM staged WHERE stream = ? AND snapshot = ? AND id = ?"
        stream, snapshot = self._rows[0].stream, self._snapshot
        found = (db.execute(sql, (stream, snapshot, _id_of(row))).fetchone() for row in self._rows)
        return dict(tuple(row) for row in found if row is not None)

    def _unused(self, db: sqlite3.Connection, stream: str, record_id: str, known: Mapping[str, str]) -> str:
        """Return the id, numbered when a row of this snapshot has it already: one line may hold several records."""
        sql = "SELECT 1 FROM staged WHERE stream = ? AND snapshot = ? AND id = ?"
        found, number = record_id, 1
        while found in known or db.execute(sql, (stream, self._snapshot, found)).fetchone():
            number += 1
            found = f"{record_id}~{number}"
        return found

    def _hash(self, data: Mapping[str, JSON], text: str) -> str:
        """Return a hash of what counts as a record's content: no missing value, and no stamp of a change."""
        if ":null" in text:
            data = {name: value for name, value in data.items() if value is not None}
        kept = {**data}
        for stamp in self._stamps:
            kept.pop(stamp, None)
        if len(kept) < len(data) or ":null" in text:
            text = dumps(kept)
        return hashlib.sha256(text.encode()).hexdigest()


NOWHERE = Where("", 0)


def insert_rejections(db: sqlite3.Connection, rejections: Sequence[Rejection], stage: str) -> None:
    """Write rejections; one without an id is known by its file and line."""
    rows = [
        (r.stream, _id_of(r), r.code, r.reason, r.hint, r.field, stage)
        for r in rejections
    ]  # fmt: skip
    db.executemany("INSERT OR REPLACE INTO rejection VALUES (?, ?, ?, ?, ?, ?, ?)", rows)


def _id_of(row: Record | Rejection | Skip) -> str:
    if row.id is not None:
        return row.id
    where = row.where or NOWHERE
    return f"@{where.file}:{where.line}"


def _duplicate(row: Record | Rejection | Skip, new_id: str, *, same: bool) -> Rejection | Skip:
    where = row.where or NOWHERE
    if same:
        return Skip(row.stream, new_id, "duplicate_row", where)
    return Rejection(
        row.stream,
        new_id,
        "duplicate_id",
        "Another row of the file has the same id and says something else.",
        "Give one of the two rows an id of its own, or remove it, and run again.",
        where,
        "id",
    )


def safe_name(name: str) -> str:
    """Return the name of a stream or field, which may then stand in SQL.

    :raises Fatal: it holds anything but letters, digits and underscores.
    """
    if not SAFE_NAME.match(name):
        raise Fatal(f"{name!r} is no name for a stream or field: letters, digits and underscores only.")
    return name
