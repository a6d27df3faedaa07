"""Mapping shared among processes comes to what one process makes, and leaves no process behind, whatever ends it."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from flitstack.errors import ConfigurationError, FlitError, Interrupted, MappingError, Stopped
from flitstack.hookspecs import hookimpl
from flitstack.journal import Journal
from flitstack.protocols import Transform
from flitstack.stages.intake import workers
from flitstack.stages.intake.workers import children_for, shared_out
from flitstack.testing.memory_source import TEMPLATE
from flitstack.testing.migration import Migration
from flitstack.testing.small_load import small_load

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from flitstack.protocols import Rejection

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux shares the work")

CONTACTS = 3_300
DERIVED = ("desired", "contribution", "left_out", "rejection", "used", "operation")
MARKED = TEMPLATE.replace("fields: {name: contact.name,", "fields: {name: marked(contact.name),")


class Marking:
    """Gives expressions a function `marked`, and hears of rejections."""

    def __init__(self, mark: Callable[[Any], Any] = str) -> None:
        self._mark = mark
        self.heard: list[tuple[str, str | None, Any]] = []

    @hookimpl
    def flit_register_transforms(self, register: Callable[[Transform], None]) -> None:
        register(Transform("marked", self._mark))

    @hookimpl
    def flit_record_rejected(self, rejection: Rejection) -> None:
        self.heard.append((rejection.code, rejection.id, rejection.where))


@pytest.fixture(autouse=True)
def _shared(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Share small loads too, and see that no child is left, neither running nor unmissed."""
    monkeypatch.setattr(workers, "MANY", 100)
    monkeypatch.setenv(workers.VARIABLE, "4")
    yield
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


def _migration(folder: Path, mark: Callable[[Any], Any] = str) -> tuple[Migration, Marking]:
    folder.mkdir(exist_ok=True)
    marking = Marking(mark)
    migration = Migration(folder, plugins={"marking": marking}, template=MARKED)
    small_load(migration.export)
    add = migration.export.add
    for n in range(10, CONTACTS):
        status = "inactive" if n % 7 == 0 else "active"
        boss, company = str(n + 1 if n % 2 else n - 3), str(n % 5)
        name = None if n % 11 == 0 else f"Zoë {n}"
        add("contacts", str(n), name=name, status=status, boss_id=boss, company_id=company, staff_id=f"s{n % 3}")
        add("labels", f"x{n}", contact_id=str(n % 400), label=f"label {n % 9}")
    return migration, marking


