"""`flit approve`: records a person's approval of what a gate has shown."""

from __future__ import annotations

import json
from pathlib import Path

import click


@click.command()
@click.argument("gate", type=click.Choice(["profile", "existing", "map", "schema", "full"]))
@click.option("--by", required=True, metavar="NAME", help="Who approves; for `schema`, an admin user's e-mail.")
@click.option("--journal", default="./flit.db", show_default=True, type=click.Path(path_type=Path, dir_okay=False))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def approve(gate: str, by: str, journal: Path, as_json: bool) -> None:
    """Approve what the last run showed at GATE. The approval holds for exactly that, and for nothing else.

    \b
    Example:
        flit approve map --by "Dana Cho"
    """
    from flitstack.clock import clock_from_environment
    from flitstack.journal import Journal
    from flitstack.stages.gates import approve_shown

    at = clock_from_environment().now().isoformat(timespec="milliseconds")
    with Journal.existing(journal) as opened:
        approval = approve_shown(opened, gate, by, at)
        head = opened.audit.head()
    if as_json:
        click.echo(json.dumps({"gate": gate, "by": by, "hash": approval.hash, "audit": {"length": head.length}}))
    else:
        click.echo(f"{gate} approved by {by} (audit log: {head.length} lines, head {head.hash[:16]}).")
