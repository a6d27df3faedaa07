"""The port for Pipedrive: its plugin on the embedded sandbox, in process, behind the simulation's wire."""

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
from flitstack.testing.simulation.scenario import DECLARED_LAG_S, SEARCH_LAG_S
from flitstack.testing.simulation.wire import LostError, NeverLeftError
from flitstack_pipedrive.behaviours import behaviours
from flitstack_pipedrive.client import Client, app_transport
from flitstack_pipedrive.codec.marker import split_marker
from flitstack_pipedrive.destination import PipedriveWriter
from flitstack_pipedrive.sandbox.app import Sandbox, Switches
from flitstack_pipedrive.settings import SETTINGS_SCHEMA, parse_settings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from flitstack.protocols import Writer, WriterContext
    from flitstack.testing.simulation.port import Held
    from flitstack.testing.simulation.world import World

HOST = "http://localhost"
PLAN, SEATS = "ultimate", 5
STAFF = "sam@example.org"
KEY = "Source_System_ID__c"
REFUSALS = (400, 403, 404, 409, 413, 422)

TEMPLATE = """\
template: memory-to-pipedrive
source: memory
destination: pipedrive
variables:
  type: object
  additionalProperties: false
  properties: {}
facts:
  labels: {stream: labels, field: label}
---
spec: 1
template: memory-to-pipedrive
time_zone: UTC
values: {}
schema:
  - {object: field, of: organization, name: Source_System_ID__c, type: varchar, key: true, priority: 0}
  - {object: field, of: organization, name: Main__c, type: people, priority: 1}
  - {object: field, of: organization, name: Partner__c, type: org, priority: 2}
  - {object: field, of: person, name: Source_System_ID__c, type: varchar, key: true, priority: 0}
  - {object: field, of: person, name: Boss__c, type: people, priority: 1}
  - {object: field, of: person, name: Company__c, type: org, priority: 1}
{% if facts.labels %}
  - {object: field, of: person, name: Labels__c, type: set, options: {{ facts.labels }}, priority: 2}
{% endif %}
  - {object: activity_type, name: check}
  - {object: activity_type, name: call}
skip_streams:
  ledger: {rule: left_behind, why: Ledgers stay.}
owners:
  from:
    - {stream: staff, as: who, email: who.email, name: who.name}
entries:
  - entry: companies
    object: organization
    from: companies
    as: company
    reject:
      missing_name: {when: company.name is none, reason: A company has no name., hint: Give it one., field: name}
    links:
      Main__c: {object: person, stream: contacts, id: company.main_id}
      Partner__c: {object: organization, stream: companies, id: company.partner_id}
    fields: {name: company.name}
  - entry: contacts
    object: person
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
      owner_id: {object: user, stream: staff, id: contact.staff_id, fallback: true}
      Company__c: {object: organization, stream: companies, id: contact.company_id}
      Boss__c: {object: person, stream: contacts, id: contact.boss_id}
    fields:
      name: contact.name
      phones: "[{'value': contact.phone, 'label': 'work'}] if contact.phone is not none else []"
{% if facts.labels %}
      Labels__c: unique(labels)
{% endif %}
  - entry: visits
    object: activity
    from: visits
    as: visit
    links:
      person_id: {object: person, stream: contacts, id: visit.contact_id, required: true}
      type: {object: activity_type, name: visit.kind, required: true}
    fields: {subject: visit.kind, note: visit.note}
  - entry: rounds
    object: note
    from: tasks
    as: task
    group: [task.contact_id, task.day]
    key: join_present('/', task.contact_id, task.day)
    links:
      person_id: {object: person, stream: contacts, id: task.contact_id, required: true}
    fields: {content: "html_text(lines(group | map(attribute='what') | list))"}
  - entry: memos
    object: file
    from: memos
    as: memo
    links:
      person_id: {object: person, stream: contacts, id: memo.contact_id, required: true}
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
            answer = await self._account.world.wire.carry(deliver, write=request.method != "GET")
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


def _refusal(status: int, **headers: str) -> httpx.Response:
    body = {"success": False, "error": "The simulation has it so.", "errorCode": status}
    return httpx.Response(status, json=body, headers=headers)


_PAGE = "<!DOCTYPE html><html><body><h1>One moment</h1></body></html>"
_SPOILED: Mapping[str, Callable[[], httpx.Response]] = {
    "signed_out": lambda: _refusal(401),
    "blocked": lambda: httpx.Response(403, html=_PAGE),
    "too_fast": lambda: _refusal(429, **{"x-ratelimit-remaining": "0", "x-ratelimit-reset": "2"}),
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
        switches = Switches(list_lag_s=world.scenario.lag_s, search_lag_s=SEARCH_LAG_S)
        self.sandbox = Sandbox(str(file), plan=PLAN, seats=SEATS, clock=world.account_clock, switches=switches)

    async def answer(self, request: httpx.Request, inner: httpx.AsyncBaseTransport) -> httpx.Response:
        """Let the account do what a request asks for, and its automation what follows."""
        scenario = self.world.scenario
        text = request.content.decode("utf-8", "replace")
        if request.method == "POST":
            for key in sorted(scenario.refused):
                if _carries(text, key):
                    self.world.struck["refused_4xx"] += 1
                    return _refusal(REFUSALS[sum(key.encode()) % len(REFUSALS)])
        response = await inner.handle_async_request(request)
        content = await response.aread()
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
                _Transport(self),
                spent_today=context.spent_today,
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
        keys = {
            (kind, record["id"]): record["by_name"].get(KEY) or record["name"]
            for kind in ("person", "organization")
            for record in state[kind]
        }
        users = {user["id"]: FALLBACK if user["email"] == self._admin else user["email"] for user in state["user"]}
        types = {one["key_string"]: one["name"] for one in state["activity_type"]}
        look = _Look(keys, users, types)
        return [
            *(look.company(record) for record in state["organization"]),
            *(look.contact(record) for record in state["person"]),
            *(look.visit(record) for record in state["activity"]),
            *(look.round(record) for record in state["note"]),
            *(look.memo(record) for record in state["file"]),
        ]

    @property
    def _admin(self) -> str:
        return str(self.sandbox.users[0]["email"])

    def close(self) -> None:
        """Close the sandbox."""
        self.sandbox.close()


class _Look:
    """Reads records of the sandbox in the words of the source."""

    def __init__(self, keys: Mapping[tuple[str, int], str], users: Mapping[int, str], types: Mapping[str, str]) -> None:
        self._keys = keys
        self._users = users
        self._types = types

    def _link(self, kind: str, value: Any) -> str | None:
        number = value.get("value") or value.get("id") if isinstance(value, dict) else value
        return None if number is None else self._keys.get((kind, int(number)), "nothing")

    def company(self, record: Mapping[str, Any]) -> Held:
        custom = record["by_name"]
        links = {
            "@main": self._link("person", custom.get("Main__c")),
            "@partner": self._link("organization", custom.get("Partner__c")),
        }
        kind = "company" if custom.get(KEY) else "stranger"
        return held(kind, custom.get(KEY) or record["name"], {"name": record["name"], **links})

    def contact(self, record: Mapping[str, Any]) -> Held:
        custom = record["by_name"]
        phones = [one["value"] for one in record["phones"]]
        values = {
            "name": record["name"],
            "phone": " and ".join(phones),
            "labels": sorted(custom.get("Labels__c") or ()),
            "@company": self._link("organization", custom.get("Company__c")),
            "@boss": self._link("person", custom.get("Boss__c")),
            "@owner": self._users[record["owner_id"]],
        }
        kind = "contact" if custom.get(KEY) else "stranger"
        return held(kind, custom.get(KEY) or record["name"], values)

    def visit(self, record: Mapping[str, Any]) -> Held:
        note, key = split_marker(record["note"] or "")
        contacts = " and ".join(str(self._link("person", one["person_id"])) for one in record["participants"])
        links = {"@contact": contacts, "@type": self._types.get(record["type"], "nothing")}
        return held("visit" if key else "stranger", key or record["subject"], {"note": note, **links})

    def round(self, record: Mapping[str, Any]) -> Held:
        content, key = split_marker(record["content"])
        what = sorted(part for part in re.split(r"<[^>]*>|\n", content) if part)
        links = {"@contact": self._link("person", record["person_id"])}
        return held("round" if key else "stranger", key or content, {"note": "|".join(what), **links})

    def memo(self, record: Mapping[str, Any]) -> Held:
        links = {"@contact": self._link("person", record["person_id"])}
        return held("memo", f"{record['name']}/{record['file_size']}", links)


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


class PipedrivePort:
    """Pipedrive's plugin on its embedded sandbox."""

    name = "pipedrive"
    template = TEMPLATE
    sets = ()

    def account(self, world: World) -> SimulatedSandbox:
        """Return a new account, with a person and a note that are not ours."""
        return SimulatedSandbox(world)


PORT = PipedrivePort()
