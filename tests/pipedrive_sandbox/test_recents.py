"""What changed since a moment, in v1's form."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import httpx

    from flitstack.clock import VirtualClock

LONG_AGO = "2000-01-01 00:00:00"


def recents(client: httpx.Client, since: str, query: str = "") -> list[dict[str, Any]]:
    answer = client.get(f"/v1/recents?since_timestamp={since}{query}")
    assert answer.status_code == 200, answer.text
    return answer.json()["data"] or []


def test_what_was_made_changed_or_deleted_since_a_moment_is_listed_oldest_first(
    admin: httpx.Client, clock: VirtualClock
) -> None:
    admin.post("/api/v2/persons", json={"name": "Robin"})
    admin.post("/api/v2/organizations", json={"name": "Lab"})
    clock.advance(60)
    since = f"{clock.now():%Y-%m-%d %H:%M:%S}"
    admin.post("/api/v2/deals", json={"title": "Crown"})
    clock.advance(1)
    admin.patch("/api/v2/persons/1", json={"name": "Kim"})
    clock.advance(1)
    admin.delete("/api/v2/deals/1")

    listed = recents(admin, since)

    assert [(one["item"], one["id"]) for one in listed] == [("person", 1), ("deal", 1)]
    assert listed[0]["data"]["name"] == "Kim"
    assert listed[1]["data"]["deleted"] is True


def test_kinds_and_pages_narrow_the_list(admin: httpx.Client) -> None:
    for _ in range(3):
        admin.post("/api/v2/persons", json={"name": "Robin"})

    page = admin.get(f"/v1/recents?since_timestamp={LONG_AGO}&items=person&start=1&limit=1").json()

    assert [one["id"] for one in page["data"]] == [2]
    assert page["additional_data"]["pagination"] == {"start": 1, "limit": 1, "more_items_in_collection": True}
    assert {one["item"] for one in recents(admin, LONG_AGO, "&items=pipeline,stage")} == {"pipeline", "stage"}
    assert recents(admin, "2030-01-01 00:00:00") == []


def test_a_moment_in_another_form_or_none_is_refused(admin: httpx.Client) -> None:
    assert admin.get("/v1/recents").status_code == 400
    assert admin.get("/v1/recents?since_timestamp=2020-01-01T00:00:00Z").status_code == 400
    assert admin.get(f"/v1/recents?since_timestamp={LONG_AGO}&items=planet").status_code == 400


def test_a_user_without_admin_rights_sees_only_visible_changes(admin: httpx.Client, staff: httpx.Client) -> None:
    admin.post("/api/v2/persons", json={"name": "Robin", "visible_to": 1})

    assert len(recents(admin, LONG_AGO, "&items=person")) == 1
    assert recents(staff, LONG_AGO, "&items=person") == []
