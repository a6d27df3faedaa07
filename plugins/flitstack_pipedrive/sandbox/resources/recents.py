"""What changed since a moment, v1: Pipedrive API `/recents`."""

from __future__ import annotations

import json
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from flitstack_pipedrive.sandbox.answers import Answer, refused_v1, to_json
from flitstack_pipedrive.sandbox.paging import LARGEST_PAGE, page_limit, whole_number
from flitstack_pipedrive.sandbox.records_v1 import record_v1
from flitstack_pipedrive.sandbox.resources.notes import note_shown
from flitstack_pipedrive.sandbox.texts import parse_v1_time, v1_time

if TYPE_CHECKING:
    from flitstack_pipedrive.sandbox.answers import Doc
    from flitstack_pipedrive.sandbox.call import Call

_TABLES = MappingProxyType(
    {
        "activity": "activity",
        "activityType": "activity_type",
        "deal": "deal",
        "file": "file",
        "note": "note",
        "person": "person",
        "organization": "organization",
        "pipeline": "pipeline",
        "product": "product",
        "stage": "stage",
    }
)


def list_recents(call: Call) -> Answer:
    """Return a page of what was created, changed or deleted since `since_timestamp`, oldest change first."""
    since = parse_v1_time(call.query["since_timestamp"])
    if since is None:
        raise refused_v1({"since_timestamp": "The value is not a valid datetime"})
    kinds = [kind for kind in call.query.get("items", ",".join(_TABLES)).split(",") if kind in _TABLES]
    changes = sorted(change for kind in kinds for change in _changes(call, kind, since))
    start = whole_number(call, "start") if "start" in call.query else 0
    limit = page_limit(call, LARGEST_PAGE)
    page = changes[start : start + limit]
    more: Doc = {"since_timestamp": v1_time(since)}
    if page:
        more["last_timestamp_on_page"] = v1_time(page[-1][0])
    more["pagination"] = {"start": start, "limit": limit, "more_items_in_collection": len(changes) > start + limit}
    items = [{"item": kind, "id": number, "data": _data(call, kind, number)} for _, kind, number in page]
    body = {"success": True, "data": items or None, "additional_data": more}
    return Answer(to_json(body).encode())


def _changes(call: Call, kind: str, since: str) -> list[tuple[Any, ...]]:
    table = _TABLES[kind]
    wheres = [("update_time >= ?", (since,)), *call.visible(table)]
    return [(at, kind, int(number)) for number, at in call.store.select(table, "id, update_time", wheres)]


def _data(call: Call, kind: str, number: int) -> Doc:
    table = _TABLES[kind]
    ((text,),) = call.store.select(table, "doc", [("id = ?", (number,))])
    doc = json.loads(text)
    if kind == "note":
        doc = note_shown(call, doc)
        doc["user"] = {name: value for name, value in doc["user"].items() if value is not None}
    return record_v1(table, doc, call.account)
