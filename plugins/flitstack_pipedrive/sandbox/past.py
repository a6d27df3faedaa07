"""Gives a new account a past: people, fields, deals and users that were there before any migration came."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from flitstack.errors import UsageError
from flitstack_pipedrive.sandbox.hand import Hand
from flitstack_pipedrive.sandbox.seeds import read_json, seed_file

if TYPE_CHECKING:
    from pathlib import Path

    from flitstack_pipedrive.sandbox.account import Account

# In the order in which they can refer to each other.
SECTIONS: Mapping[str, str] = MappingProxyType(
    {
        "fields": "field",
        "pipelines": "pipeline",
        "activity_types": "activity_type",
        "organizations": "organization",
        "persons": "person",
        "deals": "deal",
        "leads": "lead",
        "activities": "activity",
        "notes": "note",
        "files": "file",
    }
)


@dataclass(frozen=True, slots=True)
class Past:
    """What a seed file holds.

    :param users: `name, email`, and `is_admin, active` where they are not false and true.
    :param items: per section, as `Hand` reads them.
    """

    where: str
    users: tuple[Mapping[str, Any], ...]
    items: Mapping[str, tuple[Mapping[str, Any], ...]]


def read_past(source: str | Path) -> Past:
    """Return the past in a JSON file, or the one shipped under this name (`practice`).

    :raises UsageError: the file cannot be read or has a section that nobody knows.
    """
    path = seed_file(source)
    whole = read_json(path)
    known = {"about", "users", *SECTIONS}
    if not isinstance(whole, Mapping) or set(whole) - known:
        raise UsageError(f"{path}: needs an object with {', '.join(sorted(known))} only.")
    for name, items in whole.items():
        if name != "about" and not (isinstance(items, list) and all(isinstance(item, Mapping) for item in items)):
            raise UsageError(f'{path}: "{name}" needs a list of objects.')
    return Past(str(path), tuple(whole.get("users", ())), {name: tuple(whole.get(name, ())) for name in SECTIONS})


def live_through(account: Account, past: Past) -> None:
    """Fill a new account; everything passes the API's own checks.

    :raises UsageError: an entry is refused; says which and why.
    """
    with account.store.transaction():
        for user in past.users:
            account.add_member(user["name"], user["email"], is_admin=user.get("is_admin", False), active=True)
    hand = Hand(account, next(iter(account.members.values())))
    for section, kind in SECTIONS.items():
        for place, item in enumerate(past.items[section], 1):
            try:
                hand.add(kind, item)
            except (UsageError, KeyError) as exc:
                raise UsageError(f"{past.where}, {section}, entry {place}: {exc}") from exc
    # Last, because only who is active can be given what they own.
    for user in past.users:
        if not user.get("active", True):
            account.deactivate(user["email"])
