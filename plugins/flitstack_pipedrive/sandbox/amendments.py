"""Where the official specifications are known to differ from the API, or leave out what their own text says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

JSON = "application/json"
_ANY: Mapping[str, Any] = {}
_TEXT = {"type": "string"}
_NUMBER_OR_NULL = {"type": ["integer", "null"]}

# Parameters that are comma lists of the words in their enums, as the specifications say in words.
COMMA_LISTS = frozenset({"include_fields", "fields", "item_types", "items", "status"})

_PERSON = {
    # Observed: written by live clients; the specification's body leaves them out.
    "first_name": _TEXT,
    "last_name": _TEXT,
    # Without contact sync they are a 403 whatever their values, so it is persons that check them.
    **dict.fromkeys(("notes", "im", "birthday", "job_title", "postal_address"), _ANY),
}
_ORGANIZATION = dict.fromkeys(("website", "linkedin", "industry", "annual_revenue", "employee_count"), _ANY)
_DEAL = {
    # Confirmed by Pipedrive's support: taken on create and update.
    "channel_id": _TEXT,
    # Nullable since 13 August 2026 (npm `pipedrive` 33.7.0).
    "person_id": _NUMBER_OR_NULL,
    "org_id": _NUMBER_OR_NULL,
    "archive_time": {"type": ["string", "null"]},
    # Nobody knows what v2 does with it: the switch `deal_add_time`.
    "add_time": _ANY,
}
# Said by Pipedrive's support: create drops it without a word, update refuses it.
_NEW_DEAL = {**_DEAL, "origin_id": {"type": ["string", "null"]}}
_ACTIVITY = {
    # New in npm `pipedrive` 33.7.0.
    "outcome": _NUMBER_OR_NULL,
    # The migration guide calls it read-only: the switch `activity_person_id`.
    "person_id": _ANY,
}
_NOTE = {
    # A link can be taken off with null, as the web page does; v1 states nullability for leads only.
    **dict.fromkeys(("deal_id", "person_id", "org_id", "project_id", "task_id"), _NUMBER_OR_NULL),
    "lead_id": {"type": ["string", "null"]},
}
_LEAD = {
    **dict.fromkeys(("person_id", "organization_id"), _NUMBER_OR_NULL),
    "expected_close_date": {"type": ["string", "null"]},
}
_BODIES: Mapping[str, Mapping[str, Any]] = {
    "v2 POST /persons": _PERSON,
    "v2 PATCH /persons/{id}": _PERSON,
    "v2 POST /organizations": _ORGANIZATION,
    "v2 PATCH /organizations/{id}": _ORGANIZATION,
    "v2 POST /deals": _NEW_DEAL,
    "v2 PATCH /deals/{id}": _DEAL,
    "v2 POST /activities": _ACTIVITY,
    "v2 PATCH /activities/{id}": _ACTIVITY,
    "v2 POST /stages": {"days_to_rotten": _NUMBER_OR_NULL},
    "v2 PATCH /stages/{id}": {"days_to_rotten": _NUMBER_OR_NULL},
    "v1 POST /notes": _NOTE,
    "v1 PUT /notes/{id}": _NOTE,
    "v1 POST /leads": _LEAD,
    "v1 PATCH /leads/{id}": {},
}
# A field's key, perhaps with `_currency` or the like behind it.
CUSTOM_KEY = "^[0-9a-f]{40}(_[a-z_]+)?$"
# A lead's body also has a key for every custom field of deals.
_OPEN = frozenset({"v1 POST /leads", "v1 PATCH /leads/{id}"})


def amended(tables: dict[str, Any]) -> Mapping[str, Any]:
    """Return the tables with what is known to be different put right; every change says whence it is known."""
    for call, changes in _BODIES.items():
        body = tables[call]["body"][JSON]
        body["properties"] |= changes
        if call in _OPEN:
            body["patternProperties"] = {CUSTOM_KEY: {}}
    for table in tables.values():
        # `sort` also takes directions and lists: `add_time DESC, id`.
        table.get("query", {}).get("properties", {}).get("sort", {}).pop("enum", None)
    return tables
