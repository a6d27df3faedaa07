"""The fuzz's own rules: what they must catch, so that a fuzz without a finding says something."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tests.pipedrive_sandbox.forbidden import reasons
from tests.pipedrive_sandbox.scenario import customs

from flitstack_pipedrive.sandbox.routes import OFFERED

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from flitstack_pipedrive.sandbox.app import Sandbox

LONG = "x" * 256
BAD: list[tuple[str, Any]] = [
    ("v2 POST /persons", {"name": "A", "colour": "red"}),
    ("v2 POST /persons", {"name": None}),
    ("v2 POST /persons", {"name": LONG}),
    ("v2 POST /persons", {"emails": [{"value": "a@b.example"}]}),
    ("v2 POST /persons", {"name": "A", "birthday": "2000-01-01"}),
    ("v2 POST /persons", {"name": "A", "owner_id": "1"}),
    ("v2 POST /persons", {"name": "A", "owner_id": 3}),
    ("v2 POST /persons", {"name": "A", "org_id": 99}),
    ("v2 POST /persons", {"name": "A", "phones": ["555 0100"]}),
    ("v2 POST /persons", {"name": "A", "phones": [{"label": "work"}]}),
    ("v2 POST /persons", {"name": "A", "label_ids": [9]}),
    ("v2 POST /persons", {"name": "A", "custom_fields": {"0" * 40: "A"}}),
    ("v2 POST /organizations", {"name": "A", "website": "https://lab.example"}),
    ("v2 POST /organizations", {"name": "A", "address": {"locality": "Sampleton"}}),
    ("v2 POST /deals", {"title": "A", "add_time": "2020-01-01T00:00:00Z"}),
    ("v2 POST /deals", {"title": "A", "won_time": "2020-01-01T00:00:00Z"}),
    ("v2 POST /deals", {"title": "A", "status": "won", "lost_reason": "A"}),
    ("v2 POST /deals", {"title": "A", "expected_close_date": ""}),
    ("v2 POST /deals", {"title": "A", "value": "5"}),
    ("v2 POST /activities", {"person_id": 1}),
    ("v2 POST /activities", {"done": 1}),
    ("v2 POST /activities", {"type": "no such type"}),
    ("v2 POST /activities", {"custom_fields": {}}),
    ("v1 POST /leads", {"title": "A"}),
    ("v1 POST /notes", {"content": "A"}),
    ("v1 POST /notes", {"content": "x" * 100_001, "person_id": 1}),
    ("v2 POST /personFields", {"field_name": LONG, "field_type": "date"}),
    ("v2 POST /personFields", {"field_name": "A", "field_type": "boolean"}),
    ("v2 POST /personFields/{field_code}/options", [{"label": ""}]),
]


@pytest.mark.parametrize(("call", "body"), BAD)
def test_a_bad_body_is_called_forbidden_and_is_refused(
    sandbox: Sandbox, admin: httpx.Client, person: int, call: str, body: Any
) -> None:
    version, method, path = call.split(" ")

    refused = admin.request(method, f"/api/{version}{path.replace('{field_code}', 'x')}", json=body)

    assert list(reasons(call, body, {}, sandbox._account, admin=True, user=1)) != []
    assert refused.status_code in (400, 403)


@pytest.mark.parametrize(
    ("kind", "value"),
    [("varchar", LONG), ("set", []), ("enum", 9999), ("double", "1"), ("monetary", 5), ("date", "01/02/2020"),
     ("people", 99), ("time", "09:00"), ("address", "1 Example Street"), ("daterange", {"value": "2020-01-01"})],
)  # fmt: skip
def test_a_value_that_does_not_fit_its_field_is_called_forbidden_and_is_refused(
    sandbox: Sandbox, admin: httpx.Client, add_field: Callable[..., dict[str, Any]], kind: str, value: Any
) -> None:
    options = {"options": [{"label": "A"}]} if kind in ("set", "enum") else {}
    body = {"name": "A", "custom_fields": {add_field("person", kind, **options)["field_code"]: value}}

    refused = admin.post("/api/v2/persons", json=body)

    assert list(reasons("v2 POST /persons", body, {}, sandbox._account, admin=True, user=1)) != []
    assert refused.status_code == 400


def test_good_values_of_every_type_of_field_are_not_called_forbidden(
    sandbox: Sandbox, admin: httpx.Client, person: int, add_field: Callable[..., dict[str, Any]]
) -> None:
    admin.post("/api/v2/organizations", json={"name": "Lab"})
    for kind in ("varchar", "double", "monetary", "date", "daterange", "time", "timerange", "address", "user", "org"):
        add_field("person", kind)
    body = {"name": "A", "custom_fields": customs(admin, "person")}

    assert admin.post("/api/v2/persons", json=body).status_code == 200
    assert list(reasons("v2 POST /persons", body, {}, sandbox._account, admin=True, user=1)) == []


def test_what_only_an_admin_may_do_is_refused_to_others(staff: httpx.Client, person: int) -> None:
    for method, path, body in (
        ("POST", "/api/v2/pipelines", {"name": "A"}),
        ("POST", "/api/v2/personFields", {"field_name": "A", "field_type": "date"}),
        ("POST", "/v1/activityTypes", {"name": "A", "icon_key": "bell"}),
        ("DELETE", f"/api/v2/persons/{person}", None),
        ("GET", "/v1/webhooks", None),
    ):
        assert staff.request(method, path, json=body).status_code == 403, path


def test_the_bad_bodies_are_of_operations_that_are_offered() -> None:
    assert {call for call, _ in BAD} <= set(OFFERED)
