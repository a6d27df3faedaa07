"""Death on demand: every commit of the journal, and everything sent, is a moment at which a run can end."""

from __future__ import annotations

from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

import pytest

from flitstack.errors import FlitError
from flitstack.journal import store
from flitstack.mapping import load_spec

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path

    from flitstack.mapping import Spec
    from flitstack.protocols import Operation
    from flitstack.testing.migration import Migration


class Death(BaseException):
    """The process ends here; what is not on disk is gone."""


class Fate:
    """Counts the moments of a run and ends it at one of them; from then on nothing is written and nothing arrives."""

    def __init__(self) -> None:
        self.moments = 0
        self.last: int | None = None

    @property
    def dead(self) -> bool:
        return self.last is not None and self.moments >= self.last

    def moment(self) -> None:
        if self.dead:
            raise Death
        self.moments += 1
        if self.dead:
            raise Death

    def live(self, last: int | None = None) -> None:
        """Begin a run that ends at its moment number `last`, or lives."""
        self.moments, self.last = 0, last

    def outlive(self, migration: Migration) -> bool:
        """Run until the end of the run or of the process; return whether it was the end of the run."""
        try:
            migration.run()
        except Death:
            return False
        except FlitError:
            return not self.dead
        return True

    def govern(self, migration: Migration) -> None:
        """Let the account's requests be moments too: one as it arrives, one after what it asked for was done."""

        def moment(operation: Operation) -> None:
            self.moment()

        migration.account.arriving = moment
        migration.account.answering = moment


@pytest.fixture
def fate(monkeypatch: pytest.MonkeyPatch) -> Fate:
    """Return a fate that governs every journal; each commit is two moments, one before it and one after."""
    found = Fate()
    commit = store.Store._commit

    def mortal_commit(self: store.Store, batch: list[tuple[Any, Future[Any]]]) -> None:
        try:
            found.moment()
        except Death as death:
            for _, future in batch:
                future.set_exception(death)
            return
        waiting: list[tuple[Any, Future[Any]]] = [(job, Future()) for job, _ in batch]
        commit(self, waiting)
        ended: Death | None = None
        try:
            found.moment()
        except Death as death:
            ended = death
        for (_, future), (_, done) in zip(batch, waiting, strict=True):
            error = ended or done.exception()
            if error is not None:
                future.set_exception(error)
            else:
                future.set_result(done.result())

    monkeypatch.setattr(store.Store, "_commit", mortal_commit)
    return found


@pytest.fixture(autouse=True)
def _quick_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out what thousands of runs need not repeat: the wait for the disk, and compiling the same spec.

    What is simulated here is the end of a process, not of the power.
    """
    connect = store._connect
    compiled: dict[str, Spec] = {}

    def impatient(path: Path) -> sqlite3.Connection:
        connection = connect(path)
        connection.execute("PRAGMA synchronous=OFF")
        return connection

    def load_once(text: str, **rest: Any) -> Spec:
        if text not in compiled:
            compiled[text] = load_spec(text, **rest)
        return compiled[text]

    monkeypatch.setattr(store, "_connect", impatient)
    monkeypatch.setattr("flitstack.stages.intake.specs.load_spec", load_once)
