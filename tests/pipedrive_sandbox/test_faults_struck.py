"""What each fault does to a request, in process and over HTTP, and what is kept of it."""

from __future__ import annotations

import asyncio
import json
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import httpx
import pytest

from flitstack.clock import VirtualClock
from flitstack_pipedrive.sandbox import serve_in_thread
from flitstack_pipedrive.sandbox.app import FaultRule, Sandbox, Switches
from flitstack_pipedrive.sandbox.faults import KINDS, Fault
from flitstack_pipedrive.wire import app_transport

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

PERSONS = "/api/v2/persons"
POST = "POST"


def once(kind: str, amount: float = 0.0, method: str = POST) -> list[FaultRule]:
    return [FaultRule(Fault(kind, amount), method=method, path=f"{PERSONS}*", nth=1)]


def make(client: httpx.Client, name: str = "A") -> httpx.Response:
    return client.post(PERSONS, json={"name": name})


def held(sandbox: Sandbox) -> list[str]:
    return [person["name"] for person in sandbox.dump()["person"]]


def eventually(client: httpx.Client, is_so: Callable[[httpx.Response], bool]) -> httpx.Response:
    """Return the first list of persons that is as wanted; the last one after ten seconds."""
    until = time.monotonic() + 10
    while True:
        try:
            answer = client.get(PERSONS)
            if is_so(answer) or time.monotonic() > until:
                return answer
        except httpx.ConnectError:
            assert time.monotonic() < until
        time.sleep(0.05)


@pytest.fixture
def served() -> Iterator[Callable[[list[FaultRule]], tuple[Sandbox, httpx.Client]]]:
    """Serve sandboxes over HTTP on the machine's clock; return each with a client of its admin."""
    opened: list[tuple[Sandbox, object, httpx.Client]] = []

    def start(rules: list[FaultRule]) -> tuple[Sandbox, httpx.Client]:
        sandbox = Sandbox(plan="ultimate", faults=rules)
        serving = serve_in_thread(sandbox)
        url = serving.__enter__()
        client = httpx.Client(base_url=url, headers={"x-api-token": sandbox.users[0]["token"]}, timeout=5)
        opened.append((sandbox, serving, client))
        return sandbox, client

    yield start
    for sandbox, serving, client in opened:
        client.close()
        serving.__exit__(None, None, None)  # type: ignore[attr-defined]
        sandbox.close()


def test_a_late_commit_lands_when_its_time_has_come(sandbox: Sandbox, admin: httpx.Client, clock: VirtualClock) -> None:
    sandbox.set_faults(once("late_commit", 5))

    with pytest.raises(ConnectionResetError):
        make(admin)
    at_once = held(sandbox)
    clock.advance(4)
    shortly_before = admin.get(PERSONS).json()["data"]
    clock.advance(3)
    after = admin.get(PERSONS).json()["data"]

    assert (at_once, shortly_before) == ([], [])
    # Two seconds passed before anybody looked; it was written when it was due.
    assert [(person["name"], person["add_time"]) for person in after] == [("A", "2026-03-02T09:00:05Z")]


def test_a_late_commit_that_is_refused_leaves_nothing(
    sandbox: Sandbox, admin: httpx.Client, clock: VirtualClock
) -> None:
    sandbox.set_faults(once("late_commit", 1))

    with pytest.raises(ConnectionResetError):
        admin.post(PERSONS, json={"nobody": "knows this key"})
    clock.advance(2)

    assert held(sandbox) == []


def test_half_a_body_breaks_off_after_the_commit(sandbox: Sandbox, admin: httpx.Client) -> None:
    sandbox.set_faults(once("truncated"))

    with pytest.raises(ConnectionResetError):
        make(admin)

    assert held(sandbox) == ["A"]


def test_a_page_comes_instead_of_json_after_the_commit(sandbox: Sandbox, admin: httpx.Client) -> None:
    sandbox.set_faults(once("not_json"))

    answer = make(admin)

    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")
    with pytest.raises(json.JSONDecodeError):
        answer.json()
    assert held(sandbox) == ["A"]


