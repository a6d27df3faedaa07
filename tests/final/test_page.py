"""The final report as people read it: in a browser, on a phone and on paper.

With `FLITSTACK_SCREENSHOTS=FOLDER` the pictures of the documentation are taken, and the printed report is kept there as
`report.pdf`.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner
from tests.browsing import BROWSERS, SCREENSHOTS, browser, keep, show_on_phone, show_whole

from flitstack.cli import cli

if TYPE_CHECKING:
    from tests.browsing import Browser

__all__ = ["browser"]


@pytest.fixture(scope="module")
def page(demo: Path) -> Path:
    """The report that the run wrote."""
    return demo.parent / "flit-reports" / "report.html"


def test_it_is_whole_without_the_network_and_without_a_script(browser: Browser, page: Path) -> None:
    show_whole(browser, page)

    text = browser.text("body")
    for part in ("What is where", "What did not move, and why", "What needs looking after", "What is set up anew",
                 "Who approved what", "Checklist to sign", "Confidential"):  # fmt: skip
        assert part in text
    keep(browser, "report")
    browser.run("document.querySelector('#sign').scrollIntoView()")
    keep(browser, "report-sign")


def test_it_is_readable_at_the_width_of_a_phone(browser: Browser, page: Path) -> None:
    show_on_phone(browser, page)

    keep(browser, "report-phone")


def test_no_column_is_cut_off_on_a_wide_page(browser: Browser, page: Path) -> None:
    browser.resize(1000, 1180)
    browser.open(page.as_uri())
    browser.run("document.querySelectorAll('details').forEach((one) => { one.open = true })")

    wide = "[...document.querySelectorAll('.scroll')].filter((one) => one.scrollWidth > one.clientWidth + 1).length"
    assert browser.run(f"return {wide}") == 0


def test_it_prints_on_a_dozen_pages_with_what_is_folded_away_on_a_screen(
    browser: Browser, page: Path, tmp_path: Path
) -> None:
    browser.open(page.as_uri())
    browser.media("print")
    try:
        assert browser.run("return document.querySelector('#moved details table').getBoundingClientRect().height") > 100
    finally:
        browser.media("")
    binary = next(found for name in BROWSERS if (found := shutil.which(name)))
    made = tmp_path / "report.pdf"
    command = [binary, "--headless=new", "--no-sandbox", "--disable-gpu", "--no-pdf-header-footer",
               f"--user-data-dir={tmp_path / 'profile'}", f"--print-to-pdf={made}", page.as_uri()]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True, timeout=60)

    pages = len(re.findall(rb"/Type\s*/Page\b", made.read_bytes()))
    assert 5 <= pages <= 12
    folder = os.environ.get(SCREENSHOTS)
    if folder:
        shutil.copy(made, Path(folder) / "report.pdf")


def test_the_page_can_be_read_by_its_owner_alone(page: Path) -> None:
    assert page.stat().st_mode & 0o077 == 0
    assert page.with_suffix(".json").stat().st_mode & 0o077 == 0


def test_the_command_writes_it_again_and_says_where_and_that_it_is_confidential(demo: Path, page: Path) -> None:
    before = page.read_text("utf-8")

    ended = CliRunner().invoke(cli, ["report", "--journal", str(demo)])

    assert ended.exit_code == 0, ended.output
    assert str(page) in ended.stdout.replace("\n", "")
    assert "amounts of single people" in ended.stdout
    # What changed is what flit itself noted since the run made it: the end of that run.
    assert len(page.read_text("utf-8")) == pytest.approx(len(before), rel=0.02)


def test_without_a_journal_the_commands_say_what_to_do(tmp_path: Path) -> None:
    runner = CliRunner()
    for args in (["report"], ["explain", "patients:1"]):
        ended = runner.invoke(cli, [*args, "--journal", str(tmp_path / "none.db")])
        assert ended.exit_code == 4
        assert "no journal here" in ended.output
    ended = runner.invoke(cli, ["status", "--journal", str(tmp_path / "none.db")])
    assert ended.exit_code == 0
    assert "nothing yet" in ended.output
