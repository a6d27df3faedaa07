"""`flit rejects`: lists the records that could not move, and why."""

from __future__ import annotations

import json
from pathlib import Path

import click


@click.group()
def rejects() -> None:
    """Look at the records that could not move, and why.

    \b
    Example:
        flit rejects list
    """


@rejects.command("list")
@click.option("--journal", default="./flit.db", show_default=True, type=click.Path(path_type=Path, dir_okay=False))
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list.")
def list_rejects(journal: Path, as_json: bool) -> None:
    """List every rejected record: file, line, source key, code, reason and what to do.

    \b
    Example:
        flit rejects list --journal ./flit.db
    """
    from flitstack.journal import Journal

    names = ("stream", "id", "code", "reason", "hint", "field", "file", "line")
    with Journal.existing(journal) as opened:
        rows = [dict(zip(names, row, strict=True)) for row in opened.buckets.rejected_rows()]
    if as_json:
        click.echo(json.dumps(rows, indent=2, ensure_ascii=False))
        return
    for row in rows:
        where = f"{row['file']} line {row['line']}, " if row["file"] else ""
        column = f', column "{row["field"]}"' if row["field"] else ""
        click.echo(f"{where}{row['stream']} {row['id']}{column}: {row['code']}. {row['reason']} {row['hint']}")
    click.echo(f"{len(rows)} rejected.", err=True)
