"""The journal's commits without a thread: grouped as they would be, each two moments at which a process can end."""

from __future__ import annotations

import asyncio
import sqlite3
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, TypeVar

from flitstack.testing.simulation.fate import Death

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from flitstack.journal.store import Job
    from flitstack.testing.simulation.world import World

T = TypeVar("T")


class _Due(Future[T]):
    """The result of a job; whoever will not wait for the disk's time makes it commit at once."""

    def __init__(self, flush: Callable[[], None]) -> None:
        super().__init__()
        self._commit_now = flush

    def result(self, timeout: float | None = None) -> T:
        """Return the job's result, committing it first when that is still to come."""
        if not self.done():
            self._commit_now()
        return super().result(timeout)


class InlineCommitter:
    """Commits on the event loop, after the time that the disk takes; what comes in meanwhile goes with it."""

    def __init__(self, commit: Callable[[Sequence[Job]], None], world: World) -> None:
        self._commit = commit
        self._world = world
        self._waiting: list[Job] = []

    def submit(self, job: Callable[[sqlite3.Connection], T]) -> Future[T]:
        """Return a future that resolves once the job's transaction is committed.

        :raises Death: the process has ended.
        """
        self._refuse_the_dead()
        if not self._waiting:
            asyncio.get_running_loop().call_later(self._world.disk_s(), self._flush)
        future = _Due[T](self._flush)
        self._waiting.append((job, future))
        return future

    def run(self, job: Callable[[sqlite3.Connection], T]) -> T:
        """Return the job's result after its commit.

        :raises Death: the process has ended, or ends here.
        """
        self._refuse_the_dead()
        future: Future[T] = Future()
        self._waiting.append((job, future))
        self._flush()
        return future.result()

    def close(self) -> None:
        """Finish what was handed over; what a dead process handed over is gone."""
        self._flush()

    def _refuse_the_dead(self) -> None:
        if self._world.fate.dead:
            raise Death

    def _flush(self) -> None:
        batch, self._waiting = self._waiting, []
        if not batch:
            return
        fate, ended = self._world.fate, Death()
        fate.pass_by("before a commit")
        if fate.dead:
            _fail(batch, ended)
            return
        done: list[Job] = [(job, Future()) for job, _ in batch]
        self._commit([(_disk_full, Future()), *done] if self._world.disk_is_full() else done)
        fate.pass_by("after a commit")
        if fate.dead:
            _fail(batch, ended)
            return
        for (_, future), (_, result) in zip(batch, done, strict=True):
            error = result.exception()
            if error is not None:
                future.set_exception(error)
            else:
                future.set_result(result.result())


def _disk_full(db: sqlite3.Connection) -> None:
    raise sqlite3.OperationalError("database or disk is full")


def _fail(batch: Sequence[tuple[Any, Future[Any]]], error: BaseException) -> None:
    for _, future in batch:
        if not future.cancelled():
            future.set_exception(error)
