"""A verification as people read it: the page, the terminal, the file for machines; and how the command ends."""

from __future__ import annotations

import asyncio
import json
from io import StringIO
from typing import TYPE_CHECKING

import pytest
from rich.console import Console
from tests.browsing import browser, keep, show_on_phone, show_whole
from tests.e2e.conftest import FLIT, Ended, ended

from flitstack.errors import Interrupted
from flitstack.registry import load_plugins
from flitstack.reports.verify import print_verification, verification_page, write_verification
from flitstack.stages.context import StopFlag
from flitstack.stages.proof.recheck import RecheckOptions, recheck
from flitstack.testing.migration import Words

if TYPE_CHECKING:
    from pathlib import Path

    from tests.browsing import Browser
    from tests.proof.conftest import Moved

    from flitstack.stages.proof.recheck import RecheckReport

__all__ = ["browser"]


@pytest.fixture
def spoilt(moved: Moved) -> RecheckReport:
    """What reading back finds of one lost deal, one value that changed by itself, and forty edits of people."""
    people, deals = moved.docs("person"), moved.docs("deal")
    moved.spoil("deal", deals[0]["id"], lambda doc: doc.update(is_deleted=True), gone=True)
    moved.spoil("deal", deals[1]["id"], lambda doc: doc.update(value=1.25))
    with moved.hand() as hand:
        for doc in people:
            hand.do("PATCH", f"/api/v2/persons/{doc['id']}", {"name": "Edited By Hand"})
        for doc in moved.docs("activity")[:30]:
            hand.do("PATCH", f"/api/v2/activities/{doc['id']}", {"done": not doc["done"]})
    return moved.read_back()


def test_the_page_shows_each_class_apart_and_runs_nothing(
    browser: Browser, spoilt: RecheckReport, tmp_path: Path
) -> None:
    files = write_verification(spoilt, tmp_path / "reports")
    show_whole(browser, files.page)

    assert "Lost or different: 2" in browser.text("#lost")
    assert "Records too many: 0" in browser.text("#doubled")
    assert f"Changed since: {spoilt.verification.drifted}" in browser.text("#changed")
    assert "Treatment plans" in browser.text("#totals")
    keep(browser, "verify")
    show_on_phone(browser, files.page)
    keep(browser, "verify-phone")


def test_every_difference_is_on_the_page_and_no_value_is(spoilt: RecheckReport) -> None:
    page = verification_page(spoilt)

    assert len(spoilt.verification.differences) > 30
    assert all(one.key in page for one in spoilt.verification.differences)
    assert "Edited" not in page
    assert "1.25<" not in page.replace("</td>", "<")


def test_the_terminal_tells_what_was_lost_first_and_sums_up_the_rest(spoilt: RecheckReport) -> None:
    said = StringIO()

    print_verification(spoilt, Console(file=said, width=80))

    lines = said.getvalue().splitlines()
    first = next(line for line in lines if line.startswith("  ") and ": " in line)
    assert first.startswith("  deal ")
    assert "  30 activity done: changed" in lines
    assert lines[-1].startswith("Not everything")
    assert all(word in said.getvalue() for word in ("checked", "mismatched", "drifted", "doubled"))
    assert max(map(len, lines)) <= 80


def test_the_files_are_the_owner_s_alone_and_hold_the_same(spoilt: RecheckReport, tmp_path: Path) -> None:
    files = write_verification(spoilt, tmp_path / "reports")

    assert json.loads(files.data.read_text("utf-8")) == json.loads(json.dumps(spoilt.as_json()))
    assert all(path.stat().st_mode & 0o077 == 0 for path in (files.page, files.data, files.page.parent))


def command(moved: Moved, *more: str, **environment: str) -> Ended:
    """Run the command as its user does."""
    site = moved.site
    return ended(
        [*FLIT, "verify", "--journal", str(site.journal), *more], cwd=site.folder, env=site.env() | environment
    )


def test_the_command_tells_drift_from_loss_by_its_exit_code(moved: Moved) -> None:
    assert command(moved).code == 0
    with moved.hand() as hand:
        hand.do("PATCH", f"/api/v2/persons/{moved.docs('person')[0]['id']}", {"name": "Edited By Hand"})

    drifted, strict = command(moved, "--json"), command(moved, "--strict", "--json")

    assert (drifted.code, strict.code) == (0, 6)
    assert drifted.report["differences"][0]["fields"] == ["name"]
    assert all((moved.site.folder / path).exists() for path in drifted.report["reports"].values())


def test_what_was_found_is_told_where_its_page_cannot_be_written(moved: Moved) -> None:
    folder = moved.site.journal.parent / "flit-reports"
    if folder.exists():
        folder.rename(folder.with_name("earlier"))
    folder.write_text("a file where the folder should be")

    found = command(moved)

    assert found.code == 4
    assert "All is as it was written." in found.out
    assert "no report can be written there" in found.err


def test_an_account_that_does_not_answer_is_one_message(moved: Moved) -> None:
    found = command(moved, PIPEDRIVE_BASE_URL="http://127.0.0.1:9", PIPEDRIVE_API_TOKEN="0" * 40)

    assert found.code == 5  # nobody answers there
    assert "does not answer" in found.one_message()


def test_a_person_who_stops_it_loses_nothing(moved: Moved) -> None:
    journal = moved.site.journal.read_bytes()
    sets = (f"dest.base_url=sandbox:{moved.site.account}?plan=ultimate&seats=5",)
    asked = RecheckOptions(moved.site.journal, sets)

    with pytest.raises(Interrupted):
        asyncio.run(recheck(asked, Words(), StopFlag(raised=True), registry=load_plugins()))

    assert moved.site.journal.read_bytes() == journal
