"""The page of rejections lists every code and rule that can occur, and none that cannot."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import flitstack
import flitstack_dental
import flitstack_pipedrive
from flitstack.mapping import find_template

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

DOCS = Path(__file__).parents[2] / "docs"
CODE_AT = {"BadCell": 0, "Rejected": 0, "BadRow": 1, "Rejection": 2, "Skip": 2}
"""What makes a rejection or a skip, and which of its arguments is the code or rule."""

NOT_SHIPPED = ("testing", "sandbox", "example")
VERDICT = re.compile(r"(?:rejected|skipped|blocked):(\w+)\Z")
ROW = re.compile(r"^\| `(\w+)` \| (.+?) \|", re.MULTILINE)


def _trees(package: ModuleType) -> Iterator[ast.Module]:
    root = Path(str(package.__file__)).parent
    for path in sorted(root.rglob("*.py")):
        if not set(NOT_SHIPPED) & set(path.relative_to(root).parts):
            yield ast.parse(path.read_text("utf-8"))


def _in_code() -> set[str]:
    """Return every code and rule that the shipped code makes."""
    trees = [tree for package in (flitstack, flitstack_dental, flitstack_pipedrive) for tree in _trees(package)]
    constants = {name: value for tree in trees for name, value in _constants(tree)}
    found: set[str] = set()
    for tree in trees:
        tables = dict(_tables(tree))
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and (called := _called(node)) in CODE_AT:
                found |= _text(node.args[CODE_AT[called] :], constants) | _keys(node.args, tables)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                found |= set(VERDICT.findall(node.value))
            elif isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == "rule" for t in node.targets):
                found |= {word for leaf in _leaves(node.value) for word in _text([leaf], constants)}
    return found


def _called(call: ast.Call) -> str:
    return call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")


def _constants(tree: ast.Module) -> Iterator[tuple[str, str]]:
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            yield from ((target.id, node.value.value) for target in node.targets if isinstance(target, ast.Name))


def _tables(tree: ast.Module) -> Iterator[tuple[str, set[str]]]:
    """Yield each dictionary of a module by its name, with its keys."""
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Dict):
            keys = {code for key in node.value.keys if key is not None for code in _text([key], {})}
            yield from ((target.id, keys) for target in node.targets if isinstance(target, ast.Name))


def _keys(arguments: list[ast.expr], tables: dict[str, set[str]]) -> set[str]:
    """Return the codes of a call such as `BadRow(line, code, *TABLE[code])`, which can have any that the table has."""
    match arguments[-1:]:
        case [ast.Starred(value=ast.Subscript(value=ast.Name(id=name)))]:
            return tables.get(name, set())
    return set()


def _text(arguments: list[ast.expr], constants: dict[str, str]) -> set[str]:
    match arguments[:1]:
        case [ast.Constant(value=str(code))]:
            return {code}
        case [ast.Name(id=name)] if name in constants:
            return {constants[name]}
    return set()


def _leaves(node: ast.expr) -> Iterator[ast.expr]:
    if isinstance(node, ast.IfExp):
        yield from _leaves(node.body)
        yield from _leaves(node.orelse)
    else:
        yield node


def _in_template() -> set[str]:
    """Return every rule and code of the shipped template, whatever its variables."""
    text = find_template("dental-to-pipedrive").read_text("utf-8")
    found = set(re.findall(r"^ +rule: (\w+)$", text, re.MULTILINE))
    for block in re.findall(r"^    (?:skip|reject):\n((?:      .*\n|\{%.*\n)+)", text, re.MULTILINE):
        found |= set(re.findall(r"^      (\w+):", block, re.MULTILINE))
    return found


@pytest.fixture(scope="module")
def page() -> dict[str, str]:
    """Code or rule to the sentence that the page has for it."""
    return dict(ROW.findall((DOCS / "rejections.md").read_text("utf-8")))


def test_every_code_and_rule_of_the_code_is_on_the_page(page: dict[str, str]) -> None:
    codes = _in_code()

    assert {"bad_date", "destination_refused", "duplicate_id", "orphan", "parent_skipped", "unreferenced"} <= codes
    assert sorted(codes - page.keys()) == []


def test_every_code_and_rule_of_the_template_is_on_the_page(page: dict[str, str]) -> None:
    codes = _in_template()

    assert {"deleted_patient", "stale_open_appointment", "left_by_profile", "missing_name"} <= codes
    assert sorted(codes - page.keys()) == []


def test_the_page_has_no_code_that_cannot_occur(page: dict[str, str]) -> None:
    assert sorted(page.keys() - _in_code() - _in_template()) == []


def test_each_code_stands_once_with_a_sentence() -> None:
    rows = ROW.findall((DOCS / "rejections.md").read_text("utf-8"))

    assert len(rows) == len({code for code, _ in rows})
    assert all(len(sentence) > 12 for _, sentence in rows)
