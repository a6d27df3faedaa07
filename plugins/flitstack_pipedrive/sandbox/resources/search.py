"""Searches, of the index and not the records: Pipedrive API `/itemSearch`, `/itemSearch/field`, `/{items}/search`."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Any

from flitstack_pipedrive.sandbox.answers import Answer, refused_v1, refused_v2, to_json
from flitstack_pipedrive.sandbox.paging import page_limit, whole_number
from flitstack_pipedrive.sandbox.search_index import KINDS, SEARCHABLE, Entry, entries, synchronise

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from flitstack_pipedrive.sandbox.answers import Doc
    from flitstack_pipedrive.sandbox.call import Call, Handler

LARGEST_ITEM_PAGE = 100
LARGEST_PAGE = 500
MOST_FILTERED = 2_000
SHORTEST_TERM = 2
_EXACT_SCORE, _SCORE = 1.2, 0.3


def search_items(call: Call) -> Answer:
    """Return what holds the term, of all kinds or some."""
    _term(call, exact=call.query.get("exact_match") == "true")
    kinds = call.query.get("item_types", ",".join(KINDS)).split(",")
    found = [one for kind in KINDS if kind in kinds for one in _found(call, kind)]
    page, cursor = _page(call, [_item(call, one) for one in found], LARGEST_ITEM_PAGE)
    return _answer({"items": page, "related_items": []}, cursor)


def search_kind(kind: str) -> Handler:
    """Return the handler of one kind's search."""

    def handler(call: Call) -> Answer:
        found = _filtered(call, _found(call, kind))
        page, cursor = _page(call, [_item(call, one) for one in found], LARGEST_PAGE)
        return _answer({"items": page}, cursor)

    return handler


def search_leads_v1(call: Call) -> Answer:
    """Return leads that hold the term, by start and limit."""
    start = whole_number(call, "start") if "start" in call.query else 0
    limit = page_limit(call, LARGEST_PAGE)
    items = [_item(call, one) for one in _filtered(call, _found(call, "lead"))]
    pagination: Doc = {"start": start, "limit": limit, "more_items_in_collection": len(items) > start + limit}
    if pagination["more_items_in_collection"]:
        pagination["next_start"] = start + limit
    body = {
        "success": True,
        "data": {"items": items[start : start + limit]},
        "additional_data": {"pagination": pagination},
    }
    return Answer(to_json(body).encode())


def search_field(call: Call) -> Answer:
    """Return records whose one field holds the term; upper and lower case differ."""
    kind, field, match = call.query["entity_type"], call.query["field"], call.query.get("match", "exact")
    if kind not in KINDS:
        raise refused_v2({"entity_type": "The account has no such items"})
    custom = call.account.custom_fields("deal" if kind == "lead" else kind).get(field)
    if field not in ("name", "title", "code") and (custom is None or custom.type not in SEARCHABLE):
        raise refused_v2({"field": "The field does not exist or cannot be searched"})
    term = _term(call, exact=match == "exact")
    fits: Mapping[str, Callable[[str], bool]] = {
        "exact": lambda text: text == term,
        "beginning": lambda text: text.startswith(term),
        "middle": lambda text: term in text,
    }
    synchronise(call.account)
    found = [one for one in entries(call.account, kind, term) if field in one.codes and fits[match](one.codes[field])]
    items = [{"id": one.doc["id"], field: one.codes[field]} for one in _visible(call, kind, found)]
    page, cursor = _page(call, items, LARGEST_PAGE)
    return _answer(page, cursor)


def _term(call: Call, *, exact: bool) -> str:
    """Return the term.

    :raises ApiError: 400, it is shorter than two characters, or than one for an exact match.
    """
    term = call.query["term"].strip()
    if len(term) < (1 if exact else SHORTEST_TERM):
        refused = refused_v2 if call.version == "v2" else refused_v1
        raise refused({"term": f"The value needs at least {SHORTEST_TERM} characters, or 1 with an exact match"})
    return term


def _found(call: Call, kind: str) -> list[tuple[Entry, float]]:
    """Return what is indexed of a kind and holds the term, with a score, by id."""
    exact = call.query.get("exact_match") == "true"
    term = _term(call, exact=exact).lower()
    fields = set(call.query["fields"].split(",")) if "fields" in call.query else None
    synchronise(call.account)
    found = []
    for one in entries(call.account, kind, term):
        texts = [text.lower() for name, many in one.texts.items() if not fields or name in fields for text in many]
        if any(text == term if exact else term in text for text in texts):
            found.append((one, _EXACT_SCORE if term in texts else _SCORE))
    seen = {one.of_id for one in _visible(call, kind, (one for one, _ in found))}
    return [(one, score) for one, score in found if one.of_id in seen]