def _content(path: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Return the rows of what mapping and planning write, as they lie in the file."""
    with closing(sqlite3.connect(path)) as db:
        db.execute("UPDATE operation SET run = ''")  # the one thing that two runs have each of their own
        return {table: db.execute(f"SELECT * FROM {table}").fetchall() for table in DERIVED}  # noqa: S608 - fixed names


def test_children_make_the_same_rows_in_the_same_order_and_tell_observers_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared, heard_shared = _migration(tmp_path / "shared")
    shared.run(dry_run=True)
    monkeypatch.setenv(workers.VARIABLE, "1")
    alone, heard_alone = _migration(tmp_path / "alone")
    alone.run(dry_run=True)

    one, other = _content(shared.journal), _content(alone.journal)
    assert len(one["desired"]) > 2_000
    assert len(one["left_out"]) > 400
    assert len(one["rejection"]) > 200
    assert len(one["operation"]) > 2_000
    for table in DERIVED:
        assert one[table] == other[table], table
    assert heard_shared.heard == heard_alone.heard
    assert len(heard_shared.heard) > 200


def test_children_did_the_work(tmp_path: Path) -> None:
    migration, _ = _migration(tmp_path, lambda name: f"{name} {os.getpid() == parent}")
    parent = os.getpid()

    migration.run(dry_run=True)

    made = [row for row in _content(migration.journal)["desired"] if row[1] == "contact"]
    assert made
    assert all("False" in row[5] for row in made)


def test_an_error_in_a_child_is_raised_as_one_process_would_raise_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def mark(name: Any) -> Any:
        if name == "Zoë 3001":
            raise MappingError("memory: one of them does not fit.")
        return name

    said = []
    for place, processes in (("shared", "4"), ("alone", "1")):
        monkeypatch.setenv(workers.VARIABLE, processes)
        migration, marking = _migration(tmp_path / place, mark)
        try:
            report: Any = migration.run(dry_run=True).exit_code
        except FlitError as exc:
            report = (type(exc), str(exc))
        said.append((report, marking.heard))
    assert said[0] == said[1]


def test_a_record_made_twice_is_told_in_the_same_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = []
    for place, processes in (("shared", "4"), ("alone", "1")):
        monkeypatch.setenv(workers.VARIABLE, processes)
        (tmp_path / place).mkdir()
        template = TEMPLATE.replace(
            "    from: contacts\n    as: contact\n", "    from: contacts\n    as: contact\n    key: contact.email\n"
        )
        migration = Migration(tmp_path / place, template=template)
        for n in range(1_500):
            migration.export.add("contacts", str(n), name="Ann", email=f"e{n % 1_200}")
        with pytest.raises(MappingError) as caught:
            migration.run(dry_run=True)
        said.append(str(caught.value))
    assert said[0] == said[1]
    assert "twice" in said[0]


def test_a_child_that_is_killed_stops_the_run_with_one_message_and_the_next_run_is_whole(tmp_path: Path) -> None:
    parent, deadly = os.getpid(), [True]

    def mark(name: Any) -> Any:
        if deadly[0] and name == "Zoë 2004" and os.getpid() != parent:
            os.kill(os.getpid(), signal.SIGKILL)
        return name

    migration, _ = _migration(tmp_path / "killed", mark)
    with pytest.raises(Stopped, match="run the same command again, with FLITSTACK_PROCESSES=1"):
        migration.run(dry_run=True)
    deadly[0] = False
    migration.run(dry_run=True)

    other, _ = _migration(tmp_path / "whole")
    other.run(dry_run=True)
    assert _content(migration.journal)["desired"] == _content(other.journal)["desired"]


@pytest.mark.parametrize("error", [KeyboardInterrupt, None])
def test_a_person_who_stops_the_mapping_leaves_no_process_and_can_carry_on(
    tmp_path: Path, error: type[BaseException] | None
) -> None:
    migration, _ = _migration(tmp_path)
    advance, stopping = migration.words.advance, [True]

    def stop(count: int = 1) -> None:
        advance(count)
        if stopping[0] and _is_mapping():
            migration.stop.raised = True
            if error is not None:
                raise error

    def _is_mapping() -> bool:
        frame = sys._getframe(2)
        return frame.f_code.co_name == "_map_in_children"

    migration.words.advance = stop  # type: ignore[method-assign]  # a person at the keyboard
    with pytest.raises(error or Interrupted):
        migration.run(dry_run=True)
    stopping[0] = False
    migration.run(dry_run=True)
    assert len(_content(migration.journal)["desired"]) > 2_000


def test_a_child_cannot_write_to_the_journal(tmp_path: Path) -> None:
    with Journal(tmp_path / "flit.db") as journal:
        journal.staging.begin("run", "2026-07-01")

        def work(part: int) -> list[str]:
            said = []
            for attempt in (
                lambda: journal.staging.begin("child", "2026-07-01"),
                lambda: list(journal._store.rows("DELETE FROM snapshot")),
            ):
                try:
                    attempt()
                except Exception as exc:  # noqa: BLE001 - its words are what is asked for
                    said.append(str(exc))
            return said

        (said,) = shared_out(1, work, 1, journal.read_apart)
        assert "may not write" in said[0]
        assert "readonly" in said[1] or "cannot be written" in said[1]
        assert journal._store.value("SELECT count(*) FROM snapshot") == 1


def test_children_read_whole_transactions_while_their_parent_writes_and_checkpoints(tmp_path: Path) -> None:
    with Journal(tmp_path / "flit.db") as journal:
        store = journal._store

        def add(db: sqlite3.Connection) -> None:
            db.executemany("INSERT INTO used VALUES (?, ?)", [(os.urandom(8).hex(), "x" * 500) for _ in range(50)])

        store._write.execute("PRAGMA wal_autocheckpoint=8").fetchall()  # the log is copied and begun anew all the time
        store.write(add)

        def work(part: int) -> list[int]:
            counts = []
            for _ in range(200):
                counts.append(store.value("SELECT count(*) FROM used WHERE length(id) = 500"))
            return [*counts, len(store.value("PRAGMA quick_check"))]

        with closing(shared_out(9, work, 3, journal.read_apart)) as results:
            for counts in results:
                for _ in range(20):
                    store.write(add)
                assert all(count % 50 == 0 for count in counts[:-1])
                assert counts[:-1] == sorted(counts[:-1])
                assert counts[-1] == len("ok")
        assert store.value("PRAGMA integrity_check") == "ok"
        assert store.value("SELECT count(*) FROM used") == 50 + 9 * 20 * 50


def test_what_cannot_be_sent_is_left_to_the_parent_and_comes_in_its_place() -> None:
    def work(part: int) -> object:
        if part == 3:
            raise ValueError("of no matter")
        return [part] if part != 5 else object()

    found = list(shared_out(7, work, 3, lambda: None))
    assert found == [[0], [1], [2], None, [4], None, [6]]


def test_children_that_cannot_begin_stop_the_run() -> None:
    def begin() -> None:
        raise ValueError("no such file")

    with pytest.raises(Stopped):
        list(shared_out(7, lambda part: [part], 3, begin))


ORPHANING = """
import os, signal, time
from flitstack.stages.intake.workers import shared_out
def work(part):
    time.sleep(0.05)
    return [os.getpid(), "x" * 3_000_000]
first = []
results = shared_out(600, work, 3, lambda: None)
for _ in range(3):
    first.append(next(results)[0])
print(*first, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_children_of_a_parent_that_is_killed_end_by_themselves() -> None:
    said = subprocess.run([sys.executable, "-c", ORPHANING], capture_output=True, text=True, check=False)
    assert said.returncode == -signal.SIGKILL
    children = [int(pid) for pid in said.stdout.split()]
    assert len(set(children)) == 3

    until = time.monotonic() + 10
    while any(map(_is_running, children)):
        assert time.monotonic() < until
        time.sleep(0.02)


def _is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def test_without_a_process_to_be_had_everything_is_left_to_the_parent(monkeypatch: pytest.MonkeyPatch) -> None:
    def fork() -> int:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(os, "fork", fork)
    assert list(shared_out(3, lambda part: [part], 2, lambda: None)) == [None, None, None]


@pytest.mark.parametrize("stated", ["0", "-1", "two", "1.5", "65", "²"])
def test_a_number_of_processes_that_is_none_is_refused(stated: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(workers.VARIABLE, stated)
    with pytest.raises(ConfigurationError, match="FLITSTACK_PROCESSES"):
        children_for(10)


def test_small_streams_and_one_process_have_no_children(monkeypatch: pytest.MonkeyPatch) -> None:
    assert children_for(99) == 0
    assert children_for(100) == 3
    monkeypatch.setenv(workers.VARIABLE, "1")
    assert children_for(10**7) == 0
