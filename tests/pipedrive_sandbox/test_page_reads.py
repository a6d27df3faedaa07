"""What the page is told, without a browser: who may ask, what it costs, and that a line is printed per request."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from flitstack_pipedrive.sandbox.app import FaultRule, Sandbox
from flitstack_pipedrive.sandbox.faults import Fault

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

VIEWS = ("summary", "records?kind=person", "board", "fields", "dump", "canonical")
LOCAL = {"host": "127.0.0.1:8080"}


@pytest.fixture
def lived(open_sandbox: Callable[..., Sandbox]) -> Sandbox:
    return open_sandbox(past="practice")


@pytest.fixture
def nobody(lived: Sandbox, sign_in: Callable[..., httpx.Client]) -> httpx.Client:
    """Return a client without a token, as a browser is."""
    return sign_in(lived, None)


@pytest.mark.parametrize("view", VIEWS)
def test_the_page_reads_without_a_token_and_costs_nothing(lived: Sandbox, nobody: httpx.Client, view: str) -> None:
    answer = nobody.get(f"/_sandbox/{view}", headers=LOCAL)

    assert answer.status_code == 200
    assert answer.json()
    assert lived.tokens_used == 0
    assert lived.front.traffic.total == 0


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example:8080", ""])
def test_the_account_is_not_shown_under_a_strange_name(nobody: httpx.Client, view: str, host: str) -> None:
    answer = nobody.get(f"/_sandbox/{view}", headers={"host": host})

    assert answer.status_code == 403
    assert "practice.example" not in answer.text


@pytest.mark.parametrize("host", ["localhost", "localhost:80", "127.0.0.1", "[::1]:8080"])
def test_it_is_shown_under_the_names_of_this_machine(nobody: httpx.Client, host: str) -> None:
    assert nobody.get("/_sandbox/summary", headers={"host": host}).status_code == 200


def test_the_files_forbid_everything_from_elsewhere(nobody: httpx.Client) -> None:
    for path in ("/", "/_sandbox/page.js", "/_sandbox/page.css"):
        answer = nobody.get(path)

        assert answer.status_code == 200
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert re.findall(r"(?:https?:)?//[a-z0-9.]+\.[a-z]+", answer.text) == []


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/_sandbox/nothing", 404),
        ("/_sandbox/records?kind=user", 400),
        ("/_sandbox/records", 400),
        ("/_sandbox/record?kind=person&id=9999", 400),
        ("/_sandbox/record?kind=person&id=x", 400),
        ("/_sandbox/board?pipeline=x", 400),
    ],
)
def test_what_is_not_there_is_said_so(nobody: httpx.Client, path: str, status: int) -> None:
    assert nobody.get(path, headers=LOCAL).status_code == status


def test_nothing_can_be_changed_through_the_page(nobody: httpx.Client) -> None:
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        assert nobody.request(method, "/_sandbox/records?kind=person", headers=LOCAL).status_code == 405


def test_every_kind_of_record_is_shown_with_what_hangs_on_it(lived: Sandbox, nobody: httpx.Client) -> None:
    for kind in ("person", "organization", "deal", "lead", "activity", "note", "file"):
        page = nobody.get("/_sandbox/records", params={"kind": kind}, headers=LOCAL).json()
        assert page["total"] == len(lived.dump()[kind])
        one: dict[str, Any] = nobody.get(
            "/_sandbox/record", params={"kind": kind, "id": page["rows"][0]["id"]}, headers=LOCAL
        ).json()
        assert one["record"] == page["rows"][0]


def test_custom_values_are_shown_in_words(
    sandbox: Sandbox, admin: httpx.Client, add_field: Callable[..., dict[str, Any]], person: int
) -> None:
    options = {"options": [{"label": "One"}, {"label": "Two"}]}
    made = {
        kind: add_field("person", kind, kind, **(options if kind in ("enum", "set") else {}))
        for kind in ("monetary", "daterange", "time", "enum", "set", "people", "org", "user", "address", "double")
    }
    organization = admin.post("/api/v2/organizations", json={"name": "Lab"}).json()["data"]["id"]
    ids = {kind: [option["id"] for option in made[kind]["options"]] for kind in ("enum", "set")}
    values: dict[str, Any] = {
        "monetary": {"value": 12, "currency": "EUR"},
        "daterange": {"value": "2026-01-01", "until": "2026-01-02"},
        "time": {"value": "09:30"},
        "enum": ids["enum"][1],
        "set": ids["set"],
        "people": person,
        "org": organization,
        "user": 2,
        "address": {"value": "12 Mill Street"},
        "double": 1.5,
    }
    body = {"custom_fields": {made[kind]["field_code"]: value for kind, value in values.items()}}
    assert admin.patch(f"/api/v2/persons/{person}", json=body).status_code == 200

    shown = admin.get("/_sandbox/record", params={"kind": "person", "id": person}, headers=LOCAL).json()["fields"]

    assert shown == {
        "monetary": "12 EUR",
        "daterange": "2026-01-01 - 2026-01-02",
        "time": "09:30:00",
        "enum": "Two",
        "set": "One, Two",
        "people": "Robin Example",
        "org": "Lab",
        "user": "Sam Staff",
        "address": "12 Mill Street",
        "double": "1.5",
    }


def test_the_log_has_one_line_a_request_without_what_was_asked_for(
    open_sandbox: Callable[..., Sandbox], sign_in: Callable[..., httpx.Client]
) -> None:
    lines: list[str] = []
    sandbox = open_sandbox(log=lines.append, faults=[FaultRule(Fault("drop_before"), nth=3)])
    client = sign_in(sandbox)

    client.post("/api/v2/persons", json={"name": "Secret Name"})
    client.get("/api/v2/persons/search", params={"term": "Secret"})
    with pytest.raises(ConnectionResetError):
        client.get("/api/v2/persons")
    client.get("/")

    assert [re.sub(r"[\d.]+ ms$", "N ms", line) for line in lines] == [
        "09:00:00 POST /api/v2/persons 200 N ms",
        "09:00:00 GET /api/v2/persons/search 200 N ms",
        "09:00:00 GET /api/v2/persons broken off N ms",
    ]
