"""Leads: v1 shapes, deal custom fields as top-level keys, and their own paging."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from flitstack.clock import VirtualClock

LEADS = "/v1/leads"


def make(client: httpx.Client, person: int, **body: Any) -> dict[str, Any]:
    lead: dict[str, Any] = client.post(LEADS, json={"title": "Whitening", "person_id": person, **body}).json()["data"]
    return lead


def test_a_lead_is_created_with_201_and_has_a_uuid(admin: httpx.Client, person: int) -> None:
    value = {"amount": 300.5, "currency": "USD"}

    answer = admin.post(LEADS, json={"title": "Whitening", "person_id": person, "value": value})

    lead = answer.json()["data"]
    assert answer.status_code == 201
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", lead["id"])
    assert (lead["value"], lead["source_name"], lead["origin"]) == (value, "API", "API")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", lead["add_time"])
    assert admin.get(f"{LEADS}/{lead['id']}").json()["data"] == lead


@pytest.mark.parametrize(
    "body",
    [
        {"title": "A"},
        {"person_id": 1},
        {"title": "", "person_id": 1},
        {"title": "A", "person_id": 99},
        {"title": "A", "organization_id": 99},
        {"title": "A", "person_id": 1, "add_time": "2020-01-01 00:00:00"},
        {"title": "A", "person_id": 1, "value": 300},
        {"title": "A", "person_id": 1, "value": {"amount": 300}},
        {"title": "A", "person_id": 1, "value": {"amount": "300", "currency": "USD"}},
        {"title": "A", "person_id": 1, "label_ids": ["hot"]},
        {"title": "A", "person_id": 1, "visible_to": 3},
        {"title": "A", "person_id": 1, "expected_close_date": "soon"},
        {"title": "A", "person_id": 1, "custom_fields": {}},
        {"title": "A", "person_id": 1, "is_archived": True},
        {"title": "A", "person_id": 1, "owner_id": 3},
    ],
)
def test_a_lead_that_the_api_does_not_take_is_refused_in_v1_form(
    admin: httpx.Client, person: int, body: dict[str, Any]
) -> None:
    answer = admin.post(LEADS, json=body)

    assert answer.status_code == 400
    assert set(answer.json()) == {"success", "error", "error_info", "data", "additional_data"}
    assert admin.get(LEADS).json()["data"] is None


def test_deal_custom_fields_are_top_level_keys_of_a_lead(
    admin: httpx.Client, person: int, add_field: Callable[..., dict[str, Any]]
) -> None:
    text = add_field("deal", "varchar", "Text")["field_code"]
    choice = add_field("deal", "enum", "Choice", options=[{"label": "A"}])
    several = add_field("deal", "set", "Several", options=[{"label": "A"}, {"label": "B"}])
    money = add_field("deal", "monetary", "Money")["field_code"]
    days = add_field("deal", "daterange", "Days")["field_code"]
    one, two = (option["id"] for option in several["options"])
    values = {
        text: "s:leads:1",
        choice["field_code"]: str(choice["options"][0]["id"]),
        several["field_code"]: f"{two},{one}",
        money: 5,
        f"{money}_currency": "GBP",
        days: "2024-01-01",
        f"{days}_until": "2024-01-02",
    }

    lead = make(admin, person, **values)

    assert {key: lead[key] for key in values} == {**values, several["field_code"]: f"{one},{two}"}


@pytest.mark.parametrize(
    ("kind", "wrong"),
    [
        ("varchar", 1),
        ("varchar", "x" * 256),
        ("enum", "A"),
        ("set", ""),
        ("set", "1"),
        ("date", "soon"),
        ("address", {}),
    ],
)
def test_a_wrong_custom_value_refuses_the_lead_and_names_the_key(
    admin: httpx.Client, person: int, add_field: Callable[..., dict[str, Any]], kind: str, wrong: Any
) -> None:
    code = add_field("deal", kind, **({"options": [{"label": "A"}]} if kind in ("enum", "set") else {}))["field_code"]

    answer = admin.post(LEADS, json={"title": "A", "person_id": person, code: wrong})

    assert answer.status_code == 400
    assert code in answer.json()["error_info"]


def test_null_unsets_and_an_unset_custom_value_is_not_shown(
    admin: httpx.Client, person: int, add_field: Callable[..., dict[str, Any]]
) -> None:
    code = add_field("deal", "varchar")["field_code"]
    lead = make(admin, person, **{code: "a"}, expected_close_date="2026-05-05")

    changed = admin.patch(f"{LEADS}/{lead['id']}", json={code: None, "expected_close_date": None}).json()["data"]

    assert code not in changed
    assert changed["expected_close_date"] is None


def test_a_lead_keeps_a_person_or_an_organization(admin: httpx.Client, person: int) -> None:
    lead = make(admin, person)

    assert admin.patch(f"{LEADS}/{lead['id']}", json={"person_id": None}).status_code == 400


def test_leads_put_paging_on_additional_data(admin: httpx.Client, person: int) -> None:
    made = [make(admin, person)["id"] for _ in range(3)]

    first = admin.get(f"{LEADS}?limit=2").json()
    rest = admin.get(f"{LEADS}?limit=2&start=2").json()

    assert [lead["id"] for lead in first["data"] + rest["data"]] == made
    assert first["additional_data"] == {"start": 0, "limit": 2, "more_items_in_collection": True}
    assert rest["additional_data"]["more_items_in_collection"] is False


def test_leads_are_filtered_by_person_and_change(admin: httpx.Client, person: int, clock: VirtualClock) -> None:
    other = admin.post("/api/v2/persons", json={"name": "B"}).json()["data"]["id"]
    make(admin, person)
    clock.advance(60)
    late = make(admin, other)

    assert [lead["id"] for lead in admin.get(f"{LEADS}?person_id={other}").json()["data"]] == [late["id"]]
    since = f"{clock.now():%Y-%m-%dT%H:%M:%SZ}"
    assert [lead["id"] for lead in admin.get(f"{LEADS}?updated_since={since}").json()["data"]] == [late["id"]]


def test_an_archived_lead_has_its_own_list(admin: httpx.Client, person: int) -> None:
    lead = make(admin, person)

    admin.patch(f"{LEADS}/{lead['id']}", json={"is_archived": True})

    assert admin.get(LEADS).json()["data"] is None
    assert [found["id"] for found in admin.get(f"{LEADS}/archived").json()["data"]] == [lead["id"]]
    assert admin.get(f"{LEADS}/{lead['id']}").json()["data"]["is_archived"] is True


def test_a_deleted_lead_is_not_found(admin: httpx.Client, person: int) -> None:
    lead = make(admin, person)

    assert admin.delete(f"{LEADS}/{lead['id']}").json()["data"] == {"id": lead["id"]}
    for answer in (admin.get(f"{LEADS}/{lead['id']}"), admin.patch(f"{LEADS}/{lead['id']}", json={"title": "B"})):
        assert answer.status_code == 404
        assert answer.json()["error"] == "requested lead not found"
