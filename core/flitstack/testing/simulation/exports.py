"""Invented exports: a few companies, contacts who know each other, and what happened with them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    import random

#: stream to id to the record's data
Rows: TypeAlias = "dict[str, dict[str, dict[str, Any]]]"

STREAMS = ("staff", "companies", "contacts", "labels", "visits", "tasks", "memos", "ledger")
MISSING = "99"
LABELS = ("blue", "green", "red")
DAYS = ("2026-06-01", "2026-06-02")
KINDS = ("check", "call")
EMAILS = ("sam@example.org", "nora@example.org", "gil@example.org")


def first_export(dice: random.Random) -> Rows:
    """Return an export: families and circles, orphans, flawed records, several streams, some of them absent."""
    rows: Rows = {"staff": {f"s{n}": {"name": f"Staff {n}", "email": email} for n, email in enumerate(EMAILS)}}
    companies = [str(n) for n in range(1, dice.randint(1, 3) + 1)]
    contacts = [str(n) for n in range(1, dice.randint(2, 7) + 1)]
    rows["companies"] = {one: _company(dice, one, companies, contacts) for one in companies}
    rows["contacts"] = {one: _contact(dice, one, companies, contacts) for one in contacts}
    for stream, make, most in (
        ("labels", _label, 5), ("visits", _visit, 6), ("tasks", _task, 5), ("memos", _memo, 3), ("ledger", _line, 1)
    ):  # fmt: skip
        if dice.random() < 0.8:
            count = dice.randint(0, most)
            rows[stream] = {f"{stream[0]}{n}": make(dice, contacts, n) for n in range(1, count + 1)}
    return rows


def second_export(dice: random.Random, first: Rows) -> Rows:
    """Return a later export: some records changed, some new, some gone, some streams absent."""
    rows: Rows = {stream: {one: dict(data) for one, data in found.items()} for stream, found in first.items()}
    contacts, companies = list(rows["contacts"]), list(rows["companies"])
    for one in dice.sample(contacts, dice.randint(0, len(contacts))):
        _change_contact(dice, rows["contacts"][one], one, companies, contacts)
    for one in companies:
        if dice.random() < 0.3 and rows["companies"][one]["name"]:
            rows["companies"][one]["name"] = f"Company {one} Ltd"
    for data in rows.get("visits", {}).values():
        if dice.random() < 0.3:
            data["note"] = f"{data['note']} again"
    for number in range(dice.randint(0, 3)):
        new = f"n{number}"
        rows["contacts"][new] = _contact(dice, new, companies, [*contacts, new])
        rows.setdefault("visits", {})[f"w{number}"] = _visit(dice, [*contacts, new], 50 + number)
        rows.setdefault("labels", {})[f"m{number}"] = _label(dice, [*contacts, new], 50 + number)
    for stream in ("labels", "visits", "memos"):
        if rows.get(stream) and dice.random() < 0.2:
            del rows[stream][dice.choice(list(rows[stream]))]
    for stream in ("companies", "labels", "visits", "tasks", "memos", "ledger"):
        if dice.random() < 0.15:
            rows.pop(stream, None)
    return rows


def merged(exports: tuple[Rows, ...]) -> Rows:
    """Return what is known after all of these: what an export leaves out stays as it was."""
    known: Rows = {}
    for rows in exports:
        for stream, found in rows.items():
            known.setdefault(stream, {}).update(found)
    return known


def _maybe(dice: random.Random, values: list[str], chance: float) -> str | None:
    return dice.choice(values) if values and dice.random() < chance else None


def _company(dice: random.Random, one: str, companies: list[str], contacts: list[str]) -> dict[str, Any]:
    name = f"Company {one}" if dice.random() < 0.95 else None
    return {"name": name, "main_id": _maybe(dice, contacts, 0.5), "partner_id": _maybe(dice, companies, 0.4)}


def _contact(dice: random.Random, one: str, companies: list[str], contacts: list[str]) -> dict[str, Any]:
    return {
        "name": f"Contact {one}" if dice.random() < 0.95 else None,
        "phone": _maybe(dice, ["+49 30 1", "+49 30 2", "+1 555 3"], 0.8),
        "status": "inactive" if dice.random() < 0.05 else None,
        "company_id": _maybe(dice, [*companies, MISSING], 0.6),
        "boss_id": _maybe(dice, contacts, 0.6),
        "staff_id": _maybe(dice, ["s0", "s1", "s2"], 0.5),
    }


def _change_contact(
    dice: random.Random, data: dict[str, Any], one: str, companies: list[str], contacts: list[str]
) -> None:
    if data["name"] and dice.random() < 0.4:
        data["name"] = f"Contact {one} the Younger"
    if dice.random() < 0.5:
        data["phone"] = dice.choice(["+49 30 7", "+49 30 8"])
    if dice.random() < 0.4:
        data["boss_id"] = _maybe(dice, [*contacts, "n0", "n1"], 0.8)
    if dice.random() < 0.4:
        data["company_id"] = _maybe(dice, companies, 0.8)


def _label(dice: random.Random, contacts: list[str], number: int) -> dict[str, Any]:
    return {"contact_id": dice.choice(contacts), "label": dice.choice(LABELS)}


def _visit(dice: random.Random, contacts: list[str], number: int) -> dict[str, Any]:
    contact = dice.choice([*contacts, *contacts, MISSING])
    return {"contact_id": contact, "kind": dice.choice(KINDS), "note": f"note {number}"}


def _task(dice: random.Random, contacts: list[str], number: int) -> dict[str, Any]:
    return {"contact_id": dice.choice(contacts), "day": dice.choice(DAYS), "what": f"what {number}"}


def _memo(dice: random.Random, contacts: list[str], number: int) -> dict[str, Any]:
    return {"contact_id": dice.choice(contacts), "name": dice.choice(("plan.txt", "list.txt")), "size": 10 + number}


def _line(dice: random.Random, contacts: list[str], number: int) -> dict[str, Any]:
    return {"amount": "1"}
