"""An account that has lived: what the shipped past holds, what a wrong seed file says, and the human who goes on."""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from flitstack.errors import UsageError
from flitstack_dental.example import write_example
from flitstack_pipedrive.sandbox.app import Sandbox, Step
from flitstack_pipedrive.sandbox.human import read_steps

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import httpx

    from flitstack.clock import VirtualClock

PERSONS = "/api/v2/persons"


@pytest.fixture(scope="module")
def lived() -> dict[str, list[dict[str, Any]]]:
    with Sandbox(past="practice") as sandbox:
        return sandbox.dump()


def test_the_shipped_past_is_a_company_with_two_hundred_people(lived: dict[str, list[dict[str, Any]]]) -> None:
    counts = {name: len(records) for name, records in lived.items()}

    assert counts["person"] == 200
    assert all(counts[name] for name in ("organization", "deal", "lead", "activity", "note", "file"))
    assert "Treatment Plans" in [pipeline["name"] for pipeline in lived["pipeline"]]
    assert len({person["name"] for person in lived["person"]}) < 200


def test_some_of_its_people_are_patients_of_the_example_practice(
    lived: dict[str, list[dict[str, Any]]], tmp_path: Path
) -> None:
    write_example(tmp_path, 200, seed=1)
    with (tmp_path / "contact_points.csv").open(encoding="utf-8", newline="") as file:
        points = {row["value"].strip().lower() for row in csv.DictReader(file)}

    known = [
        person
        for person in lived["person"]
        if points & {point["value"].lower() for point in (*person["emails"], *person["phones"])}
    ]

    assert len(known) >= 20


def test_its_fields_have_the_names_a_migration_wants_and_one_has_another_type(
    lived: dict[str, list[dict[str, Any]]],
) -> None:
    types = {field["field_name"]: field["field_type"] for field in lived["field"] if field["of"] == "person"}

    assert types["Guarantor__c"] == "people"
    assert types["Insurance_Carrier__c"] == "varchar"
    # A migration would have made this one a date.
    assert types["Date_Of_Birth__c"] == "varchar"


def test_deactivated_users_keep_what_they_own_and_a_second_token_is_no_admins() -> None:
    with Sandbox(past="practice") as sandbox:
        users = {user["email"]: user for user in sandbox.dump()["user"]}
        owners = {person["owner_id"] for person in sandbox.dump()["person"]}

        left = users["lee.left@practice.example"]
        assert not left["active_flag"]
        assert left["id"] in owners
        assert [user["is_admin"] for user in sandbox.users] == [True, False, False]
        assert "lee.left@practice.example" not in [user["email"] for user in sandbox.users]


def test_the_past_is_the_same_every_time_and_under_every_seed() -> None:
    with Sandbox(past="practice", seed=1) as one, Sandbox(past="practice", seed=2) as other:
        assert one.fingerprint() == other.fingerprint()


def test_an_account_that_exists_does_not_live_its_past_again(tmp_path: Path) -> None:
    path = str(tmp_path / "account.db")
    with Sandbox(path, past="practice"):
        pass

    with Sandbox(path, past="practice") as again:
        assert len(again.dump()["person"]) == 200


@pytest.mark.parametrize(
    ("seed", "said"),
    [
        ([], "needs an object"),
        ({"people": []}, "needs an object"),
        ({"persons": {"name": "A"}}, '"persons" needs a list'),
        ({"persons": [{"name": "A"}, {"name": "B", "emails": [3]}]}, "persons, entry 2"),
        ({"notes": [{"content": "A", "person": "Nobody"}]}, "notes, entry 1"),
        ({"deals": [{"title": "A", "owner": "nobody@practice.example"}]}, "deals, entry 1"),
        ({"persons": [{"name": "A", "fields": {"Unknown": 1}}]}, "persons, entry 1"),
        ({"fields": [{"of": "person", "name": "A"}]}, "fields, entry 1"),
    ],
)
def test_a_wrong_seed_file_is_named_with_the_place(tmp_path: Path, seed: object, said: str) -> None:
    path = tmp_path / "past.json"
    path.write_text(json.dumps(seed))

    with pytest.raises(UsageError, match=r"past\.json") as caught:
        Sandbox(past=path)

    assert said in str(caught.value)


@pytest.mark.parametrize("text", ["no json", None])
def test_a_seed_file_that_cannot_be_read_is_named(tmp_path: Path, text: str | None) -> None:
    path = tmp_path / "past.json"
    if text is not None:
        path.write_text(text)

    with pytest.raises(UsageError, match=r"past\.json"):
        Sandbox(past=path)


# --- the human -------------------------------------------------------------------------------------------------------


