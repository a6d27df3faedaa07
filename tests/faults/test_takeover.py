"""Two processes, one journal: the second is refused, the dead one's place is taken; and clocks and answers that lie."""

from __future__ import annotations

import signal
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from tests.faults.real import Load, Rule, Server, State, difference, write_export

from flitstack.journal import Journal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

SETTINGS = ("profile=full", "dest.list_lag_s=0.2")
SLOW: Rule = {"method": "POST", "fault": "latency:0.04"}


@dataclass(frozen=True, slots=True)
class Calm:
    """A small export, what it comes to, and how many requests that takes."""

    export: Path
    state: State
    requests: int


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory) -> Calm:
    """Return what a load that nobody disturbs comes to."""
    folder = tmp_path_factory.mktemp("calm")
    write_export(folder / "export", 4, seed=5)
    server = Server(folder)
    server.start()
    try:
        done = Load(folder, folder / "export", server).run()
        assert done.code == 0, done.err
        return Calm(folder / "export", server.canonical(), len(server.seen))
    finally:
        server.stop()


@pytest.fixture
def load(tmp_path: Path, calm: Calm) -> Iterator[Callable[..., Load]]:
    """Return `load(*rules, settings=...)`: a migration into an account of its own, served."""
    servers: list[Server] = []

    def loading(*rules: Rule, settings: tuple[str, ...] = SETTINGS) -> Load:
        server = Server(tmp_path / "account", list(rules))
        server.start()
        servers.append(server)
        return Load(tmp_path, calm.export, server, settings)

    yield loading
    for server in servers:
        server.stop()


def test_a_second_runner_is_refused_until_the_first_is_dead_and_then_takes_its_place(
    load: Callable[..., Load], calm: Calm
) -> None:
    migration = load(SLOW)
    holder, server = migration.start(), migration.server
    assert not holder.ended_before(server, calm.requests // 3)
    holder.process.send_signal(signal.SIGSTOP)  # it neither works nor dies
    time.sleep(0.2)
    seen = len(server.seen)

    refused = migration.run()

    assert refused.code == 5
    assert "another run is writing to this journal" in refused.err
    assert refused.report["status"] == "journal_error"
    assert len(server.seen) == seen
    holder.process.send_signal(signal.SIGCONT)
    assert not holder.ended_before(server, seen + 5), "the first is not disturbed"
    assert holder.kill().code == -signal.SIGKILL
    heir = migration.run()
    assert heir.code == 0, heir.err
    assert difference(server.canonical(), calm.state) == {}


def test_a_machine_whose_clock_jumps_between_kills_loses_nothing(load: Callable[..., Load], calm: Calm) -> None:
    migration = load(SLOW)
    for number, now in enumerate(("2026-07-01T10:00:00Z", "2026-09-30T03:00:00Z", "2026-05-02T23:59:00Z"), 1):
        migration.now = now
        life = migration.start()
        assert not life.ended_before(migration.server, len(migration.server.seen) + calm.requests * number // 8)
        life.kill()

    migration.now = "2026-06-15T12:00:00Z"
    done = migration.run()

    assert done.code == 0, done.err
    assert difference(migration.server.canonical(), calm.state) == {}
    with Journal.existing(migration.journal) as journal:
        assert journal.audit.broken_at() is None


def test_an_answer_that_comes_after_we_gave_it_up_is_found(load: Callable[..., Load], calm: Calm) -> None:
    """The write is carried out a second after its sender stopped waiting, within the declared lag."""
    late: Rule = {"method": "POST", "fault": "latency:1.2", "nth": 80}
    migration = load(late, settings=("profile=full", "dest.list_lag_s=1.2", "dest.timeout_s=0.6"))

    done = migration.run()

    assert done.code == 0, done.err
    assert difference(migration.server.canonical(), calm.state) == {}
    assert "had no answer" in done.err


def test_an_answer_in_drops_is_waited_for(load: Callable[..., Load], calm: Calm) -> None:
    migration = load({"method": "POST", "fault": "drip:1", "every": 50})

    done = migration.run()

    assert done.code == 0, done.err
    assert difference(migration.server.canonical(), calm.state) == {}
