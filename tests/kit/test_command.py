"""`flit plugins test`: what it prints, what it writes, and how it ends."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from flitstack.cli import cli
from flitstack.reports.kit import kit_page, kit_result
from flitstack.testing.kit.running import reached

if TYPE_CHECKING:
    from pathlib import Path

PLUGIN = "flitstack.testing.broken:PLUGIN"
PORT = "flitstack.testing.simulation.memory_port:PORT"


def outcome(level: str, outcome: str, **more: Any) -> dict[str, Any]:
    said = {"id": "W1", "kind": "destination", "suite": "TestMine", "test": "test_one", "title": "It is.", "reason": ""}
    return {**said, "seconds": 0.1, "level": level, "outcome": outcome, **more}


def result(*tests: dict[str, Any], **more: Any) -> dict[str, Any]:
    found = {"plugin": "acme", "distribution": "flit-acme", "version": "1.0", "core": "0.1.0", "kit": 1, "only": []}
    return {**found, "asked": "gold", "reached": "silver", "seconds": 2.0, "results": list(tests), **more}


def test_it_reports_on_the_terminal_and_as_a_page(tmp_path: Path) -> None:
    page = tmp_path / "kit.html"
    args = ["plugins", "test", PLUGIN, "--port", PORT, "--level", "bronze", "--report", str(page)]
    done = CliRunner().invoke(cli, args, catch_exceptions=False)

    assert done.exit_code == 0, done.output
    assert f"{PLUGIN} is bronze." in done.output
    assert "level reached" in page.read_text("utf-8")


def test_it_prints_json_of_single_tests() -> None:
    args = ["plugins", "test", PLUGIN, "--port", PORT, "--only", "W1,W3", "--json"]
    done = CliRunner().invoke(cli, args, catch_exceptions=False)
    found = json.loads(done.stdout)

    assert done.exit_code == 0
    assert {one["id"] for one in found["results"]} == {"W1", "W3"}
    assert found["only"] == ["W1", "W3"]


def test_a_plugin_that_falls_short_ends_with_1_and_says_by_which_test(tmp_path: Path) -> None:
    file = tmp_path / "kit.json"
    port = "flitstack.testing.broken:normaliser"
    args = ["plugins", "test", PLUGIN, "--port", port, "--only", "W3,W5", "--report", str(file)]
    done = CliRunner().invoke(cli, args, catch_exceptions=False)

    assert done.exit_code == 1
    assert " W3 failed: Letters from right to left" in done.output
    assert {one["id"]: one["outcome"] for one in json.loads(file.read_text("utf-8"))["results"]} == {
        "W3": "failed",
        "W5": "passed",
    }


def test_a_plugin_that_is_not_there_is_named() -> None:
    done = CliRunner().invoke(cli, ["plugins", "test", "pipedrives"])

    assert done.exit_code == 4
    assert 'Did you mean "pipedrive"?' in done.output


@pytest.mark.parametrize(
    ("tests", "expected"),
    [
        ([("bronze", "passed"), ("silver", "passed"), ("gold", "passed")], "gold"),
        ([("bronze", "passed"), ("silver", "not_applicable"), ("gold", "failed")], "silver"),
        ([("bronze", "passed"), ("silver", "lacking"), ("gold", "passed")], "bronze"),
        ([("bronze", "waived"), ("silver", "passed")], ""),
    ],
)
def test_a_level_is_reached_when_all_of_it_passes_or_does_not_apply(
    tests: list[tuple[str, str]], expected: str
) -> None:
    assert reached([{"level": level, "outcome": came} for level, came in tests], "gold") == expected


def test_no_level_above_the_one_that_was_asked_for_is_reached() -> None:
    assert reached([{"level": "bronze", "outcome": "passed"}], "bronze") == "bronze"


def test_a_file_of_the_plugin_that_is_no_python_is_named_with_what_is_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "broken_part.py").write_text("def x(:\n", encoding="utf-8")
    lines = [
        "from flitstack.hookspecs import hookimpl",
        "from flitstack.protocols import SourcePlugin",
        "def part(*given):",
        "    import broken_part",
        "class Plugin:",
        "    @hookimpl",
        "    def flit_register_sources(self, register):",
        "        register(SourcePlugin('acme', {'type': 'object', 'properties': {}}, open=part, demo=part))",
        "PLUGIN = Plugin()",
    ]
    (tmp_path / "acme_plugin.py").write_text("\n".join(lines), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    done = CliRunner().invoke(cli, ["plugins", "test", "acme_plugin:PLUGIN", "--only", "S1", "--json"])

    assert done.exit_code == 1, done.output
    reasons = {one["reason"] for one in json.loads(done.stdout)["results"]}
    assert len(reasons) == 1
    (reason,) = reasons
    assert reason.startswith("SyntaxError: ")
    assert "broken_part.py" in reason


def test_an_id_that_no_test_has_is_named_with_those_there_are_also_among_known_ones() -> None:
    done = CliRunner().invoke(cli, ["plugins", "test", PLUGIN, "--port", PORT, "--only", "W3,ZZ9"])

    assert done.exit_code == 2
    assert "No standard test of this kind of plugin has the id ZZ9. Known: B1, B2, " in done.output
    assert "passed" not in done.output


def test_ids_may_be_written_small_and_with_blanks() -> None:
    args = ["plugins", "test", PLUGIN, "--port", PORT, "--only", " c1, c7", "--json"]
    found = json.loads(CliRunner().invoke(cli, args, catch_exceptions=False).stdout)

    assert [one["id"] for one in found["results"]] == ["C1", "C7"]
    assert found["only"] == ["C1", "C7"]


def test_an_id_above_the_level_that_was_asked_for_is_told() -> None:
    args = ["plugins", "test", PLUGIN, "--port", PORT, "--only", "C1,W3", "--level", "bronze"]
    done = CliRunner().invoke(cli, args)

    assert done.exit_code == 2
    assert "W3 belongs to silver, and only bronze was asked for." in done.output


def test_a_port_in_a_file_is_found_from_the_working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    line = "from flitstack.testing.simulation.memory_port import PORT\n"
    (tmp_path / "my_port.py").write_text(line, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    args = ["plugins", "test", PLUGIN, "--port", "my_port.py:PORT", "--only", "W3", "--json"]
    done = CliRunner().invoke(cli, args, catch_exceptions=False)

    assert [one["outcome"] for one in json.loads(done.stdout)["results"]] == ["passed"]


def test_what_several_suites_have_in_common_is_told_once() -> None:
    left = [outcome("bronze", "not_applicable", suite=suite, reason="it is one file") for suite in ("A", "B", "C")]
    found = kit_result(result(*left, outcome("bronze", "failed", suite="D")))

    assert [one.outcome for one in found.not_passed()] == ["failed", "not_applicable"]


def test_the_page_names_what_failed_and_why() -> None:
    failed = outcome("gold", "failed", reason="lost: contact <1>")
    page = kit_page(kit_result(result(outcome("bronze", "passed"), failed)))

    assert "acme is silver; gold was asked for." in page
    assert "lost: contact &lt;1&gt;" in page
