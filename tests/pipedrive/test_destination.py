"""Whatever is written to the embedded account is read back as it was meant, and can be deleted again."""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from flitstack.errors import (
    AuthError,
    BudgetExhausted,
    ConfigurationError,
    Fatal,
    FlitError,
    InDoubt,
    PlanLimit,
    Rejected,
)
from flitstack.protocols import Operation, SchemaItem, WriterContext
from flitstack_pipedrive.client import Client
from flitstack_pipedrive.destination import PipedriveWriter
from flitstack_pipedrive.opening import open_writer
from flitstack_pipedrive.sandbox.app import Sandbox
from flitstack_pipedrive.settings import parse_settings

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping
    from pathlib import Path

    from flitstack.clock import VirtualClock
    from flitstack.protocols import JSON, Stored

DOCUMENT = b"%PDF-1.4 invented"  # what conftest's open_attachment returns for documents/one.pdf
TYPES: dict[str, Any] = {
    "Recall_Type__c": {"type": "set", "options": ["Hygiene", "Perio"]},
    "Coverage_Type__c": {"type": "enum", "options": ["PPO", "Unknown"]},
    "Score__c": {"type": "double"},
    "Account_Balance__c": {"type": "monetary"},
    "Date_Of_Birth__c": {"type": "date"},
    "Mailing_Address__c": {"type": "address"},
    "Policy_Number__c": {"type": "varchar"},
    "Details__c": {"type": "text"},
    "Guarantor__c": {"type": "people"},
    "Referral_Source_ID__c": {"type": "org"},
}
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


@dataclass
class Account:
    """A writer, and the ids of what was created through it."""

    writer: PipedriveWriter
    ids: dict[str, str] = field(default_factory=dict)
    count: int = 0

    async def apply(self, verb: Any, object: str, fields: Mapping[str, JSON], **more: Any) -> str:
        """Carry out one operation that must succeed, and return its id."""
        outcome_error, id = await self.attempt(verb, object, fields, **more)
        if outcome_error is not None:
            raise outcome_error
        return id or ""

    async def attempt(
        self, verb: Any, object: str, fields: Mapping[str, JSON], **more: Any
    ) -> tuple[Exception | None, str | None]:
        self.count += 1
        key = more.pop("key", f"practice:{object}:{self.count}")
        operation = Operation(
            self.count, verb, object, key, more.pop("part", ""), fields, more.pop("links", {}), more.pop("id", None)
        )
        (outcome,) = await self.writer.apply([operation])
        assert outcome.operation == operation.id
        return outcome.error, outcome.destination_id

    async def prepare(self) -> None:
        """Create the schema that records need."""
        for of in ("person", "organization", "deal"):
            await self.apply("create", "field", {"name": "Source_System_ID__c", "of": of, "type": "varchar"})
        for of in ("person", "deal"):
            for name, wanted in TYPES.items():
                await self.apply("create", "field", {"name": name, "of": of, **wanted})
        self.ids["pipeline"] = await self.apply("create", "pipeline", {"name": "Treatment Plans", "of": ""})
        self.ids["stage"] = await self.apply("create", "stage", {"name": "Proposed", "of": "Treatment Plans"})
        self.ids["type"] = await self.apply("create", "activity_type", {"name": "Hygiene", "of": "", "icon": "bell"})
        self.ids["guarantor"] = await self.apply("create", "person", {"name": "Gil Example"})
        self.ids["organization"] = await self.apply("create", "organization", {"name": "Referring Practice"})
        self.ids["person"] = await self.apply("create", "person", {"name": "Pat Example"})

    async def read(self, object: str) -> dict[str, Stored]:
        """Return what the list shows, by id."""
        return {stored.id: stored async for stored in self.writer.list(object)}


def use(writer: PipedriveWriter, scenario: Callable[[Account], Coroutine[Any, Any, None]]) -> None:
    """Run a scenario on a prepared account."""

    async def run() -> None:
        account = Account(writer)
        await account.prepare()
        await scenario(account)
        await writer.aclose()

    asyncio.run(run())


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
def test_a_record_comes_back_from_a_list_and_by_id_as_it_was_written(case: str, writer: PipedriveWriter) -> None:
    object, fields, links = CREATES[case]

    async def scenario(account: Account) -> None:
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
def test_a_deleted_record_is_neither_listed_nor_found(case: str, writer: PipedriveWriter) -> None:
    object, fields, links = CREATES[case]

    async def scenario(account: Account) -> None:
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
    case: str, changes: dict[str, JSON], writer: PipedriveWriter
) -> None:
    object, fields, links = CREATES[case]

    async def scenario(account: Account) -> None:
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
    writer: PipedriveWriter, dump: Callable[[], dict[str, Any]]
) -> None:
    async def scenario(account: Account) -> None:
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


