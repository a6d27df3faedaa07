"""What docs/sandbox.md shows works as shown, and it names every fault, option and table."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from click.testing import CliRunner

from flitstack_pipedrive.sandbox.app import Sandbox
from flitstack_pipedrive.sandbox.cli import sandbox as command
from flitstack_pipedrive.sandbox.cli import serve
from flitstack_pipedrive.sandbox.faults import KINDS, read_rules
from flitstack_pipedrive.sandbox.human import read_steps
from flitstack_pipedrive.sandbox.past import SECTIONS

if TYPE_CHECKING:
    from collections.abc import Callable

    from flitstack.clock import VirtualClock

PAGE = (Path(__file__).parents[2] / "docs" / "sandbox.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)
ENTRY = "from flitstack_pipedrive.sandbox.cli import sandbox; sandbox()"


@pytest.fixture
def example(tmp_path: Path) -> Callable[[str], Path]:
    """Return what writes the one example that holds a word to a file."""

    def write(word: str) -> Path:
        (text,) = [text for text in EXAMPLES if word in text]
        path = tmp_path / "example.json"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_the_page_names_every_fault_and_every_option() -> None:
    for kind, unit in KINDS.items():
        assert f"`{kind}:{unit}`" in PAGE if unit else f"`{kind}`" in PAGE
    for option in serve.params:
        assert f"`{option.opts[0]}" in PAGE


def test_the_rules_shown_are_rules(example: Callable[[str], Path]) -> None:
    assert [rule.fault.kind for rule in read_rules(example('"fault"'))] == ["drop_after", "status", "latency"]


def test_the_past_shown_can_be_lived_through_and_has_every_section(example: Callable[[str], Path]) -> None:
    path = example('"pipelines"')

    with Sandbox(past=path) as sandbox:
        state = sandbox.dump()

    assert set(json.loads(path.read_text())) == {"users", *SECTIONS}
    assert state["person"][0]["by_name"] == {"Recall": "Due"}
    assert state["deal"][0]["person_id"] == state["person"][0]["id"]
    assert [len(state[kind]) for kind in ("lead", "activity", "note", "file")] == [1, 1, 1, 1]


def test_the_steps_shown_are_steps(example: Callable[[str], Path]) -> None:
    steps = read_steps(example('"after_requests"'))

    assert [step.action for step in steps] == ["edit", "add", "delete", "edit", "deactivate"]


def test_serve_takes_a_past_a_human_and_a_log(tmp_path: Path) -> None:
    human = tmp_path / "human.json"
    human.write_text(json.dumps([{"after_requests": 1, "add": "person", "with": {"name": "Passer-by"}}]))
    options = ["serve", "--past", "practice", "--human", str(human), "--log"]
    with subprocess.Popen(
        [sys.executable, "-c", ENTRY, *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        first = json.loads(process.stdout.readline())
        headers = {"x-api-token": first["users"][0]["token"]}
        with httpx.Client(base_url=first["url"], headers=headers) as client:
            pages: list[Any] = [
                client.get("/api/v2/persons", params={"limit": 500, "sort_by": "id"}).json()["data"] for _ in range(2)
            ]
        process.terminate()
        words = process.stderr.read()

    assert [len(page) for page in pages] == [200, 201]
    assert pages[1][-1]["name"] == "Passer-by"
    assert len(re.findall(r"^\d\d:\d\d:\d\d GET /api/v2/persons 200 [\d.]+ ms$", words, re.MULTILINE)) == 2
    assert "sort_by" not in words


@pytest.mark.parametrize("option", ["--past", "--human"])
def test_a_script_that_is_not_there_is_named_and_exits_2(option: str) -> None:
    result = CliRunner().invoke(command, ["serve", option, "missing.json"])

    assert result.exit_code == 2
    assert "missing.json" in result.stderr


def test_the_clock_shown_jumps(clock: VirtualClock) -> None:
    with Sandbox(plan="lite", clock=clock) as sandbox:
        clock.advance(86_400)

        assert sandbox.account.now() == "2026-03-03T09:00:00Z"
