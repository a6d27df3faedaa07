"""What a v2 read shows only when asked: counts, option labels, attendees, a choice of custom fields."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from flitstack_pipedrive.sandbox.answers import refused_v2

if TYPE_CHECKING:
    from collections.abc import Callable

    from flitstack_pipedrive.sandbox.answers import Doc
    from flitstack_pipedrive.sandbox.call import Call

VIEW_PARAMETERS = frozenset({"include_fields", "custom_fields", "include_option_labels", "include_labels"})
MOST_CUSTOM_FIELDS = 15
_LINK = MappingProxyType({"person": "person_id", "organization": "org_id", "deal": "deal_id"})
_COUNTS = MappingProxyType(
    {
        "activities_count": ("activity", ""),
        "done_activities_count": ("activity", " AND done = 1"),
        "undone_activities_count": ("activity", " AND done = 0"),
        "notes_count": ("note", ""),
        "files_count": ("file", ""),
        "open_deals_count": ("deal", " AND status = 'open'"),
        "won_deals_count": ("deal", " AND status = 'won'"),
        "lost_deals_count": ("deal", " AND status = 'lost'"),
        "closed_deals_count": ("deal", " AND status <> 'open'"),
        "people_count": ("person", ""),
        "products_count": ("deal_product", ""),
    }
)
# What the sandbox has none of: mail, related organizations' deals, further participants.
_NONE = MappingProxyType(
    {
        "email_messages_count": 0,
        **{f"related_{status}_deals_count": 0 for status in ("open", "closed", "won", "lost")},
        **{f"participant_{status}_deals_count": 0 for status in ("open", "closed")},
        "last_incoming_mail_time": None,
        "last_outgoing_mail_time": None,
        "doi_status": None,
    }
)


def view(call: Call, table: str) -> Callable[[list[Doc]], list[Doc]] | None:
    """Return what turns stored records into what this request asks to see; None when they go out as stored.

    :raises ApiError: 400, more custom fields are asked for than a request may name.
    """
    wanted = _wanted(call, table)
    chosen = [key for key in call.query.get("custom_fields", "").split(",") if key]
    if len(chosen) > MOST_CUSTOM_FIELDS:
        raise refused_v2({"custom_fields": f"At most {MOST_CUSTOM_FIELDS} keys are allowed"})
    labels = _labels(call, table) if call.query.get("include_option_labels") == "true" else {}
    # Attendees are stored with an activity and shown on request.
    hide_attendees = table == "activity" and "attendees" not in wanted
    if not (wanted or chosen or labels or hide_attendees):
        return None

    def shown(docs: list[Doc]) -> list[Doc]:
        for doc in docs:
            if hide_attendees:
                doc.pop("attendees", None)
            if chosen:
                doc["custom_fields"] = {key: doc["custom_fields"].get(key) for key in chosen}
            for key, names in labels.items():
                if doc["custom_fields"].get(key) is not None:
                    doc["custom_fields"][key] = _labelled(doc["custom_fields"][key], names)
            doc.update([(name, _value(call, table, doc, name)) for name in wanted if name not in doc])
        return docs

    return shown


def _wanted(call: Call, table: str) -> set[str]:
    """Return what `include_fields` names; the request was checked for what this list has."""
    return {name for name in call.query.get("include_fields", "").split(",") if name}


def _value(call: Call, table: str, doc: Doc, name: str) -> Any:
    """Return what is only shown on request."""
    number = doc["id"]
    if name in _COUNTS:
        other, condition = _COUNTS[name]
        return call.store.count(other, [(f"{_LINK[table]} = ? AND deleted = 0{condition}", (number,))])
    if name == "followers_count":
        return call.store.count("follower", [("entity = ? AND of_id = ? AND deleted = 0", (table, number))])
    if name == "participants_count":
        return int(doc["person_id"] is not None)
    if name in ("next_activity_id", "last_activity_id"):
        done, order = (0, "due_date, id") if name.startswith("next") else (1, "due_date DESC, id DESC")
        mine = (f"{_LINK[table]} = ? AND deleted = 0 AND done = ?", (number, done))
        found = call.store.select("activity", "id", [mine], order, 1)
        return found[0][0] if found else None
    if name == "first_won_time":
        return doc["won_time"]
    if name == "smart_bcc_email":
        return f"sandbox+{table}{number}@inbox.example"
    if name == "marketing_status":
        return call.store.select("person", "marketing_status", [("id = ?", (number,))])[0][0]
    return _NONE[name]


def _labels(call: Call, table: str) -> dict[str, dict[int, str]]:
    docs = call.store.docs("field", [("entity = ? AND deleted = 0", (table,))])
    return {
        doc["field_code"]: {option["id"]: option["label"] for option in doc["options"]}
        for doc in docs
        if doc["options"]
    }


def _labelled(value: Any, names: dict[int, str]) -> Any:
    if isinstance(value, list):
        return [{"id": number, "label": names.get(number)} for number in value]
    return {"id": value, "label": names.get(value)}
