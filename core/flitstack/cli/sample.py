"""`flit sample`: migrate a sample for real, read it back, and show the diff field by field."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from flitstack.errors import FlitError

if TYPE_CHECKING:
    from flitstack.stages.sampling import TakenSample


@click.command()
@click.option("--source", required=True, metavar="NAME", help="Where the records come from (a source plugin).")
@click.option("--dest", required=True, metavar="NAME", help="Where they go (a destination plugin).")
@click.option("--input", "input_", metavar="PATH", help="The export: a folder or a zip file.")
@click.option(
    "--journal", type=click.Path(path_type=Path, dir_okay=False), help="The migration's file.  [default: ./flit.db]"
)
@click.option("-n", "--size", default=200, show_default=True, type=click.IntRange(min=1), help="How many to take.")
@click.option("--random", "by_chance", is_flag=True, help="Take them by chance alone, for comparison.")
@click.option("--mapping", metavar="FILE", help="A mapping template of your own.")
@click.option("--set", "sets", multiple=True, metavar="KEY=VALUE",
              help="A setting: source.KEY, dest.KEY, or a variable of the map.")  # fmt: skip
@click.option("--approve", metavar="NAME", help="Approve, in this name, what an earlier run has shown.")
@click.option("--approve-unseen", metavar="NAME", help="Pass every gate without a look; logged as such.")
@click.option("--attest", metavar="REFERENCE", help="With either: the agreement, where a gate asks for one.")
@click.option("--wait", is_flag=True, help="When the day's budget is used up, carry on the next day, unattended.")
@click.option("--demo", is_flag=True, help="A bundled example into an embedded account: no account, no network.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object to stdout.")
def sample(
    source: str,
    dest: str,
    input_: str | None,
    journal: Path | None,
    size: int,
    by_chance: bool,
    mapping: str | None,
    sets: tuple[str, ...],
    approve: str | None,
    approve_unseen: str | None,
    attest: str | None,
    wait: bool,
    demo: bool,
    as_json: bool,
) -> int:
    """Migrate a few records with all that hangs on them, and compare field by field what became of them.

    They are chosen to hold every status and type and whatever is likely to break, and are written for real: the full
    run that follows leaves them as they are. Undoing them comes with `flit rollback`.

    \b
    Example:
        flit sample --source SOURCE --dest DESTINATION --input ./export -n 200 --set profile=full
    """
    from flitstack.cli.run import passing_of, stopped, stopping
    from flitstack.reports.audit import publish_audit
    from flitstack.reports.progress import progress_for_stderr
    from flitstack.reports.sample import print_sample, publish_sample
    from flitstack.stages.context import StopFlag
    from flitstack.stages.options import RunOptions
    from flitstack.stages.run import run_migration
    from flitstack.stages.sampling import SampleOptions

    if demo and input_ is not None:
        raise click.UsageError("--demo brings its own export; leave --input away.")
    published: list[tuple[TakenSample, str]] = []

    def publish(taken: TakenSample, folder: Path) -> str:
        page = publish_sample(taken, folder)
        published.append((taken, page))
        return page

    options = RunOptions(
        source, dest, journal or Path("flit-demo/flit.db" if demo else "flit.db"), input_, mapping, sets,
        passing_of(approve, approve_unseen, attest, asks=not as_json),
        demo=demo, wait=wait, publish_audit=publish_audit,
        sample=SampleOptions(size, by_chance, alone=True, publish=publish),
    )  # fmt: skip
    stop = StopFlag()
    try:
        with stopping(stop):
            report = asyncio.run(run_migration(options, progress_for_stderr(), stop))
    except FlitError as exc:
        if as_json:
            click.echo(json.dumps(stopped(exc, options.journal)))
        raise
    taken, page = published[-1]
    if as_json:
        spent = {"spent": report.tokens.spent, "predicted": report.tokens.predicted, "minimum": report.tokens.minimum}
        whole = {
            "run_id": report.run_id,
            **taken.as_json(),
            "requests": report.requests,
            "tokens": spent,
            "report": page,
        }
        click.echo(json.dumps({**whole, "journal": report.journal}, ensure_ascii=False))
    else:
        from rich.console import Console

        print_sample(taken, Console())
        click.echo(f"The report, with values: {page}")
    return 6 if taken.mismatched else 0
