"""A journal in a folder that nobody may write to: it can be looked at, and whatever would write says so."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest

from flitstack.errors import ConfigurationError
from flitstack.journal import Journal
from flitstack.journal.readonly import is_read_only
from flitstack.testing.migration import Migration
from flitstack.testing.small_load import small_load

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """The journal of a migration that is over, in a folder of its own."""
    folder = tmp_path / "work"
    folder.mkdir()
    migration = Migration(folder)
    small_load(migration.export)
    migration.run()
    place = tmp_path / "kept"
    place.mkdir()
    shutil.copy(migration.journal, place / "flit.db")
    return place / "flit.db"


@pytest.fixture
def locked(kept: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The same in a folder that cannot be written to; for root, to whom no folder is closed, access says so."""
    kept.chmod(0o400)
    kept.parent.chmod(0o500)
    if os.access(kept.parent, os.W_OK):
        asked = os.access
        monkeypatch.setattr(os, "access", lambda path, mode: mode != os.W_OK and asked(path, mode))
    yield kept
    kept.parent.chmod(0o700)


def test_a_journal_that_cannot_be_written_to_is_read_and_nothing_is_left_beside_it(locked: Path) -> None:
    before = locked.read_bytes()

    with Journal.existing(locked) as journal:
        read = {stream: journal.staging.count(stream) for stream in journal.staging.streams()}
        length = journal.audit.head().length

    assert read["contacts"] > 0
    assert length > 0
    assert [each.name for each in locked.parent.iterdir()] == ["flit.db"]
    assert locked.read_bytes() == before


def test_what_would_write_to_it_says_that_it_cannot(locked: Path) -> None:
    with Journal.existing(locked) as journal, pytest.raises(ConfigurationError, match="can only be looked at here"):
        journal.runs.remember("note", "text")


def test_one_that_a_run_was_cut_short_on_is_not_read_as_if_it_were_whole(locked: Path) -> None:
    locked.parent.chmod(0o700)
    locked.with_name("flit.db-wal").write_bytes(b"what was not copied yet")

    with pytest.raises(ConfigurationError, match="was cut short"):
        Journal.existing(locked)


def test_another_file_there_is_no_journal(locked: Path) -> None:
    locked.parent.chmod(0o700)
    locked.chmod(0o600)
    locked.write_text("notes of something else, long enough to be looked at\n" * 40, encoding="utf-8")

    with pytest.raises(ConfigurationError, match="this file is no journal"):
        Journal.existing(locked)


def test_a_journal_that_can_be_written_to_is_opened_as_ever(kept: Path) -> None:
    assert not is_read_only(kept)
    with Journal.existing(kept) as journal:
        journal.runs.remember("note", "text")


def test_a_run_that_cannot_write_to_a_journal_that_is_there_is_not_sent_to_another_one(tmp_path: Path) -> None:
    migration = Migration(tmp_path)
    small_load(migration.export)
    migration.run()
    lease = tmp_path / "flit.db-lease"
    lease.unlink(missing_ok=True)
    lease.mkdir()  # SQLite cannot open it, as nothing can be opened on a disk that is only read

    with pytest.raises(ConfigurationError, match="Copy the journal") as refusal:
        migration.run()

    assert "Choose another --journal" not in str(refusal.value)
