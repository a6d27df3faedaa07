"""The parts of a simulation: time, fate, commits, the oracle, the shrinking of what fails, and the command."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from flitstack.errors import UsageError
from flitstack.testing.simulation.__main__ import main
from flitstack.testing.simulation.campaign import explain
from flitstack.testing.simulation.fate import Death, Fate
from flitstack.testing.simulation.loop import LoopClock, StandstillError, VirtualLoop
from flitstack.testing.simulation.memory_port import MemoryPort
from flitstack.testing.simulation.oracle import differences, expected, held
from flitstack.testing.simulation.port import EVERYTHING, load_port
from flitstack.testing.simulation.scenario import Scenario, scenario_of
from flitstack.testing.simulation.shrink import shrink
from flitstack.testing.simulation.walk import simulate

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flitstack.testing.simulation.exports import Rows

BROKEN = f"{Path(__file__).parent / 'variants.py'}:retry_on_timeout"
DAY_S = 86_400.0


def test_a_day_passes_in_no_time_and_in_order() -> None:
    loop, woken = VirtualLoop(), list[tuple[float, str]]()

    async def sleeper(name: str, seconds: float) -> None:
        await LoopClock(loop).sleep(seconds)
        woken.append((loop.time(), name))

    async def both() -> None:
        await asyncio.gather(sleeper("late", DAY_S), sleeper("early", 1.0))

    loop.run_until_complete(both())
    loop.close()

    assert [(round(at), name) for at, name in woken] == [(1, "early"), (86_400, "late")]


def test_a_world_in_which_nothing_is_due_is_told_at_once() -> None:
    loop = VirtualLoop()

    with pytest.raises(StandstillError):
        loop.run_until_complete(asyncio.Event().wait())

    loop.close()


def test_a_jump_moves_the_wall_time_alone() -> None:
    loop = VirtualLoop()
    clock = LoopClock(loop)
    before, monotonic = clock.now(), clock.monotonic()

    clock.jump(-3600.0)

    loop.close()
    assert (before - clock.now()).total_seconds() == 3600
    assert clock.monotonic() == monotonic


def test_a_process_that_ended_does_nothing_more() -> None:
    async def live() -> Fate:
        fate = Fate([2])
        fate.begin()
        fate.moment("first")
        for _ in range(2):
            with pytest.raises(Death):
                fate.moment("second")
        fate.begin()
        fate.moment("of the next process")
        return fate

    assert asyncio.run(live()).died == ["second"]


def test_a_seed_goes_the_same_way_every_time(memory: str, pipedrive: str) -> None:
    for port in (memory, pipedrive):
        first, second = (simulate(scenario_of(7), load_port(port)) for _ in range(2))

        assert first.trace == second.trace
        assert (first.requests, first.seconds) == (second.requests, second.seconds)


def test_what_is_expected_leaves_out_what_cannot_move() -> None:
    rows: Rows = {
        "companies": {"1": {"name": None, "main_id": None, "partner_id": None}},
        "contacts": {
            "1": {"name": "A", "phone": None, "status": None, "company_id": "1", "boss_id": "2", "staff_id": None},
            "2": {"name": "B", "phone": "1", "status": "inactive", "company_id": None, "boss_id": None,
                  "staff_id": None},
        },
        "visits": {"v1": {"contact_id": "2", "kind": "call", "note": "x"}},
    }  # fmt: skip

    found = expected(Scenario(1, (rows,)), 1)

    assert [(one.kind, one.name) for one in found] == [("contact", "memory:contacts:1")]
    assert dict(found[0].values) == {"name": "A", "@owner": "admin@example.org"}


def test_every_way_to_be_wrong_has_a_name() -> None:
    wanted = [held("contact", str(n), {"name": "A", "@boss": "9"}) for n in range(4)]
    there = [
        wanted[0],
        wanted[0],
        held("contact", "1", {"name": "B", "@boss": "9"}),
        held("contact", "2", {"name": "A", "@boss": "8"}),
        held("contact", "5", {}),
    ]

    assert differences(wanted, there) == [
        "duplicate: contact 0 is there 2 times",
        "wrong field: contact 1, name",
        "wrong link: contact 2, @boss",
        "lost: contact 3",
        "not wanted: contact 5 is there",
    ]


def test_a_failing_scenario_is_made_smaller_while_it_fails() -> None:
    whole = replace(scenario_of(3), faults={3: "late", 7: "lost", 9: "drip"}, deaths=(5, 6))

    smallest = shrink(whole, lambda one: one.faults.get(7) == "lost")

    assert smallest.faults == {7: "lost"}
    assert smallest.deaths == ()
    assert not any(found for rows in smallest.exports for found in rows.values())


def test_a_failing_seed_is_told_with_the_command_that_replays_it(memory: str) -> None:
    run = CliRunner().invoke(main, ["--seeds", "3", "--workers", "1", "--broken", BROKEN])

    assert run.exit_code == 1
    assert f"--port {memory} --seeds " in run.output
    assert "Made smaller, it still fails:" in run.output
    assert "=> duplicate: " in run.output


def test_a_seed_without_a_fault_is_told_as_such(memory: str) -> None:
    assert explain(memory, 0) == "seed 0: nothing wrong."


def test_the_command_adds_up_what_the_processes_found() -> None:
    run = CliRunner().invoke(main, ["--seeds", "0:30", "--workers", "2"])

    assert run.exit_code == 0
    assert "| **all** | 30 |" in run.output
    assert "30 seeds, 0 failed" in run.output


@pytest.mark.parametrize("seeds", ["x", "5:5", "1:x"])
def test_seeds_that_are_none_are_refused(seeds: str) -> None:
    run = CliRunner().invoke(main, ["--seeds", seeds])

    assert run.exit_code == 2
    assert "--seeds" in run.output


def test_a_port_that_is_not_there_is_named() -> None:
    with pytest.raises(UsageError, match="nowhere:PORT: no port here"):
        load_port("nowhere:PORT")

    assert CliRunner().invoke(main, ["--port", "nowhere.py:PORT", "--seeds", "1"]).exit_code == 1


class Bossless(MemoryPort):
    """A destination that has no place for a contact's boss, and says so."""

    template = MemoryPort.template.replace("      boss: {object: contact, stream: contacts, id: contact.boss_id}\n", "")
    holds: Mapping[str, Sequence[str]] = {
        kind: [name for name in names if name != "@boss"] for kind, names in EVERYTHING.items()
    }


def test_a_port_that_holds_less_is_compared_in_what_it_holds() -> None:
    linked = next(
        scenario for scenario in map(scenario_of, range(50))
        if any(row["boss_id"] in scenario.exports[0]["contacts"] for row in scenario.exports[0]["contacts"].values())
    )  # fmt: skip

    port: Any = Bossless()
    assert simulate(linked, port).wrongs == []
    port.holds = EVERYTHING
    assert any("@boss" in wrong for wrong in simulate(linked, port).wrongs)
