"""`flit probe`: asks the account what nobody has written down, with throwaway records that are removed again."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from flitstack.cli.common import carry_out, json_option, note_journal

if TYPE_CHECKING:
    from flitstack.stages.probe import ProbeReport


@click.command()
@click.option("--dest", metavar="NAME", help="The account's platform.  [default: the only one installed, or set up]")
@click.option("--journal", default="./flit.db", show_default=True, type=click.Path(path_type=Path, dir_okay=False))
@click.option("--set", "sets", multiple=True, metavar="dest.KEY=VALUE", help="A setting of the destination.")
@click.option("--only", multiple=True, metavar="QUESTION", help="Ask just this; can be given more than once.")
@click.option("--approve-unseen", metavar="NAME", help="Go ahead without a look, in this name; logged as such.")
@json_option
def probe(
    dest: str | None,
    journal: Path,
    sets: tuple[str, ...],
    only: tuple[str, ...],
    approve_unseen: str | None,
    as_json: bool,
) -> int:
    """Find out by trying how this account behaves. It says first what it creates, removes and costs.

    The answers are kept in the journal, and later runs use them.

    \b
    Example:
        flit probe --dest DESTINATION --journal flit.db
    """
    from flitstack.cli.passing import passing_of
    from flitstack.registry import load_plugins
    from flitstack.stages.choosing import destination_of
    from flitstack.stages.probe import ProbeOptions, run_probes

    note_journal(journal)
    passing = passing_of(None, approve_unseen, None, asks=not as_json)
    options = ProbeOptions(
        destination_of(load_plugins(beside=journal), dest, sets, journal.parent), journal, sets, only, passing
    )
    report = carry_out(partial(run_probes, options))
    if as_json:
        click.echo(json.dumps(report.as_json(), ensure_ascii=False))
    else:
        _print(report)
    return report.exit_code


def _print(report: ProbeReport) -> None:
    from rich.console import Console

    from flitstack.reports.answers import print_answers

    print_answers(report, Console())
