"""The file itself: private, one writing run at a time, one transaction a step, and what it says when it cannot."""

from __future__ import annotations

import os
import signal
import sqlite3
import stat
import subprocess
import sys
import time
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from flitstack.errors import ConfigurationError, JournalError
from flitstack.journal import Journal
from flitstack.journal.store import Store

if TYPE_CHECKING:
    from pathlib import Path

HOLDER = """
import sys, time
from pathlib import Path
from flitstack.journal import Journal
with Journal(Path(sys.argv[1]), lease=True) as journal:
    journal.runs.remember("holder", "here")
    print("held", flush=True)
    time.sleep(60)
"""


def held_elsewhere(path: Path) -> subprocess.Popen[str]:
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, str(path)], stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    return holder


def end(holder: subprocess.Popen[str]) -> None:
    holder.kill()
    holder.communicate()


def test_the_journal_and_its_side_files_are_readable_by_their_owner_alone(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        with Journal(tmp_path / "flit.db", lease=True) as journal:
            journal.runs.remember("a", "b")
            modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    finally:
        os.umask(before)

    assert set(modes) >= {"flit.db", "flit.db-wal", "flit.db-shm", "flit.db-lease"}
    assert set(modes.values()) == {0o600}


def test_a_second_runner_is_refused_while_the_first_is_at_work(tmp_path: Path) -> None:
    holder = held_elsewhere(tmp_path / "flit.db")

    try:
        with pytest.raises(JournalError, match="another run is writing") as refusal:
            Journal(tmp_path / "flit.db", lease=True)
    finally:
        end(holder)

    assert refusal.value.exit_code == 5


def test_reading_works_while_another_run_is_at_work(tmp_path: Path) -> None:
    holder = held_elsewhere(tmp_path / "flit.db")

    try:
        with Journal.existing(tmp_path / "flit.db") as journal:
            assert journal.runs.meta("holder") == "here"
            journal.runs.remember("approved", "by someone")
    finally:
        end(holder)


def test_the_lease_dies_with_its_process(tmp_path: Path) -> None:
    holder = held_elsewhere(tmp_path / "flit.db")
    holder.send_signal(signal.SIGKILL)
    holder.communicate()

    began = time.monotonic()
    with Journal(tmp_path / "flit.db", lease=True) as journal:
        assert journal.runs.meta("holder") == "here"
    assert time.monotonic() - began < 5


def test_a_refused_runner_does_not_loosen_the_lease_of_the_one_at_work(tmp_path: Path) -> None:
    """Closing a file drops every POSIX lock that a process has on it, whoever in that process took them."""
    with Journal(tmp_path / "flit.db", lease=True):
        with pytest.raises(JournalError):
            Journal(tmp_path / "flit.db", lease=True)
        with Journal.existing(tmp_path / "flit.db"):
            pass
        stranger = subprocess.run(
            [sys.executable, "-c", HOLDER, str(tmp_path / "flit.db")], capture_output=True, text=True, check=False
        )

    assert "another run is writing" in stranger.stderr


def test_the_lease_is_free_once_the_journal_is_closed(tmp_path: Path) -> None:
    Journal(tmp_path / "flit.db", lease=True).close()

    Journal(tmp_path / "flit.db", lease=True).close()


def test_a_journal_that_could_not_be_opened_holds_no_lease(tmp_path: Path) -> None:
    (tmp_path / "flit.db").write_bytes(b"no journal at all, " * 100)
    with pytest.raises(ConfigurationError, match="no journal"):
        Journal(tmp_path / "flit.db", lease=True)
    (tmp_path / "flit.db").unlink()

    Journal(tmp_path / "flit.db", lease=True).close()


def test_a_journal_that_is_damaged_is_told_apart_from_a_full_disk_with_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "flit.db"
    Journal(path).close()
    path.write_bytes(path.read_bytes()[:20_000])

    with pytest.raises(ConfigurationError, match=r"damaged.*rebuilds it from the account"):
        Journal(path).close()


def test_a_journal_that_must_be_there_and_is_not_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no journal here"):
        Journal.existing(tmp_path / "flit.db")

    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"nowhere/flit.db: the journal cannot be written"):
        Journal(tmp_path / "nowhere" / "flit.db", lease=True)


