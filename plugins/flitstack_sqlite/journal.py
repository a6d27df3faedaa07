"""A journal of flit as a source: its staged records again as the streams they were, for another destination."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from flitstack.protocols import Record, Stream, Where

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlite_utils import Database

TABLES = {"snapshot_stream", "staged", "operation", "link"}


def is_journal(database: Database) -> bool:
    """Tell whether a database is the journal of a migration."""
    return set(database.table_names()) >= TABLES


def streams_of_journal(database: Database, file: str) -> list[Stream]:
    """Return the streams that the migration has read."""
    return [
        Stream(row["stream"], json.loads(row["schema"]), (file,), json.loads(row["codebook"]))
        for row in database["snapshot_stream"].rows_where(order_by="stream")
    ]


def as_of_journal(database: Database) -> str | None:
    """Return the day of the migration's last complete snapshot, as it is written there."""
    for row in database["snapshot"].rows_where("completed_at NOT NULL", order_by="id DESC", limit=1):
        return str(row["as_of"]) if row["as_of"] else None
    return None


def read_journal_stream(database: Database, stream: str) -> Iterator[Record]:
    """Yield the records of a stream as the migration last read them; what could not move is not among them."""
    rows = database["staged"].rows_where("stream = ? AND state = 'ok'", (stream,), order_by="pos")
    for row in rows:
        yield Record(stream, row["id"], json.loads(row["data"]), Where(row["file"], row["line"]))
