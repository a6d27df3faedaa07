"""An embedded account on a virtual clock, writers on it, and what creates the schema that records need."""

from __future__ import annotations

import asyncio
import io
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, BinaryIO

import pytest

from flitstack.clock import VirtualClock
from flitstack.protocols import Operation, WriterContext
from flitstack_pipedrive.client import Client
from flitstack_pipedrive.destination import PipedriveWriter
from flitstack_pipedrive.opening import open_writer
from flitstack_pipedrive.sandbox.app import Sandbox
from flitstack_pipedrive.settings import parse_settings

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping
    from pathlib import Path

    import httpx

    from flitstack.protocols import JSON, Stored

    Use = Callable[[PipedriveWriter, Callable[[Any], Coroutine[Any, Any, None]]], None]

DOCUMENT = b"%PDF-1.4 invented"


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


def open_attachment(path: str) -> BinaryIO:
    """Return the one document there is."""
    if path != "documents/one.pdf":
        raise FileNotFoundError(path)
    return io.BytesIO(DOCUMENT)


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


@pytest.fixture
def clock() -> VirtualClock:
    """Return a clock that only moves when somebody sleeps."""
    return VirtualClock(datetime(2026, 3, 2, 9, 0, tzinfo=UTC))


@pytest.fixture
def sandbox_file(tmp_path: Path) -> Path:
    """Return where the account is kept."""
    return tmp_path / "account.db"


@pytest.fixture
def writer(sandbox_file: Path, clock: VirtualClock) -> PipedriveWriter:
    """Return a writer on a new account with room for every field."""
    given = {"base_url": f"sandbox:{sandbox_file}?plan=ultimate&seats=1"}
    return open_writer(given, WriterContext(clock, open_attachment))


@pytest.fixture
def dump(sandbox_file: Path, clock: VirtualClock) -> Callable[[], dict[str, Any]]:
    """Return what the account holds, read past the API."""

    def read() -> dict[str, Any]:
        sandbox = Sandbox(str(sandbox_file), plan="ultimate", clock=clock)
        try:
            return sandbox.dump()
        finally:
            sandbox.close()

    return read


@pytest.fixture
def operation() -> Callable[..., Operation]:
    """Return a maker of operations, numbered as they are made."""
    count = 0

    def make(verb: Any, object: str, fields: dict[str, Any], **more: Any) -> Operation:
        nonlocal count
        count += 1
        key = more.pop("key", f"practice:{object}s:{count}")
        return Operation(count, verb, object, key, more.pop("part", ""), fields, more.pop("links", {}), **more)

    return make


@pytest.fixture
def context(clock: VirtualClock) -> WriterContext:
    """Return what core hands to a writer."""
    return WriterContext(clock, open_attachment)


@pytest.fixture
def writer_on(clock: VirtualClock) -> Callable[..., PipedriveWriter]:
    """Return a maker of writers on a transport."""

    def make(transport: httpx.AsyncBaseTransport, **given: Any) -> PipedriveWriter:
        settings = parse_settings({"base_url": "http://localhost", **given})
        return PipedriveWriter(Client(settings, clock, transport), settings, open_attachment)

    return make


@pytest.fixture
def make_account() -> type[Account]:
    """Return what carries out single operations through a writer."""
    return Account


@pytest.fixture
def use() -> Use:
    """Return what runs a scenario on an account that has the schema."""

    def run(writer: PipedriveWriter, scenario: Callable[[Any], Coroutine[Any, Any, None]]) -> None:
        async def steps() -> None:
            account = Account(writer)
            await account.prepare()
            await scenario(account)
            await writer.aclose()

        asyncio.run(steps())

    return run
