"""What the page shows, as plain data: sums, pages of records, one record with what hangs on it, the deals' board."""

from __future__ import annotations

import json
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from flitstack_pipedrive.sandbox.dump import by_name, fields_of
from flitstack_pipedrive.sandbox.resources.users import COMPANY_NAME

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flitstack_pipedrive.sandbox.account import Account
    from flitstack_pipedrive.sandbox.answers import Doc
    from flitstack_pipedrive.sandbox.app import Sandbox
    from flitstack_pipedrive.sandbox.state import Where

PAGE = 50
CARDS = 30
KINDS = ("person", "organization", "deal", "lead", "activity", "note", "file")
_TITLES = MappingProxyType(
    {
        "person": "name",
        "organization": "name",
        "deal": "title",
        "lead": "title",
        "activity": "subject",
        "note": "content",
        "file": "name",
    }
)
_LIVE: Where = ("deleted = 0", ())
# What hangs on a record, and by which column.
_CHILDREN = MappingProxyType(
    {
        "person": (
            ("deal", "person_id"),
            ("lead", "person_id"),
            ("activity", "person_id"),
            ("note", "person_id"),
            ("file", "person_id"),
        ),
        "organization": (("person", "org_id"), ("deal", "org_id"), ("note", "org_id"), ("file", "org_id")),
        "deal": (("activity", "deal_id"), ("note", "deal_id"), ("file", "deal_id")),
    }
)


def summary(sandbox: Sandbox, query: Mapping[str, str]) -> Doc:
    """Return the account's name, plan, users, counts, tokens and traffic."""
    account, limits, traffic = sandbox.account, sandbox.limits, sandbox.front.traffic
    return {
        "company": COMPANY_NAME,
        "now": account.now(),
        # Differs whenever the account may have: the page reads its rows again.
        "changes": f"{traffic.total}:{len(sandbox.front.human.done)}",
        "seats": account.seats,
        "users": [
            {"name": member.name, "email": member.email, "is_admin": member.is_admin, "active": member.active}
            for member in account.members.values()
        ],
        "counts": {kind: account.store.count(kind, [_LIVE]) for kind in (*KINDS, "field")},
        "tokens": {"left": max(0, limits.daily_limit - limits.used), "limit": limits.daily_limit},
        "requests": {"total": traffic.total, "per_second": traffic.per_second(account.clock.monotonic())},
    }


def records(sandbox: Sandbox, query: Mapping[str, str]) -> Doc:
    """Return one page of records of a kind, newest first; `text` narrows them by what their name contains."""
    kind, start = _kind(query), max(0, int(query.get("start", 0)))
    account = sandbox.account
    wheres: list[Where] = [_LIVE]
    if query.get("text"):
        wheres.append((f"instr(lower(json_extract(doc, '$.{_TITLES[kind]}')), lower(?)) > 0", (query["text"],)))
    rows = account.store.select(kind, "id, doc", wheres, "id DESC", PAGE + 1, start)
    return {
        "rows": [_shown(account, kind, int(number), json.loads(doc)) for number, doc in rows[:PAGE]],
        "start": start,
        "more": len(rows) > PAGE,
        "total": account.store.count(kind, wheres),
    }


def record(sandbox: Sandbox, query: Mapping[str, str]) -> Doc:
    """Return one record in full: its values, its custom fields by name, and what hangs on it."""
    kind, account = _kind(query), sandbox.account
    number = int(query["id"])
    row = account.store.find(kind, [("id = ?", (number,)), _LIVE])
    if row is None:
        raise KeyError(number)
    fields = fields_of(account, "deal" if kind == "lead" else kind)
    hanging: dict[str, list[Doc]] = {}
    for child, column in _CHILDREN.get(kind, ()):
        rows = account.store.select(child, "id, doc", [_LIVE, (f"{column} = ?", (number,))], "id DESC", PAGE)
        hanging[child] = [_shown(account, child, int(found), json.loads(doc)) for found, doc in rows]
    shown = _shown(account, kind, number, row.doc)
    customs = {name: _words(account, name, value, fields) for name, value in by_name(row.doc, fields).items()}
    return {"record": shown, "fields": {k: v for k, v in customs.items() if v is not None}, "hanging": hanging}


