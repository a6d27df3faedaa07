"""`flit explain`: one record's whole life."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from flitstack.cli.common import journal_at, journal_option, json_option

if TYPE_CHECKING:
    from pathlib import Path


@click.command()
@click.argument("key")
@journal_option
@click.option("--demo", is_flag=True, help="The journal of `flit run --demo`.")
@click.option("--show-values", is_flag=True, help="Show what the record holds, too; without it, names alone.")
@json_option
def explain(key: str, journal: Path | None, demo: bool, show_values: bool, as_json: bool) -> None:
    """Tell one record's life: file and line, what the map made of it and how, what was sent, and what became of it.

    KEY is a source key as reports print it, STREAM:ID, or OBJECT:ID of the destination.

    \b
    Example:
        flit explain people:17
        flit explain person:42 --journal ./flit.db
    """
    from flitstack.journal import Journal
    from flitstack.stages.explain import explain as tell

    with Journal.existing(journal_at(journal, demo=demo)) as opened:
        life = tell(opened, key)
    if as_json:
        click.echo(json.dumps(life.as_json(values=show_values), ensure_ascii=False))
        return
    from rich.console import Console

    from flitstack.reports.life import print_life

    print_life(life, Console(), values=show_values)
