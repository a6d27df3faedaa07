"""Which fields and links each Pipedrive object has, and how each is written and read: one table.

Source: Pipedrive API reference, request bodies of version 2, and of version 1 for leads, notes and files.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from flitstack_pipedrive.codec.times import canonical_time, clock_time, read_time, rfc3339, version_1_time
from flitstack_pipedrive.codec.values import checked_text, decimal_text, number_of, unfit

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from flitstack.protocols import JSON

Clear = Literal["refuse", "null", "empty", "zero", "list", "by_status"]

NOTE_LIMIT = 100_000
ACTIVITY_NOTE_LIMIT = 65_000


@dataclass(frozen=True, slots=True)
class Native:
    """One field that Pipedrive itself defines.

    :param write: canonical value and field name to the API's value; raises Rejected.
    :param read: the API's value to the canonical one.
    :param clear: what empties it in an update; `refuse` where the API has no way, `by_status` where a deal's status
        empties it.
    :param create_only: an update cannot change it.
    """

    name: str
    write: Callable[[JSON, str], Any]
    read: Callable[[Any], JSON]
    clear: Clear = "refuse"
    create_only: bool = False


@dataclass(frozen=True, slots=True)
class Shape:
    """One object.

    :param links: canonical link to the API's key.
    :param entity: whose custom fields it has, or None.
    :param marked: the text that carries the source key as its last line, or None.
    :param seen: further fields that people can fill in, read so that an undo knows what they did, and never written.
    """

    object: str
    version: Literal[1, 2]
    path: str
    natives: Mapping[str, Native]
    links: Mapping[str, str]
    entity: str | None = None
    marked: str | None = None
    parents: tuple[str, ...] = ()
    seen: tuple[str, ...] = ()


def _text(longest: int | None = None) -> Callable[[JSON, str], Any]:
    return lambda value, name: checked_text(value, name, longest)


def _as_is(value: Any) -> JSON:
    return None if value is None or value == "" else value


def _flag(value: JSON, name: str) -> bool:
    if not isinstance(value, bool):
        raise unfit(name, "is neither true nor false")
    return value


def _time(value: JSON, name: str) -> str:
    time = read_time(value)
    if time is None:
        raise unfit(name, "is no time")
    return rfc3339(time)


def _time_1(value: JSON, name: str) -> str:
    written = version_1_time(str(value))
    if written is None:
        raise unfit(name, "is no time")
    return written


def _contacts(value: JSON, name: str) -> list[dict[str, Any]]:
    """Return labelled values as the API takes them: exactly one primary, the first unless one is marked."""
    if not isinstance(value, list):
        raise unfit(name, "is no list")
    items = [item if isinstance(item, dict) else {"value": item} for item in value]
    chosen = next((place for place, item in enumerate(items) if item.get("primary")), 0)
    return [
        {
            "value": checked_text(item.get("value"), name, None),
            "label": str(item.get("label") or "work"),
            "primary": place == chosen,
        }
        for place, item in enumerate(items)
    ]


def _read_contacts(value: Any) -> JSON:
    return [
        {"value": item.get("value"), "label": item.get("label"), "primary": bool(item.get("primary"))}
        for item in value or ()
        if item.get("value")
    ] or None


def _address(value: JSON, name: str) -> dict[str, Any]:
    return {"value": checked_text(value, name, None)}


def _read_address(value: Any) -> JSON:
    return _as_is(value.get("value") if isinstance(value, dict) else value)


def _table(*natives: Native) -> dict[str, Native]:
    return {native.name: native for native in natives}


SHAPES: Mapping[str, Shape] = {
    shape.object: shape
    for shape in (
        Shape(
            "organization",
            2,
            "/organizations",
            _table(
                Native("name", _text(), _as_is),
                Native("address", _address, _read_address),
                Native("add_time", _time, canonical_time, create_only=True),
            ),
            {"owner_id": "owner_id"},
            entity="organization",
            seen=(
                "annual_revenue",
                "employee_count",
                "industry",
                "label_ids",
                "linkedin",
                "visible_to",
                "website",
            ),
        ),
        Shape(
            "person",
            2,
            "/persons",
            _table(
                Native("name", _text(), _as_is),
                Native("phones", _contacts, _read_contacts, "list"),
                Native("emails", _contacts, _read_contacts, "list"),
                Native("add_time", _time, canonical_time, create_only=True),
            ),
            {"owner_id": "owner_id", "org_id": "org_id"},
            entity="person",
            seen=(
                "birthday",
                "im",
                "job_title",
                "label_ids",
                "marketing_status",
                "notes",
                "postal_address",
                "visible_to",
            ),
        ),
        Shape(
            "deal",
            2,
            "/deals",
            _table(
                Native("title", _text(), _as_is),
                Native("value", number_of, decimal_text, "zero"),
                Native("currency", _text(3), _as_is),
                Native("status", _text(), _as_is),
                Native("won_time", _time, canonical_time, "by_status"),
                Native("lost_time", _time, canonical_time, "by_status"),
                Native("lost_reason", _text(), _as_is, "by_status"),
                Native("expected_close_date", _text(10), _as_is),
            ),
            {"stage_id": "stage_id", "person_id": "person_id", "org_id": "org_id", "owner_id": "owner_id"},
            entity="deal",
            seen=("label_ids", "probability", "visible_to"),
        ),
        Shape(
            "activity",
            2,
            "/activities",
            _table(
                Native("subject", _text(), _as_is, "empty"),
                Native("due_date", _text(10), _as_is),
                Native("due_time", _text(8), clock_time),
                Native("duration", _text(8), clock_time),
                Native("done", _flag, bool),
                Native("note", _text(ACTIVITY_NOTE_LIMIT), _as_is, "empty"),
            ),
            {"owner_id": "owner_id", "deal_id": "deal_id", "org_id": "org_id", "lead_id": "lead_id"},
            marked="note",
            seen=("attendees", "busy", "location", "priority", "project_id", "public_description"),
        ),
        Shape(
            "lead",
            1,
            "/leads",
            _table(
                Native("title", _text(), _as_is),
                Native("expected_close_date", _text(10), _as_is, "null"),
                Native("is_archived", _flag, bool),
            ),
            {"person_id": "person_id", "organization_id": "organization_id", "owner_id": "owner_id"},
            entity="deal",
            parents=("person_id", "organization_id"),
            seen=("channel", "channel_id", "label_ids", "visible_to"),
        ),
        Shape(
            "note",
            1,
            "/notes",
            _table(
                Native("content", _text(NOTE_LIMIT), _as_is, "empty"),
                Native("add_time", _time_1, canonical_time),
            ),
            {
                "user_id": "user_id",
                "person_id": "person_id",
                "deal_id": "deal_id",
                "org_id": "org_id",
                "lead_id": "lead_id",
            },
            marked="content",
            parents=("person_id", "deal_id", "org_id", "lead_id"),
            seen=(
                "pinned_to_deal_flag",
                "pinned_to_lead_flag",
                "pinned_to_organization_flag",
                "pinned_to_person_flag",
                "project_id",
                "task_id",
            ),
        ),
        Shape(
            "file",
            1,
            "/files",
            _table(Native("name", _text(255), _as_is)),
            {
                "person_id": "person_id",
                "activity_id": "activity_id",
                "deal_id": "deal_id",
                "org_id": "org_id",
                "lead_id": "lead_id",
            },
            parents=("person_id", "activity_id", "deal_id", "org_id", "lead_id"),
        ),
    )
}
