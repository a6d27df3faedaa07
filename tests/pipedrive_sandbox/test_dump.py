"""The canonical state: equal for accounts that hold the same, whatever the way there, and different for any content."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from flitstack.clock import VirtualClock
    from flitstack_pipedrive.sandbox.app import Sandbox

    Make = Callable[..., Any]

FIELDS = {"Key": "varchar", "Plan": "enum", "Tags": "set", "Guarantor": "people", "Home": "address", "Helper": "user"}


def post(client: httpx.Client, path: str, body: dict[str, Any]) -> Any:
    answer = client.post(path, json=body)
    assert answer.is_success, answer.text
    return answer.json()["data"]


def fill(client: httpx.Client, *, backwards: bool = False) -> None:
    """Put the same things into an account, in one order or another."""
    codes: dict[str, str] = {}
    options: dict[str, list[int]] = {}
    for name in sorted(FIELDS, reverse=backwards):
        body: dict[str, Any] = {"field_name": name, "field_type": FIELDS[name]}
        if FIELDS[name] in ("enum", "set"):
            body["options"] = [{"label": label} for label in ("One", "Two")]
        field = post(client, "/api/v2/personFields", body)
        codes[name] = field["field_code"]
        options[name] = [option["id"] for option in field.get("options") or ()]
    if backwards:
        gone = post(client, "/api/v2/persons", {"name": "Gone"})["id"]
        client.delete(f"/api/v2/persons/{gone}")
    names = ["Ann", "Bob", "Cem"]
    people = {
        name: post(client, "/api/v2/persons", {"name": name, "add_time": "2020-01-02T03:04:05Z"})["id"]
        for name in sorted(names, reverse=backwards)
    }
    values = {
        codes["Key"]: "k1",
        codes["Plan"]: options["Plan"][1],
        codes["Tags"]: options["Tags"],
        codes["Guarantor"]: people["Bob"],
        codes["Home"]: {"value": "12 Mill Street, Springfield, IL 62701"},
        codes["Helper"]: 2,
    }
    assert client.patch(f"/api/v2/persons/{people['Ann']}", json={"custom_fields": values}).is_success
    deal = post(client, "/api/v2/deals", {"title": "Crown", "person_id": people["Ann"], "value": 10})["id"]
    participants = [{"person_id": people["Cem"], "primary": True}]
    post(client, "/api/v2/activities", {"subject": "Visit", "participants": participants, "deal_id": deal})
    post(client, "/api/v1/leads", {"title": "Lead", "person_id": people["Bob"]})
    post(client, "/api/v1/notes", {"content": "Hello", "deal_id": deal, "add_time": "2020-01-02 03:04:05"})
    client.post("/api/v1/files", data={"person_id": str(people["Ann"])}, files={"file": ("a.txt", b"content")})


@pytest.fixture
def filled(open_sandbox: Callable[..., Sandbox], sign_in: Callable[..., httpx.Client]) -> tuple[Sandbox, httpx.Client]:
    sandbox = open_sandbox(seed=1)
    client = sign_in(sandbox)
    fill(client)
    return sandbox, client


def test_the_way_there_the_seed_and_the_hour_leave_no_trace(
    filled: tuple[Sandbox, httpx.Client],
    open_sandbox: Callable[..., Sandbox],
    sign_in: Callable[..., httpx.Client],
    clock: VirtualClock,
) -> None:
    clock.advance(86_400)
    other = open_sandbox(seed=2)
    fill(sign_in(other), backwards=True)

    assert filled[0].canonical() == other.canonical()
    assert filled[0].fingerprint() == other.fingerprint()
    assert filled[0].dump() != other.dump()


def test_references_are_words_and_custom_values_stand_by_name(filled: tuple[Sandbox, httpx.Client]) -> None:
    state = filled[0].canonical()

    ann = next(person for person in state["person"] if person["name"] == "Ann")
    assert ann["fields"]["Guarantor"].startswith("Bob ~")
    assert {name: value for name, value in ann["fields"].items() if name != "Guarantor"} == {
        "Key": "k1",
        "Plan": "Two",
        "Tags": ["One", "Two"],
        "Home": {"value": "12 Mill Street, Springfield, IL 62701"},
        "Helper": "sam.staff@practice.example",
    }
    assert ann["add_time"] == "2020-01-02T03:04:05Z"
    (activity,) = state["activity"]
    assert activity["participants"][0]["person_id"].startswith("Cem ~")
    assert activity["deal_id"].startswith("Crown ~")
    assert "add_time" not in activity
    assert state["deal"][0]["stage_id"] == "Qualified"


def test_no_id_and_no_key_of_the_server_is_left(filled: tuple[Sandbox, httpx.Client]) -> None:
    text = repr(filled[0].canonical())

    codes = [field["field_code"] for field in filled[0].dump()["field"]]
    assert codes
    assert not [code for code in codes if code in text]
    assert "'id':" not in text
    assert "update_time" not in text


@pytest.mark.parametrize(
    ("path", "change"),
    [
        ("/api/v2/persons/1", {"name": "Anna"}),
        ("/api/v2/persons/1", {"phones": [{"value": "555"}]}),
        ("/api/v2/deals/1", {"value": 11}),
        ("/api/v2/deals/1", {"person_id": 2}),
        ("/api/v2/deals/1", {"stage_id": 2}),
        ("/api/v2/activities/1", {"done": True}),
        ("/api/v2/activities/1", {"participants": [{"person_id": 1, "primary": True}]}),
        ("/api/v2/stages/1", {"name": "Seen"}),
    ],
)
def test_any_change_of_content_changes_the_fingerprint(
    filled: tuple[Sandbox, httpx.Client], path: str, change: dict[str, Any]
) -> None:
    sandbox, client = filled
    before = sandbox.fingerprint()

    assert client.patch(path, json=change).is_success

    assert sandbox.fingerprint() != before


def test_a_deleted_record_is_out_and_a_twin_counts_twice(filled: tuple[Sandbox, httpx.Client]) -> None:
    sandbox, client = filled
    before = sandbox.fingerprint()

    twin = post(client, "/api/v2/persons", {"name": "Cem", "add_time": "2020-01-02T03:04:05Z"})["id"]
    doubled = sandbox.fingerprint()
    client.delete(f"/api/v2/persons/{twin}")

    assert doubled != before
    assert sandbox.fingerprint() == before


def test_a_second_write_of_the_same_changes_nothing(filled: tuple[Sandbox, httpx.Client], clock: VirtualClock) -> None:
    sandbox, client = filled
    before = sandbox.fingerprint()
    clock.advance(3_600)

    assert client.patch("/api/v2/persons/1", json={"name": "Ann"}).is_success

    assert sandbox.fingerprint() == before
