"""The one door to the SQLite file: opening, the lease, one writer thread with group commit, and reading.

:data:`committing` lets a simulation put another way of committing in the thread's place.
"""

from __future__ import annotations

import errno
import os
import queue
import sqlite3
import threading
from concurrent.futures import Future
from contextlib import suppress
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from sqlite_utils import Database

from flitstack.errors import ConfigurationError, Fatal, FlitError, JournalError
from flitstack.journal.migrations import migrations, refuse_later
from flitstack.journal.readonly import APPLICATION_ID, cannot_be_written, is_read_only, open_read_only

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

T = TypeVar("T")
Job = tuple["Callable[[sqlite3.Connection], Any]", "Future[Any]"]

BUSY_S = 30.0
CHECKPOINT_PAGES = 16_384  # 64 MB of log before it is copied into the file: copying after every chunk costs a third
LEASE = "-lease"


class Committer(Protocol):
    """Brings jobs to the disk, in the order in which they were handed over."""

    def submit(self, job: Callable[[sqlite3.Connection], T]) -> Future[T]:
        """Return a future that resolves once the job's transaction is committed."""
        ...

    def run(self, job: Callable[[sqlite3.Connection], T]) -> T:
        """Return the job's result after its commit."""
        ...

    def close(self) -> None:
        """Finish what was handed over."""
        ...


class WriterThread:
    """One thread for every write; what is handed over while it commits goes into its next transaction, together.

    :param commit: runs jobs in one transaction and resolves their futures.
    """

    def __init__(self, commit: Callable[[Sequence[Job]], None]) -> None:
        self._commit = commit
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="flit-journal", daemon=True)
        self._thread.start()

    def submit(self, job: Callable[[sqlite3.Connection], T]) -> Future[T]:
        """Return a future that resolves once the job's transaction is committed to disk."""
        future: Future[T] = Future()
        future.set_running_or_notify_cancel()  # from here on, nobody who stops waiting can take it back
        self._jobs.put((job, future))
        return future

    def run(self, job: Callable[[sqlite3.Connection], T]) -> T:
        """Return the job's result after its commit."""
        return self.submit(job).result()

    def close(self) -> None:
        """Finish what was handed over, and the thread."""
        self._jobs.put(None)
        self._thread.join()

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            batch, last = [job], False
            while not self._jobs.empty():
                following = self._jobs.get()
                if following is None:
                    last = True
                    break
                batch.append(following)
            self._commit(batch)
            if last:
                return


class _NoWriter:
    """Stands where nobody may write: in a forked child, and in a folder that cannot be written to."""

    def __init__(self, refusal: FlitError) -> None:
        self._refusal = refusal

    def submit(self, job: Callable[[sqlite3.Connection], T]) -> Future[T]:
        """:raises FlitError: always."""
        raise self._refusal

    def run(self, job: Callable[[sqlite3.Connection], T]) -> T:
        """:raises FlitError: always."""
        raise self._refusal

    def close(self) -> None:
        """There is nothing to finish."""


committing: ContextVar[Callable[[Callable[[Sequence[Job]], None]], Committer]] = ContextVar(
    "committing", default=WriterThread
)