def test_a_human_edits_adds_and_deletes_after_so_many_requests(sandbox: Sandbox, admin: httpx.Client) -> None:
    ids = [admin.post(PERSONS, json={"name": name}).json()["data"]["id"] for name in ("A", "B")]
    sandbox.set_human(
        [
            Step("edit", "person", 1, find={"name": "A"}, item={"phones": ["555-0100"]}),
            Step("delete", "person", 2, find={"name": "B"}),
            Step("add", "person", 3, item={"name": "C"}, by="sam.staff@practice.example"),
        ]
    )

    seen = [{person["name"]: person for person in admin.get(PERSONS).json()["data"]} for _ in range(4)]

    assert [sorted(people) for people in seen] == [["A", "B"], ["A", "B"], ["A"], ["A", "C"]]
    assert seen[0]["A"]["phones"] == []
    assert seen[1]["A"]["phones"][0]["value"] == "555-0100"
    assert seen[3]["C"]["owner_id"] == 2
    assert seen[3]["A"]["id"] == ids[0]


def test_a_human_acts_at_a_clock_time_and_costs_no_tokens(
    sandbox: Sandbox, admin: httpx.Client, person: int, clock: VirtualClock
) -> None:
    sandbox.set_human([Step("edit", "person", at=datetime(2026, 3, 2, 10, tzinfo=UTC), item={"name": "Renamed"})])
    used = sandbox.tokens_used

    clock.advance(3_599)
    before = sandbox.dump()["person"][0]["name"]
    clock.advance(1)

    assert (before, sandbox.dump()["person"][0]["name"]) == ("Robin Example", "Renamed")
    assert sandbox.dump()["person"][0]["update_time"] == "2026-03-02T10:00:00Z"
    assert sandbox.tokens_used == used


def test_a_human_finds_a_record_by_its_source_key(
    sandbox: Sandbox, admin: httpx.Client, add_field: Callable[..., dict[str, Any]]
) -> None:
    key = add_field("person", "varchar", "Source_System_ID__c")["field_code"]
    for number in (1, 2):
        admin.post(PERSONS, json={"name": "Same", "custom_fields": {key: f"dental:patients:{number}"}})
    found = {"Source_System_ID__c": "dental:patients:2"}
    sandbox.set_human([Step("edit", "person", 0, find=found, item={"name": "Other"})])

    assert [person["name"] for person in sandbox.dump()["person"]] == ["Same", "Other"]


def test_a_step_that_finds_nothing_is_missed_and_breaks_no_request(sandbox: Sandbox, admin: httpx.Client) -> None:
    sandbox.set_human(
        [
            Step("delete", "deal", 0, find={"title": "Nothing"}),
            Step("add", "note", 0, item={"content": "x", "person": "Nobody"}),
        ]
    )

    assert admin.get(PERSONS).status_code == 200
    assert [step.kind for step in sandbox.front.human.missed] == ["deal", "note"]


def test_a_user_is_deactivated_in_mid_run(sandbox: Sandbox, staff: httpx.Client) -> None:
    sandbox.set_human([Step("deactivate", "sam.staff@practice.example", 1)])

    assert [staff.get(PERSONS).status_code for _ in range(2)] == [200, 401]


def test_the_shipped_human_finds_everybody_in_the_shipped_past(
    open_sandbox: Callable[..., Sandbox], sign_in: Callable[..., httpx.Client], clock: VirtualClock
) -> None:
    steps = read_steps("practice")
    sandbox = open_sandbox(past="practice", human=steps)
    client = sign_in(sandbox)

    for _ in range(260):
        clock.advance(1)
        client.get("/api/v2/pipelines")

    assert sandbox.front.human.missed == []
    assert len(sandbox.front.human.done) == len(steps) > 5
    names = [person["name"] for person in sandbox.dump()["person"]]
    assert "Walk-in Wilma" not in names
    assert "Renamed At The Desk" in names


@pytest.mark.parametrize(
    "step",
    [
        [],
        {"add": "person"},
        {"after_requests": 1},
        {"after_requests": -1, "delete": "person"},
        {"after_requests": 1, "at": "2026-03-02T09:00:00Z", "delete": "person"},
        {"after_requests": 1, "delete": "person", "add": "person"},
        {"after_requests": 1, "delete": "patient"},
        {"after_requests": 1, "delete": "person", "whom": "newest"},
        {"at": "tomorrow", "delete": "person"},
        {"at": "2026-03-02T09:00:00", "delete": "person"},
    ],
)
def test_a_wrong_step_is_named_by_its_number(tmp_path: Path, step: object) -> None:
    path = tmp_path / "human.json"
    path.write_text(json.dumps([{"after_requests": 1, "delete": "person"}, step]))

    with pytest.raises(UsageError, match="step 2"):
        read_steps(path)


def test_steps_that_are_no_list_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "human.json"
    path.write_text("{}")

    with pytest.raises(UsageError, match=r"human\.json"):
        read_steps(path)
