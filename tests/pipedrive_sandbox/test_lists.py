"""v2 lists: cursors, order, filters, and counts on request."""

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


def make(client: httpx.Client, **body: Any) -> int:
    number: int = client.post(PERSONS, json={"name": "A", **body}).json()["data"]["id"]
    return number


def walk(client: httpx.Client, query: str) -> list[int]:
    """Return the ids of all pages."""
    found: list[int] = []
    cursor = ""
    while True:
        page = client.get(f"{PERSONS}?{query}{cursor}").json()
        found += [person["id"] for person in page["data"]]
        if page["additional_data"]["next_cursor"] is None:
            return found
        cursor = f"&cursor={page['additional_data']['next_cursor']}"


@pytest.mark.parametrize("sort", ["id", "add_time", "update_time"])
@pytest.mark.parametrize("direction", ["asc", "desc"])
def test_the_pages_of_a_list_hold_every_record_once_in_order(admin: httpx.Client, sort: str, direction: str) -> None:
    days = ["2020-01-03", "2020-01-01", "2020-01-02", "2020-01-01", "2020-01-03"]
    made = [make(admin, add_time=f"{day}T00:00:00Z") for day in days]

    found = walk(admin, f"limit=2&sort_by={sort}&sort_direction={direction}")

    wanted = sorted(made, key=lambda number: (days[number - 1] if sort == "add_time" else "", number))
    assert found == (wanted if direction == "asc" else wanted[::-1])


def test_a_record_added_between_two_pages_neither_repeats_nor_hides_another(admin: httpx.Client) -> None:
    made = [make(admin) for _ in range(4)]
    first = admin.get(f"{PERSONS}?limit=2").json()
    admin.delete(f"{PERSONS}/{made[0]}")
    late = make(admin)

    rest = admin.get(f"{PERSONS}?limit=100&cursor={first['additional_data']['next_cursor']}").json()

    assert [person["id"] for person in rest["data"]] == [*made[2:], late]


def test_an_empty_list_is_a_list(admin: httpx.Client) -> None:
    assert admin.get(PERSONS).json() == {"success": True, "data": [], "additional_data": {"next_cursor": None}}


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=501",
        "limit=ten",
        "cursor=nonsense",
        "cursor=e30",
        "sort_by=name",
        "sort_direction=up",
        "name=A",
        "start=0",
        "owner_id=me",
        "ids=1,a",
        "ids=" + ",".join(["1"] * 101),
        "updated_since=2020-01-01",
        "updated_since=2020-01-01T00:00:00.5Z",
        "updated_until=yesterday",
        "include_fields=secrets",
    ],
)
def test_a_query_that_the_list_does_not_have_is_refused(admin: httpx.Client, query: str) -> None:
    assert admin.get(f"{PERSONS}?{query}").status_code == 400


def test_a_cursor_belongs_to_its_order(admin: httpx.Client) -> None:
    for _ in range(2):
        make(admin)
    cursor = admin.get(f"{PERSONS}?limit=1").json()["additional_data"]["next_cursor"]

    assert admin.get(f"{PERSONS}?limit=1&sort_by=add_time&cursor={cursor}").status_code == 400


def test_saved_filters_are_not_offered(admin: httpx.Client) -> None:
    assert admin.get(f"{PERSONS}?filter_id=1").status_code == 501


def test_ids_leave_out_what_does_not_exist(admin: httpx.Client) -> None:
    made = [make(admin) for _ in range(3)]

    assert walk(admin, f"ids={made[2]},{made[0]},99") == [made[0], made[2]]


def test_updated_since_is_inclusive_and_until_exclusive(admin: httpx.Client, clock: VirtualClock) -> None:
    early = make(admin, add_time="2030-01-01T00:00:00Z")
    clock.advance(10)
    late = make(admin, add_time="2001-01-01T00:00:00Z")
    at = f"{clock.now():%Y-%m-%dT%H:%M:%SZ}"

    assert walk(admin, f"updated_since={at}") == [late]
    assert walk(admin, f"updated_until={at}") == [early]
    admin.patch(f"{PERSONS}/{early}", json={"name": "B"})
    assert walk(admin, f"updated_since={at}") == [early, late]


def test_persons_are_filtered_by_owner_organization_and_deal(admin: httpx.Client) -> None:
    organization = admin.post("/api/v2/organizations", json={"name": "Lab"}).json()["data"]["id"]
    one, two, three = make(admin, owner_id=2), make(admin, org_id=organization), make(admin)
    deal = admin.post("/api/v2/deals", json={"title": "Crown", "person_id": three}).json()["data"]["id"]

    assert walk(admin, "owner_id=2") == [one]
    assert walk(admin, f"org_id={organization}") == [two]
    assert walk(admin, f"deal_id={deal}") == [three]


def test_a_lagging_list_shows_a_new_record_later_and_reads_by_id_at_once(
    open_sandbox: Callable[..., Sandbox], sign_in: Callable[..., httpx.Client], clock: VirtualClock
) -> None:
    client = sign_in(open_sandbox(switches=Switches(list_lag_s=5)))
    number = make(client, add_time="2001-01-01T00:00:00Z")

    assert walk(client, "") == []
    assert client.get(f"{PERSONS}/{number}").status_code == 200
    clock.advance(5)
    assert walk(client, "") == [number]


def test_counts_of_what_hangs_on_a_record_come_on_request(admin: httpx.Client, person: int) -> None:
    participants = [{"person_id": person}]
    admin.post("/api/v2/activities", json={"participants": participants, "done": True})
    admin.post("/api/v2/activities", json={"participants": participants})
    admin.post("/v1/notes", json={"content": "A", "person_id": person})
    admin.post("/api/v2/deals", json={"title": "A", "person_id": person, "status": "won"})
    names = "activities_count,done_activities_count,undone_activities_count,notes_count,files_count,won_deals_count"

    counted = admin.get(f"{PERSONS}?include_fields={names}").json()["data"][0]

    assert [counted[name] for name in names.split(",")] == [2, 1, 1, 1, 0, 1]
    assert "notes_count" not in admin.get(PERSONS).json()["data"][0]
