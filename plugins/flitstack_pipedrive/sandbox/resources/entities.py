"""What persons, organizations and deals have in common: reading one, reading pages, changing and deleting."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flitstack_pipedrive.sandbox.answers import Answer, data_v2
from flitstack_pipedrive.sandbox.customs import checked_customs
from flitstack_pipedrive.sandbox.extras import VIEW_PARAMETERS, view
from flitstack_pipedrive.sandbox.paging import CHANGED, by_ids, list_v2

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from flitstack_pipedrive.sandbox.answers import Doc
    from flitstack_pipedrive.sandbox.call import Call
    from flitstack_pipedrive.sandbox.state import Row, Where

LIVE: Sequence[Where] = (("deleted = 0", ()),)


def list_entities(
    call: Call,
    table: str,
    equal: Sequence[str],
    *,
    extra: Mapping[str, Callable[[str], Where]] | None = None,
    wheres: Sequence[Where] = LIVE,
    sorts: Sequence[str] = ("id", "update_time", "add_time"),
) -> Answer:
    """Return a page of persons, organizations, deals or activities."""
    call.no_filter_id()
    return list_v2(
        call,
        table,
        equal,
        extra={"ids": by_ids, **CHANGED, **(extra or {})},
        also=VIEW_PARAMETERS,
        wheres=wheres,
        sorts=sorts,
        shown=view(call, table),
    )


def get_entity(call: Call, table: str) -> Answer:
    """Return one record by id."""
    row = call.row(table, call.number())
    shown = view(call, table)
    return data_v2(shown([row.doc])[0] if shown else row.doc)


def take_customs(call: Call, table: str, doc: Doc, body: Mapping[str, object]) -> None:
    """Put the body's custom fields into the record; what it does not name stays."""
    if "custom_fields" in body:
        doc["custom_fields"] = {**doc["custom_fields"], **checked_customs(body["custom_fields"], table, call.account)}


def custom_object(value: object, account: object) -> str | None:
    """Check only that it is an object; its keys are checked once the rest of the body is right."""
    return None if isinstance(value, dict) else "The value is not a valid 'object'"


def save(call: Call, table: str, row: Row) -> Answer:
    """Write a changed record and return it."""
    row.updated = row.doc["update_time"] = call.account.now()
    with call.store.transaction():
        call.store.put(table, row)
    return data_v2(row.doc)


def create(
    call: Call, table: str, doc: Doc, added: str | None = None, status: int = 200, **hidden: str | None
) -> Answer:
    """Write a new record and return it; `added` backdates it, `hidden` are columns that the answer does not show."""
    row = call.account.new_row(table, doc, added=added, **hidden)
    row.doc["add_time"], row.doc["update_time"] = row.added, row.updated
    with call.store.transaction():
        call.store.put(table, row)
    return data_v2(row.doc, status)


def delete(call: Call, table: str) -> Answer:
    """Mark a record deleted; it can be read by id for 30 days. Nothing that hangs on it is touched."""
    row = call.live_row(table, call.number())
    row.deleted = row.doc["is_deleted"] = True
    save(call, table, row)
    return data_v2({"id": row.id})
