"""Faults on order: what is kept, what is answered, and rules that are not as they should be."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import httpx
import pytest

from flitstack.errors import UsageError
from flitstack_pipedrive.sandbox import serve_in_thread
from flitstack_pipedrive.sandbox.faults import Fault, FaultRule, Faults, read_rules

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from flitstack.clock import VirtualClock
    from flitstack_pipedrive.sandbox.app import Sandbox

PERSONS = "/api/v2/persons"


def at_post(fault: Fault) -> list[FaultRule]:
    return [FaultRule(fault, method="POST", path="/api/v2/persons*", nth=1)]


def test_a_status_before_the_commit_leaves_nothing_behind(sandbox: Sandbox, admin: httpx.Client) -> None:
    sandbox.set_faults(at_post(Fault("status", 503)))

    answers = [admin.post(PERSONS, json={"name": "A"}).status_code for _ in range(2)]

    assert answers == [503, 200]
    assert len(sandbox.dump()["person"]) == 1


def test_a_status_after_the_commit_hides_that_it_was_kept(sandbox: Sandbox, admin: httpx.Client) -> None:
    sandbox.set_faults(at_post(Fault("status_after", 502)))

    assert admin.post(PERSONS, json={"name": "A"}).status_code == 502
    assert len(sandbox.dump()["person"]) == 1


@pytest.mark.parametrize(("kind", "kept"), [("drop_before", 0), ("drop_after", 1)])
def test_a_connection_breaks_before_or_after_the_commit(
    sandbox: Sandbox, admin: httpx.Client, kind: str, kept: int
) -> None:
    sandbox.set_faults(at_post(Fault(kind)))

    with pytest.raises(ConnectionResetError):
        admin.post(PERSONS, json={"name": "A"})

    assert len(sandbox.dump()["person"]) == kept


@pytest.mark.parametrize(("kind", "kept"), [("drop_before", 0), ("drop_after", 1)])
def test_over_http_the_connection_really_breaks(sandbox: Sandbox, kind: str, kept: int) -> None:
    sandbox.set_faults(at_post(Fault(kind)))
    headers = {"x-api-token": sandbox.users[0]["token"]}

    with serve_in_thread(sandbox) as url, httpx.Client(base_url=url, headers=headers) as client:
        with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
            client.post(PERSONS, json={"name": "A"})
        assert len(client.get(PERSONS).json()["data"]) == kept


def test_latency_passes_on_the_sandbox_clock(sandbox: Sandbox, admin: httpx.Client, clock: VirtualClock) -> None:
    sandbox.set_faults([FaultRule(Fault("latency", 30))])
    before = clock.monotonic()

    assert admin.get(PERSONS).status_code == 200
    assert clock.monotonic() - before == 30


def test_a_401_on_order_looks_like_a_real_one(sandbox: Sandbox, admin: httpx.Client) -> None:
    sandbox.set_faults([FaultRule(Fault("status", 401))])

    assert admin.get(PERSONS).headers["x-401-by-gw"] == "true"


def test_rules_strike_the_nth_each_nth_or_by_chance() -> None:
    def struck(**when: float) -> list[bool]:
        faults = Faults([FaultRule(Fault("drop_before"), **when)], seed=1)  # type: ignore[arg-type]
        return [bool(faults.strike("GET", "/x")) for _ in range(6)]

    assert struck(nth=2) == [False, True, False, False, False, False]
    assert struck(every=2) == [False, True, False, True, False, True]
    assert struck() == [True] * 6
    assert struck(probability=0) == [False] * 6
    assert struck(probability=0.5) == struck(probability=0.5)
    assert set(struck(probability=0.5)) == {True, False}


def test_a_rule_strikes_only_its_method_and_path() -> None:
    faults = Faults([FaultRule(Fault("drop_before"), method="POST", path="/api/v2/per*")])

    assert faults.strike("GET", "/api/v2/persons") == ()
    assert faults.strike("POST", "/api/v2/deals") == ()
    assert faults.strike("POST", "/api/v2/persons") == (Fault("drop_before"),)


def test_quiet_faults_strike_beside_the_first_loud_one() -> None:
    kinds = ("latency", "drop_before", "list_lag", "truncated")
    faults = Faults([FaultRule(Fault(kind, 1)) for kind in kinds])

    assert [fault.kind for fault in faults.strike("GET", "/x")] == ["latency", "drop_before", "list_lag"]


def test_rules_are_read_from_a_file(tmp_path: Path) -> None:
    rules = [
        {"method": "post", "path": "/api/v2/*", "nth": 3, "fault": "status:503"},
        {"every": 10, "fault": "drop_after"},
        {"probability": 0.1, "fault": "latency:0.2"},
        {"fault": "401"},
        {"fault": "status_after:500"},
        {"fault": "late_commit:5"},
        {"fault": "refuse:0.5"},
    ]
    path = tmp_path / "faults.json"
    path.write_text(json.dumps(rules))

    assert read_rules(path) == (
        FaultRule(Fault("status", 503), method="POST", path="/api/v2/*", nth=3),
        FaultRule(Fault("drop_after"), every=10),
        FaultRule(Fault("latency", 0.2), probability=0.1),
        FaultRule(Fault("status", 401)),
        FaultRule(Fault("status_after", 500)),
        FaultRule(Fault("late_commit", 5)),
        FaultRule(Fault("refuse", 0.5)),
    )


@pytest.mark.parametrize(
    "rule",
    [
        {},
        {"fault": "explode"},
        {"fault": "status:abc"},
        {"fault": "status:42"},
        {"fault": "latency:-1"},
        {"fault": "latency:nan"},
        {"fault": "latency"},
        {"fault": "truncated:3"},
        {"fault": "storm:inf"},
        {"fault": "drop_before", "nth": 0},
        {"fault": "drop_before", "nth": 1, "every": 2},
        {"fault": "drop_before", "probability": 2},
        {"fault": "drop_before", "patch": "/api"},
        "drop_before",
    ],
)
def test_a_wrong_rule_is_named_by_its_number(tmp_path: Path, rule: object) -> None:
    path = tmp_path / "faults.json"
    path.write_text(json.dumps([{"fault": "drop_before"}, rule]))

    with pytest.raises(UsageError, match="rule 2"):
        read_rules(path)


@pytest.mark.parametrize("text", ["{}", "no json", '"x"'])
def test_a_file_without_a_list_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "faults.json"
    path.write_text(text)

    with pytest.raises(UsageError, match=r"faults\.json"):
        read_rules(path)


def test_a_fault_leaves_the_other_requests_alone(
    open_sandbox: Callable[..., Sandbox], sign_in: Callable[..., httpx.Client]
) -> None:
    client = sign_in(open_sandbox(faults=at_post(Fault("status", 500))))

    assert client.get(PERSONS).status_code == 200
    assert client.post("/api/v2/organizations", json={"name": "A"}).status_code == 200
