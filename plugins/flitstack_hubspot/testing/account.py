"""The embedded account at the other end of the simulated wire."""

from __future__ import annotations

import asyncio
import json
import random
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from flitstack.protocols import DestinationPlugin
from flitstack.testing.kit.embedded import Founded, pictures, record_named
from flitstack.testing.kit.http import WireTransport, ask, json_answer, spoiled_answers
from flitstack.testing.simulation.oracle import AUTOMATED, FALLBACK
from flitstack.testing.simulation.port import Meter
from flitstack.testing.simulation.scenario import DECLARED_LAG_S
from flitstack_hubspot.behaviours import behaviours
from flitstack_hubspot.client import Client
from flitstack_hubspot.destination import HubSpotWriter
from flitstack_hubspot.objects import KEY
from flitstack_hubspot.sandbox.account import Switches
from flitstack_hubspot.sandbox.app import Sandbox
from flitstack_hubspot.settings import SETTINGS_SCHEMA, parse_settings
from flitstack_hubspot.testing.looking import Look
from flitstack_hubspot.wire import app_transport

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flitstack.protocols import Writer, WriterContext
    from flitstack.testing.kit.http import Request, Response
    from flitstack.testing.simulation.port import Held
    from flitstack.testing.simulation.world import World

HOST = "http://localhost"
STAFF = "sam@example.org"
READS = ("/batch/read", "/access-token-info")
OBJECTS: Mapping[str, str] = {
    "company": "companies", "contact": "contacts", "visit": "meetings", "round": "notes", "memo": "file",
}  # fmt: skip
ERROR = {"status": "error", "message": "The simulation has it so.", "category": "SIMULATED"}
SPOILED = {
    **spoiled_answers(ERROR),
    "too_fast": lambda: json_answer(429, {**ERROR, "policyName": "TEN_SECONDLY_ROLLING"}),
}


def _is_write(request: Request) -> bool:
    return request.method != "GET" and not request.url.path.endswith(READS)


