"""Opens a journal that cannot be written to, in a folder of somebody else's or on a medium, to be looked at only."""

from __future__ import annotations

import os
import sqlite3
from typing import TYPE_CHECKING

from sqlite_utils import Database

from flitstack.errors import ConfigurationError
from flitstack.journal.migrations import migrations, refuse_later

if TYPE_CHECKING:
    from pathlib import Path

APPLICATION_ID = 0x666C6974  # "flit"
COPY = "Copy the journal with its side files (-wal, -shm) into a folder of your own, and name the copy with --journal."


def is_read_only(place: Path) -> bool:
    """Tell whether a journal is there and may not be written to: SQLite needs its folder, too, for its side files."""
    return place.is_file() and not (os.access(place, os.W_OK) and os.access(place.parent, os.W_OK))


def open_read_only(place: Path, path: Path) -> sqlite3.Connection:
    """Return a connection that takes the file as it is and touches nothing.

    :param path: what the operator calls it.
    :raises ConfigurationError: something of it stands in a side file still, or an older flit wrote it.
    """
    side = place.with_name(f"{place.name}-wal")
    if side.exists() and side.stat().st_size:
        raise ConfigurationError(
            f"{path}: a run is writing to it or was cut short, and to read it then takes write access. {COPY}"
        )
    connection = sqlite3.connect(
        f"{place.as_uri()}?mode=ro&immutable=1", uri=True, isolation_level=None, check_same_thread=False
    )
    connection.row_factory = sqlite3.Row
    try:
        ours = connection.execute("PRAGMA application_id").fetchone()[0] == APPLICATION_ID
        database = Database(connection, execute_plugins=False)
        older = ours and bool(migrations.pending(database))
        if ours:
            refuse_later(database, path)
    except (sqlite3.Error, ConfigurationError):
        connection.close()
        raise
    if ours and not older:
        return connection
    connection.close()
    if older:
        raise ConfigurationError(f"{path}: an older flit wrote it, and to read it takes write access. {COPY}")
    raise ConfigurationError(f"{path}: this file is no journal. Choose another --journal.")


def cannot_be_written(path: Path) -> ConfigurationError:
    """Return what says that a command wants to write to it."""
    return ConfigurationError(f"{path}: it can only be looked at here: it, or its folder, cannot be written to. {COPY}")
