"""`flit approve`: records a person's approval of what a gate has shown."""

from __future__ import annotations

import json
from pathlib import Path

import click

from flitstack.cli.common import journal_at, json_option


@click.command()
@click.argument("gate", type=click.Choice(["profile", "existing", "map", "schema", "sample", "full"]))
@click.option("--by", required=True, metavar="NAME", help="Who approves; for `schema`, an admin user's e-mail.")
@click.option("--attest", metavar="REFERENCE", help="The agreement, where the gate asks for one: title, date, place.")
@click.option("--journal", default="./flit.db", show_default=True, type=click.Path(path_type=Path, dir_okay=False))
@json_option
def approve(gate: str, by: str, attest: str | None, journal: Path, as_json: bool) -> None:
    """Approve what the last run showed at GATE. The approval holds for exactly that, and for nothing else.

    \b
    Example:
        flit approve map --by "Dana Cho"
        flit approve profile --by "Dana Cho" --attest "BAA of 2026-05-04, in the office's binder"
    """
    from flitstack.clock import clock_from_environment
    from flitstack.journal import Journal
    from flitstack.stages.gates.passing import approve_shown

    at = clock_from_environment().now().isoformat(timespec="milliseconds")
    with Journal.existing(journal_at(journal, demo=False)) as opened:
        approval = approve_shown(opened, gate, by, at, attest)
        head = opened.audit.head()
    if as_json:
        told = {"gate": gate, "by": by, "hash": approval.hash, "attestation": attest, "audit": head.as_json()}
        click.echo(json.dumps(told, ensure_ascii=False))
        return
    attested = f", attesting {attest!r}" if attest else ""
    click.echo(f"{gate} approved by {by}{attested} (audit log: {head.length} lines, head {head}).")
