"""Which commands distributions add: the same that the standard library finds, at a fraction of the time."""

from __future__ import annotations

import sys
from importlib.metadata import entry_points
from typing import TYPE_CHECKING

import pytest
from tests.registry.dummies import install_dummies

from flitstack.cli.installed import CommandPoint, command_points

if TYPE_CHECKING:
    from pathlib import Path

GROUP = "flitstack.commands"


def write(folder: Path, info: str, points: str, about: str = "METADATA") -> None:
    """Write a distribution's metadata, as an installer does."""
    (folder / info).mkdir(parents=True)
    name, _, version = info.rpartition(".")[0].partition("-")
    (folder / info / about).write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n\nName: of nothing\n")
    (folder / info / "entry_points.txt").write_text(points)


def theirs() -> set[CommandPoint]:
    """Return what the standard library finds."""
    found = entry_points(group=GROUP)
    return {CommandPoint(p.name, p.value, p.dist.name, p.dist.version) for p in found if p.dist is not None}


def test_what_is_installed_here_is_found_as_the_standard_library_finds_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install_dummies(tmp_path, 20)
    monkeypatch.syspath_prepend(str(tmp_path))

    found = command_points(GROUP)

    assert len(found) > 20
    assert set(found) == theirs()
    assert len(set(found)) == len(found)


@pytest.mark.parametrize(
    "points",
    [
        "[flitstack.commands]\npond = pond:go\n",
        "[console_scripts]\nother = other:go\n\n[flitstack.commands]\npond=pond:go\nmere = mere:go\n[acme]\na = b\n",
        "[flitstack.commands]\n# a remark = of nothing\n\n  pond  =  pond:go  \n",
        "[flitstack.commands.more]\npond = pond:go\n",
        "[flitstack.commands]\n",
        "",
    ],
)
@pytest.mark.parametrize("kind", ["dist", "egg"])
def test_entry_points_are_read_as_the_standard_library_reads_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, points: str, kind: str
) -> None:
    write(tmp_path, f"pond_flit-1.5.{kind}-info", points, "METADATA" if kind == "dist" else "PKG-INFO")
    monkeypatch.setattr(sys, "path", [str(tmp_path)])

    assert set(command_points(GROUP)) == theirs()


def test_of_a_distribution_that_is_there_twice_the_first_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder, info in (("near", "pond_flit-2.0.dist-info"), ("far", "Pond.Flit-1.0.dist-info")):
        write(tmp_path / folder, info, f"[flitstack.commands]\npond = {folder}:go\n")
    monkeypatch.setattr(sys, "path", [str(tmp_path / "near"), str(tmp_path / "far")])

    assert command_points(GROUP) == [CommandPoint("pond", "near:go", "pond_flit", "2.0")]
    assert set(command_points(GROUP)) == theirs()


def test_what_cannot_be_read_on_the_path_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "archive.zip").write_bytes(b"PK")
    (tmp_path / "empty-1.0.dist-info").mkdir()
    (tmp_path / "file-1.0.dist-info").write_text("")
    write(tmp_path, "odd-1.0.dist-info", "[flitstack.commands]\nodd = odd:go\n")
    (tmp_path / "odd-1.0.dist-info" / "METADATA").unlink()
    monkeypatch.setattr(sys, "path", [str(tmp_path / "archive.zip"), str(tmp_path / "nowhere"), str(tmp_path)])

    assert command_points(GROUP) == [CommandPoint("odd", "odd:go", "unknown", "")]
