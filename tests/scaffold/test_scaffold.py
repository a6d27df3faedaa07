"""What `flit plugins new` writes passes our gates and the test-kit as it stands."""

from __future__ import annotations

import importlib.util
import os
import resource
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner
from tests.scaffold.packages import Package

from flitstack.cli import cli
from flitstack.cli.plugins_new import KINDS as OFFERED
from flitstack.errors import UsageError
from flitstack.registry import load_plugins
from flitstack.testing.scaffolding import KINDS, Wanted, install_plugin, write_plugin

if TYPE_CHECKING:
    from collections.abc import Iterator

SHORT, LONG = "ab", "abcdefghijklmn_opqrstuvw"
HIGHEST = {"source": "gold", "destination": "gold"}  # what the others show beyond bronze is quick as well


def needs(tool: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(importlib.util.find_spec(tool) is None, reason=f"{tool} is not installed here")


@needs("ruff")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", [SHORT, LONG, "class", "none", "source", "validator"])
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


@pytest.mark.parametrize("name", ["test", "test-it", "test_it", "flitstack"])
def test_a_name_that_would_mean_something_else_is_refused_and_nothing_is_written(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="Choose another name"):
        write_plugin(Wanted(name, "source"), tmp_path)

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["acme-it", "acme_it"])
def test_a_name_whose_distribution_is_installed_is_refused(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = tmp_path / "there"
    Package(write_plugin(Wanted("acme-it", "observer"), there)).install()
    monkeypatch.syspath_prepend(str(there / "flitstack-acme-it" / "src"))

    with pytest.raises(UsageError, match=r"flitstack-acme-it 0\.1\.0 is installed already"):
        write_plugin(Wanted(name, "source"), tmp_path)

    assert not (tmp_path / "flitstack-acme-it").exists()


def test_a_name_whose_package_would_hide_another_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is a package flitstack_dental"):
        write_plugin(Wanted("dental", "source"), tmp_path)


@pytest.mark.parametrize("into", ["/dev/full", "/proc", "/proc/self/none", "{tmp}/a-file", "{tmp}/a-file/deep"])
def test_a_place_that_cannot_be_written_to_is_named_with_why_and_nothing_stays(tmp_path: Path, into: str) -> None:
    (tmp_path / "a-file").write_text("")
    place = Path(into.format(tmp=tmp_path))

    with pytest.raises(UsageError, match=r"flitstack-acme: cannot be written \(.*nothing stays.*--into"):
        write_plugin(Wanted("acme", "source"), place)

    assert [each.name for each in tmp_path.iterdir()] == ["a-file"]


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is read-only to root")
def test_a_folder_that_may_only_be_read_is_named(tmp_path: Path) -> None:
    place = tmp_path / "mine"
    place.mkdir(mode=0o500)

    with pytest.raises(UsageError, match="permission denied"):
        write_plugin(Wanted("acme", "source"), place)

    assert list(place.iterdir()) == []


@pytest.fixture
def full_disk() -> Iterator[None]:
    """Let no file grow beyond some bytes, as on a disk that fills while the package is written."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (600, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)
    signal.signal(signal.SIGXFSZ, handler)


@pytest.mark.usefixtures("full_disk")
def test_of_a_package_that_cannot_be_written_whole_nothing_stays(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="nothing stays"):
        write_plugin(Wanted("acme", "destination"), tmp_path / "new" / "place")

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("kind", "option"),
    [(kind, "--source") for kind in ("source", "destination", "transform", "observer")]
    + [(kind, "--dest") for kind in ("source", "destination", "validator", "transform", "observer")],
)
def test_an_option_of_another_kind_is_refused_with_what_it_is_for(tmp_path: Path, kind: str, option: str) -> None:
    arguments = ["plugins", "new", "acme", "--kind", kind, option, "sqlite", "--into", str(tmp_path)]

    result = CliRunner().invoke(cli, arguments)

    assert result.exit_code == 2
    assert f"{option} is for --kind " in result.stderr
    assert "Leave it away" in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_what_comes_next_can_be_copied_wherever_the_package_is(tmp_path: Path) -> None:
    place = tmp_path / "a place $HOME"

    result = CliRunner().invoke(cli, ["plugins", "new", "acme", "--kind", "source", "--into", str(place)])

    assert f"pip install -e '{place}/flitstack-acme' && flit" in result.stderr


def test_a_package_that_cannot_be_installed_stays_and_the_way_on_is_told(tmp_path: Path) -> None:
    folder = write_plugin(Wanted("acme", "source"), tmp_path)
    (folder / "pyproject.toml").write_text("[no toml")  # no installer takes it

    with pytest.raises(UsageError, match=r"could not be installed.*stays in .*flitstack-acme.*pip install -e"):
        install_plugin(folder, "acme")


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
