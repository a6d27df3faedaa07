"""The fields every account has: `(field_code, name, type)` per object, and the options of the built-in choices."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flitstack_pipedrive.sandbox.answers import Doc

# Options of built-in fields have small numbers; custom options begin above them.
FIRST_CUSTOM_OPTION = 100
PERSON_LABELS = ((1, "Customer"), (2, "Hot lead"), (3, "Warm lead"), (4, "Cold lead"))
ORGANIZATION_LABELS = ((5, "Customer"), (6, "Hot lead"), (7, "Warm lead"), (8, "Cold lead"))
DEAL_LABELS = ((9, "Hot"), (10, "Warm"), (11, "Cold"))
PRIORITIES = ((12, "Low"), (13, "Medium"), (14, "High"))

NATIVE = MappingProxyType(
    {
        "person": (
            ("id", "ID", "int"),
            ("name", "Name", "varchar"),
            ("first_name", "First name", "varchar"),
            ("last_name", "Last name", "varchar"),
            ("phones", "Phone", "phone"),
            ("emails", "Email", "varchar"),
            ("owner_id", "Owner", "user"),
            ("org_id", "Organization", "org"),
            ("label_ids", "Labels", "set"),
            ("add_time", "Person created", "date"),
            ("update_time", "Update time", "date"),
            ("visible_to", "Visible to", "visible_to"),
        ),
        "organization": (
            ("id", "ID", "int"),
            ("name", "Name", "varchar"),
            ("owner_id", "Owner", "user"),
            ("address", "Address", "address"),
            ("label_ids", "Labels", "set"),
            ("add_time", "Organization created", "date"),
            ("update_time", "Update time", "date"),
            ("visible_to", "Visible to", "visible_to"),
        ),
        "deal": (
            ("id", "ID", "int"),
            ("title", "Title", "varchar"),
            ("owner_id", "Owner", "user"),
            ("value", "Value", "double"),
            ("currency", "Currency of Value", "varchar"),
            ("person_id", "Contact person", "people"),
            ("org_id", "Organization", "org"),
            ("pipeline_id", "Pipeline", "double"),
            ("stage_id", "Stage", "stage"),
            ("status", "Status", "status"),
            ("label_ids", "Labels", "set"),
            ("expected_close_date", "Expected close date", "date"),
            ("won_time", "Won time", "date"),
            ("lost_time", "Lost time", "date"),
            ("lost_reason", "Lost reason", "varchar"),
            ("add_time", "Deal created", "date"),
            ("update_time", "Update time", "date"),
            ("visible_to", "Visible to", "visible_to"),
        ),
        "product": (
            ("id", "ID", "int"),
            ("name", "Name", "varchar"),
            ("code", "Product code", "varchar"),
            ("description", "Description", "text"),
            ("unit", "Unit", "varchar"),
            ("tax", "Tax", "double"),
            ("category", "Category", "enum"),
            ("owner_id", "Owner", "user"),
            ("is_linkable", "Active", "boolean"),
            ("add_time", "Add time", "date"),
            ("update_time", "Update time", "date"),
            ("visible_to", "Visible to", "visible_to"),
        ),
        "activity": (
            ("id", "ID", "int"),
            ("subject", "Subject", "varchar"),
            ("type", "Type", "varchar"),
            ("owner_id", "Assigned to user", "user"),
            ("deal_id", "Deal", "double"),
            ("lead_id", "Lead", "varchar"),
            ("person_id", "Contact person", "people"),
            ("org_id", "Organization", "org"),
            ("due_date", "Due date", "date"),
            ("due_time", "Due time", "time"),
            ("duration", "Duration", "time"),
            ("done", "Done", "enum"),
            ("location", "Location", "address"),
            ("priority", "Priority", "enum"),
            ("note", "Note", "text"),
            ("add_time", "Add time", "date"),
        ),
    }
)
_OPTIONS = MappingProxyType(
    {
        ("person", "label_ids"): PERSON_LABELS,
        ("organization", "label_ids"): ORGANIZATION_LABELS,
        ("deal", "label_ids"): DEAL_LABELS,
        ("activity", "priority"): PRIORITIES,
    }
)
_SUBFIELDS = MappingProxyType(
    {
        "monetary": ("currency",),
        "daterange": ("until",),
        "time": ("timezone_id",),
        "timerange": ("until", "timezone_id"),
        "address": (
            "value",
            "street_number",
            "route",
            "subpremise",
            "locality",
            "sublocality",
            "admin_area_level_1",
            "admin_area_level_2",
            "country",
            "postal_code",
            "formatted_address",
        ),
    }
)


def field_doc(code: str, name: str, kind: str, options: list[Doc] | None, *, custom: bool) -> Doc:
    """Return a field as v2 shows it."""
    subfields: list[dict[str, Any]] | None = None
    if kind in _SUBFIELDS:
        subfields = [
            {
                "field_code": part,
                "field_name": f"{part.replace('_', ' ').capitalize()} of {name}",
                "field_type": "varchar",
            }
            for part in _SUBFIELDS[kind]
        ]
    return {
        "field_name": name,
        "field_code": code,
        "description": None,
        "field_type": kind,
        "options": options,
        "subfields": subfields,
        "is_custom_field": custom,
        "is_optional_response_field": False,
    }


def native_fields(entity: str) -> list[Doc]:
    """Return the built-in fields of an object, as v2 shows them."""
    docs = []
    for code, name, kind in NATIVE[entity]:
        options = [{"id": number, "label": label} for number, label in _OPTIONS.get((entity, code), ())]
        docs.append(field_doc(code, name, kind, options or None, custom=False))
    return docs
