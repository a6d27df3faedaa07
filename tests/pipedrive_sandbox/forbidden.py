"""What must never be accepted, written anew from the facts: it shares nothing with the sandbox's own checks.

Source of the rules: Pipedrive API v2 migration guide, the specifications' texts, and what live clients observed.
"""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from jsonschema import Draft202012Validator

from flitstack_pipedrive.sandbox.contract import tables

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from flitstack_pipedrive.sandbox.account import Account

CONTACT_SYNC = {"notes", "im", "birthday", "job_title", "postal_address"}
PROFILE = {"website", "linkedin", "industry", "annual_revenue", "employee_count"}
ADMIN_ONLY = re.compile(
    r"v2 (POST|PATCH|DELETE) /(pipelines|stages|\w+Fields)|v1 (POST|PUT|DELETE) /activityTypes|v1 GET /webhooks"
    r"|v2 DELETE /(persons|organizations|products)/\{id\}$"
)
LINKS = {"person_id": "person", "org_id": "organization", "organization_id": "organization", "deal_id": "deal",
         "pipeline_id": "pipeline", "stage_id": "stage", "product_id": "product"}  # fmt: skip
LABELS = {"/persons": {1, 2, 3, 4}, "/organizations": {5, 6, 7, 8}, "/deals": {9, 10, 11}}
ENTITIES = {"/persons": "person", "/organizations": "organization", "/deals": "deal", "/products": "product"}
LONGEST_PAGE = {"v1 GET /files": 100, "v2 GET /itemSearch": 100}
_WORDS = {"varchar", "varchar_auto", "text", "phone"}


def strict(schema: Any, *, v1: bool) -> Any:
    """Return a schema that refuses every key it does not name; v1 takes numbers in text and 0 or 1 for booleans."""
    if not isinstance(schema, dict):
        return schema
    made = {key: [strict(one, v1=v1) for one in value] if isinstance(value, list) else strict(value, v1=v1)
            for key, value in schema.items() if key != "properties"}  # fmt: skip
    if "properties" in schema:
        made["properties"] = {name: strict(one, v1=v1) for name, one in schema["properties"].items()}
        made.setdefault("additionalProperties", False)
    if v1 and "type" in schema:
        kinds = [schema["type"]] if isinstance(schema["type"], str) else schema["type"]
        if {"integer", "number", "boolean"} & set(kinds):
            made["type"] = [*kinds, "string", "boolean", "integer"]
            made.pop("enum", None)
    return made


def reasons(
    call: str, body: Any, query: Mapping[str, str], account: Account, *, admin: bool, user: int
) -> Iterator[str]:
    """Yield why this request should not have been accepted; nothing when it may be."""
    if ADMIN_ONLY.match(call) and not admin:
        yield "only an admin may do that"
    yield from _query(call, query)
    content = tables()[call].get("body", {}).get("application/json")
    if content is None:
        return
    misshapen = [
        f"the tables: {error.json_path} {error.validator}"
        for error in Draft202012Validator(strict(content, v1=call.startswith("v1"))).iter_errors(body)
    ]
    yield from misshapen
    # The rules below take the shape for granted.
    if misshapen or not isinstance(body, dict):
        return
    _, method, path = call.split(" ")
    yield from _references(path, body, account)
    for name in ("name", "title", "subject", "field_name"):
        if isinstance(body.get(name), str) and not 1 <= len(body[name].strip()) <= len(body[name]) <= 255:
            yield f"{name} is empty or too long"
    for start, rule in _RULES.items():
        if path in (start, f"{start}/{{id}}"):
            yield from rule(body, account, method == "POST")
    if body.get("user_id") not in (None, user, str(user)) and path.startswith("/notes") and not admin:
        yield "only an admin names an author"


def _query(call: str, query: Mapping[str, str]) -> Iterator[str]:
    known = tables()[call].get("query", {"properties": {}, "required": ()})
    if set(query) - set(known["properties"]):
        yield "a query parameter that there is not"
    if set(known["required"]) - set(query):
        yield "a query parameter is missing"
    most = LONGEST_PAGE.get(call, 100 if call.endswith("/files") else 500)
    if "limit" in query and not (query["limit"].isdecimal() and 1 <= int(query["limit"]) <= most):
        yield "limit is out of range"
    for name in ("updated_since", "updated_until"):
        if name in query and call.startswith("v2") and ("." in query[name] or not _moment(query[name])):
            yield f"{name} is no time in whole seconds"
    loose = query.get("exact_match") == "true" or call == "v2 GET /itemSearch/field"
    if "earch" in call and len(query["term"].strip()) < (1 if loose else 2):
        yield "the term is too short"


def _references(path: str, body: Mapping[str, Any], account: Account) -> Iterator[str]:
    for name, table in LINKS.items():
        value = body.get(name)
        if value is not None and not account.store.live(table, int(value)):
            yield f"{name} names no live {table}"
    owner = body.get("owner_id", body.get("user_id"))
    if owner is not None and (int(owner) not in account.members or not account.members[int(owner)].active):
        yield "the owner is not an active user"
    items = path.split("/{")[0]
    if "label_ids" in body and items in LABELS and not set(body["label_ids"]) <= LABELS[items]:
        yield "a label does not exist"
    if body.get("visible_to") is not None and int(body["visible_to"]) not in (1, 3, 5, 7):
        yield "visible_to is no visibility"
    entity = ENTITIES.get(items)
    if entity and "custom_fields" in body:
        yield from _customs(body["custom_fields"], account.custom_fields(entity), account)