def test_a_dripping_answer_takes_its_time_and_is_whole(
    sandbox: Sandbox, admin: httpx.Client, clock: VirtualClock
) -> None:
    sandbox.set_faults(once("drip", 10))
    before = clock.monotonic()

    answer = make(admin)

    assert answer.json()["data"]["name"] == "A"
    assert clock.monotonic() - before == pytest.approx(10, abs=0.6)


def test_a_storm_refuses_everybody_until_it_is_over(
    sandbox: Sandbox, admin: httpx.Client, staff: httpx.Client, clock: VirtualClock
) -> None:
    sandbox.set_faults(once("storm", 30))

    struck, other = make(admin), staff.get("/api/v2/deals")
    clock.advance(31)

    assert (struck.status_code, other.status_code) == (429, 429)
    assert struck.headers["x-ratelimit-remaining"] == "0"
    assert int(struck.headers["x-ratelimit-reset"]) == 30
    assert make(admin).status_code == 200
    assert held(sandbox) == ["A"]


def test_a_revoked_token_stays_revoked_and_the_others_go_on(
    sandbox: Sandbox, admin: httpx.Client, staff: httpx.Client
) -> None:
    sandbox.set_faults([FaultRule(Fault("revoke"), method=POST, nth=2)])

    answers = [make(admin).status_code for _ in range(3)]

    assert answers == [200, 401, 401]
    assert admin.get(PERSONS).status_code == 401
    assert staff.get(PERSONS).status_code == 200


def test_refused_connections_come_back_after_their_time(
    sandbox: Sandbox, admin: httpx.Client, clock: VirtualClock
) -> None:
    sandbox.set_faults(once("refuse", 20))

    with pytest.raises(ConnectionRefusedError):
        make(admin)
    clock.advance(10)
    with pytest.raises(ConnectionRefusedError):
        admin.get("/api/v2/deals")
    clock.advance(11)

    assert make(admin, "B").status_code == 200
    assert held(sandbox) == ["B"]


def test_a_restart_keeps_the_state_and_forgets_the_window(
    open_sandbox: Callable[..., Sandbox], sign_in: Callable[..., httpx.Client], tmp_path: Path
) -> None:
    sandbox = open_sandbox(str(tmp_path / "account.db"), switches=Switches(burst=3))
    client = sign_in(sandbox)
    field = client.post("/api/v2/personFields", json={"field_name": "Key", "field_type": "varchar"}).json()["data"]
    client.post(PERSONS, json={"name": "A", "custom_fields": {field["field_code"]: "k1"}})
    used = sandbox.tokens_used
    sandbox.set_faults([FaultRule(Fault("restart", 0), nth=1)])

    with pytest.raises(ConnectionRefusedError):
        client.get(PERSONS)
    after = [client.get(PERSONS) for _ in range(3)]

    assert [answer.status_code for answer in after] == [200, 200, 200]
    assert sandbox.dump()["person"][0]["by_name"] == {"Key": "k1"}
    assert sandbox.tokens_used == used + 30


def test_lists_begin_to_lag_when_told(sandbox: Sandbox, admin: httpx.Client, clock: VirtualClock) -> None:
    sandbox.set_faults([FaultRule(Fault("list_lag", 60), method=POST, nth=2)])

    first = make(admin, "A").json()["data"]["id"]
    clock.advance(120)
    second = make(admin, "B").json()["data"]["id"]

    assert [person["id"] for person in admin.get(PERSONS).json()["data"]] == [first]
    assert admin.get(f"{PERSONS}/{second}").status_code == 200
    clock.advance(61)
    assert len(admin.get(PERSONS).json()["data"]) == 2


def test_the_search_begins_to_lag_when_told(sandbox: Sandbox, admin: httpx.Client, clock: VirtualClock) -> None:
    sandbox.set_faults([FaultRule(Fault("search_lag", 60), method=POST, nth=1)])
    make(admin, "Robin Example")

    def found() -> int:
        return len(admin.get(f"{PERSONS}/search", params={"term": "Robin"}).json()["data"]["items"])

    before = found()
    clock.advance(61)

    assert (before, found()) == (0, 1)


