"""`flit plan`: what a run would do, what that costs, and which gates it would stop at."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from flitstack.errors import FlitError

if TYPE_CHECKING:
    from flitstack.stages.plan_document import PlanDocument
    from flitstack.stages.report import RunReport


@click.command()
@click.option("--source", required=True, metavar="NAME", help="Where the records come from (a source plugin).")
@click.option("--dest", required=True, metavar="NAME", help="Where they go (a destination plugin).")
@click.option("--input", "input_", metavar="PATH", help="The export: a folder or a zip file.")
@click.option(
    "--journal", type=click.Path(path_type=Path, dir_okay=False), help="The migration's file.  [default: ./flit.db]"
)
@click.option("--mapping", metavar="FILE", help="A mapping template of your own.")
@click.option("--set", "sets", multiple=True, metavar="KEY=VALUE",
              help="A setting: source.KEY, dest.KEY, or a variable of the map.")  # fmt: skip
@click.option("--demo", is_flag=True, help="A bundled example into an embedded account: no account, no network.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object to stdout.")
def plan(
    source: str,
    dest: str,
    input_: str | None,
    journal: Path | None,
    mapping: str | None,
    sets: tuple[str, ...],
    demo: bool,
    as_json: bool,
) -> None:
    """Show what a run would create, write and leave behind, what it costs, and what is to be approved.

    Reads the export and the account; writes nothing to the account. What it shows can be approved with `flit approve`.

    \b
    Example:
        flit plan --source SOURCE --dest DESTINATION --input ./export --set profile=full
    """
    from flitstack.cli.run import stopped, stopping
    from flitstack.reports.audit import publish_audit
    from flitstack.reports.plan import print_plan, write_plan
    from flitstack.reports.progress import progress_for_stderr
    from flitstack.stages.context import StopFlag
    from flitstack.stages.options import RunOptions
    from flitstack.stages.run import run_migration

    if demo and input_ is not None:
        raise click.UsageError("--demo brings its own export; leave --input away.")
    files: dict[str, Path] = {}

    def publish(document: PlanDocument, folder: Path) -> str:
        files["page"], files["data"] = write_plan(document, folder)
        return str(files["page"])

    options = RunOptions(
        source, dest, journal or Path("flit-demo/flit.db" if demo else "flit.db"), input_, mapping, sets, demo=demo,
        publish_audit=publish_audit, publish_plan=publish, plan_only=True,
    )  # fmt: skip
    stop = StopFlag()
    try:
        with stopping(stop):
            report = asyncio.run(run_migration(options, progress_for_stderr(), stop))
    except FlitError as exc:
        if as_json:
            click.echo(json.dumps(stopped(exc, options.journal)))
        raise
    assert report.document is not None  # noqa: S101 - a run that is asked for its plan makes one
    if not files:
        publish(report.document, options.journal.parent / "flit-reports")
    if as_json:
        click.echo(json.dumps(_json(report, report.document, files), ensure_ascii=False))
        return
    from rich.console import Console

    print_plan(report.document, report.gates, Console(), str(options.journal))
    click.echo(f"The plan: {files['page']}\nFor machines: {files['data']}")
    click.echo(f"Journal {report.journal}, audit log of {report.audit.length:,} lines, head {report.audit.hash[:16]}.")


def _json(report: RunReport, document: PlanDocument, files: dict[str, Path]) -> dict[str, object]:
    return {
        **document.as_json(),
        "hash": document.hash,
        "gates": [
            {"gate": gate.name, "hash": gate.hash, "approved": gate.approved, "attest": gate.attest,
             "notes": list(gate.notes)}
            for gate in report.gates
        ],
        "reports": {"html": str(files["page"]), "json": str(files["data"])},
        "journal": report.journal,
        "audit": {"length": report.audit.length, "head": report.audit.hash},
    }  # fmt: skip
