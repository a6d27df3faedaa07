"""The embedded sandbox: a Pipedrive account that lives in one file and answers the API as documented."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flitstack.clock import Clock, SystemClock
from flitstack_pipedrive.sandbox.account import Account
from flitstack_pipedrive.sandbox.dump import dump
from flitstack_pipedrive.sandbox.faults import FaultRule, Faults
from flitstack_pipedrive.sandbox.gateway import Gateway
from flitstack_pipedrive.sandbox.limits import Limits
from flitstack_pipedrive.sandbox.plans import plan_named
from flitstack_pipedrive.sandbox.state import Store
from flitstack_pipedrive.sandbox.switches import Switches

if TYPE_CHECKING:
    from collections.abc import Iterable

    from starlette.types import ASGIApp

__all__ = ["FaultRule", "Sandbox", "Switches"]


class Sandbox:
    """One account and the ASGI application in front of it. A development aid, not Pipedrive."""

    def __init__(
        self,
        path: str | None = None,
        *,
        plan: str = "growth",
        seats: int = 1,
        clock: Clock | None = None,
        seed: int = 0,
        switches: Switches | None = None,
        faults: Iterable[FaultRule] = (),
    ) -> None:
        """Open the account kept at `path`, or a new one; None keeps it in a temporary file until `close`.

        :param seed: decides keys, tokens and ids of a new account; an account that exists keeps its own.
        :raises UsageError: the plan is unknown, or the file cannot be used.
        """
        bought = plan_named(plan)
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        if path is None:
            self._folder = tempfile.TemporaryDirectory(prefix="flit-sandbox-")
            path = str(Path(self._folder.name) / "state.db")
        store = Store(path)
        kept = store.meta("seed")
        own = int(kept) if kept is not None else seed
        self._account = Account(store, clock or SystemClock(), bought, seats, switches or Switches(), own)
        if kept is None:
            self._account.found()
        else:
            self._account.load_members()
        self._limits = Limits(self._account)
        self._gateway = Gateway(self._account, self._limits, Faults(faults, seed))
        self._closed = False

    @property
    def app(self) -> ASGIApp:
        """Return the ASGI application."""
        return self._gateway

    @property
    def users(self) -> list[dict[str, Any]]:
        """Return `email, token, is_admin` of the active users; the first is an admin."""
        return [
            {"email": member.email, "token": member.token, "is_admin": member.is_admin}
            for member in self._account.members.values()
            if member.active
        ]

    @property
    def tokens_used(self) -> int:
        """Return the tokens used on the current day."""
        return self._limits.used

    def add_user(self, name: str, email: str, *, is_admin: bool = False, active: bool = True) -> dict[str, Any]:
        """Add a user and return `id, email, token, is_admin`."""
        with self._gateway.lock, self._account.store.transaction():
            member = self._account.add_member(name, email, is_admin=is_admin, active=active)
        return {"id": member.id, "email": member.email, "token": member.token, "is_admin": member.is_admin}

    def set_faults(self, rules: Iterable[FaultRule]) -> None:
        """Put these fault rules in the place of the present ones."""
        self._gateway.faults = Faults(rules, self._account.seed)

    def dump(self) -> dict[str, list[dict[str, Any]]]:
        """Return the live state per object; see `flitstack_pipedrive.sandbox.dump`."""
        with self._gateway.lock:
            return dump(self._account)

    def close(self) -> None:
        """Close the state; a temporary one is removed."""
        if self._closed:
            return
        self._closed = True
        self._limits.save()
        self._account.store.close()
        if self._folder is not None:
            self._folder.cleanup()

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()
