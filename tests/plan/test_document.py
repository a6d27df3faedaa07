"""The plan: all that a run would do, the same for the same input, and what its gates then hold."""

from __future__ import annotations

import asyncio
import json
import stat
from typing import TYPE_CHECKING

import httpx
import pytest
from tests.plan.conftest import place_in

from flitstack.errors import ApprovalNeeded
from flitstack.journal import Journal
from flitstack.stages.gates.gate import Passing
from flitstack.stages.gates.passing import approve_shown
from flitstack_pipedrive.sandbox.app import Sandbox

if TYPE_CHECKING:
    from pathlib import Path

    from tests.plan.conftest import Place

    from flitstack.stages.report import RunReport

AT = "2026-07-01T08:00:00.000+00:00"
GATES = ("profile", "map", "schema", "full")


def approve_all(place: Place) -> None:
    with Journal.existing(place.journal) as journal:
        for gate in GATES:
            attest = "BAA 7 of 2026-05-04" if gate == "profile" else None
            approve_shown(journal, gate, "alex.admin@practice.example", AT, attest)


def files_of(place: Place) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in (place.folder / "flit-reports").glob("plan-*")}


def test_the_same_input_gives_the_same_plan_byte_for_byte_wherever_it_is_made(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "another").mkdir()
    one, another = place_in(tmp_path / "one"), place_in(tmp_path / "another")

    gates = [gate.hash for gate in one.show().gates]
    first = files_of(one)
    again = [gate.hash for gate in one.show().gates]
    others = [gate.hash for gate in another.show().gates]

    assert sorted(name.rsplit(".", 1)[1] for name in first) == ["html", "json"]
    assert files_of(one) == first == files_of(another)
    assert gates == again == others


def test_a_plan_writes_nothing_and_what_it_showed_can_be_approved(place: Place) -> None:
    report = place.show()
    with Sandbox(str(place.folder / "account.db"), plan="ultimate", seats=5) as sandbox:
        assert not sandbox.dump().get("person")
    assert [gate.name for gate in report.gates] == list(GATES)
    assert not any(gate.approved for gate in report.gates)

    approve_all(place)
    done = place.run(Passing())

    assert done.exit_code == 0
    assert done.objects["person"]["created"] == report.document.summary.operations["person", "create"]  # type: ignore[union-attr]


def test_what_was_predicted_is_what_the_run_then_takes(place: Place) -> None:
    report = place.show()
    assert report.document is not None
    opening = report.requests

    done = place.run(Passing(unseen="test"))

    assert done.requests - opening == report.document.summary.ahead.requests


def test_a_plan_of_what_was_approved_says_by_whom(place: Place) -> None:
    place.show()
    approve_all(place)

    gates = {gate.name: gate.approved for gate in place.show().gates}

    assert gates["profile"].endswith("(attested: BAA 7 of 2026-05-04)")
    assert all(words.startswith("Approved by alex.admin@practice.example on 2026-07-01") for words in gates.values())


def test_a_plan_whose_account_moved_is_refused_as_stale(place: Place) -> None:
    place.show()
    approve_all(place)
    with Sandbox(str(place.folder / "account.db"), plan="ultimate", seats=5) as sandbox:
        add_field(sandbox, "Recall_Type__c", "set", ["Prophy"])

    with pytest.raises(ApprovalNeeded) as stop:
        place.run(Passing())

    told = str(stop.value)
    assert [name for name, _ in stop.value.gates] == ["schema", "full"]
    assert "create > field/person/Recall_Type__c: gone" in told
    assert "there already: now with field/person/Recall_Type__c" in told
    assert "add to field person Recall_Type__c:" in told


def test_when_nothing_is_left_to_write_nothing_is_to_be_approved(place: Place) -> None:
    place.run(Passing(unseen="test"))

    report = place.show()

    assert report.document is not None
    assert report.document.summary.writes == 0
    assert report.gates == ()


def test_what_does_not_fit_the_accounts_plan_is_told(planned: RunReport) -> None:
    document = planned.document
    assert document is not None

    plan = json.loads(document.text())

    assert plan["schema"]["room"]["field"]["free"] == 30
    assert plan["schema"]["room"]["field"]["needed"] <= 30
    assert len(plan["schema"]["folded"]) > 5
    created = {key: item for key, item in plan["schema"]["create"].items() if key.startswith("field/")}
    assert len(created) == plan["schema"]["room"]["field"]["needed"]
    without = {key for key, item in created.items() if not {"type", "priority"} <= item.keys()}
    assert without == {"field/person/Dental_Reference__c"}  # into which the others fold
    assert plan["owners"]["matched"] + sum(p["user"] is None for p in plan["owners"]["people"]) == len(
        plan["owners"]["people"]
    )
    assert plan["owners"]["why"] == "the token's own user; fallback_owner names another"
    assert plan["grade"]["points"] == sum(reason["points"] for reason in plan["grade"]["reasons"])
    assert plan["cost"]["days"] == 1
    assert plan["map"]["compromises"]
    assert plan["operations"]["person"]["create"] > 20


def test_the_files_are_their_owners_alone(place: Place) -> None:
    place.show()

    modes = {stat.S_IMODE(file.stat().st_mode) for file in (place.folder / "flit-reports").glob("plan-*")}
    assert modes == {0o600}


def add_field(sandbox: Sandbox, name: str, kind: str, options: list[str]) -> None:
    """Make a field of persons, as an admin would."""

    async def make() -> None:
        headers = {"x-api-token": sandbox.users[0]["token"]}
        transport = httpx.ASGITransport(sandbox.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://account.example", headers=headers) as client:
            body = {"field_name": name, "field_type": kind, "options": [{"label": option} for option in options]}
            answer = await client.post("/api/v2/personFields", json=body)
            assert answer.status_code == 200, answer.text

    asyncio.run(make())
