"""An embedded account on a virtual clock, and a writer on it with the schema that records need."""

from __future__ import annotations

import asyncio
import io
import shutil
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, BinaryIO

import pytest
from tests.hubspot.moved import moved

from flitstack.clock import VirtualClock
from flitstack.protocols import Operation, SchemaItem
from flitstack_dental.example import write_example
from flitstack_hubspot.client import Client
from flitstack_hubspot.destination import HubSpotWriter
from flitstack_hubspot.sandbox.app import Sandbox
from flitstack_hubspot.settings import Settings
from flitstack_hubspot.wire import app_transport

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterator, Mapping, Sequence
    from pathlib import Path

    from tests.hubspot.moved import Moved

    from flitstack.protocols import Outcome, Stored

DOCUMENT = b"%PDF-1.4 invented"
START = datetime(2026, 7, 1, 9, tzinfo=UTC)
GROUP: dict[str, Any] = {"group": "moved"}
SCHEMA: tuple[tuple[str, str, str, dict[str, Any]], ...] = (
    *(("field_group", of, "moved", {"label": "Moved"}) for of in ("contact", "company", "deal", "meeting", "note")),
    *(
        ("field", of, "source_system_id", {"type": "string", **GROUP})
        for of in ("contact", "company", "deal", "meeting", "note")
    ),
    ("field", "contact", "recall_type", {"type": "set", "options": ["Hygiene", "Perio; deep"], **GROUP}),
    ("field", "contact", "coverage", {"type": "enum", "options": ["PPO", "Unknown"], **GROUP}),
    ("field", "contact", "balance", {"type": "number", **GROUP}),
    ("field", "contact", "born", {"type": "date", **GROUP}),
    ("field", "contact", "seen_at", {"type": "datetime", **GROUP}),
    ("field", "contact", "consent", {"type": "bool", **GROUP}),
    ("field", "contact", "details", {"type": "text", **GROUP}),
    (
        "pipeline",
        "",
        "Plans",
        {"stages": [{"name": "Open", "probability": "0.5"}, {"name": "Won", "probability": "1.0"}]},
    ),
    ("stage", "Plans", "Open", {"probability": "0.5"}),
    ("stage", "Plans", "Won", {"probability": "1.0"}),
    ("label", "contact", "Guarantor", {"to": "contact", "inverse": "Guarantor of"}),
    ("label", "contact", "Referral source", {"to": "company", "inverse": "Referred"}),
)


def open_attachment(path: str) -> BinaryIO:
    """Return the one document there is."""
    if path != "documents/one.pdf":
        raise FileNotFoundError(path)
    return io.BytesIO(DOCUMENT)


class Desk:
    """A sandbox with a writer; every call runs in one loop of its own."""

    def __init__(self, sandbox: Sandbox, clock: VirtualClock) -> None:
        self.sandbox = sandbox
        self.clock = clock
        self._loop = asyncio.new_event_loop()
        self._count = 0
        settings = Settings(sandbox.users[0]["token"], host="http://localhost", list_lag_s=0.0)
        self.client = Client(settings, clock, app_transport(sandbox.app))
        self.writer = HubSpotWriter(self.client, settings, open_attachment)

    def do(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Return what a coroutine returns."""
        return self._loop.run_until_complete(work)

    def operation(
        self,
        verb: Any,
        object: str,
        fields: Mapping[str, Any] | None = None,
        *,
        key: str = "",
        links: Mapping[str, str] | None = None,
        id: str | None = None,
    ) -> Operation:
        """Return an operation with a number of its own."""
        self._count += 1
        name = key or f"practice:{object}:{self._count}"
        return Operation(self._count, verb, object, name, "", dict(fields or {}), dict(links or {}), id)

    def apply(self, *operations: Operation) -> list[Outcome]:
        """Return the outcomes of one call of the writer."""
        found: list[Outcome] = self.do(self.writer.apply(operations))
        assert [one.operation for one in found] == [one.id for one in operations]
        return found

    def make(self, object: str, fields: Mapping[str, Any] | None = None, **more: Any) -> str:
        """Create a record, which must succeed, and return its id."""
        (outcome,) = self.apply(self.operation("create", object, fields, **more))
        if outcome.error is not None:
            raise outcome.error
        return str(outcome.destination_id)

    def set_up(self) -> dict[str, str]:
        """Create the schema; return its items' ids by key."""
        made: dict[str, str] = {}
        for object, of, name, settings in SCHEMA:
            key = SchemaItem(object, name, of).key
            made[key] = self.make(object, {"name": name, "of": of, **settings}, key=f"schema:{key}")
            self.writer.bind({key: SchemaItem(object, name, of, settings, made[key])})
        return made

    def listed(self, object: str) -> Sequence[Stored]:
        """Return all that the account holds of an object."""

        async def all_() -> list[Stored]:
            return [stored async for stored in self.writer.list(object)]

        found: list[Stored] = self.do(all_())
        return found

    def one(self, object: str, id: str) -> Stored:
        """Return a record as it is read by its id."""
        (found,) = self.do(self.writer.get_many(object, [id]))
        return found  # type: ignore[no-any-return]

    def close(self) -> None:
        self.do(self.writer.aclose())
        self._loop.close()


@pytest.fixture
def clock() -> VirtualClock:
    """Return a clock that moves only when somebody sleeps on it."""
    return VirtualClock(START)


@pytest.fixture
def sandbox(clock: VirtualClock) -> Iterator[Sandbox]:
    """Return a new account."""
    with Sandbox(clock=clock) as account:
        yield account


@pytest.fixture
def desk(sandbox: Sandbox, clock: VirtualClock) -> Iterator[Desk]:
    """Return a writer on a new account without a schema of ours."""
    found = Desk(sandbox, clock)
    yield found
    found.close()


@pytest.fixture
def ready(desk: Desk) -> Desk:
    """Return a writer on an account that has the schema."""
    desk.set_up()
    return desk


@pytest.fixture(scope="session")
def export(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a small practice's export."""
    place = tmp_path_factory.mktemp("export") / "practice"
    write_example(place, patients=8, seed=5)
    return place


@pytest.fixture
def account(tmp_path: Path, export: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Moved]:
    """Return an account that holds nothing yet, and a practice that moves into it."""
    with moved(tmp_path, export, monkeypatch) as found:
        yield found


@pytest.fixture(scope="session")
def load(tmp_path_factory: pytest.TempPathFactory, export: Path) -> Path:
    """Return a folder with the account into which the practice was moved, and the journal of it."""
    folder = tmp_path_factory.mktemp("load")
    with pytest.MonkeyPatch.context() as patch, moved(folder, export, patch) as found:
        code, _, words = found.run()
        assert code == 0, words
    return folder


@pytest.fixture
def full(load: Path, tmp_path: Path, export: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Moved]:
    """Return a copy of the account into which the practice was moved, and of its journal."""
    folder = tmp_path / "full"
    shutil.copytree(load, folder)
    with moved(folder, export, monkeypatch) as found:
        yield found
