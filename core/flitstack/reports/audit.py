"""The audit for people: a summary on the terminal, one self-contained page, and the same as JSON for machines."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from rich.table import Table

from flitstack.reports.html import render, write_report

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console

    from flitstack.protocols import Finding
    from flitstack.stages.audit import Audit

WORDS = {"error": "cannot move", "warning": "look at", "info": "note"}
TOLD = 12


def write_audit(audit: Audit, folder: Path) -> tuple[Path, Path]:
    """Write the page and the JSON file, readable by their owner alone, and return their paths."""
    name = f"audit-{(audit.as_of or 'undated')[:10]}"
    page = write_report(folder, f"{name}.html", audit_page(audit))
    data = json.dumps(audit.as_json(), ensure_ascii=False, indent=1)
    return page, write_report(folder, f"{name}.json", f"{data}\n")


def audit_page(audit: Audit) -> str:
    """Return the audit as one HTML page; counts and keys only, no value of a record."""
    severities = [(f"{WORDS[name]}", audit.count(name)) for name in ("error", "warning", "info")]
    ordered = [line.code for section in audit.sections for line in section.lines if _is_ordered(line)]
    values = {
        "audit": audit,
        "total": sum(audit.records.values()),
        "words": WORDS,
        "severities": severities,
        "ordered": ordered,
    }
    return render("audit.html.j2", values)


def _is_ordered(line: Finding) -> bool:
    """Tell whether a spread is in an order of its own (years, sizes) and not by how many there are."""
    counts = [count for _, count in line.spread]
    return len(counts) > 1 and counts != sorted(counts, reverse=True)


def print_audit(audit: Audit, console: Console) -> None:
    """Print the summary: a line per section, then what cannot move, and how much is to be decided."""
    table = Table(title=f"Audit of the export{_day(audit)}", title_justify="left", show_footer=True)
    table.add_column("section", "total", no_wrap=True)
    for severity in ("error", "warning", "info"):
        table.add_column(WORDS[severity], f"{audit.count(severity):,}", justify="right")
    table.add_column("to decide", f"{len(audit.decisions):,}", justify="right")
    for section in audit.sections:
        counts = [section.count(severity) for severity in ("error", "warning", "info")]
        asked = sum(bool(line.decision) for line in section.lines)
        table.add_row(section.title, *(f"{n:,}" if n else "" for n in (*counts, asked)))
    console.print(table)
    graves = [line for section in audit.sections for line in section.lines if line.severity == "error"]
    if graves:
        console.print("Cannot move as they are:", style="bold")
    for line in sorted(graves, key=lambda line: -line.count)[:TOLD]:
        of = f" of {line.of:,}" if line.of else ""
        _say(console, f"  {line.count:,}{of} {_of(line)}: {line.message}")
    if len(graves) > TOLD:
        _say(console, f"  and {len(graves) - TOLD} more kinds, in the report.")
    for told in audit.told:
        _say(console, told)


def _of(line: Finding) -> str:
    return (line.stream or "").replace("_", " ")


def _day(audit: Audit) -> str:
    return f", as of {audit.as_of[:10]}" if audit.as_of else ""


def _say(console: Console, text: str) -> None:
    console.print(text, markup=False, highlight=False)
