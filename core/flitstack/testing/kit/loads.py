"""Exports for the suite of destinations: small ones, in which every rule and every awkward value occurs once."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from flitstack.testing.simulation.exports import Rows

STREAM_OF = {"company": "companies", "contact": "contacts", "visit": "visits", "round": "tasks", "memo": "memos"}

#: Texts that a destination keeps exactly as they are, or says that it does not.
UNICODE: Mapping[str, str] = {
    "right to left": "\u05d0\u05d1\u05d2 \u0639\u0631\u0628\u064a",
    "composed": "Ren\u00e9 \u00c5str\u00f6m",
    "decomposed": "Rene\u0301 A\u030astro\u0308m",
    "outside the basic plane": "\U0001f9b7 \U00020bb7\u91ce",
    "joined": "\U0001f469\u200d\u2695\ufe0f",
    "other scripts": "\u0141\u00f3d\u017a \u1e9e \u0130 \u4e2d\u6587 \u0e44\u0e17\u0e22",
}
SPECIAL: Mapping[str, str] = {
    "quotes": 'O\'Neil "Bo" \u2018x\u2019',
    "markup": "<b>Ann</b> &amp; Bob & Co",
    "formula": "=1+1",
    "backslashes": "a\\b\\n c%20d %s {0} {{x}} ${y}",
    "separators": "a,b;c|d\te",
    "injection": "Robert'); DROP TABLE contacts;--",
    "words for nothing": "null",
}


def contact(name: str | None, **more: Any) -> dict[str, Any]:
    """Return a contact's data."""
    empty = dict.fromkeys(("phone", "status", "company_id", "boss_id", "staff_id", "born", "score", "since"))
    return {"name": name, **empty, **more}


def company(name: str | None, main: str | None = None, partner: str | None = None) -> dict[str, Any]:
    """Return a company's data."""
    return {"name": name, "main_id": main, "partner_id": partner}


def typical() -> Rows:
    """Return an export that has everything once: circles, orphans, groups, owners, what is left out or refused."""
    return {
        "staff": {
            "s1": {"name": "Sam", "email": "sam@example.org"},
            "s2": {"name": "Nora", "email": "nora@example.org"},
            "s3": {"name": "Gil", "email": "gil@example.org"},
        },
        "companies": {
            "1": company("Ace", "1", "2"),
            "2": company("Bee", None, "1"),
            "3": company("Cee", "7", "3"),
        },
        "contacts": {
            "1": contact("Ann", phone="+49 30 1", company_id="1", boss_id="2", staff_id="s1",
                         born="1980-02-29", since="2026-03-29T00:30:00Z", score="12.5"),
            "2": contact("Bob", company_id="1", boss_id="1", staff_id="s2"),
            "3": contact(None, company_id="1"),
            "4": contact("Dan", status="inactive"),
            "5": contact("Eve", boss_id="5", company_id="99", since="2025-12-31T23:59:59Z"),
            "7": contact("Gus", phone="+1 555 7", staff_id="s3", boss_id="3"),
        },
        "labels": {
            "l1": {"contact_id": "1", "label": "blue"},
            "l2": {"contact_id": "1", "label": "red"},
            "l3": {"contact_id": "4", "label": "green"},
        },
        "visits": {
            "v1": {"contact_id": "1", "kind": "check", "note": "first"},
            "v2": {"contact_id": "2", "kind": "call", "note": "second"},
            "v3": {"contact_id": "99", "kind": "call", "note": "of nobody"},
            "v4": {"contact_id": "4", "kind": "call", "note": "of one who stays"},
        },
        "tasks": {
            "t1": {"contact_id": "1", "day": "2026-06-01", "what": "sweep"},
            "t2": {"contact_id": "1", "day": "2026-06-01", "what": "mop"},
            "t3": {"contact_id": "2", "day": "2026-06-02", "what": "dust"},
        },
        "memos": {
            "m1": {"contact_id": "1", "name": "plan.txt", "size": 3},
            "m2": {"contact_id": "1", "name": "plan.txt", "size": 4},
            "m3": {"contact_id": "2", "name": "plan.txt", "size": 5},
        },
    }  # fmt: skip


def contacts(names: Mapping[str, str]) -> Rows:
    """Return an export of contacts alone."""
    return {"contacts": {one: contact(name) for one, name in names.items()}}


def many(count: int) -> Rows:
    """Return an export of so many contacts."""
    return contacts({str(number): f"Contact {number}" for number in range(1, count + 1)})


def changed(rows: Rows, stream: str, one: str, **data: Any) -> Rows:
    """Return the export with fields of one record changed."""
    later = copy.deepcopy(rows)
    later[stream][one].update(data)
    return later


def held_by(rows: Rows, holds: Mapping[str, Iterable[str]]) -> Rows:
    """Return what of an export a destination can hold."""
    wanted = {STREAM_OF[kind] for kind in holds}
    fields = set(holds.get("contact", ()))
    wanted |= ({"staff"} if "@owner" in fields else set()) | ({"labels"} if "labels" in fields else set())
    return {stream: found for stream, found in rows.items() if stream in wanted}