class Store:
    """One journal file. Reads happen on the caller's thread; every write happens on the writer thread.

    :raises JournalError: the file cannot be opened or written, or another run holds the lease.
    """

    def __init__(self, path: Path, *, lease: bool) -> None:
        self.path = path
        place = _real(path)
        if not lease and is_read_only(place):
            self._only_read(place)
            return
        self._lease: sqlite3.Connection | None = _take_lease(place) if lease else None
        opened: list[sqlite3.Connection] = []
        try:
            _create_private(place)
            path = place
            opened.append(_connect(path))
            _claim(opened[0], path)
            database = Database(opened[0], execute_plugins=False)
            refuse_later(database, self.path)
            migrations.apply(database)
            opened.append(_connect(path))
        except (sqlite3.Error, JournalError, ConfigurationError) as exc:
            for connection in opened:
                connection.close()
            self._release()
            raise (_as_journal_error(self.path, exc) if isinstance(exc, sqlite3.Error) else exc) from exc
        self._write, self._read = opened
        self._committer: Committer = committing.get()(lambda batch: self._commit(batch))

    def _only_read(self, place: Path) -> None:
        self._lease = None
        try:
            self._read = self._write = open_read_only(place, self.path)
        except sqlite3.Error as exc:
            raise _as_journal_error(self.path, exc) from exc
        self._committer = _NoWriter(cannot_be_written(self.path))

    def submit(self, job: Callable[[sqlite3.Connection], T]) -> Future[T]:
        """Run `job` on the writer thread; the future resolves once its transaction is committed to disk."""
        return self._committer.submit(job)

    def write(self, job: Callable[[sqlite3.Connection], T]) -> T:
        """Run `job` on the writer thread and return its result after the commit."""
        return self._committer.run(job)

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> Iterator[sqlite3.Row]:
        """Yield the rows of a query over what is committed."""
        try:
            yield from self._read.execute(sql, parameters)
        except sqlite3.Error as exc:
            raise _as_journal_error(self.path, exc) from exc

    def tuples(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Return all rows of a query over what is committed, as plain tuples: the quickest way to many."""
        try:
            cursor = self._read.cursor()
            cursor.row_factory = None
            return cursor.execute(sql, parameters).fetchall()
        except sqlite3.Error as exc:
            raise _as_journal_error(self.path, exc) from exc

    def row(self, sql: str, parameters: Sequence[Any] = ()) -> sqlite3.Row | None:
        """Return the first row of a query, or None."""
        return next(self.rows(sql, parameters), None)

    def value(self, sql: str, parameters: Sequence[Any] = ()) -> Any:
        """Return the first column of the first row, or None."""
        row = self.row(sql, parameters)
        return row[0] if row else None

    def read_apart(self) -> None:
        """In a forked child: read over a connection of its own from here on, and never write.

        No transaction may have been open when the parent forked: SQLite's inherited notes of its own locks then say
        that it holds none, and the child takes those it needs. What was inherited is kept, not closed: the child goes
        without clean-up.
        """
        self._inherited = (self._read, self._write, self._committer)
        self._committer = _NoWriter(Fatal("a child of this process may not write to the journal."))
        place = f"{self.path.resolve().as_uri()}?mode=ro"
        self._read = sqlite3.connect(place, uri=True, timeout=BUSY_S, isolation_level=None)
        self._read.row_factory = sqlite3.Row
        self._read.execute("PRAGMA query_only=ON")
        self._read.execute("PRAGMA cache_size=-8000")

    def close(self) -> None:
        """Finish what is queued and let the file go."""
        self._committer.close()
        for connection in (self._read, self._write):
            with suppress(sqlite3.Error):
                connection.close()
        self._release()

    def _release(self) -> None:
        if self._lease is not None:
            self._lease.close()

    def _commit(self, batch: Sequence[Job]) -> None:
        """Run the jobs in one transaction; when it fails, every one of them fails, and nothing is half written."""
        try:
            self._write.execute("BEGIN IMMEDIATE")
            results = [job(self._write) for job, _ in batch]
            self._write.execute("COMMIT")
        except BaseException as exc:  # noqa: BLE001 - whatever a job raised belongs to those who wait for it
            with suppress(sqlite3.Error):
                self._write.execute("ROLLBACK")
            error = _as_journal_error(self.path, exc) if isinstance(exc, sqlite3.Error) else exc
            for _, future in batch:
                future.set_exception(error)
            return
        for (_, future), result in zip(batch, results, strict=True):
            future.set_result(result)


def _real(path: Path) -> Path:
    """Return the one path of a journal, so that its lease is one whatever name it is opened by.

    :raises ConfigurationError: the file has several names, and so could have several leases.
    """
    place = path.resolve()
    if place.exists() and place.stat().st_nlink > 1:
        raise ConfigurationError(f"{path}: this file has a second name (a hard link). Remove it, or copy the journal.")
    return place


def _claim(connection: sqlite3.Connection, path: Path) -> None:
    """Mark a new file as a journal, and refuse one that is something else's.

    :raises ConfigurationError: it is another program's database.
    """
    mark = connection.execute("PRAGMA application_id").fetchone()[0]
    if mark == APPLICATION_ID:
        return
    if mark or connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
        raise ConfigurationError(f"{path}: this database is no journal of flit. Choose another --journal.")
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=BUSY_S, isolation_level=None, check_same_thread=False)
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA cache_size=-32000")
    connection.execute(f"PRAGMA wal_autocheckpoint={CHECKPOINT_PAGES}")
    return connection


def _create_private(path: Path) -> None:
    """Create the file, if it is not there, readable by its owner alone; SQLite gives its side files the same mode.

    One that is there is not opened here: closing it again would drop every lock that this process has on it (POSIX
    locks belong to the process, not to the descriptor).
    """
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    except FileExistsError:
        with suppress(OSError):
            path.chmod(0o600)
    except OSError as exc:
        full = exc.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
        place = path.with_name(path.name.removesuffix(LEASE))
        message = f"{place}: the journal cannot be written ({exc.strerror}). "
        if full:
            raise JournalError(message + "Free some space and run the same command again.") from exc
        if _holds_something(place):
            raise cannot_be_written(place) from exc
        raise ConfigurationError(message + "Choose another --journal.") from exc


def _take_lease(path: Path) -> sqlite3.Connection:
    """Hold an exclusive lock of the operating system, which dies with this process.

    :raises JournalError: another run holds it.
    """
    lease = path.with_name(path.name + LEASE)
    _create_private(lease)
    try:
        connection = sqlite3.connect(lease, timeout=0, isolation_level=None, check_same_thread=False)
    except sqlite3.Error as exc:
        raise _as_journal_error(path, exc) from exc
    try:
        connection.execute("BEGIN EXCLUSIVE")
    except sqlite3.Error as exc:
        connection.close()
        if "locked" in str(exc):
            raise JournalError(f"{path}: another run is writing to this journal. Wait for it, or stop it.") from exc
        raise _as_journal_error(path, exc) from exc
    return connection


def _as_journal_error(path: Path, exc: BaseException) -> JournalError | ConfigurationError:
    text = str(exc)
    if isinstance(exc, sqlite3.DatabaseError) and "not a database" in text:
        return ConfigurationError(f"{path}: this file is no journal. Choose another --journal.")
    if "malformed" in text:
        return ConfigurationError(
            f"{path}: the journal is damaged ({text}). Put back a copy, or move it away and run the same command "
            "again: flit then rebuilds it from the account."
        )
    if "readonly" in text or "unable to open" in text:
        if _holds_something(path):  # another journal would be another migration
            return cannot_be_written(path)
        return ConfigurationError(f"{path}: the journal cannot be written ({text}). Choose another --journal.")
    if "full" in text or "disk I/O error" in text:
        return JournalError(f"{path}: the disk is full ({text}). Free some space and run the same command again.")
    return JournalError(f"{path}: the journal cannot be used ({text}).")


def _holds_something(path: Path) -> bool:
    """Tell whether the file is there and not empty."""
    try:
        return path.stat().st_size > 0
    except OSError:
        return False
