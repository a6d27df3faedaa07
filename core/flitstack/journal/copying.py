"""Copies a journal while others use it, so that a plan can be tried without touching the migration's own."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

from flitstack.errors import ConfigurationError, JournalError
from flitstack.journal.readonly import APPLICATION_ID

if TYPE_CHECKING:
    from pathlib import Path


def copy_journal(source: Path, target: Path) -> None:
    """Write a consistent copy of a journal; the source is only read.

    :raises ConfigurationError: the source is no journal.
    :raises JournalError: it cannot be read, or there is no room for the copy.
    """
    try:
        with (
            closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True)) as opened,
            closing(sqlite3.connect(target)) as copy,
        ):
            target.chmod(0o600)
            if opened.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
                raise ConfigurationError(f"{source}: this file is no journal. Choose another --journal.")
            opened.backup(copy)
    except sqlite3.Error as exc:
        if "not a database" in str(exc):
            raise ConfigurationError(f"{source}: this file is no journal. Choose another --journal.") from exc
        raise JournalError(f"{source}: the journal cannot be copied ({exc}). Check the file and the disk.") from exc
