"""The final report for people: a summary on the terminal, one self-contained page to sign, and JSON for machines."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, Any

from flitstack.journal import Journal
from flitstack.reports.estimate import span
from flitstack.reports.html import FOLDER, render, write_report
from flitstack.reports.tables import add_counts, plain_table, say
from flitstack.stages.final.report import LEFT, TOLD, conflict_words, gather_report

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal
    from pathlib import Path

    from rich.console import Console

    from flitstack.journal import RunRow
    from flitstack.stages.final.money import Reconciled
    from flitstack.stages.final.report import FinalReport

NAME = "report"
AFTER_PURGE = "report-after-purge"
"""What the report is called once values were purged: the page from before holds what can be signed no more."""
WORDS = {
    "in_destination": "in the destination",
    "folded": "folded into another",
    "skipped": "left out by rule",
    "rejected": "cannot move",
    "conflict": "changed by somebody else",
    "blocked": "with a parent that did not move",
    "pending": "not yet written",
    "in_doubt": "in doubt",
}
ENDINGS = {
    "done": ("ok", "Complete, and read back as written."),
    "done_with_others": ("warning", "Complete, but for what is listed as unable to move, or as a conflict."),
    "incomplete": ("error", "Not complete: run the same command again."),
    "mismatched": ("error", "Reading back found differences."),
    "rolled_back": (
        "warning",
        "Rolled back: nothing of it is left in the destination, but for what people made theirs.",
    ),
    "nothing_written": ("warning", "Nothing was written yet."),
}
VERDICTS = {
    "agrees": ("ok", "both sides agree"),
    "differs": ("error", "the sides differ"),
    "unread": ("warning", "not read back yet"),
    "nothing": ("warning", "nothing to compare yet"),
}
RUN_WORDS = {
    "done": "done",
    "done_with_others": "done, with refusals",
    "dry_run": "looked, wrote nothing",
    "incomplete": "not complete",
    "mismatched": "differences found",
    "running": "under way, or killed",
    "undone": "taken back",
    "undone_but_for_conflicts": "taken back, but for conflicts",
    "ApprovalNeeded": "stopped at a gate",
    "BudgetExhausted": "day's budget used up",
    "Interrupted": "stopped by a person",
    "Unavailable": "destination away",
}


def write_final(report: FinalReport, folder: Path) -> tuple[Path, Path]:
    """Write the page and the JSON file, readable by their owner alone; return both paths.

    After a purge they have names of their own, so that the page to sign from before is not written over.
    """
    name = AFTER_PURGE if report.purged else NAME
    page = write_report(folder, f"{name}.html", final_page(report))
    text = json.dumps(report.as_json(), ensure_ascii=False, indent=1)
    return page, write_report(folder, f"{name}.json", f"{text}\n")


def final_page(report: FinalReport) -> str:
    """Return the report as one HTML page; amounts of single people stand in its checklist, and it then says so."""
    severity, words = ENDINGS[report.status]
    told = (report.verified or {}).get("differences") or ()
    values: dict[str, Any] = {
        "report": report,
        "severity": severity,
        "ending": words,
        "words": WORDS,
        "kinds": _kinds(report),
        "order": [name for name in WORDS if report.part(name)],
        "left": [(name, WORDS[name], report.part(name)) for name in LEFT if report.part(name)],
        "both": [(one.object.replace("_", " "), one.held) for one in report.objects],
        "rejected": _rejected(report),
        "skips": _skips(report),
        "conflicts": [(conflict_words(one), one) for one in report.conflicts[:TOLD]],
        "more_conflicts": max(0, len(report.conflicts) - TOLD),
        "differences": [(object_, key, what) for object_, key, _, what, *_ in told[:TOLD]],
        "days": [(one.day, one.tokens) for one in report.days],
        "runs": [(run, RUN_WORDS.get(run.status, run.status), length(run)) for run in report.runs],
        "money": money,
        "verdicts": VERDICTS,
        "told": TOLD,
    }
    return render("final.html.j2", values)


def print_final(report: FinalReport, console: Console) -> None:
    """Print the summary; counts and keys, no amount and no other value of a record."""
    table = plain_table(f"{report.source} to {report.destination}: source and destination")
    table.add_column("object", no_wrap=True, min_width=13)
    for column in ("source", "there", "missing", "read back", "differ"):
        add_counts(table, column)
    for one in report.objects:
        read_back = "" if one.checked is None else f"{one.checked:,}"
        table.add_row(one.object, f"{one.wanted:,}", f"{one.held:,}", _count(one.missing), read_back,
                      _count(one.mismatched))  # fmt: skip
    console.print(table)
    for line in _lines(report):
        say(console, line)


def _lines(report: FinalReport) -> list[str]:
    read = f"{report.read:,} source records read"
    parts = [f"{report.part(name):,} {words}" for name, words in WORDS.items() if report.part(name)]
    lines = [f"{read}: {', '.join(parts)}." if parts else f"{read}."]
    if report.purged:
        lines.append(f"Values were purged on {report.purged[:10]}: nothing can be signed any more.")
    if report.rejections:
        count = sum(n for *_, n, _ in report.rejections)
        lines.append(f"{count:,} reasons why something cannot move, of {len(report.rejections)} kinds.")
    if report.open_conflicts:
        lines.append(f"{report.open_conflicts:,} records have a conflict: somebody changed them in the account.")
    for object_, states in report.undone.items():
        lines.append(f"Taken back, {object_}: {', '.join(f'{n:,} {state}' for state, n in states.items())}.")
    lines += [f"To keep up: {one.title} ({one.records:,} {one.object} records)." for one in report.upkeep]
    lines += [f"To set up by hand: {one.title}{f' ({len(one.items)})' if one.items else ''}." for one in report.by_hand]
    for one in report.sign:
        lines.append(
            f"To sign: {one.title}, {one.moved.count:,} rows moved, {one.behind.count:,} stay behind: {_signed(one)}."
        )
    days = f"{len(report.days)} day{'' if len(report.days) == 1 else 's'}"
    runs = f"{len(report.runs)} run{'' if len(report.runs) == 1 else 's'}"
    lines.append(f"On {days}, in {runs}: {report.spent_words}.")
    broken = "" if report.whole else " The audit log's chain is BROKEN: flit journal verify says where."
    lines.append(f"{len(report.approvals)} approval{'' if len(report.approvals) == 1 else 's'}.{broken}")
    lines.append(f"Audit log of {report.audit.length:,} lines, head {report.audit}")
    return [*lines, ENDINGS[report.status][1]]


def _signed(one: Reconciled) -> str:
    """Return how both sides of an amount compare, in words."""
    told = {"agrees": "agrees on both sides", "nothing": "nothing to compare yet"}
    unread = f"{one.unread:,} not read back yet" if one.unread else ""
    differ = f"{len(one.differing) + one.lacking:,} differ" if one.verdict == "differs" else ""
    return told.get(one.verdict) or ", ".join(filter(None, (differ, unread)))


def _count(number: int) -> str:
    return f"{number:,}" if number else ""


def _kinds(report: FinalReport) -> list[tuple[str, int]]:
    """Return at most six parts of all that was read, for one bar."""
    parts = [(words, report.part(name)) for name, words in WORDS.items() if name not in LEFT]
    stuck = ("cannot move", report.part("rejected"))
    open_ = sum(report.part(name) for name in LEFT if name != "rejected")
    return [*parts, stuck, ("open: blocked, in conflict, not yet written", open_)]


def _rejected(report: FinalReport) -> list[tuple[str, int, str, str]]:
    """Return (why and what to do, count, kinds of records, code), a line per code, the most frequent first."""
    found: dict[str, tuple[str, list[tuple[str, int]]]] = {}
    for stream, code, reason, hint, count, _ in report.rejections:
        column, _, why = reason.rpartition('": ') if reason.startswith('Column "') else ("", "", reason)
        where = f"{stream.replace('_', ' ')}{f' ({column[8:]})' if column else ''}"
        found.setdefault(code, (f"{why} {hint}", []))[1].append((where, count))
    rows = [
        (why, sum(count for _, count in kinds), ", ".join(f"{where} {count:,}" for where, count in kinds), code)
        for code, (why, kinds) in found.items()
    ]
    return sorted(rows, key=lambda row: (-row[1], row[3]))


def _skips(report: FinalReport) -> list[tuple[str, str]]:
    """Return each stream with the rules that left records of it out."""
    told: dict[str, list[str]] = {}
    for stream, rule, count in report.skips:
        told.setdefault(stream.replace("_", " "), []).append(f"{count:,} {rule.replace('_', ' ')}")
    return [(stream, ", ".join(rules)) for stream, rules in told.items()]


def length(run: RunRow) -> str:
    """Return how long a run took, in words; "" while that is not known."""
    if run.finished_at is None:
        return ""
    took = datetime.fromisoformat(run.finished_at) - datetime.fromisoformat(run.started_at)
    return span(took.total_seconds())


def money(amount: Decimal | None, currency: str = "") -> str:
    """Return an amount as people write it, "none" for none."""
    if amount is None:
        return "none"
    return f"{amount:,.2f}{f' {currency}' if currency else ''}"


def publish_final(journal: Path) -> str:
    """Write the report of a journal into its folder of reports and return the page's path, as a run does at its end."""
    with Journal.existing(journal) as opened:
        return str(write_final(gather_report(opened), journal.parent / FOLDER)[0])


def marked(report: FinalReport) -> Sequence[str]:
    """Return what to say where the page's path is printed."""
    return ("It shows amounts of single people: keep it as you keep those.",) if report.confidential else ()


def left_alone(report: FinalReport, folder: Path) -> Sequence[str]:
    """Return what to say of a page from before the values were purged: it is left as it is, and this one lacks them."""
    before = folder / f"{NAME}.html"
    if not (report.purged and before.exists()):
        return ()
    return (f"Without the values, it has nothing to sign. The page from before the purge is left as it is: {before}",)