def test_a_deleted_document_is_gone(writer: PipedriveWriter) -> None:
    async def scenario(account: Account) -> None:
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
    fields: dict[str, JSON], code: str, writer: PipedriveWriter
) -> None:
    async def scenario(account: Account) -> None:
        before = writer.spent()

        error, _ = await account.attempt("create", "file", {"name": "x", **fields}, links={"person_id": "1"})

        assert isinstance(error, Rejected)
        assert error.code == code
        assert writer.spent() == before

    use(writer, scenario)


@pytest.mark.parametrize(("object", "fields"), [("note", {"content": "x"}), ("lead", {"title": "x"})])
def test_what_hangs_on_nothing_is_rejected_before_it_is_sent(
    object: str, fields: dict[str, JSON], writer: PipedriveWriter
) -> None:
    async def scenario(account: Account) -> None:
        error, _ = await account.attempt("create", object, fields)

        assert isinstance(error, Rejected)
        assert error.code == "parent_missing"

    use(writer, scenario)


def test_a_refusal_by_the_account_names_the_field_and_not_the_value(writer: PipedriveWriter) -> None:
    async def scenario(account: Account) -> None:
        error, _ = await account.attempt("create", "person", {"name": "Canary", "Date_Of_Birth__c": "canary-date"})

        assert isinstance(error, Rejected)
        assert (error.code, error.field) == ("destination_refused", "Date_Of_Birth__c")
        assert "anary" not in str(error)

    use(writer, scenario)


def test_a_list_since_a_time_shows_what_changed_after_it(writer: PipedriveWriter, clock: VirtualClock) -> None:
    async def scenario(account: Account) -> None:
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


def test_a_list_goes_through_all_pages_and_by_parent(writer: PipedriveWriter) -> None:
    async def scenario(account: Account) -> None:
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


def test_many_ids_are_read_a_hundred_at_a_time(writer: PipedriveWriter) -> None:
    async def scenario(account: Account) -> None:
        ids = [await account.apply("create", "person", {"name": f"Person {number}"}) for number in range(130)]
        before = writer.spent()

        found = await writer.get_many("person", [*ids, "99999"])

        assert [stored.id for stored in found] == ids
        assert writer.spent().requests - before.requests == 2

    use(writer, scenario)


