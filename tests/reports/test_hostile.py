"""What a person, a column or a record is called steers neither a page nor a terminal, and is never taken for markup."""

from __future__ import annotations

from dataclasses import replace
from io import StringIO
from typing import TYPE_CHECKING

from markupsafe import Markup
from rich.console import Console

from flitstack.journal import Journal
from flitstack.reports.final import final_page
from flitstack.reports.html import shown
from flitstack.reports.html.charts import bars
from flitstack.reports.life import print_life
from flitstack.reports.map import print_map
from flitstack.stages.explain import Event, Life, Made
from flitstack.stages.final.report import gather_report
from flitstack.stages.proposal.check import MapRow, ShownMap
from flitstack.terminal import visible

if TYPE_CHECKING:
    from pathlib import Path

STEERING = "\x1b", "\u202e", "\u2066", "\x00", "\udcff"
NASTY = "[/b][red]{{ 7 * 7 }}<b>" + "".join(STEERING)


def printed(console: Console) -> str:
    file = console.file
    assert isinstance(file, StringIO)
    return file.getvalue()


def test_a_map_made_by_somebody_hostile_is_printed_as_it_is_called() -> None:
    console = Console(file=StringIO(), width=200)
    row = MapRow(NASTY, NASTY, NASTY, NASTY, NASTY)

    print_map(ShownMap("0" * 64, NASTY, NASTY, (row,), ((NASTY, NASTY),)), console)

    told = printed(console)
    assert told.count("[/b][red]{{ 7 * 7 }}") == 9
    assert not [mark for mark in STEERING if mark in told]


def test_a_life_with_values_steers_no_terminal() -> None:
    console = Console(file=StringIO(), width=200)
    event = Event("", "staged", NASTY, (NASTY,), {NASTY: NASTY})

    print_life(Life(NASTY, (event,), (Made("person", NASTY, "", "folded into it", (event,)),)), console, values=True)

    told = printed(console)
    assert told.count("[/b][red]") >= 10
    assert not [mark for mark in STEERING if mark in told]


def test_a_page_holds_nothing_that_steers_and_can_be_written(tmp_path: Path) -> None:
    with Journal(tmp_path / "flit.db") as journal:
        report = replace(gather_report(journal), source=NASTY, account={"name": NASTY})

    page = final_page(report)

    assert "[/b][red]{{ 7 * 7 }}&lt;b&gt;" in page
    assert not [mark for mark in STEERING if mark in page]
    assert page.encode("utf-8")


def test_a_chart_stays_a_chart() -> None:
    drawn = shown(bars([(NASTY, 1)]))

    assert isinstance(drawn, Markup)
    assert str(drawn) == visible(str(bars([(NASTY, 1)])))
    assert shown(7) == 7


def test_a_file_name_that_is_no_text_can_be_told() -> None:
    assert visible("a\udcff.csv").encode() == "a\ufffd.csv".encode()
