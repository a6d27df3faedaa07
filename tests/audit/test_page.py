"""The audit's report in a real headless browser: whole, offline, fit for a phone, and without a value of anybody."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from tests.browsing import browser, keep, show_on_phone, show_whole

from flitstack.reports.audit import audit_page, write_audit
from flitstack_dental.example import write_example
from flitstack_dental.reader import open_export

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.audit.conftest import Audited
    from tests.browsing import Browser

__all__ = ["browser"]
PERSONAL = {
    "last_name", "preferred_name", "chart_number", "birth_date", "death_date", "value", "line1", "city", "postal_code",
    "text", "note", "drug", "directions", "medical_alert", "email", "phone",
}  # fmt: skip


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example practice."""
    folder = tmp_path_factory.mktemp("page") / "export"
    write_example(folder, 40, seed=1)
    return folder


@pytest.fixture(scope="module")
def audited(export: Path, audit_folder: Callable[..., Audited]) -> Audited:
    """Its audit."""
    return audit_folder(export)


@pytest.fixture(scope="module")
def page(audited: Audited, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The audit's report file."""
    return write_audit(audited.audit, tmp_path_factory.mktemp("reports") / "flit-reports").page


def test_all_fifteen_sections_are_shown_and_nothing_is_fetched_or_run(browser: Browser, page: Path) -> None:
    show_whole(browser, page)

    assert browser.run("return document.querySelectorAll('main > section h2').length") == 16
    assert "15. Decisions" in browser.text("main")
    keep(browser, "audit")
    browser.run("document.querySelector('#ledger').scrollIntoView()")
    keep(browser, "audit-sign")


def test_it_is_readable_at_the_width_of_a_phone(browser: Browser, page: Path) -> None:
    show_on_phone(browser, page)

    small = browser.run(
        "return [...document.querySelectorAll('main *')].filter((one) => one.innerText"
        " && parseFloat(getComputedStyle(one).fontSize) < 12).map((one) => one.outerHTML.slice(0, 80))"
    )
    assert small == []
    browser.run("document.querySelectorAll('details').forEach((one) => { one.open = false })")
    browser.run("document.querySelector('#appointments').scrollIntoView()")
    keep(browser, "audit-phone")


def test_on_paper_everything_that_is_folded_away_is_there(browser: Browser, page: Path) -> None:
    browser.resize(1000, 1180)
    browser.open(page.as_uri())
    folded = "document.querySelector('details.keys p')"
    assert browser.run(f"return {folded}.checkVisibility({{contentVisibilityAuto: true}})") is False

    browser.media("print")

    assert browser.run(f"return {folded}.getBoundingClientRect().height") > 0
    browser.media("")


def test_only_its_owner_may_read_the_files(page: Path) -> None:
    assert page.stat().st_mode & 0o077 == 0
    assert page.with_suffix(".json").stat().st_mode & 0o077 == 0
    assert page.parent.stat().st_mode & 0o077 == 0


def test_the_same_export_gives_the_same_page(
    export: Path, audited: Audited, audit_folder: Callable[..., Audited]
) -> None:
    assert audit_page(audit_folder(export).audit) == audit_page(audited.audit)


def test_no_value_of_a_record_stands_in_page_or_data(export: Path, page: Path) -> None:
    texts = page.read_text(encoding="utf-8") + page.with_suffix(".json").read_text(encoding="utf-8")
    reader = open_export(str(export), {})
    people = ("patients", "addresses", "contact_points", "clinical_notes", "communications", "leads", "prescriptions")
    values = {
        value
        for stream in people
        for row in reader.read(stream)
        if (data := getattr(row, "data", None))
        for name, value in data.items()
        if isinstance(value, str) and len(value) > 4 and name in PERSONAL
    }
    reader.close()

    assert len(values) > 250
    assert [len(value) for value in values if value in texts] == []


def test_the_data_file_is_the_audit_as_json(audited: Audited, page: Path) -> None:
    held = json.loads(page.with_suffix(".json").read_text(encoding="utf-8"))

    assert held == json.loads(json.dumps(audited.audit.as_json()))
    assert [section["title"].split(".")[0] for section in held["sections"]] == [str(n) for n in range(1, 16)]
    assert all({"code", "message", "severity", "count"} <= line.keys() for s in held["sections"] for line in s["lines"])