def test_a_load_at_full_speed_meets_no_429(tmp_path: Path, clock: VirtualClock) -> None:
    sandbox = Sandbox(str(tmp_path / "a.db"), plan="lite", seats=1, clock=clock)
    statuses: list[int] = []
    inner = httpx.ASGITransport(app=sandbox.app)

    class Watching(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            response = await inner.handle_async_request(request)
            statuses.append(response.status_code)
            return response

    writer = writer_on(Watching(), clock, api_token=str(sandbox.users[0]["token"]))

    async def load() -> None:
        account = Account(writer)
        await account.apply("create", "field", {"name": "Source_System_ID__c", "of": "person", "type": "varchar"})
        await asyncio.gather(*(account.apply("create", "person", {"name": "Ann Example"}) for _ in range(200)))

    asyncio.run(load())
    sandbox.close()

    assert len(statuses) > 200
    assert set(statuses) == {200}


def test_what_was_spent_is_what_the_account_counted(sandbox_file: Path, clock: VirtualClock) -> None:
    sandbox = Sandbox(str(sandbox_file), plan="ultimate", clock=clock)
    writer = writer_on(httpx.ASGITransport(app=sandbox.app), clock, api_token=str(sandbox.users[0]["token"]))

    async def scenario(account: Account) -> None:
        await account.read("lead")
        await account.read("file")
        await writer.account()

    use(writer, scenario)

    assert writer.spent().tokens == sandbox.tokens_used
    sandbox.close()


def test_a_write_that_was_kept_although_the_connection_broke_is_in_doubt_and_then_found(
    sandbox_file: Path, clock: VirtualClock
) -> None:
    sandbox = Sandbox(str(sandbox_file), plan="ultimate", clock=clock)
    inner = httpx.ASGITransport(app=sandbox.app)

    class Breaking(httpx.AsyncBaseTransport):
        broken = False

        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            response = await inner.handle_async_request(request)
            if self.broken:
                raise httpx.ReadError("the answer is lost", request=request)
            return response

    transport = Breaking()
    writer = writer_on(transport, clock, api_token=str(sandbox.users[0]["token"]))

    async def scenario(account: Account) -> None:
        transport.broken = True
        error, id = await account.attempt("create", "person", {"name": "Ann Example"}, key="practice:patients:7")
        transport.broken = False

        assert isinstance(error, InDoubt)
        assert id is None
        assert [one.key for one in (await account.read("person")).values()].count("practice:patients:7") == 1

    use(writer, scenario)
    sandbox.close()


def test_the_account_says_who_asks_and_how_much_room_is_left(sandbox_file: Path, clock: VirtualClock) -> None:
    writer = open_writer({"base_url": f"sandbox:{sandbox_file}?plan=growth&seats=3"}, context(clock))

    async def ask() -> None:
        await Account(writer).apply("create", "field", {"name": "One", "of": "person", "type": "text"})
        account = await writer.account()
        users = await writer.users()

        assert account.slots == {"field": 99}
        assert account.daily_budget == 180_000
        assert account.user.is_admin
        assert account.facts["activity_zone"] == "UTC"
        assert account.facts["plan"] == "growth"
        assert account.facts["currency"]
        assert {user.active for user in users} == {True, False}

    asyncio.run(ask())


def test_a_token_of_no_admin_is_refused_with_what_to_do(tmp_path: Path, clock: VirtualClock) -> None:
    file = tmp_path / "a.db"
    sandbox = Sandbox(str(file), clock=clock)
    token = next(str(user["token"]) for user in sandbox.users if not user["is_admin"])
    sandbox.close()
    writer = open_writer({"base_url": f"sandbox:{file}", "api_token": token}, context(clock))

    with pytest.raises(AuthError, match="admin"):
        asyncio.run(writer.account())


def test_a_wrong_token_is_refused_and_not_shown(tmp_path: Path, clock: VirtualClock) -> None:
    sandbox = Sandbox(str(tmp_path / "a.db"), clock=clock)
    writer = writer_on(httpx.ASGITransport(app=sandbox.app), clock, api_token="canary-token")

    with pytest.raises(AuthError) as caught:
        asyncio.run(writer.account())

    sandbox.close()
    assert "canary-token" not in str(caught.value)
    assert "PIPEDRIVE_API_TOKEN" in str(caught.value)


def test_the_cap_of_custom_fields_is_a_plan_limit(tmp_path: Path, clock: VirtualClock) -> None:
    writer = open_writer({"base_url": f"sandbox:{tmp_path / 'a.db'}?plan=lite"}, context(clock))

    async def fill() -> Exception | None:
        account = Account(writer)
        for number in range(30):
            await account.apply("create", "field", {"name": f"F{number}", "of": "person", "type": "text"})
        error, _ = await account.attempt("create", "field", {"name": "F30", "of": "deal", "type": "text"})
        assert (await writer.account()).slots == {"field": 0}
        return error

    assert isinstance(asyncio.run(fill()), PlanLimit)


def test_the_day_stops_at_the_reserve_and_says_when_it_goes_on(tmp_path: Path, clock: VirtualClock) -> None:
    given = {"base_url": f"sandbox:{tmp_path / 'a.db'}?plan=lite", "reserve": 0.95}
    writer = open_writer(given, context(clock))

    async def spend() -> FlitError:
        account = Account(writer)
        await account.apply("create", "field", {"name": "Source_System_ID__c", "of": "person", "type": "varchar"})
        for _ in range(400):
            error, _ = await account.attempt("create", "person", {"name": "Ann Example"})
            if isinstance(error, BudgetExhausted):
                return error
        raise AssertionError("the reserve was spent")

    error = asyncio.run(spend())

    assert isinstance(error, BudgetExhausted)
    assert error.resets_at == datetime(2026, 3, 3, tzinfo=UTC)
    assert writer.spent().tokens <= 1_500


def test_an_answer_nobody_documented_stops_without_showing_a_value(clock: VirtualClock) -> None:
    def serve(request: httpx.Request) -> httpx.Response:
        me = {"id": 1, "company_id": 1}
        data = {"/api/v1/users/me": me, "/api/v2/personFields": []}.get(
            request.url.path, [{"id": 1, "emails": "canary"}]
        )
        return httpx.Response(200, json={"success": True, "data": data})

    writer = writer_on(httpx.MockTransport(serve), clock, api_token="t")

    async def read() -> None:
        async for _ in writer.list("person"):
            pass

    with pytest.raises(Fatal) as caught:
        asyncio.run(read())

    assert "person" in str(caught.value)
    assert "canary" not in str(caught.value)


def test_a_value_nobody_foresaw_is_an_outcome_and_no_traceback(writer: PipedriveWriter) -> None:
    async def scenario(account: Account) -> None:
        error, _ = await account.attempt("create", "person", {"name": "x", "Account_Balance__c": {"value": ["canary"]}})
        unforeseen, _ = await account.attempt("create", "person", {"name": "x", "emails": [["canary"]]})

        assert isinstance(error, Rejected)
        assert unforeseen is not None
        assert "canary" not in f"{error} {unforeseen}"

    use(writer, scenario)


def test_a_server_that_does_not_say_whose_account_it_is_is_a_wrong_address(clock: VirtualClock) -> None:
    def serve(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"success": True, "data": {"hello": "there"}})

    with pytest.raises(ConfigurationError, match="PIPEDRIVE_BASE_URL"):
        asyncio.run(writer_on(httpx.MockTransport(serve), clock, api_token="t").account())


