"""Activities: persons only as participants, known types, and times nobody can set."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from flitstack_pipedrive.sandbox.app import Switches

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from flitstack.clock import VirtualClock
    from flitstack_pipedrive.sandbox.app import Sandbox

ACTIVITIES = "/api/v2/activities"


def make(client: httpx.Client, **body: Any) -> dict[str, Any]:
    activity: dict[str, Any] = client.post(ACTIVITIES, json=body).json()["data"]
    return activity


def test_an_activity_hangs_on_the_primary_participant(admin: httpx.Client, person: int) -> None:
    other = admin.post("/api/v2/persons", json={"name": "Sam Sample"}).json()["data"]["id"]

    activity = make(
        admin,
        subject="Cleaning",
        type="meeting",
        participants=[{"person_id": other}, {"person_id": person, "primary": True}],
    )

    assert activity["person_id"] == person
    assert activity["participants"] == [
        {"person_id": other, "primary": False},
        {"person_id": person, "primary": True},
    ]
    assert [found["id"] for found in admin.get(f"{ACTIVITIES}?person_id={person}").json()["data"]] == [activity["id"]]
    assert admin.get(f"{ACTIVITIES}?person_id={other}").json()["data"] == []


def test_a_person_id_beside_the_participants_is_refused(admin: httpx.Client, person: int) -> None:
    answer = admin.post(ACTIVITIES, json={"subject": "Cleaning", "person_id": person})

    assert answer.status_code == 400
    assert "Parameter 'person_id' is not allowed" in answer.json()["error"]


def test_a_person_id_is_dropped_where_the_switch_says_so(
    open_sandbox: Callable[..., Sandbox], sign_in: Callable[..., httpx.Client]
) -> None:
    client = sign_in(open_sandbox(switches=Switches(activity_person_id="drop")))

    assert make(client, subject="Cleaning", person_id=1)["person_id"] is None


def test_times_are_shown_with_seconds(admin: httpx.Client) -> None:
    activity = make(admin, subject="Cleaning", due_date="2019-05-06", due_time="09:30", duration="00:45")

    assert (activity["due_date"], activity["due_time"], activity["duration"]) == ("2019-05-06", "09:30:00", "00:45:00")


def test_done_is_stamped_by_the_server_and_taken_back_with_it(admin: httpx.Client, clock: VirtualClock) -> None:
    activity = make(admin, subject="Cleaning", due_date="2019-05-06", done=True)

    undone = admin.patch(f"{ACTIVITIES}/{activity['id']}", json={"done": False}).json()["data"]

    assert activity["marked_as_done_time"] == f"{clock.now():%Y-%m-%dT%H:%M:%SZ}"
    assert undone["marked_as_done_time"] is None


def test_without_subject_and_type_an_activity_is_a_call(admin: httpx.Client) -> None:
    activity = make(admin)

    assert (activity["type"], activity["subject"]) == ("call", "Call")


@pytest.mark.parametrize(
    "fault",
    [
        {"type": "root_canal"},
        {"type": "Call"},
        {"done": 1},
        {"due_date": "06/05/2019"},
        {"due_time": "9:30"},
        {"due_time": "25:00"},
        {"duration": 45},
        {"note": None},
        {"note": "x" * 100_001},
        {"subject": None},
        {"custom_fields": {}},
        {"add_time": "2019-05-06T00:00:00Z"},
        {"marked_as_done_time": "2019-05-06T00:00:00Z"},
        {"participants": [1]},
        {"participants": [{"person_id": 99, "primary": True}]},
        {"deal_id": 99},
        {"lead_id": "no such lead"},
        {"project_id": 1},
        {"priority": 1},
        {"location": "Room 2"},
        {"attendees": [{"name": "A"}]},
    ],
)
def test_an_activity_that_the_api_does_not_take_is_refused(admin: httpx.Client, fault: dict[str, Any]) -> None:
    assert admin.post(ACTIVITIES, json={"subject": "Cleaning", **fault}).status_code == 400
    assert admin.get(ACTIVITIES).json()["data"] == []


def test_a_note_loses_scripts_and_handlers_and_keeps_simple_formatting(admin: httpx.Client) -> None:
    note = '<p onclick="x()">Tooth <b>14</b> &amp; 15</p><script>alert(1)</script>'

    assert make(admin, note=note)["note"] == "<p>Tooth <b>14</b> &amp; 15</p>"


def test_attendees_are_shown_on_request(admin: httpx.Client) -> None:
    activity = make(admin, attendees=[{"email": "a@mail.example"}])
    path = f"{ACTIVITIES}/{activity['id']}"

    assert "attendees" not in admin.get(path).json()["data"]
    assert admin.get(f"{path}?include_fields=attendees").json()["data"]["attendees"] == [{"email": "a@mail.example"}]


def test_an_activity_can_hang_on_a_lead_a_deal_and_an_organization(admin: httpx.Client, person: int) -> None:
    lead = admin.post("/v1/leads", json={"title": "Whitening", "person_id": person}).json()["data"]["id"]
    deal = admin.post("/api/v2/deals", json={"title": "Crown"}).json()["data"]["id"]
    organization = admin.post("/api/v2/organizations", json={"name": "Lab"}).json()["data"]["id"]

    one = make(admin, lead_id=lead)
    other = make(admin, deal_id=deal, org_id=organization)

    assert [found["id"] for found in admin.get(f"{ACTIVITIES}?lead_id={lead}").json()["data"]] == [one["id"]]
    assert [found["id"] for found in admin.get(f"{ACTIVITIES}?deal_id={deal}").json()["data"]] == [other["id"]]
    assert [found["id"] for found in admin.get(f"{ACTIVITIES}?org_id={organization}").json()["data"]] == [other["id"]]


def test_activities_are_filtered_by_done_and_sorted_by_due_date(admin: httpx.Client) -> None:
    late = make(admin, due_date="2020-01-02")
    early = make(admin, due_date="2020-01-01", done=True)
    undated = make(admin)

    in_order = admin.get(f"{ACTIVITIES}?sort_by=due_date&sort_direction=desc").json()["data"]

    assert [found["id"] for found in in_order] == [late["id"], early["id"], undated["id"]]
    assert [found["id"] for found in admin.get(f"{ACTIVITIES}?done=true").json()["data"]] == [early["id"]]
    assert admin.get(f"{ACTIVITIES}?done=1").status_code == 400
    assert admin.get(f"{ACTIVITIES}?type=call").status_code == 400
