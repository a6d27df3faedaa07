"""What an account does that no specification says, by switch: done around the ordinary handling of a request."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from flitstack_pipedrive.sandbox.answers import Answer, data_v2, refused_v1, refused_v2, to_json
from flitstack_pipedrive.sandbox.paging import LARGEST_PAGE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flitstack_pipedrive.sandbox.account import Account
    from flitstack_pipedrive.sandbox.answers import Doc
    from flitstack_pipedrive.sandbox.call import Call, Handler
    from flitstack_pipedrive.sandbox.contract import Operation

_WRITE = re.compile(r"v\d (POST|PUT|PATCH) /(\w+)(/\{id\})?$")
_TABLES = MappingProxyType(
    {"persons": "person", "organizations": "organization", "deals": "deal", "activities": "activity", "notes": "note"}
)
_FIELDS = MappingProxyType({f"{entity}Fields": entity for entity in ("person", "organization", "deal")})
_EMPTIED = MappingProxyType({"deal": ("expected_close_date",), "activity": ("due_date", "note")})
_TIMES = ("add_time", "marked_as_done_time")
_BLOCKS = re.compile(r"</?(p|div|h1|h2|h3|pre|blockquote|table|tbody|thead|tr|td|th|ul|ol|li|hr|code)\b[^>]*>")


def carry_out_differently(operation: Operation, handler: Handler, call: Call) -> Answer:
    """Carry out a request as the account's switches have it."""
    written = _WRITE.fullmatch(operation.call)
    restored = _undelete(operation.call, call)
    if restored is not None:
        return restored
    kept: Doc = {}
    if written is not None and isinstance(call.body, dict):
        kept = _take_out(call, written[2], is_new=written[1] == "POST")
    _cap_page(call)
    operation.check(call.query, call.body, call.form)
    answer = handler(call)
    if kept:
        answer = _put_in(call, written[2] if written else "", kept, answer)
    if operation.call.startswith("v2 DELETE ") and call.account.switches.deletes_below:
        _delete_below(call, operation.call)
    return _show_v1_zone(call.account, answer) if operation.call == "v1 GET /recents" else answer


def _take_out(call: Call, path: str, *, is_new: bool) -> Doc:
    """Refuse what the switches refuse; take out of the body what the ordinary way would refuse, and return it."""
    switches, body = call.account.switches, call.body
    kept: Doc = {}
    if path in _FIELDS and is_new:
        return _repeated(call, _FIELDS[path])
    table = _TABLES.get(path)
    if table is None:
        return kept
    if switches.empty_lists == "refuse" and table == "person":
        _refuse({key: "The value is empty" for key in ("phones", "emails") if body.get(key) == []})
    if switches.required_fields and is_new and table != "note":
        _need_required(call, table)
    text = "content" if table == "note" else "note"
    if isinstance(body.get(text), str) and len(body[text]) > switches.note_max:
        raise (refused_v1 if table == "note" else refused_v2)({text: "The value is too long"})
    if table == "note" and isinstance(body.get(text), str) and switches.note_tags == "inline":
        body[text] = _BLOCKS.sub("", body[text])
    if table == "activity" and switches.activity_times != "refuse":
        times = {key: body.pop(key) for key in _TIMES if key in body}
        kept |= times if switches.activity_times == "store" else {"": None} if times else {}
    if switches.empty_natives == "take":
        emptied = [key for key in _EMPTIED.get(table, ()) if body.get(key, "-") in ("", None)]
        for key in emptied:
            kept[key] = None
            del body[key]
    return kept


def _refuse(reasons: Mapping[str, str]) -> None:
    if reasons:
        raise refused_v2(reasons)


def _need_required(call: Call, entity: str) -> None:
    given = call.body.get("custom_fields") or {}
    for doc in call.store.docs("field", [("entity = ? AND deleted = 0", (entity,))]):
        if doc["required_fields"]["enabled"] and doc["field_code"] not in given:
            raise refused_v2({"custom_fields": f"The field '{doc['field_code']}' is required"})


