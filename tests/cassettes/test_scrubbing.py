"""What a recording takes out of the exchanges with a real account."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.cassettes.scrubbing import Scrubber, scrubber_for
from vcr.request import Request  # type: ignore[import-untyped]

TOKEN = "0123456789abcdef" * 2 + "01234567"
BASE = "https://smiles.pipedrive.com"
PEOPLE: list[dict[str, Any]] = [
    {"id": 12, "name": "Will", "email": "will@smiles.dental"},
    {"id": 7, "name": "Rosa Real", "email": "Rosa.Real@smiles.dental"},
    {"id": 9, "name": "Alex Admin", "email": "alex.admin@practice.example"},
]


@pytest.fixture
def scrubber() -> Scrubber:
    """Return one for an invented account that looks real."""
    me = {"company_name": "Smiles", "company_domain": "smiles"}
    return scrubber_for(BASE, TOKEN, me, PEOPLE)


def answer(scrubber: Scrubber, body: Any, **headers: list[str]) -> dict[str, Any]:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    response = {"status": {"code": 200, "message": "OK"}, "headers": headers, "body": {"string": content}}
    return scrubber.response(response)


def data(scrubber: Scrubber, body: Any) -> Any:
    return json.loads(answer(scrubber, body)["body"]["string"])


def test_a_request_loses_host_token_and_headers_and_keeps_what_is_matched(scrubber: Scrubber) -> None:
    sent = Request(
        "POST",
        f"{BASE}/api/v2/persons?limit=2&x={TOKEN}",
        json.dumps({"name": "Ann", "note": f"sent with {TOKEN}"}),
        {"X-Api-Token": TOKEN, "Cookie": "a=b", "Authorization": "x", "Content-Type": "application/json"},
    )

    kept = scrubber.request(sent)

    assert kept.uri == "https://company.pipedrive.com/api/v2/persons?limit=2&x=REDACTED"
    assert dict(kept.headers) == {"content-type": "application/json"}
    assert json.loads(kept.body) == {"name": "Ann", "note": "sent with REDACTED"}
    assert sent.headers["x-api-token"] == TOKEN
    assert scrubber.request(kept).body == kept.body


def test_two_uploads_of_the_same_document_are_the_same_request() -> None:
    def upload(boundary: str) -> Request:
        body = f"--{boundary}\r\n\r\nx\r\n--{boundary}--\r\n".encode()
        headers = {"content-type": f"multipart/form-data; boundary={boundary}"}
        return Scrubber().request(Request("POST", f"{BASE}/api/v1/files", body, headers))

    one, other = upload("aaaa1111"), upload("bbbb2222")

    assert (one.body, dict(one.headers)) == (other.body, dict(other.headers))


def test_an_answer_keeps_only_the_headers_that_the_client_reads(scrubber: Scrubber) -> None:
    kept = answer(
        scrubber,
        {},
        **{"Set-Cookie": ["a"], "Content-Type": ["application/json"], "X-RateLimit-Limit": ["20"], "CF-Ray": ["b"]},
    )

    assert kept["headers"] == {"content-type": ["application/json"], "x-ratelimit-limit": ["20"]}


def test_the_people_of_a_real_account_become_numbers_and_invented_ones_stay(scrubber: Scrubber) -> None:
    body = {"data": [{"owner": person["name"], "email": person["email"].lower()} for person in PEOPLE]}

    assert data(scrubber, body)["data"] == [
        {"owner": "User 3", "email": "user3@practice.example"},
        {"owner": "User 1", "email": "user1@practice.example"},
        {"owner": "Alex Admin", "email": "alex.admin@practice.example"},
    ]


def test_a_short_name_within_a_longer_text_is_left_alone(scrubber: Scrubber) -> None:
    assert data(scrubber, {"content": "Will call back"}) == {"content": "Will call back"}


def test_a_user_loses_what_no_test_needs(scrubber: Scrubber) -> None:
    user = {**PEOPLE[0], "timezone_name": "UTC", "phone": "1", "last_login": "x", "icon_url": "y", "company_id": 345}

    kept = data(scrubber, {"data": user})["data"]

    assert kept == {
        "id": 12,
        "name": "User 3",
        "email": "user3@practice.example",
        "timezone_name": "UTC",
        "company_id": 1,
    }


def test_hosts_and_company_are_taken_out_of_texts_and_of_what_is_no_json(scrubber: Scrubber) -> None:
    assert data(scrubber, {"url": f"{BASE}/api/v1/files/1", "company_domain": "smiles", "company_name": "Smiles"}) == {
        "url": "https://company.pipedrive.com/api/v1/files/1",
        "company_domain": "company",
        "company_name": "The Company",
    }
    page = answer(scrubber, f"<html>smiles.pipedrive.com {TOKEN}</html>".encode())["body"]["string"]
    assert page == b"<html>company.pipedrive.com REDACTED</html>"


def test_any_host_and_inbox_of_pipedrive_is_taken_out_and_bytes_of_documents_stay() -> None:
    scrubber = Scrubber()

    assert data(scrubber, {"cc_email": "smiles+1@pipedrivemail.com", "url": "https://app.pipedrive.com/f"}) == {
        "cc_email": "inbox@practice.example",
        "url": "https://company.pipedrive.com/f",
    }
    assert answer(scrubber, bytes(range(256)))["body"]["string"] == bytes(range(256))
