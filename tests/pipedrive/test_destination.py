"""Whatever is written to the embedded account is read back as it was meant, and can be deleted again."""

from __future__ import annotations

import asyncio
import hashlib
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from flitstack.errors import (
    Rejected,
)
from flitstack.protocols import Operation

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from flitstack.clock import VirtualClock
    from flitstack.protocols import JSON
    from flitstack_pipedrive.destination import PipedriveWriter

    Use = Callable[[PipedriveWriter, Callable[[Any], Coroutine[Any, Any, None]]], None]

DOCUMENT = b"%PDF-1.4 invented"  # what conftest's open_attachment returns for documents/one.pdf
VALUES: dict[str, JSON] = {
    "Recall_Type__c": ["Perio", "Hygiene"],
    "Coverage_Type__c": "PPO",
    "Score__c": "12.50",
    "Account_Balance__c": {"value": "-10.20", "currency": "USD"},
    "Date_Of_Birth__c": "1980-02-29",
    "Mailing_Address__c": "1 Example Street, Sampletown",
    "Policy_Number__c": "P-0001",
    "Details__c": "first line\nsecond <line> & more",
}


CREATES: dict[str, tuple[str, dict[str, JSON], dict[str, str]]] = {
    "organization": (
        "organization",
        {"name": "Dr. Example", "address": "2 Example Street", "add_time": "2015-05-06T07:08:09Z"},
        {"owner_id": "USER"},
    ),
    "person": (
        "person",
        {
            "name": "Ann Example",
            "phones": [
                {"value": "+1 555 010 0001", "label": "home", "primary": False},
                {"value": "555-0100 x12", "label": "work", "primary": True},
            ],
            "emails": [{"value": "Ann@Example.com", "label": "home", "primary": True}],
            "add_time": "2011-12-13T14:15:16Z",
            **VALUES,
        },
        {
            "owner_id": "USER",
            "org_id": "organization",
            "Guarantor__c": "guarantor",
            "Referral_Source_ID__c": "organization",
        },
    ),
    "deal won": (
        "deal",
        {
            "title": "Plan one",
            "value": "123.40",
            "currency": "EUR",
            "status": "won",
            "won_time": "2024-05-06T07:08:09Z",
            "expected_close_date": "2024-06-01",
            **VALUES,
        },
        {"stage_id": "stage", "person_id": "person", "org_id": "organization", "owner_id": "USER"},
    ),
    "deal lost": (
        "deal",
        {"title": "Plan two", "status": "lost", "lost_time": "2024-05-06T07:08:09Z", "lost_reason": "Moved"},
        {"stage_id": "stage", "person_id": "person", "Guarantor__c": "guarantor"},
    ),
    "lead": (
        "lead",
        {"title": "Ann asks", "value": "50", "currency": "USD", "expected_close_date": "2026-05-01", **VALUES},
        {"person_id": "person", "owner_id": "USER", "Guarantor__c": "guarantor"},
    ),
    "activity": (
        "activity",
        {
            "subject": "Check-up",
            "due_date": "2026-02-03",
            "due_time": "09:30",
            "duration": "00:45",
            "done": True,
            "note": "<p>Status: complete &amp; paid</p>",
        },
        {"type": "type", "person_id": "person", "owner_id": "USER"},
    ),
    "note": (
        "note",
        {"content": "first<br>second &lt;b&gt;", "add_time": "2012-01-02T03:04:05Z"},
        {"person_id": "person", "user_id": "USER"},
    ),
}


@pytest.mark.parametrize("case", CREATES)
def test_a_record_comes_back_from_a_list_and_by_id_as_it_was_written(
    case: str, writer: PipedriveWriter, use: Use
) -> None:
    object, fields, links = CREATES[case]

    async def scenario(account: Any) -> None:
        resolved = {name: account.ids.get(target, "1") for name, target in links.items()}
        id = await account.apply("create", object, fields, links=resolved, key="practice:things:7", part="2")

        listed = (await account.read(object))[id]
        (read,) = await writer.get_many(object, [id])

        assert listed == read
        assert listed.key == "practice:things:7#2"
        assert {**resolved, **listed.links} == listed.links
        held = writer.comparable(object, listed.fields)
        assert {name: held.get(name) for name in fields} == writer.comparable(object, fields)

    use(writer, scenario)


