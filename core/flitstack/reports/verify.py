"""A verification for people: a table and the first differences on the terminal, all of them on one page and as JSON."""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from rich import box
from rich.table import Table

from flitstack.reports.html import render, write_report
from flitstack.stages.proof.differences import CHANGED, DOUBLED, KINDS, LOST, UNKNOWN

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console

    from flitstack.stages.proof.differences import Difference, Total
    from flitstack.stages.proof.recheck import RecheckReport

COLUMNS = (
    "held", "checked", "fields", "mismatched", "drifted", "missing", "doubled", "unknown", "hashed", "left_alone",
)  # fmt: skip
ALWAYS = ("checked", "fields", "mismatched", "drifted", "doubled")
LISTED = 2000
"""So many differences of one kind stand on the page; all that are kept stand in the file for machines."""
FIELDS = 12
NARROW = (0, 1, 0, 0)
"""Above, right, below, left of each cell: the table fits a terminal of 80 columns."""
ENDINGS = {
    "verified": "All is as it was written.",
    "drifted": "All is as written, but for those changes.",
    "mismatched": "Not everything is as it was written.",
}
CLASSES = (
    ("lost", "Lost or different", LOST, "error", "What the migration answers for: run it again, or ask why."),
    (
        "doubled",
        "Records too many",
        frozenset({DOUBLED, UNKNOWN}),
        "error",
        "Keep the record that the journal knows, and delete the other in the account.",
    ),
    ("changed", "Changed since", frozenset({CHANGED}), "info", "People's own work in the account; nobody undoes it."),
)


@dataclass(frozen=True, slots=True)
class VerificationFiles:
    """Where a verification was written: the page, and the same as JSON."""

    page: Path
    data: Path


def write_verification(report: RecheckReport, folder: Path) -> VerificationFiles:
    """Write the report's files, readable by their owner alone, and return their paths."""
    name = f"verify-{report.at[:19].replace(':', '')}"
    page = write_report(folder, f"{name}.html", verification_page(report))
    data = json.dumps(report.as_json(), ensure_ascii=False, indent=1)
    return VerificationFiles(page, write_report(folder, f"{name}.json", f"{data}\n"))


def verification_page(report: RecheckReport) -> str:
    """Return a verification as one HTML page: counts, keys, names of fields and totals; no other value of a record."""
    found = report.verification
    sections = [
        {
            "id": name,
            "title": title,
            "severity": severity,
            "hint": hint,
            "count": sum(found.kinds[kind] for kind in kinds),
            "fields": [
                (f"{object_} {name or 'records'}", n)
                for (object_, kind, name), n in found.by_field.most_common()
                if kind in kinds
            ][:FIELDS],
            "groups": _groups([d for d in found.differences if d.kind in kinds]),
        }
        for name, title, kinds, severity, hint in CLASSES
    ]
    values = {
        "report": report,
        "found": found,
        "ending": _ending(report),
        "columns": [column for column in COLUMNS if column in ALWAYS or found.total(column)],
        "sections": sections,
        "kinds": KINDS,
        "not_compared": [(object_, name, why, n) for (object_, name, why), n in sorted(found.uncompared.items())],
        "money": money,
    }
    return render("verify.html.j2", values)


def _groups(differences: list[Difference]) -> list[tuple[str, str, int, list[Difference]]]:
    """Return (object, kind, count, the first `LISTED`)."""
    ordered = sorted(differences, key=lambda one: (one.object, one.kind))
    groups = [(name, list(members)) for name, members in groupby(ordered, key=lambda one: (one.object, one.kind))]
    return [(object_, kind, len(members), members[:LISTED]) for (object_, kind), members in groups]


def print_verification(report: RecheckReport, console: Console) -> None:
    """Print the counts per object, the totals, the first differences, and what they come to."""
    console.print(_table(report))
    if report.verification.totals:
        console.print(_totals(report.verification.totals))
    for line in _lines(report):
        console.print(line, markup=False, highlight=False)


def _table(report: RecheckReport) -> Table:
    v = report.verification
    table = Table(
        title=f"Read back from {report.account}", title_justify="left", show_footer=True, box=box.SIMPLE, padding=NARROW
    )
    table.add_column("object", "total", no_wrap=True)
    used = [column for column in COLUMNS[1:] if column in ALWAYS or v.total(column)]
    for column in used:
        table.add_column(column.replace("_", " "), f"{v.total(column):,}", justify="right")
    for name, counted in v.objects.items():
        counts = (getattr(counted, column) for column in used)
        table.add_row(name, *(f"{count:,}" if count else "" for count in counts))
    return table


def _totals(totals: list[Total]) -> Table:
    by_the_map = any(one.by_the_map for one in totals)
    table = Table(title="Totals", title_justify="left", box=box.SIMPLE, padding=NARROW)
    table.add_column("total")
    for column in ("source", "left behind", *(("by the map",) if by_the_map else ()), "written", "held"):
        table.add_column(column, justify="right")
    table.add_column("")
    for one in totals:
        ours = [one.source, one.left_behind, *((one.by_the_map,) if by_the_map else ())]
        told = ("" if one.source is None else money(amount) for amount in ours)
        table.add_row(one.name, *told, money(one.written), money(one.held), _verdict(one))
    return table


def _verdict(one: Total) -> str:
    if one.agrees:
        return "agrees"
    return "changed since" if one.changed else "differs"


def money(amount: object) -> str:
    """Return an amount with its thousands set off, to the cent; "" for none."""
    return "" if amount is None else f"{amount:,.2f}"


def _lines(report: RecheckReport) -> list[str]:
    v = report.verification
    lines = [f"  {object_} {key}: {what}" for object_, key, what in v.examples]
    if v.total("mismatched") + v.total("drifted") > len(v.examples):
        lines.append("  ... and more; all of them are on the page. By field:")
        common = v.by_field.most_common(FIELDS)
        lines += [f"  {n:,} {' '.join(filter(None, (object_, name)))}: {kind}" for (object_, kind, name), n in common]
    if v.total("doubled"):
        lines.append("Doubled: keep the record that the journal knows, and delete the other in the account.")
    if v.drifted:
        lines.append(f"{v.drifted:,} were changed in the account since they were written; nobody undoes that.")
    if report.open:
        lines.append(f"{report.open:,} writes are still open: run `flit run` again, then verify.")
    lines += _not_compared(report)
    lines.append(f"{report.spent.requests:,} requests, {report.spent.tokens:,} tokens, {report.seconds:.1f} s.")
    lines.append(_ending(report))
    return lines


def _not_compared(report: RecheckReport) -> list[str]:
    """Return a line for each reason why something was not compared."""
    reasons: dict[str, list[str]] = {}
    for (object_, name, why), count in sorted(report.verification.uncompared.items()):
        reasons.setdefault(why, []).append(f"{count:,} {' '.join(filter(None, (object_, name)))}")
    return [f"Not compared, {why}: {', '.join(what)}." for why, what in reasons.items()]


def _ending(report: RecheckReport) -> str:
    if not report.verification.checked:
        return "Nothing was written yet: there is nothing to verify."
    if report.open and report.status == "verified":
        return f"What was written is as it was written; {report.open:,} writes are still open."
    return ENDINGS[report.status]
