"""What `flit plugins new` writes passes our gates and the test-kit as it stands."""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner
from tests.scaffold.packages import Package

from flitstack.cli import cli
from flitstack.cli.plugins_new import KINDS as OFFERED
from flitstack.errors import UsageError
from flitstack.registry import load_plugins
from flitstack.testing.scaffolding import KINDS, Wanted, write_plugin

if TYPE_CHECKING:
    from pathlib import Path

SHORT, LONG = "ab", "abcdefghijklmn_opqrstuvw"
HIGHEST = {"source": "gold", "destination": "gold"}  # what the others show beyond bronze is quick as well


def needs(tool: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(importlib.util.find_spec(tool) is None, reason=f"{tool} is not installed here")


@needs("ruff")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", [SHORT, LONG])
def test_a_new_plugin_passes_the_lint_gate(tmp_path: Path, kind: str, name: str) -> None:
    package = Package(write_plugin(Wanted(name, kind), tmp_path))

    for gate in (("check", "--no-cache", "."), ("format", "--no-cache", "--check", ".")):
        done = package.run("ruff", *gate)
        assert done.returncode == 0, done.stdout


@needs("mypy")
@pytest.mark.parametrize("kind", KINDS)
def test_a_new_plugin_passes_the_type_gate(tmp_path: Path, kind: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    package = Package(write_plugin(Wanted(SHORT, kind), tmp_path))

    done = package.run("mypy", "--cache-dir", str(tmp_path_factory.getbasetemp() / "types"))

    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("kind", KINDS)
def test_a_new_plugin_passes_the_kit(tmp_path: Path, kind: str) -> None:
    package = Package(write_plugin(Wanted("acme-test", kind), tmp_path))
    package.install()
    level = HIGHEST.get(kind, "silver")

    said = package.kit("acme-test", level)

    assert [one for one in said["results"] if one["outcome"] in ("failed", "lacking", "waived")] == []
    assert said["reached"] == level
    assert said["counts"]["passed"] >= 5


def test_its_own_tests_pass(tmp_path: Path) -> None:
    package = Package(write_plugin(Wanted("acme", "observer"), tmp_path))
    package.install()

    done = package.run("pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist")

    assert done.returncode == 0, done.stdout


def test_the_kinds_that_the_command_offers_are_those_that_can_be_written() -> None:
    assert OFFERED == KINDS


def test_the_command_prints_the_folder_and_says_what_comes_next(tmp_path: Path) -> None:
    result = CliRunner().invoke(cli, ["plugins", "new", "acme", "--kind", "source", "--into", str(tmp_path)])

    assert result.exit_code == 0, result.output
    assert result.stdout.strip() == str(tmp_path / "flitstack-acme")
    assert "flit plugins test acme" in result.stderr
    assert (tmp_path / "flitstack-acme" / "src" / "flitstack_acme" / "py.typed").exists()


@pytest.mark.parametrize("name", ["Acme", "9lives", "a b", "../acme", "a--b", "acme_", "x" * 25, "", "class.py"])
def test_a_name_that_cannot_be_one_is_refused_and_nothing_is_written(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="a plugin's name is"):
        write_plugin(Wanted(name, "source"), tmp_path)

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["pipedrive", "sqlite"])
def test_a_name_that_is_installed_is_refused_and_nothing_is_written(tmp_path: Path, name: str) -> None:
    result = CliRunner().invoke(cli, ["plugins", "new", name, "--kind", "destination", "--into", str(tmp_path)])

    assert result.exit_code == 2
    assert "is installed" in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_what_is_there_already_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "flitstack-acme").mkdir()

    with pytest.raises(UsageError, match="something already"):
        write_plugin(Wanted("acme", "source"), tmp_path)

    assert list((tmp_path / "flitstack-acme").iterdir()) == []


@pytest.mark.parametrize("end", ["sources", "destinations"])
def test_a_template_is_written_for_any_installed_end(tmp_path: Path, end: str) -> None:
    registry = load_plugins()
    for number, name in enumerate(getattr(registry, end)()):
        wanted = Wanted(f"map{number}", "template", **{end.removesuffix("s"): name})
        package = Package(write_plugin(wanted, tmp_path))
        assert list(package.folder.glob(f"src/*/*{name}*.yaml.j2"))


def test_an_end_that_is_not_installed_is_named_before_anything_is_written(tmp_path: Path) -> None:
    arguments = ["plugins", "new", "acme", "--kind", "template", "--source", "nowhere", "--into", str(tmp_path)]

    result = CliRunner().invoke(cli, arguments)

    assert result.exit_code == 4
    assert 'There is no source "nowhere"' in result.stderr
    assert list(tmp_path.iterdir()) == []