@pytest.mark.parametrize("case", CREATES)
def test_a_deleted_record_is_neither_listed_nor_found(case: str, writer: PipedriveWriter, use: Use) -> None:
    object, fields, links = CREATES[case]

    async def scenario(account: Any) -> None:
        resolved = {name: account.ids.get(target, "1") for name, target in links.items()}
        id = await account.apply("create", object, fields, links=resolved)

        await account.apply("delete", object, {}, id=id)

        assert id not in await account.read(object)
        assert await writer.get_many(object, [id]) == []
        error, _ = await account.attempt("update", object, {next(iter(fields)): "x"}, id="9999")
        assert isinstance(error, Rejected)

    use(writer, scenario)


UPDATES: list[tuple[str, dict[str, JSON]]] = [
    ("person", {"name": "Ann Sample", "emails": [], "Recall_Type__c": None, "Details__c": "changed"}),
    ("organization", {"name": "Dr. Sample", "address": "3 Example Street"}),
    ("deal won", {"title": "Plan 1", "status": "open", "won_time": None, "value": "5"}),
    ("deal lost", {"status": "won", "lost_time": None, "lost_reason": None, "won_time": "2025-01-01T00:00:00Z"}),
    ("lead", {"value": "75.5", "Recall_Type__c": ["Perio"], "Account_Balance__c": None, "expected_close_date": None}),
    ("activity", {"subject": "Moved", "done": False, "note": "<p>Other</p>"}),
    ("note", {"content": "changed", "add_time": "2013-01-02T03:04:05Z"}),
]


@pytest.mark.parametrize(("case", "changes"), UPDATES, ids=lambda value: value if isinstance(value, str) else "")
def test_an_update_changes_what_it_names_and_nothing_else(
    case: str, changes: dict[str, JSON], writer: PipedriveWriter, use: Use
) -> None:
    object, fields, links = CREATES[case]

    async def scenario(account: Any) -> None:
        resolved = {name: account.ids.get(target, "1") for name, target in links.items()}
        id = await account.apply("create", object, fields, links=resolved, key="practice:things:7")
        (before,) = await writer.get_many(object, [id])

        await account.apply("update", object, changes, id=id, key="practice:things:7")

        (after,) = await writer.get_many(object, [id])
        was, held = writer.comparable(object, before.fields), writer.comparable(object, after.fields)
        wanted = {**was, **writer.comparable(object, changes)}
        assert {name: held.get(name) for name in wanted} == wanted
        assert (after.key, after.links) == (before.key, before.links)

    use(writer, scenario)


def test_a_document_is_uploaded_and_known_by_parent_name_and_size(
    writer: PipedriveWriter, dump: Callable[[], dict[str, Any]], use: Use
) -> None:
    async def scenario(account: Any) -> None:
        fields: dict[str, JSON] = {
            "name": "x-ray.pdf",
            "path": "documents/one.pdf",
            "size": len(DOCUMENT),
            "sha256": hashlib.sha256(DOCUMENT).hexdigest(),
        }
        links = {"person_id": account.ids["person"]}
        id = await account.apply("create", "file", fields, links=links)

        stored = (await account.read("file"))[id]
        assert (stored.fields["name"], stored.fields["size"], stored.links) == ("x-ray.pdf", len(DOCUMENT), links)
        of_person = [one.id async for one in writer.list("file", parent=f"person_id:{account.ids['person']}")]
        assert of_person == [id]
        assert [one.id async for one in writer.list("file", parent="activity_id:1")] == []
        await account.apply("update", "file", {"name": "renamed.pdf"}, id=id)
        (renamed,) = await writer.get_many("file", [id])
        assert renamed.fields["name"] == "renamed.pdf"

    use(writer, scenario)

    (file,) = dump()["file"]
    assert file["sha256"] == hashlib.sha256(DOCUMENT).hexdigest()


