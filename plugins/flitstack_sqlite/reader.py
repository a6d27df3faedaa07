"""Reads a SQLite database: each table a stream, each row a record, nothing ever written to it."""

from __future__ import annotations

import hashlib
import io
import sqlite3
from contextlib import suppress
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from sqlite_utils import Database

from flitstack.errors import NotAnExportError, UsageError
from flitstack.protocols import Finding, InputFile, Record, Rejection, Stream, Where
from flitstack_sqlite.journal import as_of_journal, is_journal, read_journal_stream, streams_of_journal
from flitstack_sqlite.settings import parse_settings
from flitstack_sqlite.shape import MANIFEST, ROWID, Column, Shape, shapes_of
from flitstack_sqlite.values import UnfitError, json_value, key_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from flitstack.protocols import JSON
    from flitstack_sqlite.settings import Settings

MAGIC = b"SQLite format 3\x00"
BLOCK = 1 << 20
BYTES = "bytes:"
"""Before the place of a cell's bytes: such a value is a path that `open_attachment` takes."""


def open_database(path: str, given: Mapping[str, Any]) -> SqliteReader:
    """Return a reader of the database at this path.

    :raises NotAnExportError: there is no SQLite database.
    :raises SettingsError: a setting names what is not there.
    """
    place = Path(path)
    if place.is_dir():
        raise NotAnExportError(f"{path}: it is a folder. Give the path of one SQLite database with --input.")
    if not place.is_file():
        raise NotAnExportError(f"{path}: there is no such file. Give the path of a SQLite database with --input.")
    try:
        with place.open("rb") as file:
            head = file.read(len(MAGIC))
    except OSError as exc:
        raise NotAnExportError(f"{path}: the file cannot be read. Check its permissions.") from exc
    if head != MAGIC:
        raise NotAnExportError(
            f"{path}: this is no SQLite database, or it is encrypted. Decrypt it, or export what it holds to one."
        )
    return SqliteReader(place, parse_settings(given))


