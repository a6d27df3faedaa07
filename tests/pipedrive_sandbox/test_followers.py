"""Followers of an item, and who may see it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from flitstack_pipedrive.sandbox.app import Sandbox


@pytest.mark.parametrize(
    ("path", "body"), [("persons", "name"), ("organizations", "name"), ("deals", "title"), ("products", "name")]
)
def test_an_item_has_followers_that_are_added_listed_and_removed(admin: httpx.Client, path: str, body: str) -> None:
    admin.post(f"/api/v2/{path}", json={body: "A"})
    followers = f"/api/v2/{path}/1/followers"

    added = admin.post(followers, json={"user_id": 2})

    assert (added.status_code, added.json()["data"]["user_id"]) == (201, 2)
    assert [one["user_id"] for one in admin.get(followers).json()["data"]] == [2]
    assert admin.post(followers, json={"user_id": 2}).status_code == 400
    assert admin.post(followers, json={"user_id": 3}).status_code == 400
    assert admin.delete(f"{followers}/2").json()["data"] == {"user_id": 2}
    assert admin.delete(f"{followers}/2").status_code == 404
    assert admin.get(followers).json()["data"] == []
    assert admin.post(f"/api/v2/{path}/9/followers", json={"user_id": 2}).status_code == 404


@pytest.mark.parametrize(("plan", "sees"), [("growth", 200), ("ultimate", 404)])
def test_a_follower_sees_a_private_item_only_on_plans_with_two_visibilities(
    open_sandbox: Callable[..., Sandbox], sign_in: Callable[..., httpx.Client], plan: str, sees: int
) -> None:
    sandbox = open_sandbox(plan=plan)
    admin, staff = sign_in(sandbox, 0), sign_in(sandbox, 1)
    admin.post("/api/v2/persons", json={"name": "A", "visible_to": 1})
    note = admin.post("/v1/notes", json={"content": "A", "person_id": 1}).json()["data"]["id"]
    admin.post("/api/v2/persons/1/followers", json={"user_id": 2})

    assert staff.get("/api/v2/persons/1").status_code == sees
    assert staff.get(f"/v1/notes/{note}").status_code == sees
    permitted = admin.get("/v1/persons/1/permittedUsers").json()["data"]
    assert permitted == ([1, 2] if sees == 200 else [1])


def test_permitted_users_are_the_active_ones_who_see_an_item(
    admin: httpx.Client, staff: httpx.Client, person: int
) -> None:
    admin.post("/api/v2/deals", json={"title": "A", "visible_to": 1, "owner_id": 2})
    lead = admin.post("/v1/leads", json={"title": "A", "person_id": person, "visible_to": "1"}).json()["data"]["id"]

    assert admin.get(f"/v1/persons/{person}/permittedUsers").json()["data"] == [1, 2]
    assert admin.get("/v1/deals/1/permittedUsers").json()["data"] == [1, 2]
    assert admin.get(f"/v1/leads/{lead}/permittedUsers").json()["data"] == [1]
    assert staff.get(f"/v1/leads/{lead}/permittedUsers").status_code == 404
    assert admin.get("/v1/products/1/permittedUsers").status_code == 404
