"""The sandbox's memory: one SQLite file, one table per kind of record, each record kept as the JSON the API shows."""

from __future__ import annotations

import json
import os
import sqlite3
from contextlib import contextmanager
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeAlias

from flitstack.errors import UsageError
from flitstack_pipedrive.sandbox.answers import Doc, to_json

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Value: TypeAlias = str | int | float | None
Where: TypeAlias = tuple[str, tuple[Value, ...]]

# What lists filter and sort by, beside the common columns; named as in the record.
COLUMNS = MappingProxyType(
    {
        "person": ("owner_id", "org_id", "visible_to", "marketing_status"),
        "organization": ("owner_id", "visible_to"),
        "deal": ("owner_id", "person_id", "org_id", "pipeline_id", "stage_id", "status", "is_archived", "visible_to"),
        "activity": ("owner_id", "deal_id", "lead_id", "person_id", "org_id", "done", "due_date"),
        "lead": ("uid", "owner_id", "person_id", "organization_id", "is_archived", "visible_to", "title"),
        "note": ("user_id", "lead_id", "deal_id", "person_id", "org_id", "content"),
        "file": ("user_id", "lead_id", "deal_id", "person_id", "org_id", "activity_id"),
        "pipeline": (),
        "stage": ("pipeline_id", "order_nr"),
        "activity_type": ("key_string",),
        "field": ("entity", "field_code"),
        "user": ("email", "token"),
        "lead_label": ("uid",),
        "product": ("owner_id", "visible_to", "name"),
        "deal_product": ("deal_id", "product_id", "order_nr"),
        "follower": ("entity", "of_id", "user_id"),
        "search_entry": ("kind", "of_id", "words"),
    }
)
_INDEXES = (
    ("activity", "person_id"),
    ("activity", "deal_id"),
    ("note", "person_id"),
    ("note", "deal_id"),
    ("file", "person_id"),
    ("file", "deal_id"),
    ("file", "org_id"),
    ("deal", "person_id"),
    ("lead", "uid"),
    ("lead", "person_id"),
    ("deal_product", "deal_id"),
    ("follower", "of_id"),
    ("search_entry", "kind"),
    *((table, "update_time") for table in ("person", "organization", "deal", "activity")),
)

# Marks the file as the sandbox's; the last digit is the version of its tables.
_MARK = 0x50_44_53_02


@dataclass(slots=True)
class Row:
    """One record with what the API does not show: when it was really written, and whether it is deleted.

    :param id: number in its table; a lead shows a uuid instead.
    :param hidden: columns that are not part of the record (a lead's `uid`, a user's `token`).
    :param written: seconds since the epoch of its creation, by the account's clock.
    :param added, updated: RFC 3339, UTC; `added` may be backdated.
    """

    id: int
    doc: Doc
    added: str
    updated: str
    written: float
    deleted: bool
    hidden: Doc


