"""Persons: names, contact points, times, and what an account without contact sync refuses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from flitstack_pipedrive.sandbox.app import Switches

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from flitstack.clock import VirtualClock
    from flitstack_pipedrive.sandbox.app import Sandbox

PERSONS = "/api/v2/persons"


def test_a_person_is_created_with_200_and_read_back_the_same(admin: httpx.Client) -> None:
    created = admin.post(PERSONS, json={"name": "Robin Example"})
    read = admin.get(f"{PERSONS}/{created.json()['data']['id']}")

    assert created.status_code == 200
    assert read.json()["data"] == created.json()["data"]
    assert read.json()["data"]["first_name"] == "Robin"
    assert read.json()["data"]["last_name"] == "Example"


def test_white_space_around_a_name_goes_and_a_changed_part_changes_the_name(admin: httpx.Client) -> None:
    person = admin.post(PERSONS, json={"name": "  Robin Example "}).json()["data"]

    changed = admin.patch(f"{PERSONS}/{person['id']}", json={"last_name": "Sample"}).json()["data"]

    assert person["name"] == "Robin Example"
    assert changed["name"] == "Robin Sample"


def test_first_and_last_name_do_instead_of_a_name(admin: httpx.Client) -> None:
    person = admin.post(PERSONS, json={"first_name": "Robin", "last_name": "Example"}).json()["data"]

    assert person["name"] == "Robin Example"


def test_a_person_needs_a_name(admin: httpx.Client) -> None:
    assert admin.post(PERSONS, json={}).status_code == 400
    assert admin.post(PERSONS, json={"name": " "}).status_code == 400


def test_every_fault_of_a_body_is_named_by_key_and_never_by_value(admin: httpx.Client) -> None:
    answer = admin.post(PERSONS, json={"name": 81723, "nickname": "Robbie", "visible_to": "3"})

    assert answer.status_code == 400
    assert answer.json() == {
        "success": False,
        "error": "Validation failed: name: The value is not a valid 'string'; "
        "nickname: Parameter 'nickname' is not allowed for this request; "
        "visible_to: The value is not a valid 'integer'",
        "code": "ERR_SCHEMA_VALIDATION_FAILED",
    }


@pytest.mark.parametrize(
    "fault",
    [
        {"name": None},
        {"name": "x" * 256},
        {"owner_id": 99},
        {"owner_id": True},
        {"org_id": 99},
        {"org_id": None},
        {"org_id": 10**30},
        {"emails": ["robin@mail.example"]},
        {"emails": [{"label": "work"}]},
        {"emails": [{"value": "a", "type": "work"}]},
        {"phones": None},
        {"phones": [{"value": "1", "primary": 1}]},
        {"visible_to": 2},
        {"label_ids": [999]},
        {"label_ids": 1},
        {"marketing_status": "yes"},
        {"update_time": "2020-01-01T00:00:00Z"},
        {"4bbcd080ff27f67c8a09fa1bfdabc9646258940f": "x"},
        {"custom_fields": "x"},
    ],
)
def test_a_body_that_the_api_does_not_take_is_refused_whole(
    admin: httpx.Client, person: int, fault: dict[str, Any]
) -> None:
    before = admin.get(f"{PERSONS}/{person}").json()

    assert admin.post(PERSONS, json={"name": "A", **fault}).status_code == 400
    assert admin.patch(f"{PERSONS}/{person}", json=fault).status_code == 400
    assert admin.get(f"{PERSONS}/{person}").json() == before
    assert len(admin.get(PERSONS).json()["data"]) == 1


def test_contact_points_get_labels_and_one_primary(admin: httpx.Client) -> None:
    phones = [{"value": " 1 "}, {"value": "2", "label": "home", "primary": True}, {"value": "3", "primary": True}]

    stored = admin.post(PERSONS, json={"name": "A", "phones": phones, "emails": [{"value": "a@mail.example"}]})

    assert stored.json()["data"]["phones"] == [
        {"value": "1", "primary": False, "label": "work"},
        {"value": "2", "primary": True, "label": "home"},
        {"value": "3", "primary": False, "label": "work"},
    ]
    assert stored.json()["data"]["emails"] == [{"value": "a@mail.example", "primary": True, "label": "work"}]


def test_an_update_replaces_contact_points_as_a_whole(admin: httpx.Client) -> None:
    person = admin.post(PERSONS, json={"name": "A", "phones": [{"value": "1"}, {"value": "2"}]}).json()["data"]

    changed = admin.patch(f"{PERSONS}/{person['id']}", json={"phones": [{"value": "3"}]}).json()["data"]

    assert [phone["value"] for phone in changed["phones"]] == ["3"]


def test_add_time_can_be_backdated_when_creating_and_never_changed(admin: httpx.Client, clock: VirtualClock) -> None:
    person = admin.post(PERSONS, json={"name": "A", "add_time": "2019-05-06T09:30:00+02:00"}).json()["data"]

    assert person["add_time"] == "2019-05-06T07:30:00Z"
    assert person["update_time"] == f"{clock.now():%Y-%m-%dT%H:%M:%SZ}"
    for wrong in ("2019-05-06", "2019-05-06 07:30:00", "2019-02-30T00:00:00Z", 5):
        assert admin.post(PERSONS, json={"name": "A", "add_time": wrong}).status_code == 400
    answer = admin.patch(f"{PERSONS}/{person['id']}", json={"add_time": "2018-01-01T00:00:00Z"})
    assert "Parameter 'add_time' is not allowed" in answer.json()["error"]


@pytest.mark.parametrize("key", ["notes", "im", "birthday", "job_title", "postal_address"])
def test_contact_sync_fields_are_forbidden_without_contact_sync(admin: httpx.Client, key: str) -> None:
    assert admin.post(PERSONS, json={"name": "A", key: "x"}).status_code == 403


def test_contact_sync_fields_are_stored_where_contact_sync_is_on(
    open_sandbox: Callable[..., Sandbox], sign_in: Callable[..., httpx.Client]
) -> None:
    client = sign_in(open_sandbox(switches=Switches(contact_sync=True)))

    person = client.post(PERSONS, json={"name": "A", "birthday": "1990-12-31", "postal_address": {"value": "1 Road"}})

    assert person.json()["data"]["birthday"] == "1990-12-31"
    assert person.json()["data"]["postal_address"]["value"] == "1 Road"


def test_a_deactivated_user_cannot_own(admin: httpx.Client) -> None:
    gone = next(user["id"] for user in admin.get("/v1/users").json()["data"] if not user["active_flag"])

    answer = admin.post(PERSONS, json={"name": "A", "owner_id": gone})

    assert answer.status_code == 400
    assert "deactivated" in answer.json()["error"]


def test_a_deleted_person_leaves_the_lists_and_is_gone_after_thirty_days(
    admin: httpx.Client, person: int, clock: VirtualClock
) -> None:
    answer = admin.delete(f"{PERSONS}/{person}")

    assert answer.json() == {"success": True, "data": {"id": person}}
    assert admin.get(PERSONS).json()["data"] == []
    assert admin.get(f"{PERSONS}/{person}").json()["data"]["is_deleted"] is True
    assert admin.patch(f"{PERSONS}/{person}", json={"name": "B"}).status_code == 404
    assert admin.delete(f"{PERSONS}/{person}").status_code == 404
    clock.advance(31 * 86_400)
    assert admin.get(f"{PERSONS}/{person}").status_code == 404


def test_deleting_a_person_leaves_what_hangs_on_it(admin: httpx.Client, person: int) -> None:
    deal = admin.post("/api/v2/deals", json={"title": "Crown", "person_id": person}).json()["data"]
    note = admin.post("/v1/notes", json={"content": "Hello", "person_id": person}).json()["data"]

    admin.delete(f"{PERSONS}/{person}")

    assert admin.get(f"/api/v2/deals/{deal['id']}").json()["data"]["is_deleted"] is False
    assert admin.get(f"/v1/notes/{note['id']}").json()["data"]["active_flag"] is True


def test_an_id_is_never_used_twice(admin: httpx.Client, person: int) -> None:
    admin.delete(f"{PERSONS}/{person}")

    assert admin.post(PERSONS, json={"name": "B"}).json()["data"]["id"] == person + 1


def test_an_unknown_id_is_not_found_and_a_wrong_one_is_refused(admin: httpx.Client) -> None:
    assert admin.get(f"{PERSONS}/77").status_code == 404
    assert admin.get(f"{PERSONS}/abc").status_code == 400
