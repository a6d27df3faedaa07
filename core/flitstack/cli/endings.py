"""Turns what ended an invocation into one message for a person and an exit code."""

from __future__ import annotations

import errno
import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from flitstack.errors import FlitError
from flitstack.terminal import visible

if TYPE_CHECKING:
    from collections.abc import Iterator

INTERRUPTED = 130
BUG = 1
STOPPED = 5
JOURNAL = "flitstack.journal"
"""Where an invocation's context keeps the path of the migration's file, for what `--json` prints of an error."""
_REFUSALS = {
    errno.ENOSPC: ("The disk is full. Make room; the same command carries on from here.", STOPPED),
    errno.EDQUOT: ("Your quota of disk space is used up. Make room; the same command carries on from here.", STOPPED),
    errno.EACCES: ("The operating system does not let you read or write a file flit needs. Check its permissions.", 4),
    errno.EPERM: ("The operating system does not let you read or write a file flit needs. Check its permissions.", 4),
    errno.EEXIST: ("A file is in the way of a folder flit needs. Move it away.", 4),
    errno.ENOTDIR: ("A file is in the way of a folder flit needs. Move it away, or choose another --journal.", 4),
    errno.EROFS: ("The file system can only be read. Choose another place with --journal.", 4),
}


@dataclass(frozen=True, slots=True)
class Ending:
    """What to say of an invocation that failed, and its exit code.

    :param status: the kind of error, in words, as `--json` prints it.
    :param gates: the gates that are open, each with its hash. :param trace: the traceback, where one was asked for.
    """

    error: str
    exit_code: int
    status: str
    gates: tuple[tuple[str, str], ...] = ()
    trace: str = ""

    @property
    def message(self) -> str:
        """Return what to print on stderr."""
        return f"{self.trace}{self.error}"

    def as_json(self, journal: str) -> dict[str, Any]:
        """Return what `--json` prints of an invocation that ended so.

        :param journal: the migration's file; "" where none is concerned, or the command line was not understood.
        """
        gates = [{"gate": name, "hash": digest} for name, digest in self.gates]
        return {
            "status": self.status, "error": self.error, "exit_code": self.exit_code, "gates": gates, "journal": journal,
        }  # fmt: skip


def ending_of(exc: BaseException, debug: bool) -> Ending | None:
    """Return how an invocation ends that raised `exc`; None when the reader of its output went away.

    A FlitError brings its own message and code; what the operating system refuses is no bug. Of anything else only
    the type and the place are told: its text may hold values of records.
    :param debug: put the traceback first, with the texts of exceptions left out.
    """
    if isinstance(exc, OSError) and exc.errno == errno.EPIPE:
        return None
    if isinstance(exc, KeyboardInterrupt | click.Abort):
        return Ending("Interrupted. The same command carries on from here.", INTERRUPTED, "interrupted")
    trace = _trace(exc) if debug else ""
    if isinstance(exc, OSError) and exc.errno in _REFUSALS:
        message, code = _REFUSALS[exc.errno]
        status = "stopped" if code == STOPPED else "configuration_error"
        return Ending(f"{_which(exc)}{message}", code, status, trace=trace)
    expected = next(_flit_errors(exc), None)
    if expected is not None:
        gates = tuple(getattr(expected, "gates", ()))
        return Ending(visible(str(expected)), expected.exit_code, status_of(expected), gates, trace)
    return Ending(_bug(exc, debug), BUG, "bug", trace=trace)


def not_understood(exc: click.ClickException) -> Ending:
    """Return how an invocation ends whose options or arguments cannot be used; click prints the message itself."""
    return Ending(visible(exc.format_message()), exc.exit_code, "usage_error")


def status_of(exc: FlitError) -> str:
    """Return the kind of an error in words: `usage_error`."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", type(exc).__name__).lower()


def _which(exc: OSError) -> str:
    """Return the path that was refused, as the beginning of a message; "" when it is not known."""
    return f"{visible(exc.filename)}: " if isinstance(exc.filename, str) and exc.filename else ""


def _bug(exc: BaseException, debug: bool) -> str:
    advice = "" if debug else " `flit --debug` before the command shows the traceback, without values of records."
    return (
        f"flit failed with {type(exc).__name__} at {_place(exc)}: a bug in flit or in a plugin.{advice} "
        "Please report it, with the version and the command, in the project's issue tracker."
    )


def _flit_errors(exc: BaseException) -> Iterator[FlitError]:
    """Yield the errors raised on purpose when there is nothing else, looking into groups of tasks that failed."""
    if isinstance(exc, FlitError):
        yield exc
    elif isinstance(exc, BaseExceptionGroup):
        found = [list(_flit_errors(each)) for each in exc.exceptions]
        if all(found):
            yield from (error for each in found for error in each)


def _place(exc: BaseException) -> str:
    import traceback  # only a bug needs it, and it costs a tenth of the start-up

    frames = [frame for frame in traceback.extract_tb(exc.__traceback__) if not frame.filename.startswith("<")]
    if not frames:
        return "an unknown place"
    folder, name = os.path.split(frames[-1].filename)
    return f"{os.path.basename(folder)}/{name} line {frames[-1].lineno}"


def _trace(exc: BaseException) -> str:
    """Return the traceback of an exception and its causes, oldest first, each with its type and without its text."""
    import traceback

    chain: list[str] = []
    current: BaseException | None = exc
    while current is not None:
        inner = [_trace(each) for each in current.exceptions] if isinstance(current, BaseExceptionGroup) else []
        chain[:0] = ["".join(traceback.format_tb(current.__traceback__)) + type(current).__name__, *inner]
        current = current.__cause__ or (None if current.__suppress_context__ else current.__context__)
    return "Traceback (texts of exceptions left out):\n" + "\n\n".join(chain) + "\n"
