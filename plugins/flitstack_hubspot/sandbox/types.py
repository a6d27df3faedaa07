"""What an account has from the start: objects, properties, association types, a pipeline, users and tokens."""

from __future__ import annotations

from typing import Any

OBJECTS = ("companies", "contacts", "deals", "meetings", "calls", "emails", "communications", "tasks", "notes")
ACTIVITIES = ("meetings", "calls", "emails", "communications", "tasks", "notes")

# From, to: type id of the association without a label, in either direction.
TYPES: dict[tuple[str, str], int] = {
    ("contacts", "contacts"): 449,
    ("companies", "companies"): 450,
    ("contacts", "companies"): 279,
    ("companies", "contacts"): 280,
    ("deals", "contacts"): 3,
    ("contacts", "deals"): 4,
    ("deals", "companies"): 341,
    ("companies", "deals"): 342,
}
_ACTIVITY_TYPES = {
    "calls": (194, 182, 206),
    "emails": (198, 186, 210),
    "meetings": (200, 188, 212),
    "notes": (202, 190, 214),
    "tasks": (204, 192, 216),
}
for _name, _ids in _ACTIVITY_TYPES.items():
    for _to, _id in zip(("contacts", "companies", "deals"), _ids, strict=True):
        TYPES[_name, _to], TYPES[_to, _name] = _id, _id - 1
for _to, _id in (("contacts", 81), ("companies", 87), ("deals", 85)):
    TYPES["communications", _to], TYPES[_to, "communications"] = _id, _id + 1

_PLACE = ("address", "city", "state", "zip", "country")
_STRINGS: dict[str, tuple[str, ...]] = {
    "contacts": ("firstname", "lastname", "email", "phone", "mobilephone", "jobtitle", "company", "website", *_PLACE),
    "companies": ("name", "domain", "phone", "description", "website", "industry", *_PLACE),
    "deals": ("dealname", "description", "closed_lost_reason", "closed_won_reason"),
    "meetings": ("hs_meeting_title", "hs_meeting_body", "hs_meeting_location", "hs_internal_meeting_notes"),
    "calls": ("hs_call_title", "hs_call_body", "hs_call_disposition"),
    "emails": ("hs_email_subject", "hs_email_html", "hs_email_text"),
    "communications": ("hs_communication_body",),
    "tasks": ("hs_task_subject", "hs_task_body"),
    "notes": ("hs_note_body", "hs_attachment_ids"),
}
_ENUMS: dict[str, dict[str, str]] = {
    "contacts": {
        "lifecyclestage": "subscriber lead marketingqualifiedlead salesqualifiedlead opportunity customer evangelist "
        "other",
        "hs_lead_status": "NEW OPEN IN_PROGRESS OPEN_DEAL UNQUALIFIED ATTEMPTED_TO_CONTACT CONNECTED BAD_TIMING",
    },
    "deals": {"dealtype": "newbusiness existingbusiness"},
    "meetings": {"hs_meeting_outcome": "SCHEDULED COMPLETED RESCHEDULED NO_SHOW CANCELED"},
    "calls": {
        "hs_call_direction": "INBOUND OUTBOUND",
        "hs_call_status": "BUSY CALLING_CRM_USER CANCELED COMPLETED CONNECTING FAILED IN_PROGRESS NO_ANSWER QUEUED "
        "RINGING",
    },
    "emails": {
        "hs_email_direction": "EMAIL INCOMING_EMAIL FORWARDED_EMAIL",
        "hs_email_status": "BOUNCED FAILED SCHEDULED SENDING SENT",
    },
    "communications": {
        "hs_communication_channel_type": "WHATS_APP LINKEDIN_MESSAGE SMS",
        "hs_communication_logged_from": "CRM",
    },
    "tasks": {
        "hs_task_status": "NOT_STARTED COMPLETED IN_PROGRESS WAITING DEFERRED",
        "hs_task_type": "CALL EMAIL TODO",
        "hs_task_priority": "LOW MEDIUM HIGH NONE",
    },
}
_TIMES = {"deals": ("closedate",), "meetings": ("hs_meeting_start_time", "hs_meeting_end_time")}
_NUMBERS = {"deals": ("amount",), "calls": ("hs_call_duration",)}
READ_ONLY = ("hs_object_id", "hs_createdate", "hs_lastmodifieddate")
REQUIRED = {"deals": ("dealname", "dealstage"), **{name: ("hs_timestamp",) for name in ACTIVITIES}}


def group_of(object: str) -> str:
    """Return the name of the property group that an object has from the start."""
    single = {"companies": "company"}.get(object, object.removesuffix("s"))
    return f"{single}information" if object in ("contacts", "companies", "deals") else f"{single}_information"


def native_properties(object: str) -> list[dict[str, Any]]:
    """Return the properties of HubSpot's own that the imitation knows."""
    found = [_property(object, name, "string", "text") for name in _STRINGS[object]]
    found += [_property(object, name, "datetime", "date") for name in _TIMES.get(object, ())]
    found += [_property(object, name, "number", "number") for name in _NUMBERS.get(object, ())]
    found.append(_property(object, "hubspot_owner_id", "enumeration", "select") | {"externalOptions": True})
    if object in ACTIVITIES:
        found.append(_property(object, "hs_timestamp", "datetime", "date"))
    if object == "deals":
        found += [_property(object, name, "enumeration", "select") for name in ("dealstage", "pipeline")]
    for name, options in _ENUMS.get(object, {}).items():
        given = [{"label": one.title(), "value": one, "displayOrder": n} for n, one in enumerate(options.split())]
        found.append(_property(object, name, "enumeration", "select") | {"options": given})
    for name in READ_ONLY:
        kind = "string" if name == "hs_object_id" else "datetime"
        found.append(_property(object, name, kind, "text") | {"modificationMetadata": {"readOnlyValue": True}})
    return found


def _property(object: str, name: str, type_: str, field_type: str) -> dict[str, Any]:
    return {
        "name": name,
        "label": name.replace("_", " ").capitalize(),
        "type": type_,
        "fieldType": field_type,
        "groupName": group_of(object),
        "options": [],
        "hasUniqueValue": (object, name) == ("contacts", "email"),
        "hubspotDefined": True,
        "archived": False,
    }


DEFAULT_PIPELINE: dict[str, Any] = {
    "id": "default",
    "label": "Sales Pipeline",
    "displayOrder": 0,
    "archived": False,
    "stages": [
        {
            "id": id,
            "label": label,
            "displayOrder": place,
            "metadata": {"probability": probability},
            "archived": False,
        }
        for place, (id, label, probability) in enumerate(
            (
                ("appointmentscheduled", "Appointment Scheduled", "0.2"),
                ("contractsent", "Contract Sent", "0.9"),
                ("closedwon", "Closed Won", "1.0"),
                ("closedlost", "Closed Lost", "0.0"),
            )
        )
    ],
}
