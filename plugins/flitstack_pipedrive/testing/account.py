"""The embedded account at the other end of the simulated wire."""

from __future__ import annotations

import asyncio
import atexit
import random
import re
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

from flitstack.protocols import DestinationPlugin
from flitstack.testing.kit.http import WireTransport, spoiled_answers
from flitstack.testing.simulation.oracle import AUTOMATED, FALLBACK
from flitstack.testing.simulation.port import Meter
from flitstack.testing.simulation.scenario import DECLARED_LAG_S, SEARCH_LAG_S
from flitstack_pipedrive.behaviours import behaviours
from flitstack_pipedrive.client import Client, app_transport
from flitstack_pipedrive.destination import PipedriveWriter
from flitstack_pipedrive.sandbox.app import Sandbox, Switches
from flitstack_pipedrive.sandbox.hand import Hand
from flitstack_pipedrive.settings import SETTINGS_SCHEMA, parse_settings
from flitstack_pipedrive.testing.looking import KEY, Look

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flitstack.protocols import Writer, WriterContext
    from flitstack.testing.simulation.port import Held
    from flitstack.testing.simulation.world import World

HOST = "http://localhost"
PLAN, SEATS = "ultimate", 5
STAFF = "sam@example.org"
REFUSALS = (400, 403, 404, 409, 413, 422)
OBJECTS: Mapping[str, str] = {
    "company": "organization", "contact": "person", "visit": "activity", "round": "note", "memo": "file",
}  # fmt: skip


def _refusal(status: int, **headers: str) -> httpx.Response:
    body = {"success": False, "error": "The simulation has it so.", "errorCode": status}
    return httpx.Response(status, json=body, headers=headers)


SPOILED = {
    **spoiled_answers({"success": False, "error": "The simulation has it so."}),
    "too_fast": lambda: _refusal(429, **{"x-ratelimit-remaining": "0", "x-ratelimit-reset": "2"}),
}


