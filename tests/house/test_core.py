"""Core holds no platform's name and no condition on one, whatever the kind of file; import rules name all plugins."""

from __future__ import annotations

import ast
import re
import tomllib
from graphlib import TopologicalSorter
from typing import TYPE_CHECKING

import pytest

from flitstack.registry import load_plugins

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

LIBRARY = "sqlite"
"""The only platform whose name is a library's as well: core keeps its journal with it. Its plugin's name may not stand
alone as a string."""

ELSEWHERE = ("salesforce", "zoho", "dentrix", "opendental", "eaglesoft", "keap", "zendesk")
ENDS = ("source", "destination", "writer", "plugin")


def platforms() -> set[str]:
    """Return the names of all installed sources and destinations, and of some that somebody may add."""
    registry = load_plugins()
    return {*registry.sources(), *registry.destinations(), *ELSEWHERE}


def names_in(text: str, names: Iterable[str]) -> list[int]:
    """Return the lines that hold a platform's name, in any case and within other words (`PipedriveWriter`)."""
    pattern = re.compile("|".join(re.escape(name) for name in sorted(names)), re.IGNORECASE)
    return [number for number, line in enumerate(text.splitlines(), start=1) if pattern.search(line)]


def conditions_in(text: str, names: Iterable[str]) -> list[int]:
    """Return the lines of a module that decide by which platform it is.

    That is a string that is a platform's name, wherever it stands; and a comparison, a `match` or a look-up by the
    `name` of a source, destination, writer or plugin with any string at all.
    """
    known, tree = set(names), ast.parse(text)
    return sorted({line for node in ast.walk(tree) for line in _decides(node, known)})


def _decides(node: ast.AST, names: set[str]) -> Iterator[int]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.lower() in names:
        yield node.lineno
    if isinstance(node, ast.Compare):
        sides = [node.left, *node.comparators]
        if any(_is_name_of_an_end(side) for side in sides) and any(_holds_text(side) for side in sides):
            yield node.lineno
    if isinstance(node, ast.Match) and _is_name_of_an_end(node.subject):
        yield node.lineno
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and _is_name_of_an_end(node.func.value):
        if node.func.attr in ("startswith", "endswith"):
            yield node.lineno


def _is_name_of_an_end(node: ast.expr) -> bool:
    match node:
        case ast.Attribute(value=ast.Name(id=end) | ast.Attribute(attr=end), attr="name"):
            return end in ENDS
    return False


def _holds_text(node: ast.expr) -> bool:
    inside = node.elts if isinstance(node, ast.Tuple | ast.List | ast.Set) else [node]
    return any(isinstance(each, ast.Constant) and isinstance(each.value, str) for each in inside)


