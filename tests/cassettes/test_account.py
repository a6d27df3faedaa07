"""On the wire: whose account it is, who its users are, and its schema made, read, changed and removed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.cassettes.taping import Actor, Tape


@pytest.mark.cassette("account")
def test_the_account_says_who_it_is_and_what_it_has_room_for(tape: Tape) -> None:
    async def scenario(actor: Actor) -> None:
        account = await actor.writer.account()
        users = await actor.writer.users()

        assert account.user.is_admin
        assert account.user.id in {user.id for user in users if user.active}
        assert account.daily_budget == 7 * 30_000
        assert 0 < account.slots["field"] <= 500
        assert account.facts["currency"]
        assert account.facts["time_zone"]
        assert all("@" in user.email for user in users)

    tape.play(scenario)


@pytest.mark.cassette("schema")
def test_fields_pipelines_stages_and_types_are_made_found_changed_and_removed(tape: Tape) -> None:
    async def scenario(actor: Actor) -> None:
        made: dict[str, tuple[str, str]] = {}

        async def make(object: str, name: str, of: str, **settings: Any) -> None:
            id = await actor.apply("create", object, {"name": name, "of": of, **settings})
            made[f"{object}/{of}/{name}"] = (object, id)

        for of in ("person", "organization", "deal"):
            await make("field", "Source_System_ID__c", of, type="varchar")
        await make("field", "Recall_Type__c", "person", type="set", options=["Hygiene", "Perio"])
        await make("pipeline", "Treatment Plans", "")
        await make("stage", "Proposed", "Treatment Plans")
        await make("stage", "Accepted", "Treatment Plans")
        await make("activity_type", "Hygiene visit", "", icon="bell")
        found = {item.key: item for item in await actor.writer.schema()}

        assert {key: id for key, (_, id) in made.items()} == {key: found[key].id for key in made}
        assert found["field/person/Recall_Type__c"].settings["options"] == ["Hygiene", "Perio"]

        _, field = made["field/person/Recall_Type__c"]
        wanted: dict[str, Any] = {"name": "Recall_Type__c", "of": "person", "options": ["Hygiene", "Perio", "Ortho"]}
        await actor.apply("update", "field", wanted, id=field)
        _, stage = made["stage/Treatment Plans/Accepted"]
        await actor.apply("update", "stage", {"name": "Agreed", "of": "Treatment Plans"}, id=stage)
        changed = {item.id: item for item in await actor.writer.schema() if item.object in ("field", "stage")}
        assert changed[field].settings["options"] == ["Hygiene", "Perio", "Ortho"]
        assert changed[stage].name == "Agreed"

        for object, id in reversed(made.values()):
            await actor.apply("delete", object, {}, id=id)
        left = {item.key for item in await actor.writer.schema()}
        assert left.isdisjoint(made)

    tape.play(scenario)