class SimulatedSandbox:
    """A sandbox at the other end of the wire."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.writes = 0
        self._counted = Meter(0, 0)
        self._pauses = random.Random(f"pauses {world.scenario.seed}")  # noqa: S311 - repeatable choices, no secret
        self._folder = Path(tempfile.mkdtemp(prefix="flit-simulated-", dir=world.journal.parent))
        file = self._folder / "sandbox.db"
        shutil.copyfile(_founded(), file)
        switches = Switches(list_lag_s=world.scenario.lag_s, search_lag_s=SEARCH_LAG_S)
        self.sandbox = Sandbox(str(file), plan=PLAN, seats=SEATS, clock=world.account_clock, switches=switches)
        self._inner = app_transport(self.sandbox.app)
        self._transport = WireTransport(world, self._answer, SPOILED)

    @property
    def secrets(self) -> Sequence[str]:
        """Return the token."""
        return [str(self.sandbox.users[0]["token"])]

    def meter(self) -> Meter:
        """Return what the sandbox counted."""
        return self._counted

    def use_up(self) -> None:
        """Let the day's tokens be used up."""
        self.sandbox.use_up_budget()

    def edit(self, kind: str, name: str, field: str, value: str) -> None:
        """Change one field of a record, by hand."""
        item = {"phones": [{"value": value, "primary": True}]} if field == "phone" else {field: value}
        self._hand().edit(OBJECTS[kind], self._number(kind, name), item)

    def remove(self, kind: str, name: str) -> None:
        """Delete a record, by hand."""
        self._hand().delete(OBJECTS[kind], self._number(kind, name))

    def hang(self, contact: str) -> None:
        """Add an activity of a person's own."""
        person = {"person_id": self._number("contact", contact), "primary": True}
        self._hand().add("activity", {"subject": "By hand", "type": "call", "participants": [person]})

    def _hand(self) -> Hand:
        account = self.sandbox.account
        return Hand(account, next(iter(account.members.values())))

    def _number(self, kind: str, name: str) -> int:
        """Return the id of the record that `picture` has under this name."""
        state = self.sandbox.dump()
        records = state[OBJECTS[kind]]
        pictures = getattr(self._look(state), kind)
        return next(int(record["id"]) for record in records if pictures(record).name == name)

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        """Let the account do what a request asks for, and its automation what follows."""
        scenario = self.world.scenario
        text = request.content.decode("utf-8", "replace")
        if request.method == "POST":
            for key in sorted(scenario.refused):
                if _carries(text, key):
                    self.world.struck["refused_4xx"] += 1
                    return _refusal(REFUSALS[sum(key.encode()) % len(REFUSALS)])
        before = self.sandbox.tokens_used
        response = await self._inner.handle_async_request(request)
        content = await response.aread()
        now, so_far = self.sandbox.tokens_used, self._counted
        spent = now - before if now >= before else now  # a new day began
        refused = so_far.refused + (response.status_code == 429)
        self._counted = Meter(so_far.requests + 1, so_far.units + spent, refused)
        if request.method != "GET" and response.status_code < 300:
            self.writes += 1
            if request.method == "POST" and any(_carries(text, key) for key in scenario.automated):
                self._automate(int(httpx.Response(200, content=content).json()["data"]["id"]))
        return httpx.Response(response.status_code, headers=response.headers, content=content)

    def _automate(self, number: int) -> None:
        """Change a new person's phone, as an automation of the account would that strikes on creation."""
        store = self.sandbox.account.store
        row = store.find("person", [("id = ?", (number,))])
        if row is None or not row.doc["phones"]:
            return
        self.world.struck["automation"] += 1
        row.doc["phones"][0]["value"] = AUTOMATED + row.doc["phones"][0]["value"]
        with store.transaction():
            store.put("person", row)

    def destination(self) -> DestinationPlugin:
        """Return the plugin; its writers reach this sandbox alone."""
        found = replace(behaviours(DECLARED_LAG_S), concurrency=self.world.scenario.concurrency)

        def open_(given: Mapping[str, Any], context: WriterContext) -> Writer:
            token = self.sandbox.users[0]["token"]
            account = {"base_url": HOST, "api_token": token, "plan": PLAN, "seats": SEATS, "list_lag_s": DECLARED_LAG_S}
            settings = parse_settings({**given, **account}, context.learned)
            client = Client(
                settings,
                context.clock,
                self._transport,
                spent_today=context.spent_today,
                exhausted=context.exhausted,
                learned=context.learned,
                rng=self._pauses,
            )
            writer = PipedriveWriter(client, settings, context.open_attachment)
            writer.behaviours = found
            return writer

        return DestinationPlugin("pipedrive", SETTINGS_SCHEMA, {}, frozenset(), found, open_)

    def picture(self) -> Sequence[Held]:
        """Return what the account holds, from the sandbox's own state."""
        state = self.sandbox.dump()
        look = self._look(state)
        return [
            *(look.company(record) for record in state["organization"]),
            *(look.contact(record) for record in state["person"]),
            *(look.visit(record) for record in state["activity"]),
            *(look.round(record) for record in state["note"]),
            *(look.memo(record) for record in state["file"]),
        ]

    def _look(self, state: Mapping[str, Any]) -> Look:
        keys = {
            (kind, record["id"]): record["by_name"].get(KEY) or record["name"]
            for kind in ("person", "organization")
            for record in state[kind]
        }
        users = {user["id"]: FALLBACK if user["email"] == self._admin else user["email"] for user in state["user"]}
        types = {one["key_string"]: one["name"] for one in state["activity_type"]}
        return Look(keys, users, types)

    @property
    def _admin(self) -> str:
        return str(self.sandbox.users[0]["email"])

    def close(self) -> None:
        """Close the sandbox."""
        self.sandbox.close()


def _carries(text: str, key: str) -> bool:
    return re.search(rf'{re.escape(key)}(?=["<\\])', text) is not None


_FOUNDED: list[Path] = []


def _founded() -> Path:
    """Return the state of a new account that already holds a person and a note of its own, made once per process."""
    if not _FOUNDED:
        kept = tempfile.TemporaryDirectory(prefix="flit-founded-")
        atexit.register(kept.cleanup)
        folder = Path(kept.name)
        with Sandbox(str(folder / "sandbox.db"), plan=PLAN, seats=SEATS, seed=1) as sandbox:
            sandbox.add_user("Sam Staff", STAFF)
            _strangers(sandbox)
        _FOUNDED.append(folder / "sandbox.db")
    return _FOUNDED[0]


def _strangers(sandbox: Sandbox) -> None:
    """Put into the account what nobody migrates."""
    transport = httpx.ASGITransport(sandbox.app)
    headers = {"x-api-token": sandbox.users[0]["token"]}

    async def put() -> None:
        async with httpx.AsyncClient(transport=transport, base_url=HOST, headers=headers) as client:
            made = await client.post("/api/v2/persons", json={"name": "Contact 1"})
            person = made.json()["data"]["id"]
            await client.post("/api/v1/notes", json={"content": "Strange", "person_id": person})

    asyncio.run(put())
