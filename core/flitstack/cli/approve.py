"""`flit approve`: records a person's approval of what a gate has shown."""

from __future__ import annotations

import json
from pathlib import Path

import click


@click.command()
@click.argument("gate", type=click.Choice(["profile", "existing", "map", "schema", "sample", "full"]))
@click.option("--by", required=True, metavar="NAME", help="Who approves; for `schema`, an admin user's e-mail.")
@click.option("--attest", metavar="REFERENCE", help="The agreement, where the gate asks for one: title, date, place.")
@click.option("--journal", default="./flit.db", show_default=True, type=click.Path(path_type=Path, dir_okay=False))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def approve(gate: str, by: str, attest: str | None, journal: Path, as_json: bool) -> None:
    """Approve what the last run showed at GATE. The approval holds for exactly that, and for nothing else.

    \b
    Example:
        flit approve map --by "Dana Cho"
        flit approve profile --by "Dana Cho" --attest "BAA of 2026-05-04, in the practice's binder"
    """
    from flitstack.clock import clock_from_environment
    from flitstack.journal import Journal
    from flitstack.stages.gates.gate import approve_shown

    at = clock_from_environment().now().isoformat(timespec="milliseconds")
    with Journal.existing(journal) as opened:
        approval = approve_shown(opened, gate, by, at, attest)
        head = opened.audit.head()
    if as_json:
        audit = {"length": head.length, "head": head.hash}
        click.echo(json.dumps({"gate": gate, "by": by, "hash": approval.hash, "attestation": attest, "audit": audit}))
        return
    attested = f", attesting {attest!r}" if attest else ""
    click.echo(f"{gate} approved by {by}{attested} (audit log: {head.length} lines, head {head}).")
