"""Fields, pipelines, stages and activity types are created, found, changed and taken away."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any, BinaryIO

import httpx
import pytest

from flitstack.errors import InDoubt, Rejected
from flitstack.protocols import SchemaItem, WriterContext
from flitstack.web.embedded import token_for
from flitstack_pipedrive.codec.fieldbook import CustomField, FieldBook
from flitstack_pipedrive.opening import open_writer
from flitstack_pipedrive.sandbox.app import Sandbox
from flitstack_pipedrive.wire import app_transport

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from pathlib import Path

    from flitstack.clock import VirtualClock
    from flitstack.protocols import JSON
    from flitstack_pipedrive.destination import PipedriveWriter

    Use = Callable[[PipedriveWriter, Callable[[Any], Coroutine[Any, Any, None]]], None]


def open_nothing(path: str) -> BinaryIO:
    raise FileNotFoundError(path)


def test_every_kind_of_schema_item_is_found_under_its_key(writer: PipedriveWriter, use: Use) -> None:
    async def scenario(account: Any) -> None:
        found = {item.key: item for item in await writer.schema()}

        assert found["field/person/Recall_Type__c"].settings == {"type": "set", "options": ["Hygiene", "Perio"]}
        assert found["pipeline//Treatment Plans"].id == account.ids["pipeline"]
        assert found["stage/Treatment Plans/Proposed"].id == account.ids["stage"]
        assert found["activity_type//Hygiene"].settings["icon"] == "bell"
        for object in ("field", "pipeline", "stage", "activity_type"):
            listed = await account.read(object)
            assert {item.id for item in found.values() if item.object == object} == set(listed)
            assert list(await writer.get_many(object, list(listed))) == list(listed.values())

    use(writer, scenario)


def test_options_are_added_and_removed_without_touching_the_others(writer: PipedriveWriter, use: Use) -> None:
    async def scenario(account: Any) -> None:
        items = {item.key: item for item in await writer.schema()}
        id = items["field/person/Recall_Type__c"].id

        await account.apply("update", "field", {"options": ["Hygiene", "Perio", "Ortho"]}, id=id)
        await account.apply("create", "person", {"name": "Ann Example", "Recall_Type__c": ["Ortho"]})
        await account.apply("update", "field", {"remove_options": ["Hygiene"]}, id=id)

        items = {item.key: item for item in await writer.schema()}
        assert items["field/person/Recall_Type__c"].settings["options"] == ["Perio", "Ortho"]

    use(writer, scenario)


def test_a_stage_finds_its_pipeline_by_the_name_the_spec_uses(writer: PipedriveWriter, use: Use) -> None:
    async def scenario(account: Any) -> None:
        bound = SchemaItem("pipeline", "Plans (old)", id=account.ids["pipeline"])
        writer.bind({"pipeline//Plans": bound})

        await account.apply("create", "stage", {"name": "Accepted", "of": "Plans"})

        items = {item.key for item in await writer.schema()}
        assert "stage/Treatment Plans/Accepted" in items

    use(writer, scenario)


@pytest.mark.parametrize(
    ("object", "fields"),
    [
        ("field", {"name": "X", "of": "activity", "type": "text"}),
        ("field", {"name": "X", "of": "person", "type": "boolean"}),
        ("stage", {"name": "X", "of": "No such pipeline"}),
        ("activity_type", {"name": "X", "icon": "unicorn"}),
    ],
)
def test_a_schema_item_that_cannot_be_is_rejected_with_what_could(
    object: str, fields: dict[str, JSON], writer: PipedriveWriter, use: Use
) -> None:
    async def scenario(account: Any) -> None:
        error, _ = await account.attempt("create", object, fields)

        assert isinstance(error, Rejected)
        assert error.code == "schema_unfit"

    use(writer, scenario)


def test_a_whole_schema_can_be_taken_away_again(writer: PipedriveWriter, use: Use) -> None:
    async def scenario(account: Any) -> None:
        ours = [item for item in await writer.schema() if item.object == "field"]
        for item in ours:
            await account.apply("delete", "field", {}, id=item.id)
        for object, name in (("activity_type", "type"), ("stage", "stage"), ("pipeline", "pipeline")):
            await account.apply("update", object, {"name": "Renamed"}, id=account.ids[name])
            await account.apply("delete", object, {}, id=account.ids[name])

        left = await writer.schema()
        assert not [item for item in left if item.object == "field" or item.name in ("Renamed", "Hygiene")]

    use(writer, scenario)


async def rename_option(account: Path, clock: VirtualClock, field: str, old: str, new: str) -> None:
    """Do what somebody does in the account's settings."""
    with Sandbox(str(account), plan="ultimate", seats=1, clock=clock) as sandbox:
        headers = {"x-api-token": token_for(sandbox.users, "")}
        transport = app_transport(sandbox.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://account.example", headers=headers) as human:
            path = f"/api/v2/personFields/{field}"
            found = (await human.get(path)).json()["data"]["options"]
            (id,) = [option["id"] for option in found if option["label"] == old]
            (await human.patch(f"{path}/options", json=[{"id": id, "label": new}])).raise_for_status()


def test_an_option_that_somebody_renamed_is_the_one_our_records_know(
    writer: PipedriveWriter,
    use: Use,
    make_account: Any,
    sandbox_file: Path,
    clock: VirtualClock,
) -> None:
    kept: dict[str, Any] = {}

    async def load(account: Any) -> None:
        items = {item.key: item for item in await writer.schema()}
        writer.bind({key: item for key, item in items.items() if item.object == "field"})
        kept["id"] = items["field/person/Recall_Type__c"].id
        kept["person"] = await account.apply("create", "person", {"name": "Ann", "Recall_Type__c": ["Hygiene"]})
        kept["learned"] = json.loads(json.dumps(writer.learned()))

    use(writer, load)
    given = {"base_url": f"sandbox:{sandbox_file}?plan=ultimate&seats=1"}
    later = open_writer(given, WriterContext(clock, open_nothing, learned=kept["learned"]))

    async def look() -> None:
        await rename_option(sandbox_file, clock, str(kept["id"]), "Hygiene", "Cleaning")
        items = {item.key: item for item in await later.schema()}
        field = items["field/person/Recall_Type__c"]
        assert field.settings["options"] == ["Hygiene", "Perio"]
        assert field.settings["renamed"] == {"Hygiene": "Cleaning"}
        account = make_account(later, count=900)
        for label in ("Hygiene", "Cleaning"):
            await account.apply("create", "person", {"name": label, "Recall_Type__c": [label]})
        held = [stored.fields.get("Recall_Type__c") for stored in (await account.read("person")).values()]
        assert [one for one in held if one] == [["Hygiene"]] * 3
        await later.aclose()

    asyncio.run(look())


def test_a_label_that_another_option_bears_by_now_is_that_options() -> None:
    field = CustomField("person", "c" * 40, "Recall", "enum", {"Hygiene": 1, "Perio": 2})
    book = FieldBook()
    book.replace_all("person", [field])
    book.bind("person", "Recall", field.item())

    book.replace_all("person", [replace(field, options={"Old": 1, "Hygiene": 2, "New": 3})])

    known = book.named("person")["Recall"]
    assert [known.option_label(id) for id in (1, 2, 3)] == ["Old", "Perio", "New"]
    assert known.option_id("Hygiene") == 2


STAGES = [
    ("made with the pipeline", "2026-03-02T09:00:01Z", None, True),
    ("made with the pipeline, touched by its making", "2026-03-02T09:00:00Z", "2026-03-02T09:00:01Z", True),
    ("made later", "2026-03-02T09:00:09Z", None, False),
    ("renamed since", "2026-03-02T09:00:00Z", "2026-03-05T09:00:00Z", False),
    ("of unknown age", None, None, False),
]


@pytest.mark.parametrize(("case", "made", "changed", "is_theirs"), STAGES)
def test_a_stage_that_the_account_put_into_a_new_pipeline_itself_is_known(
    writer_on: Callable[..., PipedriveWriter], case: str, made: str | None, changed: str | None, is_theirs: bool
) -> None:
    answers: dict[str, Any] = {
        "me": {"id": 1, "company_id": 1},
        "pipelines": [{"id": 1, "name": "P", "add_time": "2026-03-02T09:00:00Z"}],
        "stages": [{"id": 2, "name": case, "pipeline_id": 1, "add_time": made, "update_time": changed}],
    }

    def serve(request: httpx.Request) -> httpx.Response:
        data = answers.get(request.url.path.rpartition("/")[2], [])
        return httpx.Response(200, json={"success": True, "data": data})

    items = asyncio.run(writer_on(httpx.MockTransport(serve), api_token="t").schema())

    assert [item.came_along for item in items if item.object == "stage"] == [is_theirs]


SILENT: list[tuple[str, str, dict[str, Any], Any]] = [
    ("create", "field", {"name": "F", "of": "person", "type": "varchar"}, None),
    ("create", "field", {"name": "F", "of": "person", "type": "varchar"}, {"id": 3}),
    ("create", "field", {"name": "F", "of": "person", "type": "enum", "options": ["a"]}, None),
    ("update", "field", {"options": ["a", "b"]}, None),
    ("create", "pipeline", {"name": "P"}, None),
    ("create", "pipeline", {"name": "P"}, []),
    ("create", "activity_type", {"name": "T"}, {"id": 4}),
]


@pytest.mark.parametrize(("verb", "object", "fields", "data"), SILENT)
def test_a_schema_item_whose_answer_does_not_describe_it_is_in_doubt(
    writer_on: Callable[..., PipedriveWriter],
    make_account: Any,
    verb: str,
    object: str,
    fields: dict[str, JSON],
    data: Any,
) -> None:
    field = {"field_code": "c" * 40, "field_name": "G", "field_type": "set", "is_custom_field": True, "options": []}

    def serve(request: httpx.Request) -> httpx.Response:
        if request.method != "GET":
            return httpx.Response(200, json={"success": True, "data": data})
        me = {"id": 1, "company_id": 1}
        return httpx.Response(200, json={"success": True, "data": me if request.url.path.endswith("me") else [field]})

    account = make_account(writer_on(httpx.MockTransport(serve), api_token="t"))
    id = "c" * 40 if verb == "update" else None

    error, _ = asyncio.run(account.attempt(verb, object, fields, id=id))

    assert isinstance(error, InDoubt)
