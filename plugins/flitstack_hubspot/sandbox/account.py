"""One imitated account: its store, clock, switches, and what it has from the start."""

from __future__ import annotations

import copy
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from flitstack_hubspot.plans import TIERS
from flitstack_hubspot.sandbox import types

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from flitstack.clock import Clock
    from flitstack_hubspot.sandbox.store import Store

USERS = (
    ("Alex", "Admin", "alex.admin@practice.example", True, True),
    ("Sam", "Staff", "sam.staff@practice.example", False, True),
    ("Dana", "Departed", "dana.departed@practice.example", False, False),
)


@dataclass(slots=True)
class Switches:
    """What a test may change of an account's manners.

    :param list_lag_s: a list shows a record only so long after it was made.
    :param burst: requests in ten seconds instead of the tier's.
    :param properties, pipelines: custom properties of all objects together, and deal pipelines, that it may have.
    :param self_associations: a record may be associated with itself; whether HubSpot takes that is not known.
    :param refuse: tells of an object and properties that a create is refused.
    """

    list_lag_s: float = 0.0
    burst: int | None = None
    properties: int = 10_000
    pipelines: int = 100
    self_associations: bool = False
    refuse: Callable[[str, Mapping[str, str]], bool] | None = None


@dataclass(slots=True)
class Account:
    """An account and its state.

    :param tier: `free`, `starter`, `professional` or `enterprise`: what limits it has.
    """

    store: Store
    clock: Clock
    tier: str = "professional"
    switches: Switches = field(default_factory=Switches)

    def now(self) -> datetime:
        """Return the account's time, UTC."""
        return self.clock.now()

    @property
    def burst(self) -> int:
        """Requests in ten seconds."""
        return self.switches.burst or TIERS[self.tier][0]

    @property
    def daily(self) -> int:
        """Requests a day."""
        return TIERS[self.tier][1]

    def found(self, seed: int | None) -> None:
        """Give a new account what it has from the start, unless it is kept already."""
        if not self.store.is_new:
            return
        details = {"portalId": 4_815_162, "timeZone": "US/Eastern", "companyCurrency": "USD", "uiDomain": "app.hubspot"}
        self.store.put("meta", "details", details | {"additionalCurrencies": [], "accountType": "SANDBOX"})
        for object in types.OBJECTS:
            for definition in types.native_properties(object):
                self.store.put(f"property:{object}", definition["name"], copy.deepcopy(definition))
            name = types.group_of(object)
            self.store.put(f"group:{object}", name, {"name": name, "label": name, "archived": False})
        self.store.put("pipeline", "default", copy.deepcopy(types.DEFAULT_PIPELINE))
        for first, last, email, is_admin, is_active in USERS:
            self.add_user(first, last, email, is_admin=is_admin, is_active=is_active, seed=seed)
        self.store.commit()

    def add_user(
        self,
        first: str,
        last: str,
        email: str,
        *,
        is_admin: bool = False,
        is_active: bool = True,
        seed: int | None = None,
    ) -> dict[str, Any]:
        """Add a user who owns records, and the token of a private app that the user made."""
        number, owner = self.store.next_id(), self.store.next_id()
        token = f"pat-na1-sandbox-{number}-{secrets.token_hex(8) if seed is None else seed}"
        user = {"id": number, "email": email, "superAdmin": is_admin, "firstName": first, "lastName": last}
        self.store.put("user", number, user | {"token": token, "active": is_active})
        record = {"id": owner, "email": email, "firstName": first, "lastName": last, "userId": int(number)}
        self.store.put("owner", owner, record | {"archived": not is_active})
        return user
