"""Custom fields: keys, options, the cap of the plan, and what a value of each type looks like."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from flitstack_pipedrive.sandbox.app import Sandbox

FIELDS = "/api/v2/personFields"
PERSONS = "/api/v2/persons"
TYPES = (
    "varchar varchar_auto text double monetary date daterange time timerange enum set phone address user org people"
).split()


def test_a_field_gets_a_hash_key_that_differs_per_account(
    open_sandbox: Callable[..., Sandbox], sign_in: Callable[..., httpx.Client]
) -> None:
    body = {"field_name": "Recall_Type__c", "field_type": "varchar"}

    codes = [
        sign_in(open_sandbox(seed=seed)).post(FIELDS, json=body).json()["data"]["field_code"] for seed in (1, 2, 1)
    ]

    assert all(re.fullmatch(r"[0-9a-f]{40}", code) for code in codes)
    assert codes[0] == codes[2] != codes[1]


@pytest.mark.parametrize("kind", TYPES)
def test_all_sixteen_types_can_be_created(add_field: Callable[..., dict[str, Any]], kind: str) -> None:
    options = {"options": [{"label": "One"}]} if kind in ("enum", "set") else {}

    field = add_field("deal", kind, "Any", **options)

    assert (field["field_type"], field["is_custom_field"]) == (kind, True)


@pytest.mark.parametrize(
    "body",
    [
        {"field_name": "A"},
        {"field_type": "varchar"},
        {"field_name": "A", "field_type": "boolean"},
        {"field_name": "A" * 256, "field_type": "varchar"},
        {"field_name": "A", "field_type": "enum"},
        {"field_name": "A", "field_type": "enum", "options": []},
        {"field_name": "A", "field_type": "enum", "options": ["One"]},
        {"field_name": "A", "field_type": "enum", "options": [{"label": ""}]},
        {"field_name": "A", "field_type": "set", "options": [{"label": "x" * 256}]},
        {"field_name": "A", "field_type": "set", "options": [{"label": "x"}, {"label": "x"}]},
        {"field_name": "A", "field_type": "varchar", "options": [{"label": "One"}]},
        {"field_name": "A", "field_type": "varchar", "description": "only deal fields have one"},
    ],
)
def test_a_field_that_the_api_does_not_take_is_refused(admin: httpx.Client, body: dict[str, Any]) -> None:
    assert admin.post(FIELDS, json=body).status_code == 400


def test_fields_are_listed_with_the_native_ones_by_cursor(
    admin: httpx.Client, add_field: Callable[..., dict[str, Any]]
) -> None:
    made = add_field("person", "varchar", "Mine")

    found, cursor = [], ""
    while True:
        page = admin.get(f"{FIELDS}?limit=5{cursor}").json()
        found += page["data"]
        if page["additional_data"]["next_cursor"] is None:
            break
        cursor = f"&cursor={page['additional_data']['next_cursor']}"

    assert found == admin.get(f"{FIELDS}?limit=500").json()["data"]
    assert found[-1]["field_code"] == made["field_code"]
    assert "name" in [field["field_code"] for field in found]
    assert "id" not in found[-1]


def test_one_field_is_read_renamed_and_deleted_by_its_code(
    admin: httpx.Client, add_field: Callable[..., dict[str, Any]]
) -> None:
    path = f"{FIELDS}/{add_field('person', 'varchar', 'Old')['field_code']}"

    assert admin.patch(path, json={"field_name": "New"}).json()["data"]["field_name"] == "New"
    assert admin.get(path).json()["data"]["field_name"] == "New"
    assert admin.patch(path, json={"field_type": "text"}).status_code == 400
    assert admin.delete(path).status_code == 200
    assert admin.get(path).status_code == 404
    assert admin.get(f"{FIELDS}/name").json()["data"]["is_custom_field"] is False


def test_activity_fields_can_only_be_read(admin: httpx.Client) -> None:
    assert "due_date" in [field["field_code"] for field in admin.get("/api/v2/activityFields").json()["data"]]
    assert admin.post("/api/v2/activityFields", json={"field_name": "A", "field_type": "varchar"}).status_code == 501


def test_custom_fields_of_all_objects_together_are_capped_by_the_plan(
    open_sandbox: Callable[..., Sandbox], sign_in: Callable[..., httpx.Client], clock: Any
) -> None:
    client = sign_in(open_sandbox(plan="lite"))
    body = {"field_name": "A", "field_type": "varchar"}
    for number in range(30):
        clock.advance(1)
        entity = ("person", "deal", "organization")[number % 3]
        last = client.post(f"/api/v2/{entity}Fields", json=body).json()["data"]["field_code"]

    refused = client.post(FIELDS, json=body)

    assert refused.status_code == 403
    assert refused.json()["code"] == "feature_capping_custom_fields_limit"
    client.delete(f"/api/v2/organizationFields/{last}")
    assert client.post(FIELDS, json=body).status_code == 200


def test_options_are_added_relabelled_and_deleted_all_or_none(
    admin: httpx.Client, add_field: Callable[..., dict[str, Any]]
) -> None:
    field = add_field("person", "set", "Recall", options=[{"label": "Prophy"}])
    path = f"{FIELDS}/{field['field_code']}/options"
    first = field["options"][0]["id"]

    added = admin.post(path, json=[{"label": "Perio"}, {"label": "X-ray"}]).json()["data"]
    assert [option["label"] for option in added] == ["Perio", "X-ray"]
    assert admin.patch(path, json=[{"id": first, "label": "Cleaning"}]).json()["data"] == [
        {"id": first, "label": "Cleaning"}
    ]
    assert admin.patch(path, json=[{"id": first, "label": "No"}, {"id": 1, "label": "No"}]).status_code == 400
    assert admin.request("DELETE", path, json=[{"id": added[0]["id"]}, {"id": 1}]).status_code == 400
    assert admin.request("DELETE", path, json=[{"id": added[0]["id"]}]).status_code == 200

    left = admin.get(f"{FIELDS}/{field['field_code']}").json()["data"]["options"]
    assert [option["label"] for option in left] == ["Cleaning", "X-ray"]


def test_a_field_without_a_choice_has_no_options(admin: httpx.Client, add_field: Callable[..., dict[str, Any]]) -> None:
    code = add_field("person", "varchar")["field_code"]

    assert admin.post(f"{FIELDS}/{code}/options", json=[{"label": "A"}]).status_code == 400


VALUES: list[tuple[str, Any, Any]] = [
    ("varchar", "a", "a"),
    ("varchar_auto", "a", "a"),
    ("text", "x" * 65_535, "x" * 65_535),
    ("phone", "+1 555 0100", "+1 555 0100"),
    ("double", 12.5, 12.5),
    ("monetary", {"value": 500, "currency": "USD"}, {"value": 500, "currency": "USD"}),
    ("date", "2024-02-29", "2024-02-29"),
    (
        "daterange",
        {"value": "2024-01-01", "until": "2024-01-31"},
        {"value": "2024-01-01", "until": "2024-01-31"},
    ),
    (
        "time",
        {"value": "09:00", "timezone_name": "Europe/London"},
        {"value": "09:00:00", "timezone_name": "Europe/London"},
    ),
    ("time", {"value": "09:00:00"}, {"value": "09:00:00", "timezone_name": "America/New_York"}),
    (
        "timerange",
        {"value": "09:00:00", "until": "10:00:00", "timezone_name": "UTC"},
        {"value": "09:00:00", "until": "10:00:00", "timezone_name": "UTC"},
    ),
    ("user", 1, 1),
    ("people", 1, 1),
    ("varchar", None, None),
    ("set", None, None),
]


@pytest.mark.parametrize(("kind", "sent", "stored"), VALUES)
def test_a_right_value_is_stored(
    admin: httpx.Client, person: int, add_field: Callable[..., dict[str, Any]], kind: str, sent: Any, stored: Any
) -> None:
    options = {"options": [{"label": "One"}]} if kind == "set" else {}
    code = add_field("person", kind, **options)["field_code"]

    answer = admin.patch(f"{PERSONS}/{person}", json={"custom_fields": {code: sent}})

    assert answer.json()["data"]["custom_fields"] == {code: stored}


def test_an_address_is_stored_with_all_its_parts(
    admin: httpx.Client, person: int, add_field: Callable[..., dict[str, Any]]
) -> None:
    code = add_field("person", "address")["field_code"]

    answer = admin.patch(f"{PERSONS}/{person}", json={"custom_fields": {code: {"value": "1 Road", "locality": "X"}}})

    stored = answer.json()["data"]["custom_fields"][code]
    assert (stored["value"], stored["locality"], stored["postal_code"]) == ("1 Road", "X", None)
    assert stored["formatted_address"] == "1 Road"


def test_a_bare_address_line_may_come_back_with_parts_found_in_it(
    admin: httpx.Client, person: int, add_field: Callable[..., dict[str, Any]]
) -> None:
    code = add_field("person", "address")["field_code"]
    line = {"value": "12345 Main Road, Springfield 00001"}

    answer = admin.patch(f"{PERSONS}/{person}", json={"custom_fields": {code: line}})

    stored = answer.json()["data"]["custom_fields"][code]
    assert (stored["value"], stored["postal_code"]) == (line["value"], "00001")


WRONG: list[tuple[str, Any]] = [
    ("varchar", 1),
    ("varchar", "x" * 256),
    ("varchar_auto", "x" * 256),
    ("phone", "1" * 256),
    ("phone", [{"value": "1"}]),
    ("text", "x" * 65_536),
    ("double", "12.5"),
    ("double", 10**14),
    ("double", True),
    ("monetary", 500),
    ("monetary", {"value": 500}),
    ("monetary", {"value": "500", "currency": "USD"}),
    ("monetary", {"value": 500, "currency": "XXX"}),
    ("date", "01/02/2024"),
    ("date", ""),
    ("date", "2024-02-30"),
    ("daterange", {"value": "2024-01-01"}),
    ("time", "09:00:00"),
    ("time", {"value": "09:00", "timezone_name": "Mars/Base"}),
    ("timerange", {"value": "09:00:00"}),
    ("enum", "One"),
    ("enum", 1),
    ("enum", "100"),
    ("set", []),
    ("set", 100),
    ("set", [1]),
    ("set", "100"),
    ("address", "1 Road"),
    ("address", {"locality": "X"}),
    ("user", 99),
    ("people", 99),
    ("org", 99),
    ("org", "1"),
]


@pytest.mark.parametrize(("kind", "wrong"), WRONG)
def test_a_wrong_value_refuses_the_whole_request_and_names_the_key(
    admin: httpx.Client, person: int, add_field: Callable[..., dict[str, Any]], kind: str, wrong: Any
) -> None:
    options = {"options": [{"label": "One"}]} if kind in ("enum", "set") else {}
    code = add_field("person", kind, **options)["field_code"]

    answer = admin.patch(f"{PERSONS}/{person}", json={"name": "Changed", "custom_fields": {code: wrong}})

    assert answer.status_code == 400
    assert code in answer.json()["error"]
    assert answer.json()["code"] == "ERR_SCHEMA_VALIDATION_FAILED"
    assert admin.get(f"{PERSONS}/{person}").json()["data"]["name"] == "Robin Example"


def test_a_number_for_a_link_is_asked_for_in_the_observed_words(
    admin: httpx.Client, add_field: Callable[..., dict[str, Any]]
) -> None:
    code = add_field("organization", "double")["field_code"]

    answer = admin.post("/api/v2/organizations", json={"name": "A", "custom_fields": {code: "1"}})

    assert f"Expected 'number' as value for organization custom field '{code}'" in answer.json()["error"]


def test_an_unknown_key_refuses_the_whole_request(
    admin: httpx.Client, add_field: Callable[..., dict[str, Any]]
) -> None:
    other = add_field("deal", "varchar")["field_code"]

    for key in ("title", other):
        answer = admin.post(PERSONS, json={"name": "A", "custom_fields": {key: "x"}})
        assert answer.json()["error"] == f"Validation failed: custom_fields: Unknown key '{key}'"
    assert admin.get(PERSONS).json()["data"] == []


def test_options_are_stored_by_id_without_their_order_and_labelled_on_request(
    admin: httpx.Client, add_field: Callable[..., dict[str, Any]]
) -> None:
    field = add_field("person", "set", "Recall", options=[{"label": "Prophy"}, {"label": "Perio"}])
    one, two = (option["id"] for option in field["options"])
    code = field["field_code"]

    person = admin.post(PERSONS, json={"name": "A", "custom_fields": {code: [two, one, two]}}).json()["data"]
    labelled = admin.get(f"{PERSONS}/{person['id']}?include_option_labels=true").json()["data"]

    assert person["custom_fields"][code] == [one, two]
    assert labelled["custom_fields"][code] == [{"id": one, "label": "Prophy"}, {"id": two, "label": "Perio"}]


def test_an_update_leaves_the_custom_fields_it_does_not_name(
    admin: httpx.Client, person: int, add_field: Callable[..., dict[str, Any]]
) -> None:
    one, two = (add_field("person", "varchar", name)["field_code"] for name in ("One", "Two"))
    admin.patch(f"{PERSONS}/{person}", json={"custom_fields": {one: "a", two: "b"}})

    changed = admin.patch(f"{PERSONS}/{person}", json={"custom_fields": {two: None}}).json()["data"]

    assert changed["custom_fields"] == {one: "a", two: None}


def test_values_go_with_a_deleted_option_and_a_deleted_field(
    admin: httpx.Client, add_field: Callable[..., dict[str, Any]]
) -> None:
    field = add_field("person", "set", "Recall", options=[{"label": "Prophy"}, {"label": "Perio"}])
    code, (one, two) = field["field_code"], (option["id"] for option in field["options"])
    person = admin.post(PERSONS, json={"name": "A", "custom_fields": {code: [one, two]}}).json()["data"]
    path = f"{PERSONS}/{person['id']}"

    admin.request("DELETE", f"{FIELDS}/{code}/options", json=[{"id": one}])
    assert admin.get(path).json()["data"]["custom_fields"] == {code: [two]}
    admin.delete(f"{FIELDS}/{code}")

    assert admin.get(path).json()["data"]["custom_fields"] == {}
    assert admin.patch(path, json={"custom_fields": {code: [two]}}).status_code == 400


def test_a_read_can_ask_for_at_most_fifteen_custom_fields(
    admin: httpx.Client, person: int, add_field: Callable[..., dict[str, Any]]
) -> None:
    one, two = (add_field("person", "varchar", name)["field_code"] for name in ("One", "Two"))
    admin.patch(f"{PERSONS}/{person}", json={"custom_fields": {one: "a", two: "b"}})

    assert admin.get(f"{PERSONS}?custom_fields={two}").json()["data"][0]["custom_fields"] == {two: "b"}
    assert admin.get(f"{PERSONS}?custom_fields={','.join(['k'] * 16)}").status_code == 400
