"""Associations, definitions, files, limits and faults of the imitated account."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from flitstack.cli import cli
from flitstack.errors import UsageError
from flitstack_hubspot.sandbox.app import Sandbox
from flitstack_hubspot.sandbox.faults import read_faults

if TYPE_CHECKING:
    from pathlib import Path

    from tests.hubspot_sandbox.conftest import Http

    from flitstack.clock import VirtualClock
else:
    Http = VirtualClock = object

LABEL = {"label": "Guarantor", "name": "guarantor", "inverseLabel": "Guarantor of"}
PROPERTY = {"name": "score", "label": "Score", "type": "number", "fieldType": "number", "groupName": "dealinformation"}


def read(http: Http, from_: str, to: str, id: str) -> dict[str, set[str | None]]:
    """Return, per record, the labels under which one is associated with it; None for none."""
    answer = http.batch(f"/crm/v4/associations/{from_}/{to}/batch/read", {"id": id}).json()
    return {
        str(end["toObjectId"]): {one["label"] for one in end["associationTypes"]}
        for result in answer["results"]
        for end in result["to"]
    }


def test_a_label_says_one_thing_there_and_another_back(http: Http) -> None:
    made = http.send("POST", "/crm/v4/associations/contacts/contacts/labels", LABEL).json()["results"]
    child, parent = http.make("contacts", lastname="Child"), http.make("contacts", lastname="Parent")
    types = [{"associationCategory": "USER_DEFINED", "associationTypeId": made[0]["typeId"]}]

    http.batch(
        "/crm/v4/associations/contacts/contacts/batch/create",
        {"from": {"id": child}, "to": {"id": parent}, "types": types},
    )

    assert read(http, "contacts", "contacts", child) == {parent: {None, "Guarantor"}}
    assert read(http, "contacts", "contacts", parent) == {child: {None, "Guarantor of"}}
    http.batch(
        "/crm/v4/associations/contacts/contacts/batch/labels/archive",
        {"from": {"id": child}, "to": {"id": parent}, "types": types},
    )
    assert read(http, "contacts", "contacts", parent) == {child: {None}}
    http.batch("/crm/v4/associations/contacts/contacts/batch/archive", {"from": {"id": child}, "to": [{"id": parent}]})
    assert read(http, "contacts", "contacts", child) == {}


def test_one_pair_of_many_may_fail_alone(http: Http) -> None:
    one, other = http.make("contacts", lastname="A"), http.make("companies", name="B")
    types = [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 279}]
    pairs = [{"from": {"id": one}, "to": {"id": id}, "types": types} for id in (other, "999999")]

    answer = http.batch("/crm/v4/associations/contacts/companies/batch/create", *pairs)

    assert (answer.status_code, len(answer.json()["results"]), len(answer.json()["errors"])) == (207, 1, 1)


def test_a_record_is_not_associated_with_itself(http: Http) -> None:
    id = http.make("contacts", lastname="A")
    types = [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 449}]

    answer = http.batch(
        "/crm/v4/associations/contacts/contacts/batch/create", {"from": {"id": id}, "to": {"id": id}, "types": types}
    )

    assert answer.status_code == 400


@pytest.mark.parametrize(
    "change",
    [
        {"name": "Score"},
        {"type": "money"},
        {"fieldType": "select"},
        {"groupName": "nowhere"},
        {"unknown": 1},
        {"label": None},
        {"type": "enumeration", "fieldType": "select", "options": [{"label": "A", "value": "a;b"}]},
        {"type": "enumeration", "fieldType": "select", "options": [{"label": "A", "value": "a"}] * 2},
    ],
)
def test_a_property_that_cannot_be_is_refused(http: Http, change: dict[str, Any]) -> None:
    assert http.send("POST", "/crm/v3/properties/deals", {**PROPERTY, **change}).status_code == 400


def test_a_property_of_the_same_name_is_refused_as_there_already(http: Http) -> None:
    assert http.send("POST", "/crm/v3/properties/deals", PROPERTY).status_code == 201
    assert http.send("POST", "/crm/v3/properties/deals", PROPERTY).status_code == 409


def test_unique_properties_are_ten_at_most_and_none_of_activities(http: Http) -> None:
    unique = {**PROPERTY, "type": "string", "fieldType": "text", "hasUniqueValue": True}
    made = [http.send("POST", "/crm/v3/properties/deals", {**unique, "name": f"key{n}"}).status_code for n in range(11)]

    assert made == [201] * 10 + [400]
    notes = {**unique, "groupName": "note_information"}
    assert http.send("POST", "/crm/v3/properties/notes", notes).status_code == 400


def test_a_pipeline_needs_a_stage_and_keeps_those_that_hold_deals(http: Http) -> None:
    body = {"label": "Plans", "displayOrder": 0, "stages": []}
    assert http.send("POST", "/crm/v3/pipelines/deals", body).status_code == 400
    stage = {"label": "Open", "displayOrder": 0, "metadata": {"probability": "0.5"}}
    made = http.send("POST", "/crm/v3/pipelines/deals", {**body, "stages": [stage]}).json()
    http.make("deals", dealname="A", pipeline=made["id"], dealstage=made["stages"][0]["id"])

    place, minds = f"/crm/v3/pipelines/deals/{made['id']}", "?validateDealStageUsagesBeforeDelete=true"
    assert http.send("DELETE", f"{place}/stages/{made['stages'][0]['id']}").status_code == 400
    assert http.send("DELETE", place + minds).status_code == 400
    assert http.send("POST", "/crm/v3/pipelines/deals", {**body, "stages": [stage]}).status_code == 409
    assert http.send("DELETE", place).status_code == 204


def test_an_account_says_how_much_of_its_limits_is_used(http: Http) -> None:
    http.send("POST", "/crm/v3/properties/deals", PROPERTY)

    properties = http.send("GET", "/crm/v3/limits/custom-properties").json()
    (deals,) = http.send("GET", "/crm/v3/limits/pipelines").json()["hubspotDefinedObjectTypes"]

    assert (properties["overallLimit"], properties["overallUsage"]) == (10_000, 1)
    assert (deals["objectTypeId"], deals["usage"]) == ("0-3", 1)
    assert http.send("GET", "/crm/v3/limits/nothing").status_code == 404


def test_a_file_is_replaced_only_when_asked_to(http: Http) -> None:
    def upload(overwrite: bool, content: bytes) -> dict[str, Any]:
        form = {"folderPath": "/a/b", "options": json.dumps({"access": "PRIVATE", "overwrite": overwrite})}
        answer = http.send("POST", "/files/v3/files", data=form, files={"file": ("one.txt", content)})
        assert answer.status_code == 201
        return dict(answer.json())

    first, second = upload(True, b"old"), upload(True, b"newer")
    third = upload(False, b"other")

    assert (first["id"], second["size"], first["path"]) == (second["id"], 5, "/a/b/one.txt")
    assert third["id"] != first["id"]
    folder = http.send("GET", "/files/v3/folders/a/b").json()
    found = http.send("GET", f"/files/v3/files/search?parentFolderIds={folder['id']}").json()["results"]
    assert {one["id"] for one in found} == {first["id"], third["id"]}


def test_the_window_closes_and_opens_again(http: Http, clock: VirtualClock) -> None:
    http.sandbox.account.switches.burst = 3
    answers = [http.send("GET", "/account-info/v3/details") for _ in range(4)]

    assert [one.status_code for one in answers] == [200, 200, 200, 429]
    assert answers[3].json()["policyName"] == "TEN_SECONDLY_ROLLING"
    assert answers[0].headers["x-hubspot-ratelimit-remaining"] == "2"
    clock.advance(10.0)
    assert http.send("GET", "/account-info/v3/details").status_code == 200


def test_the_day_ends_at_the_accounts_own_midnight(http: Http, clock: VirtualClock) -> None:
    http.send("GET", "/account-info/v3/details")
    day = http.sandbox.account.store.get("meta", "day") or {}
    http.sandbox.account.store.put("meta", "day", day | {"used": 650_000})

    refused = http.send("GET", "/account-info/v3/details")
    assert (refused.status_code, refused.json()["policyName"]) == (429, "DAILY")
    clock.advance(18 * 3600)  # 9:00 UTC is 5:00 in the account's zone
    assert http.send("GET", "/account-info/v3/details").status_code == 429
    clock.advance(2 * 3600)
    assert http.send("GET", "/account-info/v3/details").status_code == 200


def test_without_a_token_nothing_is_shown(http: Http) -> None:
    http.token = "pat-other"

    answer = http.send("GET", "/crm/v3/objects/contacts")

    assert (answer.status_code, answer.json()["category"]) == (401, "INVALID_AUTHENTICATION")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/crm/v3/objects/persons"),
        ("GET", "/crm/v5/objects/contacts"),
        ("POST", "/crm/v3/objects/contacts/batch/merge"),
        ("GET", "/files/v3/files/1"),
        ("POST", "/files/v3/files"),
        ("DELETE", "/crm/v3/properties/contacts/email"),
        ("GET", "/settings/v3/users/1"),
    ],
)
def test_what_is_not_there_is_refused_and_never_breaks_the_server(http: Http, method: str, path: str) -> None:
    answer = http.send(method, path, {"inputs": [{"id": "1"}]} if method == "POST" else None)

    assert answer.status_code in (400, 404)
    assert answer.json()["status"] == "error"


def test_faults_are_read_from_a_file_and_wrong_ones_named(tmp_path: Path) -> None:
    file = tmp_path / "faults.json"
    file.write_text('[{"request": 3, "kind": "drop_after"}]', "utf-8")
    assert read_faults(file) == {3: "drop_after"}

    for text in ('[{"request": 3, "kind": "earthquake"}]', '{"request": 3}', "no json"):
        file.write_text(text, "utf-8")
        with pytest.raises(UsageError, match=r"faults\.json"):
            read_faults(file)


def test_a_dropped_answer_was_carried_out_and_a_dropped_request_was_not(clock: VirtualClock) -> None:
    from tests.hubspot_sandbox.conftest import Http as Client

    with Sandbox(clock=clock, faults={1: "drop_before", 2: "drop_after"}) as sandbox:
        for _ in range(2):
            with pytest.raises(ConnectionResetError):
                Client(sandbox).make("contacts", lastname="A")
        assert len(sandbox.dump()["contacts"]) == 1


def test_the_command_says_what_it_is_and_refuses_a_wrong_fault_file(tmp_path: Path) -> None:
    shown = CliRunner().invoke(cli, ["hubspot", "sandbox", "serve", "--help"])
    assert "not HubSpot" in " ".join(shown.output.split())

    (tmp_path / "wrong.json").write_text("{}", "utf-8")
    refused = CliRunner().invoke(cli, ["hubspot", "sandbox", "serve", "--faults", str(tmp_path / "wrong.json")])

    assert refused.exit_code == 2
    assert "wrong.json" in refused.stderr
