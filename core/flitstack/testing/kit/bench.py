"""What all parts of the suite of destinations stand on: the destination under test, its port, and trials."""

from __future__ import annotations

import os
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import pytest

from flitstack.protocols import DestinationPlugin
from flitstack.testing.kit.common import PluginSuite
from flitstack.testing.kit.port import find_port
from flitstack.testing.kit.suite import does_not_apply, lacking
from flitstack.testing.kit.trial import Trial
from flitstack.testing.simulation.walk import MEMORY_FOLDER

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flitstack.registry import Plugin
    from flitstack.testing.kit.guards import Guards
    from flitstack.testing.kit.port import Port
    from flitstack.testing.simulation.exports import Rows

PLACES_VARIABLE = "FLITSTACK_KIT_PLACES"
SEEDS_VARIABLE = "FLITSTACK_KIT_SEEDS"
PLACES, SEEDS = 3, 10


class Bench(Protocol):
    """Opens trials, and lets them go when the test is over."""

    def __call__(self, rows: Rows, **scenario: Any) -> Trial:
        """Return a trial of these rows in which these things strike: fields of `Scenario`."""
        ...


class DestinationBench(PluginSuite):
    """Base of the parts.

    :cvar port: `MODULE:NAME`, or the object; left out, it is the entry point of the plugin's name in the group
        `flitstack.testing`.
    :cvar destination: its name, for a plugin that registers several.
    """

    kind: ClassVar[str] = "destination"
    port: ClassVar[Any] = None
    destination: ClassVar[str] = ""

    @pytest.fixture
    def offered(self, loaded: Plugin) -> DestinationPlugin:
        """Give the destination as it was registered."""
        found = [thing for thing in loaded.registered if isinstance(thing, DestinationPlugin)]
        found = [thing for thing in found if self.destination in ("", thing.name)]
        if len(found) != 1:
            pytest.fail(f"{loaded.title} registers {len(found)} destinations of that name: set `destination`.")
        return found[0]

    @pytest.fixture
    def simulated(self) -> Port:
        """Give the port; leave the test out without one."""
        port = find_port(self.port, self.plugin)
        if port is None:
            lacking("a port (docs/testkit.md), so there is no account to try it on")
        return port

    @pytest.fixture
    def bench(self, simulated: Port, guards: Guards) -> Iterator[Bench]:
        """Give what opens trials, each with a new account; they live in memory, where a commit waits for no disk."""
        memory = MEMORY_FOLDER if MEMORY_FOLDER.is_dir() else None
        with ExitStack() as stack, TemporaryDirectory(prefix="flit-kit-", dir=memory) as folder:
            numbers = iter(range(10**6))

            def open_(rows: Rows, **scenario: Any) -> Trial:
                opened = Trial(simulated, Path(folder) / str(next(numbers)), guards, rows, **scenario)
                stack.callback(opened.close)
                return opened

            yield open_

    def places(self, count: int) -> list[int]:
        """Return at which of so many numbers, counted from 1, a fault is tried: at all of them where asked for."""
        most = int(os.environ.get(PLACES_VARIABLE, PLACES))
        if count <= most:
            return list(range(1, count + 1))
        return sorted({1 + round(step * (count - 1) / (most - 1)) for step in range(most)})

    def seeds(self) -> range:
        """Return which random scenarios are tried."""
        return range(int(os.environ.get(SEEDS_VARIABLE, SEEDS)))


def need_kind(trial: Trial, kind: str, *fields: str) -> None:
    """Leave a test out when the port's account does not hold such records, or not these fields of them."""
    if kind not in trial.holds:
        does_not_apply(f"it holds no {kind}")
    for name in fields:
        if name not in trial.holds[kind]:
            does_not_apply(f"it does not hold {name} of a {kind}")


def key(stream: str, one: str) -> str:
    """Return the source key of a record of the simulated source."""
    return f"memory:{stream}:{one}"
