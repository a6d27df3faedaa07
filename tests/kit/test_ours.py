"""Our own plugins go through the same door as a stranger's; those with a port are tried in rooms of their own."""

from __future__ import annotations

import pytest

from flitstack.testing.kit.running import run_kit


@pytest.mark.parametrize("plugin", ["dental", "sqlite"])
def test_our_sources_are_gold(plugin: str) -> None:
    said = run_kit(plugin, "gold")

    assert [one for one in said["results"] if one["outcome"] not in ("passed", "not_applicable")] == []
    assert said["reached"] == "gold"
