"""What a user without admin rights sees and may do."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from flitstack_pipedrive.sandbox.app import Sandbox


def test_lists_of_a_non_admin_silently_leave_out_what_is_private_to_others(
    admin: httpx.Client, staff: httpx.Client
) -> None:
    for path, name in (("persons", "name"), ("organizations", "name"), ("deals", "title")):
        private = admin.post(f"/api/v2/{path}", json={name: "A", "visible_to": 1}).json()["data"]["id"]
        shared = admin.post(f"/api/v2/{path}", json={name: "A"}).json()["data"]["id"]
        own = staff.post(f"/api/v2/{path}", json={name: "A", "visible_to": 1}).json()["data"]["id"]

        assert [item["id"] for item in staff.get(f"/api/v2/{path}").json()["data"]] == [shared, own]
        assert [item["id"] for item in admin.get(f"/api/v2/{path}").json()["data"]] == [private, shared, own]
        assert staff.get(f"/api/v2/{path}/{private}").status_code == 404
        assert staff.get(f"/api/v2/{path}?ids={private},{own}").json()["data"][0]["id"] == own


def test_leads_that_are_private_to_others_are_hidden(admin: httpx.Client, staff: httpx.Client, person: int) -> None:
    lead = admin.post("/v1/leads", json={"title": "A", "person_id": person, "visible_to": "1"}).json()["data"]["id"]

    assert staff.get("/v1/leads").json()["data"] is None
    assert staff.get(f"/v1/leads/{lead}").status_code == 404


def test_notes_and_activities_are_hidden_with_what_they_hang_on(admin: httpx.Client, staff: httpx.Client) -> None:
    private = admin.post("/api/v2/persons", json={"name": "A", "visible_to": 1}).json()["data"]["id"]
    note = admin.post("/v1/notes", json={"content": "A", "person_id": private}).json()["data"]["id"]
    activity = admin.post("/api/v2/activities", json={"participants": [{"person_id": private}]}).json()["data"]["id"]
    loose = admin.post("/api/v2/activities", json={"subject": "A"}).json()["data"]["id"]

    assert staff.get("/v1/notes").json()["data"] is None
    assert staff.get(f"/v1/notes/{note}").status_code == 404
    assert [item["id"] for item in staff.get("/api/v2/activities").json()["data"]] == [loose]
    assert staff.get(f"/api/v2/activities/{activity}").status_code == 404


def test_a_non_admin_may_not_change_the_schema_nor_delete_people(staff: httpx.Client, person: int) -> None:
    field = {"field_name": "A", "field_type": "varchar"}
    refused = [
        staff.post("/api/v2/personFields", json=field),
        staff.post("/api/v2/pipelines", json={"name": "A"}),
        staff.post("/api/v2/stages", json={"name": "A", "pipeline_id": 1}),
        staff.post("/v1/activityTypes", json={"name": "A", "icon_key": "bell"}),
        staff.delete(f"/api/v2/persons/{person}"),
        staff.delete("/api/v2/stages/1"),
        staff.get("/v1/webhooks"),
    ]

    assert {answer.status_code for answer in refused} == {403}
    assert {answer.json()["error"] for answer in refused} == {"You do not have permissions to do this."}
    assert staff.get("/v1/users").status_code == 200
    assert staff.get("/api/v2/personFields").status_code == 200


def test_the_values_of_visible_to_depend_on_the_plan(
    admin: httpx.Client, open_sandbox: Callable[..., Sandbox], sign_in: Callable[..., httpx.Client]
) -> None:
    growth = sign_in(open_sandbox(plan="growth"))

    assert admin.post("/api/v2/persons", json={"name": "A", "visible_to": 7}).status_code == 200
    assert growth.post("/api/v2/persons", json={"name": "A", "visible_to": 7}).status_code == 400
    assert growth.post("/api/v2/persons", json={"name": "A", "visible_to": 3}).status_code == 200
