"""A journal copied while it is in use: the copy is whole, and the journal is only read."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

import pytest

from flitstack.errors import ConfigurationError
from flitstack.journal import Journal
from flitstack.journal.copying import copy_journal

if TYPE_CHECKING:
    from pathlib import Path


def test_a_copy_holds_what_was_committed_and_leads_a_life_of_its_own(tmp_path: Path) -> None:
    copy = tmp_path / "copy #1.db"
    with Journal(tmp_path / "flit.db", lease=True) as journal:
        journal.runs.remember("word", "first")
        copy_journal(journal.path, copy)
        with Journal(copy) as other:
            other.runs.remember("word", "second")
            assert journal.runs.meta("word") == "first"
            assert other.runs.meta("word") == "second"

    assert stat.S_IMODE(copy.stat().st_mode) == 0o600


def test_what_is_no_journal_is_named(tmp_path: Path) -> None:
    (tmp_path / "flit.db").write_bytes(b"no database" * 100)

    with pytest.raises(ConfigurationError, match=r"flit\.db: this file is no journal"):
        copy_journal(tmp_path / "flit.db", tmp_path / "copy.db")
