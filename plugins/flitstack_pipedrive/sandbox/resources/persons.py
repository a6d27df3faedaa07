"""Persons, v2: Pipedrive API `/persons`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flitstack_pipedrive.sandbox import checks
from flitstack_pipedrive.sandbox.answers import Answer, failed, refused_v2
from flitstack_pipedrive.sandbox.resources.entities import (
    create,
    custom_object,
    delete,
    get_entity,
    list_entities,
    save,
    take_customs,
)
from flitstack_pipedrive.sandbox.resources.native_fields import PERSON_LABELS
from flitstack_pipedrive.sandbox.texts import parse_v2_time, split_name

if TYPE_CHECKING:
    from flitstack_pipedrive.sandbox.answers import Doc
    from flitstack_pipedrive.sandbox.call import Call
    from flitstack_pipedrive.sandbox.state import Where

CONTACT_SYNC = ("notes", "im", "birthday", "job_title", "postal_address")
_NO_CONSENT = "no_consent"
_PATCH_CHECKS: dict[str, checks.Check] = {
    "name": checks.title,
    "first_name": checks.text(255),
    "last_name": checks.text(255),
    "owner_id": checks.owner,
    "org_id": checks.reference("organization"),
    "emails": checks.contact_points,
    "phones": checks.contact_points,
    "visible_to": checks.visibility,
    "label_ids": checks.labels([number for number, _ in PERSON_LABELS]),
    "marketing_status": checks.one_of(_NO_CONSENT, "unsubscribed", "subscribed", "archived"),
    "custom_fields": custom_object,
    "notes": checks.text(10_000),
    "im": checks.contact_points,
    "birthday": checks.day,
    "job_title": checks.text(255),
    "postal_address": checks.address,
}
_POST_CHECKS = {**_PATCH_CHECKS, "add_time": checks.moment}


def list_persons(call: Call) -> Answer:
    """Return a page of persons."""
    return list_entities(call, "person", ("owner_id", "org_id"), extra={"deal_id": _of_deal})


def get_person(call: Call) -> Answer:
    """Return one person."""
    return get_entity(call, "person")


def create_person(call: Call) -> Answer:
    """Create a person; `add_time` may be backdated."""
    body = call.fields()
    _refuse_contact_sync(call, body)
    checks.validate(body, _POST_CHECKS, call.account)
    doc: Doc = {
        "name": "",
        "first_name": None,
        "last_name": None,
        "owner_id": call.user.id,
        "org_id": None,
        "add_time": None,
        "update_time": None,
        "emails": [],
        "phones": [],
        "is_deleted": False,
        "visible_to": max(call.account.plan.visibilities),
        "label_ids": [],
        "picture_id": None,
        "custom_fields": {},
    }
    _take(call, doc, body)
    if not doc["name"]:
        raise refused_v2({"name": "The parameter is required"})
    status = body.get("marketing_status", _NO_CONSENT)
    return create(call, "person", doc, parse_v2_time(body.get("add_time")), marketing_status=status)


def update_person(call: Call) -> Answer:
    """Change a person; emails and phones are replaced as a whole."""
    row = call.live_row("person", call.number())
    body = call.fields()
    _refuse_contact_sync(call, body)
    checks.validate(body, _PATCH_CHECKS, call.account)
    _take(call, row.doc, body)
    row.hidden["marketing_status"] = body.get("marketing_status", row.hidden["marketing_status"])
    return save(call, "person", row)


def delete_person(call: Call) -> Answer:
    """Delete a person, which only admins may."""
    call.need_admin()
    return delete(call, "person")


def _take(call: Call, doc: Doc, body: dict[str, Any]) -> None:
    for key in ("owner_id", "org_id", "visible_to", "label_ids", "notes", "birthday", "job_title"):
        if key in body:
            doc[key] = body[key]
    for key in ("emails", "phones", "im"):
        if key in body:
            doc[key] = checks.with_primary(body[key])
    if "postal_address" in body:
        doc["postal_address"] = checks.filled_address(body["postal_address"])
    _take_name(doc, body)
    take_customs(call, "person", doc, body)


def _take_name(doc: Doc, body: dict[str, Any]) -> None:
    """Set the name and its parts: each is made of the other, and white space around them goes."""
    if "first_name" in body or "last_name" in body:
        for part in ("first_name", "last_name"):
            stated: str = body.get(part) or "" if part in body else doc[part] or ""
            doc[part] = stated.strip() or None
        doc["name"] = " ".join(part for part in (doc["first_name"], doc["last_name"]) if part)
    elif "name" in body:
        doc["name"] = body["name"].strip()
        doc["first_name"], doc["last_name"] = split_name(doc["name"])


def _refuse_contact_sync(call: Call, body: dict[str, Any]) -> None:
    """Raise the 403 of fields that only exist where contact sync is set up."""
    if call.account.switches.contact_sync:
        return
    for key in CONTACT_SYNC:
        if key in body:
            raise failed(403, f"The field '{key}' is only available with contact sync.", code="ERR_FORBIDDEN")


def _of_deal(text: str) -> Where:
    if not text.isdecimal() or len(text) > 18:
        raise refused_v2({"deal_id": "The value is not a valid 'integer'"})
    return "id IN (SELECT person_id FROM deal WHERE deal.id = ?)", (int(text),)
