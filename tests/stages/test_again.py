"""A finished load that is run again writes nothing, and asks the tables rather than each record."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from flitstack.testing.migration import Migration
from flitstack.testing.small_load import small_load

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def finished(tmp_path: Path) -> Migration:
    migration = Migration(tmp_path)
    small_load(migration.export)
    for number in range(40):
        migration.export.add("contacts", f"c{number}", name=f"Name {number}", company_id="1")
    migration.run()
    return migration


def test_a_second_run_plans_nothing_and_sends_nothing(finished: Migration) -> None:
    sent = finished.account.arrived

    report = finished.run()

    assert finished.account.arrived == sent
    assert report.objects["contact"]["unchanged"] == len(finished.account.of("contact"))
    with finished.open() as journal:
        assert journal.operations.count("planned", "blocked") == 0


def test_only_what_changed_is_thought_about_and_written(finished: Migration) -> None:
    sent = finished.account.arrived
    finished.export.change("contacts", "c7", name="Another")

    report = finished.run()

    assert finished.account.arrived == sent + 1
    assert report.objects["contact"]["updated"] == 1


def test_records_are_planned_alike_in_windows_of_any_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pictures = []
    for window in (1, 3, 20_000):
        monkeypatch.setattr("flitstack.journal.planning.WINDOW", window)
        (tmp_path / str(window)).mkdir()
        migration = Migration(tmp_path / str(window))
        small_load(migration.export)
        migration.run()
        pictures.append(migration.account.picture())

    assert pictures[0] == pictures[1] == pictures[2]
