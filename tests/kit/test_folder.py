"""A plugin in one file beside a journal is tested like any other, once confirmed; its page shows one that passes."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path
from textwrap import dedent
from typing import TYPE_CHECKING

from click.testing import CliRunner, Result

from flitstack.beside import confirm_file_plugin
from flitstack.cli import cli
from flitstack.clock import VirtualClock
from flitstack.registry import load_plugins
from flitstack.stages.context import StopFlag
from flitstack.stages.gates.gate import Passing
from flitstack.stages.options import RunOptions
from flitstack.stages.run import run_migration
from flitstack.testing.migration import Words

if TYPE_CHECKING:
    import pytest

AT = "2026-07-01T09:00:00+00:00"
PAGE = Path(__file__).parents[2] / "docs" / "folder-plugins.md"
TRANSFORM = '''
from pathlib import Path

from flitstack.hookspecs import hookimpl
from flitstack.protocols import Transform

Path(__file__).with_name("ran").touch()


def shout(text: str) -> str:
    """Return it in capitals."""
    return text.upper()


@hookimpl
def flit_register_transforms(register: object) -> None:
    register(Transform("shout", shout))
'''
PORTED = """
from flitstack.testing.broken import PLUGIN
from flitstack.testing.simulation.memory_port import PORT

flit_register_destinations = PLUGIN.flit_register_destinations
"""


def put(folder: Path, name: str, source: str, *, confirmed: bool = True) -> Path:
    """Write a plugin's file and return the journal that it is beside."""
    file = folder / "flit_plugins" / f"{name}.py"
    file.parent.mkdir(exist_ok=True)
    file.write_text(dedent(source), encoding="utf-8")
    file.parent.chmod(0o755)
    file.chmod(0o644)
    if confirmed:
        confirm_file_plugin(folder / "flit.db", name, "Ada", AT)
    return folder / "flit.db"


def part(kind: str) -> str:
    return PAGE.read_text(encoding="utf-8").split(f"```{kind}\n")[1].split("```")[0]


def flit(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["plugins", "test", *arguments])


def test_the_documentations_example_is_gold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path, "handlist", part("python"))
    monkeypatch.chdir(tmp_path)
    done = flit("handlist", "--json")

    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert (found["plugin"], found["reached"]) == ("handlist", "gold")
    passed = {one["id"] for one in found["results"] if one["outcome"] == "passed"}
    assert {"C3", "C4", "S1", "S7", "S8", "S10", "S11"} <= passed


def test_the_documentations_example_moves_its_people_by_its_map(tmp_path: Path) -> None:
    journal = put(tmp_path, "handlist", part("python"))
    (tmp_path / "handlist.yaml").write_text(part("yaml"), encoding="utf-8")
    (tmp_path / "list.csv").write_text("no,name,phone\n1,Ada Invented,555 0100\n2,Bo Invented,\n3,,1\n", "utf-8")
    options = RunOptions(
        "handlist",
        "pipedrive",
        journal,
        str(tmp_path / "list.csv"),
        str(tmp_path / "handlist.yaml"),
        (f"dest.base_url=sandbox:{tmp_path}/account?plan=growth&seats=1",),
        Passing(unseen="test"),
    )
    registry, clock = load_plugins(["pipedrive"], beside=journal), VirtualClock(datetime(2026, 7, 1, tzinfo=UTC))

    report = asyncio.run(run_migration(options, Words(), StopFlag(), registry=registry, clock=clock))

    assert report.status == "done"
    assert report.streams["people"].items() >= {"read": 3, "created": 2, "rejected": 1}.items()


def test_the_journal_may_be_named_and_only_the_file_that_is_tested_must_be_confirmed(tmp_path: Path) -> None:
    journal = put(tmp_path, "shouting", TRANSFORM.replace('Path(__file__).with_name("ran").touch()', ""))
    put(tmp_path, "waiting", TRANSFORM, confirmed=False)
    done = flit("shouting", "--journal", str(journal), "--json")

    assert done.exit_code == 0, done.output
    assert not (tmp_path / "flit_plugins" / "ran").exists()


def test_a_file_that_nobody_confirmed_is_not_run(tmp_path: Path) -> None:
    journal = put(tmp_path, "shouting", TRANSFORM, confirmed=False)
    done = flit("shouting", "--journal", str(journal))

    assert done.exit_code == 3
    assert f"flit plugins confirm shouting --by NAME --journal {journal}" in done.output
    assert not (tmp_path / "flit_plugins" / "ran").exists()


def test_a_file_that_does_something_when_it_is_imported_fails_by_c3(tmp_path: Path) -> None:
    journal = put(tmp_path, "shouting", TRANSFORM)
    found = json.loads(flit("shouting", "--journal", str(journal), "--only", "C3", "--json").stdout)

    (only,) = found["results"]
    assert (only["id"], only["outcome"]) == ("C3", "failed")
    assert "importing it uses os.utime" in only["reason"]


def test_a_destination_in_one_file_has_its_port_beside_it(tmp_path: Path) -> None:
    journal = put(tmp_path, "ported", PORTED)
    found = json.loads(flit("ported", "--journal", str(journal), "--only", "W3", "--json").stdout)

    assert [one["outcome"] for one in found["results"]] == ["passed"]


def test_a_file_with_the_name_of_an_installed_plugin_is_told(tmp_path: Path) -> None:
    journal = put(tmp_path, "pipedrive", TRANSFORM)
    done = flit("pipedrive", "--journal", str(journal), "--level", "bronze")

    assert done.exit_code == 2
    assert "pipedrive.py: a plugin of the same name is installed. Rename the file" in done.output


def test_a_name_that_is_neither_installed_nor_beside_is_told_with_what_there_is(tmp_path: Path) -> None:
    journal = put(tmp_path, "shouting", TRANSFORM)
    done = flit("shoutin", "--journal", str(journal))

    assert done.exit_code == 4
    assert 'There is no plugin "shoutin".' in done.output
    assert f"Files beside {journal}: shouting." in done.output
