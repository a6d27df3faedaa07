"""The plan as people read it: a page of its own, the terminal, and the command."""

from __future__ import annotations

import json
import re
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner
from rich.console import Console
from tests.browsing import browser, keep, show_on_phone, show_whole
from tests.plan.conftest import place_in

from flitstack.cli import cli
from flitstack.reports.plan import print_plan, write_plan

if TYPE_CHECKING:
    from tests.browsing import Browser

    from flitstack.stages.report import RunReport

__all__ = ["browser"]


@pytest.fixture(scope="module")
def page(planned: RunReport, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report file."""
    assert planned.document is not None
    return write_plan(planned.document, tmp_path_factory.mktemp("reports"))[0]


def test_it_is_whole_without_the_network_and_without_a_script(browser: Browser, page: Path) -> None:
    show_whole(browser, page)

    text = browser.text("main")
    for part in ("What is written", "What is created first", "Who owns what", "How complex this is", "Approval"):
        assert part in text
    keep(browser, "plan")


def test_it_is_readable_at_the_width_of_a_phone(browser: Browser, page: Path) -> None:
    show_on_phone(browser, page)

    browser.run("document.querySelector('#schema').scrollIntoView()")
    keep(browser, "plan-phone")


def test_page_and_terminal_hold_no_value_of_a_record(planned: RunReport, page: Path) -> None:
    said = StringIO()
    assert planned.document is not None

    print_plan(planned.document, planned.gates, Console(file=said, width=200), "flit.db")
    told = page.read_text("utf-8") + said.getvalue()

    rows = (Path(planned.journal).parent / "export" / "patients.csv").read_text("utf-8").splitlines()
    header = rows[0].split(",")
    wanted = [header.index(name) for name in ("first_name", "last_name") if name in header]
    assert wanted
    names = {row.split(",")[at] for row in rows[1:] for at in wanted if len(row.split(",")) > at}
    found = {
        name for name in names if len(name) > 3 and name != "Patient" and re.search(rf"\b{re.escape(name)}\b", told)
    }
    assert found == set()


def test_the_terminal_says_what_it_takes_and_what_to_approve(planned: RunReport) -> None:
    said = StringIO()
    assert planned.document is not None

    print_plan(planned.document, planned.gates, Console(file=said, width=200), "flit.db")

    told = said.getvalue()
    assert re.search(r"Takes [\d,]+ requests and [\d,]+ tokens, of [\d,]+ a day: 1 day\.", told)
    assert re.search(r"Complexity [ABCD] \(\w+\), \d+ of 12 points:", told)
    assert "Gate schema: open." in told


def test_the_command_prints_one_object_and_writes_the_files(tmp_path: Path) -> None:
    journal = str(tmp_path / "flit.db")
    command = ["plan", "--source", "dental", "--dest", "pipedrive", "--demo", "--journal", journal, "--json"]

    result = CliRunner().invoke(cli, command)

    assert result.exit_code == 0, result.output
    plan = json.loads(result.stdout)
    assert [gate["gate"] for gate in plan["gates"]] == ["profile", "map", "schema", "full"]
    assert plan["gates"][0]["attest"]
    assert Path(plan["reports"]["html"]).name == f"plan-{plan['hash'][:12]}.html"
    written = json.loads(Path(plan["reports"]["json"]).read_text("utf-8"))
    assert {**plan, **written} == plan
    assert plan["audit"]["length"] > 0


def test_a_run_that_stops_names_the_pages_of_audit_and_plan_and_the_commands(tmp_path: Path) -> None:
    place = place_in(tmp_path)
    base = f"dest.base_url=sandbox:{tmp_path / 'account.db'}?plan=ultimate&seats=5"
    places = ["--input", str(tmp_path / "export"), "--journal", str(place.journal)]
    sets = ["--set", "profile=full", "--set", base, "--set", "dest.list_lag_s=0"]

    result = CliRunner().invoke(cli, ["run", "--source", "dental", "--dest", "pipedrive", *places, *sets])

    assert result.exit_code == 3
    told = result.stderr
    (page,) = re.findall(r"The whole plan, to read and to print: (\S+)", told)
    (audit,) = re.findall(r"The audit's report: (\S+)", told)
    assert Path(page).is_file()
    assert Path(audit).is_file()
    assert f'flit approve profile --by NAME --attest "AGREEMENT, ITS DATE" --journal {place.journal}' in told
