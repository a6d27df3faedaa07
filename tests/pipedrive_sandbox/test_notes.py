"""Notes: what they hang on, author and time, cleaned HTML, filters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    import httpx

    from flitstack.clock import VirtualClock

NOTES = "/v1/notes"


def make(client: httpx.Client, **body: Any) -> dict[str, Any]:
    note: dict[str, Any] = client.post(NOTES, json={"content": "Hello", **body}).json()["data"]
    return note


def test_a_note_can_be_written_for_any_time_in_v1_form(admin: httpx.Client, person: int, clock: VirtualClock) -> None:
    past = make(admin, person_id=person, add_time="2019-05-06 07:08:09")
    future = make(admin, person_id=person, add_time="2030-01-01 00:00:00")

    assert past["add_time"] == "2019-05-06 07:08:09"
    assert past["update_time"] == f"{clock.now():%Y-%m-%d %H:%M:%S}"
    assert past["person"] == {"name": "Robin Example"}
    changed = admin.put(f"{NOTES}/{future['id']}", json={"add_time": "2019-01-01 00:00:00"}).json()["data"]
    assert changed["add_time"] == "2019-01-01 00:00:00"


@pytest.mark.parametrize(
    "body",
    [
        {"content": "A"},
        {"person_id": 1},
        {"content": "", "person_id": 1},
        {"content": "x" * 100_001, "person_id": 1},
        {"content": "A", "person_id": 99},
        {"content": "A", "lead_id": "none"},
        {"content": "A", "activity_id": 1},
        {"content": "A", "project_id": 1},
        {"content": "A", "person_id": 1, "add_time": "2019-05-06T07:08:09Z"},
        {"content": "A", "person_id": 1, "user_id": 99},
        {"content": "A", "person_id": 1, "user_id": 3},
        {"content": "A", "person_id": 1, "pinned_to_person_flag": 2},
        {"content": "A", "person_id": 1, "pinned_to_deal_flag": 1},
        {"content": "A", "person_id": 1, "custom_fields": {}},
    ],
)
def test_a_note_that_the_api_does_not_take_is_refused(admin: httpx.Client, person: int, body: dict[str, Any]) -> None:
    assert admin.post(NOTES, json=body).status_code == 400
    assert admin.get(NOTES).json()["data"] is None


def test_only_an_admin_may_name_another_author(admin: httpx.Client, staff: httpx.Client, person: int) -> None:
    me = staff.get("/v1/users/me").json()["data"]["id"]

    assert make(admin, person_id=person, user_id=me)["user_id"] == me
    assert staff.post(NOTES, json={"content": "A", "person_id": person, "user_id": 1}).status_code == 403
    assert make(staff, person_id=person, user_id=me)["user"]["is_you"] is True


def test_the_content_is_cleaned(admin: httpx.Client, person: int) -> None:
    content = '<p onmouseover="x()">A <a href="javascript:x()">link</a> &lt;safe&gt;</p><script>x()</script><!-- c -->'

    assert make(admin, person_id=person, content=content)["content"] == "<p>A <a>link</a> &lt;safe&gt;</p>"


def test_a_pin_comes_back_as_a_boolean(admin: httpx.Client, person: int) -> None:
    pinned = make(admin, person_id=person, pinned_to_person_flag=1)
    make(admin, person_id=person)

    assert pinned["pinned_to_person_flag"] is True
    found = admin.get(f"{NOTES}?pinned_to_person_flag=1").json()["data"]
    assert [note["id"] for note in found] == [pinned["id"]]


def test_notes_are_listed_by_what_they_hang_on(admin: httpx.Client, person: int) -> None:
    deal = admin.post("/api/v2/deals", json={"title": "Crown"}).json()["data"]["id"]
    lead = admin.post("/v1/leads", json={"title": "A", "person_id": person}).json()["data"]["id"]
    organization = admin.post("/api/v2/organizations", json={"name": "Lab"}).json()["data"]["id"]
    links = {"person_id": person, "deal_id": deal, "lead_id": lead, "org_id": organization}
    made = {name: make(admin, **{name: link})["id"] for name, link in links.items()}

    for name, link in links.items():
        assert [note["id"] for note in admin.get(f"{NOTES}?{name}={link}").json()["data"]] == [made[name]]


def test_notes_are_paged_sorted_and_filtered_by_day_and_change(
    admin: httpx.Client, person: int, clock: VirtualClock
) -> None:
    old = make(admin, person_id=person, add_time="2019-05-06 23:59:59")["id"]
    new = make(admin, person_id=person, add_time="2020-05-06 00:00:00")["id"]
    clock.advance(5)
    late = make(admin, person_id=person, add_time="2018-01-01 00:00:00")["id"]

    def listed(query: str) -> list[int]:
        return [note["id"] for note in admin.get(f"{NOTES}?{query}").json()["data"] or []]

    assert listed("sort=add_time DESC") == [new, old, late]
    assert listed("start_date=2019-05-06&end_date=2019-05-06") == [old]
    assert listed(f"updated_since={clock.now():%Y-%m-%dT%H:%M:%SZ}") == [late]
    first = admin.get(f"{NOTES}?limit=2").json()
    assert first["additional_data"]["pagination"] == {
        "start": 0,
        "limit": 2,
        "more_items_in_collection": True,
        "next_start": 2,
    }
    assert listed("limit=2&start=2") == [late]
    assert admin.get(f"{NOTES}?sort=nothing").status_code == 400
    assert admin.get(f"{NOTES}?limit=501").status_code == 400


def test_a_deleted_note_leaves_the_list_and_can_still_be_read(admin: httpx.Client, person: int) -> None:
    note = make(admin, person_id=person)

    assert admin.delete(f"{NOTES}/{note['id']}").json() == {"success": True, "data": True}
    assert admin.get(NOTES).json()["data"] is None
    assert admin.get(f"{NOTES}/{note['id']}").json()["data"]["active_flag"] is False
    assert admin.put(f"{NOTES}/{note['id']}", json={"content": "B"}).status_code == 404
