"""The index that searches ask: a copy of what can be searched, taken when a change is old enough to be known to it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from flitstack_pipedrive.sandbox.state import Row
from flitstack_pipedrive.sandbox.texts import v2_time

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from flitstack_pipedrive.sandbox.account import Account
    from flitstack_pipedrive.sandbox.answers import Doc
    from flitstack_pipedrive.sandbox.state import Where

KINDS = ("deal", "lead", "person", "organization", "product", "file")
SEARCHABLE = frozenset({"address", "varchar", "text", "varchar_auto", "double", "monetary", "phone"})
DELETED_PERSON_S = 3600
_LINK = MappingProxyType({"person": "person_id", "organization": "org_id", "deal": "deal_id", "lead": "lead_id"})
_ALWAYS = "0000"


@dataclass(frozen=True, slots=True)
class Entry:
    """One indexed record.

    :param texts: what can be found, by search field (`name`, `email`, `custom_fields` ...).
    :param codes: what `itemSearch/field` finds, by field code.
    :param gone: when it was deleted, or None.
    """

    kind: str
    of_id: int
    doc: Doc
    texts: Mapping[str, list[str]]
    codes: Mapping[str, str]
    gone: str | None


def synchronise(account: Account) -> None:
    """Copy into the index what changed since the last time and is at least `search_lag_s` old."""
    known = v2_time(account.clock.now() - timedelta(seconds=account.switches.search_lag_s))
    with account.store.transaction():
        for kind in KINDS:
            since = account.store.meta(f"indexed:{kind}") or _ALWAYS
            for number in _changed(account, kind, since, known):
                _index(account, kind, number)
            account.store.set_meta(f"indexed:{kind}", known)


def _changed(account: Account, kind: str, since: str, known: str) -> Iterable[int]:
    """Return the records to index anew: those that changed, and those whose notes did."""
    window: Where = ("update_time >= ? AND update_time <= ?", (since, known))
    found = {int(number) for (number,) in account.store.select(kind, "id", [window])}
    if kind in _LINK:
        column = _LINK[kind]
        key = "uid" if kind == "lead" else "id"
        noted = f"{key} IN (SELECT {column} FROM note WHERE update_time >= ? AND update_time <= ?)"  # noqa: S608 - ours
        with_notes: list[Where] = [(noted, (since, known)), ("update_time <= ?", (known,))]
        found |= {int(number) for (number,) in account.store.select(kind, "id", with_notes)}
    return sorted(found)


def _index(account: Account, kind: str, number: int) -> None:
    row = account.store.find(kind, [("id = ?", (number,))])
    if row is None:
        return
    keeps = account.switches.search_keeps_deleted and kind in ("person", "organization")
    texts = {name: values for name, values in _TEXTS[kind](row.doc).items() if values}
    codes = _codes(account, kind, row.doc)
    if codes:
        texts["custom_fields"] = [codes[code] for code in codes if len(code) == 40]
    if kind in _LINK:
        texts["notes"] = _notes(account, kind, row)
    words = "\n".join(text for values in texts.values() for text in values)
    doc = {
        "record": row.doc,
        "texts": texts,
        "codes": {**_own_codes(kind, row.doc), **codes},
        "gone": row.updated if row.deleted else None,
        "kind": kind,
        "of_id": number,
        "words": f"{words}\n{words.lower()}",
    }
    entry = Row(
        number * len(KINDS) + KINDS.index(kind), doc, row.added, row.updated, 0.0, row.deleted and not keeps, {}
    )
    account.store.put("search_entry", entry)


def entries(account: Account, kind: str, part: str) -> list[Entry]:
    """Return what is indexed of a kind and holds a text somewhere, in any case when the text is in small letters."""
    wheres: Sequence[Where] = [("deleted = 0 AND kind = ? AND instr(words, ?) > 0", (kind, part))]
    forgotten = v2_time(account.clock.now() - timedelta(seconds=DELETED_PERSON_S))
    found = []
    for doc in account.store.docs("search_entry", wheres):
        if doc["gone"] and kind == "person" and doc["gone"] < forgotten:
            continue
        found.append(Entry(kind, doc["of_id"], doc["record"], doc["texts"], doc["codes"], doc["gone"]))
    return found


def _points(points: Any) -> list[str]:
    return [point["value"] for point in points or ()]


def _line(address: Any) -> list[str]:
    return [address["value"]] if address else []


def _some(*values: Any) -> list[str]:
    return [str(value) for value in values if value]


_TEXTS: Mapping[str, Callable[[Doc], dict[str, list[str]]]] = {
    "person": lambda doc: {
        "name": _some(doc["name"]),
        "email": _points(doc["emails"]),
        "phone": _points(doc["phones"]),
    },
    "organization": lambda doc: {"name": _some(doc["name"]), "address": _line(doc["address"])},
    "deal": lambda doc: {"title": _some(doc["title"])},
    "lead": lambda doc: {"title": _some(doc["title"])},
    "product": lambda doc: {
        "name": _some(doc["name"]),
        "code": _some(doc["code"]),
        "description": _some(doc["description"]),
    },
    "file": lambda doc: {"name": _some(doc["name"])},
}


def _own_codes(kind: str, doc: Doc) -> dict[str, str]:
    """Return the built-in fields that `itemSearch/field` finds."""
    names = {"person": ("name",), "organization": ("name",), "product": ("name", "code"), "file": ()}
    return {name: doc[name] for name in names.get(kind, ("title",)) if doc[name]}


def _codes(account: Account, kind: str, doc: Doc) -> dict[str, str]:
    """Return the searchable custom values as text, by field code."""
    if kind == "file":
        return {}
    fields = account.custom_fields("deal" if kind == "lead" else kind)
    values = doc.get("custom_fields", doc)
    found = {}
    for code, field in fields.items():
        value = values.get(code)
        if value is not None and field.type in SEARCHABLE:
            found[code] = str(value["value"] if isinstance(value, dict) else value)
    return found


def _notes(account: Account, kind: str, row: Row) -> list[str]:
    wheres: list[Where] = [(f"deleted = 0 AND {_LINK[kind]} = ?", (row.hidden.get("uid", row.id),))]
    return [json.loads(doc)["content"] for (doc,) in account.store.select("note", "doc", wheres)]
