"""Who follows the tutorial word for word has a destination that passes silver, and what is kept in the examples."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from tests.scaffold.packages import Package

from flitstack.testing.scaffolding import Wanted, write_plugin

DOCS = Path(__file__).parents[2] / "docs"
TUTORIAL = DOCS / "tutorial-destination.md"
EXAMPLE = DOCS / "examples" / "destination"
BLOCK = re.compile(r"^`(?P<place>src/[^`]+)`:\n\n```python\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture
def rolo(tmp_path: Path) -> Package:
    """Return the package that comes of doing what the tutorial says."""
    package = Package(write_plugin(Wanted("rolo", "destination"), tmp_path))
    for block in BLOCK.finditer(TUTORIAL.read_text("utf-8")):
        assert (package.folder / block["place"]).exists(), "the tutorial names a file that the scaffold has not"
        (package.folder / block["place"]).write_text(block["text"], encoding="utf-8")
    return package


def files_of(folder: Path) -> dict[str, str]:
    found = (folder / "pyproject.toml", *folder.glob("src/*/*"), *folder.glob("tests/*"))
    return {path.relative_to(folder).as_posix(): path.read_text("utf-8") for path in found if path.is_file()}


def test_every_code_block_of_the_tutorial_is_a_file_or_a_command() -> None:
    text = TUTORIAL.read_text("utf-8")

    assert len(BLOCK.findall(text)) == text.count("```python")
    assert set(re.findall(r"^```(\w+)$", text, re.MULTILINE)) == {"python", "console"}


def test_the_commands_of_the_tutorial_exist() -> None:
    told = re.findall(r"^flit (\w+)(?: (\w+))?", TUTORIAL.read_text("utf-8"), re.MULTILINE)

    assert {" ".join(filter(None, one)) for one in told} == {"plugins new", "plugins test", "plan"}


def test_what_the_tutorial_writes_is_what_the_examples_hold(rolo: Package) -> None:
    assert files_of(rolo.folder) == files_of(EXAMPLE)


def test_the_map_that_the_tutorial_plans_with_is_the_one_that_it_writes(rolo: Package) -> None:
    rolo.install()
    text = TUTORIAL.read_text("utf-8")
    (written,) = re.findall(r"^flit (plugins new rolo-map .*)$", text, re.MULTILINE)
    (named,) = re.findall(r"--mapping (\S+)", text)

    done = rolo.run("flitstack", *shlex.split(written))

    assert done.returncode == 0, done.stderr
    assert (rolo.folder / named).is_file()


def test_what_the_tutorial_writes_passes_silver(rolo: Package) -> None:
    rolo.install()

    said = rolo.kit("rolo", "silver")

    assert [one for one in said["results"] if one["outcome"] not in ("passed", "not_applicable")] == []
    assert said["reached"] == "silver"
    passed_over = {one["id"] for one in said["results"] if one["outcome"] == "not_applicable"}
    assert passed_over <= {"B8", "B9", "B10", "W9", "W10", "W12"}, "beyond what Rolo has not"
