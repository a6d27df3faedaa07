"""v1 operations that have left the specifications: gone, not found, or, for a few, as they were.

Source: Pipedrive's changelog (out of support since 1 August 2026) and the specification of 14 January 2026, which still
had them. Whether they answer is not documented; a switch decides.
"""

from __future__ import annotations

import json
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from flitstack_pipedrive.sandbox.answers import Answer, data_v1, failed, not_found, refused_v1
from flitstack_pipedrive.sandbox.forms_v1 import whole, WrongValueError
from flitstack_pipedrive.sandbox.paging import page_v1, rows_v1
from flitstack_pipedrive.sandbox.records_v1 import record_v1
from flitstack_pipedrive.sandbox.resources import activities, deals, organizations, persons
from flitstack_pipedrive.sandbox.shapes import no_such_parameter

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flitstack_pipedrive.sandbox.answers import Doc
    from flitstack_pipedrive.sandbox.call import Call, Handler

_SORTS = {name: name for name in ("id", "add_time", "update_time")}
_NAMES: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "person": {"email": "emails", "phone": "phones", "org_id": "org_id"},
        "organization": {},
        "deal": {"user_id": "owner_id", "person_id": "person_id", "org_id": "org_id", "stage_id": "stage_id",
                 "pipeline_id": "pipeline_id", "value": "value", "currency": "currency", "status": "status"},
        "activity": {"user_id": "owner_id", "type": "type", "due_date": "due_date", "due_time": "due_time",
                     "duration": "duration", "note": "note", "deal_id": "deal_id", "org_id": "org_id"},
    }
)  # fmt: skip
_TITLES = MappingProxyType({"person": "name", "organization": "name", "deal": "title", "activity": "subject"})
_CREATORS: Mapping[str, Handler] = {
    "person": persons.create_person,
    "organization": organizations.create_organization,
    "deal": deals.create_deal,
    "activity": activities.create_activity,
}
_NUMBERS = frozenset({"org_id", "person_id", "deal_id", "owner_id", "stage_id", "pipeline_id", "visible_to"})
