"""The summary of a run for people: one table that adds up, what was rejected and why, and what was verified."""

from __future__ import annotations

from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING

from rich.table import Table

from flitstack.journal import BUCKETS

if TYPE_CHECKING:
    from rich.console import Console

    from flitstack.stages.report import RunReport

TOLD = 12


def print_summary(report: RunReport, console: Console) -> None:
    """Print the summary; counts only, no value of a record."""
    console.print(_streams(report))
    console.print(_objects(report))
    if report.planned:
        console.print("Would write:", style="bold")
    for (object_, verb), count in report.planned.items():
        _say(console, f"  {verb} {count:,} {object_}")
    _print_rejections(report, console)
    if report.look_alikes:
        console.print("In doubt, and not written: a record without a key looks just like", style="bold")
    for object_, key in report.look_alikes[:TOLD]:
        _say(console, f"  {object_} {key}")
    if report.look_alikes:
        _say(console, "  Delete each look-alike, or give it its key, and run again.")
    for finding in report.findings:
        if finding.severity != "info":
            _say(console, f"{finding.severity}: {finding.message}")
    _print_end(report, console)


def _streams(report: RunReport) -> Table:
    used = [bucket for bucket in BUCKETS if any(counts[bucket] for counts in report.streams.values())]
    table = Table(title="Source records, each in one bucket", title_justify="left", show_footer=True)
    table.add_column("stream", "total", no_wrap=True, min_width=max(map(len, report.streams), default=0))
    for column in ("read", *used):
        total = sum(counts[column] for counts in report.streams.values())
        table.add_column(column.replace("_", " "), f"{total:,}", justify="right")
    for name, counts in report.streams.items():
        table.add_row(name, f"{counts['read']:,}", *(f"{counts[b]:,}" if counts[b] else "" for b in used))
    return table


def _objects(report: RunReport) -> Table:
    table = Table(title="Records in the destination", title_justify="left")
    columns = ["created", "updated", "deleted", "unchanged", "conflicts", "in_doubt"]
    table.add_column("object", no_wrap=True, min_width=13)
    for column in columns:
        table.add_column(column.replace("_", " "), justify="right")
    for name, counts in report.objects.items():
        table.add_row(name, *(f"{counts[c]:,}" if counts[c] else "" for c in columns))
    return table


def _print_rejections(report: RunReport, console: Console) -> None:
    if report.rejections:
        console.print("Rejected:", style="bold")
    for stream, code, reason, hint, count, _ in report.rejections[:TOLD]:
        _say(console, f"  {count:,} of {stream}: {code}. {reason} {hint}")
    if len(report.rejections) > TOLD:
        _say(console, f"  and {len(report.rejections) - TOLD} more kinds.")
    if report.rejections:
        _say(console, f"  Each with its file and line: flit rejects list --journal {report.journal}")
    if report.skips:
        console.print("Skipped, by rule:", style="bold")
    for stream, rules in groupby(report.skips, key=itemgetter(0)):
        _say(console, f"  {stream}: " + ", ".join(f"{count:,} {rule}" for _, rule, count in rules))


def _say(console: Console, text: str) -> None:
    console.print(text, markup=False, highlight=False)


def _print_end(report: RunReport, console: Console) -> None:
    lines: list[str] = []
    if report.verification is not None:
        v = report.verification
        lines.append(f"Verified: {v.checked:,} records, {v.fields:,} fields read back, {v.mismatched:,} mismatched.")
        if v.hashed:
            lines.append(f"The bytes of {v.hashed:,} documents were read back too.")
        if v.drifted:
            lines.append(f"{v.drifted:,} were changed in the account since they were written; they were left alone.")
        lines += [f"  {object_} {key}: {what}" for object_, key, what in v.examples]
        others = ", ".join(f"{n:,} {object_}" for object_, n in sorted(v.left_alone.items()))
        if others:
            lines.append(f"Records the account had before, left alone: {others}.")
    t = report.tokens
    lines.append(
        f"{report.requests:,} requests, {t.spent:,} tokens spent, {t.predicted:,} predicted "
        f"(a whole load takes {t.minimum:,} at the least), {report.seconds:.1f} s."
    )
    lines.append(
        f"Journal {report.journal}, audit log of {report.audit.length:,} lines, head {report.audit.hash[:16]}."
    )
    lines.append({"done": "Done and verified.", "done_with_others": "Done, but for records the destination refused.",
                  "mismatched": "Verification found differences.", "dry_run": "Dry run: nothing was written.",
                  "incomplete": "Not complete: run the same command again."}[report.status])  # fmt: skip
    for line in lines:
        _say(console, line)