def test_a_deleted_document_is_gone(writer: PipedriveWriter, use: Use) -> None:
    async def scenario(account: Any) -> None:
        fields: dict[str, JSON] = {"name": "x-ray.pdf", "path": "documents/one.pdf"}
        id = await account.apply("create", "file", fields, links={"person_id": account.ids["person"]})

        await account.apply("delete", "file", {}, id=id)

        assert await writer.get_many("file", [id]) == []
        assert await account.read("file") == {}

    use(writer, scenario)


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"path": "documents/absent.pdf"}, "attachment_missing"),
        ({"path": "documents/one.pdf", "size": 1}, "attachment_differs"),
        ({"path": "documents/one.pdf", "sha256": "00"}, "attachment_differs"),
    ],
)
def test_a_document_whose_bytes_are_not_there_is_rejected_before_anything_is_sent(
    fields: dict[str, JSON], code: str, writer: PipedriveWriter, use: Use
) -> None:
    async def scenario(account: Any) -> None:
        before = writer.spent()

        error, _ = await account.attempt("create", "file", {"name": "x", **fields}, links={"person_id": "1"})

        assert isinstance(error, Rejected)
        assert error.code == code
        assert writer.spent() == before

    use(writer, scenario)


@pytest.mark.parametrize(("object", "fields"), [("note", {"content": "x"}), ("lead", {"title": "x"})])
def test_what_hangs_on_nothing_is_rejected_before_it_is_sent(
    object: str, fields: dict[str, JSON], writer: PipedriveWriter, use: Use
) -> None:
    async def scenario(account: Any) -> None:
        error, _ = await account.attempt("create", object, fields)

        assert isinstance(error, Rejected)
        assert error.code == "parent_missing"

    use(writer, scenario)


def test_a_refusal_by_the_account_names_the_field_and_not_the_value(writer: PipedriveWriter, use: Use) -> None:
    async def scenario(account: Any) -> None:
        error, _ = await account.attempt("create", "person", {"name": "Canary", "Date_Of_Birth__c": "canary-date"})

        assert isinstance(error, Rejected)
        assert (error.code, error.field) == ("destination_refused", "Date_Of_Birth__c")
        assert "anary" not in str(error)

    use(writer, scenario)


def test_a_list_since_a_time_shows_what_changed_after_it(
    writer: PipedriveWriter, clock: VirtualClock, use: Use
) -> None:
    async def scenario(account: Any) -> None:
        links = {"person_id": account.ids["person"]}
        for object, fields in (("note", {"content": "old"}), ("lead", {"title": "old"}), ("deal", {"title": "old"})):
            await account.apply("create", object, fields, links=links)
        clock.advance(60)
        since = clock.now() + timedelta(microseconds=500)
        new = {
            object: await account.apply("create", object, fields, links=links)
            for object, fields in (("note", {"content": "new"}), ("lead", {"title": "new"}), ("deal", {"title": "new"}))
        }

        for object, id in new.items():
            assert [one.id async for one in writer.list(object, since=since)] == [id]

    use(writer, scenario)


def test_a_list_goes_through_all_pages_and_by_parent(writer: PipedriveWriter, use: Use) -> None:
    async def scenario(account: Any) -> None:
        links = {"person_id": account.ids["person"]}
        operations = [
            Operation(number, "create", "note", f"practice:notes:{number}", "", {"content": "x"}, links)
            for number in range(1001)
        ]
        outcomes = await asyncio.gather(*(writer.apply([operation]) for operation in operations))
        assert all(outcome.error is None for (outcome,) in outcomes)
        await account.apply("create", "note", {"content": "x"}, links={"person_id": account.ids["guarantor"]})

        keys = [one.key async for one in writer.list("note", parent=f"person_id:{account.ids['person']}")]

        assert sorted(str(key) for key in keys) == sorted(operation.key for operation in operations)
        assert len(await account.read("note")) == 1002

    use(writer, scenario)


def test_many_ids_are_read_a_hundred_at_a_time(writer: PipedriveWriter, use: Use) -> None:
    async def scenario(account: Any) -> None:
        ids = [await account.apply("create", "person", {"name": f"Person {number}"}) for number in range(130)]
        before = writer.spent()

        found = await writer.get_many("person", [*ids, "99999"])

        assert [stored.id for stored in found] == ids
        assert writer.spent().requests - before.requests == 2

    use(writer, scenario)


def test_a_value_nobody_foresaw_is_an_outcome_and_no_traceback(writer: PipedriveWriter, use: Use) -> None:
    async def scenario(account: Any) -> None:
        error, _ = await account.attempt("create", "person", {"name": "x", "Account_Balance__c": {"value": ["canary"]}})
        unforeseen, _ = await account.attempt("create", "person", {"name": "x", "emails": [["canary"]]})

        assert isinstance(error, Rejected)
        assert unforeseen is not None
        assert "canary" not in f"{error} {unforeseen}"

    use(writer, scenario)
