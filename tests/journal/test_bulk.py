"""Many rows in one statement come out as if they had been inserted one by one."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from flitstack.journal.bulk import BLOCKS, insert_rows


@pytest.mark.parametrize("count", [0, 1, 7, 8, 9, 63, 64, 511, 512, 513, 1300])
def test_every_row_is_inserted_once_and_in_its_order(count: int) -> None:
    with closing(sqlite3.connect(":memory:")) as db:
        db.execute("CREATE TABLE t (pos INTEGER PRIMARY KEY, a, b, c)")
        values = [value for number in range(count) for value in (number, f"text {number}\0é")]

        changed = insert_rows(db, "INSERT INTO t (a, b, c)", "(?, ?1, ?)", values, shared=("all",))

        assert changed == count
        rows = db.execute("SELECT a, b, c FROM t ORDER BY pos").fetchall()
    assert rows == [(number, "all", f"text {number}\0é") for number in range(count)]


def test_rows_that_change_nothing_do_not_count() -> None:
    tail = "ON CONFLICT (a) DO UPDATE SET b = excluded.b WHERE t.b <> excluded.b"
    with closing(sqlite3.connect(":memory:")) as db:
        db.execute("CREATE TABLE t (a PRIMARY KEY, b)")
        insert_rows(db, "INSERT INTO t (a, b)", "(?, ?)", [1, "x", 2, "x"], tail)

        assert insert_rows(db, "INSERT INTO t (a, b)", "(?, ?)", [1, "y", 2, "x", 3, "x"], tail) == 2


def test_a_library_that_takes_few_values_at_once_gets_few() -> None:
    with closing(sqlite3.connect(":memory:")) as db:
        db.setlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER, 100)
        db.execute("CREATE TABLE t (a, b)")
        count = max(BLOCKS) + 3

        assert insert_rows(db, "INSERT INTO t (a, b)", "(?, ?)", list(range(2 * count))) == count
