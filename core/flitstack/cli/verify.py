"""`flit verify`: reads back what a migration wrote, and says what is no longer as it was written."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING

import click

from flitstack.cli.common import carry_out, journal_at, journal_option, json_option

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console

    from flitstack.stages.proof.recheck import RecheckReport

COLUMNS = ("checked", "fields", "mismatched", "drifted", "doubled", "unknown", "hashed", "left_alone")
ALWAYS = ("checked", "fields", "mismatched", "drifted", "doubled")


@click.command()
@journal_option
@click.option("--set", "sets", multiple=True, metavar="KEY=VALUE", help="A setting: dest.KEY, or fallback_owner.")
@click.option("--hash-files", is_flag=True, help="Read back the bytes of every document, not of a few.")
@click.option("--demo", is_flag=True, help="The journal and the account of `flit run --demo`.")
@json_option
def verify(journal: Path | None, sets: tuple[str, ...], hash_files: bool, demo: bool, as_json: bool) -> int:
    """Read back every record that was written and compare it, field by field. Needs no export; writes nothing.

    Exit code 0: all is as written, but for what people changed since; 6: something is missing, different or doubled.

    \b
    Example:
        flit verify --journal ./flit.db --hash-files
    """
    from flitstack.stages.proof.recheck import RecheckOptions, recheck

    options = RecheckOptions(journal_at(journal, demo=demo), sets, demo, hash_files)
    report = carry_out(partial(recheck, options), options.journal, as_json=as_json)
    if as_json:
        click.echo(json.dumps(report.as_json(), ensure_ascii=False))
    else:
        from rich.console import Console

        _print(report, Console())
    return report.exit_code


def _print(report: RecheckReport, console: Console) -> None:
    from rich.table import Table

    table = Table(title=f"Read back from {report.account}", title_justify="left", show_footer=True)
    v = report.verification
    table.add_column("object", "total", no_wrap=True, min_width=13)
    used = [column for column in COLUMNS if column in ALWAYS or v.total(column)]
    for column in used:
        table.add_column(column.replace("_", " "), f"{v.total(column):,}", justify="right")
    for name, counted in v.objects.items():
        counts = (getattr(counted, column) for column in used)
        table.add_row(name, *(f"{count:,}" if count else "" for count in counts))
    console.print(table)
    for line in _lines(report):
        console.print(line, markup=False, highlight=False)


def _lines(report: RecheckReport) -> list[str]:
    v = report.verification
    lines = [f"  {object_} {key}: {what}" for object_, key, what in v.examples]
    if v.total("doubled"):
        lines.append("Doubled: keep the record that the journal knows, and delete the other in the account.")
    if v.drifted:
        lines.append(f"{v.drifted:,} were changed in the account since they were written; nobody undoes that.")
    if report.open:
        lines.append(f"{report.open:,} writes are still open: run `flit run` again, then verify.")
    lines.append(f"{report.spent.requests:,} requests, {report.spent.tokens:,} tokens, {report.seconds:.1f} s.")
    if not v.checked:
        lines.append("Nothing was written yet: there is nothing to verify.")
        return lines
    lines.append({"verified": "All is as it was written.", "drifted": "All is as written, but for those changes.",
                  "mismatched": "Not everything is as it was written."}[report.status])  # fmt: skip
    return lines
