"""A load into an embedded account on a virtual clock whose connection loses answers; its server counts the tokens."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeAlias

import flitstack_pipedrive.sandbox.app as embedded
from flitstack.clock import VirtualClock
from flitstack.errors import FlitError
from flitstack.stages.context import StopFlag
from flitstack.stages.gates.gate import Passing
from flitstack.stages.options import RunOptions
from flitstack.stages.run import run_migration
from flitstack.testing.migration import Words
from flitstack_pipedrive.sandbox.faults import Fault, FaultRule, Faults

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from tests.faults.real import State

START = datetime(2026, 7, 1, 1, tzinfo=UTC)
RUNS_AT_MOST = 20
LATENCY = FaultRule(Fault("latency", 0.05))
LOSSES = (
    FaultRule(Fault("list_lag", 3.0), nth=1),
    *(
        FaultRule(fault, method, probability=0.05)
        for method in ("POST", "PATCH", "PUT", "DELETE")
        for fault in (Fault("drop_after"), Fault("status_after", 500))
    ),
    LATENCY,
)


@dataclass(frozen=True, slots=True)
class Came:
    """What a load came to.

    :param tokens: as the account counted them, over all runs. :param runs: how often the command was given.
    :param requests: method and path of each, in order.
    """

    state: State
    tokens: int
    spent: int
    runs: int
    report: dict[str, Any]
    requests: list[tuple[str, str]]

    @property
    def writes(self) -> int:
        """Return how many requests were no reading."""
        return sum(method != "GET" for method, _ in self.requests)


class Lossy:
    """One export, one journal, one embedded account that outlives the runs, one virtual clock.

    :param rules: what goes wrong in the next run. :param left_today: tokens that the account has left at its start.
    """

    def __init__(self, folder: Path, export: Path, rules: Sequence[FaultRule] = (), seed: int = 0) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._export = export
        self._seed = seed
        self.rules = tuple(rules)
        self.left_today: int | None = None
        self.clock = VirtualClock(START)
        self.sets: tuple[str, ...] = ("profile=full",)
        self.requests: list[tuple[str, str]] = []
        self.words = Words()
        self.runs = 0
        path = str(folder / "account.db")
        self.account = embedded.Sandbox(path, plan="ultimate", seats=5, clock=self.clock, log=self._noted)

    def close(self) -> None:
        """Close the account's file."""
        self.account.close()

    @contextmanager
    def _served(self) -> Iterator[None]:
        """Let the account go wrong as the rules say, and let the plugin open it in the place of another one."""
        self.account.front.faults = Faults(self.rules, self._seed + self.runs)
        if self.left_today is not None:
            self.account.limits._new_day()
            self.account.limits.used = self.account.limits.daily_limit - self.left_today
        plain = embedded.Sandbox
        embedded.Sandbox = lambda *_, **__: _Lent(self.account)  # type: ignore[assignment,misc]
        try:
            yield
        finally:
            embedded.Sandbox = plain  # type: ignore[misc]

    def _noted(self, line: str) -> None:
        _, method, path, *_ = line.split()
        self.requests.append((method, path))

    def state(self) -> State:
        """Return what the account holds."""
        return self.account.canonical()

    def renew_token(self) -> str:
        """Give the first admin another token, as an account's settings page does, and return it."""
        old = str(self.account.users[0]["token"])
        new = old[::-1]
        with closing(sqlite3.connect(self._folder / "account.db")) as db, db:
            assert db.execute("UPDATE user SET token = ? WHERE token = ?", (new, old)).rowcount == 1
        self.account.restart()
        return new

    def attempt(self) -> None:
        """Run once, however it ends."""
        with suppress(FlitError):
            self.run()

    def run(self, code: int = 0) -> dict[str, Any]:
        """Run once and return the report, which ends with this exit code.

        :raises FlitError: what stopped it.
        """
        self.runs += 1
        settings = (*self.sets, f"dest.base_url=sandbox:{self._folder / 'account.db'}?plan=ultimate&seats=5")
        options = RunOptions(
            "dental", "pipedrive", self._folder / "flit.db", str(self._export), None, settings, Passing(unseen="test")
        )
        with self._served():
            report = asyncio.run(run_migration(options, self.words, StopFlag(), clock=self.clock))
        assert report.exit_code == code, report.as_json()
        return report.as_json()

    def until_done(self) -> Came:
        """Give the same command until it ends well."""
        for number in range(1, RUNS_AT_MOST + 1):
            try:
                report = self.run()
            except FlitError as exc:
                if exc.exit_code != 5:
                    raise
                self.clock.advance(60.0)
                continue
            return Came(
                self.state(), self.account.tokens_used, report["tokens"]["spent"], number, report, list(self.requests)
            )
        raise AssertionError("it never ends")


Opens: TypeAlias = Callable[..., Lossy]
"""Opens a load, with the arguments of `Lossy`."""


@contextmanager
def closing_all() -> Iterator[Opens]:
    """Yield what opens loads; leave with their accounts closed."""
    with ExitStack() as opened:

        def open_one(*arguments: Any, **more: Any) -> Lossy:
            made = Lossy(*arguments, **more)
            opened.callback(made.close)
            return made

        yield open_one


class _Lent:
    """An account that stays open when the run that used it is over."""

    def __init__(self, account: embedded.Sandbox) -> None:
        self.app = account.app
        self.users = account.users

    def close(self) -> None:
        """Stay open."""