def test_the_page_is_never_struck(sandbox: Sandbox, admin: httpx.Client) -> None:
    sandbox.set_faults([FaultRule(Fault("drop_before"))])

    assert admin.get("/").status_code == 200
    assert sandbox.front.traffic.total == 0


# --- what an httpx client sees ---------------------------------------------------------------------------------------

BREAKS = ("drop_before", "drop_after", "late_commit", "truncated", "refuse", "restart")


@pytest.mark.parametrize("kind", BREAKS)
def test_in_process_a_broken_connection_is_a_transport_error(kind: str) -> None:
    clock = VirtualClock(datetime(2026, 3, 2, 9, tzinfo=UTC))

    async def post(sandbox: Sandbox) -> None:
        headers = {"x-api-token": sandbox.users[0]["token"]}
        async with httpx.AsyncClient(
            transport=app_transport(sandbox.app), base_url="http://sandbox.example", headers=headers
        ) as client:
            await client.post(PERSONS, json={"name": "A"})

    with Sandbox(clock=clock, faults=once(kind, 1)) as sandbox:
        expected = httpx.ConnectError if kind in ("refuse", "restart") else httpx.ReadError
        with pytest.raises(expected):
            asyncio.run(post(sandbox))

        assert held(sandbox) == (["A"] if kind in ("drop_after", "truncated") else [])


def test_in_process_a_fault_of_the_application_itself_is_still_a_500() -> None:
    async def broken(scope: object, receive: object, send: object) -> None:
        raise ZeroDivisionError

    async def get() -> int:
        async with httpx.AsyncClient(transport=app_transport(broken), base_url="http://sandbox.example") as client:
            return (await client.get("/")).status_code

    assert asyncio.run(get()) == 500


@pytest.mark.parametrize("kind", BREAKS)
def test_over_http_a_broken_connection_is_a_transport_error(
    served: Callable[[list[FaultRule]], tuple[Sandbox, httpx.Client]], kind: str
) -> None:
    sandbox, client = served(once(kind, 1.5))

    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        make(client)
    at_once = held(sandbox)

    assert at_once == (["A"] if kind in ("drop_after", "truncated") else [])
    expected = ["A"] if kind in ("drop_after", "truncated", "late_commit") else []
    answer = eventually(client, lambda answer: len(answer.json()["data"]) == len(expected))
    assert [person["name"] for person in answer.json()["data"]] == expected


@pytest.mark.parametrize("kind", ["refuse", "restart"])
def test_over_http_nobody_listens_while_connections_are_refused(
    served: Callable[[list[FaultRule]], tuple[Sandbox, httpx.Client]], kind: str
) -> None:
    _, client = served(once(kind, 1.5))
    assert client.get("/api/v2/deals").status_code == 200

    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        make(client)
    with pytest.raises(httpx.ConnectError):
        client.get("/api/v2/deals")
    eventually(client, lambda answer: answer.is_success)

    assert make(client).status_code == 200


def test_over_http_a_drip_outlasts_a_read_timeout_only_between_pieces(
    served: Callable[[list[FaultRule]], tuple[Sandbox, httpx.Client]],
) -> None:
    _, client = served([FaultRule(Fault("drip", 1.6), nth=1), FaultRule(Fault("latency", 3), nth=2)])

    dripped = client.post(PERSONS, json={"name": "A"}, timeout=1)
    with pytest.raises(httpx.ReadTimeout):
        client.get(PERSONS, timeout=1)

    assert dripped.json()["data"]["name"] == "A"


def test_no_kind_of_fault_is_left_without_a_test() -> None:
    alive = {"not_json", "drip", "storm", "revoke", "list_lag", "search_lag", "status", "status_after", "latency"}

    assert {*BREAKS, *alive} == set(KINDS)
