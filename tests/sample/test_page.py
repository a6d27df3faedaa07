"""The report of a sample: its first page, its people, and where values may stand."""

from __future__ import annotations

import json
import stat
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from rich.console import Console
from tests.browsing import browser, keep, show_on_phone, show_whole

from flitstack.reports.sample import print_sample, publish_sample

if TYPE_CHECKING:
    from tests.browsing import Browser

    from flitstack.stages.sample.taken import TakenSample

__all__ = ["browser"]


@pytest.fixture(scope="module")
def page(taken: TakenSample, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report file."""
    return Path(publish_sample(taken, tmp_path_factory.mktemp("reports") / "flit-reports"))


def test_only_its_owner_may_read_it_and_the_json_beside_it(page: Path) -> None:
    files = list(page.parent.iterdir())

    assert len(files) == 2
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    assert json.loads(page.with_suffix(".json").read_text("utf-8"))["diff"]["records"] > 100


def test_the_terminal_and_the_gate_show_counts_and_no_value_of_a_record(taken: TakenSample) -> None:
    said = StringIO()

    print_sample(taken, Console(file=said, width=200))
    told = said.getvalue() + json.dumps(taken.as_json())

    names = [line.held for each in taken.diff.fields if each.field == "name" for line in each.lines if line.held]
    assert names
    assert not any(name in told for name in names)


def test_the_first_page_is_what_the_template_puts_first(taken: TakenSample) -> None:
    titles = [title for title, _, _ in taken.first_page]

    assert titles == [
        "Patient names", "Appointment dates and times", "Treatment plan values", "Recall dates", "Referral links",
    ]  # fmt: skip
    assert len(taken.diff.people) == 5


def test_it_is_whole_without_the_network_and_without_a_script(browser: Browser, page: Path) -> None:
    show_whole(browser, page)

    assert "As the front desk will see them" in browser.text("main")
    assert browser.run("return document.querySelectorAll('.person').length") == 5
    keep(browser, "sample")
    browser.run("document.querySelector('.person').scrollIntoView()")
    keep(browser, "sample-people")


def test_it_is_readable_at_the_width_of_a_phone(browser: Browser, page: Path) -> None:
    show_on_phone(browser, page)

    browser.run("document.querySelector('.line').scrollIntoView()")
    keep(browser, "sample-phone")