class SimulatedSandbox:
    """A sandbox at the other end of the wire."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.writes = 0
        self._counted = Meter(0, 0)
        self._pauses = random.Random(f"pauses {world.scenario.seed}")  # noqa: S311 - repeatable choices, no secret
        file = FOUNDED.copy_below(world.journal.parent)
        switches = Switches(list_lag_s=world.scenario.lag_s, self_associations=True, refuse=self._refuses)
        self.sandbox = Sandbox(file, clock=world.account_clock, switches=switches)
        self._inner = app_transport(self.sandbox.app)
        self._transport = WireTransport(world, self._answer, SPOILED, _is_write)

    @property
    def secrets(self) -> Sequence[str]:
        """Return the token."""
        return [str(self.sandbox.users[0]["token"])]

    def meter(self) -> Meter:
        """Return what the sandbox answered; each request is one of the day."""
        return self._counted

    def use_up(self) -> None:
        """Let the day's requests be used up."""
        self.sandbox.limits.use_up()

    def edit(self, kind: str, name: str, field: str, value: str) -> None:
        """Change one field of a record, by hand."""
        property_ = "lastname" if (kind, field) == ("contact", "name") else field
        self.sandbox.api.records.edit(OBJECTS[kind], self._id(kind, name), {property_: value})
        self.sandbox.account.store.commit()

    def remove(self, kind: str, name: str) -> None:
        """Delete a record, by hand."""
        self.sandbox.api.records.archive(OBJECTS[kind], self._id(kind, name))
        self.sandbox.account.store.commit()

    def restore(self, kind: str, name: str) -> bool:
        """Bring a record back from the bin, by hand; return whether the account let them."""
        back = self.sandbox.api.records.restore(OBJECTS[kind], self._id(kind, name, archived=True))
        self.sandbox.account.store.commit()
        return back

    def hang(self, contact: str) -> None:
        """Add a meeting of a person's own."""
        asyncio.run(_hung(self.sandbox, self._id("contact", contact)))

    def _id(self, kind: str, name: str, *, archived: bool = False) -> str:
        """Return the id of the record that `picture` has, or had before it was archived, under this name."""
        state = self.sandbox.dump(archived=archived)
        return str(record_named(state, OBJECTS, self._look(state), kind, name)["id"])

    def _refuses(self, object: str, values: Mapping[str, str]) -> bool:
        if values.get(KEY) not in self.world.scenario.refused:
            return False
        self.world.struck["refused_4xx"] += 1
        return True

    async def _answer(self, request: Request) -> Response:
        """Let the account do what a request asks for, and its automation what follows."""
        response = await self._inner.handle_async_request(request)
        content = await response.aread()
        refused, so_far = response.status_code == 429, self._counted
        self._counted = Meter(so_far.requests + 1, so_far.units + (not refused), so_far.refused + refused)
        if _is_write(request) and response.status_code < 300:
            results = json.loads(content or b"{}").get("results")
            self.writes += response.status_code != 207 or bool(results)
            if request.url.path.endswith("/contacts/batch/create"):
                self._automate({str(one["id"]) for one in results or () if "id" in one})
        return response

    def _automate(self, new: set[str]) -> None:
        """Change new contacts' phones, as an automation of the account would that strikes on creation."""
        for record in self.sandbox.dump()["contacts"]:
            key, phone = record["properties"].get(KEY), record["properties"].get("phone")
            if record["id"] in new and key in self.world.scenario.automated and phone:
                self.world.struck["automation"] += 1
                self.sandbox.api.records.edit("contacts", record["id"], {"phone": AUTOMATED + phone})
        self.sandbox.account.store.commit()

    def destination(self) -> DestinationPlugin:
        """Return the plugin; its writers reach this sandbox alone."""
        found = replace(behaviours(DECLARED_LAG_S), concurrency=self.world.scenario.concurrency)

        def open_(given: Mapping[str, Any], context: WriterContext) -> Writer:
            token = self.sandbox.users[0]["token"]
            account = {"base_url": HOST, "access_token": token, "list_lag_s": DECLARED_LAG_S}
            settings = parse_settings({**given, **account})
            client = Client(settings, context.clock, self._transport, rng=self._pauses, exhausted=context.exhausted)
            writer = HubSpotWriter(client, settings, context.open_attachment)
            writer.behaviours = found
            return writer

        return DestinationPlugin("hubspot", SETTINGS_SCHEMA, {}, frozenset(), found, open_)

    def picture(self) -> Sequence[Held]:
        """Return what the account holds, from the sandbox's own state."""
        state = self.sandbox.dump()
        return pictures(state, OBJECTS, self._look(state))

    def _look(self, state: Mapping[str, Any]) -> Look:
        keys = {
            (kind, record["id"]): str(record["properties"].get(KEY) or record["properties"].get("lastname"))
            for kind in ("contacts", "companies")
            for record in state[kind]
        }
        admin = self.sandbox.users[0]["email"]
        owners = {one["id"]: FALLBACK if one["email"] == admin else one["email"] for one in state["owner"]}
        return Look(keys, owners)

    def close(self) -> None:
        """Close the sandbox."""
        self.sandbox.close()


async def _add(sandbox: Sandbox, object: str, properties: Mapping[str, str], **more: Any) -> str:
    """Add a record as somebody else's client would, and return its id."""
    headers = {"authorization": f"Bearer {sandbox.users[0]['token']}"}
    body = {"inputs": [{"properties": properties, **more}]}
    made = await ask(sandbox.app, "POST", f"/crm/v3/objects/{object}/batch/create", headers, body)
    return str(made["results"][0]["id"])


def _hangs_on(contact: str, type_id: int) -> list[dict[str, Any]]:
    types = [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": type_id}]
    return [{"to": {"id": contact}, "types": types}]


async def _hung(sandbox: Sandbox, contact: str) -> None:
    """Add a meeting with a contact."""
    meeting = {"hs_meeting_title": "By hand", "hs_timestamp": "2026-07-01T09:00:00Z"}
    await _add(sandbox, "meetings", meeting, associations=_hangs_on(contact, 200))


def _found(file: str) -> None:
    """Make an account that already holds a contact and a note of its own."""
    with Sandbox(file, seed=1) as sandbox:
        sandbox.account.add_user("Sam", "Staff", STAFF, seed=1)
        asyncio.run(_strangers(sandbox))


async def _strangers(sandbox: Sandbox) -> None:
    """Put into the account what nobody migrates."""
    contact = await _add(sandbox, "contacts", {"lastname": "Contact 1"})
    note = {"hs_note_body": "Strange", "hs_timestamp": "2026-01-01T00:00:00Z"}
    await _add(sandbox, "notes", note, associations=_hangs_on(contact, 202))


FOUNDED = Founded(_found)
