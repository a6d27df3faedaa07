"""`flit rollback`: takes back what a migration wrote, and leaves alone what people changed since."""

from __future__ import annotations

import json
import sys
from functools import partial
from pathlib import Path

import click

from flitstack.cli.common import carry_out, journal_at, journal_option, json_option


@click.command()
@journal_option
@click.option("--run", metavar="ID", help="One run, by the id that it printed.")
@click.option("--object", "object_", metavar="NAME", help="Every record of one object, such as person.")
@click.option("--keys", multiple=True, metavar="KEY|FILE", help="Source keys, or a file with one a line.")
@click.option("--with-dependents", is_flag=True, help="Take along what was made on these records.")
@click.option("--dry-run", is_flag=True, help="Show what would be undone; write nothing.")
@click.option("--approve-unseen", metavar="NAME", help="Agree without a look; logged as such.")
@click.option("--disregard", multiple=True, metavar="OBJECT.FIELD", help="A field in which no edit is to be kept.")
@click.option("--also-found", is_flag=True, help="Of a rebuilt journal: delete people that it found by key, too.")
@click.option("--wait", is_flag=True, help="When the day's budget is used up, carry on the next day, unattended.")
@click.option("--set", "sets", multiple=True, metavar="KEY=VALUE", help="A setting: dest.KEY, or fallback_owner.")
@click.option("--demo", is_flag=True, help="The journal and the account of `flit run --demo`.")
@json_option
def rollback(
    journal: Path | None,
    run: str | None,
    object_: str | None,
    keys: tuple[str, ...],
    with_dependents: bool,
    dry_run: bool,
    approve_unseen: str | None,
    disregard: tuple[str, ...],
    also_found: bool,
    wait: bool,
    sets: tuple[str, ...],
    demo: bool,
    as_json: bool,
) -> int:
    """Undo the migration, or a part of it: delete what was created, put back what was changed. Resumable.

    What somebody changed since, or hung something on, stays and is listed. Exit code 0: undone; 1: but for those.

    \b
    Example:
        flit rollback --journal ./flit.db --dry-run
    """
    from flitstack.reports.rollback import print_rollback, publish_rollback
    from flitstack.stages.gates.passing import named
    from flitstack.stages.rollback.scope import Scope
    from flitstack.stages.rollback.walk import RollbackOptions
    from flitstack.stages.rollback.walk import rollback as take_back

    if sum((run is not None, object_ is not None, bool(keys))) > 1:
        raise click.UsageError("--run, --object and --keys exclude each other.")
    asks = not as_json and sys.stdin.isatty() and sys.stderr.isatty()
    options = RollbackOptions(
        journal_at(journal, demo=demo), Scope(run, object_, _keys(keys)), sets, demo, dry_run,
        named(approve_unseen, "--approve-unseen"), _ask if asks else None, with_dependents, also_found, disregard,
        wait, publish_rollback,
    )  # fmt: skip
    report = carry_out(partial(take_back, options))
    if as_json:
        click.echo(json.dumps(report.as_json(), ensure_ascii=False))
    else:
        from rich.console import Console

        print_rollback(report, Console())
    return report.exit_code


def _keys(given: tuple[str, ...]) -> tuple[str, ...]:
    """Return source keys, those that stand in files one a line among them.

    :raises click.UsageError: a file cannot be read, or holds none.
    """
    found: list[str] = []
    for each in given:
        if ":" in each and not Path(each).exists():
            found.append(each)
            continue
        try:
            lines = Path(each).read_text(encoding="utf-8-sig").splitlines()
        except (OSError, UnicodeDecodeError) as exc:
            raise click.UsageError(f"--keys {each}: neither a source key (STREAM:ID) nor a file of them.") from exc
        found += [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    if given and not found:
        raise click.UsageError("--keys: no source key is named.")
    return tuple(dict.fromkeys(found))


def _ask(text: str) -> str | None:
    """Show what would be undone and return the name of whoever agrees, None when nobody does."""
    click.echo(f"\n{text}\n", err=True)
    asked = "Your name to undo this, or nothing to stop"
    return str(click.prompt(asked, default="", show_default=False, err=True)).strip() or None
