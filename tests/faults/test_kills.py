"""SIGKILL at random moments of real runs over HTTP: whatever was under way, the account ends as if nobody had killed.

`FLITSTACK_KILLS=200` kills so often, in rounds of ten; `FLITSTACK_KILLS_SEED=N` draws other moments. A round draws its
moments from its own seed, so one that fails is repeated with the command its message gives; `-rP` shows where each
round's kills landed.
"""

from __future__ import annotations

import os
import random
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from tests.faults.real import Load, Server, difference, stage_of, write_export

from flitstack.journal import BUCKETS, Journal

if TYPE_CHECKING:
    from pathlib import Path

    from tests.faults.real import Ended, State

KILLS = int(os.environ.get("FLITSTACK_KILLS", "6"))
SEED = int(os.environ.get("FLITSTACK_KILLS_SEED", "1"))
KILLS_A_ROUND = min(KILLS, 10)
PATIENTS = 40 if KILLS > 10 else 6
ROUNDS = [SEED * 1000 + number for number in range(KILLS // KILLS_A_ROUND)]
LAG = {"fault": "list_lag:0.1", "nth": 1}
SLOW = {"method": "POST", "fault": "latency:0.02"}
BY_TIME, AT_UPLOADS, WITH_SERVER = 0.35, 0.15, 0.25
UPLOADS = "/files"
NOT_TOLD_BY_A_RUN = {"created", "updated", "unchanged"}


@dataclass(frozen=True, slots=True)
class Calm:
    """What a load that nobody disturbs comes to.

    :param seconds: how long it takes. :param requests: how many requests.
    """

    export: Path
    state: State
    report: dict[str, Any]
    seconds: float
    requests: int


@dataclass(slots=True)
class Round:
    """One round of kills, each at a moment drawn from the round's seed."""

    folder: Path
    calm: Calm
    seed: int
    kills: int
    chance: random.Random = field(init=False)
    killed: Counter[str] = field(default_factory=Counter)
    server_kills: int = 0
    loads: int = 0

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)  # noqa: S311 - a repeatable choice, no secret

    def play(self) -> None:
        """Load after load until so many runs were killed; each load is finished, looked at, and run once more."""
        while self.killed.total() < self.kills:
            self.loads += 1
            folder = self.folder / f"load-{self.loads}"
            server = Server(folder, [LAG, SLOW])
            server.start()
            try:
                self._load(Load(folder, self.calm.export, server))
            finally:
                server.stop()

    def _load(self, load: Load) -> None:
        for _ in range(self.chance.randint(4, 8)):
            if self.killed.total() == self.kills or self._ends_alive(load):
                break
        self._check(load, load.run())

    def _ends_alive(self, load: Load) -> bool:
        """Run and kill at a drawn moment: of time, or of requests; return whether the run was at its end before."""
        server = load.server
        before = len(server.seen)
        life = load.start()
        drawn = self.chance.random()
        if drawn < BY_TIME:
            ended = life.ended_within(self.chance.uniform(0.05, self.calm.seconds))
        elif drawn < BY_TIME + AT_UPLOADS:
            uploads = sum(path.endswith(UPLOADS) for _, path, _ in server.seen)
            ended = life.ended_before(server, uploads + self.chance.randint(1, 12), UPLOADS)
        else:
            ended = life.ended_before(server, before + self.chance.randint(1, max(2, self.calm.requests // 2)))
        if not ended and self.chance.random() < WITH_SERVER:
            server.restart()  # the account's process dies first, in the middle of requests
            self.server_kills += 1
            ended = life.ended_within(self.chance.uniform(0.0, 0.3))
        if ended:
            return life.end().code == 0
        life.kill()
        self.killed[stage_of(server.seen[before:])] += 1
        return False

    def _check(self, load: Load, done: Ended) -> None:
        replay = f"FLITSTACK_KILLS={KILLS} FLITSTACK_KILLS_SEED={SEED} pytest tests/faults/test_kills.py -k {self.seed}"
        words = f"seed {self.seed}, load {self.loads}, in {load.folder}; to replay: {replay}\n{done.err}"
        assert done.code == 0, words
        assert difference(load.server.canonical(), self.calm.state) == {}, words
        with Journal.existing(load.journal) as journal:
            assert journal.audit.broken_at() is None, words
            assert journal.operations.count("in_doubt", "intended", "planned", "blocked") == 0, words
        held, written = load.server.dump(), len(load.server.writes)

        again = load.run()

        assert again.code == 0, words
        assert len(load.server.writes) == written, f"a further run wrote: {words}"
        assert load.server.dump() == held, words
        assert partition(again.report) == partition(self.calm.report), words


def partition(report: dict[str, Any]) -> dict[str, dict[str, int]]:
    """Return the buckets of each stream, which add up to what was read; what was written by which run is left open."""
    found: dict[str, dict[str, int]] = {}
    for stream, counts in report["streams"].items():
        assert sum(counts[bucket] for bucket in BUCKETS) == counts["read"], stream
        here = {bucket: counts[bucket] for bucket in BUCKETS if bucket not in NOT_TOLD_BY_A_RUN}
        found[stream] = {**here, "there": sum(counts[bucket] for bucket in NOT_TOLD_BY_A_RUN)}
    return found


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory) -> Calm:
    """Return what a load that nobody disturbs comes to."""
    folder = tmp_path_factory.mktemp("calm")
    write_export(folder / "export", PATIENTS, seed=5)
    server = Server(folder / "account", [LAG, SLOW])
    server.start()
    try:
        began = time.monotonic()
        done = Load(folder, folder / "export", server).run()
        took = time.monotonic() - began
        assert done.code == 0, done.err
        calm = Calm(folder / "export", server.canonical(), done.report, took, len(server.seen))
    finally:
        server.stop()
    assert sum(len(calm.state[name]) for name in ("person", "deal", "activity", "note", "file")) > PATIENTS * 5
    assert len(calm.state["file"]) > PATIENTS // 3
    return calm


@pytest.mark.parametrize("seed", ROUNDS)
def test_killed_runs_leave_neither_gap_nor_double(tmp_path: Path, calm: Calm, seed: int) -> None:
    game = Round(tmp_path, calm, seed, KILLS_A_ROUND)

    game.play()

    assert game.killed.total() == KILLS_A_ROUND
    landed = ", ".join(f"{count} {stage}" for stage, count in sorted(game.killed.items()))
    sys.stdout.write(f"seed {seed}: kills {landed}; {game.server_kills} of the server; {game.loads} loads\n")
