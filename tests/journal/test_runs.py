"""Runs, identity and approvals as the journal keeps them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from flitstack.errors import ConfigurationError
from flitstack.journal import Approval, Journal

if TYPE_CHECKING:
    from pathlib import Path

AT = "2026-07-01T09:00:00.000+00:00"


def test_what_a_journal_is_for_is_fixed_when_it_is_first_said(tmp_path: Path) -> None:
    with Journal(tmp_path / "flit.db") as journal:
        journal.runs.identify("account", "one", "")
        journal.runs.identify("account", "one", "")

    with Journal(tmp_path / "flit.db") as journal, pytest.raises(ConfigurationError, match="Take the other"):
        journal.runs.identify("account", "two", "Take the other.")


def test_an_approval_is_of_one_hash_and_survives_its_run(tmp_path: Path) -> None:
    approval = Approval("map", "h1", "Dana", AT, "approved")
    with Journal(tmp_path / "flit.db") as journal:
        journal.runs.approve(AT, [approval], "a note")

    with Journal(tmp_path / "flit.db") as journal:
        assert journal.runs.approval("map", "h1") == approval
        assert journal.runs.approval("map", "h2") is None
        assert journal.runs.approval("schema", "h1") is None
        assert journal.audit.head().length == 1


def test_what_was_shown_last_is_what_can_be_approved(journal: Journal) -> None:
    journal.runs.show("run-1", "2026-07-01T09:00:00.000+00:00", {"map": ("h1", "one")})
    journal.runs.show("run-2", "2026-07-01T10:00:00.000+00:00", {"map": ("h2", "two")})
    assert journal.runs.last_shown("map") == ("h2", "two")

    journal.runs.show("run-3", "2026-07-01T11:00:00.000+00:00", {"map": ("h1", "one")})

    assert journal.runs.last_shown("map") == ("h1", "one")
    assert journal.runs.was_shown("map", "h2")
    assert not journal.runs.was_shown("schema", "h2")
    assert journal.runs.last_shown("full") is None


def test_what_runs_spent_since_a_time_is_added_up(journal: Journal) -> None:
    for number, tokens in enumerate((100, 20, 3)):
        journal.runs.begin(f"run-{number}", f"2026-07-0{number + 1}T09:00:00.000+00:00", "0")
        journal.runs.finish(f"run-{number}", AT, "done", 1, tokens)

    assert journal.runs.spent_since("2026-07-02T00:00:00.000+00:00") == 23
    assert journal.runs.spent_since("2026-08-01T00:00:00.000+00:00") == 0
