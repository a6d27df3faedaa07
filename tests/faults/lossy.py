"""A load into an embedded account on a virtual clock whose connection loses answers; its server counts the tokens."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import flitstack_pipedrive.sandbox.app as embedded
from flitstack.clock import VirtualClock
from flitstack.errors import FlitError
from flitstack.stages.context import StopFlag
from flitstack.stages.gates import Passing
from flitstack.stages.options import RunOptions
from flitstack.stages.run import run_migration
from flitstack.testing.migration import Words
from flitstack_pipedrive.sandbox.faults import Fault, FaultRule

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
    """One export, one journal, one embedded account, one virtual clock; a new account object for each run."""

    def __init__(self, folder: Path, export: Path, rules: Sequence[FaultRule] = (), seed: int = 0) -> None:
        self._folder = folder
        self._export = export
        self.rules = tuple(rules)
        self._seed = seed
        self.clock = VirtualClock(START)
        self.sets: tuple[str, ...] = ("profile=full",)
        self.left_today: int | None = None
        self.requests: list[tuple[str, str]] = []
        self.opened: list[embedded.Sandbox] = []
        self.words = Words()
        folder.mkdir(parents=True, exist_ok=True)

    @property
    def account(self) -> Path:
        """The account's file."""
        return self._folder / "account.db"

    @contextmanager
    def _served(self) -> Iterator[None]:
        """Let the account that the plugin opens go wrong as the rules say."""
        plain = embedded.Sandbox

        def opened(path: str, **settings: Any) -> embedded.Sandbox:
            made = plain(path, faults=self.rules, seed=self._seed + len(self.opened), log=self._noted, **settings)
            if self.left_today is not None:
                made.limits._new_day()
                made.limits.used = made.limits.daily_limit - self.left_today
            self.opened.append(made)
            return made

        embedded.Sandbox = opened  # type: ignore[assignment,misc]
        try:
            yield
        finally:
            embedded.Sandbox = plain  # type: ignore[misc]

    def _noted(self, line: str) -> None:
        _, method, path, *_ = line.split()
        self.requests.append((method, path))

    def state(self) -> State:
        """Return what the account holds."""
        with embedded.Sandbox(str(self.account), plan="ultimate", seats=5, clock=self.clock) as sandbox:
            return sandbox.canonical()

    def renew_token(self) -> str:
        """Give the first admin another token, as an account's settings page does, and return it."""
        with embedded.Sandbox(str(self.account), plan="ultimate", seats=5, clock=self.clock) as sandbox:
            old = str(sandbox.users[0]["token"])
        new = old[::-1]
        with closing(sqlite3.connect(self.account)) as db, db:
            assert db.execute("UPDATE user SET token = ? WHERE token = ?", (new, old)).rowcount == 1
        return new

    def attempt(self) -> None:
        """Run once, however it ends."""
        with suppress(FlitError):
            self.run()

    def run(self, code: int = 0) -> dict[str, Any]:
        """Run once and return the report, which ends with this exit code.

        :raises FlitError: what stopped it.
        """
        settings = (*self.sets, f"dest.base_url=sandbox:{self.account}?plan=ultimate&seats=5")
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
            tokens = self.opened[-1].tokens_used
            return Came(self.state(), tokens, report["tokens"]["spent"], number, report, list(self.requests))
        raise AssertionError("it never ends")
