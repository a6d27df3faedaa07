"""C1 takes nothing that a destination cannot mean: values that do not exist, wrong types, contradictions."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from tests.kit.trying import ids_that_fail

from flitstack.hookspecs import hookimpl
from flitstack.protocols import Behaviours, DestinationPlugin, Spent
from flitstack.testing.kit.destination_contract import ContractPart
from flitstack.testing.memory import memory_behaviours

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

GOOD = memory_behaviours()

#: What is declared of contacts to what must be said of it.
WRONG: list[tuple[dict[str, Any], str]] = [
    ({"delete": "harrd"}, "delete is 'harrd', which is none of 'hard', 'soft', 'none'"),
    ({"delete": None}, "delete is None, which is none of"),
    ({"parents": "contact"}, "parents is a str, not a tuple"),
    ({"settable_times": (1,)}, "what is in behaviours.objects['contact'].settable_times is a int, not a str"),
    ({"lag_s": "5"}, "lag_s is a str, not a float"),
    ({"filter_since": "no"}, "filter_since is a str, not a bool"),
    ({"page_size": True}, "page_size is a bool, not a int"),
    ({"cost": {**GOOD.objects["contact"].cost, "create": "5"}}, "cost['create'] is a str, not a int"),
    ({"cost": {"create": 1, "update": 1, "delete": 1}}, "contact: list has no cost"),
    ({"limits": {"name": 0}}, "the limit of name is 0, and must be 1 or more"),
    ({"limits": ["name"]}, "limits is a list, not a mapping"),
    ({"batch": 7}, "a batch of 7, but no more than max_batch=1 are ever sent at once"),
    ({"batch": 0}, "batch is 0, and must be 1 or more"),
    ({"restore_days": -1}, "restore_days is -1, and must be 0 or more"),
    ({"restore_days": 30, "delete": "hard"}, 'can be restored for 30 days, but delete is "hard"'),
    ({"verbs": frozenset({"create"})}, 'delete is "soft", but delete is not among the verbs'),
    ({"key_unique": True, "key_in": "content"}, "key_unique is declared, but it carries no key"),
]


def never(settings: Any, context: Any) -> Any:
    raise NotImplementedError


def said_of(behaviours: Behaviours, folder: Path) -> str:
    """Return what C1 says of behaviours, "" when it passes."""
    destination = DestinationPlugin("acme", {"type": "object", "properties": {}}, {}, frozenset(), behaviours, never)

    class Plugin:
        @hookimpl
        def flit_register_destinations(self, register: Callable[[DestinationPlugin], None]) -> None:
            register(destination)

    class Suite(ContractPart):
        plugin = Plugin()

    return ids_that_fail(Suite, folder, "C1", offered=destination).get("C1", "")


@pytest.mark.parametrize(("declared", "expected"), WRONG, ids=lambda one: str(one)[:40])
def test_what_cannot_be_meant_is_told(declared: dict[str, Any], expected: str, tmp_path: Path) -> None:
    objects = {**GOOD.objects, "contact": replace(GOOD.objects["contact"], **declared)}
    said = said_of(replace(GOOD, objects=objects), tmp_path)

    assert expected in said
    assert "docs/behaviours.md" in said


@pytest.mark.parametrize(
    ("declared", "expected"),
    [
        ({"schema_reading": 3}, "schema_reading is a int, not a Spent"),
        ({"people": {"contact": "name"}}, "people['contact'] is a str, not a PeopleFields"),
        ({"people": {"nobody": GOOD.people["contact"]}}, "nobody: stands in `people`, but is none of the `objects`"),
        ({"irreversible": "Everything."}, "irreversible is a str, not a tuple"),
    ],
    ids=str,
)
def test_what_cannot_be_meant_of_the_whole_is_told(declared: dict[str, Any], expected: str, tmp_path: Path) -> None:
    assert expected in said_of(replace(GOOD, **declared), tmp_path)


def test_what_can_be_meant_passes(tmp_path: Path) -> None:
    more: dict[str, Any] = {
        "delete": "hard",
        "parents": ["name"],
        "settable_times": ("since",),
        "lag_s": 3,
        "limits": {"name": 40},
    }
    objects = {**GOOD.objects, "contact": replace(GOOD.objects["contact"], **more)}

    assert said_of(replace(GOOD, objects=objects, schema_reading=Spent(1, 1)), tmp_path) == ""
