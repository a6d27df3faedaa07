"""The port for HubSpot: its plugin on the embedded sandbox, in process, behind the simulation's wire."""

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
from flitstack.testing.simulation.oracle import AUTOMATED, FALLBACK, held
from flitstack.testing.simulation.scenario import DECLARED_LAG_S
from flitstack.testing.simulation.wire import LostError, NeverLeftError
from flitstack_hubspot.behaviours import behaviours
from flitstack_hubspot.client import Client
from flitstack_hubspot.destination import HubSpotWriter
from flitstack_hubspot.files import contact_of
from flitstack_hubspot.objects import KEY
from flitstack_hubspot.sandbox.account import Switches
from flitstack_hubspot.sandbox.app import Sandbox
from flitstack_hubspot.settings import SETTINGS_SCHEMA, parse_settings
from flitstack_hubspot.wire import app_transport

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from flitstack.protocols import Writer, WriterContext
    from flitstack.testing.simulation.port import Held
    from flitstack.testing.simulation.world import World

HOST = "http://localhost"
STAFF = "sam@example.org"
READS = ("/batch/read", "/access-token-info")

TEMPLATE = """\
template: memory-to-hubspot
source: memory
destination: hubspot
variables:
  type: object
  additionalProperties: false
  properties: {}
facts:
  labels: {stream: labels, field: label}
---
spec: 1
template: memory-to-hubspot
time_zone: UTC
values: {}
schema:
{% for of in ["company", "contact", "meeting", "note"] %}
  - {object: field_group, of: {{ of }}, name: moved, label: Moved}
  - {object: field, of: {{ of }}, name: source_system_id, type: string, key: true, priority: 0, group: moved}
{% endfor %}
{% if facts.labels %}
  - {object: field, of: contact, name: labels, type: set, options: {{ facts.labels }}, priority: 2, group: moved}
{% endif %}
  - {object: field, of: meeting, name: kind, type: enum, options: [check, call], priority: 3, group: moved}
  - {object: label, of: company, to: contact, name: Main, inverse: Main of}
  - {object: label, of: company, to: company, name: Partner, inverse: Partner of}
  - {object: label, of: contact, to: contact, name: Boss, inverse: Boss of}
  - {object: label, of: contact, to: company, name: Company, inverse: Staff}
skip_streams:
  ledger: {rule: left_behind, why: Ledgers stay.}
owners:
  from:
    - {stream: staff, as: who, email: who.email, name: who.name}
entries:
  - entry: companies
    object: company
    from: companies
    as: company
    reject:
      missing_name: {when: company.name is none, reason: A company has no name., hint: Give it one., field: name}
    links:
      Main: {object: contact, stream: contacts, id: company.main_id}
      Partner: {object: company, stream: companies, id: company.partner_id}
    fields: {name: company.name}
  - entry: contacts
    object: contact
    from: contacts
    as: contact
    skip: {inactive: contact.status == 'inactive'}
    reject:
      missing_name: {when: contact.name is none, reason: A contact has no name., hint: Give it one., field: name}
{% if facts.labels %}
    collect:
      labels: {from: labels, as: label, by: contact_id, each: label.label, order: [label.label]}
{% endif %}
    links:
      hubspot_owner_id: {object: user, stream: staff, id: contact.staff_id, fallback: true}
      Company: {object: company, stream: companies, id: contact.company_id}
      Boss: {object: contact, stream: contacts, id: contact.boss_id}
    fields:
      lastname: contact.name
      phone: contact.phone
{% if facts.labels %}
      labels: unique(labels)
{% endif %}
  - entry: visits
    object: meeting
    from: visits
    as: visit
    links:
      contact: {object: contact, stream: contacts, id: visit.contact_id, required: true}
    fields: {hs_meeting_title: visit.kind, kind: visit.kind, hs_meeting_body: visit.note}
  - entry: rounds
    object: note
    from: tasks
    as: task
    group: [task.contact_id, task.day]
    key: join_present('/', task.contact_id, task.day)
    links:
      contact: {object: contact, stream: contacts, id: task.contact_id, required: true}
    fields: {hs_note_body: "html_text(lines(group | map(attribute='what') | list))"}
  - entry: memos
    object: file
    from: memos
    as: memo
    links:
      contact: {object: contact, stream: contacts, id: memo.contact_id, required: true}
    fields: {name: memo.name, size: memo.size, path: memo.path}
"""


