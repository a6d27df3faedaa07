"""The answers of an account for people: question, answer, and what it changes for the migration."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from rich.console import Console

    from flitstack.stages.probe import ProbeReport


def print_answers(report: ProbeReport, console: Console) -> None:
    """Print the table of answers, and what could not be removed."""
    table = Table(title="What the account answered", title_justify="left", show_lines=True)
    for column in ("question", "answer", "what it changes"):
        table.add_column(column, overflow="fold")
    for probe, answer in report.answers:
        words = answer.words if answer.value is not None else f"unknown: {answer.words}"
        asked = Text.assemble((probe.name, "bold"), f"\n{probe.question}")
        table.add_row(asked, Text(words), Text(answer.changes or "nothing"))
    console.print(table)
    known = sum(answer.value is not None for _, answer in report.answers)
    words = f"{known} of {len(report.answers)} answers known, kept in {report.journal} for the runs to come."
    _say(console, f"{words} {report.requests:,} requests, {report.tokens:,} tokens.")
    if report.left:
        _say(console, f"Not removed from the account ({len(report.left)}); look at each there:")
    for one in report.left:
        _say(console, f"  {one}")


def _say(console: Console, text: str) -> None:
    console.print(text, markup=False, highlight=False)
