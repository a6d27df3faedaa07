"""`flit report`: what a migration came to, as one page to read, to print and to sign."""

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
def report(journal: Path | None, demo: bool, as_json: bool) -> None:
    """Write the final report: counts of both sides, what stayed behind and why, and a checklist to sign.

    It comes from the journal alone: no account is asked, and it can be made at any time. The page may show amounts of
    single people, and says so; the terminal and the JSON never do.

    \b
    Example:
        flit report --journal ./flit.db
    """
    from flitstack.journal import Journal
    from flitstack.reports.final import left_alone, marked, print_final, write_final
    from flitstack.reports.html import FOLDER
    from flitstack.stages.final.report import gather_report

    path = journal_at(journal, demo=demo)
    with Journal.existing(path) as opened:
        found = gather_report(opened)
    if not as_json:
        from rich.console import Console

        print_final(found, Console())  # before the files are written: a folder may be read alone
    page, data = write_final(found, path.parent / FOLDER)
    if as_json:
        click.echo(json.dumps({**found.as_json(), "reports": {"html": str(page), "json": str(data)}}))
        return
    click.echo(f"The report: {page}\nFor machines: {data}")
    for line in (*marked(found), *left_alone(found, page.parent)):
        click.echo(line)
