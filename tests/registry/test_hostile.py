"""Plugins that raise what no plugin should, end the program, or print: named, and what flit answers stays whole."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from flitstack.beside import confirm_file_plugin, find_file_plugins, load_file_plugins
from flitstack.cli import cli
from flitstack.cli.common import carry_out
from flitstack.errors import ConfigurationError, PluginError
from flitstack.registry import load_plugins

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from flitstack.stages.context import Progress, StopFlag

ODD = """
class Odd(BaseException):
    pass
"""
HOOK = """
from flitstack.hookspecs import hookimpl

@hookimpl
def flit_register_sources(register):
    {body}
"""
PRINTING = "print('at import')\n" + HOOK.format(body="print('in the hook')")


@pytest.mark.parametrize("source", [f"{ODD}raise Odd", ODD + HOOK.format(body="raise Odd")])
def test_a_plugin_that_raises_no_ordinary_exception_is_named_and_left_out(
    install: Callable[..., None], source: str
) -> None:
    install("odd-flit", {"odd": "odd_flit"}, odd_flit=source)

    registry = load_plugins(["odd"])

    assert [(each.name, "Odd" in each.cause) for each in registry.broken] == [("odd", True)]


def test_what_a_plugin_prints_while_it_is_loaded_is_no_part_of_an_answer(
    install: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    install("loud-flit", {"loud": "loud_flit"}, loud_flit=PRINTING)

    assert not load_plugins(["loud"]).broken

    out, err = capsys.readouterr()
    assert (out, err) == ("", "at import\nin the hook\n")


def test_a_plugin_in_a_file_that_raises_no_ordinary_exception_is_named(tmp_path: Path) -> None:
    file = tmp_path / "flit_plugins" / "odd.py"
    file.parent.mkdir(mode=0o755)
    file.write_text(f"{ODD}raise Odd", encoding="utf-8")
    file.chmod(0o644)
    journal = tmp_path / "flit.db"
    confirm_file_plugin(journal, "odd", "Dana", "2026-07-01T09:00:00+00:00")

    with pytest.raises(PluginError, match=r"odd\.py: the plugin cannot be run: Odd"):
        load_file_plugins(journal)


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir])
def test_what_is_no_file_but_named_like_a_plugin_is_refused_and_not_waited_for(
    tmp_path: Path, make: Callable[[Path], None]
) -> None:
    folder = tmp_path / "flit_plugins"
    folder.mkdir(mode=0o755)
    make(folder / "pipe.py")

    with pytest.raises(ConfigurationError, match=r"pipe\.py: no file"):
        find_file_plugins(tmp_path / "flit.db")


@pytest.mark.parametrize("fields", ['"sha256": 1, "by": "Dana", "at": ""', '"sha256": "a", "by": "Dana", "at": null'])
def test_a_confirmation_of_other_than_texts_is_refused_as_not_flits(tmp_path: Path, fields: str) -> None:
    folder = tmp_path / "flit_plugins"
    folder.mkdir(mode=0o755)
    for name, text in {"odd.py": "", "confirmed.json": f'{{"odd.py": {{{fields}}}}}'}.items():
        (folder / name).write_text(text, encoding="utf-8")
        (folder / name).chmod(0o644)

    with pytest.raises(ConfigurationError, match="not as flit wrote it"):
        find_file_plugins(tmp_path / "flit.db")


def test_a_plugin_that_ends_the_program_at_work_does_not_pass_for_success(capsys: pytest.CaptureFixture[str]) -> None:
    async def work(progress: Progress, stop: StopFlag) -> None:
        print("a plugin's word")  # noqa: T201 - what a plugin may do
        raise SystemExit(0)

    with pytest.raises(PluginError, match="ended the program in the middle of the work"):
        carry_out(work)

    out, err = capsys.readouterr()
    assert (out, "a plugin's word" in err) == ("", True)


COMMAND = f"""
import click
{ODD}

@click.command()
def odd():
    raise Odd("Rosalind Franklin")
"""


def test_a_command_that_raises_no_ordinary_exception_is_a_bug_in_one_line(install: Callable[..., None]) -> None:
    install("odd-flit", {"odd": "odd_flit:odd"}, group="flitstack.commands", odd_flit=COMMAND)

    done = CliRunner().invoke(cli, ["odd"])

    assert done.exit_code == 1
    assert "flit failed with Odd at" in done.output
    assert "Rosalind" not in done.output
