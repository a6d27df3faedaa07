"""Records of the imitated account: what is refused, what a batch says of each, pages, unique values, archiving."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flitstack_hubspot.behaviours import behaviours
from flitstack_hubspot.sandbox.errors import ApiError
from flitstack_hubspot.sandbox.types import native_properties
from flitstack_hubspot.sandbox.values import stored

if TYPE_CHECKING:
    from tests.hubspot_sandbox.conftest import Http

    from flitstack.clock import VirtualClock
else:
    Http = VirtualClock = object

DAY_S = 86_400.0
CREATE = "/crm/v3/objects/contacts/batch/create"
KEY = {"name": "key", "label": "Key", "type": "string", "fieldType": "text", "groupName": "contactinformation"}
TYPES = {"associationCategory": "HUBSPOT_DEFINED"}


def code(answer: Any) -> str:
    """Return the code of the first error of an answer."""
    return str(answer.json()["errors"][0]["code"])


@pytest.mark.parametrize(
    ("properties", "wanted"),
    [
        ({"nobody": "1"}, "PROPERTY_DOESNT_EXIST"),
        ({"lastname": 7}, "INVALID_TYPE"),
        ({"email": "no address"}, "INVALID_EMAIL"),
        ({"lifecyclestage": "patient"}, "INVALID_OPTION"),
        ({"hs_object_id": "1"}, "READ_ONLY_VALUE"),
        ({"hubspot_owner_id": "1"}, "INVALID_OWNER_ID"),
        ({"lastname": "x" * 65_537}, "INVALID_LENGTH"),
    ],
)
def test_a_property_that_does_not_fit_is_refused(http: Http, properties: dict[str, Any], wanted: str) -> None:
    answer = http.batch(CREATE, {"properties": properties})

    assert (answer.status_code, code(answer)) == (400, wanted)
    assert not http.sandbox.dump()["contacts"]


def test_without_trace_ids_one_wrong_record_fails_the_batch(http: Http) -> None:
    answer = http.batch(CREATE, {"properties": {"lastname": "A"}}, {"properties": {"nobody": "1"}})

    assert answer.status_code == 400
    assert not http.sandbox.dump()["contacts"]


def test_with_trace_ids_each_record_has_its_own_result(http: Http) -> None:
    answer = http.batch(
        CREATE,
        {"objectWriteTraceId": "1", "properties": {"lastname": "A"}},
        {"objectWriteTraceId": "2", "properties": {"nobody": "1"}},
    )

    body = answer.json()
    assert (answer.status_code, body["numErrors"]) == (207, 1)
    assert [one["objectWriteTraceId"] for one in body["results"]] == ["1"]
    assert body["errors"][0]["context"] == {"objectWriteTraceId": ["2"]}


@pytest.mark.parametrize("count", [0, 101])
def test_a_batch_holds_one_to_a_hundred(http: Http, count: int) -> None:
    assert http.batch(CREATE, *({"properties": {"lastname": "A"}} for _ in range(count))).status_code == 400


def test_an_unknown_word_in_a_body_is_refused(http: Http) -> None:
    assert http.batch(CREATE, {"properties": {}, "extra": 1}).status_code == 400


def test_an_email_address_is_one_contacts_until_that_one_is_archived(http: Http) -> None:
    id = http.make("contacts", email="Family@Post.example")

    refused = http.batch(CREATE, {"properties": {"email": "family@post.example"}})
    assert (refused.status_code, refused.json()["category"]) == (409, "CONFLICT")

    http.batch("/crm/v3/objects/contacts/batch/archive", {"id": id})
    assert http.batch(CREATE, {"properties": {"email": "family@post.example"}}).status_code == 201


def test_a_unique_property_is_kept_unique_and_finds_its_record(http: Http) -> None:
    http.send("POST", "/crm/v3/properties/contacts", {**KEY, "hasUniqueValue": True})
    id = http.make("contacts", key="p:1")

    assert code(http.batch(CREATE, {"properties": {"key": "p:1"}})) == "CONFLICTING_UNIQUE_VALUE"
    found = http.batch("/crm/v3/objects/contacts/batch/read", {"id": "p:1"}, {"id": "p:2"}, idProperty="key")
    assert found.status_code == 207
    assert [one["id"] for one in found.json()["results"]] == [id]
    assert found.json()["errors"][0]["context"] == {"ids": ["p:2"]}


def test_an_upsert_makes_once_and_changes_after(http: Http) -> None:
    http.send("POST", "/crm/v3/properties/contacts", {**KEY, "hasUniqueValue": True})
    path = "/crm/v3/objects/contacts/batch/upsert"

    first = http.batch(path, {"id": "p:1", "idProperty": "key", "properties": {"lastname": "A"}})
    second = http.batch(path, {"id": "p:1", "idProperty": "key", "properties": {"lastname": "B"}})

    assert [one.json()["results"][0]["new"] for one in (first, second)] == [True, False]
    (contact,) = http.sandbox.dump()["contacts"]
    assert contact["properties"] == {"lastname": "B", "key": "p:1"}


def test_reading_by_a_property_that_is_not_unique_is_refused(http: Http) -> None:
    answer = http.batch("/crm/v3/objects/contacts/batch/read", {"id": "A"}, idProperty="lastname")

    assert code(answer) == "INVALID_ID_PROPERTY"


def test_pages_follow_each_other_and_hold_every_record_once(http: Http) -> None:
    ids = [http.make("companies", name=f"Company {n}") for n in range(7)]
    seen: list[str] = []
    after = "0"
    while True:
        page = http.send("GET", f"/crm/v3/objects/companies?limit=3&after={after}&properties=name").json()
        seen += [one["id"] for one in page["results"]]
        if "paging" not in page:
            break
        after = page["paging"]["next"]["after"]

    assert seen == ids
    assert http.send("GET", "/crm/v3/objects/companies?limit=101").status_code == 400


def test_a_list_may_show_a_record_late_and_a_read_never_does(http: Http, clock: VirtualClock) -> None:
    http.sandbox.account.switches.list_lag_s = 5.0
    id = http.make("companies", name="New")

    assert not http.send("GET", "/crm/v3/objects/companies").json()["results"]
    assert http.batch("/crm/v3/objects/companies/batch/read", {"id": id}).json()["results"]
    clock.advance(5.0)
    assert len(http.send("GET", "/crm/v3/objects/companies").json()["results"]) == 1


def test_an_activity_needs_its_time_and_takes_only_associations_of_its_own(http: Http) -> None:
    contact = http.make("contacts", lastname="A")
    path = "/crm/v3/objects/notes/batch/create"
    to = {"to": {"id": contact}, "types": [{**TYPES, "associationTypeId": 202}]}
    wrong = {"to": {"id": contact}, "types": [{**TYPES, "associationTypeId": 194}]}  # that of a call
    timed = {"hs_timestamp": "2026-01-01T00:00:00Z", "hs_note_body": "x"}

    assert code(http.batch(path, {"properties": {"hs_note_body": "x"}, "associations": [to]})) == "REQUIRED_FIELD"
    assert code(http.batch(path, {"properties": timed, "associations": [wrong]})) == "INVALID_ASSOCIATION_TYPE"
    gone = {"to": {"id": "999999"}, "types": to["types"]}
    assert http.batch(path, {"properties": timed, "associations": [gone]}).status_code == 404
    assert http.batch(path, {"properties": timed, "associations": [to]}).status_code == 201


def test_a_deal_stands_in_a_stage_of_its_pipeline_only(http: Http) -> None:
    path = "/crm/v3/objects/deals/batch/create"

    assert http.batch(path, {"properties": {"dealname": "A", "dealstage": "nowhere"}}).status_code == 400
    assert http.batch(path, {"properties": {"dealname": "A", "dealstage": "closedwon"}}).status_code == 201
    (deal,) = http.sandbox.dump()["deals"]
    assert deal["properties"]["pipeline"] == "default"


def test_an_empty_text_clears_a_property(http: Http) -> None:
    id = http.make("contacts", lastname="A", phone="1")

    http.batch("/crm/v3/objects/contacts/batch/update", {"id": id, "properties": {"phone": ""}})

    (contact,) = http.sandbox.dump()["contacts"]
    assert contact["properties"] == {"lastname": "A"}


def test_the_account_is_the_same_after_it_was_closed(tmp_path: Any) -> None:
    from tests.hubspot_sandbox.conftest import Http as Client

    from flitstack_hubspot.sandbox.app import Sandbox

    file = str(tmp_path / "account.db")
    with Sandbox(file) as first:
        Client(first).make("contacts", lastname="Kept")
        state, users = first.dump(), first.users
    with Sandbox(file) as second:
        assert (second.dump(), second.users) == (state, users)


@given(st.text(max_size=30), st.sampled_from(native_properties("contacts") + native_properties("meetings")))
def test_any_text_is_kept_or_refused_and_what_is_kept_stays_as_it_is(text: str, definition: dict[str, Any]) -> None:
    try:
        once = stored(definition, text)
    except ApiError:
        return
    assert stored(definition, once) == once


def test_the_bin_gives_records_back_for_as_long_as_is_declared(http: Http, clock: VirtualClock) -> None:
    http.send("POST", "/crm/v3/properties/contacts", {**KEY, "hasUniqueValue": True})
    first, second = (http.make("contacts", lastname=name, key=name) for name in ("A", "B"))
    http.batch("/crm/v3/objects/contacts/batch/archive", {"id": first}, {"id": second})
    records, days = http.sandbox.api.records, behaviours().objects["contact"].restore_days
    in_bin = [one["id"] for one in http.sandbox.dump(archived=True)["contacts"]]

    clock.advance((days - 1) * DAY_S)
    back = records.restore("contacts", first), records.restore("contacts", first)
    held = [(one["id"], one["properties"]["key"]) for one in http.sandbox.dump()["contacts"]]
    again = http.batch(CREATE, {"properties": {"lastname": "A", "key": "A"}})
    clock.advance(2 * DAY_S)

    assert (in_bin, back, held) == ([first, second], (True, False), [(first, "A")])
    assert code(again) == "CONFLICTING_UNIQUE_VALUE"
    assert not records.restore("contacts", second)