class Store:
    """Reads and writes rows; every change happens inside `transaction()`."""

    def __init__(self, path: str) -> None:
        """Open the file, creating it when it is new.

        :raises UsageError: the file cannot be opened or is no state of a sandbox.
        """
        self._next_ids: dict[str, int] = {}
        self._put = {table: _insert_sql(table) for table in COLUMNS}
        try:
            # It may hold what a real export holds, so nobody else may read it; SQLite's side files follow suit.
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
            self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, cached_statements=512)
        except (OSError, sqlite3.Error) as exc:
            raise UsageError(_unusable(path, exc)) from exc
        try:
            self._prepare(path)
        except sqlite3.Error as exc:
            self._db.close()
            raise UsageError(_unusable(path, exc)) from exc
        except UsageError:
            self._db.close()
            raise

    def _prepare(self, path: str) -> None:
        """Create the tables of a new file; refuse one that belongs to something else."""
        (tables,) = self._db.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()
        (mark,) = self._db.execute("PRAGMA application_id").fetchone()
        if tables and mark != _MARK:
            raise UsageError(_unusable(path, "it is another database, or from another version"))
        self._db.execute("PRAGMA journal_mode=WAL")
        # A development aid: it survives a killed process, and need not survive a power cut.
        self._db.execute("PRAGMA synchronous=OFF")
        if not tables:
            self._create_tables()

    def _create_tables(self) -> None:
        with self.transaction():
            for table, columns in COLUMNS.items():
                extra = "".join(f", {name}" for name in columns)
                self._db.execute(
                    f"CREATE TABLE {table} (id INTEGER PRIMARY KEY, doc TEXT NOT NULL, add_time TEXT,"
                    f" update_time TEXT, written REAL, deleted INTEGER{extra})"
                )
            for table, column in _INDEXES:
                self._db.execute(f"CREATE INDEX {table}_{column} ON {table} ({column})")
            self._db.execute(f"PRAGMA application_id={_MARK}")
            self._db.execute("CREATE TABLE blob (id INTEGER PRIMARY KEY, content BLOB)")
            self._db.execute("CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT)")

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit what happens inside, or nothing of it."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def next_id(self, table: str) -> int:
        """Return the id that the table's next record will have; all records it ever had have lower ones."""
        if table not in self._next_ids:
            (highest,) = self._db.execute(f"SELECT COALESCE(MAX(id), 0) FROM {table}").fetchone()  # noqa: S608 - ours
            self._next_ids[table] = highest + 1
        return self._next_ids[table]

    def new_id(self, table: str) -> int:
        """Return an id that no record of the table ever had."""
        number = self.next_id(table)
        self._next_ids[table] = number + 1
        return number

    def put(self, table: str, row: Row) -> None:
        """Write the row over the one with its id, if there is one."""
        common = (row.id, to_json(row.doc), row.added, row.updated, row.written, row.deleted)
        extra = tuple(row.hidden[name] if name in row.hidden else row.doc.get(name) for name in COLUMNS[table])
        self._db.execute(self._put[table], common + extra)

    def find(self, table: str, wheres: Sequence[Where]) -> Row | None:
        """Return the first row that meets all conditions, deleted ones included, or None."""
        hidden = "".join(f", {name}" for name in COLUMNS[table])
        clause, values = _conditions(wheres)
        found = self._db.execute(
            f"SELECT id, doc, add_time, update_time, written, deleted{hidden} FROM {table}{clause} LIMIT 1",  # noqa: S608 - names are ours
            values,
        ).fetchone()
        if found is None:
            return None
        number, doc, added, updated, written, deleted, *extra = found
        parsed = json.loads(doc)
        aside = {k: v for k, v in zip(COLUMNS[table], extra, strict=True) if k not in parsed}
        return Row(number, parsed, added, updated, written, bool(deleted), aside)

    def select(
        self, table: str, what: str, wheres: Sequence[Where], order: str = "id", limit: int = -1, start: int = 0
    ) -> list[tuple[str, ...]]:
        """Return the columns `what` of the rows that meet all conditions, in that order."""
        clause, values = _conditions(wheres)
        sql = f"SELECT {what} FROM {table}{clause} ORDER BY {order} LIMIT ? OFFSET ?"  # noqa: S608 - names are ours
        return self._db.execute(sql, (*values, limit, start)).fetchall()

    def count(self, table: str, wheres: Sequence[Where]) -> int:
        """Return how many rows meet all conditions."""
        clause, values = _conditions(wheres)
        (number,) = self._db.execute(f"SELECT COUNT(*) FROM {table}{clause}", values).fetchone()  # noqa: S608 - ours
        return int(number)

    def live(self, table: str, number: object) -> bool:
        """Return whether a record with this id exists and is not deleted."""
        sql = f"SELECT 1 FROM {table} WHERE id = ? AND deleted = 0"  # noqa: S608 - names are ours
        return type(number) is int and abs(number) < 2**63 and self._db.execute(sql, (number,)).fetchone() is not None

    def docs(self, table: str, wheres: Sequence[Where] = (("deleted = 0", ()),), order: str = "id") -> list[Doc]:
        """Return the records that meet all conditions."""
        return [json.loads(doc) for (doc,) in self.select(table, "doc", wheres, order)]

    def put_blob(self, number: int, content: bytes) -> None:
        """Keep a file's bytes."""
        self._db.execute("INSERT OR REPLACE INTO blob VALUES (?, ?)", (number, content))

    def blob(self, number: int) -> bytes:
        """Return a file's bytes."""
        (content,) = self._db.execute("SELECT content FROM blob WHERE id = ?", (number,)).fetchone()
        return bytes(content)

    def meta(self, name: str) -> str | None:
        """Return a note about the account itself, or None."""
        found = self._db.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
        return None if found is None else str(found[0])

    def set_meta(self, name: str, value: str) -> None:
        """Keep a note about the account itself."""
        self._db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (name, value))

    def forget_ids(self) -> None:
        """Read the highest ids again; after a rollback a number handed out may be free."""
        self._next_ids.clear()

    def close(self) -> None:
        """Close the file."""
        self._db.close()


def _unusable(path: str, why: object) -> str:
    return f"{path}: cannot be used as the sandbox's state ({why}). Name another file."


def _insert_sql(table: str) -> str:
    marks = ", ".join("?" * (6 + len(COLUMNS[table])))
    return f"INSERT OR REPLACE INTO {table} VALUES ({marks})"  # noqa: S608 - names are ours


def _conditions(wheres: Sequence[Where]) -> tuple[str, tuple[Value, ...]]:
    if not wheres:
        return "", ()
    clause = " AND ".join(f"({sql})" for sql, _ in wheres)
    return f" WHERE {clause}", tuple(value for _, values in wheres for value in values)
