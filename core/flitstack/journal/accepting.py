"""Exports that nobody accepted: what they said is forgotten when the next is read, and what was accepted is back.

A stream is kept aside before another reading goes over it. While that reading is accepted by nobody, the next one
begins where the accepted one ended: a file that it lacks counts as it was accepted, never as a refused export had it.

Of most records a later export says the same again. So what is kept aside of a record is only where it was read; the
trigger `staged_changed` adds what it said once another reading says something else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3

_ASIDE = {"staged": "stream = ?", "snapshot_stream": "stream = ?", "rejection": "stream = ? AND stage = 'stage'",
          "left_out": "stream = ? AND stage = 'stage'"}  # fmt: skip
"""Tables that hold what was read of a stream, and which of their rows do; kept aside under `accepted_NAME`."""
_PLACES = (
    "pos, stream, id, state, iif(state = 'ok', '', data) AS data, iif(state = 'ok', '', hash) AS hash, file, line, "
    "snapshot"
)
"""Columns of a staged row before anything else was read of it: "" stands for what it still says."""
_DOUBTFUL = "SELECT id FROM snapshot WHERE accepted = 0"
_SAME = "EXISTS (SELECT 1 FROM accepted_staged a WHERE a.pos = staged.pos AND a.data = '')"


def set_aside(db: sqlite3.Connection, stream: str) -> None:
    """Keep what was accepted of a stream, within a transaction that is under way: it is about to be read anew."""
    sql = (
        "SELECT 1 FROM snapshot_stream p JOIN snapshot s ON s.id = p.snapshot WHERE p.stream = ?1 AND s.accepted = 1 "
        "AND NOT EXISTS (SELECT 1 FROM accepted_snapshot_stream a WHERE a.stream = p.stream)"
    )
    if db.execute(sql, (stream,)).fetchone() is None:
        return
    for table, where in _ASIDE.items():
        columns = _PLACES if table == "staged" else "*"
        db.execute(f"INSERT INTO accepted_{table} SELECT {columns} FROM {table} WHERE {where}", (stream,))  # noqa: S608 - fixed text


def forget_refused(db: sqlite3.Connection) -> None:
    """Let what is staged be what was accepted last, within a transaction that is under way."""
    if db.execute(_DOUBTFUL).fetchone() is None:
        return
    if db.execute("SELECT 1 FROM snapshot WHERE accepted = 1").fetchone() is None:
        db.execute("DELETE FROM staged")  # nothing was ever accepted; without a condition, at once
    else:
        db.execute(
            "UPDATE staged SET (file, line, snapshot) = (SELECT file, line, snapshot FROM accepted_staged a "  # noqa: S608 - fixed text
            f"WHERE a.pos = staged.pos) WHERE snapshot IN ({_DOUBTFUL}) AND {_SAME}"
        )
        db.execute("DELETE FROM accepted_staged WHERE data = ''")
        db.execute(f"DELETE FROM staged WHERE snapshot IN ({_DOUBTFUL})")  # noqa: S608 - fixed text
    streams = f"SELECT stream FROM snapshot_stream WHERE snapshot IN ({_DOUBTFUL})"  # noqa: S608 - fixed text
    for table in ("rejection", "left_out"):
        db.execute(f"DELETE FROM {table} WHERE stage = 'stage' AND stream IN ({streams})")  # noqa: S608 - fixed text
    db.execute(f"DELETE FROM snapshot_stream WHERE snapshot IN ({_DOUBTFUL})")  # noqa: S608 - fixed text
    for table in _ASIDE:
        db.execute(f"INSERT OR IGNORE INTO {table} SELECT * FROM accepted_{table}")  # noqa: S608 - fixed text
    db.execute("UPDATE snapshot SET accepted = -1, completed_at = NULL WHERE accepted = 0")
    _empty(db)


def accept(db: sqlite3.Connection) -> None:
    """Take what is staged for accepted: what was kept aside has had its time."""
    db.execute("UPDATE snapshot SET accepted = 1 WHERE accepted = 0")
    _empty(db)


def _empty(db: sqlite3.Connection) -> None:
    for table in _ASIDE:
        db.execute(f"DELETE FROM accepted_{table}")  # noqa: S608 - fixed text