def _customs(values: Mapping[str, Any], fields: Mapping[str, Any], account: Account) -> Iterator[str]:
    for code, value in values.items():
        if code not in fields:
            yield "an unknown custom field"
        elif value is not None and not _fits(fields[code], value, account):
            yield f"a value that no {fields[code].type} field has"


def _fits(field: Any, value: Any, account: Account) -> bool:
    kind = field.type
    if kind in _WORDS:
        return isinstance(value, str) and len(value) <= (65_535 if kind == "text" else 255)
    if kind in ("user", "org", "people"):
        table = {"user": "user", "org": "organization", "people": "person"}[kind]
        return type(value) is int and account.store.live(table, value)
    if kind == "enum":
        return type(value) is int and value in field.options
    if kind == "set":
        return (
            isinstance(value, list) and value != [] and all(type(one) is int and one in field.options for one in value)
        )
    if kind == "double":
        return type(value) in (int, float)
    if kind == "date":
        return _day(value)
    return isinstance(value, dict) and _fits_object(kind, value)


def _fits_object(kind: str, value: Mapping[str, Any]) -> bool:
    if kind == "monetary":
        return (
            type(value.get("value")) in (int, float)
            and re.fullmatch("[A-Z]{3}", str(value.get("currency"))) is not None
        )
    if kind == "address":
        return isinstance(value.get("value"), str)
    if kind == "daterange":
        return _day(value.get("value")) and _day(value.get("until"))
    return isinstance(value.get("value"), str) and ":" in value["value"]


def _person(body: Mapping[str, Any], account: Account, new: bool) -> Iterator[str]:
    if CONTACT_SYNC & set(body):
        yield "fields of contact sync"
    if new and not any(str(body.get(name) or "").strip() for name in ("name", "first_name", "last_name")):
        yield "a person without a name"
    for name in ("emails", "phones"):
        if not all(isinstance(point.get("value"), str) for point in body.get(name, ())):
            yield "a contact point without a value"


def _organization(body: Mapping[str, Any], account: Account, new: bool) -> Iterator[str]:
    if PROFILE & set(body):
        yield "fields of the company profile"
    if "address" in body and not isinstance(body["address"].get("value"), str):
        yield "an address without a value"


def _deal(body: Mapping[str, Any], account: Account, new: bool) -> Iterator[str]:
    if "add_time" in body:
        yield "a deal's add_time"
    status = body.get("status", "open" if new else None)
    if body.get("status") == "deleted":
        yield "status deleted"
    needs = {"won_time": ("won",), "lost_time": ("lost",), "lost_reason": ("lost",), "close_time": ("won", "lost")}
    for name, statuses in needs.items():
        if body.get(name) is not None and status is not None and status not in statuses:
            yield f"{name} without its status"
    for name in ("won_time", "lost_time", "close_time"):
        if body.get(name) is not None and not _moment(body[name]):
            yield f"{name} is no RFC 3339 time"
    if "expected_close_date" in body and not _day(body["expected_close_date"]):
        yield "expected_close_date is no date"


def _activity(body: Mapping[str, Any], account: Account, new: bool) -> Iterator[str]:
    if "person_id" in body:
        yield "an activity's person_id"
    if "type" in body and body["type"] not in account.activity_types():
        yield "an unknown activity type"
    if "due_date" in body and not _day(body["due_date"]):
        yield "due_date is no date"
    if not all(account.store.live("person", one.get("person_id")) for one in body.get("participants", ())):
        yield "a participant that does not exist"


def _lead(body: Mapping[str, Any], account: Account, new: bool) -> Iterator[str]:
    if new and body.get("person_id") is None and body.get("organization_id") is None:
        yield "a lead of nobody"


def _note(body: Mapping[str, Any], account: Account, new: bool) -> Iterator[str]:
    links = ("lead_id", "deal_id", "person_id", "org_id", "project_id", "task_id")
    if new and all(body.get(name) is None for name in links):
        yield "a note on nothing"
    if len(body.get("content", "")) > 100_000:
        yield "a note that is too long"
    if body.get("project_id") is not None or body.get("task_id") is not None:
        yield "a note on what the account has none of"


_RULES: Mapping[str, Callable[[Mapping[str, Any], Account, bool], Iterator[str]]] = {
    "/persons": _person,
    "/organizations": _organization,
    "/deals": _deal,
    "/activities": _activity,
    "/leads": _lead,
    "/notes": _note,
}


def _day(value: Any) -> bool:
    try:
        return isinstance(value, str) and len(value) == 10 and bool(date.fromisoformat(value))
    except ValueError:
        return False


def _moment(value: Any) -> bool:
    try:
        return isinstance(value, str) and datetime.fromisoformat(value).tzinfo is not None
    except ValueError:
        return False