def test_a_journal_reached_by_another_name_has_the_same_lease(tmp_path: Path) -> None:
    (tmp_path / "other.db").symlink_to(tmp_path / "flit.db")

    with Journal(tmp_path / "flit.db", lease=True), pytest.raises(JournalError, match="another run"):
        Journal(tmp_path / "other.db", lease=True)


def test_a_journal_with_a_second_name_is_refused(tmp_path: Path) -> None:
    Journal(tmp_path / "flit.db").close()
    (tmp_path / "other.db").hardlink_to(tmp_path / "flit.db")

    with pytest.raises(ConfigurationError, match="second name"):
        Journal(tmp_path / "other.db", lease=True)


def test_a_journal_that_others_could_read_is_closed_to_them(tmp_path: Path) -> None:
    path = tmp_path / "flit.db"
    path.touch()
    path.chmod(0o644)

    with Journal(path, lease=True):
        assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("reading", [False, True])
def test_another_programs_database_is_refused_and_left_as_it_is(tmp_path: Path, reading: bool) -> None:
    path = tmp_path / "other.sqlite"
    with closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE theirs (x)")
    before = path.read_bytes()

    with pytest.raises(ConfigurationError, match="no journal"):
        Journal.existing(path) if reading else Journal(path, lease=True)

    with closing(sqlite3.connect(path)) as db:
        tables = [name for (name,) in db.execute("SELECT name FROM sqlite_master")]
    assert tables == ["theirs"]
    assert len(path.read_bytes()) == len(before)


def test_every_commit_reaches_the_disk_before_it_is_told(tmp_path: Path) -> None:
    with closing(Store(tmp_path / "flit.db", lease=False)) as store:
        assert store.write(lambda db: db.execute("PRAGMA synchronous").fetchone()[0]) == 2
        assert store.write(lambda db: db.execute("PRAGMA journal_mode").fetchone()[0]) == "wal"


def test_a_step_that_fails_leaves_nothing_half_written(tmp_path: Path) -> None:
    def half(db: sqlite3.Connection) -> None:
        db.execute("INSERT INTO meta VALUES ('half', 'written')")
        raise ValueError("half way")

    with closing(Store(tmp_path / "flit.db", lease=False)) as store:
        with pytest.raises(ValueError, match="half way"):
            store.write(half)

        assert store.value("SELECT count(*) FROM meta WHERE name = 'half'") == 0
        store.write(lambda db: db.execute("INSERT INTO meta VALUES ('whole', 'written')"))
        assert store.value("SELECT value FROM meta WHERE name = 'whole'") == "written"


def test_steps_handed_in_together_are_committed_and_told_each(tmp_path: Path) -> None:
    with closing(Store(tmp_path / "flit.db", lease=False)) as store:
        futures = [
            store.submit(lambda db, n=n: db.execute("INSERT INTO meta VALUES (?, ?)", (f"n{n}", "")).rowcount)  # type: ignore[misc]
            for n in range(200)
        ]
        assert {future.result(timeout=30) for future in futures} == {1}
        assert store.value("SELECT count(*) FROM meta WHERE name LIKE 'n%'") == 200


def test_what_was_queued_is_finished_before_the_file_is_let_go(tmp_path: Path) -> None:
    store = Store(tmp_path / "flit.db", lease=False)
    futures = [store.submit(lambda db: db.execute("SELECT 1").fetchone()[0]) for _ in range(50)]

    store.close()

    assert [future.result(timeout=0) for future in futures] == [1] * 50


def test_a_full_file_is_told_as_such_and_nothing_is_lost_when_there_is_room_again(tmp_path: Path) -> None:
    with closing(Store(tmp_path / "flit.db", lease=False)) as store:
        pages = store.write(lambda db: db.execute("PRAGMA page_count").fetchone()[0])
        store.write(lambda db: db.execute(f"PRAGMA max_page_count = {pages}"))
        with pytest.raises(JournalError, match="disk is full") as full:
            store.write(lambda db: db.execute("INSERT INTO meta VALUES ('big', ?)", ("x" * 100_000,)))
        assert full.value.exit_code == 5

        store.write(lambda db: db.execute("PRAGMA max_page_count = 100000"))
        store.write(lambda db: db.execute("INSERT INTO meta VALUES ('big', ?)", ("x" * 100_000,)))
        assert store.value("SELECT length(value) FROM meta WHERE name = 'big'") == 100_000
