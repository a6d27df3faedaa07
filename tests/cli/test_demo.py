"""The demo: each pair in a folder of its own, known by its journal, and refused with what would do."""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from flitstack.cli import cli
from flitstack.errors import UsageError
from flitstack.registry import load_plugins
from flitstack.stages.demo import check_demo, demo_account

if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result

    from flitstack.registry import Registry

SQLITE, DENTAL = "flit-demo/sqlite-to-pipedrive/flit.db", "flit-demo/dental-to-pipedrive/flit.db"


def flit(*arguments: str) -> Result:
    return CliRunner().invoke(cli, list(arguments))


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder in which two demos were run."""
    folder = tmp_path_factory.mktemp("demos")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for source in ("sqlite", "dental"):
            result = flit("run", "--source", source, "--dest", "pipedrive", "--demo", "--json")
            assert result.exit_code == 0, result.output
    return folder


@pytest.fixture
def there(ran: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(ran)
    return ran


def test_demos_of_two_pairs_have_a_folder_each(there: Path) -> None:
    assert sorted(path.as_posix() for path in there.glob("*")) == [(there / "flit-demo").as_posix()]
    assert all((there / journal).is_file() for journal in (SQLITE, DENTAL))


@pytest.mark.parametrize("journal", [SQLITE, DENTAL])
@pytest.mark.parametrize("command", ["status", "verify", "report"])
def test_the_journal_of_a_demo_is_known_as_one_without_a_word(there: Path, command: str, journal: str) -> None:
    result = flit(command, "--journal", journal)

    assert result.exit_code == 0, result.output


def test_what_status_suggests_after_a_demo_runs_word_for_word(there: Path) -> None:
    told = json.loads(flit("status", "--journal", DENTAL, "--json").stdout)["next"]

    assert {shlex.split(line)[1] for line in told} == {"report", "rejects", "verify"}
    for line in told:
        result = flit(*shlex.split(line)[1:])
        assert result.exit_code == 0, (line, result.output)


def test_after_a_demo_is_taken_back_status_says_how_to_begin_again_and_that_runs(there: Path) -> None:
    journal = "flit-demo/other/flit.db"
    assert flit("run", "--source", "sqlite", "--dest", "pipedrive", "--demo", "--journal", journal).exit_code == 0

    undone = flit("rollback", "--journal", journal, "--approve-unseen", "test")
    again = json.loads(flit("status", "--journal", journal, "--json").stdout)["next"][-1].strip()

    assert undone.exit_code == 0, undone.output  # what the account put into one deal of three is nobody's edit
    assert again == f"flit run --source sqlite --dest pipedrive --demo --journal {journal}"
    assert flit(*shlex.split(again)[1:]).exit_code == 0


def test_where_several_demos_were_run_each_is_named(there: Path) -> None:
    result = flit("status", "--demo")

    assert result.exit_code == 2
    assert re.findall(r"--journal (\S+)", result.output) == [DENTAL, SQLITE]


def test_the_only_demo_need_not_be_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    flit("run", "--source", "sqlite", "--dest", "pipedrive", "--demo")

    result = flit("verify", "--demo", "--json")

    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["status"]


@pytest.fixture
def registry() -> Registry:
    return load_plugins()


def test_an_end_without_a_demo_is_named_with_those_that_have_one(registry: Registry) -> None:
    source, destination = registry.source("dental"), registry.destination("pipedrive")

    with pytest.raises(UsageError, match=r"The destination pipedrive brings no account .* --dest hubspot \| pipedrive"):
        check_demo(registry, source, replace(destination, demo=None))
    with pytest.raises(UsageError, match=r"The source dental brings no example .* --source dental \| sqlite.*--input"):
        check_demo(registry, replace(source, demo=None), destination)
    with pytest.raises(UsageError, match="brings no account for a demo"):
        demo_account(replace(destination, demo=None), None)  # type: ignore[arg-type]


def test_a_pair_that_nobody_maps_has_no_demo_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    result = flit("run", "--source", "sqlite", "--dest", "hubspot", "--demo")

    assert result.exit_code == 4
    assert "mapping template" in result.output
    assert list(tmp_path.iterdir()) == []
