"""Every call the sandbox answers: version, method and path, with its handler and its cost."""

from __future__ import annotations

import re
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from flitstack_pipedrive.sandbox.plans import COSTS
from flitstack_pipedrive.sandbox.resources import (
    activities,
    activity_types,
    deals,
    fields,
    files,
    leads,
    notes,
    organizations,
    persons,
    pipelines,
    users,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flitstack_pipedrive.sandbox.call import Handler


@dataclass(frozen=True, slots=True)
class Route:
    """What answers a call, and its cost in tokens."""

    handler: Handler
    cost: int


_V2: dict[str, Handler] = {
    "GET /persons": persons.list_persons,
    "POST /persons": persons.create_person,
    "GET /persons/{id}": persons.get_person,
    "PATCH /persons/{id}": persons.update_person,
    "DELETE /persons/{id}": persons.delete_person,
    "GET /organizations": organizations.list_organizations,
    "POST /organizations": organizations.create_organization,
    "GET /organizations/{id}": organizations.get_organization,
    "PATCH /organizations/{id}": organizations.update_organization,
    "DELETE /organizations/{id}": organizations.delete_organization,
    "GET /deals": deals.list_deals,
    "GET /deals/archived": deals.list_archived_deals,
    "POST /deals": deals.create_deal,
    "GET /deals/{id}": deals.get_deal,
    "PATCH /deals/{id}": deals.update_deal,
    "DELETE /deals/{id}": deals.delete_deal,
    "GET /activities": activities.list_activities,
    "POST /activities": activities.create_activity,
    "GET /activities/{id}": activities.get_activity,
    "PATCH /activities/{id}": activities.update_activity,
    "DELETE /activities/{id}": activities.delete_activity,
    "GET /activityFields": fields.list_fields("activity"),
    "GET /activityFields/{field_code}": fields.get_field("activity"),
    "GET /pipelines": pipelines.list_pipelines,
    "POST /pipelines": pipelines.create_pipeline,
    "GET /pipelines/{id}": pipelines.get_pipeline,
    "PATCH /pipelines/{id}": pipelines.update_pipeline,
    "DELETE /pipelines/{id}": pipelines.delete_pipeline,
    "GET /stages": pipelines.list_stages,
    "POST /stages": pipelines.create_stage,
    "GET /stages/{id}": pipelines.get_stage,
    "PATCH /stages/{id}": pipelines.update_stage,
    "DELETE /stages/{id}": pipelines.delete_stage,
}
for _entity in ("person", "organization", "deal"):
    _one = f"/{_entity}Fields/{{field_code}}"
    _V2 |= {
        f"GET /{_entity}Fields": fields.list_fields(_entity),
        f"POST /{_entity}Fields": fields.create_field(_entity),
        f"GET {_one}": fields.get_field(_entity),
        f"PATCH {_one}": fields.update_field(_entity),
        f"DELETE {_one}": fields.delete_field(_entity),
        f"POST {_one}/options": fields.add_options(_entity),
        f"PATCH {_one}/options": fields.change_options(_entity),
        f"DELETE {_one}/options": fields.delete_options(_entity),
    }
_V1: dict[str, Handler] = {
    "GET /users": users.list_users,
    "GET /users/me": users.get_me,
    "GET /users/{id}": users.get_user,
    "GET /currencies": users.list_currencies,
    "GET /leadLabels": users.list_lead_labels,
    "GET /webhooks": users.list_webhooks,
    "GET /activityTypes": activity_types.list_types,
    "POST /activityTypes": activity_types.create_type,
    "PUT /activityTypes/{id}": activity_types.update_type,
    "DELETE /activityTypes/{id}": activity_types.delete_type,
    "GET /leads": leads.list_leads,
    "GET /leads/archived": leads.list_archived_leads,
    "POST /leads": leads.create_lead,
    "GET /leads/{id}": leads.get_lead,
    "PATCH /leads/{id}": leads.update_lead,
    "DELETE /leads/{id}": leads.delete_lead,
    "GET /notes": notes.list_notes,
    "POST /notes": notes.create_note,
    "GET /notes/{id}": notes.get_note,
    "PUT /notes/{id}": notes.update_note,
    "DELETE /notes/{id}": notes.delete_note,
    "GET /files": files.list_files,
    "POST /files": files.upload_file,
    "GET /files/{id}": files.get_file,
    "PUT /files/{id}": files.update_file,
    "DELETE /files/{id}": files.delete_file,
    "GET /files/{id}/download": files.download_file,
    "GET /persons/{id}/files": files.files_of("person"),
    "GET /organizations/{id}/files": files.files_of("organization"),
    "GET /deals/{id}/files": files.files_of("deal"),
}


PREFIXES = MappingProxyType({"/api/v2/": "v2", "/api/v1/": "v1", "/v1/": "v1"})


def _offered() -> Mapping[str, Handler]:
    """Return what answers, by call as the derived tables write it."""
    return {f"{version} {line}": handler for version, lines in (("v1", _V1), ("v2", _V2)) for line, handler in lines.items()}


def _table() -> Mapping[tuple[str, ...], Route]:
    """Return the routes by version, method and the path's parts, with `*` for a part that may be anything."""
    table = {}
    for call in tables():
        version, method, path = call.split(" ")
        parts = ("*" if part.startswith("{") else part for part in path.strip("/").split("/"))
        table[version, method, *parts] = Route(version, OFFERED.get(call, _not_offered(call)), operation(call))
    return MappingProxyType(table)


def _not_offered(call: str) -> Handler:
    _, method, path = call.split(" ")

    def handler(call: Call) -> Answer:
        raise not_offered(method, path)

    return handler


OFFERED = MappingProxyType(_offered())
ROUTES = _table()


def find(method: str, path: str) -> tuple[Route, tuple[str, ...]]:
    """Return what answers a request, and the path's variable parts.

    :raises ApiError: 501, it is no operation of the specifications.
    """
    prefix = next((known for known in PREFIXES if path.startswith(known)), None)
    if prefix is None:
        raise not_offered(method, path)
    version, parts = PREFIXES[prefix], path[len(prefix) :].split("/")
    for shape in _SHAPES[min(len(parts), len(_SHAPES) - 1)]:
        found = ROUTES.get((version, method, *("*" if free else part for part, free in zip(parts, shape, strict=False))))
        if found is not None:
            return found, tuple(unquote(part) for part, free in zip(parts, shape, strict=False) if free)
    raise not_offered(method, path)
