"""Requests against the tables of the official specifications, before any rule of the account."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from flitstack_pipedrive.costs import cost_table
from flitstack_pipedrive.sandbox.contract import operation, tables
from flitstack_pipedrive.sandbox.routes import OFFERED, find
from flitstack_pipedrive.sandbox.shapes import body_shape, query_shape

if TYPE_CHECKING:
    import httpx


def test_every_offered_operation_is_one_of_the_specifications() -> None:
    assert set(OFFERED) <= set(tables())


def test_the_destination_and_the_sandbox_know_the_same_prices() -> None:
    assert {call: operation(call).cost for call in cost_table()} == dict(cost_table())


def test_the_tables_hold_facts_and_no_text() -> None:
    def keys(node: Any) -> set[str]:
        if isinstance(node, list):
            return set().union(*map(keys, node))
        if not isinstance(node, dict):
            return set()
        inside = node.get("properties", {})
        return {key for key in node if key != "properties"} | keys(list(inside.values())) | keys(
            [value for key, value in node.items() if key != "properties"]
        )  # fmt: skip

    for call, table in tables().items():
        forms = {"application/json", "multipart/form-data", "application/x-www-form-urlencoded"}
        assert not keys(table) & {"description", "example", "title", "default", "summary"}, call
        assert set(table.get("body", {})) <= forms, call


@pytest.mark.parametrize(
    ("method", "path", "call", "params"),
    [
        ("GET", "/api/v2/deals/archived", "v2 GET /deals/archived", ()),
        ("GET", "/api/v2/deals/7", "v2 GET /deals/{id}", ("7",)),
        ("GET", "/v1/users/me", "v1 GET /users/me", ()),
        ("GET", "/api/v1/users/7", "v1 GET /users/{id}", ("7",)),
        ("PATCH", "/api/v2/deals/7/products/8", "v2 PATCH /deals/{id}/products/{product_attachment_id}", ("7", "8")),
        ("POST", "/api/v2/deals/7/products/bulk", "v2 POST /deals/{id}/products/bulk", ("7",)),
        ("GET", "/api/v2/personFields/a%2Fb", "v2 GET /personFields/{field_code}", ("a/b",)),
    ],
)
def test_a_path_leads_to_its_operation(method: str, path: str, call: str, params: tuple[str, ...]) -> None:
    route, _, taken = find(method, path)

    assert route.operation is operation(call)
    assert taken == params


@pytest.mark.parametrize(
    "path",
    [
        "/api/v2/persons?start=0",
        "/api/v2/persons/1?limit=5",
        "/api/v2/persons/1?include_fields=secrets",
        "/api/v2/activities?done=1",
        "/api/v2/deals?status=open,gone",
        "/api/v2/pipelines?owner_id=1",
        "/v1/notes?colour=red",
        "/v1/notes?person_id=one",
        "/v1/notes?pinned_to_person_flag=2",
        "/v1/files?person_id=1",
        "/v1/users?limit=5",
    ],
)
def test_a_query_parameter_that_the_operation_does_not_have_is_refused(
    admin: httpx.Client, person: int, path: str
) -> None:
    assert admin.get(path).status_code == 400


@pytest.mark.parametrize(
    "path",
    [
        "/api/v2/persons?include_fields=notes_count,files_count",
        "/api/v2/deals?status=open,won",
        "/api/v2/activities?done=true&sort_by=due_date&sort_direction=desc",
        "/v1/notes?sort=add_time DESC, id&start=0&limit=5",
        "/v1/leads?sort=title ASC",
    ],
)
def test_comma_lists_and_orders_are_taken(admin: httpx.Client, path: str) -> None:
    assert admin.get(path).status_code == 200


def test_a_form_is_checked_as_a_body_is(admin: httpx.Client, person: int) -> None:
    file = {"file": ("a.txt", b"A")}

    assert admin.post("/v1/files", files=file, data={"colour": "red"}).status_code == 400
    assert admin.post("/v1/files", files=file, data={"person_id": "one"}).status_code == 400
    assert admin.post("/v1/files", files=file, data={"person_id": str(person)}).status_code == 200
    assert admin.put("/v1/files/1", data={"colour": "red"}).status_code == 400


def test_every_fault_of_a_body_is_named_and_no_value(admin: httpx.Client) -> None:
    body = {"name": None, "owner_id": "Robin", "colour": "red", "emails": [{"value": 5}], "visible_to": True}

    said = admin.post("/api/v2/persons", json=body).json()["error"]

    assert said.startswith("Validation failed: ")
    assert all(f"{key}: " in said for key in body)
    assert "Robin" not in said
    assert "red" not in said


SCHEMA = {
    "type": "object",
    "required": ["a"],
    "properties": {
        "a": {"type": "string", "minLength": 1, "maxLength": 3},
        "b": {"type": ["integer", "null"], "minimum": 0},
        "c": {"type": "array", "items": {"type": "object", "properties": {"d": {"type": "boolean"}}}, "maxItems": 1},
        "e": {"enum": [1, 3], "type": "number"},
        "f": {"oneOf": [{"type": "string"}, {"type": "integer"}]},
        "g": {"type": "object", "additionalProperties": {"type": "integer"}},
        "h": {"type": "string", "readOnly": True},
    },
}


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ({"a": "x", "b": None, "c": [{"d": True}], "e": 3, "f": 1, "g": {"any": 1}}, set()),
        ({}, {"a"}),
        ({"a": ""}, {"a"}),
        ({"a": "long"}, {"a"}),
        ({"a": "x", "b": -1}, {"b"}),
        ({"a": "x", "b": True}, {"b"}),
        ({"a": "x", "c": [{"d": 1}]}, {"c"}),
        ({"a": "x", "c": [{"z": True}]}, {"c"}),
        ({"a": "x", "c": [{}, {}]}, {"c"}),
        ({"a": "x", "e": 2}, {"e"}),
        ({"a": "x", "e": True}, {"e"}),
        ({"a": "x", "f": 1.5}, {"f"}),
        ({"a": "x", "g": {"any": "1"}}, {"g"}),
        ({"a": "x", "h": "y"}, {"h"}),
        ([], {"body"}),
    ],
)
def test_a_body_has_the_shape_its_table_states(body: Any, wrong: set[str]) -> None:
    assert set(body_shape(SCHEMA)(body)) == wrong


def test_v1_takes_numbers_in_text_and_zero_and_one() -> None:
    check = body_shape({"properties": {"n": {"type": "integer"}, "b": {"type": "boolean"}}}, lenient=True)

    assert check({"n": "12", "b": 1}) == {}
    assert set(check({"n": "twelve", "b": "yes"})) == {"n", "b"}


def test_a_query_parameter_is_text_of_its_type() -> None:
    assert query_shape({"type": "integer"})("12") is None
    assert query_shape({"type": "integer"})("-1") is not None
    assert query_shape({"type": "boolean"})("1") is not None
    assert query_shape({"type": "array", "items": {"type": "integer"}})("1,2") is None
    assert query_shape({"type": "string", "enum": ["a", "b"]})("a,b") is not None
    assert query_shape({"type": "string", "enum": ["a", "b"]}, commas=True)("a,b") is None
