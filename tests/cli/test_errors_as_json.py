"""With `--json` every command prints one object on stdout, also when it fails: of one shape, with the same code."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click
import pytest
from click.testing import CliRunner, Result

from flitstack.cli import COMMANDS, cli
from flitstack.clock import clock_from_environment
from flitstack.errors import Fatal
from flitstack.journal import Journal
from flitstack.stages.auditlog.purge import purge

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SHAPE = {"status", "error", "exit_code", "gates", "journal"}
READING = "--source dental --dest pipedrive --input nowhere"
FAILING = {
    "run": (f"run {READING}", 2),
    "audit": ("audit --source dental --input nowhere --offline", 2),
    "map propose": ("map propose --source dental --input nowhere", 2),
    "map check": ("map check nowhere.yaml", 2),
    "map show": ("map show", 4),
    "map memory list": ("map memory list more", 2),
    "estimate": ("estimate", 2),
    "plan": (f"plan {READING}", 2),
    "sample": (f"sample {READING}", 2),
    "approve": ("approve map --by Dana", 4),
    "verify": ("verify", 4),
    "conflicts": ("conflicts", 4),
    "status": ("status --journal a-folder", 2),
    "report": ("report", 4),
    "explain": ("explain patients:1", 4),
    "rejects list": ("rejects list", 4),
    "rejects export": ("rejects export sheets", 4),
    "rejects retry": ("rejects retry sheets", 4),
    "rejects corrections": ("rejects corrections", 4),
    "journal export": ("journal export --audit audit.csv", 4),
    "journal verify": ("journal verify --head odd", 2),
    "journal purge": ("journal purge", 4),
    "rollback": ("rollback", 4),
    "probe": ("probe --dest nobody", 4),
    "plugins list": ("plugins list more", 2),
    "plugins test": ("plugins test nobody", 4),
}
"""Every command with `--json`, called in an empty folder so that it fails, and how it ends."""


def _commands() -> Iterator[tuple[str, click.Command]]:
    context = click.Context(cli)
    for name in COMMANDS:
        command = cli.get_command(context, name)
        assert command is not None
        yield from _below(name, command)


def _below(name: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
    if not isinstance(command, click.Group):
        yield name, command
        return
    for each, inner in command.commands.items():
        yield from _below(f"{name} {each}", inner)


def _has_json(command: click.Command) -> bool:
    return any("--json" in param.opts for param in command.params)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FLITSTACK_MEMORY", str(tmp_path / "memory"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a-folder").mkdir()
    return tmp_path


def flit(*words: str) -> Result:
    return CliRunner().invoke(cli, list(words), prog_name="flit")


def told(result: Result) -> dict[str, Any]:
    """Return the one object on stdout, which has an error's shape and says the code with which the command ended."""
    assert len(result.stdout.splitlines()) == 1, result.stdout
    found: dict[str, Any] = json.loads(result.stdout)
    assert set(found) == SHAPE
    assert found["exit_code"] == result.exit_code
    assert found["error"]
    return found


def test_every_command_that_takes_json_is_tried_here() -> None:
    assert {name for name, command in _commands() if _has_json(command)} == set(FAILING)


@pytest.mark.parametrize("name", FAILING)
def test_an_error_is_one_object_with_the_code_that_it_has_without_json(name: str) -> None:
    words, code = FAILING[name]

    plain, as_json = flit(*words.split()), flit(*words.split(), "--json")

    assert (plain.exit_code, as_json.exit_code) == (code, code), plain.output
    assert plain.stdout == ""
    found = told(as_json)
    assert as_json.stderr == plain.stderr
    assert found["error"].split()[0] in plain.stderr
    assert found["status"].endswith("_error")


@pytest.mark.parametrize("name", FAILING)
def test_a_line_that_is_not_understood_is_answered_in_json_too(name: str) -> None:
    result = flit(*name.split(), "--json", "--no-such-option")

    assert result.exit_code == 2
    found = told(result)
    assert found["status"] == "usage_error"
    assert "--no-such-option" in found["error"]


def test_the_journal_is_named_that_the_command_would_have_used() -> None:
    assert told(flit("report", "--json"))["journal"] == "flit.db"
    assert told(flit("report", "--json", "--journal", "other.db"))["journal"] == "other.db"
    assert told(flit("report", "--json", "--demo"))["journal"] == "flit-demo/flit.db"


def test_a_bug_is_told_as_one_without_its_text(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: object) -> None:
        raise ValueError("Zebedee")

    monkeypatch.setattr(Journal, "existing", fail)

    result = flit("report", "--json")

    assert result.exit_code == 1
    assert told(result)["status"] == "bug"
    assert "Zebedee" not in result.output


def test_what_comes_after_two_dashes_is_no_option() -> None:
    assert flit("explain", "--", "--json").stdout == ""


def test_after_a_purge_the_error_has_that_shape_too(folder: Path) -> None:
    Journal(folder / "flit.db").close()
    purge(folder / "flit.db", clock_from_environment().now().isoformat(timespec="milliseconds"), "Dana")

    assert told(flit("verify", "--json"))["status"] == "configuration_error"


@pytest.mark.parametrize(
    ("error", "status", "code"), [(Fatal("odd"), "fatal", 1), (KeyboardInterrupt(), "interrupted", 130)]
)
def test_every_kind_of_end_has_a_word(
    error: BaseException, status: str, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: object) -> None:
        raise error

    monkeypatch.setattr(Journal, "existing", fail)

    found = told(flit("report", "--json"))

    assert (found["status"], found["exit_code"]) == (status, code)


@pytest.mark.parametrize("words", ["rejects list", "rejects corrections", "map memory list"])
def test_a_list_is_an_object_as_well(words: str, folder: Path) -> None:
    Journal(folder / "flit.db").close()

    found = json.loads(flit(*words.split(), "--json").stdout)

    assert isinstance(found, dict)
    assert list(found.values()) == [[]]
