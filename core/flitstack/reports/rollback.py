"""An undo for people: a table on the terminal, one page that lists what stays and why, and the same as JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from flitstack.protocols import full_key
from flitstack.reports.html import FOLDER, render, write_report
from flitstack.reports.tables import add_counts, plain_table, say
from flitstack.stages.rollback.decision import REASONS
from flitstack.stages.rollback.report import COUNTED
from flitstack.stages.rollback.texts import kept_lines

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from rich.console import Console

    from flitstack.stages.rollback.report import RollbackReport

ENDINGS = {
    "undone": "Undone: the account holds what it held before.",
    "undone_but_for_conflicts": "Undone, but for what people made theirs; it stays as they left it.",
    "mismatched": "Not everything is as it should be; look at the lines above, and run the same command again.",
    "dry_run": "Nothing was written.",
}
HEADS = {"deleted": "deleted", "restored": "put back", "gone": "gone already", "kept": "stay"}


def publish_rollback(report: RollbackReport, folder: Path) -> Mapping[str, str]:
    """Write page and JSON beside the journal, named by the run and readable by their owner alone; return the paths."""
    name, place = f"rollback-{report.run_id}", folder / FOLDER
    if report.dry_run:
        name = f"{name}-dry-run"
    page = write_report(place, f"{name}.html", rollback_page(report))
    data = write_report(place, f"{name}.json", json.dumps(report.as_json(), ensure_ascii=False, indent=1))
    return {"html": str(page), "json": str(data)}


def rollback_page(report: RollbackReport) -> str:
    """Return the undo as one HTML page; counts, keys and names of fields, no value of a record."""
    values: dict[str, Any] = {
        "report": report,
        "ending": ENDINGS[report.status],
        "severity": {0: "ok", 1: "warning"}.get(report.exit_code, "error"),
        "heads": [HEADS[name] for name in COUNTED],
        "objects": [(name, [counts.get(each, 0) for each in COUNTED]) for name, counts in report.objects.items()],
        "reasons": report.reasons(),
        "kept": [
            (one.ours.object, full_key(one.ours.key, one.ours.part), one.field.removeprefix("@"),
             REASONS.get(one.code, one.code), ", ".join(f"{n:,} {object_}" for object_, n in one.by.items()))
            for one in report.kept
        ],
    }  # fmt: skip
    return render("rollback.html.j2", values)


def print_rollback(report: RollbackReport, console: Console) -> None:
    """Print what went, what was put back, what stays and why, and the hash that proves the rest."""
    title = "What would be undone" if report.dry_run else "Undone"
    console.print(f"{title}: {report.scope}, in {report.account}", style="italic", markup=False, highlight=False)
    table = plain_table("", footer=True)
    table.add_column("object", "total", no_wrap=True, min_width=13)
    used = [name for name in COUNTED if name == "deleted" or report.total(name)]
    for name in used:
        add_counts(table, HEADS[name], f"{report.total(name):,}")
    for object_, counts in report.objects.items():
        table.add_row(object_, *(f"{counts[name]:,}" if counts.get(name) else "" for name in used))
    console.print(table)
    for line in _lines(report):
        say(console, line)


def _lines(report: RollbackReport) -> list[str]:
    lines = kept_lines(report.kept)
    proof = report.proof
    if proof is not None:
        lines += [f"  {object_} {key} {what}" for object_, key, what in proof.wrong]
        same = "as expected" if proof.expected == proof.found else f"expected {proof.expected[:16]}"
        told = f"Read back {proof.records:,} records and schema items: hash {proof.found[:16]}, {same}."
        lines.append(f"{told} What stays as a conflict is not in it." if report.kept else told)
        if proof.elsewhere:
            lines.append(f"{proof.elsewhere:,} records of others changed meanwhile; they are not in the hash either.")
    if report.dry_run and report.total("deleted") + report.total("restored"):
        lines.append(f"Would take about {report.ahead.requests:,} requests and {report.ahead.tokens:,} tokens.")
        lines += ["What no undo takes back:", *(f"  {text}" for text in report.final)] if report.final else []
    if report.withdrawn:
        lines.append(f"{report.withdrawn:,} approvals no longer stand: a new run shows its gates again.")
    lines.append(f"{report.spent.requests:,} requests, {report.spent.tokens:,} tokens, {report.seconds:.1f} s.")
    lines += [f"The report: {report.reports['html']}"] if "html" in report.reports else []
    head = report.audit
    lines.append(f"Journal {report.journal}, audit log of {head.length:,} lines, head {head}")
    return [*lines, ENDINGS[report.status]]