def core_files(root: Path) -> dict[str, str]:
    """Return every file of core, whatever its kind: code, templates, schemas, styles."""
    found = sorted(path for path in (root / "core").rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {path.relative_to(root).as_posix(): path.read_text("utf-8") for path in found}


def test_no_file_of_core_names_a_platform(root: Path) -> None:
    files, names = core_files(root), platforms()

    assert {"dental", "pipedrive", "hubspot", LIBRARY} <= names
    assert {path.rpartition(".")[2] for path in files} >= {"py", "j2", "json", "css"}
    assert [f"{path} line {line}" for path, text in files.items() for line in names_in(text, names - {LIBRARY})] == []
    assert [path for path in files if names_in(path, names - {LIBRARY})] == []


def test_no_module_of_core_decides_by_the_platform(root: Path) -> None:
    names = platforms()

    modules = {path: text for path, text in core_files(root).items() if path.endswith(".py")}
    assert len(modules) > 200
    assert [f"{path} line {line}" for path, text in modules.items() for line in conditions_in(text, names)] == []


@pytest.mark.parametrize(
    "planted",
    ["class PipedriveWriter: ...", "# as HubSpot does", "{% if dest == 'hubspot' %}", "DENTAL = 1", '"""For Zoho."""'],
)
def test_a_platform_that_is_named_in_core_is_found(planted: str) -> None:
    assert names_in(f"\n{planted}", platforms() - {LIBRARY}) == [2]


@pytest.mark.parametrize(
    "planted",
    [
        'if name == "sqlite": pass',
        'x = {"Sqlite": 1}',
        'if setup.destination.name == "acme": pass',
        'if self.source.name in ("acme", "barn"): pass',
        'if destination.name.startswith("ac"): pass',
        'match ctx.writer.name:\n    case "acme": pass',
    ],
)
def test_a_condition_on_a_platform_in_core_is_found(planted: str) -> None:
    assert conditions_in(planted, platforms()) == [1]


@pytest.mark.parametrize(
    "good", ["import sqlite3", "if setup.destination.name == other.name: pass", 'if item.object == "field": pass']
)
def test_what_is_no_condition_on_a_platform_is_left_alone(good: str) -> None:
    assert conditions_in(good, platforms()) == []


def test_only_the_wire_of_a_plugin_knows_httpx(root: Path) -> None:
    modules = [path.relative_to(root / "plugins") for path in sorted((root / "plugins").rglob("*.py"))]
    ours = [path for path in modules if "sandbox" not in path.parts]
    knowing = [path for path in ours if "import httpx" in (root / "plugins" / path).read_text("utf-8")]

    assert [path.as_posix() for path in knowing] == ["flitstack_hubspot/wire.py", "flitstack_pipedrive/wire.py"]


def test_the_import_rules_name_every_plugin(root: Path, texts: dict[str, str]) -> None:
    plugins = sorted(path.name for path in (root / "plugins").iterdir() if (path / "__init__.py").exists())
    project = tomllib.loads(texts["pyproject.toml"])
    rules = {contract["name"]: contract for contract in project["tool"]["importlinter"]["contracts"]}

    assert sorted(project["tool"]["importlinter"]["root_packages"]) == ["flitstack", *plugins]
    assert sorted(rules["core knows no plugin"]["forbidden_modules"]) == plugins
    assert rules["core knows no plugin"]["source_modules"] == ["flitstack"]
    assert sorted(rules["plugins do not know each other"]["modules"]) == plugins
    wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    assert sorted(wheel) == ["core/flitstack", *(f"plugins/{name}" for name in plugins)]


def test_the_import_rules_name_every_room_of_core(root: Path, texts: dict[str, str]) -> None:
    rooms = {path.name.removesuffix(".py") for path in (root / "core" / "flitstack").iterdir() if path.name[0] != "_"}
    rooms -= {"py.typed"}
    (layers,) = (
        contract["layers"]
        for contract in tomllib.loads(texts["pyproject.toml"])["tool"]["importlinter"]["contracts"]
        if contract["type"] == "layers"
    )

    ranked = {room.strip().removeprefix("flitstack.") for layer in layers for room in layer.split(":")}
    assert sorted(rooms - ranked) == []
    assert sorted(ranked - rooms) == []


def modules_needed(root: Path) -> dict[str, set[str]]:
    """Return each module of core with the modules of core that it imports anywhere, for annotations too."""
    core = root / "core"
    paths = {".".join(path.relative_to(core).with_suffix("").parts): path for path in core.rglob("*.py")}
    names = {name.removesuffix(".__init__"): path for name, path in paths.items()}
    needed: dict[str, set[str]] = {name: set() for name in names}
    for name, path in names.items():
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module in names:
                inside = {f"{node.module}.{each.name}" for each in node.names}
                needed[name] |= (inside & names.keys()) or {node.module}
            elif isinstance(node, ast.Import):
                needed[name] |= {each.name for each in node.names} & names.keys()
    return needed


def test_no_modules_of_core_need_each_other_in_a_circle(root: Path) -> None:
    needed = modules_needed(root)
    world = "flitstack.testing.simulation.world"
    needed[world] -= {"flitstack.testing.simulation.wire", "flitstack.testing.simulation.committing"}  # it makes both

    graph = {name: others - {name} for name, others in needed.items()}

    assert [*TopologicalSorter(graph).static_order()]
