"""Any request made of the official tables: answered as they say, never broken, nothing accepted that must not be.

FLITSTACK_FUZZ is the number of requests; `nox -s fuzz` makes 50,000. FLITSTACK_FUZZ_SEED chooses which: what a request
does depends on those before it, so a run is repeated as a whole.
"""

from __future__ import annotations

import json
import os
import random
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from tests.pipedrive_sandbox.forbidden import reasons
from tests.pipedrive_sandbox.fuzzing import Customs, Link, Shot, shot
from tests.pipedrive_sandbox.official import SPECS, faults, waiver

from flitstack.clock import VirtualClock
from flitstack_pipedrive.sandbox.app import Sandbox, Switches
from flitstack_pipedrive.sandbox.customs import TYPES
from flitstack_pipedrive.sandbox.routes import OFFERED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import httpx

    from flitstack_pipedrive.sandbox.account import Account

REQUESTS = int(os.environ.get("FLITSTACK_FUZZ", "3000"))
SEED = os.environ.get("FLITSTACK_FUZZ_SEED", "1")
# From so many requests on, every operation was accepted at least once, or the fuzz has grown blind.
ENOUGH = 10_000
REFUSALS = {400, 403, 404}
KEPT_ROWS = 6
CHOICES = ("enum", "set")
# Values that are tried on a custom field: the first ones fit, by type.
FITTING: dict[str, tuple[Any, ...]] = {
    **dict.fromkeys(("varchar", "varchar_auto", "text", "phone"), ("Invented", "", None)),
    "double": (1.5, 10, None),
    "monetary": ({"value": 1.5, "currency": "USD"}, None),
    "date": ("2020-02-29", None),
    "daterange": ({"value": "2020-01-01", "until": "2020-02-01"}, None),
    "time": ({"value": "09:30:00"}, {"value": "09:30:00", "timezone_name": "Europe/London"}, None),
    "timerange": ({"value": "09:30:00", "until": "10:00:00"}, None),
    "address": ({"value": "1 Example Street"}, None),
    **dict.fromkeys(("user", "org", "people"), (1, None)),
}
MISFITS: tuple[Any, ...] = ([], "x" * 256, 999_999, {"value": None}, True, {"value": "x", "no": 1})


