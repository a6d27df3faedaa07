"""The port: what the test-kit needs to try this destination on an account of its own, and to look into it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from flitstack.protocols import DestinationPlugin
from flitstack.testing.kit.http import WireTransport
from flitstack.testing.simulation.oracle import AUTOMATED, held
from flitstack.testing.simulation.port import Meter

from flitstack_rolo.behaviours import BEHAVIOURS, KEY
from flitstack_rolo.client import Client
from flitstack_rolo.fake import TOKEN, USERS, FakeRolo
from flitstack_rolo.writer import RoloWriter

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import httpx
    from flitstack.protocols import Writer, WriterContext
    from flitstack.testing.simulation.port import Held
    from flitstack.testing.simulation.world import World

TEMPLATE = """\
template: memory-to-rolo
source: memory
destination: rolo
---
spec: 1
template: memory-to-rolo
skip_streams:
  companies: {rule: left_behind, why: Rolo has no companies.}
  labels: {rule: left_behind, why: Rolo has no labels.}
  tasks: {rule: left_behind, why: Tasks stay.}
  memos: {rule: left_behind, why: Rolo has no files.}
  ledger: {rule: left_behind, why: Ledgers stay.}
owners:
  from:
    - {stream: staff, as: who, email: who.email, name: who.name}
entries:
  - entry: contacts
    object: person
    from: contacts
    as: contact
    skip: {inactive: contact.status == 'inactive'}
    reject:
      missing_name: {when: contact.name is none, reason: It has no name., hint: Give it one., field: name}
    links:
      owner: {object: user, stream: staff, id: contact.staff_id, fallback: true}
    fields: {name: contact.name, phone: contact.phone}
  - entry: visits
    object: note
    from: visits
    as: visit
    links:
      person: {object: person, stream: contacts, id: visit.contact_id, required: true}
    fields: {text: visit.note}
"""
KINDS = {"contact": "people", "visit": "notes"}
NAMES = {"note": "text"}


class SimulatedRolo:
    """An account at the other end of the simulated wire."""

    secrets = (TOKEN,)

    def __init__(self, world: World) -> None:
        self._world = world
        self._fake = FakeRolo(world.account_clock.now, world.scenario.lag_s)
        self._fake.refused = world.scenario.refused
        self._fake.put("people", name="Stranger")

    @property
    def writes(self) -> int:
        """Return how many writes took effect so far."""
        return self._fake.writes

    def destination(self) -> DestinationPlugin:
        """Return the plugin, whose writers talk to this account over the world's wire."""
        behaviours = replace(BEHAVIOURS, concurrency=self._world.scenario.concurrency)
        wire = WireTransport(self._world, self._answer)

        def open_(settings: Mapping[str, Any], context: WriterContext) -> Writer:
            client = Client("http://localhost", TOKEN, context.clock, wire, context.exhausted)
            return RoloWriter(client, behaviours)

        none = {"type": "object", "properties": {}}  # the account is given, so nothing is left to be set
        return DestinationPlugin("rolo", none, {}, frozenset(), behaviours, open_)

    def picture(self) -> Sequence[Held]:
        """Return all records that the account holds, found without the plugin."""
        people = self._fake.records["people"]
        return [
            *(_contact(one) for one in people.values()),
            *(_visit(one, people) for one in self._fake.records["notes"].values()),
        ]

    def meter(self) -> Meter:
        """Return what the account counted."""
        return Meter(self._fake.requests, self._fake.requests, self._fake.too_fast)

    def use_up(self) -> None:
        """Let others use up today's requests."""
        self._fake.use_up()

    def edit(self, kind: str, name: str, field: str, value: str) -> None:
        """Change one field of a record, as a person would."""
        self._fake.edit(KINDS[kind], self._id(KINDS[kind], name), **{NAMES.get(field, field): value})

    def remove(self, kind: str, name: str) -> None:
        """Delete a record, as a person would."""
        del self._fake.records[KINDS[kind]][self._id(KINDS[kind], name)]

    def hang(self, contact: str) -> None:
        """Hang a note of a person's own on a person."""
        self._fake.put("notes", text="Mine", person=self._id("people", contact))

    def close(self) -> None:
        """Let nothing go."""

    def _id(self, kind: str, name: str) -> str:
        return next(id_ for id_, one in self._fake.records[kind].items() if one[KEY] == name)

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        response = self._fake.answer(request)
        if request.method == "POST" and request.url.path == "/people" and response.status_code == 201:
            self._automate(response.json())
        return response

    def _automate(self, one: Mapping[str, Any]) -> None:
        """Change a new person's phone, as an automation of the account would."""
        if one[KEY] in self._world.scenario.automated and one["phone"]:
            self._world.struck["automation"] += 1
            self._fake.edit("people", one["id"], phone=AUTOMATED + one["phone"])


def _contact(one: Mapping[str, Any]) -> Held:
    if one[KEY] is None:
        return held("stranger", one["name"], {"name": one["name"]})
    owner = next((user["email"] for user in USERS if user["id"] == one["owner"]), None)
    return held("contact", one[KEY], {"name": one["name"], "phone": one["phone"], "@owner": owner})


def _visit(one: Mapping[str, Any], people: Mapping[str, Mapping[str, Any]]) -> Held:
    if one[KEY] is None:
        return held("stranger", one["text"], {"text": one["text"]})
    person = people.get(one["person"], {KEY: "nobody"})
    return held("visit", one[KEY], {"note": one["text"], "@contact": person[KEY]})


class RoloPort:
    """What the kit opens accounts with."""

    name = "rolo"
    template = TEMPLATE
    sets: Sequence[str] = ()
    holds: Mapping[str, Sequence[str]] = {
        "contact": ("name", "phone", "@owner"),
        "visit": ("note", "@contact"),
    }

    def account(self, world: World) -> SimulatedRolo:
        """Return a new account, with a person that is not ours."""
        return SimulatedRolo(world)


PORT = RoloPort()
