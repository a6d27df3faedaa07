"""The test-kit sees what it is for: each destination that is broken on purpose fails by the tests meant for it."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import pytest

from flitstack.testing.broken import BROKEN
from flitstack.testing.broken.declaring import BATCH
from flitstack.testing.kit.guards import Guards
from flitstack.testing.kit.loads import many
from flitstack.testing.kit.port import find_port
from flitstack.testing.kit.running import run_module
from flitstack.testing.kit.trial import trial

if TYPE_CHECKING:
    from pathlib import Path

AT_ONCE = 8
NAMES = sorted(BROKEN)
CHUNKS = [NAMES[start : start + AT_ONCE] for start in range(0, len(NAMES), AT_ONCE)]


def module_of(names: list[str]) -> str:
    """Return a test module with a suite for each of these."""
    lines = ["from flitstack.testing import DestinationSuite"]
    for name in names:
        lines += [
            f"class Test_{name}(DestinationSuite):",
            "    plugin = 'flitstack.testing.broken:PLUGIN'",
            f"    port = 'flitstack.testing.broken:{name}'",
        ]
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("names", CHUNKS, ids=lambda names: names[0])
def test_every_broken_destination_is_seen(names: list[str]) -> None:
    ids = [f"Test_{name}:{id_}" for name in names for id_ in BROKEN[name].killed_by]

    failed: dict[str, set[str]] = defaultdict(set)
    for one in run_module(module_of(names), ids):
        if one["outcome"] == "failed":
            failed[one["suite"].removeprefix("Test_")].add(one["id"])

    assert {name: sorted(failed[name]) for name in names} == {name: sorted(BROKEN[name].killed_by) for name in names}


def test_a_destination_that_does_all_that_it_declares_passes() -> None:
    lines = [
        "from flitstack.testing import DestinationSuite",
        "class TestAble(DestinationSuite):",
        "    plugin = 'flitstack.testing.broken:PLUGIN'",
        "    port = 'flitstack.testing.broken:ABLE'",
    ]
    found = run_module(
        "\n".join(lines) + "\n", ["C1", "W1", "W13", "L4", "L5", "R1", "F3", "B1", "B7", "B8", "B9", "B10", "W10"]
    )

    assert [one for one in found if one["outcome"] not in ("passed", "not_applicable")] == []
    assert {one["id"] for one in found if one["outcome"] == "passed"} >= {"L5", "B7", "B8", "B9", "B10"}
    assert [one["outcome"] for one in found if one["id"] == "W10"] == ["passed"] * 3


def test_no_request_of_a_long_load_is_half_empty(tmp_path: Path) -> None:
    able = find_port("flitstack.testing.broken:ABLE", None)
    assert able is not None

    with trial(able, tmp_path / "trial", Guards(), many(15 * BATCH - 1)) as one:
        report = one.finished()
        schema = sum(told.object in one.behaviours.schema_objects for told, _ in one.recording.applied)
        writes = len(one.world.wire.writes)

    assert writes == schema + 15
    assert 0 <= report.tokens.spent - report.tokens.predicted <= 1


def test_there_are_enough_of_them_and_each_says_what_is_wrong() -> None:
    assert len(BROKEN) >= 12
    assert all(one.what.endswith(".") and one.killed_by for one in BROKEN.values())
    assert len({one.what for one in BROKEN.values()}) == len(BROKEN)
