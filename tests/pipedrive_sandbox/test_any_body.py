"""Whatever a client sends, the sandbox answers: accepted or refused, never broken."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flitstack.clock import VirtualClock
from flitstack_pipedrive.sandbox.app import Sandbox, Switches
from flitstack_pipedrive.sandbox.customs import TYPES

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Iterator

    import httpx

KEYS = (
    "name first_name title subject type content owner_id user_id person_id org_id organization_id deal_id lead_id "
    "pipeline_id stage_id emails phones im birthday visible_to label_ids add_time update_time status won_time "
    "lost_time close_time lost_reason value currency is_archived archive_time probability expected_close_date "
    "participants attendees due_date due_time duration done busy location address priority outcome note icon_key color "
    "order_nr field_name field_type options ui_visibility pinned_to_person_flag website custom_fields days_to_rotten"
).split()
CALLS = [
    *((verb, f"/api/v2/{path}") for path in ("persons", "organizations", "deals", "activities", "stages", "pipelines")
      for verb in ("POST", "PATCH")),
    *(("POST", f"/api/v2/{entity}Fields") for entity in ("person", "deal")),
    *((verb, f"/v1/{path}") for path, verb in (("leads", "POST"), ("notes", "POST"), ("activityTypes", "POST"),
                                               ("notes", "PUT"), ("activityTypes", "PUT"), ("leads", "PATCH"))),
]  # fmt: skip
LIKELY: st.SearchStrategy[Any] = st.sampled_from(
    [None, True, 0, 1, -1, 2**70, 10**400, 1.5, "", "1", "call", "won", "lost", "enum", "bell", "2020-01-01", "09:30",
     "2020-01-01T00:00:00Z", "2020-01-01 00:00:00", "USD", "\ud800", "\x00", [], {}, [1], ["a"], [[]], [{}],
     {"value": "x"}, {"value": []}, {"value": 1, "currency": []}, {"amount": 1, "currency": {}}, [{"value": "x"}],
     [{"value": None}], [{"label": "x"}], [{"label": []}], [{"person_id": 1}], [{"person_id": []}], [{"email": "x"}]]
)  # fmt: skip
VALUES = LIKELY | st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=4,
)


class Place:
    """An account with one of everything that is linked to, and a field of every type for persons and deals."""

    def __init__(self, sandbox: Sandbox, client: httpx.Client, clock: VirtualClock) -> None:
        self.client = client
        self.clock = clock
        client.post("/api/v2/persons", json={"name": "A"})
        client.post("/api/v2/organizations", json={"name": "A"})
        client.post("/api/v2/deals", json={"title": "A"})
        client.post("/api/v2/activities", json={"subject": "A"})
        client.post("/v1/notes", json={"content": "A", "person_id": 1})
        self.lead = client.post("/v1/leads", json={"title": "A", "person_id": 1}).json()["data"]["id"]
        self.codes: dict[str, list[str]] = {"person": [], "deal": []}
        for kind in TYPES:
            more = {"options": [{"label": "A"}]} if kind in ("enum", "set") else {}
            for entity in ("person", "deal"):
                body = {"field_name": kind, "field_type": kind, **more}
                self.codes[entity].append(
                    client.post(f"/api/v2/{entity}Fields", json=body).json()["data"]["field_code"]
                )


@pytest.fixture(scope="module")
def place(runner: asyncio.Runner, sign_in_anywhere: Callable[..., httpx.Client]) -> Iterator[Place]:
    clock = VirtualClock(datetime(2026, 3, 2, tzinfo=UTC))
    switches = Switches(contact_sync=True, organization_profile=True, deal_add_time="store")
    with Sandbox(plan="ultimate", seats=1000, clock=clock, switches=switches) as sandbox:
        yield Place(sandbox, sign_in_anywhere(sandbox), clock)


@given(data=st.data())
def test_any_body_is_accepted_or_refused(place: Place, data: st.DataObject) -> None:
    method, path = data.draw(st.sampled_from(CALLS))
    body: Any = data.draw(st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=4) | VALUES)
    entity = {"/api/v2/persons": "person", "/api/v2/deals": "deal", "/v1/leads": "deal"}.get(path)
    if entity and isinstance(body, dict) and data.draw(st.booleans()):
        customs = data.draw(st.dictionaries(st.sampled_from(place.codes[entity]), VALUES, min_size=1, max_size=3))
        body = {**body, **customs} if path == "/v1/leads" else {"custom_fields": customs}
    if method != "POST":
        path += f"/{place.lead if path == '/v1/leads' else 1}"
    place.clock.advance(1)

    content = json.dumps(body).encode()
    answer = place.client.request(method, path, content=content, headers={"content-type": "application/json"})

    assert answer.status_code in (200, 201, 400, 403)
    assert answer.json()["success"] is (answer.status_code < 300)
