"""Many rows in one statement: SQLite then works through all of them without Python's lock, beside other Python code."""

from __future__ import annotations

import sqlite3
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

# Few sizes, so that each statement is compiled once and found again in the connection's cache.
BLOCKS = (512, 64, 8, 1)


def insert_rows(
    db: sqlite3.Connection, head: str, row: str, values: Sequence[Any], tail: str = "", shared: Sequence[Any] = ()
) -> int:
    """Insert rows by as few statements as their number allows; return how many were inserted or changed.

    :param head: `INSERT INTO name (columns)`.
    :param row: one row's part of VALUES, such as `(?, ?, 'ok', ?1)`: a bare `?` takes the next of `values`, a numbered
        one is among `shared`.
    :param values: the rows' own values, one row after the other.
    :param tail: what follows the rows (`ON CONFLICT ...`).
    """
    width = row.replace("?1", "").replace("?2", "").replace("?3", "").count("?")
    room = db.getlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER) - len(shared)
    at, changed = 0, 0
    for block in BLOCKS:
        step = width * block
        if step > room:
            continue
        while len(values) - at >= step:
            sql = _statement(head, row, tail, block, len(shared))
            changed += db.execute(sql, (*shared, *values[at : at + step])).rowcount
            at += step
    return changed


@cache
def _statement(head: str, row: str, tail: str, count: int, shared: int) -> str:
    """Return the statement; a bare `?` is numbered one above the highest before it, so the shared ones come first."""
    number = shared
    rows = []
    pieces = row.split("?")
    for _ in range(count):
        text = pieces[0]
        for piece in pieces[1:]:
            if piece[:1].isdigit():
                text += f"?{piece}"
            else:
                number += 1
                text += f"?{number}{piece}"
        rows.append(text)
    return f"{head} VALUES {', '.join(rows)} {tail}"
