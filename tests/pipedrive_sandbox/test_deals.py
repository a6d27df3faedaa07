"""Deals: stages, status and its times, archive, and the cap of the plan."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from flitstack_pipedrive.sandbox.app import Switches

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from flitstack_pipedrive.sandbox.app import Sandbox

DEALS = "/api/v2/deals"


def make(client: httpx.Client, **body: Any) -> dict[str, Any]:
    deal: dict[str, Any] = client.post(DEALS, json={"title": "Crown", **body}).json()["data"]
    return deal


def test_a_deal_without_a_stage_goes_to_the_first_stage_of_the_default_pipeline(admin: httpx.Client) -> None:
    stages = admin.get("/api/v2/stages").json()["data"]

    deal = make(admin)

    assert len(stages) == 5
    assert (deal["pipeline_id"], deal["stage_id"]) == (1, stages[0]["id"])
    assert (deal["status"], deal["value"], deal["currency"]) == ("open", 0, "USD")


def test_a_stage_decides_the_pipeline_and_a_pipeline_alone_means_its_first_stage(admin: httpx.Client) -> None:
    pipeline = admin.post("/api/v2/pipelines", json={"name": "Treatment Plans"}).json()["data"]["id"]
    first = admin.post("/api/v2/stages", json={"name": "Proposed", "pipeline_id": pipeline}).json()["data"]["id"]
    admin.post("/api/v2/stages", json={"name": "Accepted", "pipeline_id": pipeline})

    assert make(admin, stage_id=first, pipeline_id=1)["pipeline_id"] == pipeline
    assert make(admin, pipeline_id=pipeline)["stage_id"] == first


def test_a_pipeline_without_stages_takes_no_deal(admin: httpx.Client) -> None:
    empty = admin.post("/api/v2/pipelines", json={"name": "Empty"}).json()["data"]["id"]

    assert admin.post(DEALS, json={"title": "Crown", "pipeline_id": empty}).status_code == 400


def test_moving_to_another_stage_is_noted_with_its_time(admin: httpx.Client, clock: Any) -> None:
    deal = make(admin)
    clock.advance(60)

    moved = admin.patch(f"{DEALS}/{deal['id']}", json={"stage_id": 2}).json()["data"]

    assert moved["stage_id"] == 2
    assert moved["stage_change_time"] > deal["stage_change_time"]


def test_won_and_lost_times_can_be_backdated_with_their_status(admin: httpx.Client) -> None:
    won = make(admin, status="won", won_time="2020-01-02T03:04:05Z")
    lost = make(admin, status="lost", lost_time="2020-01-02T03:04:05Z", lost_reason="Moved away")

    assert (won["won_time"], won["close_time"], won["lost_time"]) == (
        "2020-01-02T03:04:05Z",
        "2020-01-02T03:04:05Z",
        None,
    )
    assert (lost["lost_time"], lost["lost_reason"], lost["won_time"]) == ("2020-01-02T03:04:05Z", "Moved away", None)


@pytest.mark.parametrize(
    "fault",
    [
        {"won_time": "2020-01-02T03:04:05Z"},
        {"status": "lost", "won_time": "2020-01-02T03:04:05Z"},
        {"status": "won", "lost_time": "2020-01-02T03:04:05Z"},
        {"close_time": "2020-01-02T03:04:05Z"},
        {"lost_reason": "Moved away"},
        {"status": "won", "lost_reason": "Moved away"},
        {"status": "deleted"},
        {"status": None},
        {"is_deleted": True},
        {"value": "12.50"},
        {"value": 1e999},
        {"currency": "Dollars"},
        {"expected_close_date": ""},
        {"expected_close_date": None},
        {"expected_close_date": "2020-02-30"},
        {"stage_id": 99},
        {"pipeline_id": 99},
        {"person_id": 99},
        {"probability": 101},
        {"archive_time": "2020-01-02 03:04:05"},
        {"is_archived": True, "archive_time": "2020-01-02T03:04:05Z"},
        {"add_time": "2020-01-02T03:04:05Z"},
        {"stage_change_time": "2020-01-02T03:04:05Z"},
    ],
)
def test_a_deal_that_the_api_does_not_take_is_refused(admin: httpx.Client, fault: dict[str, Any]) -> None:
    json_type = {"content-type": "application/json"}
    import json

    assert admin.post(DEALS, content=json.dumps({"title": "Crown", **fault}), headers=json_type).status_code == 400
    assert admin.get(DEALS).json()["data"] == []


def test_reopening_a_deal_clears_what_belonged_to_its_end(admin: httpx.Client) -> None:
    deal = make(admin, status="lost", lost_reason="Moved away")

    reopened = admin.patch(f"{DEALS}/{deal['id']}", json={"status": "open"}).json()["data"]

    assert (reopened["lost_time"], reopened["lost_reason"], reopened["close_time"]) == (None, None, None)


def test_a_won_deal_keeps_its_time_when_something_else_changes(admin: httpx.Client) -> None:
    deal = make(admin, status="won", won_time="2020-01-02T03:04:05Z")

    changed = admin.patch(f"{DEALS}/{deal['id']}", json={"title": "Bridge"}).json()["data"]

    assert (changed["won_time"], changed["close_time"]) == (deal["won_time"], deal["close_time"])


def test_archived_deals_have_their_own_list(admin: httpx.Client) -> None:
    open_deal = make(admin)
    archived = make(admin, is_archived=True, archive_time="2020-01-02 03:04:05")

    assert archived["archive_time"] == "2020-01-02T03:04:05Z"
    assert [deal["id"] for deal in admin.get(DEALS).json()["data"]] == [open_deal["id"]]
    assert [deal["id"] for deal in admin.get(f"{DEALS}/archived").json()["data"]] == [archived["id"]]
    assert admin.get(f"{DEALS}/{archived['id']}").status_code == 200


def test_deals_are_listed_by_status_and_deleted_ones_on_request(admin: httpx.Client) -> None:
    opened, won, gone = make(admin), make(admin, status="won"), make(admin)
    admin.delete(f"{DEALS}/{gone['id']}")

    def listed(query: str) -> list[int]:
        return [deal["id"] for deal in admin.get(f"{DEALS}?{query}").json()["data"]]

    assert listed("") == [opened["id"], won["id"]]
    assert listed("status=won") == [won["id"]]
    assert listed("status=won,deleted") == [won["id"], gone["id"]]
    assert listed("status=deleted") == [gone["id"]]
    assert admin.get(f"{DEALS}?status=closed").status_code == 400


def test_a_link_of_a_deal_can_be_set_to_null(admin: httpx.Client, person: int) -> None:
    deal = make(admin, person_id=person)

    changed = admin.patch(f"{DEALS}/{deal['id']}", json={"person_id": None}).json()["data"]

    assert changed["person_id"] is None


@pytest.mark.parametrize(("how", "added"), [("drop", "2026-03-02T09:00:00Z"), ("store", "2020-01-02T03:04:05Z")])
def test_what_add_time_does_to_a_deal_is_a_switch(
    open_sandbox: Callable[..., Sandbox], sign_in: Callable[..., httpx.Client], how: Any, added: str
) -> None:
    client = sign_in(open_sandbox(switches=Switches(deal_add_time=how)))

    assert make(client, add_time="2020-01-02T03:04:05Z")["add_time"] == added


def test_deals_and_leads_together_are_capped_by_plan_and_seats(
    open_sandbox: Callable[..., Sandbox], sign_in: Callable[..., httpx.Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    from dataclasses import replace

    from flitstack_pipedrive.sandbox import plans

    small = replace(plans.PLANS["ultimate"], deals_per_seat=1)
    monkeypatch.setattr(plans, "PLANS", {"ultimate": small})
    client = sign_in(open_sandbox(seats=3))
    person = client.post("/api/v2/persons", json={"name": "A"}).json()["data"]["id"]
    first = make(client)
    make(client)
    assert client.post("/v1/leads", json={"title": "Whitening", "person_id": person}).status_code == 201

    refused = client.post(DEALS, json={"title": "Crown"})
    refused_lead = client.post("/v1/leads", json={"title": "Whitening", "person_id": person})

    assert (refused.status_code, refused_lead.status_code) == (403, 403)
    assert refused.json()["code"] == "feature_capping_deals_limit"
    client.delete(f"{DEALS}/{first['id']}")
    assert client.post(DEALS, json={"title": "Crown"}).status_code == 200


def test_an_origin_id_is_dropped_from_a_new_deal_and_refused_in_a_change(admin: httpx.Client) -> None:
    made = make(admin, origin_id="import-17")

    assert made["origin_id"] is None
    assert admin.patch(f"{DEALS}/{made['id']}", json={"origin_id": "import-17"}).status_code == 400