class _Transport(httpx.AsyncBaseTransport):
    """Takes a request over the wire to the sandbox."""

    def __init__(self, account: SimulatedSandbox) -> None:
        self._account = account
        self._inner = app_transport(account.sandbox.app)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await request.aread()

        async def deliver() -> httpx.Response:
            return await self._account.answer(request, self._inner)

        try:
            answer = await self._account.world.wire.carry(deliver, write=_is_write(request))
        except NeverLeftError as exc:
            raise httpx.ConnectError("refused", request=request) from exc
        except LostError as exc:
            raise httpx.ReadTimeout("no answer", request=request) from exc
        if answer.fault == "truncated":
            raise httpx.ReadError("cut", request=request)
        if answer.fault:
            return _SPOILED[answer.fault]()
        assert answer.value is not None
        return answer.value


def _is_write(request: httpx.Request) -> bool:
    return request.method != "GET" and not request.url.path.endswith(READS)


def _refusal(status: int, **more: str) -> httpx.Response:
    body = {"status": "error", "message": "The simulation has it so.", "category": "SIMULATED", **more}
    return httpx.Response(status, json=body)


_PAGE = "<!DOCTYPE html><html><body><h1>One moment</h1></body></html>"
_SPOILED: Mapping[str, Callable[[], httpx.Response]] = {
    "signed_out": lambda: _refusal(401),
    "blocked": lambda: httpx.Response(403, html=_PAGE),
    "too_fast": lambda: _refusal(429, policyName="TEN_SECONDLY_ROLLING"),
    "refused_5xx": lambda: _refusal(503),
    "commit_then_5xx": lambda: _refusal(500),
    "not_json": lambda: httpx.Response(200, html=_PAGE),
}


class SimulatedSandbox:
    """A sandbox at the other end of the wire."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.writes = 0
        self._pauses = random.Random(f"pauses {world.scenario.seed}")  # noqa: S311 - repeatable choices, no secret
        self._folder = Path(tempfile.mkdtemp(prefix="flit-simulated-", dir=world.journal.parent))
        file = self._folder / "sandbox.db"
        shutil.copyfile(_founded(), file)
        switches = Switches(list_lag_s=world.scenario.lag_s, self_associations=True, refuse=self._refuses)
        self.sandbox = Sandbox(str(file), clock=world.account_clock, switches=switches)

    def _refuses(self, object: str, values: Mapping[str, str]) -> bool:
        if values.get(KEY) not in self.world.scenario.refused:
            return False
        self.world.struck["refused_4xx"] += 1
        return True

    async def answer(self, request: httpx.Request, inner: httpx.AsyncBaseTransport) -> httpx.Response:
        """Let the account do what a request asks for, and its automation what follows."""
        response = await inner.handle_async_request(request)
        content = await response.aread()
        if _is_write(request) and response.status_code < 300:
            results = httpx.Response(200, content=content or b"{}").json().get("results")
            self.writes += response.status_code != 207 or bool(results)
            if request.url.path.endswith("/contacts/batch/create"):
                self._automate({str(one["id"]) for one in results})
        return httpx.Response(response.status_code, headers=response.headers, content=content)

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
            client = Client(settings, context.clock, _Transport(self), rng=self._pauses)
            writer = HubSpotWriter(client, settings, context.open_attachment)
            writer.behaviours = found
            return writer

        return DestinationPlugin("hubspot", SETTINGS_SCHEMA, {}, frozenset(), found, open_)

    def picture(self) -> Sequence[Held]:
        """Return what the account holds, from the sandbox's own state."""
        state = self.sandbox.dump()
        keys = {
            (kind, record["id"]): str(record["properties"].get(KEY) or record["properties"].get("lastname"))
            for kind in ("contacts", "companies")
            for record in state[kind]
        }
        admin = self.sandbox.users[0]["email"]
        owners = {one["id"]: FALLBACK if one["email"] == admin else one["email"] for one in state["owner"]}
        look = _Look(keys, owners)
        return [
            *(look.company(record) for record in state["companies"]),
            *(look.contact(record) for record in state["contacts"]),
            *(look.visit(record) for record in state["meetings"]),
            *(look.round(record) for record in state["notes"]),
            *(look.memo(record) for record in state["file"]),
        ]

    def close(self) -> None:
        """Close the sandbox."""
        self.sandbox.close()


