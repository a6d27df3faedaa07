"""`flit probe`: asks the account what nobody has written down, with throwaway records that are removed again."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from flitstack.cli.run import ask_at_gate, stopped, stopping
from flitstack.errors import FlitError

if TYPE_CHECKING:
    from flitstack.stages.probe import ProbeReport


@click.command()
@click.option("--dest", required=True, metavar="NAME", help="The account's platform (a destination plugin).")
@click.option("--journal", default="./flit.db", show_default=True, type=click.Path(path_type=Path, dir_okay=False))
@click.option("--set", "sets", multiple=True, metavar="dest.KEY=VALUE", help="A setting of the destination.")
@click.option("--only", multiple=True, metavar="QUESTION", help="Ask just this; can be given more than once.")
@click.option("--approve-unseen", metavar="NAME", help="Go ahead without a look, in this name; logged as such.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object to stdout.")
def probe(
    dest: str, journal: Path, sets: tuple[str, ...], only: tuple[str, ...], approve_unseen: str | None, as_json: bool
) -> int:
    """Find out by trying how this account behaves. It says first what it creates, removes and costs.

    The answers are kept in the journal, and later runs use them.

    \b
    Example:
        flit probe --dest DESTINATION --journal flit.db
    """
    from flitstack.reports.progress import progress_for_stderr
    from flitstack.stages.context import StopFlag
    from flitstack.stages.gates import Passing, named
    from flitstack.stages.probe import ProbeOptions, run_probes

    asks = sys.stdin.isatty() and sys.stderr.isatty() and not as_json
    passing = Passing(unseen=named(approve_unseen, "--approve-unseen"), ask=ask_at_gate if asks else None)
    options = ProbeOptions(dest, journal, sets, only, passing)
    stop = StopFlag()
    try:
        with stopping(stop):
            report = asyncio.run(run_probes(options, progress_for_stderr(), stop))
    except FlitError as exc:
        if as_json:
            click.echo(json.dumps(stopped(exc, journal)))
        raise
    if as_json:
        click.echo(json.dumps(report.as_json(), ensure_ascii=False))
    else:
        _print(report)
    return report.exit_code


def _print(report: ProbeReport) -> None:
    from rich.console import Console

    from flitstack.reports.answers import print_answers

    print_answers(report, Console())
