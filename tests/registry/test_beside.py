"""A plugin in a file runs once somebody put their name to exactly what it says, and never before."""

from __future__ import annotations

import os
from pathlib import Path
from textwrap import dedent

import pytest
from click.testing import CliRunner, Result

from flitstack.beside import confirm_file_plugin, find_file_plugins
from flitstack.cli import cli
from flitstack.errors import ApprovalNeeded, ConfigurationError, PluginError, UsageError
from flitstack.protocols import Record
from flitstack.registry import load_plugins

AT = "2026-07-01T09:00:00+00:00"
SOURCE = """
from dataclasses import dataclass
from pathlib import Path

from flitstack.hookspecs import hookimpl
from flitstack.protocols import SourcePlugin

Path(__file__).with_name("ran").touch()


@dataclass
class Reader:
    path: str


@hookimpl
def flit_register_sources(register):
    register(SourcePlugin("oneoff", {"type": "object", "properties": {}}, lambda path, settings: Reader(path)))
"""


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    put(tmp_path, "oneoff", SOURCE)
    return tmp_path / "flit.db"


def put(folder: Path, name: str, source: str) -> Path:
    file = folder / "flit_plugins" / f"{name}.py"
    file.parent.mkdir(exist_ok=True)
    file.parent.chmod(0o755)
    file.write_text(dedent(source), encoding="utf-8")
    file.chmod(0o644)
    return file


def ran(journal: Path) -> bool:
    return (journal.parent / "flit_plugins" / "ran").exists()


def flit(journal: Path, *arguments: str) -> Result:
    return CliRunner().invoke(cli, [*arguments, "--journal", str(journal)])


def test_a_file_that_nobody_confirmed_is_not_run_and_the_command_that_confirms_is_told(journal: Path) -> None:
    with pytest.raises(ApprovalNeeded, match=r"flit plugins confirm oneoff --by NAME"):
        load_plugins((), beside=journal)
    assert not ran(journal)


def test_a_confirmed_file_is_a_plugin_like_any_other(journal: Path) -> None:
    confirm_file_plugin(journal, "oneoff", "Ada", AT)
    registry = load_plugins((), beside=journal)
    assert registry.source("oneoff").name == "oneoff"
    assert registry.plugins[0].distribution.endswith("flit_plugins/oneoff.py")


def test_a_file_that_changed_waits_for_a_new_confirmation(journal: Path) -> None:
    confirm_file_plugin(journal, "oneoff", "Ada", AT)
    put(journal.parent, "oneoff", SOURCE + "# one more line\n")
    with pytest.raises(ApprovalNeeded, match=r"changed since it was confirmed by Ada on 2026-07-01"):
        load_plugins((), beside=journal)
    assert not ran(journal)


def test_a_second_file_waits_though_the_first_is_confirmed(journal: Path) -> None:
    confirm_file_plugin(journal, "oneoff", "Ada", AT)
    put(journal.parent, "another", "")
    with pytest.raises(ApprovalNeeded, match="another"):
        load_plugins((), beside=journal)
    assert not ran(journal)


def test_a_link_is_refused(journal: Path, tmp_path: Path) -> None:
    (tmp_path / "flit_plugins" / "linked.py").symlink_to(tmp_path / "elsewhere.py")
    with pytest.raises(ConfigurationError, match="a link"):
        find_file_plugins(journal)


@pytest.mark.parametrize("what", ["flit_plugins", "flit_plugins/oneoff.py"])
def test_what_another_user_could_change_is_refused(journal: Path, what: str) -> None:
    os.chmod(journal.parent / what, 0o777)  # noqa: S103 - that is the case
    with pytest.raises(ConfigurationError, match="another user"):
        find_file_plugins(journal)


def test_a_plugin_that_fails_is_named_with_its_file(journal: Path) -> None:
    put(journal.parent, "failing", "raise ValueError('boom')")
    for name in ("oneoff", "failing"):
        confirm_file_plugin(journal, name, "Ada", AT)
    with pytest.raises(PluginError, match=r"failing\.py: the plugin cannot be run: ValueError"):
        load_plugins((), beside=journal)


def test_a_damaged_list_of_confirmations_is_refused_and_nothing_runs(journal: Path) -> None:
    for damage in ("[]", "{", '{"oneoff.py": {"sha256": 1}}'):
        place = journal.parent / "flit_plugins" / "confirmed.json"
        place.write_text(damage, encoding="utf-8")
        place.chmod(0o644)
        with pytest.raises(ConfigurationError, match="confirm the plugins anew"):
            load_plugins((), beside=journal)
    assert not ran(journal)


def test_an_unknown_name_cannot_be_confirmed(journal: Path) -> None:
    with pytest.raises(UsageError, match=r"there is no other\.py\. There: oneoff"):
        confirm_file_plugin(journal, "other", "Ada", AT)


def test_without_the_folder_there_is_nothing(tmp_path: Path) -> None:
    assert find_file_plugins(tmp_path / "flit.db") == []


def test_the_command_confirms_and_the_list_says_so(journal: Path) -> None:
    assert "nobody has confirmed it yet" in flit(journal, "plugins", "list").stdout
    assert flit(journal, "plugins", "confirm", "oneoff", "--by", " ").exit_code == 2
    assert flit(journal, "plugins", "confirm", "oneoff", "--by", "Ada").exit_code == 0
    assert "confirmed by Ada" in flit(journal, "plugins", "list").stdout
    assert not ran(journal)


def test_a_run_stops_until_it_is_confirmed(journal: Path) -> None:
    arguments = ("run", "--source", "oneoff", "--dest", "pipedrive", "--input", "x")
    stopped = flit(journal, *arguments)
    assert stopped.exit_code == 3
    assert "Nothing was run" in stopped.stderr
    assert not ran(journal)


def test_the_documentation_s_example_reads_a_list(tmp_path: Path) -> None:
    text = (Path(__file__).parents[2] / "docs" / "folder-plugins.md").read_text(encoding="utf-8")
    put(tmp_path, "handlist", text.split("```python\n")[1].split("```")[0])
    (tmp_path / "list.csv").write_text("no,name,phone\n1,Ada,\n2,Bo,555\n", encoding="utf-8")
    journal = tmp_path / "flit.db"
    confirm_file_plugin(journal, "handlist", "Ada", AT)
    reader = load_plugins((), beside=journal).source("handlist").open(str(tmp_path / "list.csv"), {})
    rows = [row for row in reader.read("people") if isinstance(row, Record)]
    assert [(row.id, row.data["name"], row.data["phone"], row.where.line) for row in rows] == [
        ("1", "Ada", None, 2),
        ("2", "Bo", "555", 3),
    ]
