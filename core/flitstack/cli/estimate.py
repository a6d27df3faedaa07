"""`flit estimate`: what a load takes, in requests, tokens and days, before anything is written."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from flitstack.stages.plan.estimate import Estimate

MOST_RECORDS = 10_000_000
"""More patients than any practice, or group of them, has; more is a slip of the hand."""


@click.command()
@click.option(
    "--source", metavar="NAME", help="Where the records come from.  [default: the only source that can read them]"
)
@click.option("--dest", metavar="NAME", help="Where they go.  [default: the only destination installed, or set up]")
@click.option("--input", "input_", metavar="PATH", help="The export: a folder or a zip file.")
@click.option("--patients", "records", type=click.IntRange(1, MOST_RECORDS), metavar="N",
              help="Without an export: so many main records, by documented ratios.")  # fmt: skip
@click.option("--plan", metavar="NAME", help="The account's plan.")
@click.option("--seats", type=click.IntRange(min=1), metavar="N", help="The account's paid seats.")
@click.option(
    "--journal", default="./flit.db", show_default=True, type=click.Path(path_type=Path, dir_okay=False),
    help="The migration's file: where it exists, what is still to be done is estimated. It is only read.",
)  # fmt: skip
@click.option("--mapping", metavar="FILE", help="A mapping template of your own.")
@click.option("--set", "sets", multiple=True, metavar="KEY=VALUE",
              help="A setting: source.KEY, dest.KEY, or a variable of the map.")  # fmt: skip
@click.option("--offline", is_flag=True, help="Ask no account, even where there is a token; take an empty one.")
@click.option("--no-policies", is_flag=True, help="Leave out what each policy would save; quicker.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object to stdout.")
def estimate(
    source: str | None,
    dest: str | None,
    input_: str | None,
    records: int | None,
    plan: str | None,
    seats: int | None,
    journal: Path,
    mapping: str | None,
    sets: tuple[str, ...],
    offline: bool,
    no_policies: bool,
    as_json: bool,
) -> None:
    """Say what a load takes: requests, tokens, time, per object, with and without each policy, on every plan.

    \b
    Example:
        flit estimate --input ./export --set profile=full --plan growth --seats 3
        flit estimate --patients 8000 --plan growth --seats 3
    """
    if (input_ is None) == (records is None):
        raise click.UsageError("Give either --input PATH, an export, or --patients N, how many there are.")
    found = _estimate(source, dest, input_, records, plan, seats, journal, mapping, sets, offline, not no_policies)
    if as_json:
        click.echo(json.dumps(found.as_json(), ensure_ascii=False))
        return
    from rich.console import Console

    from flitstack.reports.estimate import print_estimate

    print_estimate(found, Console())


def _estimate(
    source: str | None,
    dest: str | None,
    input_: str | None,
    records: int | None,
    plan: str | None,
    seats: int | None,
    journal: Path,
    mapping: str | None,
    sets: tuple[str, ...],
    offline: bool,
    policies: bool,
) -> Estimate:
    from flitstack.registry import load_plugins
    from flitstack.reports.progress import progress_for_stderr
    from flitstack.stages.choosing import destination_of, source_of
    from flitstack.stages.context import StopFlag
    from flitstack.stages.options import RunOptions
    from flitstack.stages.plan.estimate import estimate_export, estimate_ratios
    from flitstack.stages.setup import set_up

    registry = load_plugins(beside=journal)
    source = source_of(registry, source, input_, sets, journal.parent)
    stated = [f"dest.{name}={value}" for name, value in (("plan", plan), ("seats", seats)) if value is not None]
    sets = (*sets, *stated)
    dest = destination_of(registry, dest, sets, journal.parent)
    options = RunOptions(source, dest, journal, input_ or "", mapping, sets)
    setup = set_up(options, registry=registry)
    if records is not None:
        return estimate_ratios(setup, records)
    return asyncio.run(
        estimate_export(setup, progress_for_stderr(), StopFlag(), journal=journal, offline=offline, policies=policies)
    )