class SqliteReader:
    """Reads one database in one transaction, so that what is written to it meanwhile is not half seen."""

    def __init__(self, path: Path, settings: Settings) -> None:
        self._path = path
        self._settings = settings
        self._rows: dict[str, int] = {}
        try:
            self._connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
            self._connection.text_factory = _text_of
            self._connection.execute("PRAGMA query_only = ON")
            self._connection.execute("PRAGMA trusted_schema = OFF")
            self._connection.execute("BEGIN")
            self._database = Database(self._connection)
            self._journal = is_journal(self._database)
            self._shapes = {} if self._journal else shapes_of(self._database, settings)
        except sqlite3.Error as exc:
            raise self._damaged(exc) from exc

    def streams(self) -> Sequence[Stream]:
        """Return the tables.

        :raises NotAnExportError: there is none.
        """
        found = self.known_streams()
        if not found:
            raise NotAnExportError(f"{self._path}: the database has no table to read. Check --input and source.tables.")
        return found

    def known_streams(self) -> Sequence[Stream]:
        """Return the tables: a database has no others."""
        if self._journal:
            return streams_of_journal(self._database, self._path.name)
        return [Stream(shape.name, shape.schema, (self._path.name,)) for shape in self._shapes.values()]

    def read(self, stream: str) -> Iterator[Record | Rejection]:
        """Yield every row of a table, in the order of its key.

        Its place is counted from 1 in that order.
        """
        try:
            rows = read_journal_stream(self._database, stream) if self._journal else self._read(self._shapes[stream])
            for number, row in enumerate(rows, 1):
                self._rows[stream] = number
                yield row
        except sqlite3.Error as exc:
            raise self._damaged(exc) from exc

    def as_of(self) -> datetime | date | None:
        """Return the day that the settings state, else the manifest: a table `export_info` with a column `as_of`.

        :raises NotAnExportError: the manifest holds no ISO 8601 date or time.
        """
        stated = self._settings.as_of or self._manifest()
        try:
            return _moment(stated) if stated else None
        except ValueError as exc:
            raise NotAnExportError(
                f"{self._path}, table {MANIFEST}, column as_of: no date. Write YYYY-MM-DD, or set source.as_of."
            ) from exc

    def _manifest(self) -> str | None:
        if self._journal:
            return as_of_journal(self._database)
        if MANIFEST not in self._database.table_names() or "as_of" not in self._database[MANIFEST].columns_dict:
            return None
        rows = [row[0] for row in self._database.execute(f"SELECT as_of FROM {MANIFEST} LIMIT 1")]  # noqa: S608 - fixed text
        return str(rows[0]) if rows and rows[0] is not None else None

    def inventory(self) -> Sequence[InputFile]:
        """Return the file."""
        digest = hashlib.sha256()
        with self._path.open("rb") as file:
            while block := file.read(BLOCK):
                digest.update(block)
        kind = "journal of flit" if self._journal else "SQLite database"
        rows = sum(self._rows.values()) if self._rows else None
        return [InputFile(self._path.name, self._path.stat().st_size, digest.hexdigest(), kind, "database", rows)]

    def findings(self) -> Sequence[Finding]:
        """Return which tables have keys that a copy may change."""
        return [
            Finding(
                "no_stable_key",
                f'Table "{shape.name}" has no primary key: its rows are known by their rowid, which VACUUM and a copy '
                "may change. Name the columns of its key with source.keys.",
                "warning",
                stream=shape.name,
            )
            for shape in self._shapes.values()
            if not shape.stable
        ]

    def open_attachment(self, path: str) -> BinaryIO:
        """Return the bytes of a cell; `path` is as the record states it.

        :raises UsageError: there is no such cell.
        """
        table, _, rest = path.removeprefix(BYTES).partition("/")
        column, _, rowid = rest.partition("/")
        shape = self._shapes.get(table)
        if shape is None or column not in {each.name for each in shape.columns} or not rowid.isdigit():
            raise UsageError(f"{path}: the database has no such cell.")
        sql = f"SELECT {_quoted(column)} FROM {_quoted(table)} WHERE rowid = ?"  # noqa: S608 - names of the schema
        row = self._connection.execute(sql, (int(rowid),)).fetchone()
        if row is None or not isinstance(row[0], bytes):
            raise UsageError(f"{path}: the database has no such cell.")
        return io.BytesIO(row[0])

    def close(self) -> None:
        """Let go of the database."""
        with suppress(sqlite3.Error):
            self._connection.close()

    def _read(self, shape: Shape) -> Iterator[Record | Rejection]:
        names = [_quoted(column.name) for column in shape.columns]
        key = [name if name == ROWID else _quoted(name) for name in shape.key]
        rowid = ROWID if self._has_rowid(shape.name) else "NULL"
        sql = f"SELECT {rowid}, {', '.join((*key, *names))} FROM {_quoted(shape.name)} ORDER BY {', '.join(key)}"  # noqa: S608 - names of the schema
        for number, row in enumerate(self._connection.execute(sql), 1):
            yield self._row(shape, row, Where(f"{self._path.name}, table {shape.name}", number))

    def _has_rowid(self, table: str) -> bool:
        sql = "SELECT type, wr FROM pragma_table_list WHERE name = ?"
        row = self._connection.execute(sql, (table,)).fetchone()
        return row is not None and not row[1] and row[0] == "table"

    def _row(self, shape: Shape, row: tuple[Any, ...], where: Where) -> Record | Rejection:
        rowid, keys, cells = row[0], row[1 : 1 + len(shape.key)], row[1 + len(shape.key) :]
        record_id = key_text(keys)
        if record_id is None or not _is_text(record_id):
            return Rejection(
                shape.name, None, "no_key", "The row has no key that names it: a value is missing, or is no text.",
                "Give every row a key, or name other columns with source.keys.", where, shape.key[0],
            )  # fmt: skip
        data: dict[str, JSON] = {}
        for column, cell in zip(shape.columns, cells, strict=True):
            try:
                data[column.field] = self._value(shape, column, cell, rowid)
            except UnfitError:
                return _unfit(shape, column, record_id, where)
        return Record(shape.name, record_id, data, where)

    def _value(self, shape: Shape, column: Column, cell: Any, rowid: int | None) -> JSON:
        """Return a cell as records hold it: bytes by their place, the key of another row as that row's id.

        :raises UnfitError: it is not what its column's type says.
        """
        if isinstance(cell, bytes) and column.kind in ("blob", "any") and rowid is not None:
            return f"{BYTES}{shape.name}/{column.name}/{rowid}"
        if isinstance(cell, str) and not _is_text(cell):
            raise UnfitError
        if column.references is not None and cell is not None:
            found = key_text((cell,))
            if found is None and cell != "":
                raise UnfitError
            return found
        return json_value(column.kind, cell)

    def _damaged(self, exc: sqlite3.Error) -> NotAnExportError:
        return NotAnExportError(f"{self._path}: the database cannot be read ({type(exc).__name__}). Check it with "
                                "`PRAGMA integrity_check`, or make a new copy.")  # fmt: skip


def _text_of(raw: bytes) -> str:
    """Return a text as it was put in; what is no UTF-8 is marked, so that its row can be refused by name."""
    return raw.decode("utf-8", "surrogateescape")


def _is_text(text: str) -> bool:
    return text.isascii() or not any("\ud800" <= letter <= "\udfff" for letter in text)


def _unfit(shape: Shape, column: Column, record_id: str, where: Where) -> Rejection:
    return Rejection(
        shape.name, record_id, "wrong_type", "A value is not of the type that its column declares.",
        "Correct the value, or declare the type that the column really holds.", where, column.name,
    )  # fmt: skip


def _moment(text: str) -> datetime | date:
    return date.fromisoformat(text) if len(text) == len("2026-06-30") else datetime.fromisoformat(text)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
