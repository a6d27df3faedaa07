"""What the plugin registers: its behaviours, what calls cost, and the demo's account."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import flitstack_pipedrive
from flitstack.clock import DEMO_START, DemoClock
from flitstack.protocols import DestinationPlugin, Operation, WriterContext
from flitstack_pipedrive.behaviours import behaviours
from flitstack_pipedrive.costs import cost_of, cost_table
from flitstack_pipedrive.opening import demo, open_writer

if TYPE_CHECKING:
    from flitstack_pipedrive.destination import PipedriveWriter

SPECS = os.environ.get("FLITSTACK_SPECS")
ORDER = [
    "field",
    "pipeline",
    "stage",
    "activity_type",
    "organization",
    "person",
    "deal",
    "lead",
    "activity",
    "note",
    "file",
]


def registered() -> DestinationPlugin:
    found: list[DestinationPlugin] = []
    flitstack_pipedrive.flit_register_destinations(found.append)
    (plugin,) = found
    return plugin


def no_documents(path: str) -> Any:
    raise FileNotFoundError(path)


def test_one_destination_is_registered_and_its_token_is_a_secret() -> None:
    plugin = registered()

    assert plugin.name == "pipedrive"
    assert plugin.secrets == {"api_token"}
    assert plugin.settings_environment["api_token"] == "PIPEDRIVE_API_TOKEN"


def test_importing_and_registering_loads_neither_network_nor_database() -> None:
    code = (
        "import sys, flitstack_pipedrive as p; p.flit_register_destinations(lambda plugin: None);"
        "print([m for m in ('httpx', 'starlette', 'sqlite3', 'uvicorn') if m in sys.modules])"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"


def test_objects_stand_in_the_order_in_which_they_must_exist() -> None:
    assert list(behaviours().objects) == ORDER
    assert behaviours().schema_objects == tuple(ORDER[:4])


def test_every_object_declares_the_cost_of_every_call() -> None:
    for name, behaviour in behaviours().objects.items():
        beyond = {"hash"} if name == "file" else set()
        assert set(behaviour.cost) == {"create", "update", "delete", "list", "get"} | beyond
        assert behaviour.verbs == {"create", "update", "delete"}


@pytest.mark.parametrize(
    ("object", "costs"),
    [
        ("person", (5, 5, 3, 10, 1)),
        ("note", (10, 10, 6, 20, 2)),
        ("file", (10, 10, 6, 20, 2)),
        ("stage", (5, 5, 3, 5, 1)),
    ],
)
def test_costs_are_those_of_the_rate_limiting_page(object: str, costs: tuple[int, ...]) -> None:
    cost = behaviours().objects[object].cost

    assert tuple(cost[verb] for verb in ("create", "update", "delete", "list", "get")) == costs


def test_the_declared_lag_is_the_one_set() -> None:
    assert {behaviour.lag_s for behaviour in behaviours(2.5).objects.values()} == {2.5}


def test_a_call_that_has_no_cost_is_an_error() -> None:
    with pytest.raises(KeyError):
        cost_of(2, "GET", "/unheard-of")


@pytest.mark.skipif(SPECS is None, reason="FLITSTACK_SPECS names the folder with Pipedrive's OpenAPI files")
def test_the_cost_table_is_what_the_official_specifications_say() -> None:
    tool = Path(__file__).parents[2] / "tools" / "derive_costs.py"

    done = subprocess.run([sys.executable, str(tool), str(SPECS)], capture_output=True, text=True, check=True)

    assert json.loads(done.stdout) == cost_table()


def test_the_demo_is_an_account_with_room_that_needs_no_token(tmp_path: Path) -> None:
    settings, clock = demo(str(tmp_path / "demo"))
    writer = open_writer(settings, WriterContext(clock, no_documents))

    account = asyncio.run(asked(writer))

    assert account.slots["field"] > 100
    assert clock.now() > DEMO_START


def test_the_demo_run_again_goes_on_after_its_newest_record(tmp_path: Path) -> None:
    settings, clock = demo(str(tmp_path))
    writer = open_writer(settings, WriterContext(clock, no_documents))

    async def write() -> datetime | None:
        await clock.sleep(3_600)
        create = Operation(1, "create", "field", "k", "", {"name": "Source_System_ID__c", "of": "person"}, {})
        await writer.apply([create])
        await writer.apply([Operation(2, "create", "person", "p:s:1", "", {"name": "Ann Example"}, {})])
        (person,) = [stored async for stored in writer.list("person")]
        await writer.aclose()
        return person.added

    added = asyncio.run(write())
    settings, later = demo(str(tmp_path))
    again = open_writer(settings, WriterContext(later, no_documents))

    assert added is not None
    assert later.now() > added
    assert asyncio.run(keys(again)) == ["p:s:1"]


def test_a_demo_that_is_killed_left_no_record_in_the_future(tmp_path: Path) -> None:
    clock = DemoClock(tmp_path / "clock.txt")
    asyncio.run(clock.sleep(86_400))
    clock.advance(5)

    assert DemoClock(tmp_path / "clock.txt").now() > clock.now()


def test_a_clock_file_that_cannot_be_read_starts_anew(tmp_path: Path) -> None:
    (tmp_path / "clock.txt").write_text("half a ti")

    assert DemoClock(tmp_path / "clock.txt").now() >= datetime(2026, 1, 5, 8, tzinfo=UTC)


async def asked(writer: PipedriveWriter) -> Any:
    try:
        return await writer.account()
    finally:
        await writer.aclose()


async def keys(writer: PipedriveWriter) -> list[str | None]:
    try:
        return [stored.key async for stored in writer.list("person")]
    finally:
        await writer.aclose()
