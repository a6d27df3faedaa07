"""What a destination declares of itself is checked when it is loaded, not when the run relies on it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from flitstack.hookspecs import hookimpl
from flitstack.protocols import Behaviours, DestinationPlugin, MappingTemplate, ObjectBehaviour, Transform, Validator
from flitstack.registration import complaints, describe
from flitstack.registry import load_plugins

if TYPE_CHECKING:
    from collections.abc import Callable

COW = ObjectBehaviour(verbs=frozenset({"create"}), cost={"create": 1}, page_size=10, key_in="field:tag")
BARN = DestinationPlugin(
    name="barn",
    settings_schema={"type": "object", "properties": {"token": {"type": "string"}, "size": {"type": "integer"}}},
    settings_environment={"token": "BARN_TOKEN"},
    secrets=frozenset({"token"}),
    behaviours=Behaviours(objects={"cow": COW}, schema_objects=()),
    open=lambda settings, context: None,  # type: ignore[arg-type, return-value]
)
ANYTHING: Any = "anything"

WRONG: dict[str, tuple[DestinationPlugin, str]] = {
    "name": (replace(BARN, name="Big Barn"), "a name is lower case letters"),
    "open": (replace(BARN, open=ANYTHING), "open cannot be called"),
    "demo": (replace(BARN, demo=ANYTHING), "demo cannot be called"),
    "behaviours": (replace(BARN, behaviours=ANYTHING), "behaviours is a str, expected Behaviours"),
    "secret without variable": (
        replace(BARN, settings_environment={}),
        "without an environment variable: token",
    ),
    "variable of no setting": (
        replace(BARN, settings_environment={"token": "BARN_TOKEN", "colour": "BARN_COLOUR"}),
        "name no setting: colour",
    ),
    "no objects": (replace(BARN, behaviours=Behaviours({}, ())), "behaviours declare no object"),
    "schema object": (replace(BARN, behaviours=Behaviours({"cow": COW}, ("stall",))), "no declared object: stall"),
    "batch": (replace(BARN, behaviours=Behaviours({"cow": COW}, (), max_batch=0)), "max_batch must be at least 1"),
    "object type": (replace(BARN, behaviours=Behaviours({"cow": ANYTHING}, ())), "expected an ObjectBehaviour"),
    "key place": (
        replace(BARN, behaviours=Behaviours({"cow": replace(COW, key_in="ear")}, ())),
        "object cow: key_in is field:NAME",
    ),
    "page size": (
        replace(BARN, behaviours=Behaviours({"cow": replace(COW, page_size=0)}, ())),
        "object cow: page_size must be at least 1",
    ),
    "negative cost": (
        replace(BARN, behaviours=Behaviours({"cow": replace(COW, cost={"create": -1})}, ())),
        "object cow: cost has numbers that are not negative",
    ),
    "empty requests": (
        replace(BARN, behaviours=Behaviours({"cow": replace(COW, batch=0)}, ())),
        "object cow: batch must be at least 1",
    ),
    "endless lag": (
        replace(BARN, behaviours=Behaviours({"cow": replace(COW, lag_s=float("inf"))}, ())),
        "object cow: lag_s is a number of seconds",
    ),
}


def test_a_sound_destination_has_no_complaint() -> None:
    assert complaints("flit_register_destinations", BARN) == []


@pytest.mark.parametrize("case", WRONG)
def test_what_a_destination_declares_wrongly_is_named(case: str) -> None:
    destination, message = WRONG[case]

    found = complaints("flit_register_destinations", destination)

    assert len(found) == 1
    assert message in found[0]


@pytest.mark.parametrize(
    ("hook", "thing", "message"),
    [
        ("flit_register_transforms", Transform("two words", str.upper), "usable in an expression"),
        ("flit_register_transforms", Transform("up", ANYTHING), "call cannot be called"),
        ("flit_register_transforms", Transform("up", str.upper, kind=ANYTHING), "function, filter or test"),
        ("flit_register_transforms", Transform("up", str.upper, attributes=("a",)), "attributes are positions"),  # type: ignore[arg-type]
        ("flit_register_validators", Validator("hedge", "meadow", check=ANYTHING), "check cannot be called"),
        ("flit_register_mapping_templates", MappingTemplate("meadow", "barn", ""), "path must name a file"),
        ("flit_register_mapping_templates", BARN, "registered a DestinationPlugin, expected a MappingTemplate"),
    ],
)
def test_other_nonsense_is_named(hook: str, thing: object, message: str) -> None:
    found = complaints(hook, thing)

    assert len(found) == 1
    assert message in found[0]


def test_things_are_described_in_words() -> None:
    assert describe(BARN) == "destination barn"
    assert describe(Transform("up", str.upper, kind="filter")) == "filter up"
    assert describe(MappingTemplate("meadow", "barn", "x")) == "template meadow to barn"


def test_a_plugin_can_be_handed_over_as_an_object() -> None:
    class Barn:
        @hookimpl
        def flit_register_destinations(self, register: Callable[[DestinationPlugin], None]) -> None:
            register(BARN)

    registry = load_plugins([], objects={"barn": Barn()})

    assert registry.destination("barn") is BARN
    assert registry.destinations() == ("barn",)
    assert registry.plugins[0].title == 'plugin "barn" (not installed)'
