"""`flit plugins list` shows everything that is installed, the broken with its cause."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from flitstack.cli import cli

if TYPE_CHECKING:
    from collections.abc import Callable

MEADOW = """
    from flitstack.hookspecs import hookimpl
    from flitstack.protocols import SourcePlugin

    @hookimpl
    def flit_register_sources(register):
        register(SourcePlugin("meadow", {"type": "object"}, open=lambda path, settings: None))
"""


@pytest.fixture(autouse=True)
def _two_plugins(install: Callable[..., None]) -> None:
    install("meadow-flit", {"meadow": "meadow_flit"}, meadow_flit=MEADOW)
    install("bad-flit", {"bad": "bad_flit"}, bad_flit="import no_such_module_anywhere")


def test_the_list_names_plugin_version_hooks_and_what_it_registers() -> None:
    result = CliRunner().invoke(cli, ["plugins", "list"])

    assert result.exit_code == 0
    assert "meadow (meadow-flit 1.5)\n  hooks: flit_register_sources\n  source: meadow" in result.stdout


def test_a_broken_plugin_is_listed_with_its_cause() -> None:
    result = CliRunner().invoke(cli, ["plugins", "list"])

    assert result.exit_code == 0
    assert "bad (bad-flit 1.5) BROKEN\n  cause: cannot be imported: ModuleNotFoundError" in result.stdout
    assert "broken, left out" in result.stderr


def test_the_list_as_json_holds_the_same() -> None:
    result = CliRunner().invoke(cli, ["plugins", "list", "--json"])

    found = json.loads(result.stdout)
    plugins = {plugin["name"]: plugin for plugin in found["plugins"]}
    assert plugins["meadow"] == {
        "name": "meadow",
        "distribution": "meadow-flit",
        "version": "1.5",
        "hooks": ["flit_register_sources"],
        "registers": ["source meadow"],
    }
    assert "bad" in [each["name"] for each in found["broken"]]
