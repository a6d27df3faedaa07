"""The page of the audit lists every code that a finding can have, and none that it cannot."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import TYPE_CHECKING

import flitstack
import flitstack_dental
from flitstack_dental.validators import SECTIONS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

DOCS = Path(__file__).parents[2] / "docs"
ROW = re.compile(r"^\| `(\w+)` \| (.+?) \|", re.MULTILINE)
NOT_SHIPPED = ("testing", "example")
MAKERS = {"Finding": 0, "_figure": 0, "line": 0, "_those": 3}
"""What makes a finding, and which of its arguments is the code."""


def _trees(package: ModuleType) -> Iterator[ast.Module]:
    root = Path(str(package.__file__)).parent
    for path in sorted(root.rglob("*.py")):
        if not set(NOT_SHIPPED) & set(path.relative_to(root).parts):
            yield ast.parse(path.read_text("utf-8"))


def _codes() -> set[str]:
    found: set[str] = set()
    for tree in (tree for package in (flitstack, flitstack_dental) for tree in _trees(package)):
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and (name := _called(node)) in MAKERS and len(node.args) > MAKERS[name]:
                found |= _text(node.args[MAKERS[name]])
            elif isinstance(node, ast.Dict):
                for key, value in zip(node.keys, node.values, strict=True):
                    if key is not None and isinstance(value, ast.Call) and _called(value) == "Words":
                        found |= _text(key)
            elif isinstance(node, ast.Tuple) and len(node.elts) == 2 and isinstance(node.elts[1], ast.Call):
                if _called(node.elts[1]) == "Words":
                    found |= _text(node.elts[0])
    from flitstack.stages.audit.sections import SKIPS
    from flitstack.validators.people import CODES, DUPLICATES
    from flitstack_dental import table

    found -= set(DUPLICATES)
    return (
        found | set(CODES.values()) | set(SKIPS) | set(table._MENDED) | {"invisible_characters", "control_characters"}
    )


def _called(call: ast.Call) -> str:
    return call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")


def _text(node: ast.expr) -> set[str]:
    return {node.value} if isinstance(node, ast.Constant) and isinstance(node.value, str) else set()


def test_every_code_of_a_finding_is_on_the_page_once_and_none_beside() -> None:
    rows = ROW.findall((DOCS / "audit.md").read_text("utf-8"))
    codes = _codes()

    assert {"orphan", "stale_open", "probable_duplicate", "total_owed", "secrets_dropped"} <= codes
    assert len(rows) == len({code for code, _ in rows})
    assert sorted(codes - {code for code, _ in rows}) == []
    assert sorted({code for code, _ in rows} - codes) == []
    assert all(len(sentence) > 8 for _, sentence in rows)


def test_the_page_names_the_sections_in_their_order() -> None:
    text = (DOCS / "audit.md").read_text("utf-8")
    places = [text.find(f"### {title}") for _, title in SECTIONS]

    assert -1 not in places
    assert places == sorted(places)
