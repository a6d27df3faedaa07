"""Records as v1 shows them: v2 records with v1's names, times and top-level custom fields."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flitstack_pipedrive.sandbox.texts import v1_time

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from flitstack_pipedrive.sandbox.account import Account
    from flitstack_pipedrive.sandbox.answers import Doc

_TIMES = frozenset(
    {"add_time", "update_time", "won_time", "lost_time", "close_time", "stage_change_time", "archive_time",
     "marked_as_done_time"}
)  # fmt: skip


def record_v1(table: str, doc: Doc, account: Account) -> Doc:
    """Return a v2 record in v1's form; what is null is left out, as v1's schemas mostly know no null."""
    made = _FORMS[table](doc, account)
    customs = _customs(doc.get("custom_fields") or {})
    times = {name: v1_time(made[name]) for name in _TIMES & made.keys() if made[name]}
    return {name: value for name, value in {**made, **times, **customs}.items() if value is not None}


def _without(doc: Doc, *names: str) -> Doc:
    left_out = {"custom_fields", "is_deleted", *names}
    return {name: value for name, value in doc.items() if name not in left_out}


def _person(doc: Doc, account: Account) -> Doc:
    return {
        **_without(doc, "emails", "phones", "picture_id", "visible_to", "postal_address"),
        "active_flag": not doc["is_deleted"],
        "email": doc["emails"],
        "phone": doc["phones"],
        "first_char": doc["name"][:1].lower(),
        "visible_to": str(doc["visible_to"]),
        "owner_name": account.members[doc["owner_id"]].name,
        "org_name": _name(account, "organization", doc["org_id"], "name"),
    }


def _organization(doc: Doc, account: Account) -> Doc:
    owner = account.members[doc["owner_id"]]
    address = doc["address"] or {}
    parts = {f"address_{part}": value for part, value in address.items() if part != "value"}
    return {
        **_without(doc, "address", "visible_to"),
        "active_flag": not doc["is_deleted"],
        "address": address.get("value"),
        **parts,
        "first_char": doc["name"][:1].lower(),
        "visible_to": str(doc["visible_to"]),
        "owner_name": owner.name,
        "owner_id": {
            "id": owner.id,
            "name": owner.name,
            "email": owner.email,
            "has_pic": 0,
            "pic_hash": None,
            "active_flag": owner.active,
            "value": owner.id,
        },
    }


def _deal(doc: Doc, account: Account) -> Doc:
    return {
        **_without(doc, "owner_id", "visible_to", "label_ids", "local_won_date", "local_lost_date", "local_close_date"),
        "user_id": doc["owner_id"],
        "active": doc["status"] == "open" and not doc["is_deleted"],
        "deleted": doc["is_deleted"],
        "visible_to": str(doc["visible_to"]),
        "label": ",".join(map(str, doc["label_ids"])) or None,
        "person_name": _name(account, "person", doc["person_id"], "name"),
        "org_name": _name(account, "organization", doc["org_id"], "name"),
        "owner_name": account.members[doc["owner_id"]].name,
    }


def _activity(doc: Doc, account: Account) -> Doc:
    location = doc["location"] or {}
    parts = {f"location_{part}": value for part, value in location.items() if part != "value"}
    participants = [{"person_id": one["person_id"], "primary_flag": one["primary"]} for one in doc["participants"]]
    return {
        **_without(doc, "owner_id", "busy", "location", "participants", "creator_user_id", "priority", "outcome"),
        "user_id": doc["owner_id"],
        "created_by_user_id": doc["creator_user_id"],
        "busy_flag": doc["busy"],
        "active_flag": not doc["is_deleted"],
        "location": location.get("value"),
        **parts,
        "due_time": (doc["due_time"] or "")[:5],
        "duration": (doc["duration"] or "")[:5],
        "participants": participants,
        "person_name": _name(account, "person", doc["person_id"], "name"),
        "org_name": _name(account, "organization", doc["org_id"], "name"),
        "deal_title": _name(account, "deal", doc["deal_id"], "title"),
        "owner_name": account.members[doc["owner_id"]].name,
    }


def _product(doc: Doc, account: Account) -> Doc:
    return {
        **_without(doc, "is_linkable", "billing_frequency", "billing_frequency_cycles"),
        "active_flag": not doc["is_deleted"],
        "selectable": doc["is_linkable"],
        "first_char": doc["name"][:1].lower(),
    }


def _pipeline(doc: Doc, account: Account) -> Doc:
    return {
        **_without(doc, "is_deal_probability_enabled"),
        "active": not doc["is_deleted"],
        "deal_probability": doc["is_deal_probability_enabled"],
    }


def _stage(doc: Doc, account: Account) -> Doc:
    return {
        **_without(doc, "is_deal_rot_enabled", "days_to_rotten"),
        "active_flag": not doc["is_deleted"],
        "rotten_flag": doc["is_deal_rot_enabled"],
        "rotten_days": doc["days_to_rotten"],
    }


def _as_stored(doc: Doc, account: Account) -> Doc:
    return doc


_FORMS: Mapping[str, Callable[[Doc, Account], Doc]] = {
    "person": _person,
    "organization": _organization,
    "deal": _deal,
    "activity": _activity,
    "product": _product,
    "pipeline": _pipeline,
    "stage": _stage,
    "activity_type": _as_stored,
    "note": _as_stored,
    "file": _as_stored,
}


def _name(account: Account, table: str, number: int | None, label: str) -> str | None:
    if number is None:
        return None
    found = account.store.select(table, f"json_extract(doc, '$.{label}')", [("id = ?", (number,))])
    return found[0][0] if found else None


def _customs(values: Mapping[str, Any]) -> Doc:
    """Return custom values as top-level keys: sets and choices in text, companions as `KEY_currency` and the like."""
    made: Doc = {}
    for key, value in values.items():
        if isinstance(value, dict):
            made[key] = value.get("value")
            made |= {f"{key}_{part}": one for part, one in value.items() if part != "value"}
        elif isinstance(value, list):
            made[key] = ",".join(map(str, value))
        else:
            made[key] = value
    return made
