"""`flit audit`: what a business should know of its export before anything moves."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from typing import TYPE_CHECKING

import click

from flitstack.cli.common import ends_options, json_option, looking_options, note_journal

if TYPE_CHECKING:
    from pathlib import Path

    from flitstack.stages.audit.sections import Audit


@click.command()
@ends_options
@click.option("--input", "input_", required=True, metavar="PATH", help="The export: a folder or a zip file.")
@looking_options("earlier exports count. It is only read; reports go beside it.")
@click.option("--offline", is_flag=True, help="Ask no account, even where there is a token.")
@json_option
def audit(
    source: str | None,
    dest: str | None,
    input_: str,
    journal: Path,
    mapping: str | None,
    sets: tuple[str, ...],
    offline: bool,
    as_json: bool,
) -> None:
    """Look at an export and say what it holds, what cannot move, and what is to be decided. No account is needed.

    \b
    Example:
        flit audit --input ./export
    """
    from flitstack.reports.audit import print_audit, write_audit
    from flitstack.stages.publishing import REPORTS

    found = _audit(source, dest, input_, note_journal(journal), mapping, sets, offline)
    files = write_audit(found, journal.parent / REPORTS)
    if as_json:
        paths = {"html": str(files.page), "json": str(files.data), "draft": str(files.draft) if files.draft else None}
        click.echo(json.dumps({**found.as_json(), "reports": paths}, ensure_ascii=False))
        return
    from rich.console import Console

    print_audit(found, Console())
    click.echo(f"The report: {files.page}\nFor machines: {files.data}")
    if files.draft:
        click.echo(f"People who are probably on file twice, to decide on: {files.draft}")


def _audit(
    source: str | None,
    dest: str | None,
    input_: str,
    journal: Path,
    mapping: str | None,
    sets: tuple[str, ...],
    offline: bool,
) -> Audit:
    from flitstack.errors import UsageError
    from flitstack.registry import load_plugins
    from flitstack.reports.progress import progress_for_stderr
    from flitstack.stages.audit.export import audit_export
    from flitstack.stages.choosing import destination_of, source_of
    from flitstack.stages.context import StopFlag

    registry = load_plugins(beside=journal)
    source = source_of(registry, source, input_, sets, journal.parent)
    if dest is None:
        with suppress(UsageError):  # several may be meant: then what depends on it is left out, and the report says so
            dest = destination_of(registry, None, sets, journal.parent)
    return asyncio.run(
        audit_export(
            registry, source, dest, input_, journal, progress_for_stderr(), StopFlag(), sets=sets,
            mapping=mapping, offline=offline,
        )
    )  # fmt: skip
