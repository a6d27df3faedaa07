"""`flit journal`: the audit log exported and proved whole, and values purged once a migration is over."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

import click

from flitstack.cli.common import journal_at, journal_option, json_option

if TYPE_CHECKING:
    from flitstack.journal import Head
    from flitstack.stages.auditlog.verifying import Checked

PLACE = click.Path(path_type=Path, dir_okay=False)


@click.group()
def journal() -> None:
    """Export the audit log, prove it whole, and purge values once a migration is over.

    \b
    Example:
        flit journal verify --head 1042:5e0c...
    """


@journal.command("export")
@click.option("--audit", "target", type=PLACE, required=True, metavar="FILE", help="FILE.jsonl, or FILE.csv.")
@journal_option
@json_option
def export_audit(target: Path, journal: Path | None, as_json: bool) -> None:
    """Write the audit log into a file: every outcome, with names and keys and never a value, each line hashed.

    \b
    Example:
        flit journal export --audit audit.csv
    """
    from flitstack.journal import Journal
    from flitstack.stages.auditlog.exporting import export_log

    with Journal.existing(journal_at(journal, demo=False)) as opened:
        head = export_log(opened, target)
    if as_json:
        click.echo(json.dumps({"file": str(target), **head.as_json()}))
        return
    click.echo(f"{target}: {head.length:,} lines, head {head}")


@journal.command("verify")
@click.option("--head", "heads", multiple=True, metavar="LENGTH:HASH", help="As a report or an approval printed it.")
@click.option("--export", "exported", type=PLACE, metavar="FILE", help="Prove this exported file, not the journal.")
@journal_option
@json_option
def verify_audit(heads: tuple[str, ...], exported: Path | None, journal: Path | None, as_json: bool) -> int:
    """Prove that the audit log is whole: no line changed, moved or missing, up to the heads that were printed.

    Exit code 0: whole; 6: it is not.

    \b
    Example:
        flit journal verify --head 1042:5e0c...
        flit journal verify --export audit.csv --head 1042:5e0c...
    """
    from flitstack.journal import Journal
    from flitstack.stages.auditlog.verifying import check_file, check_journal, parse_head

    known = [parse_head(text) for text in heads]
    path = journal_at(journal, demo=False)
    if exported is None:
        with Journal.existing(path) as opened:
            found = check_journal(opened, known)
    else:
        found = check_file(exported, known or _journals_own(exported, path))
    if as_json:
        click.echo(json.dumps(found.as_json(), ensure_ascii=False))
    else:
        _print(found, exported or path)
    return found.exit_code


def _journals_own(exported: Path, path: Path) -> list[Head]:
    """Return what the journal, where there is one, knows of a log as long as the exported one."""
    from flitstack.journal import Journal
    from flitstack.stages.auditlog.verifying import check_file

    found = check_file(exported, ())
    if found.problem or not path.exists():
        return []
    with Journal.existing(path) as opened:
        return [opened.audit.at(found.head.length) or opened.audit.head()]


def _print(found: Checked, path: Path) -> None:
    if found.problem:
        click.echo(f"{path}: NOT WHOLE. {found.problem}")
        return
    click.echo(f"{path}: {found.head.length:,} lines hang together, head {found.head}")
    if not found.proven:
        click.echo("No head was given (--head): that the log was written anew as a whole would not show.")
    elif found.proven < found.head.length:
        later = found.head.length - found.proven
        click.echo(f"Proved up to line {found.proven:,}; {later:,} came later, and only hang together with it.")
    else:
        click.echo("Proved whole.")


@journal.command("purge")
@click.option("--approve-unseen", "name", metavar="NAME", help="Purge in this name, without asking.")
@journal_option
@json_option
def purge_values(name: str | None, journal: Path | None, as_json: bool) -> int:
    """Take every value of a record out of the journal, for good, and write a certificate.

    Keys, ids and the audit log stay, so that the journal still proves what was done.

    \b
    Example:
        flit journal purge --approve-unseen "Dana Cho"
    """
    from flitstack.clock import clock_from_environment
    from flitstack.errors import ApprovalNeeded
    from flitstack.stages.auditlog.purge import plan_purge, purge

    path = journal_at(journal, demo=False)
    plan = plan_purge(path)
    if name is None:
        click.echo(plan.text(), err=True)
        if as_json or not (sys.stdin.isatty() and sys.stderr.isatty()):
            again = f"flit journal purge --approve-unseen NAME --journal {quote(str(path))}"
            raise ApprovalNeeded(f"Nothing was purged. To do it: {again}")
        name = str(click.prompt("Your name to purge, or nothing to stop", default="", show_default=False, err=True))
        if not name.strip():
            raise ApprovalNeeded("Nothing was purged.")
    certificate = purge(path, clock_from_environment().now().isoformat(timespec="milliseconds"), name)
    if as_json:
        click.echo(json.dumps({**certificate.as_json(), "path": certificate.path}, ensure_ascii=False))
    else:
        click.echo(certificate.text())
    return 0