class _Look:
    """Reads records of the sandbox in the words of the source."""

    def __init__(self, keys: Mapping[tuple[str, str], str], owners: Mapping[str, str]) -> None:
        self._keys = keys
        self._owners = owners

    def _link(self, record: Mapping[str, Any], to: str, label: str = "") -> str | None:
        ends = [one["id"] for one in record["associations"] if (one["to"], one["label"]) == (to, label)]
        return " and ".join(self._keys.get((to, id), "nothing") for id in ends) or None

    def _kind(self, record: Mapping[str, Any], kind: str) -> tuple[str, str]:
        key = record["properties"].get(KEY)
        return (kind, key) if key else ("stranger", str(record["properties"].get("lastname") or record["id"]))

    def company(self, record: Mapping[str, Any]) -> Held:
        links = {
            "@main": self._link(record, "contacts", "Main"),
            "@partner": self._link(record, "companies", "Partner"),
        }
        return held(*self._kind(record, "company"), {"name": record["properties"].get("name"), **links})

    def contact(self, record: Mapping[str, Any]) -> Held:
        given = record["properties"]
        values = {
            "name": given.get("lastname"),
            "phone": given.get("phone"),
            "labels": sorted(one for one in given.get("labels", "").split(";") if one),
            "@company": self._link(record, "companies", "Company"),
            "@boss": self._link(record, "contacts", "Boss"),
            "@owner": self._owners.get(given.get("hubspot_owner_id", "")),
        }
        return held(*self._kind(record, "contact"), values)

    def visit(self, record: Mapping[str, Any]) -> Held:
        given = record["properties"]
        values = {
            "note": given.get("hs_meeting_body"),
            "@contact": self._link(record, "contacts"),
            "@type": given.get("kind"),
        }
        return held(*self._kind(record, "visit"), values)

    def round(self, record: Mapping[str, Any]) -> Held:
        what = sorted(part for part in re.split(r"<[^>]*>|\n", record["properties"].get("hs_note_body", "")) if part)
        return held(*self._kind(record, "round"), {"note": "|".join(what), "@contact": self._link(record, "contacts")})

    def memo(self, record: Mapping[str, Any]) -> Held:
        name = f"{record['name']}.{record['extension']}" if record["extension"] else record["name"]
        contact = self._keys.get(("contacts", str(contact_of(record["path"]))), "nothing")
        return held("memo", f"{name}/{record['size']}", {"@contact": contact})


_FOUNDED: list[Path] = []


def _founded() -> Path:
    """Return the state of a new account that already holds a contact and a note of its own, made once per process."""
    if not _FOUNDED:
        kept = tempfile.TemporaryDirectory(prefix="flit-founded-")
        atexit.register(kept.cleanup)
        folder = Path(kept.name)
        with Sandbox(str(folder / "sandbox.db"), seed=1) as sandbox:
            sandbox.account.add_user("Sam", "Staff", STAFF, seed=1)
            asyncio.run(_strangers(sandbox))
        _FOUNDED.append(folder / "sandbox.db")
    return _FOUNDED[0]


async def _strangers(sandbox: Sandbox) -> None:
    """Put into the account what nobody migrates."""
    headers = {"authorization": f"Bearer {sandbox.users[0]['token']}"}
    transport = httpx.ASGITransport(sandbox.app)
    async with httpx.AsyncClient(transport=transport, base_url=HOST, headers=headers) as client:
        body: dict[str, Any] = {"inputs": [{"properties": {"lastname": "Contact 1"}}]}
        made = await client.post("/crm/v3/objects/contacts/batch/create", json=body)
        types = [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 202}]
        note = {
            "properties": {"hs_note_body": "Strange", "hs_timestamp": "2026-01-01T00:00:00Z"},
            "associations": [{"to": {"id": made.json()["results"][0]["id"]}, "types": types}],
        }
        (await client.post("/crm/v3/objects/notes/batch/create", json={"inputs": [note]})).raise_for_status()


class HubSpotPort:
    """HubSpot's plugin on its embedded sandbox."""

    name = "hubspot"
    template = TEMPLATE
    sets = ()

    def account(self, world: World) -> SimulatedSandbox:
        """Return a new account, with a contact and a note that are not ours."""
        return SimulatedSandbox(world)


PORT = HubSpotPort()
