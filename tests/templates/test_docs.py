"""The mapping reference is complete, and its example loads."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from flitstack.mapping import BUILTIN, find_template, load_template, spec_schema
from flitstack.mapping.filters import FILTERS, TESTS
from flitstack_dental.policies import POLICY_TRANSFORMS
from flitstack_dental.transforms import TRANSFORMS

if TYPE_CHECKING:
    from collections.abc import Callable

    from flitstack.mapping import Spec

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture(scope="module")
def page() -> str:
    """Return the mapping reference."""
    return (DOCS / "mapping.md").read_text("utf-8")


def keys_of(schema: dict[str, Any]) -> set[str]:
    """Return every property name of the spec's schema, at any depth."""
    found = set(schema.get("properties", {}))
    for value in schema.values():
        for inner in value if isinstance(value, list) else [value]:
            if isinstance(inner, dict):
                found |= keys_of(inner)
    return found


def test_every_key_of_a_spec_is_documented(page: str) -> None:
    missing = {key for key in keys_of(dict(spec_schema())) if f"`{key}`" not in page and f"{key}:" not in page}

    assert not missing


def test_every_function_filter_and_test_is_documented(page: str) -> None:
    functions = {item.name for item in (*BUILTIN, *TRANSFORMS, *POLICY_TRANSFORMS)}

    assert not {name for name in functions if f"`{name}(" not in page}
    assert not {name for name in (*FILTERS, *TESTS) if f"`{name}`" not in page}


def test_every_variable_of_the_dental_template_is_documented(page: str) -> None:
    variables = load_template(find_template("dental-to-pipedrive")).variables["properties"]

    assert not {name for name in variables if f"`{name}`" not in page}


@pytest.mark.parametrize(
    "variables",
    [
        {"profile": "full", "stale_open": "skip", "cancelled": "skip", "non_patients": "skip", "archived": "skip"},
        {"profile": "full", "deceased": "import"},
        {"profile": "engagement"},
    ],
)
def test_every_rule_and_code_is_documented(page: str, rendered: Callable[..., Spec], variables: dict[str, str]) -> None:
    text = rendered(**variables).text
    blocks = re.findall(r"\n    (?:skip|reject):\n((?:(?:      .*)?\n)+)", text)
    names = {name for block in blocks for name in re.findall(r"^      (\w+):", block, re.MULTILINE)}
    rules = names | {skipped.rule for skipped in rendered(**variables).skip_streams.values()}

    assert len(names) > 5
    assert not {name for name in rules if f"`{name}`" not in page}


def test_the_example_loads(page: str, load_text: Callable[[str], Spec]) -> None:
    example = re.search(r"```yaml\n(spec: 1\n.*?)```", page, re.DOTALL)

    assert example is not None
    assert [entry.name for entry in load_text(example.group(1)).entries] == ["patients", "visits", "notes"]
