"""`flit sample`: migrate a sample for real, read it back, and show the diff field by field."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING

import click

from flitstack.cli.common import approving_options, carry_out, journal_at, walking_options

if TYPE_CHECKING:
    from pathlib import Path

    from flitstack.stages.sample.taken import TakenSample


@click.command()
@walking_options
@approving_options
@click.option("-n", "--size", default=200, show_default=True, type=click.IntRange(min=1), help="How many to take.")
@click.option("--random", "by_chance", is_flag=True, help="Take them by chance alone, for comparison.")
@click.option("--wait", is_flag=True, help="When the day's budget is used up, carry on the next day, unattended.")
def sample(
    source: str,
    dest: str,
    input_: str | None,
    journal: Path | None,
    size: int,
    by_chance: bool,
    mapping: str | None,
    sets: tuple[str, ...],
    approve: str | None,
    approve_unseen: str | None,
    attest: str | None,
    wait: bool,
    demo: bool,
    as_json: bool,
) -> int:
    """Migrate a few records with all that hangs on them, and compare field by field what became of them.

    They are chosen to hold every status and type and whatever is likely to break, and are written for real: the full
    run that follows leaves them as they are. `flit rollback` undoes them.

    \b
    Example:
        flit sample --source SOURCE --dest DESTINATION --input ./export -n 200 --set profile=full
    """
    from flitstack.cli.passing import passing_of
    from flitstack.reports.audit import publish_audit
    from flitstack.reports.sample import print_sample, publish_sample
    from flitstack.stages.options import RunOptions, SampleOptions
    from flitstack.stages.publishing import Publishing
    from flitstack.stages.run import run_migration

    published: list[tuple[TakenSample, str]] = []

    def publish(taken: TakenSample, folder: Path) -> str:
        page = publish_sample(taken, folder)
        published.append((taken, page))
        return page

    options = RunOptions(
        source, dest, journal_at(journal, demo=demo, input_=input_, ends=(source, dest)), input_, mapping, sets,
        passing_of(approve, approve_unseen, attest, asks=not as_json), demo=demo, wait=wait,
        sample=SampleOptions(size, by_chance, alone=True), publishing=Publishing(publish_audit, sample=publish),
    )  # fmt: skip
    report = carry_out(partial(run_migration, options))
    taken, page = published[-1]
    if as_json:
        spent = {"spent": report.tokens.spent, "predicted": report.tokens.predicted, "minimum": report.tokens.minimum}
        whole = {
            "run_id": report.run_id,
            **taken.as_json(),
            "requests": report.requests,
            "tokens": spent,
            "report": page,
        }
        click.echo(json.dumps({**whole, "journal": report.journal}, ensure_ascii=False))
    else:
        from rich.console import Console

        print_sample(taken, Console())
        click.echo(f"The report, with values: {page}")
    return 6 if taken.mismatched else 0
