"""The summary of a run for people: one table that adds up, what was rejected and why, and what was verified."""

from __future__ import annotations

from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING

from flitstack.journal import BUCKETS
from flitstack.reports.tables import add_counts, plain_table, say

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from flitstack.stages.report import RunReport

TOLD = 12


def print_summary(report: RunReport, console: Console) -> None:
    """Print the summary; counts only, no value of a record."""
    console.print(_streams(report))
    console.print(_objects(report))
    _print_delta(report, console)
    if report.planned:
        console.print("Would write:", style="bold")
    for (object_, verb), count in report.planned.items():
        say(console, f"  {verb} {count:,} {object_}")
    _print_rejections(report, console)
    if report.look_alikes:
        console.print("In doubt, and not written: a record without a key looks just like", style="bold")
    for object_, key in report.look_alikes[:TOLD]:
        say(console, f"  {object_} {key}")
    if report.look_alikes:
        say(console, "  Delete each look-alike, or give it its key, and run again.")
    for finding in report.findings:
        if finding.severity != "info":
            say(console, f"{finding.severity}: {finding.message}")
    _print_end(report, console)


def _streams(report: RunReport) -> Table:
    used = [bucket for bucket in BUCKETS if any(counts[bucket] for counts in report.streams.values())]
    table = plain_table("Source records, each in one bucket", footer=True)
    table.add_column("stream", "total", overflow="fold")
    for column in ("read", *used):
        total = sum(counts[column] for counts in report.streams.values())
        add_counts(table, column, f"{total:,}")
    for name, counts in report.streams.items():
        table.add_row(name, f"{counts['read']:,}", *(f"{counts[b]:,}" if counts[b] else "" for b in used))
    return table


def _objects(report: RunReport) -> Table:
    table = plain_table("Records in the destination")
    columns = ["created", "updated", "deleted", "unchanged", "conflicts", "in_doubt"]
    table.add_column("object", no_wrap=True, min_width=13)
    for column in columns:
        add_counts(table, column)
    for name, counts in report.objects.items():
        table.add_row(name, *(f"{counts[c]:,}" if counts[c] else "" for c in columns))
    return table


def _print_delta(report: RunReport, console: Console) -> None:
    """Print what this export changed against the one before, and what stands between the two sides."""
    if report.delta.counts:
        console.print("Against the export that was loaded before:", style="bold")
    for object_, each in sorted(report.delta.counts.items()):
        say(console, f"  {object_}: {each.new:,} new, {each.changed:,} changed, {each.vanished:,} vanished, "
                      f"{each.unchanged:,} unchanged")  # fmt: skip
    conflicts = sum(counts["conflicts"] for counts in report.objects.values())
    if conflicts:
        told = "1 record is" if conflicts == 1 else f"{conflicts:,} records are"
        told += " not as the source has it, as people changed or deleted it in the account; what the account has stays."
        say(console, f"{told} Each, and how to decide: flit conflicts --journal {report.journal}")


def _print_rejections(report: RunReport, console: Console) -> None:
    if report.rejections:
        console.print("Rejected:", style="bold")
    for stream, code, reason, hint, count, _ in report.rejections[:TOLD]:
        say(console, f"  {count:,} of {stream}: {code}. {reason} {hint}")
    if len(report.rejections) > TOLD:
        say(console, f"  and {len(report.rejections) - TOLD} more kinds.")
    if report.rejections:
        say(console, f"  Each with its file and line: flit rejects list --journal {report.journal}")
    if report.skips:
        console.print("Skipped, by rule:", style="bold")
    for stream, rules in groupby(report.skips, key=itemgetter(0)):
        say(console, f"  {stream}: " + ", ".join(f"{count:,} {rule}" for _, rule, count in rules))


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
    lines.append(f"Journal {report.journal}, audit log of {report.audit.length:,} lines, head {report.audit}")
    lines.append({"done": "Done and verified.", "done_with_others": _others(report),
                  "mismatched": "Verification found differences.", "dry_run": "Dry run: nothing was written.",
                  "incomplete": "Not complete: run the same command again."}[report.status])  # fmt: skip
    for line in lines:
        say(console, line)


def _others(report: RunReport) -> str:
    """Return how a run ended that left something to people."""
    reasons = ["records the destination refused"] if report.refused else []
    reasons += ["conflicts"] if any(counts["conflicts"] for counts in report.objects.values()) else []
    return f"Done, but for {' and '.join(reasons) or 'records in doubt'}."
