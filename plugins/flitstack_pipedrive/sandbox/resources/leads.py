"""Leads, v1: Pipedrive API `/leads`. They carry deal custom fields as top-level keys in v1's form."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flitstack_pipedrive.sandbox.answers import Answer, data_v1, not_found, refused_v1, to_json
from flitstack_pipedrive.sandbox.checks import is_currency, is_number
from flitstack_pipedrive.sandbox.customs import lead_custom_keys, lead_customs
from flitstack_pipedrive.sandbox.forms_v1 import (
    Read,
    WrongValueError,
    active_user,
    boolean,
    existing,
    or_null,
    read_body,
    whole,
    words,
)
from flitstack_pipedrive.sandbox.paging import rows_v1, whole_number
from flitstack_pipedrive.sandbox.resources.deals import need_room
from flitstack_pipedrive.sandbox.texts import is_date, parse_v2_time

if TYPE_CHECKING:
    from flitstack_pipedrive.sandbox.account import Account
    from flitstack_pipedrive.sandbox.answers import Doc
    from flitstack_pipedrive.sandbox.call import Call
    from flitstack_pipedrive.sandbox.state import Row, Where

MISSING = "requested lead not found"
_SORTS = {"id": "uid", "title": "title", "owner_id": "owner_id", "add_time": "add_time", "update_time": "update_time"}


def _title(value: Any, account: Account) -> str:
    if not words(value, account).strip() or len(value) > account.switches.name_max:
        raise WrongValueError("The title is empty or too long")
    return str(value).strip()


def _money(value: Any, account: Account) -> Doc:
    if not isinstance(value, dict) or set(value) != {"amount", "currency"}:
        raise WrongValueError("The value needs 'amount' and 'currency'")
    if not is_number(value["amount"]) or not is_currency(value["currency"]):
        raise WrongValueError("The amount is no number, or the currency is unknown")
    return {"amount": value["amount"], "currency": value["currency"]}


def _day(value: Any, account: Account) -> str:
    if not is_date(value):
        raise WrongValueError("The value is not a valid 'date'")
    return str(value)


def _labels(value: Any, account: Account) -> list[str]:
    known = {doc["id"] for doc in account.store.docs("lead_label")}
    if not isinstance(value, list) or not all(isinstance(label, str) and label in known for label in value):
        raise WrongValueError("A label does not exist")
    return value


def _visibility(value: Any, account: Account) -> str:
    if value not in [str(number) for number in account.plan.visibilities]:
        raise WrongValueError("The value is not allowed on this plan")
    return str(value)


_SHARED: dict[str, Read] = {
    "owner_id": active_user,
    "label_ids": _labels,
    "person_id": or_null(existing("person")),
    "organization_id": or_null(existing("organization")),
    "value": or_null(_money),
    "expected_close_date": or_null(_day),
    "visible_to": _visibility,
    "was_seen": boolean,
    "channel": or_null(whole),
    "channel_id": or_null(words),
}
_POST: dict[str, Read] = {"title": _title, **_SHARED, "origin_id": or_null(words)}
_PATCH: dict[str, Read] = {"title": _title, **_SHARED, "is_archived": boolean}


def list_leads(call: Call) -> Answer:
    """Return a page of leads that are not archived, oldest first."""
    return _list(call, archived=False)


def list_archived_leads(call: Call) -> Answer:
    """Return a page of archived leads."""
    return _list(call, archived=True)


def _list(call: Call, *, archived: bool) -> Answer:
    call.no_filter_id()
    wheres: list[Where] = [("deleted = 0 AND is_archived = ?", (int(archived),))]
    for name in ("owner_id", "person_id", "organization_id"):
        if name in call.query:
            wheres.append((f"{name} = ?", (whole_number(call, name),)))
    if "updated_since" in call.query:
        since = parse_v2_time(call.query["updated_since"])
        if since is None:
            raise refused_v1({"updated_since": "The value is not a valid datetime"})
        wheres.append(("update_time >= ?", (since,)))
    sorts = _SORTS if "sort" in call.query else {"id": "id"}
    docs, start, limit, more = rows_v1(call, "lead", wheres, sorts)
    # Leads put paging directly on additional_data, and never say where the next page starts.
    paging = {"start": start, "limit": limit, "more_items_in_collection": more}
    return Answer(to_json({"success": True, "data": docs or None, "additional_data": paging}).encode())


def get_lead(call: Call) -> Answer:
    """Return one lead."""
    return data_v1(_row(call).doc)


def create_lead(call: Call) -> Answer:
    """Create a lead, within the plan's cap of deals and leads together; 201."""
    values = _read(call, _POST, ("title",))
    if values.get("person_id") is None and values.get("organization_id") is None:
        raise refused_v1({"person_id": "A lead needs a person or an organization"})
    need_room(call)
    uid = call.account.uuid("lead", call.store.next_id("lead"))
    stamp = call.account.now().replace("Z", ".000Z")
    doc: Doc = {
        "id": uid,
        "title": "",
        "owner_id": call.user.id,
        "creator_id": call.user.id,
        "label_ids": [],
        "person_id": None,
        "organization_id": None,
        "source_name": "API",
        "origin": "API",
        "origin_id": None,
        "channel": None,
        "channel_id": None,
        "is_archived": False,
        "was_seen": False,
        "value": None,
        "expected_close_date": None,
        "next_activity_id": None,
        "add_time": stamp,
        "update_time": stamp,
        "visible_to": str(max(call.account.plan.visibilities)),
        "cc_email": f"sandbox+1+lead{uid[:8]}@inbox.example",
    }
    row = call.account.new_row("lead", doc | values, uid=uid)
    with call.store.transaction():
        call.store.put("lead", row)
    return data_v1(row.doc, 201)


def update_lead(call: Call) -> Answer:
    """Change a lead; null unsets."""
    row = _row(call)
    row.doc |= _read(call, _PATCH, ())
    if row.doc["person_id"] is None and row.doc["organization_id"] is None:
        raise refused_v1({"person_id": "A lead needs a person or an organization"})
    row.doc = {key: value for key, value in row.doc.items() if value is not None or len(key) < 40}
    _save(call, row)
    return data_v1(row.doc)


def delete_lead(call: Call) -> Answer:
    """Delete a lead; only the web page can bring it back."""
    row = _row(call)
    row.deleted = True
    _save(call, row)
    return data_v1({"id": row.doc["id"]})


def _row(call: Call) -> Row:
    row = call.store.find("lead", [("uid = ? AND deleted = 0", (call.param,)), *call.visible("lead")])
    if row is None:
        raise not_found(MISSING)
    return row


def _read(call: Call, readers: dict[str, Read], required: tuple[str, ...]) -> Doc:
    """Return the body's values as stored, deal custom fields included."""
    body = call.fields()
    ours = lead_custom_keys(call.account)
    values = read_body({k: v for k, v in body.items() if k not in ours}, readers, call.account, required)
    customs, reasons = lead_customs(body, call.account)
    if reasons:
        raise refused_v1(reasons)
    return values | customs


def _save(call: Call, row: Row) -> None:
    row.updated = call.account.now()
    row.doc["update_time"] = row.updated.replace("Z", ".000Z")
    with call.store.transaction():
        call.store.put("lead", row)