def _repeated(call: Call, entity: str) -> Doc:
    switches, body = call.account.switches, call.body
    same = [("entity = ? AND deleted = 0", (entity,))]
    names = {doc["field_name"] for doc in call.store.docs("field", same)}
    if switches.repeated_names == "refuse" and body.get("field_name") in names:
        raise refused_v2({"field_name": "The name is taken"})
    labels = [str(option.get("label")) for option in body.get("options") or ()]
    if switches.repeated_options == "refuse" or len(set(labels)) == len(labels):
        return {}
    body["options"] = [{"label": label} for label in dict.fromkeys(labels)]
    return {"options": labels} if switches.repeated_options == "keep" else {"": None}


def _put_in(call: Call, path: str, kept: Doc, answer: Answer) -> Answer:
    """Write what was taken out into the record that the ordinary way wrote."""
    table = "field" if path in _FIELDS else _TABLES[path]
    kept.pop("", None)
    shown = json.loads(answer.body)
    where = ("field_code", shown["data"]["field_code"]) if table == "field" else ("id", shown["data"]["id"])
    row = call.store.find(table, [(f"{where[0]} = ?", (where[1],))])
    if row is None or not kept:
        return answer
    if "options" in kept:
        ids = {option["label"]: option["id"] for option in row.doc["options"]}
        again = max(ids.values()) + 1
        kept["options"] = [{"id": ids.pop(label, again), "label": label} for label in kept["options"]]
    row.doc |= kept
    with call.store.transaction():
        call.store.put(table, row)
    shown["data"] |= kept
    return replace(answer, body=to_json(shown).encode())


def _undelete(name: str, call: Call) -> Answer | None:
    """Answer `is_deleted: false` on a deleted deal; None for everything else."""
    how = call.account.switches.undelete_deal
    if name != "v2 PATCH /deals/{id}" or how == "refuse" or call.body != {"is_deleted": False}:
        return None
    row = call.row("deal", call.number())
    if how == "restore":
        row.deleted = row.doc["is_deleted"] = False
        with call.store.transaction():
            call.store.put("deal", row)
    return data_v2(row.doc)


def _cap_page(call: Call) -> None:
    limit = call.query.get("limit", "")
    if call.account.switches.over_limit == "cap" and limit.isdecimal() and int(limit) > LARGEST_PAGE:
        call.query = {**call.query, "limit": str(LARGEST_PAGE)}


def _delete_below(call: Call, name: str) -> None:
    column = {"v2 DELETE /persons/{id}": "person_id", "v2 DELETE /organizations/{id}": "org_id"}.get(name)
    if column is None:
        return
    for table in ("deal", "activity", "note"):
        for (number,) in call.store.select(table, "id", [(f"deleted = 0 AND {column} = ?", (call.number(),))]):
            row = call.store.find(table, [("id = ?", (number,))])
            if row is not None:
                row.deleted = True
                row.doc |= {"active_flag": False} if table == "note" else {"is_deleted": True}
                with call.store.transaction():
                    call.store.put(table, row)


def _show_v1_zone(account: Account, answer: Answer) -> Answer:
    """Return the answer with activities' due times in UTC, as v1 documents them."""
    if account.switches.due_time_zone == "utc":
        return answer
    shown = json.loads(answer.body)
    for item in shown["data"] or ():
        if item["item"] == "activity" and item["data"].get("due_time"):
            item["data"] |= _in_utc(item["data"], ZoneInfo(account.time_zone))
    return replace(answer, body=to_json(shown).encode())


def _in_utc(activity: Mapping[str, Any], zone: ZoneInfo) -> Doc:
    local = datetime.fromisoformat(f"{activity['due_date']}T{activity['due_time']}").replace(tzinfo=zone)
    at = local.astimezone(UTC)
    return {"due_date": f"{at:%Y-%m-%d}", "due_time": f"{at:%H:%M:%S}"}
