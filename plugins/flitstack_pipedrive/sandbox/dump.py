"""The account's live state in plain dicts, for tests and people: as the API would show it, and by field name."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from flitstack_pipedrive.sandbox.resources.users import user_doc

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flitstack_pipedrive.sandbox.account import Account
    from flitstack_pipedrive.sandbox.answers import Doc

PLAIN = ("activity", "note", "pipeline", "stage", "activity_type")


def dump(account: Account, *, deleted: bool = False) -> dict[str, list[Doc]]:
    """Return every live record, or every deleted one, per object, by id.

    Objects are `person`, `organization`, `deal`, `lead`, `activity`, `note`, `file`, `field`, `pipeline`, `stage`,
    `activity_type` and `user`.

    Persons, organizations, deals and leads also have `by_name`: custom values by field name, options by label.
    Fields also have `of`, the object they belong to; files also have the `sha256` of their bytes.
    """
    store, wheres = account.store, [("deleted = ?", (deleted,))]
    state = {table: store.docs(table, wheres) for table in PLAIN}
    for table in ("person", "organization", "deal", "lead"):
        fields = fields_of(account, "deal" if table == "lead" else table)
        state[table] = [{**doc, "by_name": by_name(doc, fields)} for doc in store.docs(table, wheres)]
    files = store.docs("file", wheres)
    state["file"] = [{**doc, "sha256": hashlib.sha256(store.blob(doc["id"])).hexdigest()} for doc in files]
    state["field"] = [
        {"of": entity, **{key: value for key, value in doc.items() if key != "id"}}
        for entity in ("person", "organization", "deal")
        for doc in fields_of(account, entity).values()
    ]
    state["user"] = [user_doc(account, member, is_you=False) for member in account.members.values()]
    return state


def fields_of(account: Account, entity: str) -> dict[str, Doc]:
    """Return the live custom fields of an object, by key."""
    docs = account.store.docs("field", [("entity = ? AND deleted = 0", (entity,))])
    return {doc["field_code"]: doc for doc in docs}


def by_name(doc: Doc, fields: Mapping[str, Doc]) -> Doc:
    """Return a record's custom values by field name, options by label."""
    values = doc.get("custom_fields", doc)
    return {field["field_name"]: _labelled(values[code], field) for code, field in fields.items() if code in values}


def _labelled(value: Any, field: Doc) -> Any:
    if value is None or not field["options"]:
        return value
    labels = {option["id"]: option["label"] for option in field["options"]}
    if field["field_type"] == "enum":
        return labels[int(value)]
    return [labels[int(number)] for number in (value.split(",") if isinstance(value, str) else value)]
