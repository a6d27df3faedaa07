"""`flit status`: where a migration stands, on one screen."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from flitstack.cli.common import journal_at, journal_option, json_option

if TYPE_CHECKING:
    from pathlib import Path


@click.command()
@journal_option
@click.option("--demo", is_flag=True, help="The journal of `flit run --demo`.")
@json_option
def status(journal: Path | None, demo: bool, as_json: bool) -> None:
    """Say where a migration stands, what it waits for and what comes next. Works while a run is under way.

    \b
    Example:
        flit status --journal ./flit.db
    """
    from flitstack.clock import clock_from_environment
    from flitstack.stages.status import standing_of

    found = standing_of(journal_at(journal, demo=demo), clock_from_environment().now(), demo=demo)
    if as_json:
        click.echo(json.dumps(found.as_json(), ensure_ascii=False))
        return
    from rich.console import Console

    from flitstack.reports.status import print_standing

    print_standing(found, Console())