# --- the schema


def test_every_kind_of_schema_item_is_found_under_its_key(writer: PipedriveWriter) -> None:
    async def scenario(account: Account) -> None:
        found = {item.key: item for item in await writer.schema()}

        assert found["field/person/Recall_Type__c"].settings == {"type": "set", "options": ["Hygiene", "Perio"]}
        assert found["pipeline//Treatment Plans"].id == account.ids["pipeline"]
        assert found["stage/Treatment Plans/Proposed"].id == account.ids["stage"]
        assert found["activity_type//Hygiene"].settings["icon"] == "bell"
        for object in ("field", "pipeline", "stage", "activity_type"):
            listed = await account.read(object)
            assert {item.id for item in found.values() if item.object == object} == set(listed)
            assert list(await writer.get_many(object, list(listed))) == list(listed.values())

    use(writer, scenario)


def test_options_are_added_and_removed_without_touching_the_others(writer: PipedriveWriter) -> None:
    async def scenario(account: Account) -> None:
        items = {item.key: item for item in await writer.schema()}
        id = items["field/person/Recall_Type__c"].id

        await account.apply("update", "field", {"options": ["Hygiene", "Perio", "Ortho"]}, id=id)
        await account.apply("create", "person", {"name": "Ann Example", "Recall_Type__c": ["Ortho"]})
        await account.apply("update", "field", {"remove_options": ["Hygiene"]}, id=id)

        items = {item.key: item for item in await writer.schema()}
        assert items["field/person/Recall_Type__c"].settings["options"] == ["Perio", "Ortho"]

    use(writer, scenario)


def test_a_stage_finds_its_pipeline_by_the_name_the_spec_uses(writer: PipedriveWriter) -> None:
    async def scenario(account: Account) -> None:
        bound = SchemaItem("pipeline", "Plans (old)", id=account.ids["pipeline"])
        writer.bind({"pipeline//Plans": bound})

        await account.apply("create", "stage", {"name": "Accepted", "of": "Plans"})

        items = {item.key for item in await writer.schema()}
        assert "stage/Treatment Plans/Accepted" in items

    use(writer, scenario)


@pytest.mark.parametrize(
    ("object", "fields"),
    [
        ("field", {"name": "X", "of": "activity", "type": "text"}),
        ("field", {"name": "X", "of": "person", "type": "boolean"}),
        ("stage", {"name": "X", "of": "No such pipeline"}),
        ("activity_type", {"name": "X", "icon": "unicorn"}),
    ],
)
def test_a_schema_item_that_cannot_be_is_rejected_with_what_could(
    object: str, fields: dict[str, JSON], writer: PipedriveWriter
) -> None:
    async def scenario(account: Account) -> None:
        error, _ = await account.attempt("create", object, fields)

        assert isinstance(error, Rejected)
        assert error.code == "schema_unfit"

    use(writer, scenario)


def test_a_whole_schema_can_be_taken_away_again(writer: PipedriveWriter) -> None:
    async def scenario(account: Account) -> None:
        ours = [item for item in await writer.schema() if item.object == "field"]
        for item in ours:
            await account.apply("delete", "field", {}, id=item.id)
        for object, name in (("activity_type", "type"), ("stage", "stage"), ("pipeline", "pipeline")):
            await account.apply("update", object, {"name": "Renamed"}, id=account.ids[name])
            await account.apply("delete", object, {}, id=account.ids[name])

        left = await writer.schema()
        assert not [item for item in left if item.object == "field" or item.name in ("Renamed", "Hygiene")]

    use(writer, scenario)


def context(clock: VirtualClock) -> WriterContext:
    def no_documents(path: str) -> Any:
        raise FileNotFoundError(path)

    return WriterContext(clock, no_documents)


def writer_on(transport: httpx.AsyncBaseTransport, clock: VirtualClock, **given: Any) -> PipedriveWriter:
    settings = parse_settings({"base_url": "http://localhost", **given})
    return PipedriveWriter(Client(settings, clock, transport), settings, context(clock).open_attachment)
