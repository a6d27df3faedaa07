"""The summary of a watch for people: what was picked up, the last load, and what waits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table

from flitstack.reports.summary import print_summary

if TYPE_CHECKING:
    from rich.console import Console

    from flitstack.stages.delta.watch import WatchReport


def print_watch(report: WatchReport, console: Console) -> None:
    """Print the exports in the order in which they were picked up, then the summary of the last load."""
    if report.last is not None:
        print_summary(report.last, console)
    table = Table(title="Exports picked up", title_justify="left")
    table.add_column("export")
    table.add_column("what became of it")
    for one in report.picked:
        table.add_row(one.name, f"passed over: {one.message}" if one.message else one.status.replace("_", " "))
    console.print(table if report.picked else "No export was dropped into the folder.")
    if report.waiting:
        console.print("The last export still waits for its approval.", style="bold")