class Place:
    """An account with some of everything, an admin and a user without admin rights."""

    def __init__(self, sandbox: Sandbox, clients: dict[int, httpx.Client], clock: VirtualClock) -> None:
        self.clients = clients
        self.clock = clock
        self.account: Account = sandbox._account
        self.accepted: set[str] = set()
        self._fill()

    def _fill(self) -> None:
        make = self._make
        for entity in ("person", "organization", "deal", "product"):
            for kind in TYPES:
                options = {"options": [{"label": "A"}, {"label": "B"}]} if kind in CHOICES else {}
                make(f"/api/v2/{entity}Fields", {"field_name": kind, "field_type": kind, **options})
        for number in range(8):
            seen_by = 1 if number % 3 == 0 else 7
            make("/api/v2/persons", {"name": "Robin", "visible_to": seen_by})
            make("/v1/activityTypes", {"name": f"Type {number}", "icon_key": "bell"})
            make("/api/v2/pipelines", {"name": "Plans"})
            make("/api/v2/stages", {"name": "Proposed", "pipeline_id": 1})
            make("/api/v2/organizations", {"name": "Lab", "visible_to": seen_by})
            make("/api/v2/deals", {"title": "Crown", "visible_to": seen_by})
            make("/api/v2/activities", {"subject": "Call"})
            make("/api/v2/products", {"name": "Crown"})
            make("/api/v2/deals/1/products", {"product_id": 1, "item_price": 5, "quantity": 1})
            make("/v1/leads", {"title": "Crown", "person_id": number + 1, "visible_to": str(seen_by)})
            make("/v1/notes", {"content": "Called", "person_id": number + 1})
            self.clients[1].post("/v1/files", files={"file": ("a.txt", b"A")}, data={"person_id": "1"})

    def _make(self, path: str, body: Any) -> None:
        self.clock.advance(1)
        answer = self.clients[1].post(path, json=body)
        assert answer.status_code in (200, 201), answer.text

    def live(self, table: str, place: int) -> Any:
        """Return the id of a live record, the `place`-th of the newest, or one that there is not."""
        store = self.account.store
        what, _, entity = table.partition(":")
        if what in ("code", "choice"):
            known = self.account.custom_fields(entity).values() if entity != "activity" else ()
            codes = sorted(one.code for one in known if what == "code" or one.type in CHOICES) or ["subject"]
            return codes[place % len(codes)]
        if table == "type":
            return sorted(self.account.activity_types())[place % len(self.account.activity_types())]
        if table == "user":
            return place % 2 + 1
        if table == "option":
            return "option"
        name = entity if what == "spare" else table
        rows = store.select(name, "uid" if name == "lead" else "id", [("deleted = 0", ())], limit=50)
        rows = rows[KEPT_ROWS:] if what == "spare" else rows
        return rows[place % len(rows)][0] if rows else 0

    def filled(self, value: Any, entity: str) -> Any:
        """Return a value with its links and custom fields filled in."""
        if isinstance(value, Link):
            return self.live(value.table, value.place)
        if isinstance(value, Customs):
            return dict(self._custom(entity, *pick) for pick in value.picks)
        if isinstance(value, dict):
            return {name: self.filled(one, entity) for name, one in value.items()}
        return [self.filled(one, entity) for one in value] if isinstance(value, list) else value

    def _custom(self, entity: str, which: int, choice: int) -> tuple[str, Any]:
        fields = sorted(self.account.custom_fields(entity).values(), key=lambda one: one.code)
        fields += [one for one in fields if one.type in CHOICES] * 3
        if not fields or which == 23:
            return "0" * 40, "Invented"
        one = fields[which % len(fields)]
        options = sorted(one.options)
        fitting = (
            (options[:1] or None, None) if one.type == "set"
            else (options[0] if options else None, None) if one.type == "enum" else FITTING[one.type]
        )  # fmt: skip
        return one.code, fitting[choice] if choice < len(fitting) else MISFITS[(which + choice) % len(MISFITS)]

    def send(self, made: Shot, user: int) -> tuple[httpx.Response, Any, dict[str, str]]:
        """Make the request and return the answer, and body and query as they were sent."""
        version, method, path = made.call.split(" ")
        entity = {"persons": "person", "organizations": "organization", "deals": "deal", "products": "product"}
        body = self.filled(made.body, entity.get(path.split("/")[1], "deal"))
        query = {name: _text(self.filled(one, "")) for name, one in made.query.items()}
        links = [self.filled(one, "") for one in made.ids]
        if "{product_attachment_id}" in path or "{follower_id}" in path:
            links = self._pair(path, links)
        if path.endswith("/options"):
            body = self._with_options(body, entity=path.split("/")[1].removesuffix("Fields"), code=links[0])
        ids = iter(map(str, links))
        filled = "/".join(next(ids) if part.startswith("{") else part for part in path.split("/"))
        more: dict[str, Any] = {}
        if made.form is not None:
            form = {name: str(self.filled(one, "")) for name, one in made.form.items()}
            more = {"data": form} | ({"files": {"file": ("a.txt", b"A")}} if method == "POST" else {})
        elif body is not None:
            more = {"content": json.dumps(body).encode(), "headers": {"content-type": "application/json"}}
        self.clock.advance(1)
        return self.clients[user].request(method, f"/api/{version}{filled}", params=query, **more), body, query

    def _pair(self, path: str, links: list[Any]) -> list[Any]:
        """Return the ids of an item and what hangs on it, where the second exists."""
        table, column = ("follower", "of_id") if "follower" in path else ("deal_product", "deal_id")
        owner = {"persons": "person", "organizations": "organization", "deals": "deal", "products": "product"}
        wheres: list[Any] = [("id = ?", (links[1],))]
        if table == "follower":
            item = owner[path.split("/")[1]]
            alive = f"deleted = 0 AND entity = ? AND of_id IN (SELECT id FROM {item} WHERE deleted = 0)"  # noqa: S608 - ours
            wheres = [(alive, (item,))]
        row = self.account.store.find(table, wheres)
        return links if row is None else [row.doc[column], row.doc["user_id"] if table == "follower" else row.id]

    def _with_options(self, body: Any, entity: str, code: Any) -> Any:
        """Return the body of an options call with ids that the field has."""
        field = self.account.custom_fields(entity).get(str(code))
        options = sorted(field.options) if field is not None else []
        if not isinstance(body, list) or not options:
            return body
        return [
            {**one, "id": options[place % len(options)]} if isinstance(one, dict) and one.get("id") == "option" else one
            for place, one in enumerate(body)
        ]


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)


@pytest.fixture(scope="module")
def place(sign_in_anywhere: Callable[..., httpx.Client]) -> Iterator[Place]:
    clock = VirtualClock(datetime(2026, 3, 2, tzinfo=UTC))
    with Sandbox(plan="ultimate", seats=1000, clock=clock, switches=Switches()) as sandbox:
        place = Place(sandbox, {user: sign_in_anywhere(sandbox, user - 1) for user in (1, 2)}, clock)
        yield place
        if REQUESTS >= ENOUGH:
            assert set(OFFERED) - place.accepted == set()


def test_any_request_is_answered_as_the_facts_say(place: Place) -> None:
    for number in range(REQUESTS):
        rng = random.Random(f"{SEED}:{number}")  # noqa: S311 - a repeatable choice, no secret
        user, made = rng.choice((1, 1, 1, 2)), shot(rng)

        wrong = list(_wrong(place, made, user))

        assert wrong == [], f"FLITSTACK_FUZZ_SEED={SEED}, request {number} by user {user}: {made}"


def _wrong(place: Place, made: Shot, user: int) -> Iterator[str]:
    """Make a request and yield what is wrong with how it was answered."""
    answer, body, query = place.send(made, user)
    if answer.status_code in REFUSALS:
        if answer.json()["success"] is not False or not isinstance(answer.json()["error"], str):
            yield "a refusal that does not look like one"
        return
    if answer.status_code not in (200, 201):
        yield f"status {answer.status_code}"
        return
    place.accepted.add(made.call)
    yield from reasons(made.call, body, query, place.account, admin=user == 1, user=user)
    if user == 2 and any(map(_hidden, _listed(answer))):
        yield "a record that this user may not see"
    if SPECS:
        yield from (fault for fault in faults(made.call, answer) if waiver(fault) is None)


def _listed(answer: httpx.Response) -> list[Any]:
    if not answer.headers["content-type"].startswith("application/json"):
        return []
    data = answer.json()["data"]
    return [one for one in data if isinstance(one, dict)] if isinstance(data, list) else []


def _hidden(record: dict[str, Any]) -> bool:
    return str(record.get("visible_to")) == "1" and record.get("owner_id") == 1
