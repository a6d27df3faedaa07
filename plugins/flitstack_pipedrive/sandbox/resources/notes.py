"""Notes, v1: Pipedrive API `/notes`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flitstack_pipedrive.sandbox.answers import Answer, data_v1, not_found, refused_v1
from flitstack_pipedrive.sandbox.forms_v1 import (
    Read,
    WrongValueError,
    active_user,
    existing,
    existing_lead,
    flag,
    nothing,
    or_null,
    read_body,
    words,
)
from flitstack_pipedrive.sandbox.paging import page_v1, rows_v1, whole_number
from flitstack_pipedrive.sandbox.texts import is_date, parse_v1_time, parse_v2_time, sanitize_html, v1_time

if TYPE_CHECKING:
    from flitstack_pipedrive.sandbox.account import Account
    from flitstack_pipedrive.sandbox.answers import Doc
    from flitstack_pipedrive.sandbox.call import Call
    from flitstack_pipedrive.sandbox.state import Row, Where

LONGEST = 100_000
_LINKS = {
    "lead": "lead_id",
    "deal": "deal_id",
    "person": "person_id",
    "organization": "org_id",
    "project": "project_id",
    "task": "task_id",
}
_SORTS = {
    name: name for name in ("id", "user_id", "deal_id", "person_id", "org_id", "content", "add_time", "update_time")
}


def _content(value: Any, account: Account) -> str:
    if len(words(value, account)) > LONGEST:
        raise WrongValueError(f"The value is longer than {LONGEST} characters")
    return sanitize_html(value)


def _moment(value: Any, account: Account) -> str:
    at = parse_v1_time(value)
    if at is None:
        raise WrongValueError("The value is not a valid datetime")
    return at


_READERS: dict[str, Read] = {
    "content": _content,
    "lead_id": or_null(existing_lead),
    "deal_id": or_null(existing("deal")),
    "person_id": or_null(existing("person")),
    "org_id": or_null(existing("organization")),
    "project_id": nothing,
    "task_id": nothing,
    "user_id": active_user,
    "add_time": _moment,
    **{f"pinned_to_{name}_flag": flag for name in _LINKS},
}


def list_notes(call: Call) -> Answer:
    """Return a page of notes."""
    docs, start, limit, more = rows_v1(call, "note", _conditions(call), _SORTS)
    return page_v1([note_shown(call, doc) for doc in docs], start, limit, more)


def _conditions(call: Call) -> list[Where]:
    query = call.query
    wheres: list[Where] = [("deleted = 0", ())]
    for name in ("user_id", "deal_id", "person_id", "org_id"):
        if name in query:
            wheres.append((f"{name} = ?", (whole_number(call, name),)))
    if "lead_id" in query:
        wheres.append(("lead_id = ?", (query["lead_id"],)))
    if "project_id" in query or "task_id" in query:
        wheres.append(("0", ()))
    for name, sign in (("start_date", ">="), ("end_date", "<=")):
        if name in query:
            if not is_date(query[name]):
                raise refused_v1({name: "The value is not a valid 'date'"})
            wheres.append((f"substr(add_time, 1, 10) {sign} ?", (query[name],)))
    if "updated_since" in query:
        since = parse_v2_time(query["updated_since"])
        if since is None:
            raise refused_v1({"updated_since": "The value is not a valid datetime"})
        wheres.append(("update_time >= ?", (since,)))
    for name in _LINKS:
        pinned = f"pinned_to_{name}_flag"
        if pinned in query:
            wheres.append((f"json_extract(doc, '$.{pinned}') = ?", (whole_number(call, pinned),)))
    return wheres


def get_note(call: Call) -> Answer:
    """Return one note, a deleted one too."""
    return data_v1(note_shown(call, _row(call).doc))


def create_note(call: Call) -> Answer:
    """Create a note; `add_time` may be any time, and an admin may name the author."""
    values = _read(call, ("content",))
    if all(values.get(link) is None for link in _LINKS.values()):
        raise refused_v1({"person_id": "A note needs a lead, deal, person, organization, project or task"})
    doc: Doc = {
        "active_flag": True,
        "add_time": None,
        "content": "",
        "lead_id": None,
        "deal_id": None,
        "last_update_user_id": None,
        "org_id": None,
        "person_id": None,
        "project_id": None,
        "task_id": None,
        **{f"pinned_to_{name}_flag": False for name in _LINKS},
        "update_time": None,
        "user_id": call.user.id,
    }
    added = values.pop("add_time", None)
    row = call.account.new_row("note", doc | values, added=added)
    _check_pins(row.doc)
    row.doc["add_time"], row.doc["update_time"] = v1_time(row.added), v1_time(row.updated)
    with call.store.transaction():
        call.store.put("note", row)
    return data_v1(note_shown(call, row.doc))


def update_note(call: Call) -> Answer:
    """Change a note."""
    row = _row(call)
    if row.deleted:
        raise not_found("Note not found")
    values = _read(call, ())
    row.added = values.pop("add_time", row.added)
    row.doc |= values
    row.doc["add_time"] = v1_time(row.added)
    row.doc["last_update_user_id"] = call.user.id
    if all(row.doc[link] is None for link in _LINKS.values()):
        raise refused_v1({"person_id": "A note needs a lead, deal, person, organization, project or task"})
    _check_pins(row.doc)
    _save(call, row)
    return data_v1(note_shown(call, row.doc))


def delete_note(call: Call) -> Answer:
    """Delete a note: it leaves the lists and can still be read by id."""
    row = _row(call)
    if row.deleted:
        raise not_found("Note not found")
    row.deleted, row.doc["active_flag"] = True, False
    _save(call, row)
    return data_v1(True)


def _row(call: Call) -> Row:
    row = call.store.find("note", [("id = ?", (call.number(),)), *call.visible("note")])
    if row is None:
        raise not_found("Note not found")
    return row


def _read(call: Call, required: tuple[str, ...]) -> Doc:
    body = call.fields()
    if body.get("user_id") not in (None, call.user.id):
        call.need_admin()
    return read_body(body, _READERS, call.account, required)


def _check_pins(doc: Doc) -> None:
    for name, link in _LINKS.items():
        if doc[f"pinned_to_{name}_flag"] and doc[link] is None:
            raise refused_v1({f"pinned_to_{name}_flag": f"The value needs a '{link}'"})


def _save(call: Call, row: Row) -> None:
    row.updated = call.account.now()
    row.doc["update_time"] = v1_time(row.updated)
    with call.store.transaction():
        call.store.put("note", row)


def note_shown(call: Call, doc: Doc) -> Doc:
    """Return the note with the names of what it hangs on and of its author."""
    member = call.account.members[doc["user_id"]]
    return {
        **doc,
        "deal": _named(call, "deal", doc["deal_id"], "title"),
        "person": _named(call, "person", doc["person_id"], "name"),
        "organization": _named(call, "organization", doc["org_id"], "name"),
        "user": {
            "email": member.email,
            "icon_url": None,
            "is_you": member.id == call.user.id,
            "name": member.name,
        },
    }


def _named(call: Call, table: str, number: int | None, label: str) -> Doc | None:
    if number is None:
        return None
    found = call.store.select(table, f"json_extract(doc, '$.{label}')", [("id = ?", (number,))])
    return {label: found[0][0]} if found else None
