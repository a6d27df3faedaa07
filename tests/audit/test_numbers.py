"""Every number of an audit, on the terminal, on the page and at the gate, is one that `audit --json` has."""

from __future__ import annotations

import re
from io import StringIO
from typing import TYPE_CHECKING, Any

import pytest
from rich.console import Console

from flitstack.reports.audit import audit_page, print_audit
from flitstack.stages.audit.sections import audit_text
from flitstack_dental.example import write_example

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.audit.conftest import Audited

    from flitstack.stages.audit.sections import Audit

COUNTED = ("error", "warning", "info", "decisions")


@pytest.fixture(scope="module")
def audit(tmp_path_factory: pytest.TempPathFactory, audit_folder: Callable[..., Audited]) -> Audit:
    """The audit of an example practice."""
    folder: Path = tmp_path_factory.mktemp("numbers") / "export"
    write_example(folder, 40, seed=1)
    return audit_folder(folder).audit


def totals(told: dict[str, Any]) -> list[int]:
    """Return the four numbers of the whole audit, as its JSON has them."""
    return [*(told["findings"][severity] for severity in COUNTED[:3]), len(told["decisions"])]


def numbers(text: str) -> list[int]:
    return [int(number.replace(",", "")) for number in re.findall(r"\d[\d,]*", text)]


def test_the_counts_of_the_sections_add_up_to_those_of_the_audit(audit: Audit) -> None:
    told: Any = audit.as_json()

    added = [sum(section["counts"][name] for section in told["sections"]) for name in COUNTED]

    assert added == totals(told)
    for section in told["sections"]:
        of_lines = [sum(line["severity"] == name for line in section["lines"]) for name in COUNTED[:3]]
        assert of_lines == [section["counts"][name] for name in COUNTED[:3]]
    assert min(totals(told)) > 0


def test_the_gate_says_the_numbers_of_the_json(audit: Audit) -> None:
    told: Any = audit.as_json()
    errors, warnings, notes, decisions = totals(told)

    said = numbers(audit_text(audit).rpartition(" (")[0])

    assert said == [errors + warnings + notes, errors, told["states"]["rejected"], warnings, notes, decisions]


def test_the_terminal_says_the_numbers_of_the_json(audit: Audit) -> None:
    told: Any = audit.as_json()
    out = StringIO()
    print_audit(audit, Console(file=out, width=100))
    lines = out.getvalue().splitlines()

    (total,) = [line for line in lines if line.startswith("total ")]

    assert numbers(total) == totals(told)
    for section in told["sections"]:
        (row,) = [line for line in lines if line.startswith(f"{section['title']} ")]
        assert numbers(row.removeprefix(section["title"])) == [n for n in section["counts"].values() if n]


def test_the_page_says_the_numbers_of_the_json(audit: Audit) -> None:
    told: Any = audit.as_json()
    page = audit_page(audit)

    tiles = numbers(" ".join(re.findall(r"<b>([^<]*)</b>", page.partition('class="tiles"')[2].partition("</ul>")[0])))
    total = page.partition("<tfoot>")[2].partition("</tfoot>")[0]
    table = page.partition('<section id="decisions">')[2]

    assert tiles == totals(told)
    assert numbers(re.sub("<[^>]*>", " ", total)) == totals(told)
    assert table.count('<td data-name="Question">') == len(told["decisions"])
    for section in told["sections"][:-1]:
        part = page.partition(f'<section id="{section["code"]}">')[2].partition("</section>")[0]
        shown = re.search(r"For information: ([\d,]*\d)(?:, and ([\d,]*\d) below)?", part)
        noted = sum(numbers(" ".join(filter(None, shown.groups())))) if shown else section["counts"]["info"]
        assert noted == section["counts"]["info"], section["code"]
