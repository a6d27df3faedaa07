"""Copies a journal while others use it, so that a plan can be tried without touching the migration's own."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

from flitstack.errors import JournalError

if TYPE_CHECKING:
    from pathlib import Path


def copy_journal(source: Path, target: Path) -> None:
    """Write a consistent copy of a journal; the source is only read.

    :raises JournalError: the source cannot be read, or there is no room for the copy.
    """
    try:
        with (
            closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True)) as opened,
            closing(sqlite3.connect(target)) as copy,
        ):
            target.chmod(0o600)
            opened.backup(copy)
    except sqlite3.Error as exc:
        raise JournalError(f"{source}: the journal cannot be copied ({exc}). Check the file and the disk.") from exc
