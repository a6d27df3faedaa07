"""The embedded account at the other end of the simulated wire."""

from __future__ import annotations

import asyncio
import json
import random
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from flitstack.protocols import DestinationPlugin
from flitstack.testing.kit.embedded import Founded, pictures, record_named
from flitstack.testing.kit.http import WireTransport, ask, json_answer, spoiled_answers
from flitstack.testing.simulation.oracle import AUTOMATED, FALLBACK
from flitstack.testing.simulation.port import Meter
from flitstack.testing.simulation.scenario import DECLARED_LAG_S, SEARCH_LAG_S
from flitstack_pipedrive.behaviours import behaviours
from flitstack_pipedrive.client import Client
from flitstack_pipedrive.destination import PipedriveWriter
from flitstack_pipedrive.sandbox.app import Sandbox, Switches
from flitstack_pipedrive.sandbox.hand import Hand
from flitstack_pipedrive.settings import SETTINGS_SCHEMA, parse_settings
from flitstack_pipedrive.testing.looking import KEY, Look
from flitstack_pipedrive.wire import app_transport

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flitstack.protocols import Writer, WriterContext
    from flitstack.testing.kit.http import Request, Response
    from flitstack.testing.simulation.port import Held
    from flitstack.testing.simulation.world import World

HOST = "http://localhost"
PLAN, SEATS = "ultimate", 5
STAFF = "sam@example.org"
REFUSALS = (400, 403, 404, 409, 413, 422)
OBJECTS: Mapping[str, str] = {
    "company": "organization", "contact": "person", "visit": "activity", "round": "note", "memo": "file",
}  # fmt: skip


ERROR = {"success": False, "error": "The simulation has it so."}


def _refusal(status: int, **headers: str) -> Response:
    return json_answer(status, {**ERROR, "errorCode": status}, **headers)


SPOILED = {
    **spoiled_answers(ERROR),
    "too_fast": lambda: _refusal(429, **{"x-ratelimit-remaining": "0", "x-ratelimit-reset": "2"}),
}


class SimulatedSandbox:
    """A sandbox at the other end of the wire."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.writes = 0
        self._counted = Meter(0, 0)
        self._pauses = random.Random(f"pauses {world.scenario.seed}")  # noqa: S311 - repeatable choices, no secret
        file = FOUNDED.copy_below(world.journal.parent)
        switches = Switches(list_lag_s=world.scenario.lag_s, search_lag_s=SEARCH_LAG_S)
        self.sandbox = Sandbox(file, plan=PLAN, seats=SEATS, clock=world.account_clock, switches=switches)
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

    def restore(self, kind: str, name: str) -> bool:
        """Bring a deleted record back, by hand; return whether the account let them."""
        return self._hand().restore(OBJECTS[kind], self._number(kind, name, deleted=True))

    def hang(self, contact: str) -> None:
        """Add an activity of a person's own."""
        person = {"person_id": self._number("contact", contact), "primary": True}
        self._hand().add("activity", {"subject": "By hand", "type": "call", "participants": [person]})

    def _hand(self) -> Hand:
        account = self.sandbox.account
        return Hand(account, next(iter(account.members.values())))

    def _number(self, kind: str, name: str, *, deleted: bool = False) -> int:
        """Return the id of the record that `picture` has, or had before it was deleted, under this name."""
        state = self.sandbox.dump(deleted=deleted)
        return int(record_named(state, OBJECTS, self._look(state), kind, name)["id"])

    async def _answer(self, request: Request) -> Response:
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
                self._automate(int(json.loads(content)["data"]["id"]))
        return response

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
        return pictures(state, OBJECTS, self._look(state))

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


def _found(file: str) -> None:
    """Make an account that already holds a person and a note of its own."""
    with Sandbox(file, plan=PLAN, seats=SEATS, seed=1) as sandbox:
        sandbox.add_user("Sam Staff", STAFF)
        asyncio.run(_strangers(sandbox))


async def _strangers(sandbox: Sandbox) -> None:
    """Put into the account what nobody migrates."""
    headers = {"x-api-token": str(sandbox.users[0]["token"])}
    made = await ask(sandbox.app, "POST", "/api/v2/persons", headers, {"name": "Contact 1"})
    note = {"content": "Strange", "person_id": made["data"]["id"]}
    await ask(sandbox.app, "POST", "/api/v1/notes", headers, note)


FOUNDED = Founded(_found)
