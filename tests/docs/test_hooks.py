"""Every hook has an example on its page, and all of them work together as they stand: guests become cards."""

from __future__ import annotations

import asyncio
import importlib.util
import json
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from flitstack.clock import VirtualClock
from flitstack.registry import load_plugins
from flitstack.stages.context import StopFlag
from flitstack.stages.gates.gate import Passing
from flitstack.stages.options import RunOptions
from flitstack.stages.run import run_migration
from flitstack.testing.migration import START, Words

if TYPE_CHECKING:
    from types import ModuleType

    from flitstack.stages.report import RunReport

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples" / "hooks"
GUESTS = "no,name,phone\n1,Ada Invented,+1 555 0100\n,Nobody,\n2,Bo Invented,\n"


def example(name: str) -> ModuleType:
    """Return an example as a fresh module, with nothing left over from an earlier run."""
    spec = importlib.util.spec_from_file_location(f"example_{name}", EXAMPLES / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


@pytest.fixture
def plugins() -> dict[str, Any]:
    """Return every example by its name."""
    return {path.stem: example(path.stem) for path in sorted(EXAMPLES.glob("*.py"))}


def move(folder: Path, plugins: dict[str, Any], guests: str = GUESTS) -> RunReport:
    """Move a guest list with all examples loaded."""
    (folder / "guests.csv").write_text(guests, encoding="utf-8")
    options = RunOptions(
        "guests",
        "cards",
        folder / "flit.db",
        str(folder / "guests.csv"),
        None,
        ("source.as_of=2026-06-30", f"dest.file={folder / 'cards.json'}"),
        Passing(unseen="test"),
    )
    registry = load_plugins([], plugins)
    assert registry.broken == ()
    return asyncio.run(run_migration(options, Words(), StopFlag(), registry=registry, clock=VirtualClock(START)))


def test_the_examples_move_guests_onto_cards_verified(tmp_path: Path, plugins: dict[str, Any]) -> None:
    report = move(tmp_path, plugins)

    cards = json.loads((tmp_path / "cards.json").read_text(encoding="utf-8"))
    assert [card["fields"] for card in cards.values()] == [
        {"title": "Ada Invented", "corner": "AI", "text": "+1 555 0100"},
        {"title": "Bo Invented", "corner": "BI"},
    ]
    assert report.streams["guests"].items() >= {"read": 3, "created": 2, "rejected": 1}.items()
    assert report.verification is not None
    assert report.verification.mismatched == 0


def test_the_observers_saw_the_run(tmp_path: Path, plugins: dict[str, Any]) -> None:
    move(tmp_path, plugins)

    seen = SimpleNamespace(**plugins)
    assert [line.partition(": ")[2] for line in seen.run_started.BOARD] == ["guests to cards"]
    assert seen.operation_finished.TALLY == {("create", "card", True): 2}
    assert seen.record_rejected.PLACES == ["guests.csv line 3: no_number"]
    assert seen.run_finished.ENDINGS == ["done"]


def test_a_second_run_of_the_examples_writes_nothing_and_a_changed_guest_one_card(
    tmp_path: Path, plugins: dict[str, Any]
) -> None:
    move(tmp_path, plugins)
    plugins["operation_finished"].TALLY.clear()

    move(tmp_path, plugins)
    assert plugins["operation_finished"].TALLY == {}

    move(tmp_path, plugins, GUESTS.replace("0100", "0199"))
    assert plugins["operation_finished"].TALLY == {("update", "card", True): 1}


def test_the_validator_of_the_examples_counts_guests_without_a_phone(tmp_path: Path, plugins: dict[str, Any]) -> None:
    from flitstack.protocols import Record, Where

    rows = [Record("guests", id_, {"phone": phone}, Where("f", 1)) for id_, phone in (("1", "5"), ("2", None))]
    (validator,) = load_plugins([], plugins).validators("guests")

    (finding,) = validator.check(SimpleNamespace(records=lambda stream: iter(rows)))

    assert (finding.code, finding.count, finding.keys) == ("no_phone", 1, ("2",))


def test_the_proposer_of_the_examples_knows_its_headers(plugins: dict[str, Any]) -> None:
    from flitstack.protocols import Question, SampledColumn, SampledFile, Target

    (proposer,) = load_plugins([], plugins).proposers("anything")
    file = SampledFile("f.csv", (SampledColumn("Familia nomo"), SampledColumn("Alia")))

    said = proposer.propose(Question("anything", file, "people", (Target("people", "last_name"),)))

    assert {column: [c.target for c in found] for column, found in said.items()} == {
        "Familia nomo": ["people.last_name"]
    }
