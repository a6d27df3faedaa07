"""The page of a rollback as people read it: whole by itself, readable on a phone, and without a value of a record."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from tests.browsing import browser, keep, show_on_phone, show_whole
from tests.rollback.conftest import undo_of

from flitstack.reports.rollback import publish_rollback
from flitstack.testing.migration import Migration
from flitstack.testing.small_load import small_load

if TYPE_CHECKING:
    from pathlib import Path

    from tests.browsing import Browser

__all__ = ["browser"]


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of a rollback with conflicts."""
    folder = tmp_path_factory.mktemp("one")
    migration = Migration(folder)
    small_load(migration.export)
    migration.run()
    people = {str(stored.fields["name"]): stored for stored in migration.account.of("contact")}
    migration.account.edit(people["Bob"], phone="555 0199")
    note = migration.account.put("visit", note="they called")
    migration.account.records["visit", note.id] = replace(note, links={"contact": people["Eve"].id})
    report = undo_of(migration)(publish=publish_rollback)
    return folder / "flit-reports" / f"rollback-{report.run_id}.html"


def test_it_is_whole_without_the_network_and_without_a_script(browser: Browser, page: Path) -> None:
    show_whole(browser, page)

    text = browser.text("main")
    for part in ("By object", "What stays, and why", "Proof", "somebody changed it since", "somebody hung something"):
        assert part in text
    keep(browser, "rollback")


def test_it_is_readable_at_the_width_of_a_phone(browser: Browser, page: Path) -> None:
    show_on_phone(browser, page)


def test_page_and_json_hold_no_value_of_a_record(page: Path) -> None:
    told = page.read_text("utf-8") + page.with_suffix(".json").read_text("utf-8")

    assert "memory:contacts:2" in told
    for value in ("555 0199", "they called", "Bob", "Eve"):
        assert value not in told
