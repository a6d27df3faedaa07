"""The destination in memory, to which the broken ones are compared, passes the test-kit whole."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from flitstack.testing import DestinationSuite
from flitstack.testing.kit.destination_limits import budgeted
from flitstack.testing.kit.guards import Guards
from flitstack.testing.kit.loads import typical
from flitstack.testing.kit.port import place_of
from flitstack.testing.kit.trial import trial
from flitstack.testing.simulation.memory_port import MemoryPort, SimulatedMemory, WireWriter

if TYPE_CHECKING:
    from pathlib import Path

    from flitstack.protocols import Account
    from flitstack.testing.simulation.world import World


class TestReference(DestinationSuite):
    plugin = "flitstack.testing.broken:PLUGIN"
    port = "flitstack.testing.simulation.memory_port:PORT"


class Unlimited(MemoryPort):
    """A platform that has no budget of a day."""

    def account(self, world: World) -> SimulatedMemory:
        account = super().account(world)
        account.no_budget = "its documentation states a rate alone"  # type: ignore[attr-defined]
        return account


UNLIMITED: Any = Unlimited()


def test_a_platform_without_a_daily_budget_says_who_says_so(tmp_path: Path) -> None:
    with trial(UNLIMITED, tmp_path / "trial", Guards(), typical()) as one:
        with pytest.raises(pytest.skip.Exception, match=r"does not apply: .*: its documentation states a rate alone"):
            budgeted(one)


def test_a_budget_that_is_stated_and_denied_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def stated(self: WireWriter) -> Account:
        return replace(await account(self), daily_budget=500)

    account = WireWriter.account
    monkeypatch.setattr(WireWriter, "account", stated)
    with trial(UNLIMITED, tmp_path / "trial", Guards(), typical()) as one:
        with pytest.raises(AssertionError, match="states one of 500 units"):
            budgeted(one)


def test_a_port_is_named_where_a_seed_can_be_replayed() -> None:
    assert place_of("m:PORT", "") == "m:PORT"
    assert place_of("", "pipedrive") == "flitstack_pipedrive.testing:PORT"
    assert place_of(MemoryPort(), "pipedrive") == ""
