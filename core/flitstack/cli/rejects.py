"""`flit rejects`: the records that could not move, as files to correct, and corrected rows driven again."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

import click

from flitstack.cli.common import approving_options, carry_out, journal_at, journal_option, json_option, set_option

if TYPE_CHECKING:
    from flitstack.stages.rejects.export import Exported
    from flitstack.stages.rejects.retry import Retried

PLACE = click.Path(path_type=Path)
SHOWN = 20


@click.group()
def rejects() -> None:
    """Look at the records that could not move, correct them in a spreadsheet, and try them again.

    \b
    Example:
        flit rejects list
        flit rejects export ./rejected
        flit rejects retry ./rejected --input ./export
    """


@rejects.command("list")
@journal_option
@json_option
def list_rejects(journal: Path | None, as_json: bool) -> None:
    """List every rejected record: file, line, source key, code, reason and what to do.

    \b
    Example:
        flit rejects list --journal ./flit.db
    """
    from flitstack.journal import Journal
    from flitstack.terminal import one_line

    names = ("stream", "id", "code", "reason", "hint", "field", "file", "line")
    with Journal.existing(journal_at(journal, demo=False)) as opened:
        rows = [dict(zip(names, row, strict=True)) for row in opened.buckets.rejected_rows()]
    if as_json:
        click.echo(json.dumps({"rejected": rows}, ensure_ascii=False))
        return
    for row in rows:
        where = f"{row['file']} line {row['line']}, " if row["file"] else ""
        column = f', column "{row["field"]}"' if row["field"] else ""
        told = f"{where}{row['stream']} {row['id']}{column}: {row['code']}. {row['reason']} {row['hint']}"
        click.echo(one_line(told))
    click.echo(f"{len(rows):,} rejected.", err=True)


@rejects.command("export")
@click.argument("target", type=PLACE)
@journal_option
@click.option("--overwrite", is_flag=True, help="Write over sheets that are there already.")
@json_option
def export_rejects(target: Path, journal: Path | None, overwrite: bool, as_json: bool) -> None:
    """Write the rejected rows, as their files have them, into the folder TARGET: a CSV file each, and an index.

    They open in Excel and LibreOffice, and hold values of records: keep them where the export is kept.

    \b
    Example:
        flit rejects export ./rejected
        flit rejects export ./people.csv
    """
    from flitstack.journal import Journal
    from flitstack.stages.rejects.export import export_rejected

    path = journal_at(journal, demo=False)
    with Journal.existing(path) as opened:
        found = export_rejected(opened, target, overwrite=overwrite)
    if as_json:
        told = {"sheets": found.sheets, "index": found.index, "rows": found.rows, "records": found.records}
        click.echo(json.dumps({**told, "elsewhere": found.elsewhere}, ensure_ascii=False))
        return
    _print_exported(found, target, path)


def _print_exported(found: Exported, target: Path, journal: Path) -> None:
    if not found.rows:
        click.echo("Nothing is rejected; nothing was written.", err=True)
        return
    for path, count in found.sheets.items():
        click.echo(f"{path}: {_counted(count, 'row')}")
    words = f"{_counted(found.rows, 'row')} of the export, {_counted(found.records, 'rejected record')}."
    if found.elsewhere:
        words += f" {found.elsewhere:,} can be corrected in the export alone."
    click.echo(words, err=True)
    click.echo(
        "Correct the cells behind the column `mark`, save as CSV UTF-8, and run\n"
        f"  flit rejects retry {quote(str(target))} --input EXPORT --journal {quote(str(journal))}\n"
        "A row that you remove stays rejected. These files hold values of records.",
        err=True,
    )


@rejects.command("retry")
@click.argument("sheets", type=PLACE)
@click.option("--by", metavar="NAME", help="Who corrected the rows, for the audit log.")
@click.option("--input", "input_", metavar="PATH", help="The export: carry on at once. Without: with the next run.")
@click.option("--source", metavar="NAME", help="Where the records come from.  [default: the journal's]")
@click.option("--dest", metavar="NAME", help="Where they go.  [default: the journal's]")
@click.option("--mapping", metavar="FILE", help="A mapping template of your own.")
@set_option
@approving_options
@click.option("--wait", is_flag=True, help="When the day's budget is used up, carry on the next day, unattended.")
@click.option("--demo", is_flag=True, help="The journal, export and account of `flit run --demo`.")
@journal_option
@json_option
def retry_rejects(
    sheets: Path,
    by: str | None,
    input_: str | None,
    source: str | None,
    dest: str | None,
    mapping: str | None,
    sets: tuple[str, ...],
    approve: str | None,
    approve_unseen: str | None,
    attest: str | None,
    wait: bool,
    demo: bool,
    journal: Path | None,
    as_json: bool,
) -> int:
    """Take the corrected rows of SHEETS, a file or the folder of `export`, and drive them again.

    The same reading, gates and engine as `flit run`. Corrections are remembered: a later export with the same bad row
    is read as it was corrected; one where the row says something else is read as it stands, which is told.

    \b
    Example:
        flit rejects retry ./rejected --input ./export --set profile=full --approve "Dana Cho"
    """
    from flitstack.cli.passing import passing_of
    from flitstack.clock import clock_from_environment
    from flitstack.errors import UsageError
    from flitstack.journal import Journal
    from flitstack.reports.audit import publish_audit
    from flitstack.reports.plan import publish_plan
    from flitstack.stages.options import RunOptions
    from flitstack.stages.publishing import Publishing
    from flitstack.stages.rejects.retry import take_corrections
    from flitstack.stages.run import run_migration

    path = journal_at(journal, demo=demo, input_=input_, ends=(source, dest) if source and dest else None)
    passing = passing_of(approve, approve_unseen, attest, asks=not as_json)
    Journal.existing(path).close()
    at = clock_from_environment().now().isoformat(timespec="milliseconds")
    with Journal(path, lease=True) as opened:
        source = source or opened.runs.meta("source")
        dest = dest or opened.runs.meta("destination")
        taken = take_corrections(opened, sheets, at, by or approve or approve_unseen or "")
    _print_taken(taken)
    if input_ is None and not demo:
        if as_json:
            click.echo(json.dumps({"status": "kept", "retried": taken.as_json(), "journal": str(path)}))
        elif taken.corrected or taken.again:
            click.echo("The corrections are kept; the next `flit run` reads the export with them.")
        else:
            click.echo("There is nothing new to keep: no row says anything else than it did.")
        return 0
    if source is None or dest is None:
        raise UsageError(f"{path}: nothing was read into this journal yet. Use `flit run`.")
    options = RunOptions(
        source, dest, path, input_, mapping, sets, passing, demo=demo, wait=wait,
        publishing=Publishing(publish_audit, publish_plan),
    )  # fmt: skip
    report = carry_out(partial(run_migration, options))
    if as_json:
        click.echo(json.dumps({**report.as_json(), "retried": taken.as_json()}, ensure_ascii=False))
        return report.exit_code
    from rich.console import Console

    from flitstack.reports.summary import print_summary

    print_summary(report, Console())
    return report.exit_code


def _print_taken(taken: Retried) -> None:
    words = [f"{_counted(taken.corrected, 'row')} corrected ({_counted(taken.cells, 'cell')})"]
    words.append(f"{taken.unchanged:,} as exported")
    if taken.again:
        words.append(f"of these {taken.again:,} sent again, which the destination had refused")
    if taken.not_rejected:
        words.append(f"{taken.not_rejected:,} rejected no more and left alone")
    if taken.left:
        words.append(f"{taken.left:,} in no sheet, and rejected still")
    click.echo(f"{'; '.join(words)}.", err=True)
    if taken.rewritten:
        click.echo(
            f"{_counted(taken.rewritten, 'cell')} in columns without a fault differ only as a spreadsheet writes dates "
            "and numbers; the export's own are used.",
            err=True,
        )
    if taken.newer:
        click.echo(
            f"{_counted(taken.newer, 'cell')} in sheets that were exported before a correction: the correction stays. "
            "To change it, export again, or withdraw it (flit rejects corrections --withdraw KEY).",
            err=True,
        )


@rejects.command("corrections")
@click.option("--withdraw", multiple=True, metavar="KEY", help="Forget the correction of the row with this key.")
@journal_option
@json_option
def list_corrections(withdraw: tuple[str, ...], journal: Path | None, as_json: bool) -> None:
    """List the rows that were corrected, with the names of the columns; withdraw a correction.

    \b
    Example:
        flit rejects corrections
        flit rejects corrections --withdraw SOURCE:people:12
    """
    from flitstack.clock import clock_from_environment
    from flitstack.journal import Journal
    from flitstack.stages.rejects.retry import withdraw_corrections
    from flitstack.terminal import one_line

    with Journal.existing(journal_at(journal, demo=False)) as opened:
        if withdraw:
            at = clock_from_environment().now().isoformat(timespec="milliseconds")
            withdraw_corrections(opened, withdraw, at)
        kept = opened.corrections.kept()
    if as_json:
        rows = [
            {"file": c.where.file, "line": c.where.line, "keys": list(c.keys), "columns": sorted(c.cells),
             "state": c.state, "at": c.at}
            for c in kept
        ]  # fmt: skip
        click.echo(json.dumps({"corrections": rows}, ensure_ascii=False))
        return
    for c in kept:
        columns = ", ".join(sorted(c.cells)[:SHOWN])
        place = f"{c.where.file} line {c.where.line}, {' '.join(c.keys)}"
        click.echo(one_line(f"{place}: {columns} ({c.state.replace('_', ' ')})"))
    click.echo(f"{_counted(len(kept), 'corrected row')}.", err=True)


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
