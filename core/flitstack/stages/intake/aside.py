"""Looks at an export beside its migration: into a copy of the journal, on the same disk, that is thrown away."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flitstack.errors import UsageError
from flitstack.journal import Journal
from flitstack.journal.copying import copy_journal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from flitstack.protocols import SourcePlugin, SourceReader


@contextmanager
def aside(
    source: SourcePlugin, input_: str, settings: Mapping[str, Any], journal: Path, purpose: str
) -> Iterator[tuple[SourceReader, Journal]]:
    """Open an export, and a journal that begins as the migration's, or empty, and is gone afterwards.

    :param journal: the migration's; it is only read, and need not exist.
    :param purpose: what for, in the name of the folder that is made beside it.
    :raises NotAnExportError: nothing at the input is recognised.
    """
    reader = source.open(input_, settings)
    try:
        reader.streams()
        with tempfile.TemporaryDirectory(prefix=f".flit-{purpose}-", dir=_folder(journal)) as folder:
            place = Path(folder) / "flit.db"
            if journal.is_file():
                copy_journal(journal, place)
            with Journal(place) as copy:
                yield reader, copy
    finally:
        reader.close()


def _folder(journal: Path) -> Path:
    """Return where the copy goes: beside the journal, so that records never leave its disk."""
    folder = journal.absolute().parent
    if not folder.is_dir():
        raise UsageError(f"{folder}: there is no such folder. Check --journal.")
    return folder
