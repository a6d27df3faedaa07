"""The audit for people: a summary on the terminal, one self-contained page, and the same as JSON for machines."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flitstack.reports.html import render, write_report
from flitstack.reports.tables import add_counts, plain_table
from flitstack.stages.intake.decisions import write_draft
from flitstack.terminal import visible

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console

    from flitstack.protocols import Finding
    from flitstack.stages.audit.sections import Audit

WORDS = {"error": "cannot move", "warning": "look at", "info": "note"}
TOLD = 12
DRAFT = "decisions-draft.csv"


@dataclass(frozen=True, slots=True)
class AuditFiles:
    """Where an audit was written: the page, the same as JSON, and a draft of decisions, None when there are none."""

    page: Path
    data: Path
    draft: Path | None


def write_audit(audit: Audit, folder: Path) -> AuditFiles:
    """Write the report's files, readable by their owner alone, and return their paths."""
    day = (audit.as_of or "undated")[:10]
    page = write_report(folder, f"audit-{day}.html", audit_page(audit))
    data = json.dumps(audit.as_json(), ensure_ascii=False, indent=1)
    data_path = write_report(folder, f"audit-{day}.json", f"{data}\n")
    draft = folder / DRAFT if audit.draft else None
    if draft is not None:
        write_draft(draft, audit.draft)
    return AuditFiles(page, data_path, draft)


def publish_audit(audit: Audit, folder: Path) -> str:
    """Write the report and return its page's path, as a run does before its gates."""
    return str(write_audit(audit, folder).page)


def audit_page(audit: Audit) -> str:
    """Return the audit as one HTML page; counts and keys only, no value of a record."""
    ordered = [line.code for section in audit.sections for line in section.lines if _is_ordered(line)]
    values = {
        "audit": audit,
        "total": sum(audit.records.values()),
        "words": WORDS,
        "ordered": ordered,
    }
    return render("audit.html.j2", values)


def _is_ordered(line: Finding) -> bool:
    """Tell whether a spread is in an order of its own (years, sizes) and not by how many there are."""
    counts = [count for _, count in line.spread]
    return len(counts) > 1 and counts != sorted(counts, reverse=True)


def print_audit(audit: Audit, console: Console) -> None:
    """Print the summary: findings by section, then what cannot move, and how much is to be decided."""
    table = plain_table(f"Findings in the export{_day(audit)}", footer=True)
    table.add_column("section", "total", no_wrap=True)
    for severity in ("error", "warning", "info"):
        add_counts(table, WORDS[severity], f"{audit.count(severity):,}")
    add_counts(table, "to decide", f"{len(audit.decisions):,}")
    for section in audit.sections:
        table.add_row(section.title, *(f"{n:,}" if n else "" for n in audit.counts(section).values()))
    console.print(table)
    graves = [line for section in audit.sections for line in section.lines if line.severity == "error"]
    if graves:
        console.print("Cannot move as they are:", style="bold")
    for line in sorted(graves, key=lambda line: -line.count)[:TOLD]:
        of = f" of {line.of:,}" if line.of else ""
        _say(console, f"  {line.count:,}{of} {_of(line)}: {line.message}")
    if len(graves) > TOLD:
        _say(console, f"  and {len(graves) - TOLD:,} more findings of what cannot move, in the report.")
    for told in audit.told:
        _say(console, told)


def _of(line: Finding) -> str:
    return (line.stream or "").replace("_", " ")


def _day(audit: Audit) -> str:
    return f", as of {audit.as_of[:10]}" if audit.as_of else ""


def _say(console: Console, text: str) -> None:
    console.print(visible(text), markup=False, highlight=False)
