"""The kinds of record the plugin writes: their paths, texts, defaults and how they are associated.

Sources: HubSpot developer documentation, guides of contacts, companies, deals, calls, emails, meetings, notes, tasks
and communications; "Associations v4", association type id values.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

KEY = "source_system_id"
OWNER = "hubspot_owner_id"
ATTACHMENTS = "hs_attachment_ids"
BATCH = 100  # records of one batch request, and of one page of a list
BODY_LIMIT = 65_536
FEW = 150  # properties that fit into an address
FOLLOWING = frozenset({"associatedcompanyid"})  # HubSpot fills it in by itself, after an association

Associated = Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Shape:
    """One kind of record.

    :param path: how its addresses spell it.
    :param default: object to the id of the association without a label that leads there.
    :param natives: properties of HubSpot's own that a mapping may write, to their type.
    :param required: properties without which a record is refused.
    :param bodies: properties that hold HTML.
    :param is_unique: the account refuses a second record with the same key.
    """

    object: str
    path: str
    default: Associated
    natives: Mapping[str, str]
    required: tuple[str, ...] = ()
    bodies: tuple[str, ...] = ()
    is_unique: bool = False

    @property
    def is_activity(self) -> bool:
        """Whether it stands on the timeline of other records."""
        return "hs_timestamp" in self.natives


def _activity(object: str, path: str, default: Associated, natives: Mapping[str, str], *bodies: str) -> Shape:
    whole = {"hs_timestamp": "datetime", OWNER: "enumeration", **natives}
    return Shape(object, path, default, whole, ("hs_timestamp",), bodies)


_PLACE = {"address": "string", "city": "string", "state": "string", "zip": "string", "country": "string"}

SHAPES: Mapping[str, Shape] = {
    shape.object: shape
    for shape in (
        Shape(
            "company",
            "companies",
            {"company": 450, "contact": 280, "deal": 342},
            {"name": "string", "domain": "string", "phone": "string", "description": "string", OWNER: "enumeration"}
            | _PLACE,
            is_unique=True,
        ),
        Shape(
            "contact",
            "contacts",
            {"contact": 449, "company": 279, "deal": 4},
            {
                "firstname": "string",
                "lastname": "string",
                "email": "string",
                "phone": "string",
                "mobilephone": "string",
                "lifecyclestage": "enumeration",
                "hs_lead_status": "enumeration",
                OWNER: "enumeration",
            }
            | _PLACE,
            is_unique=True,
        ),
        Shape(
            "deal",
            "deals",
            {"contact": 3, "company": 341},
            {
                "dealname": "string",
                "amount": "number",
                "closedate": "datetime",
                "dealstage": "enumeration",
                "pipeline": "enumeration",
                "description": "string",
                "closed_lost_reason": "string",
                "closed_won_reason": "string",
                OWNER: "enumeration",
            },
            ("dealname", "dealstage"),
            is_unique=True,
        ),
        _activity(
            "meeting",
            "meetings",
            {"contact": 200, "company": 188, "deal": 212},
            {
                "hs_meeting_title": "string",
                "hs_meeting_body": "string",
                "hs_meeting_start_time": "datetime",
                "hs_meeting_end_time": "datetime",
                "hs_meeting_outcome": "enumeration",
                "hs_meeting_location": "string",
            },
            "hs_meeting_body",
        ),
        _activity(
            "call",
            "calls",
            {"contact": 194, "company": 182, "deal": 206},
            {
                "hs_call_title": "string",
                "hs_call_body": "string",
                "hs_call_duration": "number",
                "hs_call_direction": "enumeration",
                "hs_call_status": "enumeration",
            },
            "hs_call_body",
        ),
        _activity(
            "email",
            "emails",
            {"contact": 198, "company": 186, "deal": 210},
            {
                "hs_email_subject": "string",
                "hs_email_html": "string",
                "hs_email_direction": "enumeration",
                "hs_email_status": "enumeration",
            },
            "hs_email_html",
        ),
        _activity(
            "communication",
            "communications",
            {"contact": 81, "company": 87, "deal": 85},
            {
                "hs_communication_channel_type": "enumeration",
                "hs_communication_logged_from": "enumeration",
                "hs_communication_body": "string",
            },
            "hs_communication_body",
        ),
        _activity(
            "task",
            "tasks",
            {"contact": 204, "company": 192, "deal": 216},
            {
                "hs_task_subject": "string",
                "hs_task_body": "string",
                "hs_task_status": "enumeration",
                "hs_task_type": "enumeration",
                "hs_task_priority": "enumeration",
            },
            "hs_task_body",
        ),
        _activity(
            "note",
            "notes",
            {"contact": 202, "company": 190, "deal": 214},
            {"hs_note_body": "string", ATTACHMENTS: "string"},
            "hs_note_body",
        ),
    )
}


@dataclass(frozen=True, slots=True)
class Label:
    """A label under which records of one object are associated with those of another.

    :param id: `FROM/TO/TYPE`, as the writer names it; `type_id` is the id of the direction FROM to TO.
    """

    name: str
    of: str
    to: str
    type_id: int

    @property
    def id(self) -> str:
        return f"{self.of}/{self.to}/{self.type_id}"


@dataclass(slots=True)
class Directory:
    """What the plugin knows of an account's schema.

    :param types: object to property to type. :param options: (object, property) to label to value.
    :param labels: (object, link) to the label that carries it.
    :param pipeline_of: stage id to the id of its pipeline.
    :param custom: object to the account's own properties. :param bound: object to those that the mapping uses.
    :param native: object to HubSpot's own properties. :param open: object to those of them that people can fill in.
    """

    types: dict[str, dict[str, str]] = field(default_factory=dict)
    options: dict[tuple[str, str], dict[str, str]] = field(default_factory=dict)
    labels: dict[tuple[str, str], Label] = field(default_factory=dict)
    pipeline_of: dict[str, str] = field(default_factory=dict)
    custom: dict[str, set[str]] = field(default_factory=dict)
    native: dict[str, set[str]] = field(default_factory=dict)
    open: dict[str, set[str]] = field(default_factory=dict)
    bound: dict[str, set[str]] = field(default_factory=dict)

    def names(self, shape: Shape) -> list[str]:
        """Return the properties to ask for: all that a mapping may write or that people can fill in."""
        return sorted(
            {
                *shape.natives,
                *(name for kind in (self.bound, self.custom, self.open) for name in kind.get(shape.object, ())),
            }
        )

    def type_of(self, object: str, name: str) -> str:
        """Return the type of a property, `string` when nobody knows it."""
        return self.types.get(object, {}).get(name) or SHAPES[object].natives.get(name, "string")
