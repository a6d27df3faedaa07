"""Activity types, v1: Pipedrive API `/activityTypes`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from flitstack_pipedrive.sandbox.answers import Answer, data_v1
from flitstack_pipedrive.sandbox.forms_v1 import Read, WrongValueError, read_body, whole, words
from flitstack_pipedrive.sandbox.texts import key_string, v1_time

if TYPE_CHECKING:
    from flitstack_pipedrive.sandbox.account import Account
    from flitstack_pipedrive.sandbox.call import Call
    from flitstack_pipedrive.sandbox.state import Row

ICONS = frozenset(
    "task email meeting deadline call lunch calendar downarrow document smartphone camera scissors cogs bubble uparrow "
    "checkbox signpost shuffle addressbook linegraph picture car world search clip sound brush key padlock pricetag "
    "suitcase finish plane loop wifi truck cart bulb bell presentation".split()
)


def _name(value: Any, account: Account) -> str:
    if not words(value, account).strip() or len(value) > account.switches.name_max:
        raise WrongValueError("The name is empty or too long")
    return str(value).strip()


def _icon(value: Any, account: Account) -> str:
    if words(value, account) not in ICONS:
        raise WrongValueError("The icon does not exist")
    return str(value)


def _color(value: Any, account: Account) -> str:
    if not re.fullmatch(r"[0-9a-fA-F]{6}", words(value, account)):
        raise WrongValueError("The color is no six hex digits")
    return str(value)


_POST: dict[str, Read] = {"name": _name, "icon_key": _icon, "color": _color}
_PUT: dict[str, Read] = {**_POST, "order_nr": whole}


def list_types(call: Call) -> Answer:
    """Return all activity types, deleted ones with `active_flag` false; unpaged."""
    return data_v1(call.store.docs("activity_type", ()))


def create_type(call: Call) -> Answer:
    """Create an activity type; its key is made of its name, once and for all."""
    call.need_admin()
    values = read_body(call.fields(), _POST, call.account, required=("name", "icon_key"))
    order = call.store.count("activity_type", [("deleted = 0", ())]) + 1
    with call.store.transaction():
        key = _free_key(call, key_string(values["name"]))
        doc = call.account.put_activity_type(
            values["name"], key, order, icon=values["icon_key"], color=values.get("color")
        )
    return data_v1(doc)


def update_type(call: Call) -> Answer:
    """Change an activity type; its key stays."""
    call.need_admin()
    row = call.live_row("activity_type", call.number())
    row.doc |= read_body(call.fields(), _PUT, call.account)
    return _save(call, row)


def delete_type(call: Call) -> Answer:
    """Mark an activity type deleted; activities of it stay."""
    call.need_admin()
    row = call.live_row("activity_type", call.number())
    row.deleted, row.doc["active_flag"] = True, False
    return _save(call, row)


def _save(call: Call, row: Row) -> Answer:
    row.updated = call.account.now()
    row.doc["update_time"] = v1_time(row.updated)
    with call.store.transaction():
        call.store.put("activity_type", row)
    call.account.schema_changed()
    return data_v1(row.doc)


def _free_key(call: Call, key: str) -> str:
    """Return the key, with a number behind it when another type, deleted or not, has it."""
    taken = {doc["key_string"] for doc in call.store.docs("activity_type", ())}
    free, number = key, 1
    while free in taken:
        number += 1
        free = f"{key}_{number}"
    return free
