"""Pipelines, stages and activity types."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import httpx

TYPES = "/v1/activityTypes"


def test_a_new_pipeline_comes_last_and_has_no_stages(admin: httpx.Client) -> None:
    made = admin.post("/api/v2/pipelines", json={"name": "Treatment Plans"}).json()["data"]

    assert made["order_nr"] == 2
    assert admin.get(f"/api/v2/stages?pipeline_id={made['id']}").json()["data"] == []
    assert admin.post("/api/v2/pipelines", json={"name": "B", "order_nr": 1}).status_code == 400


def test_stages_are_ordered_as_they_were_created(admin: httpx.Client) -> None:
    pipeline = admin.post("/api/v2/pipelines", json={"name": "Treatment Plans"}).json()["data"]["id"]
    for name in ("Proposed", "Accepted"):
        admin.post("/api/v2/stages", json={"name": name, "pipeline_id": pipeline})

    stages = admin.get(f"/api/v2/stages?pipeline_id={pipeline}&sort_by=order_nr").json()["data"]

    assert [(stage["order_nr"], stage["name"]) for stage in stages] == [(1, "Proposed"), (2, "Accepted")]
    body = {"name": "A", "pipeline_id": pipeline, "order_nr": 1}
    assert admin.post("/api/v2/stages", json=body).status_code == 400
    assert admin.post("/api/v2/stages", json={"name": "A", "pipeline_id": 99}).status_code == 400


def test_pipelines_and_stages_are_changed_and_deleted(admin: httpx.Client) -> None:
    pipeline = admin.post("/api/v2/pipelines", json={"name": "Old"}).json()["data"]["id"]
    stage = admin.post("/api/v2/stages", json={"name": "Old", "pipeline_id": pipeline}).json()["data"]["id"]

    assert admin.patch(f"/api/v2/pipelines/{pipeline}", json={"name": "New"}).json()["data"]["name"] == "New"
    changed = admin.patch(f"/api/v2/stages/{stage}", json={"deal_probability": 40}).json()["data"]
    assert changed["deal_probability"] == 40
    assert admin.delete(f"/api/v2/pipelines/{pipeline}").json()["data"] == {"id": pipeline}
    assert admin.get(f"/api/v2/stages/{stage}").json()["data"]["is_deleted"] is True
    assert [one["id"] for one in admin.get("/api/v2/pipelines").json()["data"]] == [1]


def test_an_account_begins_with_six_activity_types(admin: httpx.Client) -> None:
    keys = [kind["key_string"] for kind in admin.get(TYPES).json()["data"]]

    assert keys == ["call", "meeting", "task", "deadline", "email", "lunch"]


def test_the_key_of_a_type_is_made_of_its_name_once_and_for_all(admin: httpx.Client) -> None:
    made = admin.post(TYPES, json={"name": "Recall: Prophy", "icon_key": "bell"}).json()["data"]
    twin = admin.post(TYPES, json={"name": "Recall - Prophy", "icon_key": "bell"}).json()["data"]

    renamed = admin.put(f"{TYPES}/{made['id']}", json={"name": "Recall: Perio", "order_nr": 1}).json()["data"]

    assert (made["key_string"], made["is_custom_flag"]) == ("recall_prophy", True)
    assert twin["key_string"] != "recall_prophy"
    assert (renamed["name"], renamed["key_string"], renamed["order_nr"]) == ("Recall: Perio", "recall_prophy", 1)
    assert admin.post("/api/v2/activities", json={"type": "recall_prophy"}).status_code == 200


def test_a_type_needs_a_name_and_one_of_the_forty_icons(admin: httpx.Client) -> None:
    for body in (
        {"name": "A"},
        {"icon_key": "bell"},
        {"name": "A", "icon_key": "tooth"},
        {"name": "", "icon_key": "bell"},
    ):
        answer = admin.post(TYPES, json=body)
        assert answer.status_code == 400
        assert answer.json()["error"] == "Bad request"
    assert admin.post(TYPES, json={"name": "A", "icon_key": "bell", "color": "red"}).status_code == 400
    assert admin.post(TYPES, json={"name": "A", "icon_key": "bell", "key_string": "a"}).status_code == 400


def test_a_deleted_type_is_shown_inactive_and_takes_no_activity(admin: httpx.Client) -> None:
    made = admin.post(TYPES, json={"name": "Recall", "icon_key": "bell"}).json()["data"]

    assert admin.delete(f"{TYPES}/{made['id']}").json()["data"]["active_flag"] is False
    assert admin.get(TYPES).json()["data"][-1]["active_flag"] is False
    assert admin.post("/api/v2/activities", json={"type": "recall"}).status_code == 400
