"""What the code offers is documented where people look for it."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from typing import TYPE_CHECKING

import click
import pytest
from click.testing import CliRunner

from flitstack import hookspecs
from flitstack.cli import cli

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PACKAGES = ("flitstack", "flitstack_dental", "flitstack_hubspot", "flitstack_pipedrive", "flitstack_sqlite")


def modules() -> Iterator[str]:
    for package in PACKAGES:
        yield package
        root = importlib.import_module(package)
        for found in pkgutil.walk_packages(root.__path__, prefix=f"{package}."):
            if not found.name.endswith("__main__"):
                yield found.name


def commands(command: click.Command, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    yield path
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            assert below is not None, f"{' '.join(path)} {name} is listed and is not there"
            yield from commands(below, (*path, name))


HOOKS = {name: hook for name, hook in vars(hookspecs).items() if name.startswith("flit_")}


@pytest.mark.parametrize("name", sorted(HOOKS))
def test_every_hook_is_documented_with_its_arguments(root: Path, name: str) -> None:
    arguments = ", ".join(inspect.signature(HOOKS[name]).parameters)

    assert f"`{name}({arguments})`" in (root / "docs" / "plugins.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", sorted(cli.table))
def test_every_command_of_core_is_there(name: str) -> None:
    assert cli.get_command(click.Context(cli), name) is not None


def test_every_command_has_help_with_an_example() -> None:
    poor = []
    for path in commands(cli, ()):
        result = CliRunner().invoke(cli, [*path, "--help"], prog_name="flit")
        words = " ".join(("flit", *path))
        examples = [line for line in result.stdout.splitlines() if words in line and "Usage:" not in line]
        if result.exit_code != 0 or not examples:
            poor.append(words)

    assert poor == []


@pytest.mark.parametrize("name", sorted(modules()))
def test_all_names_exactly_what_is_exported(name: str) -> None:
    module = importlib.import_module(name)
    stated = getattr(module, "__all__", None)
    if stated is None:
        return

    defined = {
        key
        for key, value in vars(module).items()
        if not key.startswith("_")
        and (inspect.isclass(value) or inspect.isfunction(value))
        and value.__module__ == name
    }
    assert len(stated) == len(set(stated))
    assert [key for key in stated if not hasattr(module, key)] == []
    assert defined - set(stated) == set()