def _visible(call: Call, kind: str, found: Iterable[Entry]) -> list[Entry]:
    """Return what this user may see; an admin sees everything."""
    conditions = call.visible(kind)
    if not conditions:
        return list(found)
    return [one for one in found if call.store.count(kind, [("id = ?", (one.of_id,)), *conditions])]


def _filtered(call: Call, found: list[tuple[Entry, float]]) -> list[tuple[Entry, float]]:
    """Return what the query's person, organization and status leave, at most 2,000."""
    wanted: Doc = {}
    if "person_id" in call.query:
        wanted["person_id"] = int(call.query["person_id"])
    if "organization_id" in call.query:
        wanted["organization_id"] = int(call.query["organization_id"])
    if "status" in call.query:
        wanted["status"] = call.query["status"]
    if not wanted:
        return found
    kept = [(one, score) for one, score in found if _fits(one, wanted)]
    return kept[:MOST_FILTERED]


def _fits(one: Entry, wanted: Mapping[str, Any]) -> bool:
    doc = {"organization_id": one.doc.get("org_id"), **one.doc}
    return all(doc.get(name) == value for name, value in wanted.items())


def _item(call: Call, found: tuple[Entry, float]) -> Doc:
    one, score = found
    doc: Doc = {"id": one.doc["id"], "type": one.kind, **_own(call, one)}
    if one.kind != "file":
        doc |= {
            "visible_to": int(one.doc["visible_to"]),
            "owner": {"id": one.doc["owner_id"]},
            "custom_fields": one.texts.get("custom_fields", []),
        }
    if one.kind not in ("file", "product"):
        doc["notes"] = one.texts.get("notes", [])
    return {"result_score": score, "item": doc}


def _own(call: Call, one: Entry) -> Doc:
    """Return what only this kind shows; a link to nothing is left out unless the specification has null for it."""
    doc = one.doc
    if one.kind == "file":
        return {"name": doc["name"], "url": f"/files/{one.of_id}/download"}
    if one.kind == "product":
        return {"name": doc["name"]} | ({"code": doc["code"]} if doc["code"] else {})
    if one.kind == "organization":
        return {"name": doc["name"]} | ({"address": doc["address"]["value"]} if doc["address"] else {})
    organization = _linked(call, "organization", doc.get("org_id", doc.get("organization_id")), "name")
    if one.kind == "person":
        points = {"phones": one.texts.get("phone", []), "emails": one.texts.get("email", [])}
        return {"name": doc["name"], **points} | ({"organization": organization} if organization else {})
    person = _linked(call, "person", doc["person_id"], "name")
    if one.kind == "deal":
        return {
            **{name: doc[name] for name in ("title", "value", "currency", "status", "is_archived")},
            "stage": _linked(call, "stage", doc["stage_id"], "name"),
            "person": person,
            "organization": organization,
        }
    shown: Doc = {"title": doc["title"], "phones": [], "emails": [], "is_archived": doc["is_archived"]}
    if doc["value"]:
        shown |= {"value": doc["value"]["amount"], "currency": doc["value"]["currency"]}
    links = {"person": person, "organization": organization}
    return shown | {name: link for name, link in links.items() if link}


def _linked(call: Call, table: str, number: int | None, label: str) -> Doc | None:
    if number is None:
        return None
    found = call.store.select(table, f"json_extract(doc, '$.{label}')", [("id = ?", (number,))])
    return {"id": number, label: found[0][0]} if found else None


def _page(call: Call, items: list[Doc], largest: int) -> tuple[list[Doc], str | None]:
    start = 0
    if "cursor" in call.query:
        try:
            start = int(base64.urlsafe_b64decode(call.query["cursor"]))
        except (binascii.Error, ValueError):
            raise refused_v2({"cursor": "The value is not a valid cursor"}) from None
    end = max(start, 0) + page_limit(call, largest)
    cursor = base64.urlsafe_b64encode(str(end).encode()).decode() if len(items) > end else None
    return items[max(start, 0) : end], cursor


def _answer(data: Any, cursor: str | None) -> Answer:
    return Answer(to_json({"success": True, "data": data, "additional_data": {"next_cursor": cursor}}).encode())
