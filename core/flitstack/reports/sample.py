"""The sample for people: counts on the terminal, one page with rows and values for those who approve, and JSON."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from flitstack.reports.html import render, write_report
from flitstack.reports.tables import add_counts, plain_table, say

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from rich.console import Console

    from flitstack.stages.sample.diff import Diff, FieldDiff
    from flitstack.stages.sample.taken import TakenSample

TOLD = 20


def publish_sample(taken: TakenSample, folder: Path) -> str:
    """Write the page and the JSON file, readable by their owner alone, and return the page's path."""
    name = f"sample-{(taken.as_of or 'undated')[:10]}-{taken.spec[:8]}{'-random' if taken.sample.random else ''}"
    page = write_report(folder, f"{name}.html", sample_page(taken))
    whole = {**taken.as_json(), "fields": [asdict(each) for each in taken.diff.fields]}
    write_report(folder, f"{name}.json", f"{json.dumps(whole, ensure_ascii=False, indent=1)}\n")
    return str(page)


def sample_page(taken: TakenSample) -> str:
    """Return the diff as one HTML page; it shows values of the sampled records."""
    by_entry: dict[str, list[FieldDiff]] = {}
    for each in taken.diff.fields:
        by_entry.setdefault(each.entry, []).append(each)
    first = [(title, entry, _fields(taken.diff, entry, fields)) for title, entry, fields in taken.first_page]
    values = {
        "taken": taken,
        "sample": taken.sample,
        "diff": taken.diff,
        "first": [(title, entry, found) for title, entry, found in first if found],
        "by_entry": by_entry,
        "flagged": {(flag.entry, flag.field) for flag in taken.diff.flags},
        "lacking": [each for each in taken.sample.uncovered if each.missing > each.stay],
        "staying": [each for each in taken.sample.uncovered if each.stay],
    }
    return render("sample.html.j2", values)


def _fields(diff: Diff, entry: str, names: Sequence[str]) -> list[FieldDiff]:
    return [found for name in names if (found := diff.of(entry, name)) is not None and found.filled]


def print_sample(taken: TakenSample, console: Console) -> None:
    """Print counts: what is in the sample, what was compared, and which columns look wrong; no value of a record."""
    sample, diff = taken.sample, taken.diff
    how = "by chance" if sample.random else "chosen"
    say(console, f"Sample: {sample.size:,} of {sample.of:,} {sample.stream}, {how}")
    table = plain_table("")
    table.add_column("object", no_wrap=True)
    add_counts(table, "records")
    for name, count in sample.objects.items():
        table.add_row(name, f"{count:,}")
    console.print(table)
    say(console, f"{sample.covered:,} of {sample.values:,} values of {sample.fields:,} fields with few are in it.")
    for each in [one for one in sample.uncovered if one.missing > one.stay][:TOLD]:
        say(console, f"  {each.stream}.{each.field}: {each.missing:,} of {each.of:,} found no room")
    say(
        console,
        f"{diff.records:,} records read back: {diff.equal:,} of {diff.compared:,} fields as the map makes them.",
    )
    for flag in diff.flags:
        where = " (in the whole export)" if flag.whole_export else ""
        say(console, f"  Looks wrong: {flag.entry}, {flag.field}: {flag.text} {flag.count:,} of {flag.of:,}{where}")
    if not diff.flags:
        say(console, "No column looks wrong as a whole; look at the rows in the report all the same.")
