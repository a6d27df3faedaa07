"""The live state without what differs from run to run, so that two accounts can be compared, or hashed."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from flitstack_pipedrive.sandbox.dump import by_name, fields_of
from flitstack_pipedrive.sandbox.texts import parse_v1_time

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from flitstack_pipedrive.sandbox.account import Account
    from flitstack_pipedrive.sandbox.answers import Doc

_LINKS = MappingProxyType(
    {
        "person_id": "person",
        "org_id": "organization",
        "organization_id": "organization",
        "deal_id": "deal",
        "lead_id": "lead",
        "activity_id": "activity",
        "pipeline_id": "pipeline",
        "stage_id": "stage",
    }
)
_USERS = frozenset({"owner_id", "user_id", "creator_id", "creator_user_id", "last_update_user_id"})
# Decided by the server: numbers, keys, urls, and what follows from other values.
_SERVER = frozenset(
    "id update_time is_deleted active_flag stage_change_time marked_as_done_time archive_time close_time "
    "local_won_date local_lost_date local_close_date first_name last_name file_name remote_id url cc_email "
    "company_id picture_id order_nr uuid source_lead_id log_id next_activity_id last_activity_id".split()
)
# The client may have set them: kept when they lie before the record itself.
_TIMES = frozenset({"add_time", "won_time", "lost_time"})
_RECORDS = ("organization", "person", "deal", "lead", "activity", "note", "file")
_SHAPES = ("pipeline", "stage", "activity_type")


def canonical(account: Account) -> dict[str, list[Doc]]:
    """Return every live record per object, sorted, with references in words and custom fields by name.

    Left out: ids, server times, counts, and what the server parses out of a value (parts of names and addresses). A
    reference to a record is its own words and a digest of its own content, so equal content gives equal references.
    """
    return _Canon(account).whole()


def fingerprint(state: Mapping[str, list[Doc]]) -> str:
    """Return the SHA-256 of a canonical state."""
    return hashlib.sha256(_text(state).encode()).hexdigest()


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


class _Canon:
    """Turns one account's records, first without, then with the references between them."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._labels = {doc["id"]: doc["name"] for doc in account.store.docs("lead_label")}
        self._emails = {member.id: member.email for member in account.members.values()}
        self._fields = {entity: fields_of(account, entity) for entity in ("person", "organization", "deal")}
        self._rows = {table: self._live(table) for table in (*_RECORDS, *_SHAPES)}
        self._words: dict[tuple[str, Any], str] = {}
        for table in (*_SHAPES, *_RECORDS):
            for doc, written in self._rows[table]:
                self._words[table, doc["id"]] = self._own_words(table, doc, written)

    def whole(self) -> dict[str, list[Doc]]:
        """Return all objects."""
        state = {
            table: [self._record(table, doc, written, self._linked) for doc, written in self._rows[table]]
            for table in (*_RECORDS, *_SHAPES)
        }
        state["field"] = [
            {
                "of": entity,
                "name": doc["field_name"],
                "type": doc["field_type"],
                "options": [option["label"] for option in doc["options"] or ()],
            }
            for entity, fields in self._fields.items()
            for doc in fields.values()
        ]
        state["user"] = [
            {"email": member.email, "name": member.name, "is_admin": member.is_admin, "active": member.active}
            for member in self._account.members.values()
        ]
        return {table: sorted(docs, key=_text) for table, docs in state.items()}

    def _live(self, table: str) -> list[tuple[Doc, float]]:
        rows = self._account.store.select(table, "doc, written", [("deleted = 0", ())])
        return [(json.loads(doc), float(written)) for doc, written in rows]

    def _own_words(self, table: str, doc: Doc, written: float) -> str:
        """Return a record's name and a digest of what it holds itself, references left out."""
        own = self._record(table, doc, written, lambda *_: None)
        name = doc.get("name") or doc.get("title") or doc.get("subject") or table
        digest = hashlib.sha256(_text(own).encode()).hexdigest()[:8]
        return str(name) if table in _SHAPES else f"{name} ~{digest}"

    def _linked(self, table: str, number: Any) -> str:
        return self._words.get((table, number), f"a deleted {table}")

    def _record(self, table: str, doc: Doc, written: float, link: Callable[[str, Any], str | None]) -> Doc:
        entity = "deal" if table == "lead" else table
        fields = self._fields.get(entity, {})
        out: Doc = {}
        for key, value in doc.items():
            if value is None or key in _SERVER or key in fields or key.endswith("_count"):
                continue
            if key in _TIMES:
                if _is_before(value, written):
                    out[key] = value
            elif key in _LINKS:
                out[key] = link(_LINKS[key], value)
            elif key in _USERS:
                out[key] = self._emails.get(value, "nobody")
            elif key == "label_ids" and table == "lead":
                out[key] = sorted(self._labels.get(label, "a deleted label") for label in value)
            elif key == "participants":
                out[key] = [{**part, "person_id": link("person", part["person_id"])} for part in value]
            elif key not in ("custom_fields", "s3_bucket"):
                out[key] = _plain(value)
        if fields:
            out["fields"] = self._customs(doc, fields, link)
        if table == "file":
            out["sha256"] = hashlib.sha256(self._account.store.blob(doc["id"])).hexdigest()
        return out

    def _customs(self, doc: Doc, fields: Mapping[str, Doc], link: Callable[[str, Any], str | None]) -> Doc:
        types = {field["field_name"]: field["field_type"] for field in fields.values()}
        out: Doc = {}
        for name, value in by_name(doc, fields).items():
            if value is None:
                continue
            if types[name] in ("people", "org"):
                out[name] = link("person" if types[name] == "people" else "organization", int(value))
            elif types[name] == "user":
                out[name] = self._emails.get(int(value), "nobody")
            else:
                out[name] = _plain(value)
        return out


def _plain(value: Any) -> Any:
    """Return the value without what the server parsed out of it: of an address, only the line."""
    if isinstance(value, dict) and ("formatted_address" in value or "admin_area_level_1" in value):
        return {"value": value["value"]}
    return value


def _is_before(moment: str, written: float) -> bool:
    """Return whether a stored time, of v1 or v2, lies before the second in which its record was written."""
    stored = parse_v1_time(moment) or moment.replace(".000Z", "Z")
    return datetime.fromisoformat(stored).timestamp() < int(written)
