"""Activities, v2: Pipedrive API `/activities`. They have no custom fields, and persons come as participants only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flitstack_pipedrive.sandbox import checks
from flitstack_pipedrive.sandbox.answers import Answer, refused_v2
from flitstack_pipedrive.sandbox.paging import truth
from flitstack_pipedrive.sandbox.resources.entities import create, delete, get_entity, list_entities, save
from flitstack_pipedrive.sandbox.resources.native_fields import PRIORITIES
from flitstack_pipedrive.sandbox.shapes import not_a
from flitstack_pipedrive.sandbox.texts import sanitize_html, with_seconds

if TYPE_CHECKING:
    from flitstack_pipedrive.sandbox.account import Account
    from flitstack_pipedrive.sandbox.answers import Doc
    from flitstack_pipedrive.sandbox.call import Call

LONGEST_NOTE = 100_000
_SHOWN = (
    "subject",
    "type",
    "owner_id",
    "creator_user_id",
    "is_deleted",
    "add_time",
    "update_time",
    "deal_id",
    "lead_id",
    "person_id",
    "org_id",
    "project_id",
    "due_date",
    "due_time",
    "duration",
    "busy",
    "done",
    "marked_as_done_time",
    "location",
    "participants",
    "attendees",
    "conference_meeting_client",
    "conference_meeting_url",
    "conference_meeting_id",
    "public_description",
    "priority",
    "outcome",
    "note",
)
_ATTENDEE = {"email", "name", "status", "is_organizer", "person_id", "user_id"}


def _type(value: Any, account: Account) -> str | None:
    if not isinstance(value, str):
        return not_a("string")
    return None if value in account.activity_types() else "The activity type does not exist"


def _participants(value: Any, account: Account) -> str | None:
    if not isinstance(value, list):
        return not_a("array")
    for item in value:
        if not isinstance(item, dict) or not {"person_id"} <= set(item) <= {"person_id", "primary"}:
            return not_a("object")
        if not isinstance(item.get("primary", False), bool):
            return "'primary' is not a valid 'boolean'"
        if type(item["person_id"]) is not int:
            return not_a("integer")
        if not account.store.live("person", item["person_id"]):
            return "The person does not exist"
    return None


def _attendees(value: Any, account: Account) -> str | None:
    if not isinstance(value, list):
        return not_a("array")
    for item in value:
        if not isinstance(item, dict) or set(item) - _ATTENDEE or not isinstance(item.get("email"), str):
            return "An attendee needs an 'email'"
    return None


def _priority(value: Any, account: Account) -> str | None:
    known = {number for number, _ in PRIORITIES}
    return None if type(value) is int and value in known else "The option does not exist"


def _none_exists(value: Any, account: Account) -> str | None:
    return "The record does not exist"


_CHECKS: dict[str, checks.Check] = {
    "subject": checks.title,
    "type": _type,
    "owner_id": checks.owner,
    "deal_id": checks.reference("deal"),
    "lead_id": checks.lead_reference,
    "org_id": checks.reference("organization"),
    "project_id": _none_exists,
    "due_date": checks.day,
    "due_time": checks.time_of_day,
    "duration": checks.duration,
    "busy": checks.boolean,
    "done": checks.boolean,
    "location": checks.address,
    "participants": _participants,
    "attendees": _attendees,
    "public_description": checks.text(LONGEST_NOTE),
    "priority": _priority,
    "outcome": checks.nullable(_none_exists),
    "note": checks.text(LONGEST_NOTE),
}


def list_activities(call: Call) -> Answer:
    """Return a page of activities; `person_id` finds only primary participants."""
    return list_entities(
        call,
        "activity",
        ("owner_id", "deal_id", "person_id", "org_id"),
        extra={"done": truth("done", "done"), "lead_id": lambda text: ("lead_id = ?", (text,))},
        sorts=("id", "update_time", "add_time", "due_date"),
    )


def get_activity(call: Call) -> Answer:
    """Return one activity."""
    return get_entity(call, "activity")


def create_activity(call: Call) -> Answer:
    """Create an activity; it is done now, whenever it was due."""
    body = _checked(call)
    kind = body.get("type", "call")
    if kind not in call.account.activity_types():
        raise refused_v2({"type": "The activity type does not exist"})
    doc: Doc = dict.fromkeys(_SHOWN)
    doc |= {
        "subject": call.account.activity_types()[kind],
        "type": kind,
        "owner_id": call.user.id,
        "creator_user_id": call.user.id,
        "is_deleted": False,
        "busy": False,
        "done": False,
        "participants": [],
        "attendees": [],
    }
    _take(doc, body, call.account.now())
    return create(call, "activity", doc)


def update_activity(call: Call) -> Answer:
    """Change an activity; participants are replaced as a whole."""
    row = call.live_row("activity", call.number())
    _take(row.doc, _checked(call), call.account.now())
    return save(call, "activity", row)


def delete_activity(call: Call) -> Answer:
    """Delete an activity."""
    return delete(call, "activity")


def _checked(call: Call) -> Doc:
    body = dict(call.fields())
    if call.account.switches.activity_person_id == "drop":
        body.pop("person_id", None)
    checks.validate(body, _CHECKS, call.account)
    return body


def _take(doc: Doc, body: Doc, now: str) -> None:
    for key in (
        "type",
        "owner_id",
        "deal_id",
        "lead_id",
        "org_id",
        "due_date",
        "busy",
        "attendees",
        "public_description",
        "priority",
        "outcome",
    ):
        if key in body:
            doc[key] = body[key]
    if "subject" in body:
        doc["subject"] = body["subject"].strip()
    for key in ("due_time", "duration"):
        if key in body:
            doc[key] = with_seconds(body[key]).rjust(8, "0")
    if "note" in body:
        doc["note"] = sanitize_html(body["note"])
    if "location" in body:
        doc["location"] = checks.filled_address(body["location"])
    if "participants" in body:
        _take_participants(doc, body["participants"])
    if body.get("done", doc["done"]) != doc["done"]:
        doc["done"] = body["done"]
        doc["marked_as_done_time"] = now if body["done"] else None


def _take_participants(doc: Doc, participants: list[Doc]) -> None:
    """Set the participants; exactly one is primary, and the activity's `person_id` is that one."""
    marked = next((place for place, item in enumerate(participants) if item.get("primary")), 0)
    doc["participants"] = [
        {"person_id": item["person_id"], "primary": place == marked} for place, item in enumerate(participants)
    ]
    doc["person_id"] = participants[marked]["person_id"] if participants else None
