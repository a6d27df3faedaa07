"""Organizations: names, addresses, and the fields of a feature that is off."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flitstack_pipedrive.sandbox.app import Switches

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from flitstack_pipedrive.sandbox.app import Sandbox

ORGANIZATIONS = "/api/v2/organizations"


def test_an_organization_needs_a_name(admin: httpx.Client) -> None:
    answer = admin.post(ORGANIZATIONS, json={})

    assert answer.status_code == 400
    assert answer.json()["error"] == "Validation failed: name: The parameter is required"


def test_parts_of_an_address_that_are_left_out_become_null(admin: httpx.Client) -> None:
    full = {"value": "1 Main Road, Springfield", "locality": "Springfield", "postal_code": "00001"}
    made = admin.post(ORGANIZATIONS, json={"name": "Smile Lab", "address": full}).json()["data"]

    changed = admin.patch(f"{ORGANIZATIONS}/{made['id']}", json={"address": {"value": "2 Main Road"}}).json()["data"]

    assert made["address"]["postal_code"] == "00001"
    assert changed["address"]["value"] == "2 Main Road"
    assert changed["address"]["postal_code"] is None


def test_an_address_needs_a_value_and_knows_its_parts(admin: httpx.Client) -> None:
    for wrong in (
        {"locality": "Springfield"},
        "1 Main Road",
        {"value": "x", "planet": "Earth"},
        {"value": "x", "route": 1},
    ):
        assert admin.post(ORGANIZATIONS, json={"name": "Smile Lab", "address": wrong}).status_code == 400


def test_profile_fields_are_forbidden_unless_the_feature_is_on(
    admin: httpx.Client, open_sandbox: Callable[..., Sandbox], sign_in: Callable[..., httpx.Client]
) -> None:
    body = {"name": "Smile Lab", "website": "https://lab.example", "employee_count": 3}
    on = sign_in(open_sandbox(switches=Switches(organization_profile=True)))

    assert admin.post(ORGANIZATIONS, json=body).status_code == 403
    assert on.post(ORGANIZATIONS, json=body).json()["data"]["employee_count"] == 3


def test_add_time_can_be_backdated(admin: httpx.Client) -> None:
    made = admin.post(ORGANIZATIONS, json={"name": "Smile Lab", "add_time": "2001-02-03T04:05:06Z"}).json()["data"]

    assert made["add_time"] == "2001-02-03T04:05:06Z"


def test_an_organization_can_be_deleted_and_linked_only_while_it_lives(admin: httpx.Client) -> None:
    number = admin.post(ORGANIZATIONS, json={"name": "Smile Lab"}).json()["data"]["id"]
    assert admin.post("/api/v2/persons", json={"name": "A", "org_id": number}).status_code == 200

    admin.delete(f"{ORGANIZATIONS}/{number}")

    assert admin.get(ORGANIZATIONS).json()["data"] == []
    assert admin.post("/api/v2/persons", json={"name": "B", "org_id": number}).status_code == 400
