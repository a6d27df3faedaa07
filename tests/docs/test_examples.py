"""The examples of the documentation run as they stand."""

from __future__ import annotations

import asyncio
import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING

from flitstack.clock import VirtualClock
from flitstack.registry import load_plugins
from flitstack.stages.context import StopFlag
from flitstack.stages.gates.gate import Passing
from flitstack.stages.options import RunOptions
from flitstack.stages.run import run_migration
from flitstack.testing.migration import START, Words

if TYPE_CHECKING:
    from types import ModuleType

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"


def module(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


def test_the_tiny_source_moves_its_contacts_verified(tmp_path: Path) -> None:
    import flitstack_pipedrive

    (tmp_path / "people.txt").write_text("Ada Invented;+1 555 0100\n\n;no name\nBo Invented\n", encoding="utf-8")
    registry = load_plugins([], {"tiny": module("tiny_source"), "pipedrive": flitstack_pipedrive})
    options = RunOptions(
        "tiny",
        "pipedrive",
        tmp_path / "flit.db",
        str(tmp_path / "people.txt"),
        str(EXAMPLES / "tiny-to-pipedrive.yaml.j2"),
        ("source.as_of=2026-06-30", f"dest.base_url=sandbox:{tmp_path}/account?plan=growth&seats=1"),
        Passing(unseen="test"),
    )

    report = asyncio.run(run_migration(options, Words(), StopFlag(), registry=registry, clock=VirtualClock(START)))

    assert report.status == "done"
    assert report.streams["contacts"].items() >= {"read": 4, "created": 2, "rejected": 1, "skipped": 1}.items()
    assert report.verification is not None
    assert report.verification.mismatched == 0
