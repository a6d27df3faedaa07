"""Finds, in the source text of packages and templates, every code that a rejection, a skip or a finding can have."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

CODE_AT = {"BadCell": 0, "Rejected": 0, "BadRow": 1, "Rejection": 2, "Skip": 2}
"""What makes a rejection or a skip, and which of its arguments is the code or rule."""

NOT_SHIPPED = ("testing", "sandbox", "example")
VERDICT = re.compile(r"(?:rejected|skipped|blocked):(\w+)\Z")


def rejection_codes(packages: Sequence[Path]) -> set[str]:
    """Return every code and rule that the shipped code of packages makes."""
    trees = [tree for package in packages for tree in _trees(package)]
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


def finding_codes(packages: Sequence[Path]) -> set[str]:
    """Return every code that a call of `Finding` names in the shipped code of packages."""
    return {
        code
        for package in packages
        for tree in _trees(package)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and _called(node) == "Finding"
        for code in _text(node.args, dict(_constants(tree)))
    }


def template_codes(template: str) -> set[str]:
    """Return every rule and code of a template's text, whatever its variables."""
    found = set(re.findall(r"^ +rule: (\w+)$", template, re.MULTILINE))
    found |= set(re.findall(r"\{rule: (\w+)", template))
    for block in re.findall(r"^    (?:skip|reject):\n((?:      .*\n|\{%.*\n)+)", template, re.MULTILINE):
        found |= set(re.findall(r"^      (\w+):", block, re.MULTILINE))
    return found


def _trees(root: Path) -> Iterator[ast.Module]:
    for path in sorted(root.rglob("*.py")):
        if not set(NOT_SHIPPED) & set(path.relative_to(root).parts):
            yield ast.parse(path.read_text("utf-8"))


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
