"""What every cassette must be: free of secrets, in use, and enough to replay without a network."""

from __future__ import annotations

import asyncio
import json
import re
import socket
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
import yaml
from tests.cassettes.scrubbing import HOST, KEPT_REQUEST_HEADERS, KEPT_RESPONSE_HEADERS, RESERVED
from tests.cassettes.taping import FOLDER, NetworkUsedError, Order, Tape, network_off, replaying
from vcr.errors import CannotOverwriteExistingCassetteException  # type: ignore[import-untyped]

from flitstack_pipedrive.account import ME
from flitstack_pipedrive.answers import Call

if TYPE_CHECKING:
    from collections.abc import Iterator

CASSETTES = sorted(FOLDER.glob("*.yaml"))
MARKED = re.compile(r"mark\.cassette\(\"([\w-]+)\"")
SIZE_MAX = 1_000_000

SHA1 = re.compile(r"(?<![0-9a-zA-Z_])[0-9a-f]{40}(?![0-9a-zA-Z])")  # API tokens look so, and keys of custom fields too
EMAIL = re.compile(r"[\w.+-]+@(?:[\w-]+\.)+[a-zA-Z]{2,}")
URL = re.compile(r"https?://([\w.:-]+)")
SECRETS = {
    "a name for a token": re.compile(r"api[_-]?token|authorization|set-cookie|bearer |access_token", re.IGNORECASE),
    "a signed token": re.compile(r"\beyJ[\w-]{10,}\.[\w-]{10,}\."),
    "a private key": re.compile(r"BEGIN [A-Z ]*PRIVATE"),
    "an address of this machine": re.compile(r"127\.0\.0\.1|localhost"),
}


@cache
def interactions(path: Path) -> list[dict[str, Any]]:
    """Return the exchanges on a cassette."""
    loaded: dict[str, list[dict[str, Any]]] = yaml.safe_load(path.read_text("ascii"))
    return loaded["interactions"]


def texts(path: Path) -> Iterator[str]:
    """Yield addresses and bodies of a cassette."""
    for one in interactions(path):
        for text in (one["request"]["uri"], one["request"]["body"], one["response"]["body"]["string"]):
            yield text.decode("latin-1") if isinstance(text, bytes) else text or ""


def field_codes(path: Path) -> set[str]:
    """Return the keys that the account gave to custom fields."""
    found = set()
    for one in interactions(path):
        if "Fields" not in one["request"]["uri"] or one["response"]["status"]["code"] >= 300:
            continue
        data = json.loads(one["response"]["body"]["string"])["data"]
        found |= {item["field_code"] for item in (data if isinstance(data, list) else [data]) if "field_code" in item}
    return found


def suspicions(path: Path) -> set[str]:
    """Return what in the cassette looks like something that must not be in it, without its value."""
    found, codes = set(), field_codes(path)
    for text in texts(path):
        found |= {what for what, pattern in SECRETS.items() if pattern.search(text)}
        found |= {"a token" for value in SHA1.findall(text) if value not in codes}
        found |= {"an e-mail address" for value in EMAIL.findall(text) if not RESERVED.search(value)}
        found |= {"a host" for host in URL.findall(text) if host != HOST}
    return found


@pytest.mark.parametrize("path", CASSETTES, ids=lambda path: path.stem)
def test_no_cassette_holds_what_looks_like_a_secret(path: Path) -> None:
    assert suspicions(path) == set()


@pytest.mark.parametrize("path", CASSETTES, ids=lambda path: path.stem)
def test_no_cassette_keeps_a_header_that_the_client_does_not_need(path: Path) -> None:
    for one in interactions(path):
        assert set(one["request"]["headers"]) <= KEPT_REQUEST_HEADERS
        assert all(KEPT_RESPONSE_HEADERS.fullmatch(name) for name in one["response"]["headers"])
        assert urlsplit(one["request"]["uri"]).netloc == HOST
    assert path.stat().st_size < SIZE_MAX


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("0123456789abcdef0123456789abcdef01234567", "a token"),
        ("someone@practice.de", "an e-mail address"),
        ("https://somebody.pipedrive.com/x", "a host"),
        ("http://127.0.0.1:8080", "an address of this machine"),
        ('{"api_token": 1}', "a name for a token"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.x", "a signed token"),
    ],
)
def test_the_search_for_secrets_finds_one(text: str, what: str, tmp_path: Path) -> None:
    path = tmp_path / "bad.yaml"
    response = {"status": {"code": 200}, "body": {"string": text}, "headers": {}}
    request = {"uri": f"https://{HOST}/", "body": "", "headers": {}}
    path.write_text(yaml.safe_dump({"interactions": [{"request": request, "response": response}]}), "ascii")

    assert what in suspicions(path)


def test_every_cassette_is_used_and_every_test_has_its_own() -> None:
    modules = sorted(Path(__file__).parent.glob("test_*.py"))

    used = [name for module in modules for name in MARKED.findall(module.read_text("utf-8"))]

    assert used
    assert sorted(used) == [path.stem for path in CASSETTES]


def test_a_guarded_process_reaches_no_network() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

        with network_off():
            with pytest.raises(NetworkUsedError):
                socket.create_connection(("127.0.0.1", port))
            with pytest.raises(NetworkUsedError):
                socket.getaddrinfo("company.pipedrive.com", 443)

        socket.create_connection(("127.0.0.1", port)).close()


async def ask(tape: Tape, *calls: Call) -> None:
    """Send the calls with a client of their own."""
    client = tape.client()
    try:
        for call in calls:
            await client.send(call)
    finally:
        await client.aclose()


def test_a_request_that_is_not_on_the_cassette_fails_and_is_named() -> None:
    with replaying(Order("account"), FOLDER) as replay:
        with pytest.raises(CannotOverwriteExistingCassetteException):
            asyncio.run(ask(replay.tape, ME, Call(2, "POST", "/persons", body={"name": "Not On It"})))

    assert replay.cassette.play_count == 1
    assert "POST /api/v2/persons" in replay.shortfall()
    assert "Not On It" in replay.shortfall()


def test_what_is_on_the_cassette_and_was_not_asked_for_is_named() -> None:
    with replaying(Order("account"), FOLDER) as replay:
        asyncio.run(ask(replay.tape, ME))

    assert not replay.missing
    assert "/api/v1/users" in replay.shortfall()


def test_no_answer_is_given_twice() -> None:
    with replaying(Order("account"), FOLDER) as replay, pytest.raises(CannotOverwriteExistingCassetteException):
        asyncio.run(ask(replay.tape, ME, ME))


@pytest.mark.parametrize(
    ("call", "why"),
    [
        (Call(2, "POST", "/personFields", body={"field_name": "Other__c", "field_type": "varchar"}), "body"),
        (Call(2, "GET", "/personFields", query={"limit": "499"}), "query"),
        (Call(2, "GET", "/pipelines/{id}", {"id": "2"}), "method"),
        (Call(2, "GET", "/productFields", query={"limit": "500"}), "path"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_request_matches_by_method_path_query_and_body(call: Call, why: str) -> None:
    with replaying(Order("schema"), FOLDER) as replay, pytest.raises(CannotOverwriteExistingCassetteException):
        asyncio.run(ask(replay.tape, call))

    assert replay.missing, why
