"""The audit log: a chain in which a changed, removed, inserted or reordered line shows, and a cut tail too."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from flitstack.journal import Journal

if TYPE_CHECKING:
    from pathlib import Path

LINES = 8


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Return a journal whose log holds some lines."""
    with Journal(tmp_path / "flit.db") as journal:
        for number in range(LINES):
            journal.runs.begin(f"run-{number}", f"2026-07-01T09:00:0{number}.000+00:00", "0")
        assert journal.audit.broken_at() is None
    return tmp_path / "flit.db"


def tamper(path: Path, *statements: str) -> int | None:
    with closing(sqlite3.connect(path)) as db:
        for statement in statements:
            db.execute(statement)
        db.commit()
    with Journal.existing(path) as journal:
        return journal.audit.broken_at()


@pytest.mark.parametrize("line", range(1, LINES + 1))
@pytest.mark.parametrize(
    "change", ["event = replace(event, 'run-', 'ran-')", "at = '2026-07-01T10:00:00.000+00:00'", f"hash = '{'0' * 64}'"]
)
def test_a_changed_line_is_found(log: Path, line: int, change: str) -> None:
    assert tamper(log, f"UPDATE audit SET {change} WHERE seq = {line}") == line  # noqa: S608 - invented here


@pytest.mark.parametrize("line", range(1, LINES))
def test_a_removed_line_is_found_even_when_the_rest_is_renumbered(log: Path, line: int) -> None:
    assert tamper(log, f"DELETE FROM audit WHERE seq = {line}") == line  # noqa: S608 - invented here
    assert tamper(log, f"UPDATE audit SET seq = seq - 1 WHERE seq > {line}") == line  # noqa: S608 - invented here


def test_two_lines_that_changed_places_are_found(log: Path) -> None:
    swap = (
        "UPDATE audit SET seq = -1 WHERE seq = 3",
        "UPDATE audit SET seq = 3 WHERE seq = 4",
        "UPDATE audit SET seq = 4 WHERE seq = -1",
    )

    assert tamper(log, *swap) == 3


def test_an_inserted_line_is_found(log: Path) -> None:
    copy = "INSERT INTO audit SELECT seq + 1, at, event, hash FROM audit ORDER BY seq DESC LIMIT 1"

    assert tamper(log, copy) == LINES + 1


def test_a_cut_tail_shows_in_length_and_head(log: Path) -> None:
    with Journal.existing(log) as journal:
        before = journal.audit.head()

    assert tamper(log, f"DELETE FROM audit WHERE seq > {LINES - 2}") is None  # noqa: S608 - invented here

    with Journal.existing(log) as journal:
        after = journal.audit.head()
    assert (before.length, after.length) == (LINES, LINES - 2)
    assert before.hash != after.hash


def test_the_chain_goes_on_from_run_to_run(log: Path) -> None:
    with Journal.existing(log) as journal:
        journal.runs.begin("run-9", "2026-07-02T09:00:00.000+00:00", "0")

        assert journal.audit.broken_at() is None
        assert journal.audit.head().length == LINES + 1


def test_an_empty_log_has_a_head_of_its_own(tmp_path: Path) -> None:
    with Journal(tmp_path / "flit.db") as journal:
        assert (journal.audit.head().length, journal.audit.head().hash) == (0, "0" * 64)
        assert journal.audit.broken_at() is None
