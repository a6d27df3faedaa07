"""Whose account it is, who owns what, what its schema holds, and how its limits are kept."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from flitstack.clock import VirtualClock
from flitstack.errors import AuthError, BudgetExhausted, ConfigurationError, InDoubt, Rejected, SettingsError
from flitstack_hubspot.account import read_room
from flitstack_hubspot.answers import Call
from flitstack_hubspot.client import Client
from flitstack_hubspot.sandbox.app import Sandbox
from flitstack_hubspot.settings import Settings, parse_settings
from flitstack_hubspot.wire import app_transport

if TYPE_CHECKING:
    from tests.hubspot.conftest import Desk
else:
    Desk = object


def test_the_account_names_itself_its_currency_its_zone_and_who_made_the_token(desk: Desk) -> None:
    account = desk.do(desk.writer.account())

    assert (account.id, account.daily_budget) == ("4815162", 650_000)
    assert account.facts["currency"] == "USD"
    assert account.facts["time_zone"] == "US/Eastern"
    assert (account.user.email, account.user.is_admin) == ("alex.admin@practice.example", True)


def test_it_says_what_there_is_room_for_and_what_it_does_not_say(desk: Desk) -> None:
    desk.sandbox.account.switches.properties, desk.sandbox.account.switches.pipelines = 12, 3
    account = desk.do(desk.writer.account())

    assert account.slots == {"field": 12, "pipeline": 2}
    assert "association labels" in account.compromises[0]
    assert "pipelines" not in account.compromises[0]


@pytest.mark.parametrize("status", [403, 404])
def test_an_account_that_keeps_its_limits_to_itself_is_no_error(status: int) -> None:
    import asyncio

    body = {"status": "error", "category": "MISSING_SCOPES", "message": "no"}
    transport = httpx.MockTransport(lambda _: httpx.Response(status, json=body))
    client = Client(Settings("pat", host="http://localhost"), VirtualClock(datetime(2026, 7, 1, tzinfo=UTC)), transport)

    slots, unsaid = asyncio.run(read_room(client))

    assert slots == {}
    assert unsaid.startswith("custom properties and pipelines")


def test_owners_who_left_are_listed_as_such(desk: Desk) -> None:
    users = {user.email: user for user in desk.do(desk.writer.users())}

    assert not users["dana.departed@practice.example"].active
    assert users["sam.staff@practice.example"].active
    assert not users["sam.staff@practice.example"].is_admin


def test_a_token_of_somebody_who_is_no_super_admin_is_refused(sandbox: Sandbox, clock: VirtualClock) -> None:
    from flitstack_hubspot.destination import HubSpotWriter

    settings = Settings(sandbox.users[1]["token"], host="http://localhost")
    writer = HubSpotWriter(Client(settings, clock, app_transport(sandbox.app)), settings, open)  # type: ignore[arg-type]

    import asyncio

    with pytest.raises(AuthError, match="super admin"):
        asyncio.run(writer.account())


def test_a_wrong_token_is_said_once_and_clearly(sandbox: Sandbox, clock: VirtualClock) -> None:
    import asyncio

    client = Client(Settings("pat-wrong", host="http://localhost"), clock, app_transport(sandbox.app))

    with pytest.raises(AuthError, match="HUBSPOT_ACCESS_TOKEN"):
        asyncio.run(client.send(Call("GET", "/account-info/v3/details", scope="account")))


def test_a_missing_scope_is_named() -> None:
    import asyncio

    body = {"status": "error", "category": "MISSING_SCOPES", "errors": [{"context": {"requiredScopes": ["files"]}}]}
    transport = httpx.MockTransport(lambda _: httpx.Response(403, json=body))
    client = Client(Settings("pat", host="http://localhost"), VirtualClock(datetime(2026, 7, 1, tzinfo=UTC)), transport)

    with pytest.raises(AuthError, match=r"\(files\)"):
        asyncio.run(client.send(Call("POST", "/files/v3/files")))


def test_the_schema_lists_what_was_made_and_nothing_of_hubspots_own(desk: Desk) -> None:
    made = desk.set_up()

    found = {item.key: item for item in desk.do(desk.writer.schema())}

    assert {key: found[key].id for key in made} == made
    assert "field/contact/email" not in found
    assert found["field/contact/recall_type"].settings["options"] == ["Hygiene", "Perio; deep"]
    assert found["label/contact/Guarantor of"].id != found["label/contact/Guarantor"].id


def test_the_key_is_unique_where_hubspot_can_have_it_so(desk: Desk) -> None:
    desk.set_up()

    unique = {
        object: definition["hasUniqueValue"]
        for object in ("contacts", "companies", "deals", "meetings", "notes")
        if (definition := desk.sandbox.account.store.get(f"property:{object}", "source_system_id"))
    }

    assert unique == {"contacts": True, "companies": True, "deals": True, "meetings": False, "notes": False}


def test_a_key_property_that_need_not_be_unique_stops_the_run(desk: Desk) -> None:
    definition = {"label": "Key", "type": "string", "fieldType": "text", "groupName": "contactinformation"}
    desk.do(
        desk.client.send(Call("POST", "/crm/v3/properties/contacts", body={"name": "source_system_id", **definition}))
    )

    with pytest.raises(ConfigurationError, match="need not be unique"):
        desk.do(desk.writer.schema())


def test_further_options_are_added_and_the_old_ones_stay(ready: Desk) -> None:
    fields = {"name": "coverage", "of": "contact", "options": ["PPO", "Unknown", "Indemnity"]}

    (outcome,) = ready.apply(ready.operation("update", "field", fields, id="contact/coverage"))

    assert outcome.error is None
    found = {item.key: item for item in ready.do(ready.writer.schema())}
    assert found["field/contact/coverage"].settings["options"] == ["PPO", "Unknown", "Indemnity"]


@pytest.mark.parametrize(
    ("object", "fields"),
    [
        ("field", {"name": "Not a name", "of": "contact", "type": "string"}),
        ("field", {"name": "score", "of": "contact", "type": "monetary"}),
        ("field", {"name": "score", "of": "person", "type": "string"}),
        ("label", {"name": "Guarantor", "of": "contact", "to": "note"}),
        ("stage", {"name": "Late", "of": "No such pipeline"}),
    ],
)
def test_a_schema_item_that_cannot_be_is_refused_with_what_to_do(
    desk: Desk, object: str, fields: dict[str, Any]
) -> None:
    (outcome,) = desk.apply(desk.operation("create", object, fields))

    assert isinstance(outcome.error, Rejected)
    assert outcome.error.code == "schema_unfit"
    assert outcome.error.hint


def test_a_schema_item_that_is_there_already_is_looked_up(ready: Desk) -> None:
    (outcome,) = ready.apply(
        ready.operation("create", "field", {"name": "coverage", "of": "contact", "type": "string", "group": "moved"})
    )

    assert isinstance(outcome.error, InDoubt)


@pytest.mark.parametrize(
    "key", ["field/contact/balance", "label/contact/Guarantor", "stage/Plans/Open", "pipeline//Plans"]
)
def test_a_schema_item_can_be_taken_away_again(desk: Desk, key: str) -> None:
    made = desk.set_up()
    object, of, name = key.split("/", 2)
    fields: dict[str, Any] = {"name": name, "of": of}
    if object == "stage":
        fields["pipeline"] = made["pipeline//Plans"]

    (outcome,) = desk.apply(desk.operation("delete", object, fields, id=made[key]))

    assert outcome.error is None
    assert key not in {item.key for item in desk.do(desk.writer.schema())}


def test_the_window_is_kept_without_a_single_refusal(clock: VirtualClock) -> None:
    import asyncio

    with Sandbox(clock=clock, tier="free") as sandbox:
        settings = Settings(sandbox.users[0]["token"], host="http://localhost")
        client = Client(settings, clock, app_transport(sandbox.app))

        async def many() -> None:
            await asyncio.gather(
                *(client.send(Call("GET", "/account-info/v3/details", scope="account")) for _ in range(350))
            )

        asyncio.run(many())

        assert {status for _, _, status in sandbox.log} == {200}
        assert 30 <= clock.monotonic() <= 45


def test_the_account_states_a_larger_window_and_it_is_used(clock: VirtualClock) -> None:
    import asyncio

    with Sandbox(clock=clock, tier="enterprise") as sandbox:
        settings = Settings(sandbox.users[0]["token"], host="http://localhost")
        client = Client(settings, clock, app_transport(sandbox.app))
        asyncio.run(client.send(Call("GET", "/account-info/v3/details", scope="account")))

        assert client.window.limit > 180


def test_the_days_end_names_the_accounts_own_midnight(desk: Desk) -> None:
    desk.do(desk.writer.account())
    desk.client.day.remaining = 10

    with pytest.raises(BudgetExhausted) as stopped:
        desk.do(desk.writer.users()) if desk.writer._users is None else desk.do(desk.writer.schema())

    assert stopped.value.resets_at == datetime(2026, 7, 2, 4, tzinfo=UTC)  # midnight in the east of the United States


@pytest.mark.parametrize(
    "base_url", ["ftp://host", "https://host/crm", "https://user@host", "http://host.example", "sandbox:", "https://[x"]
)
def test_an_address_that_would_not_do_is_refused(base_url: str) -> None:
    with pytest.raises(SettingsError, match="base_url"):
        parse_settings({"access_token": "pat", "base_url": base_url})


@pytest.mark.parametrize("token", ["", "  ", "two words", "ümlaut"])
def test_a_token_that_is_none_is_refused_before_anything_is_sent(token: str) -> None:
    with pytest.raises(AuthError, match="HUBSPOT_ACCESS_TOKEN"):
        parse_settings({"access_token": token})


def test_the_token_is_in_no_representation_of_the_settings() -> None:
    assert "pat-secret" not in repr(parse_settings({"access_token": "pat-secret"}))
