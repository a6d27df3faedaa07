"""Our own plugins go through the same door as a stranger's; those with a port are tried in rooms of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from flitstack.testing.kit.destination_behaviours import Binned
from flitstack.testing.kit.guards import Guards
from flitstack.testing.kit.loads import many
from flitstack.testing.kit.port import find_port
from flitstack.testing.kit.running import run_kit
from flitstack.testing.kit.trial import trial

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("plugin", ["dental", "sqlite"])
def test_our_sources_are_gold(plugin: str) -> None:
    said = run_kit(plugin, "gold")

    assert [one for one in said["results"] if one["outcome"] not in ("passed", "not_applicable")] == []
    assert said["reached"] == "gold"


@pytest.mark.parametrize("plugin", ["pipedrive", "hubspot"])
def test_our_accounts_have_a_bin_to_reach_into(tmp_path: Path, plugin: str) -> None:
    port = find_port(None, plugin)
    assert port is not None

    with trial(port, tmp_path / "trial", Guards(), many(1)) as one:
        assert isinstance(one.account, Binned), "else B9 does not apply, and nothing says what a bin keeps"
