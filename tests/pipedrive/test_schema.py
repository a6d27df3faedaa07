"""Fields, pipelines, stages and activity types are created, found, changed and taken away."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from flitstack.errors import Rejected
from flitstack.protocols import SchemaItem

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from flitstack.protocols import JSON
    from flitstack_pipedrive.destination import PipedriveWriter

    Use = Callable[[PipedriveWriter, Callable[[Any], Coroutine[Any, Any, None]]], None]


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
