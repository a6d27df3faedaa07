"""What commands share: the options of those that walk a migration, and how an invocation is carried out."""

from __future__ import annotations

import asyncio
import json
import re
import signal
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from flitstack.errors import FlitError

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator

    from flitstack.stages.context import Progress, StopFlag

T = TypeVar("T")
Command = TypeVar("Command", bound="Callable[..., Any]")

_WALKING = (
    click.option("--source", required=True, metavar="NAME", help="Where the records come from (a source plugin)."),
    click.option("--dest", required=True, metavar="NAME", help="Where they go (a destination plugin)."),
    click.option("--input", "input_", metavar="PATH", help="The export: a folder or a zip file."),
    click.option("--mapping", metavar="FILE", help="A mapping template of your own."),
)
_APPROVING = (
    click.option("--approve", metavar="NAME", help="Approve, in this name, what an earlier run has shown."),
    click.option("--approve-unseen", metavar="NAME", help="Pass every gate without a look; logged as such."),
    click.option("--attest", metavar="REFERENCE", help="With either: the agreement, where a gate asks for one."),
)


def journal_option(command: Command) -> Command:
    """Add --journal."""
    path = click.Path(path_type=Path, dir_okay=False)
    return click.option("--journal", type=path, help="The migration's file.  [default: ./flit.db]")(command)


def json_option(command: Command) -> Command:
    """Add --json."""
    return click.option("--json", "as_json", is_flag=True, help="Print one JSON object to stdout.")(command)


def set_option(command: Command) -> Command:
    """Add --set."""
    told = "A setting: source.KEY, dest.KEY, or a variable of the map."
    return click.option("--set", "sets", multiple=True, metavar="KEY=VALUE", help=told)(command)


def walking_options(command: Command) -> Command:
    """Add the options of a command that reads an export and asks an account: which, with what settings, where kept."""
    demo = click.option(
        "--demo", is_flag=True, help="A bundled example into an embedded account: no account, no network."
    )
    command = set_option(demo(json_option(command)))
    for option in reversed(_WALKING):
        command = option(command)
    return journal_option(command)


def approving_options(command: Command) -> Command:
    """Add how a command passes gates."""
    for option in reversed(_APPROVING):
        command = option(command)
    return command


def journal_at(journal: Path | None, *, demo: bool, input_: str | None = None) -> Path:
    """Return where the journal is.

    :raises click.UsageError: the demo was asked for, and an export given.
    """
    if demo and input_ is not None:
        raise click.UsageError("--demo brings its own export; leave --input away.")
    return journal or Path("flit-demo/flit.db" if demo else "flit.db")


def carry_out(work: Callable[[Progress, StopFlag], Coroutine[Any, Any, T]], journal: Path, *, as_json: bool) -> T:
    """Do the work of an invocation with progress on stderr, Ctrl-C stopping it after what is under way.

    :raises FlitError: what stopped it; with `as_json`, it is on stdout by then.
    """
    from flitstack.reports.progress import progress_for_stderr
    from flitstack.stages.context import StopFlag

    stop = StopFlag()
    try:
        with _stopping(stop):
            return asyncio.run(work(progress_for_stderr(), stop))
    except FlitError as exc:
        if as_json:
            click.echo(json.dumps(_stopped(exc, journal)))
        raise


def _stopped(exc: FlitError, journal: Path) -> dict[str, Any]:
    """Return what `--json` prints of an invocation that stopped: `status` is the kind of error, in words."""
    status = re.sub(r"(?<!^)(?=[A-Z])", "_", type(exc).__name__).lower()
    gates = [{"gate": name, "hash": digest} for name, digest in getattr(exc, "gates", ())]
    return {"status": status, "error": str(exc), "exit_code": exc.exit_code, "gates": gates, "journal": str(journal)}


@contextmanager
def _stopping(stop: StopFlag) -> Iterator[None]:
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
