"""On the wire: each kind of record is created, read, listed, changed and deleted through the writer."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from tests.cassettes.taping import DOCUMENT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.cassettes.taping import Actor, Tape

    from flitstack.protocols import JSON


@dataclass(frozen=True, slots=True)
class Case:
    """One record's life.

    :param links: field to the parent made before (`person`, `organization`, `pipeline`, `stage`, `type`), or `user`.
    :param schema: custom fields it needs: (object, name) to settings.
    """

    object: str
    fields: Mapping[str, JSON]
    changes: Mapping[str, JSON]
    links: Mapping[str, str] = field(default_factory=dict)
    schema: Mapping[tuple[str, str], Mapping[str, Any]] = field(default_factory=dict)


KEY = "Source_System_ID__c"
TEXT: dict[str, Any] = {"type": "varchar"}
PERSON_FIELDS: dict[tuple[str, str], Mapping[str, Any]] = {
    ("person", KEY): TEXT,
    ("person", "Recall_Type__c"): {"type": "set", "options": ["Hygiene", "Perio"]},
    ("person", "Coverage_Type__c"): {"type": "enum", "options": ["PPO", "Unknown"]},
    ("person", "Account_Balance__c"): {"type": "monetary"},
    ("person", "Date_Of_Birth__c"): {"type": "date"},
    ("person", "Mailing_Address__c"): {"type": "address"},
    ("person", "Risk_Score__c"): {"type": "double"},
    ("person", "Alerts__c"): {"type": "text"},
}
ORGANIZATION = Case(
    "organization",
    {"name": "Dr. Example", "address": "2 Example Street", "add_time": "2015-05-06T07:08:09Z"},
    {"name": "Dr. Sample", "address": "3 Example Street"},
    {"owner_id": "user"},
    {("organization", KEY): TEXT},
)
PERSON = Case(
    "person",
    {
        "name": "Ann Example",
        "phones": [
            {"value": "+1 555 010 0001", "label": "home", "primary": False},
            {"value": "+1 555 010 0002", "label": "work", "primary": True},
        ],
        "emails": [{"value": "ann@example.com", "label": "home", "primary": True}],
        "add_time": "2011-12-13T14:15:16Z",
        "Recall_Type__c": ["Hygiene", "Perio"],
        "Coverage_Type__c": "PPO",
        "Account_Balance__c": {"value": "-10.20", "currency": "USD"},
        "Date_Of_Birth__c": "1980-02-29",
        "Mailing_Address__c": "1 Example Street, Sampletown",
        "Risk_Score__c": "12.5",
        "Alerts__c": "first line\nsecond <line> & more, 日本",
    },
    {"name": "Ann Sample", "Recall_Type__c": ["Perio"], "Coverage_Type__c": None, "emails": []},
    {"owner_id": "user"},
    PERSON_FIELDS,
)
DEAL_WON = Case(
    "deal",
    {
        "title": "Plan one",
        "value": "123.40",
        "currency": "EUR",
        "status": "won",
        "won_time": "2024-05-06T07:08:09Z",
        "expected_close_date": "2024-06-01",
        "Procedure_Code__c": "D0001, D0002",
    },
    {"title": "Plan 1", "value": "5", "status": "open", "won_time": None},
    {"stage_id": "stage", "person_id": "person", "owner_id": "user"},
    {("deal", KEY): TEXT, ("deal", "Procedure_Code__c"): TEXT},
)
DEAL_LOST = Case(
    "deal",
    {"title": "Plan two", "status": "lost", "lost_time": "2024-05-06T07:08:09Z", "lost_reason": "Moved away"},
    {"status": "won", "lost_time": None, "lost_reason": None, "won_time": "2025-01-01T00:00:00Z"},
    {"stage_id": "stage", "person_id": "person"},
    {("deal", KEY): TEXT},
)
LEAD = Case(
    "lead",
    {"title": "Ann asks", "value": "50", "currency": "USD", "expected_close_date": "2026-05-01"},
    {"title": "Ann asks again", "value": "75.5", "expected_close_date": None},
    {"person_id": "person", "owner_id": "user"},
    {("deal", KEY): TEXT},
)
ACTIVITY = Case(
    "activity",
    {
        "subject": "Check-up",
        "due_date": "2026-02-03",
        "due_time": "09:30",
        "duration": "00:45",
        "done": True,
        "note": "<p>Status: complete &amp; paid</p>",
    },
    {"subject": "Moved", "done": False, "note": "<p>Other</p>"},
    {"type": "type", "person_id": "person", "owner_id": "user"},
)
NOTE = Case(
    "note",
    {"content": "first<br>second &lt;b&gt;", "add_time": "2012-01-02T03:04:05Z"},
    {"content": "changed", "add_time": "2013-01-02T03:04:05Z"},
    {"person_id": "person", "user_id": "user"},
)
FILE = Case(
    "file",
    {
        "name": "x-ray.txt",
        "path": "documents/one.txt",
        "size": len(DOCUMENT),
        "sha256": hashlib.sha256(DOCUMENT).hexdigest(),
    },
    {"name": "renamed.txt"},
    {"person_id": "person"},
)
SCHEMA_OF_LINKS: dict[str, tuple[str, dict[str, Any]]] = {
    "pipeline": ("pipeline", {"name": "Treatment Plans", "of": ""}),
    "stage": ("stage", {"name": "Proposed", "of": "Treatment Plans"}),
    "type": ("activity_type", {"name": "Hygiene visit", "of": "", "icon": "bell"}),
}
NOT_GIVEN_BACK = frozenset({"path", "sha256"})  # what a list of files does not state


async def _links(actor: Actor, case: Case) -> dict[str, str]:
    """Make the schema and the parents that the record needs, and return field to id."""
    wanted = dict(case.schema)
    if "person" in case.links.values():
        wanted["person", KEY] = TEXT
    for (of, name), settings in wanted.items():
        await actor.apply("create", "field", {"name": name, "of": of, **settings})
    ids = {"user": (await actor.writer.account()).user.id}
    for name in ("pipeline", "stage", "type"):
        if name in case.links.values() or (name == "pipeline" and "stage" in case.links.values()):
            object, fields = SCHEMA_OF_LINKS[name]
            ids[name] = await actor.apply("create", object, fields)
    if "person" in case.links.values():
        ids["person"] = await actor.apply("create", "person", {"name": "Pat Example"})
    return {name: ids[target] for name, target in case.links.items()}


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(ORGANIZATION, id="organization", marks=pytest.mark.cassette("organization")),
        pytest.param(PERSON, id="person", marks=pytest.mark.cassette("person")),
        pytest.param(DEAL_WON, id="deal-won", marks=pytest.mark.cassette("deal-won")),
        pytest.param(DEAL_LOST, id="deal-lost", marks=pytest.mark.cassette("deal-lost")),
        pytest.param(LEAD, id="lead", marks=pytest.mark.cassette("lead")),
        pytest.param(ACTIVITY, id="activity", marks=pytest.mark.cassette("activity")),
        pytest.param(NOTE, id="note", marks=pytest.mark.cassette("note")),
        pytest.param(FILE, id="file", marks=pytest.mark.cassette("file")),
    ],
)
def test_a_record_is_created_read_listed_changed_and_deleted(case: Case, tape: Tape) -> None:
    async def scenario(actor: Actor) -> None:
        writer, links = actor.writer, await _links(actor, case)

        def meant(fields: Mapping[str, JSON]) -> dict[str, JSON]:
            return {k: v for k, v in writer.comparable(case.object, fields).items() if k not in NOT_GIVEN_BACK}

        id = await actor.apply("create", case.object, case.fields, links=links, key="practice:things:7")
        (read,) = await writer.get_many(case.object, [id])
        assert {name: writer.comparable(case.object, read.fields).get(name) for name in meant(case.fields)} == meant(
            case.fields
        )
        assert {**read.links, **links} == read.links
        assert read.key == ("practice:things:7" if case.object != "file" else None)
        assert await actor.listed(case.object, id) == read

        await actor.apply("update", case.object, case.changes, id=id, key="practice:things:7")
        (changed,) = await writer.get_many(case.object, [id])
        held = writer.comparable(case.object, changed.fields)
        assert {name: held.get(name) for name in meant(case.changes)} == meant(case.changes)
        assert (changed.key, changed.links) == (read.key, read.links)

        await actor.apply("delete", case.object, {}, id=id)
        assert await writer.get_many(case.object, [id]) == []
        assert await actor.listed(case.object, id) is None

    tape.play(scenario)
