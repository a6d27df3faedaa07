"""What the plugin registers, what it declares, and what an estimate makes of it."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import flitstack_hubspot
from flitstack.protocols import KeyFinding
from flitstack.registry import load_plugins
from flitstack.stages.plan.price import Load, price_load
from flitstack_hubspot.addresses import takes_email
from flitstack_hubspot.behaviours import behaviours
from flitstack_hubspot.destination import HubSpotWriter
from flitstack_hubspot.files import contact_of, folder_of, key_of
from flitstack_hubspot.objects import SHAPES
from flitstack_hubspot.plans import OPENING
from flitstack_hubspot.sandbox.types import TYPES


def test_it_registers_as_a_strangers_plugin_would() -> None:
    registry = load_plugins([], objects={"hubspot": flitstack_hubspot})

    plugin = registry.destination("hubspot")
    assert plugin.secrets == {"access_token"}
    assert [plan.name for plan in plugin.plans] == ["free", "starter", "professional", "enterprise"]


def test_registering_imports_nothing_heavy() -> None:
    code = "import sys, flitstack_hubspot; print([m for m in ('httpx', 'starlette', 'sqlite3') if m in sys.modules])"

    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert found.stdout.strip() == "[]"


def test_every_kind_that_is_declared_unique_can_be_looked_up() -> None:
    unique = {name for name, each in behaviours().objects.items() if each.key_unique}

    assert unique == {"company", "contact", "deal", "file"}
    assert issubclass(HubSpotWriter, KeyFinding)


def test_parents_exist_before_what_hangs_on_them() -> None:
    order = list(behaviours().objects)

    for name, each in behaviours().objects.items():
        assert all(order.index(parent) < order.index(name) for parent in each.parents), name


@pytest.mark.parametrize(("records", "requests"), [(1, 1), (100, 1), (101, 2), (10_000, 100)])
def test_a_batch_is_priced_as_one_request(records: int, requests: int) -> None:
    load = Load({("contact", "create"): records}, {"contact": records}, {})

    price = price_load(behaviours(), load)

    assert price.objects["contact"].writing.requests == requests
    assert price.tokens == requests


def test_the_plugin_and_the_imitated_account_know_the_same_associations() -> None:
    paths = {name: shape.path for name, shape in SHAPES.items()}

    for shape in SHAPES.values():
        for to, type_id in shape.default.items():
            assert TYPES[shape.path, paths[to]] == type_id


def test_an_estimate_assumes_what_a_run_asks_first() -> None:
    plugin = load_plugins([], objects={"hubspot": flitstack_hubspot}).destination("hubspot")

    assert plugin.assume is not None
    assumed = plugin.assume({"plan": "enterprise"})
    assert (assumed.account.daily_budget, assumed.opening.requests) == (1_000_000, OPENING)
    assert plugin.assume({}).account.daily_budget is None


@pytest.mark.parametrize(
    ("value", "taken"),
    [
        ("ada@post.example", True),
        (" ada+x@mail.post.example ", True),
        ("ada@post", False),
        ("ada", False),
        ("a da@post.example", False),
        ("ada@@post.example", False),
        ("ada..x@post.example", False),
        ("x" * 250 + "@post.example", False),
        ("", False),
        (None, False),
    ],
)
def test_only_what_is_surely_an_address_is_taken_for_one(value: Any, taken: bool) -> None:
    assert takes_email(value) is taken


@given(st.text(min_size=1, max_size=40), st.from_regex(r"[0-9]{1,9}", fullmatch=True))
def test_a_documents_key_and_contact_are_found_again_by_its_path(key: str, contact: str) -> None:
    path = f"{folder_of(key)}/{contact}/one.pdf"

    assert (key_of(path), contact_of(path)) == (key, contact)


@pytest.mark.parametrize("path", ["/library/cat.png", "/flitstack/cat.png", "cat.png", ""])
def test_a_file_of_somebody_else_has_no_key(path: str) -> None:
    assert key_of(path) is None
    assert contact_of(path) is None
