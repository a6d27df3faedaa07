"""`flit run`: the whole migration, stopping at the gates."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from flitstack.cli.common import approving_options, carry_out, journal_at, walking_options

if TYPE_CHECKING:
    from flitstack.stages.options import RunOptions


@click.command()
@walking_options
@approving_options
@click.option("--dry-run", is_flag=True, help="Stop before the gates: show what would be written.")
@click.option("--sample", type=click.IntRange(min=1), metavar="N", help="Migrate N first, and stop at their diff.")
@click.option("--allow-irreversible", is_flag=True, help="Fill fields of adopted records that no undo could empty.")
@click.option(
    "--watch",
    "folder",
    metavar="DIR",
    type=click.Path(path_type=Path, file_okay=False),
    help="Load each later export that is dropped into a folder, within what was approved.",
)
@click.option("--until", metavar="TIME", help="With --watch: when to end, with a final validation (+48h, 18:30).")
@click.option("--wait", is_flag=True, help="When the day's budget is used up, carry on the next day, unattended.")
def run(
    source: str,
    dest: str,
    input_: str | None,
    journal: Path | None,
    mapping: str | None,
    sets: tuple[str, ...],
    approve: str | None,
    approve_unseen: str | None,
    attest: str | None,
    dry_run: bool,
    sample: int | None,
    allow_irreversible: bool,
    folder: Path | None,
    until: str | None,
    wait: bool,
    demo: bool,
    as_json: bool,
) -> int:
    """Move the records: read, map, plan, stop at the gates, write, read everything back. Run again, it carries on.

    \b
    Example:
        flit run --source SOURCE --dest DESTINATION --input ./export --set profile=full
    """
    from flitstack.cli.passing import passing_of
    from flitstack.reports.audit import publish_audit
    from flitstack.reports.final import publish_final
    from flitstack.reports.plan import publish_plan
    from flitstack.reports.sample import publish_sample
    from flitstack.stages.options import RunOptions, SampleOptions
    from flitstack.stages.publishing import Publishing
    from flitstack.stages.run import run_migration

    options = RunOptions(
        source, dest, journal_at(journal, demo=demo, input_=input_, ends=(source, dest)), input_, mapping, sets,
        passing_of(approve, approve_unseen, attest, asks=not as_json),
        dry_run=dry_run, demo=demo, wait=wait, sample=SampleOptions(sample) if sample else None,
        allow_irreversible=allow_irreversible,
        publishing=Publishing(publish_audit, publish_plan, publish_sample),
    )  # fmt: skip
    if folder is not None or until is not None:
        return _watch(options, folder, until, as_json=as_json)
    report = carry_out(partial(run_migration, options))
    if as_json:
        page = None if dry_run else publish_final(options.journal)
        click.echo(json.dumps({**report.as_json(), "report": page}, ensure_ascii=False))
    else:
        from rich.console import Console

        from flitstack.reports.summary import print_summary

        print_summary(report, Console())
        if not dry_run:
            click.echo(f"The report, to read and to sign: {publish_final(options.journal)}")
    return report.exit_code


def _watch(options: RunOptions, folder: Path | None, until: str | None, *, as_json: bool) -> int:
    """Load what is dropped into a folder, until a time; return the exit code."""
    from flitstack.stages.delta.watch import Watching, watch

    if folder is None:
        raise click.UsageError("--until goes with --watch DIR.")
    if options.demo or options.dry_run or options.sample is not None:
        raise click.UsageError("--watch goes without --demo, --dry-run and --sample.")
    report = carry_out(partial(watch, options, Watching(folder, until)))
    if as_json:
        click.echo(json.dumps(report.as_json(), ensure_ascii=False))
        return report.exit_code
    from rich.console import Console

    from flitstack.reports.verify import print_verification
    from flitstack.reports.watching import print_watch

    print_watch(report, Console())
    if report.final is not None:
        print_verification(report.final, Console())
    return report.exit_code
