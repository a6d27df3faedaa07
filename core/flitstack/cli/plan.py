"""`flit plan`: what a run would do, what that costs, and which gates it would stop at."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING

import click

from flitstack.cli.common import carry_out, journal_at, walking_options

if TYPE_CHECKING:
    from pathlib import Path

    from flitstack.stages.plan.document import PlanDocument
    from flitstack.stages.report import RunReport


@click.command()
@walking_options
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
    from flitstack.reports.audit import publish_audit
    from flitstack.reports.plan import print_plan, write_plan
    from flitstack.stages.options import RunOptions
    from flitstack.stages.publishing import Publishing
    from flitstack.stages.run import run_migration

    files: dict[str, Path] = {}

    def publish(document: PlanDocument, folder: Path) -> str:
        files["page"], files["data"] = write_plan(document, folder)
        return str(files["page"])

    options = RunOptions(
        source, dest, journal_at(journal, demo=demo, input_=input_, ends=(source, dest)), input_, mapping, sets,
        demo=demo, plan_only=True,
        publishing=Publishing(publish_audit, publish),
    )  # fmt: skip
    report = carry_out(partial(run_migration, options))
    assert report.document is not None  # noqa: S101 - a run that is asked for its plan makes one
    if not files:
        publish(report.document, options.journal.parent / "flit-reports")
    if as_json:
        click.echo(json.dumps(_json(report, report.document, files), ensure_ascii=False))
        return
    from rich.console import Console

    print_plan(report.document, report.gates, Console(), str(options.journal))
    click.echo(f"The plan: {files['page']}\nFor machines: {files['data']}")
    click.echo(f"Journal {report.journal}, audit log of {report.audit.length:,} lines, head {report.audit}")


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
        "audit": report.audit.as_json(),
    }  # fmt: skip