def board(sandbox: Sandbox, query: Mapping[str, str]) -> Doc:
    """Return the pipelines, and of one of them each stage with its deals: how many, worth what, and the newest."""
    account = sandbox.account
    pipelines = [{"id": doc["id"], "name": doc["name"]} for doc in account.store.docs("pipeline")]
    chosen = int(query.get("pipeline") or (pipelines[0]["id"] if pipelines else 0))
    stages = account.store.docs("stage", [_LIVE, ("pipeline_id = ?", (chosen,))], "order_nr, id")
    return {"pipelines": pipelines, "chosen": chosen, "stages": [_stage(account, stage) for stage in stages]}


def _stage(account: Account, stage: Doc) -> Doc:
    wheres: list[Where] = [_LIVE, ("stage_id = ?", (stage["id"],))]
    rows = account.store.select("deal", "id, doc", wheres, "id DESC", CARDS)
    sums = account.store.select(
        "deal",
        "COUNT(*), COALESCE(SUM(json_extract(doc, '$.value')), 0), MAX(json_extract(doc, '$.currency'))",
        wheres,
        "1",
    )
    count, value, currency = sums[0]
    return {
        "name": stage["name"],
        "count": count,
        "value": value,
        "currency": currency,
        "deals": [_shown(account, "deal", int(number), json.loads(doc)) for number, doc in rows],
    }


def fields(sandbox: Sandbox, query: Mapping[str, str]) -> list[Doc]:
    """Return the custom fields of all objects."""
    return [
        {
            "of": entity,
            "name": doc["field_name"],
            "type": doc["field_type"],
            "options": [option["label"] for option in doc["options"] or ()],
            "key": doc["field_code"],
        }
        for entity in ("person", "organization", "deal")
        for doc in fields_of(sandbox.account, entity).values()
    ]


def _kind(query: Mapping[str, str]) -> str:
    if query["kind"] not in KINDS:
        raise KeyError(query["kind"])
    return query["kind"]


def _shown(account: Account, kind: str, number: int, doc: Doc) -> Doc:
    """Return what a row of a table shows: references by name, never a raw id alone."""
    out: Doc = {"kind": kind, "id": number, "title": doc.get(_TITLES[kind]) or f"({kind} {number})"}
    owner = account.members.get(doc.get("owner_id") or doc.get("user_id") or 0)
    out["owner"] = owner.name if owner else None
    for key, table in (("person_id", "person"), ("org_id", "organization"), ("organization_id", "organization")):
        if doc.get(key):
            out[table] = _name(account, table, int(doc[key]))
    if doc.get("deal_id"):
        out["deal"] = _name(account, "deal", int(doc["deal_id"]), "title")
    out |= {key: doc[key] for key in _ALSO[kind] if doc.get(key) not in (None, "", [])}
    for key in ("emails", "phones"):
        if key in out:
            out[key] = [point["value"] for point in out[key]]
    if kind == "activity":
        out["type"] = account.activity_types().get(doc["type"], doc["type"])
    return out


def _name(account: Account, table: str, number: int, key: str = "name") -> str | None:
    found = account.store.select(table, f"json_extract(doc, '$.{key}')", [("id = ?", (number,))])
    return found[0][0] if found else None


def _words(account: Account, name: str, value: Any, fields: Mapping[str, Doc]) -> str | None:
    """Return a custom value as a person would write it."""
    if value is None:
        return None
    kind = next(field["field_type"] for field in fields.values() if field["field_name"] == name)
    match kind, value:
        case "people" | "org", int():
            return _name(account, "person" if kind == "people" else "organization", value)
        case "user", int():
            return account.members[value].name if value in account.members else None
        case _, {"value": amount, "currency": currency}:
            return f"{amount} {currency}"
        case _, {"value": first, "until": last}:
            return f"{first} - {last}"
        case _, {"value": line}:
            return str(line)
        case _, list():
            return ", ".join(map(str, value))
    return str(value)


_ALSO: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "person": ("emails", "phones", "add_time"),
        "organization": ("address", "add_time"),
        "deal": ("value", "currency", "status", "won_time", "lost_time", "lost_reason", "add_time"),
        "lead": ("value", "add_time"),
        "activity": ("due_date", "due_time", "duration", "done", "note"),
        "note": ("add_time",),
        "file": ("file_size", "file_type", "add_time"),
    }
)
