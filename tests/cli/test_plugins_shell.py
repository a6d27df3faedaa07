"""The top command: what it lists without importing it, and how every ending becomes a message and an exit code."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from flitstack.cli import COMMANDS, cli

if TYPE_CHECKING:
    from collections.abc import Callable

HEAVY = {
    "difflib",
    "email",
    "flitstack_dental",
    "flitstack_pipedrive",
    "httpx",
    "importlib.metadata",
    "jinja2",
    "json",
    "jsonschema",
    "jsonschema_rs",
    "phonenumbers",
    "pluggy",
    "rich",
    "sqlite3",
    "sqlite_utils",
    "starlette",
    "uvicorn",
    "yaml",
}

BARN = """
    import asyncio, os, sys
    import click
    from flitstack.errors import ApprovalNeeded, AuthError

    @click.command()
    @click.argument("ending")
    def barn(ending):
        if ending == "returns":
            return 6
        if ending == "approval":
            raise ApprovalNeeded("A gate is open: profile.")
        if ending == "tasks":
            asyncio.run(two_tasks())
        if ending == "full":
            with open("/dev/full", "wb", buffering=0) as full:
                full.write(b"x")
        if ending == "interrupt":
            raise KeyboardInterrupt
        if ending == "bug":
            try:
                {}["Rosalind"]
            except KeyError as exc:
                raise ValueError("Rosalind Franklin, 1920-07-25") from exc

    async def fail():
        raise AuthError("The token is refused.")

    async def two_tasks():
        async with asyncio.TaskGroup() as group:
            group.create_task(fail())
"""


@pytest.fixture
def barn(install: Callable[..., None]) -> None:
    install("barn-flit", {"barn": "barn_flit:barn"}, group="flitstack.commands", barn_flit=BARN)


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys\nfrom flitstack.cli import cli\n"
        "try:\n    cli(['--help'])\nexcept SystemExit as done:\n    assert done.code == 0\n"
        "print(' '.join(sys.modules), file=sys.stderr)"
    )

    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    modules = result.stderr.split()
    imported = {*modules, *(name.partition(".")[0] for name in modules)}
    assert "click" in imported
    assert imported & HEAVY == set()
    assert "flitstack.errors" in result.stderr.split()


def test_help_names_every_command_and_who_brings_it(barn: None) -> None:
    result = CliRunner().invoke(cli, ["--help"])

    assert result.exit_code == 0
    for name, command in COMMANDS.items():
        assert f"{name} " in result.stdout
        assert command.help in result.stdout
    assert "From the distribution barn-flit." in result.stdout


def test_a_misspelt_command_is_answered_with_the_nearest() -> None:
    result = CliRunner().invoke(cli, ["pluggins"])

    assert result.exit_code == 2
    assert 'No such command "pluggins". Did you mean "plugins"?' in result.stderr


def test_a_plugins_command_with_the_name_of_cores_own_is_hidden_with_a_warning(install: Callable[..., None]) -> None:
    install("sly-flit", {"plugins": "sly_flit:plugins"}, group="flitstack.commands", sly_flit="1 / 0")

    helped = CliRunner().invoke(cli, ["--help"])
    called = CliRunner().invoke(cli, ["plugins", "--help"])

    assert 'the command "plugins" of the distribution sly-flit is hidden by flit\'s own' in helped.stderr
    assert called.exit_code == 0
    assert "flit plugins list" in called.stdout


@pytest.mark.parametrize(
    ("module", "message"),
    [
        ("1 / 0", 'The command "pond" of the distribution pond-flit 1.5 cannot be imported: ZeroDivisionError'),
        ("pond = 3", 'The command "pond" of the distribution pond-flit 1.5 is no click command.'),
    ],
)
def test_a_command_that_cannot_be_used_is_named_when_it_is_called(
    install: Callable[..., None], module: str, message: str
) -> None:
    install("pond-flit", {"pond": "pond_flit:pond"}, group="flitstack.commands", pond_flit=module)

    helped = CliRunner().invoke(cli, ["--help"])
    called = CliRunner().invoke(cli, ["pond"])

    assert helped.exit_code == 0
    assert called.exit_code == 4
    assert message in called.stderr


def test_a_command_that_two_distributions_claim_is_refused_and_both_are_named(install: Callable[..., None]) -> None:
    install("first-flit", {"pond": "first_flit:pond"}, group="flitstack.commands")
    install("second-flit", {"pond": "second_flit:pond"}, group="flitstack.commands")

    called = CliRunner().invoke(cli, ["pond"])

    assert called.exit_code == 4
    assert 'The command "pond" is offered by first-flit and second-flit. Uninstall all but one.' in called.stderr


@pytest.mark.parametrize(
    ("ending", "code", "message"),
    [
        ("quietly", 0, ""),
        ("returns", 6, ""),
        ("approval", 3, "A gate is open: profile.\n"),
        ("tasks", 4, "The token is refused.\n"),
        ("full", 5, "The disk is full. Make room; the same command carries on from here.\n"),
        ("interrupt", 130, "Interrupted. The same command carries on from here.\n"),
    ],
)
def test_an_ending_is_one_message_and_its_exit_code(barn: None, ending: str, code: int, message: str) -> None:
    result = CliRunner().invoke(cli, ["barn", ending])

    assert (result.exit_code, result.stderr) == (code, message)


def test_a_bug_is_told_in_one_line_by_type_and_place_without_its_text(barn: None) -> None:
    result = CliRunner().invoke(cli, ["barn", "bug"])

    assert result.exit_code == 1
    assert "flit failed with ValueError at " in result.stderr
    assert "barn_flit.py line 24" in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert "Rosalind Franklin" not in result.stderr


def test_debug_shows_the_traceback_and_its_causes_without_their_texts(barn: None) -> None:
    by_option = CliRunner().invoke(cli, ["--debug", "barn", "bug"])
    by_variable = CliRunner().invoke(cli, ["barn", "bug"], env={"FLITSTACK_DEBUG": "1"})

    assert by_option.stderr == by_variable.stderr
    assert by_option.stderr.index("KeyError") < by_option.stderr.index("ValueError")
    assert "barn_flit.py" in by_option.stderr
    assert "Rosalind Franklin, 1920" not in by_option.stderr.replace('ValueError("Rosalind Franklin, 1920-07-25")', "")


def test_a_reader_that_goes_away_gets_no_traceback() -> None:
    reading, writing = os.pipe()
    os.close(reading)

    with os.fdopen(writing, "wb") as gone:
        result = subprocess.run(
            [sys.executable, "-m", "flitstack", "plugins", "list"], stdout=gone, stderr=subprocess.PIPE, text=True
        )

    assert result.returncode == 1
    assert "Traceback" not in result.stderr


def test_both_ways_to_start_it_show_the_version() -> None:
    by_module = subprocess.run([sys.executable, "-m", "flitstack", "--version"], capture_output=True, text=True)
    by_runner = CliRunner().invoke(cli, ["--version"])

    assert by_module.stdout == by_runner.stdout
    assert by_module.stdout.startswith("flit (flitstack) ")
