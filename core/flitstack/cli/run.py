"""`flit run`: the whole migration, stopping at the gates."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import sys
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from flitstack.errors import FlitError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from flitstack.stages.context import StopFlag
    from flitstack.stages.gates import Gate, Passing


@click.command()
@click.option("--source", required=True, metavar="NAME", help="Where the records come from (a source plugin).")
@click.option("--dest", required=True, metavar="NAME", help="Where they go (a destination plugin).")
@click.option("--input", "input_", metavar="PATH", help="The export: a folder or a zip file.")
@click.option(
    "--journal", type=click.Path(path_type=Path, dir_okay=False), help="The migration's file.  [default: ./flit.db]"
)
@click.option("--mapping", metavar="FILE", help="A mapping template of your own.")
@click.option(
    "--set",
    "sets",
    multiple=True,
    metavar="KEY=VALUE",
    help="A setting: source.KEY, dest.KEY, or a variable of the map.",
)
@click.option("--approve", metavar="NAME", help="Approve, in this name, what an earlier run has shown.")
@click.option("--approve-unseen", metavar="NAME", help="Pass every gate without a look; logged as such.")
@click.option("--attest", metavar="REFERENCE", help="With either: the agreement, where a gate asks for one.")
@click.option("--dry-run", is_flag=True, help="Stop before the gates: show what would be written.")
@click.option("--sample", type=click.IntRange(min=1), metavar="N", help="Migrate N first, and stop at their diff.")
@click.option("--wait", is_flag=True, help="When the day's budget is used up, carry on the next day, unattended.")
@click.option("--demo", is_flag=True, help="A bundled example into an embedded account: no account, no network.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object to stdout.")
def run(
    source: str,
    dest: str,
    input_: str | None,
    journal: Path | None,
    mapping: str | None,
    sets: tuple[str, ...],
    approve: str | None,
    approve_unseen: str | None,
    attest: str | None,
    dry_run: bool,
    sample: int | None,
    wait: bool,
    demo: bool,
    as_json: bool,
) -> int:
    """Move the records: read, map, plan, stop at the gates, write, read everything back. Run again, it carries on.

    \b
    Example:
        flit run --source SOURCE --dest DESTINATION --input ./export --set profile=full
    """
    from flitstack.reports.audit import publish_audit
    from flitstack.reports.plan import publish_plan
    from flitstack.reports.progress import progress_for_stderr
    from flitstack.reports.sample import publish_sample
    from flitstack.stages.context import StopFlag
    from flitstack.stages.options import RunOptions
    from flitstack.stages.run import run_migration
    from flitstack.stages.sampling import SampleOptions

    if demo and input_ is not None:
        raise click.UsageError("--demo brings its own export; leave --input away.")
    options = RunOptions(
        source,
        dest,
        journal or Path("flit-demo/flit.db" if demo else "flit.db"),
        input_,
        mapping,
        sets,
        passing_of(approve, approve_unseen, attest, asks=not as_json),
        dry_run,
        demo,
        wait,
        publish_audit,
        SampleOptions(sample, publish=publish_sample) if sample else None,
        publish_plan,
    )
    stop = StopFlag()
    try:
        with stopping(stop):
            report = asyncio.run(run_migration(options, progress_for_stderr(), stop))
    except FlitError as exc:
        if as_json:
            click.echo(json.dumps(stopped(exc, options.journal)))
        raise
    if as_json:
        click.echo(json.dumps(report.as_json(), ensure_ascii=False))
    else:
        _print(report)
    return report.exit_code


def passing_of(approve: str | None, unseen: str | None, attest: str | None, *, asks: bool) -> Passing:
    """Return how an invocation passes gates, as its options say.

    :param asks: a person may be asked, where there is a terminal.
    :raises click.UsageError, UsageError: options exclude each other, or name nobody.
    """
    from flitstack.stages.gates import Passing, attested, named

    if approve is not None and unseen is not None:
        raise click.UsageError("--approve and --approve-unseen exclude each other.")
    asks = asks and sys.stdin.isatty() and sys.stderr.isatty()
    return Passing(
        named(approve, "--approve"),
        named(unseen, "--approve-unseen"),
        ask_at_gate if asks else None,
        attested(attest),
        ask_attestation if asks else None,
    )


def stopped(exc: FlitError, journal: Path) -> dict[str, Any]:
    """Return what `--json` prints of a run that stopped: `status` is the kind of error, in words."""
    status = re.sub(r"(?<!^)(?=[A-Z])", "_", type(exc).__name__).lower()
    gates = [{"gate": name, "hash": digest} for name, digest in getattr(exc, "gates", ())]
    return {"status": status, "error": str(exc), "exit_code": exc.exit_code, "gates": gates, "journal": str(journal)}


def _print(report: Any) -> None:
    from rich.console import Console

    from flitstack.reports.summary import print_summary

    print_summary(report, Console())


def ask_at_gate(gate: Gate, will_do: Callable[[str], bool]) -> str | None:
    """Show a gate on the terminal and return the name that approves, None when nobody does."""
    from rich.console import Console

    console = Console(stderr=True)
    console.print(f"\n== {gate.name} ==\n{gate.shown}\n", markup=False, highlight=False)
    who = "An admin's e-mail" if gate.admin else "Your name"
    while True:
        answer = click.prompt(f"{who} to approve, or nothing to stop", default="", show_default=False, err=True)
        name = str(answer).strip()
        if not name or will_do(name):
            return name or None
        console.print("No admin user of the account has this e-mail.")


def ask_attestation(gate: Gate) -> str | None:
    """Ask on the terminal for the agreement that a gate wants to be named; None when nobody names one."""
    from flitstack.errors import UsageError
    from flitstack.stages.gates import attested

    asked = "The agreement (its title, its date, where it is kept), or nothing to stop"
    while True:
        answer = str(click.prompt(asked, default="", show_default=False, err=True)).strip()
        if not answer:
            return None
        try:
            return attested(answer)
        except UsageError as exc:
            click.echo(str(exc), err=True)


@contextmanager
def stopping(stop: StopFlag) -> Iterator[None]:
    """Let the first Ctrl-C, or signal to end, finish what is under way, and the second end at once."""

    def ask_to_stop(signum: int, frame: Any) -> None:
        if stop.raised:
            raise KeyboardInterrupt
        stop.raised = True
        with suppress(OSError):  # the terminal may be what went away
            click.echo("Stopping after what is under way; Ctrl-C again stops at once.", err=True)

    # A terminal that closes and a service that is stopped ask as a person does; nohup's wish is respected.
    asking = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
    asking = [number for number in asking if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, ask_to_stop) for number in asking}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
