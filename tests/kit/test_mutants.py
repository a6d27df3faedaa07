"""Mutants of Pipedrive's own plugin, derived from what it writes, are killed by the test-kit: at least 95 in a hundred.

A sixth of them are tried each time; all of them with FLITSTACK_KIT_MUTANTS=1, which takes minutes (`nox -s kit`).
"""

from __future__ import annotations

import os

from flitstack.testing.broken.derived import mutations_of
from flitstack.testing.kit.port import find_port
from flitstack.testing.kit.running import run_module

PORT = "flitstack_pipedrive.testing:PORT"
IDS = ("W1", "W7", "W12", "W11", "C5", "F8", "F7", "F3")
SHARE = 0.95
STEP = 1 if os.environ.get("FLITSTACK_KIT_MUTANTS") else 6
EQUIVALENT = ("drop file.size",)
"""Pipedrive is told no size: it counts the bytes."""


def module_of(mutations: list[str]) -> str:
    """Return a test module with a suite for each mutant."""
    lines = ["from flitstack.testing import DestinationSuite", "from flitstack.testing.broken.derived import mutated"]
    for number, mutation in enumerate(mutations):
        lines += [
            f"class Test_{number}(DestinationSuite):",
            "    plugin = 'flitstack.testing.broken:PLUGIN'",
            f"    port = mutated({PORT!r}, {mutation!r})",
        ]
    return "\n".join(lines) + "\n"


def test_mutants_of_our_own_plugin_are_killed() -> None:
    port = find_port(PORT, None)
    assert port is not None
    known = [one for one in mutations_of(port) if one not in EQUIVALENT]
    tried = known[::STEP]

    found = run_module(module_of(tried), IDS, first=True)
    killed = {int(one["suite"].removeprefix("Test_")) for one in found if one["outcome"] == "failed"}
    survivors = [mutation for number, mutation in enumerate(tried) if number not in killed]

    assert len(known) >= 50
    assert len(survivors) <= (1 - SHARE) * len(tried), survivors
