"""Searches: terms, kinds, fields, who sees what, and that the index is not the account."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from flitstack_pipedrive.sandbox.app import Switches

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from flitstack.clock import VirtualClock
    from flitstack_pipedrive.sandbox.app import Sandbox


def found(client: httpx.Client, path: str, query: str) -> list[Any]:
    """Return the ids that a search finds."""
    answer = client.get(f"/api/v2/{path}?{query}")
    assert answer.status_code == 200, answer.text
    return [one["item"]["id"] for one in answer.json()["data"]["items"]]


@pytest.fixture
def robin(admin: httpx.Client) -> int:
    body = {"name": "Robin Example", "emails": [{"value": "robin@mail.example"}], "phones": [{"value": "555 0100"}]}
    number: int = admin.post("/api/v2/persons", json=body).json()["data"]["id"]
    return number


@pytest.mark.parametrize(
    ("query", "hit"),
    [
        ("term=robin", True),
        ("term=BIN EX", True),
        ("term=0100", True),
        ("term=mail.ex", True),
        ("term=robin&fields=email", True),
        ("term=robin&fields=phone", False),
        ("term=robin&exact_match=true", False),
        ("term=robin example&exact_match=true", True),
        ("term=kim", False),
    ],
)
def test_a_person_is_found_by_name_email_and_phone_in_any_case(
    admin: httpx.Client, robin: int, query: str, hit: bool
) -> None:
    assert found(admin, "persons/search", query) == [robin] * hit
    assert found(admin, "itemSearch", query) == [robin] * hit


@pytest.mark.parametrize(
    "query",
    ["", "term=a", "term=", "term=ab&fields=title", "term=ab&limit=501", "term=ab&cursor=x", "term=ab&colour=1"],
)
def test_a_search_that_is_not_as_documented_is_refused(admin: httpx.Client, query: str) -> None:
    assert admin.get(f"/api/v2/persons/search?{query}").status_code == 400


def test_one_character_is_enough_for_an_exact_match(admin: httpx.Client) -> None:
    number = admin.post("/api/v2/persons", json={"name": "Q"}).json()["data"]["id"]

    assert found(admin, "persons/search", "term=q&exact_match=true") == [number]


def test_custom_fields_are_found_when_their_type_can_be_searched(
    admin: httpx.Client, add_field: Callable[..., dict[str, Any]]
) -> None:
    text = add_field("person", "varchar")["field_code"]
    day = add_field("person", "date")["field_code"]
    body = {"name": "A", "custom_fields": {text: "dental:patients:17", day: "2020-02-29"}}
    number = admin.post("/api/v2/persons", json=body).json()["data"]["id"]

    assert found(admin, "persons/search", "term=patients:17&fields=custom_fields") == [number]
    assert found(admin, "itemSearch", "term=2020-02-29") == []


@pytest.mark.parametrize(
    ("match", "term", "hit"),
    [
        ("exact", "Dental:17", True),
        ("exact", "dental:17", False),
        ("exact", "Dental", False),
        ("beginning", "Dental", True),
        ("beginning", "17", False),
        ("middle", "al:1", True),
        ("middle", "AL:1", False),
    ],
)
def test_a_search_of_one_field_minds_upper_and_lower_case(
    admin: httpx.Client, add_field: Callable[..., dict[str, Any]], match: str, term: str, hit: bool
) -> None:
    code = add_field("person", "varchar")["field_code"]
    body = {"name": "A", "custom_fields": {code: "Dental:17"}}
    number = admin.post("/api/v2/persons", json=body).json()["data"]["id"]

    answer = admin.get(f"/api/v2/itemSearch/field?entity_type=person&field={code}&match={match}&term={term}").json()

    assert answer["data"] == [{"id": number, code: "Dental:17"}] * hit


def test_a_field_that_cannot_be_searched_is_refused(
    admin: httpx.Client, add_field: Callable[..., dict[str, Any]]
) -> None:
    code = add_field("person", "date")["field_code"]

    for field in (code, "owner_id", "0" * 40):
        assert admin.get(f"/api/v2/itemSearch/field?entity_type=person&field={field}&term=2020").status_code == 400


def test_a_note_is_found_through_what_it_hangs_on(admin: httpx.Client, robin: int) -> None:
    assert found(admin, "persons/search", "term=allergic") == []

    admin.post("/v1/notes", json={"content": "Allergic to latex", "person_id": robin})

    assert found(admin, "persons/search", "term=allergic&fields=notes") == [robin]


def test_a_search_pages_and_item_search_has_at_most_a_hundred(admin: httpx.Client) -> None:
    made = [admin.post("/api/v2/persons", json={"name": "Robin"}).json()["data"]["id"] for _ in range(3)]
    first = admin.get("/api/v2/itemSearch?term=robin&limit=2").json()

    rest = found(admin, "itemSearch", f"term=robin&cursor={first['additional_data']['next_cursor']}")

    assert [one["item"]["id"] for one in first["data"]["items"]] + rest == made
    assert admin.get("/api/v2/itemSearch?term=robin&limit=101").status_code == 400


def test_deals_are_narrowed_by_person_organization_and_status(admin: httpx.Client, robin: int) -> None:
    mine = admin.post("/api/v2/deals", json={"title": "Crown", "person_id": robin}).json()["data"]["id"]
    won = admin.post("/api/v2/deals", json={"title": "Crown", "status": "won"}).json()["data"]["id"]

    assert found(admin, "deals/search", "term=crown") == [mine, won]
    assert found(admin, "deals/search", f"term=crown&person_id={robin}") == [mine]
    assert found(admin, "deals/search", "term=crown&status=won") == [won]


def test_leads_are_found_in_both_versions(admin: httpx.Client, robin: int) -> None:
    lead = admin.post("/v1/leads", json={"title": "Veneers", "person_id": robin}).json()["data"]["id"]

    old = admin.get("/v1/leads/search?term=veneer").json()

    assert found(admin, "leads/search", "term=veneer") == [lead]
    assert [one["item"]["id"] for one in old["data"]["items"]] == [lead]
    assert old["additional_data"]["pagination"] == {"start": 0, "limit": 100, "more_items_in_collection": False}


def test_a_search_leaves_out_what_the_user_may_not_see(admin: httpx.Client, staff: httpx.Client) -> None:
    private = admin.post("/api/v2/persons", json={"name": "Robin", "visible_to": 1}).json()["data"]["id"]
    shared = admin.post("/api/v2/persons", json={"name": "Robin"}).json()["data"]["id"]

    assert found(admin, "persons/search", "term=robin") == [private, shared]
    assert found(staff, "persons/search", "term=robin") == [shared]


def test_the_index_lags_behind_the_account(
    open_sandbox: Callable[..., Sandbox], sign_in: Callable[..., httpx.Client], clock: VirtualClock
) -> None:
    client = sign_in(open_sandbox(switches=Switches(search_lag_s=30)))
    number = client.post("/api/v2/persons", json={"name": "Robin"}).json()["data"]["id"]

    def names() -> dict[str, list[Any]]:
        return {term: found(client, "persons/search", f"term={term}") for term in ("robin", "kim")}

    assert names() == {"robin": [], "kim": []}
    assert len(client.get("/api/v2/persons").json()["data"]) == 1
    clock.advance(30)
    assert names() == {"robin": [number], "kim": []}

    client.patch(f"/api/v2/persons/{number}", json={"name": "Kim"})
    assert names() == {"robin": [number], "kim": []}
    clock.advance(30)
    assert names() == {"robin": [], "kim": [number]}


@pytest.mark.parametrize("keeps", [True, False])
def test_the_index_keeps_deleted_organizations_and_for_a_while_persons(
    open_sandbox: Callable[..., Sandbox], sign_in: Callable[..., httpx.Client], clock: VirtualClock, keeps: bool
) -> None:
    client = sign_in(open_sandbox(switches=Switches(search_keeps_deleted=keeps)))
    for path, name in (("persons", "name"), ("organizations", "name"), ("deals", "title")):
        client.post(f"/api/v2/{path}", json={name: "Robin"})
        client.delete(f"/api/v2/{path}/1")

    soon = [found(client, f"{path}/search", "term=robin") for path in ("persons", "organizations", "deals")]
    clock.advance(3601)
    later = [found(client, f"{path}/search", "term=robin") for path in ("persons", "organizations", "deals")]

    assert soon == ([[1], [1], []] if keeps else [[], [], []])
    assert later == ([[], [1], []] if keeps else [[], [], []])
