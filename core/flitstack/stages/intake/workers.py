"""Shares pure work among forked children and gives its results back in order, as one process would have made them.

A child inherits by `fork` what it needs (spec, plugins' functions, decisions), so nothing of it has to be importable or
picklable. It does not write, log or print; it ends without any clean-up of what it inherited. What a child fails at is
given back as None and done again by the parent, in which an error is then raised as if there were no children.

Only on Linux: elsewhere system libraries do not bear a fork, or there is none.
"""

from __future__ import annotations

import gc
import marshal
import os
import signal
import sys
import warnings
from contextlib import suppress
from dataclasses import dataclass
from itertools import repeat
from typing import TYPE_CHECKING, Any, BinaryIO, NoReturn

from flitstack.errors import ConfigurationError, Stopped

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

VARIABLE = "FLITSTACK_PROCESSES"
MANY = 20_000  # records from which children are worth their start
MOST = 4  # processes, unless asked for more: beyond that, the parent's own work is the limit
PIPE_BYTES = 1 << 20
HEAD_BYTES = 8
FORMAT = 2  # of marshal: without references to earlier objects, which cost time and are rare here


def children_for(records: int) -> int:
    """Return among how many children so many records are to be shared; 0 when this process does it all.

    :raises ConfigurationError: FLITSTACK_PROCESSES is no number.
    """
    stated = os.environ.get(VARIABLE)
    if stated and not (stated.isdecimal() and stated.isascii() and 1 <= int(stated) <= 64):
        raise ConfigurationError(f"{VARIABLE}: a whole number from 1 to 64, please; 1 does all in one process.")
    if sys.platform != "linux" or records < MANY:
        return 0
    return (int(stated) if stated else min(MOST, len(os.sched_getaffinity(0)))) - 1


def shared_out(parts: int, work: Callable[[int], Any], children: int, begin: Callable[[], None]) -> Generator[Any]:
    """Yield what `work` makes of each part, in order; None for a part that the caller is to do itself.

    Nothing may be under way on other threads that `begin` or `work` could wait for: a child has none of them.

    :param work: takes a part's number; returns lists, tuples, texts and numbers only, never None.
    :param begin: called once in each child before its first part.
    :raises Stopped: a child was ended from outside.
    """
    started: list[_Child] = []
    try:
        if not _start_all(started, parts, work, min(children, parts), begin):
            yield from repeat(None, parts)
            return
        for part in range(parts):
            yield started[part % len(started)].receive()
    finally:
        for child in started:
            child.end()


@dataclass(frozen=True, slots=True)
class _Child:
    """A child as its parent knows it."""

    pid: int
    results: BinaryIO

    def receive(self) -> Any:
        """Return the next result.

        :raises Stopped: the child is no more.
        """
        head = self.results.read(HEAD_BYTES)
        size = int.from_bytes(head, "little")
        body = self.results.read(size)
        if len(head) < HEAD_BYTES or len(body) < size:
            raise Stopped(
                "A process that helped with the mapping was ended from outside (by the system when memory is short, or "
                f"by a person). Nothing is lost; run the same command again, with {VARIABLE}=1 to do without helpers."
            )
        return marshal.loads(body)  # noqa: S302 - written by our own child

    def end(self) -> None:
        """Leave nothing of it behind, whether it was finished or not."""
        self.results.close()
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        with suppress(ChildProcessError):
            os.waitpid(self.pid, 0)


def _start_all(
    started: list[_Child], parts: int, work: Callable[[int], Any], count: int, begin: Callable[[], None]
) -> bool:
    """Start the children; signals wait until all are in `started`, so that none is forgotten.

    :return: whether there was process and memory enough for them.
    """
    import fcntl  # here, as other systems than POSIX have none

    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        for place in range(count):
            reading, writing = os.pipe()
            results = os.fdopen(reading, "rb", PIPE_BYTES)
            with suppress(OSError):
                fcntl.fcntl(reading, fcntl.F_SETPIPE_SZ, PIPE_BYTES)  # a child can then be one part ahead
            try:
                pid = _fork()
                if pid == 0:
                    _serve(range(place, parts, count), work, begin, writing, [reading, *_ends(started)])
                started.append(_Child(pid, results))
            except OSError:
                results.close()
                raise
            finally:
                os.close(writing)
    except OSError:
        return False
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
    return True


def _fork() -> int:
    """Fork. Python warns of it while there are threads; what they could hold, the child does not touch."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*fork", category=DeprecationWarning)
        return os.fork()


def _ends(started: Sequence[_Child]) -> list[int]:
    return [child.results.fileno() for child in started]


def _serve(
    own: Sequence[int], work: Callable[[int], Any], begin: Callable[[], None], writing: int, others: Sequence[int]
) -> NoReturn:
    """Be a child: send the result of each part; end when all are sent, or when nobody reads them any more."""
    try:
        gc.freeze()  # what was inherited is never collected here, and its pages stay shared
        for one in (signal.SIGINT, signal.SIGTERM):
            signal.signal(one, signal.SIG_IGN)  # the parent decides, and ends its children
        signal.set_wakeup_fd(-1)
        for descriptor in others:
            os.close(descriptor)
        begin()
        for part in own:
            _send(writing, _attempted(work, part))
    except BaseException:  # noqa: BLE001 - the parent sees that nothing comes any more
        os._exit(1)
    os._exit(0)


def _attempted(work: Callable[[int], Any], part: int) -> bytes:
    try:
        return marshal.dumps(work(part), FORMAT)
    except Exception:  # noqa: BLE001 - the parent does it again and meets the error itself
        return marshal.dumps(None, FORMAT)


def _send(descriptor: int, body: bytes) -> None:
    left = memoryview(len(body).to_bytes(HEAD_BYTES, "little") + body)
    while left:
        left = left[os.write(descriptor, left) :]
