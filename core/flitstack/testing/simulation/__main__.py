"""`python -m flitstack.testing.simulation`: simulate seeds, and print what they came to."""

from __future__ import annotations

import os
import sys

import click

from flitstack.errors import FlitError
from flitstack.testing.simulation.campaign import SHOWN, explain, run_campaign


@click.command(epilog="Example: python -m flitstack.testing.simulation --seeds 0:1000 --workers 4")
@click.option("--port", default="flitstack.testing.simulation.memory_port:PORT", show_default=True,
              help="The destination's port: MODULE:NAME or FILE.py:NAME.")  # fmt: skip
@click.option("--seeds", default="0:1000", show_default=True, help="FIRST:AFTER, or one seed.")
@click.option("--workers", default=os.cpu_count() or 1, show_default="the machine's", help="Processes.")
@click.option("--broken", default=None, help="A broken engine to try instead, FILE.py:NAME.")
def main(port: str, seeds: str, workers: int, broken: str | None) -> None:
    """Simulate whole migrations, one per seed, and say whether anything was lost, doubled or wrongly linked.

    Exits with 1 when a seed failed; the first ones are made smaller, and printed with the command that replays them.
    """
    try:
        wanted = _range(seeds)
        tally = run_campaign(port, wanted, min(workers, len(wanted)), _progress, broken)
    except FlitError as exc:
        raise click.ClickException(str(exc)) from exc
    click.echo("", err=True)
    click.echo(tally.table())
    click.echo(f"\n{tally.summary()}")
    for seed in sorted(tally.failures)[:SHOWN]:
        click.echo(f"\n{explain(port, seed, broken)}")
    sys.exit(1 if tally.failures else 0)


def _progress(text: str) -> None:
    click.echo(f"\r{text}", err=True, nl=False)


def _range(seeds: str) -> range:
    first, colon, after = seeds.partition(":")
    try:
        wanted = range(int(first), int(after) if colon else int(first) + 1)
    except ValueError as exc:
        raise click.BadParameter("write FIRST:AFTER, or one number.", param_hint="--seeds") from exc
    if not wanted:
        raise click.BadParameter("no seed lies between these.", param_hint="--seeds")
    return wanted


if __name__ == "__main__":
    main()
