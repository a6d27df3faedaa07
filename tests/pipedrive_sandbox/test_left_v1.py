"""v1 operations that left the specifications: gone, unless a switch says otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from flitstack_pipedrive.sandbox.app import Switches
from flitstack_pipedrive.sandbox.contract import tables
from flitstack_pipedrive.sandbox.resources.left_v1 import left_operations

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from flitstack_pipedrive.sandbox.app import Sandbox


@pytest.fixture
def before(open_sandbox: Callable[..., Sandbox], sign_in: Callable[..., httpx.Client]) -> httpx.Client:
    return sign_in(open_sandbox(switches=Switches(left_v1="as_before")))


def test_sixty_two_operations_left_and_none_is_in_the_specifications() -> None:
    left = left_operations()

    assert len(left) == 62
    assert [line for line in left if f"v1 {line}" in tables()] == []


@pytest.mark.parametrize(("how", "status"), [("gone", 410), ("not_found", 404)])
def test_they_are_gone_or_not_found(
    open_sandbox: Callable[..., Sandbox], sign_in: Callable[..., httpx.Client], how: Any, status: int
) -> None:
    client = sign_in(open_sandbox(seats=99, switches=Switches(left_v1=how, burst=1000, search_burst=1000)))

    for line in left_operations():
        method, _, path = line.partition(" ")
        answer = client.request(method, "/v1" + path.replace("{id}", "1").replace("{product_attachment_id}", "1"))

        assert (line, answer.status_code) == (line, status)
        assert answer.json()["success"] is False


def test_as_before_does_what_they_did_for_the_four_main_records(before: httpx.Client) -> None:
    person = before.post("/v1/persons", json={"name": "Robin Example", "email": "robin@mail.example"}).json()["data"]
    deal = before.post("/v1/deals", json={"title": "Crown", "user_id": 2, "person_id": person["id"]}).json()["data"]
    body = {"subject": "Call", "person_id": person["id"], "user_id": "2", "done": 1, "due_date": "2026-03-02"}
    activity = before.post("/v1/activities", json=body).json()["data"]
    organization = before.post("/v1/organizations", json={"name": "Lab", "visible_to": "3"}).json()["data"]

    assert (person["email"][0]["value"], person["visible_to"], person["active_flag"]) == (
        "robin@mail.example",
        "7",
        True,
    )
    assert (deal["user_id"], deal["person_name"], deal["add_time"]) == (2, "Robin Example", "2026-03-02 09:00:00")
    assert (activity["user_id"], activity["done"], activity["person_id"]) == (2, True, person["id"])
    assert (organization["visible_to"], organization["owner_id"]["value"]) == ("3", 1)


def test_as_before_lists_changes_and_deletes(before: httpx.Client) -> None:
    assert before.get("/v1/deals").json()["data"] is None
    before.post("/v1/deals", json={"title": "Crown"})

    assert before.put("/v1/deals/1", json={"title": "Bridge"}).json()["data"]["title"] == "Bridge"
    assert [deal["title"] for deal in before.get("/v1/deals?limit=1").json()["data"]] == ["Bridge"]
    assert before.delete("/v1/deals/1").json()["data"] == {"id": 1}
    assert before.get("/v1/deals/1").json()["data"]["deleted"] is True
    assert before.put("/v1/deals/1", json={"title": "A"}).status_code == 404


def test_as_before_custom_fields_and_times_are_in_v1s_form(before: httpx.Client) -> None:
    field = {"field_name": "Source", "field_type": "varchar"}
    code = before.post("/api/v2/personFields", json=field).json()["data"]["field_code"]
    body = {"name": "Robin", code: "17", "add_time": "2019-01-02 03:04:05"}

    made = before.post("/v1/persons", json=body).json()["data"]

    assert (made[code], made["add_time"]) == ("17", "2019-01-02 03:04:05")
    assert before.post("/v1/persons", json={**body, "add_time": "yesterday"}).status_code == 400


def test_as_before_the_others_stay_gone(before: httpx.Client) -> None:
    for path in ("pipelines", "stages/1", "products", "itemSearch?term=ab", "persons/search?term=ab"):
        assert before.get(f"/v1/{path}").status_code == 410
