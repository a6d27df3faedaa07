"""v1 operations that have left the specifications: gone, not found, or, for a few, as they were.

Source: Pipedrive's changelog (out of support since 1 August 2026), and which operations the specification of 14 January
2026 still had. Whether they answer is not documented; the switch `left_v1` decides.
"""

from __future__ import annotations

import json
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from flitstack_pipedrive.sandbox.answers import Answer, data_v1, failed, refused_v1
from flitstack_pipedrive.sandbox.paging import page_v1, rows_v1
from flitstack_pipedrive.sandbox.records_v1 import record_v1
from flitstack_pipedrive.sandbox.resources import activities, deals, organizations, persons
from flitstack_pipedrive.sandbox.texts import parse_v1_time

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flitstack_pipedrive.sandbox.answers import Doc
    from flitstack_pipedrive.sandbox.call import Call, Handler

_CRUD = ("GET ", "POST ", "GET /{id}", "PUT /{id}", "DELETE /{id}")
_MORE = MappingProxyType(
    {
        "activities": ("GET /collection", "DELETE "),
        "deals": ("GET /collection", "GET /search", "DELETE ", "GET /{id}/activities", "GET /{id}/persons",
                  "GET /{id}/products", "POST /{id}/products", "PUT /{id}/products/{product_attachment_id}",
                  "DELETE /{id}/products/{product_attachment_id}"),
        "persons": ("GET /collection", "GET /search", "DELETE ", "GET /{id}/activities", "GET /{id}/deals"),
        "organizations": ("GET /collection", "GET /search", "DELETE ", "GET /{id}/activities", "GET /{id}/deals",
                          "GET /{id}/persons"),
        "pipelines": (),
        "stages": ("DELETE ",),
        "products": ("GET /search",),
    }
)  # fmt: skip
_ALONE = ("GET /itemSearch", "GET /itemSearch/field", "DELETE /activityTypes")
_TABLES = MappingProxyType({"persons": "person", "organizations": "organization", "deals": "deal",
                            "activities": "activity"})  # fmt: skip
_WRITERS: Mapping[str, tuple[Handler, Handler]] = MappingProxyType(
    {
        "person": (persons.create_person, persons.update_person),
        "organization": (organizations.create_organization, organizations.update_organization),
        "deal": (deals.create_deal, deals.update_deal),
        "activity": (activities.create_activity, activities.update_activity),
    }
)
_DELETERS: Mapping[str, Handler] = MappingProxyType(
    {
        "person": persons.delete_person,
        "organization": organizations.delete_organization,
        "deal": deals.delete_deal,
        "activity": activities.delete_activity,
    }
)
# v1's names of what v2 calls otherwise; a person of v1 has one or many emails under `email`.
_RENAMED: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "person": {"email": "emails", "phone": "phones"},
        "organization": {},
        "deal": {"user_id": "owner_id"},
        "activity": {"user_id": "owner_id"},
    }
)
_SORTS = MappingProxyType({name: name for name in ("id", "add_time", "update_time")})
_KEY_LENGTH = 40


def left_operations() -> dict[str, tuple[int, Handler]]:
    """Return cost and handler of the 62 operations that left, keyed as `GET /persons/{id}`."""
    lines = list(_ALONE)
    for name, more in _MORE.items():
        for verb, rest in (line.split(" ") for line in (*_CRUD, *more)):
            lines.append(f"{verb} /{name}{rest}")
    return {line: (_cost(line), _left(_before(line))) for line in lines}


def _cost(line: str) -> int:
    """Return the tokens of a v1 call: Pipedrive API, "Rate limiting", costs by kind of call."""
    verb, _, path = line.partition(" ")
    if "earch" in path:
        return 40
    if verb == "GET":
        return 2 if path.endswith("{id}") else 20
    if verb == "DELETE":
        return 6 if path.endswith("}") else 10
    return 10


def _left(before: Handler | None) -> Handler:
    """Return the handler that does what the switch says."""

    def handler(call: Call) -> Answer:
        how = call.account.switches.left_v1
        if how == "as_before" and before is not None:
            return before(call)
        if how == "not_found":
            raise failed(404, "Unknown method .", errorCode=404)
        raise failed(410, "This endpoint is no longer available. Use API v2.", errorCode=410)

    return handler


def _before(line: str) -> Handler | None:
    verb, _, path = line.partition(" ")
    name, _, rest = path.lstrip("/").partition("/")
    table = _TABLES.get(name)
    if table is None or rest not in ("", "{id}") or line == f"DELETE /{name}":
        return None
    if verb == "GET":
        return _reader(table) if rest else _lister(table)
    return _deleter(table) if verb == "DELETE" else _writer(table)


def _lister(table: str) -> Handler:
    def handler(call: Call) -> Answer:
        docs, start, limit, more = rows_v1(call, table, [("deleted = 0", ())], _SORTS)
        return page_v1([record_v1(table, doc, call.account) for doc in docs], start, limit, more)

    return handler


def _reader(table: str) -> Handler:
    def handler(call: Call) -> Answer:
        return data_v1(record_v1(table, call.row(table, call.number()).doc, call.account))

    return handler


def _deleter(table: str) -> Handler:
    def handler(call: Call) -> Answer:
        return data_v1(json.loads(_DELETERS[table](call).body)["data"])

    return handler


def _writer(table: str) -> Handler:
    """Return the handler that creates or, when the path names a record, changes one, by way of v2."""

    def handler(call: Call) -> Answer:
        call.body = _body_v2(table, call.fields())
        create, update = _WRITERS[table]
        made = json.loads((update if call.params else create)(call).body)["data"]
        return data_v1(record_v1(table, made, call.account))

    return handler


def _body_v2(table: str, body: Doc) -> Doc:
    """Return a v1 body in v2's form: names, numbers in text, times, contact points, top-level custom fields."""
    made: Doc = {}
    for key, value in body.items():
        name = _RENAMED[table].get(key, key)
        if len(key) == _KEY_LENGTH:
            made.setdefault("custom_fields", {})[key] = value
        elif name in ("emails", "phones"):
            made[name] = _points(value)
        elif name == "add_time":
            made[name] = parse_v1_time(value)
            if made[name] is None:
                raise refused_v1({key: "The value is not a valid datetime"})
        elif name == "done":
            made[name] = bool(value)
        elif isinstance(value, str) and value.isdecimal() and (name.endswith("_id") or name == "visible_to"):
            made[name] = int(value)
        elif name == "person_id" and table == "activity":
            made["participants"] = [{"person_id": value, "primary": True}]
        else:
            made[name] = value
    return made


def _points(value: Any) -> Any:
    return [{"value": value, "primary": True}] if isinstance(value, str) else value
