"""Organizations, v2: Pipedrive API `/organizations`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flitstack_pipedrive.sandbox import checks
from flitstack_pipedrive.sandbox.answers import Answer, failed
from flitstack_pipedrive.sandbox.resources.entities import (
    create,
    custom_object,
    delete,
    get_entity,
    list_entities,
    save,
    take_customs,
)
from flitstack_pipedrive.sandbox.resources.native_fields import ORGANIZATION_LABELS
from flitstack_pipedrive.sandbox.texts import parse_v2_time

if TYPE_CHECKING:
    from flitstack_pipedrive.sandbox.answers import Doc
    from flitstack_pipedrive.sandbox.call import Call

PROFILE = ("website", "linkedin", "industry", "annual_revenue", "employee_count")
_PATCH_CHECKS: dict[str, checks.Check] = {
    "name": checks.title,
    "owner_id": checks.owner,
    "visible_to": checks.visibility,
    "label_ids": checks.labels([number for number, _ in ORGANIZATION_LABELS]),
    "address": checks.address,
    "custom_fields": custom_object,
    "website": checks.nullable(checks.string),
    "linkedin": checks.nullable(checks.string),
    "industry": checks.nullable(checks.integer),
    "annual_revenue": checks.nullable(checks.integer),
    "employee_count": checks.nullable(checks.integer),
}
_POST_CHECKS = {**_PATCH_CHECKS, "add_time": checks.moment}


def list_organizations(call: Call) -> Answer:
    """Return a page of organizations."""
    return list_entities(call, "organization", ("owner_id",))


def get_organization(call: Call) -> Answer:
    """Return one organization."""
    return get_entity(call, "organization")


def create_organization(call: Call) -> Answer:
    """Create an organization; `add_time` may be backdated."""
    body = call.fields()
    _refuse_profile(call, body)
    checks.validate(body, _POST_CHECKS, call.account, required=("name",))
    doc: Doc = {
        "name": "",
        "owner_id": call.user.id,
        "add_time": None,
        "update_time": None,
        "address": None,
        "is_deleted": False,
        "visible_to": max(call.account.plan.visibilities),
        "label_ids": [],
        "custom_fields": {},
    }
    _take(call, doc, body)
    return create(call, "organization", doc, parse_v2_time(body.get("add_time")))


def update_organization(call: Call) -> Answer:
    """Change an organization."""
    row = call.live_row("organization", call.number())
    body = call.fields()
    _refuse_profile(call, body)
    checks.validate(body, _PATCH_CHECKS, call.account)
    _take(call, row.doc, body)
    return save(call, "organization", row)


def delete_organization(call: Call) -> Answer:
    """Delete an organization, which only admins may."""
    call.need_admin()
    return delete(call, "organization")


def _take(call: Call, doc: Doc, body: dict[str, Any]) -> None:
    for key in ("owner_id", "visible_to", "label_ids", *PROFILE):
        if key in body:
            doc[key] = body[key]
    if "name" in body:
        doc["name"] = body["name"].strip()
    if "address" in body:
        doc["address"] = checks.filled_address(body["address"])
    take_customs(call, "organization", doc, body)


def _refuse_profile(call: Call, body: dict[str, Any]) -> None:
    """Raise the 403 of fields that only exist where the feature is on."""
    if call.account.switches.organization_profile:
        return
    for key in PROFILE:
        if key in body:
            raise failed(403, f"The field '{key}' is not available in this account.", code="ERR_FORBIDDEN")
