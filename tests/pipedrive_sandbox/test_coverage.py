"""The page that says what is covered: that it is current, and that all the destination calls is fully checked."""

from __future__ import annotations

import re

from tests.pipedrive_sandbox.official import ROOT, tool

from flitstack_pipedrive.costs import cost_table
from flitstack_pipedrive.sandbox.switches import Switches

PAGE = ROOT / "docs" / "sandbox-coverage.md"
LINE = re.compile(r"\| `(?P<call>.+?)` \| (?P<request>.*?) \| (?P<response>.*?) \| (?P<tokens>.*?) \| .* \| (yes)? ?\|")


def lines() -> dict[str, re.Match[str]]:
    """Return the lines of the table by operation."""
    found = map(LINE.fullmatch, PAGE.read_text(encoding="utf-8").splitlines())
    return {match["call"]: match for match in found if match is not None}


def test_the_page_is_what_the_tool_makes() -> None:
    assert tool("derive_coverage").rendered() == PAGE.read_text(encoding="utf-8"), (
        "run: python tools/derive_coverage.py > docs/sandbox-coverage.md"
    )


def test_all_that_the_destination_can_call_is_fully_checked() -> None:
    table = lines()

    # The client pays for every call from this table and knows no price of any other.
    for call in cost_table():
        line = table[call]
        assert line["request"].startswith("checked"), call
        assert line["response"].startswith("checked"), call
        assert line["tokens"] == f"{cost_table()[call]}, checked", call


def test_every_switch_is_named() -> None:
    text = PAGE.read_text(encoding="utf-8")

    assert [name for name in Switches.__slots__ if f"`{name}`" not in text] == []
