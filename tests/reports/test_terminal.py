"""Text from an export on a terminal and on a page: it is shown, and steers nothing."""

from __future__ import annotations

import re
import unicodedata
from io import StringIO
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from flitstack.cli.endings import ending_of
from flitstack.errors import UsageError
from flitstack.protocols import Finding
from flitstack.reports.audit import audit_page, print_audit
from flitstack.stages.audit.sections import Audit, Section
from flitstack.stages.gates.gate import Gate
from flitstack.terminal import visible

if TYPE_CHECKING:
    from pathlib import Path

HOSTILE = "\x1b]0;owned\x07\x1b[31m<script>alert(1)</script>\u202etxt"


@given(st.text())
def test_whatever_is_shown_holds_no_control_character_but_tab_and_line_feed(text: str) -> None:
    shown = visible(text)

    assert len(shown) == len(text)
    assert not any(unicodedata.category(sign) == "Cc" for sign in shown if sign not in "\t\n")


@pytest.mark.parametrize("text", ["Ναί, λοιπόν", "דנה", "line\n\tnext", "Zoë 🦷"])
def test_what_steers_nothing_is_left_as_it_is(text: str) -> None:
    assert visible(text) == text


def test_a_column_of_a_hostile_name_steers_neither_terminal_nor_page() -> None:
    line = Finding("columns_left", f"Column {HOSTILE}", "error", HOSTILE, 1, (HOSTILE,), "one", 1)
    audit = Audit("example", None, "f" * 64, {HOSTILE: 1}, {"ok": 1, "rejected": 0, "skipped": 0},
                  (Section("one", "One", (line,)),), (HOSTILE,))  # fmt: skip
    out = StringIO()

    print_audit(audit, Console(file=out, width=80))

    assert "\x1b" not in out.getvalue()
    assert "alert(1)" in out.getvalue()
    assert not re.search(r"<script", audit_page(audit), re.IGNORECASE)


def test_neither_does_it_at_a_gate_or_in_a_message() -> None:
    ending = ending_of(UsageError(f"{HOSTILE}: no such column."), debug=False)

    assert ending is not None
    assert "\x1b" not in ending.message
    assert "\x1b" not in Gate("schema", f"  activity type {HOSTILE}").shown


def test_what_the_operating_system_refuses_names_the_path_and_is_no_bug(tmp_path: Path) -> None:
    in_the_way = tmp_path / f"flit-{HOSTILE[:4]}reports"
    in_the_way.touch()
    with pytest.raises(FileExistsError) as there:
        in_the_way.mkdir(exist_ok=True)
    with pytest.raises(NotADirectoryError) as beneath:
        (in_the_way / "audit.html").open("w", encoding="utf-8")

    for refused in (there.value, beneath.value):
        ending = ending_of(refused, debug=False)
        assert ending is not None
        assert ending.exit_code == 4
        assert str(tmp_path) in ending.message
        assert "is in the way" in ending.message
        assert "\x1b" not in ending.message
