"""Every call the sandbox answers: version, method and path, with its handler and its cost."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import unquote

from flitstack_pipedrive.sandbox.answers import not_offered
from flitstack_pipedrive.sandbox.contract import operation, tables
from flitstack_pipedrive.sandbox.resources import (
    activities,
    activity_types,
    deal_products,
    deals,
    fields,
    files,
    followers,
    leads,
    left_v1,
    notes,
    organizations,
    persons,
    pipelines,
    products,
    recents,
    search,
    users,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from flitstack_pipedrive.sandbox.call import Handler
    from flitstack_pipedrive.sandbox.contract import Operation

Node: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Route:
    """One operation of the API.

    :param handler: what answers it; None when the sandbox does not do it.
    :param cost: in tokens.
    :param operation: what its query and body may be; None when the specifications no longer say.
    """

    version: str
    handler: Handler | None
    cost: int
    operation: Operation | None


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
    "GET /products": products.list_products,
    "POST /products": products.create_product,
    "GET /products/{id}": products.get_product,
    "PATCH /products/{id}": products.update_product,
    "DELETE /products/{id}": products.delete_product,
    "GET /deals/products": deal_products.list_products_of_deals,
    "GET /deals/{id}/products": deal_products.list_products_of_deal,
    "POST /deals/{id}/products": deal_products.add_product,
    "POST /deals/{id}/products/bulk": deal_products.add_products,
    "PATCH /deals/{id}/products/{product_attachment_id}": deal_products.update_product_of_deal,
    "DELETE /deals/{id}/products/{product_attachment_id}": deal_products.delete_product_of_deal,
    "DELETE /deals/{id}/products": deal_products.delete_products_of_deal,
    "GET /itemSearch": search.search_items,
    "GET /itemSearch/field": search.search_field,
    "GET /leads/search": search.search_kind("lead"),
}
for _items, _entity in (("persons", "person"), ("organizations", "organization"), ("deals", "deal"),
                        ("products", "product")):  # fmt: skip
    _V2 |= {
        f"GET /{_items}/search": search.search_kind(_entity),
        f"GET /{_items}/{{id}}/followers": followers.list_followers(_entity),
        f"POST /{_items}/{{id}}/followers": followers.add_follower(_entity),
        f"DELETE /{_items}/{{id}}/followers/{{follower_id}}": followers.remove_follower(_entity),
    }
for _entity in ("person", "organization", "deal", "product"):
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
    "GET /leadSources": users.list_lead_sources,
    "GET /leads/search": search.search_leads_v1,
    "GET /recents": recents.list_recents,
    "GET /users/find": users.find_users,
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
    "GET /persons/{id}/permittedUsers": followers.permitted_users("person"),
    "GET /organizations/{id}/permittedUsers": followers.permitted_users("organization"),
    "GET /deals/{id}/permittedUsers": followers.permitted_users("deal"),
    "GET /leads/{id}/permittedUsers": followers.permitted_users("lead"),
    "GET /products/{id}/permittedUsers": followers.permitted_users("product"),
}


PREFIXES = MappingProxyType({"/api/v2/": "v2", "/api/v1/": "v1", "/v1/": "v1"})
OFFERED: Mapping[str, Handler] = MappingProxyType(
    {f"v1 {line}": handler for line, handler in _V1.items()} | {f"v2 {line}": handler for line, handler in _V2.items()}
)


def _routes() -> Iterator[tuple[str, Route]]:
    """Yield every operation, keyed as `v2 POST /persons`: what is not offered, and what has left, included."""
    for call in tables():
        one = operation(call)
        yield call, Route(call[:2], OFFERED.get(call), one.cost, one)
    for line, (cost, handler) in left_v1.left_operations().items():
        yield f"v1 {line}", Route("v1", handler, cost, None)


def _tree() -> Node:
    """Return the routes by version, method and the path's parts, one level each; `*` stands for any part."""
    root: Node = {}
    for call, route in _routes():
        version, method, path = call.split(" ")
        node = root.setdefault(version, {}).setdefault(method, {})
        for part in path.strip("/").split("/"):
            node = node.setdefault("*" if part.startswith("{") else part, {})
        node[""] = route
    return root


_TREE = _tree()


def find(method: str, path: str) -> tuple[Route, Handler, tuple[str, ...]]:
    """Return the route of a request, what answers it, and the path's variable parts.

    :raises ApiError: 501, it is no operation of the specifications, or not one that the sandbox does.
    """
    prefix = next((known for known in PREFIXES if path.startswith(known)), None)
    if prefix is not None:
        node = _TREE[PREFIXES[prefix]].get(method, {})
        found = _reach(node, path[len(prefix) :].split("/"), ())
        if found is not None and found[0].handler is not None:
            return found[0], found[0].handler, found[1]
    raise not_offered(method, path)


def _reach(node: Node, parts: Sequence[str], taken: tuple[str, ...]) -> tuple[Route, tuple[str, ...]] | None:
    """Return the route below a node and the variable parts; a part's own name goes before `*`."""
    if not parts:
        return (node[""], taken) if "" in node else None
    first, rest = parts[0], parts[1:]
    if not first:
        return None
    found = _reach(node[first], rest, taken) if first in node else None
    if found is None and "*" in node:
        found = _reach(node["*"], rest, (*taken, unquote(first)))
    return found
