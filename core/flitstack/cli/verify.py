"""`flit verify`: reads back what a migration wrote, and says what is no longer as it was written."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING

import click

from flitstack.cli.common import carry_out, journal_at, journal_option, json_option

if TYPE_CHECKING:
    from pathlib import Path


@click.command()
@journal_option
@click.option("--set", "sets", multiple=True, metavar="KEY=VALUE", help="A setting: dest.KEY, or fallback_owner.")
@click.option("--hash-files", is_flag=True, help="Read back the bytes of every document, not of a few.")
@click.option("--strict", is_flag=True, help="Exit 6 for what people changed since, too.")
@click.option("--demo", is_flag=True, help="The journal and the account of `flit run --demo`.")
@json_option
def verify(
    journal: Path | None, sets: tuple[str, ...], hash_files: bool, strict: bool, demo: bool, as_json: bool
) -> int:
    """Read back every record that was written and compare it, field by field. Needs no export; changes nothing.

    Exit code 0: all is as written, but for what people changed since; 6: something is missing, different or doubled.
    A page with every difference is written beside the journal.

    \b
    Example:
        flit verify --journal ./flit.db --hash-files
    """
    from flitstack.reports.verify import print_verification, write_verification
    from flitstack.stages.proof.recheck import RecheckOptions, recheck
    from flitstack.stages.publishing import REPORTS

    options = RecheckOptions(journal_at(journal, demo=demo), sets, demo, hash_files, strict)
    report = carry_out(partial(recheck, options))
    if not as_json:
        from rich.console import Console

        print_verification(report, Console())  # before the files are written: a folder may be read alone
    files = write_verification(report, options.journal.parent / REPORTS)
    if as_json:
        told = {**report.as_json(), "reports": {"html": str(files.page), "json": str(files.data)}}
        click.echo(json.dumps(told, ensure_ascii=False))
    else:
        click.echo(f"Every difference: {files.page}\nFor machines: {files.data}")
    return report.exit_code
