"""`flit run`: the whole migration, stopping at the gates."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING

import click

from flitstack.cli.common import approving_options, carry_out, journal_at, walking_options

if TYPE_CHECKING:
    from pathlib import Path


@click.command()
@walking_options
@approving_options
@click.option("--dry-run", is_flag=True, help="Stop before the gates: show what would be written.")
@click.option("--sample", type=click.IntRange(min=1), metavar="N", help="Migrate N first, and stop at their diff.")
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
    from flitstack.reports.plan import publish_plan
    from flitstack.reports.sample import publish_sample
    from flitstack.stages.options import RunOptions, SampleOptions
    from flitstack.stages.publishing import Publishing
    from flitstack.stages.run import run_migration

    options = RunOptions(
        source, dest, journal_at(journal, demo=demo, input_=input_), input_, mapping, sets,
        passing_of(approve, approve_unseen, attest, asks=not as_json),
        dry_run=dry_run, demo=demo, wait=wait, sample=SampleOptions(sample) if sample else None,
        publishing=Publishing(publish_audit, publish_plan, publish_sample),
    )  # fmt: skip
    report = carry_out(partial(run_migration, options), options.journal, as_json=as_json)
    if as_json:
        click.echo(json.dumps(report.as_json(), ensure_ascii=False))
    else:
        from rich.console import Console

        from flitstack.reports.summary import print_summary

        print_summary(report, Console())
    return report.exit_code
