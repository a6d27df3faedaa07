"""What commands share: the options of those that walk a migration, and how an invocation is carried out."""

from __future__ import annotations

import asyncio
import signal
import sys
from contextlib import contextmanager, redirect_stdout, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from flitstack.cli.endings import JOURNAL
from flitstack.errors import PluginError

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator

    from flitstack.stages.context import Progress, StopFlag

DEMOS = Path("flit-demo")
T = TypeVar("T")
Command = TypeVar("Command", bound="Callable[..., Any]")

_MAPPING = click.option("--mapping", metavar="FILE", help="A mapping template of your own.")
_WALKING = (
    click.option("--source", required=True, metavar="NAME", help="Where the records come from (a source plugin)."),
    click.option("--dest", required=True, metavar="NAME", help="Where they go (a destination plugin)."),
    click.option("--input", "input_", metavar="PATH", help="The export: a folder or a zip file."),
    _MAPPING,
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


def ends_options(command: Command) -> Command:
    """Add --source and --dest for a command that finds out by itself what is meant."""
    dest = "Where they go.  [default: the only destination installed, or set up]"
    source = "Where the records come from.  [default: the only source that can read them]"
    return click.option("--source", metavar="NAME", help=source)(
        click.option("--dest", metavar="NAME", help=dest)(command)
    )


def looking_options(kept: str) -> Callable[[Command], Command]:
    """Return what adds --journal, --mapping and --set to a command that only looks.

    :param kept: what the migration's file is for, where there is one.
    """
    path = click.Path(path_type=Path, dir_okay=False)
    told = f"The migration's file: where it exists, {kept}"
    journal = click.option("--journal", default="./flit.db", show_default=True, type=path, help=told)
    return lambda command: journal(_MAPPING(set_option(command)))


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


def journal_at(
    journal: Path | None, *, demo: bool, input_: str | None = None, ends: tuple[str, str] | None = None
) -> Path:
    """Return where the journal is: each demo has a folder of its own, by its ends.

    :param ends: source and destination; None for the only demo that there is.
    :raises click.UsageError: the demo was asked for, and an export given; or several can be meant.
    """
    if demo and input_ is not None:
        raise click.UsageError("--demo brings its own export; leave --input away.")
    if journal is None:
        journal = _demo_at(ends) if demo else Path("flit.db")
    return note_journal(journal)


def _demo_at(ends: tuple[str, str] | None) -> Path:
    if ends is not None:
        return DEMOS / "-to-".join(ends) / "flit.db"
    found = sorted(DEMOS.glob("*-to-*/flit.db"))
    if len(found) > 1:
        which = "\n".join(f"  --journal {path}" for path in found)
        raise click.UsageError(f"Several demos were run here. In place of --demo, say which:\n{which}")
    return found[0] if found else DEMOS / "flit.db"


def note_journal(journal: Path) -> Path:
    """Return the path, which `--json` names in what it prints of an error."""
    if (ctx := click.get_current_context(silent=True)) is not None:
        ctx.meta[JOURNAL] = str(journal)
    return journal


def carry_out(work: Callable[[Progress, StopFlag], Coroutine[Any, Any, T]]) -> T:
    """Do the work of an invocation with progress on stderr, Ctrl-C stopping it after what is under way."""
    from flitstack.reports.progress import progress_for_stderr
    from flitstack.stages.context import StopFlag

    stop = StopFlag()
    try:
        with _stopping(stop), redirect_stdout(sys.stderr):  # a plugin's prints are no part of what a command answers
            return asyncio.run(work(progress_for_stderr(), stop))
    except SystemExit as exc:  # nothing of flit's ends so, and its code would pass for a command's
        raise PluginError(
            "A plugin ended the program in the middle of the work (SystemExit). Nothing is lost; the same command "
            "carries on once the plugin is mended. `flit --debug` before the command shows where."
        ) from exc


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
