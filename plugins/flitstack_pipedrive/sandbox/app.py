"""The embedded sandbox: a Pipedrive account that lives in one file and answers the API as documented."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flitstack.clock import Clock, SystemClock
from flitstack.errors import UsageError
from flitstack_pipedrive.sandbox.account import Account
from flitstack_pipedrive.sandbox.canonical import canonical, fingerprint
from flitstack_pipedrive.sandbox.dump import dump
from flitstack_pipedrive.sandbox.faults import FaultRule, Faults
from flitstack_pipedrive.sandbox.front import Front
from flitstack_pipedrive.sandbox.gateway import Gateway
from flitstack_pipedrive.sandbox.human import Human, Step
from flitstack_pipedrive.sandbox.limits import Limits
from flitstack_pipedrive.sandbox.page import Page
from flitstack_pipedrive.sandbox.past import Past, live_through, read_past
from flitstack_pipedrive.sandbox.plans import plan_named
from flitstack_pipedrive.sandbox.state import Store
from flitstack_pipedrive.sandbox.switches import Switches

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterable

    from starlette.types import ASGIApp

__all__ = ["FaultRule", "Sandbox", "Step", "Switches"]


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
        past: str | Path | None = None,
        human: Iterable[Step] = (),
        log: Callable[[str], None] | None = None,
    ) -> None:
        """Open the account kept at `path`, or a new one; None keeps it in a temporary file until `close`.

        :param seed: decides keys, tokens and ids of a new account; an account that exists keeps its own.
        :param past: what a new account has lived through: `practice`, or a file as `docs/sandbox.md` describes it.
        :param human: what somebody at the practice does, and when.
        :param log: takes one line per request; the line names no query and no value.
        :raises UsageError: the plan is unknown, or the file cannot be used.
        """
        bought = plan_named(plan)
        lived = read_past(past) if past is not None else None
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        if path is None:
            self._folder = tempfile.TemporaryDirectory(prefix="flit-sandbox-")
            path = str(Path(self._folder.name) / "state.db")
        self._path = path
        store = Store(path)
        kept = store.meta("seed")
        own = int(kept) if kept is not None else seed
        self._account = Account(store, clock or SystemClock(), bought, seats, switches or Switches(), own)
        if kept is None:
            self._account.found()
            self._live_through(lived)
        else:
            self._account.load_members()
        self._limits = Limits(self._account)
        self._gateway = Gateway(self._account, self._limits)
        self._front = Front(
            self._account, self._gateway, Faults(faults, seed), Human(human), Page(self).answer, self.restart
        )
        self._front.log = log
        self._closed = False

    def _live_through(self, lived: Past | None) -> None:
        """Give a new account its past; of one that cannot be lived through nothing stays."""
        try:
            if lived is not None:
                live_through(self._account, lived)
        except UsageError:
            self._account.store.close()
            for suffix in ("", "-wal", "-shm"):
                Path(self._path + suffix).unlink(missing_ok=True)
            if self._folder is not None:
                self._folder.cleanup()
            raise

    @property
    def app(self) -> ASGIApp:
        """Return the ASGI application."""
        return self._front

    @property
    def users(self) -> list[dict[str, Any]]:
        """Return `email, token, is_admin` of the active users; the first is an admin."""
        return [
            {"email": member.email, "token": member.token, "is_admin": member.is_admin}
            for member in self._account.members.values()
            if member.active
        ]

    @property
    def account(self) -> Account:
        """Return the account behind the API: its store, members and clock."""
        return self._account

    @property
    def front(self) -> Front:
        """Return what stands before the API: traffic, faults, the log and the server's door."""
        return self._front

    @property
    def limits(self) -> Limits:
        """Return what counts requests and tokens."""
        return self._limits

    @property
    def lock(self) -> threading.RLock:
        """Return the lock under which the account changes."""
        return self._gateway.lock

    def restart(self) -> None:
        """Do what the end and a new start of the server would do: only what is in the state file survives."""
        with self._gateway.lock:
            self._limits.save()
            self._account.store.close()
            self._account.store = Store(self._path)
            self._account.schema_changed()
            self._account.load_members()
            self._limits = Limits(self._account)
            self._front.gateway = self._gateway = Gateway(self._account, self._limits)

    @property
    def tokens_used(self) -> int:
        """Return the tokens used on the current day."""
        return self._limits.used

    def use_up_budget(self) -> None:
        """Let others have used up the current day's tokens."""
        self._limits.use_up()

    def add_user(self, name: str, email: str, *, is_admin: bool = False, active: bool = True) -> dict[str, Any]:
        """Add a user and return `id, email, token, is_admin`."""
        with self._gateway.lock, self._account.store.transaction():
            member = self._account.add_member(name, email, is_admin=is_admin, active=active)
        return {"id": member.id, "email": member.email, "token": member.token, "is_admin": member.is_admin}

    def set_faults(self, rules: Iterable[FaultRule]) -> None:
        """Put these fault rules in the place of the present ones."""
        self._front.faults = Faults(rules, self._account.seed)

    def set_human(self, steps: Iterable[Step]) -> None:
        """Put these steps of a human in the place of those that are still to come; requests count from now."""
        self._front.human = Human(steps, self._front.traffic.total)

    def dump(self, *, deleted: bool = False) -> dict[str, list[dict[str, Any]]]:
        """Return the live, or what is deleted, per object; see `flitstack_pipedrive.sandbox.dump`."""
        with self._gateway.lock:
            self._front.catch_up()
            return dump(self._account, deleted=deleted)

    def canonical(self) -> dict[str, list[dict[str, Any]]]:
        """Return the live state without what differs from run to run; see `flitstack_pipedrive.sandbox.canonical`."""
        with self._gateway.lock:
            self._front.catch_up()
            return canonical(self._account)

    def fingerprint(self) -> str:
        """Return the SHA-256 of `canonical()`: equal for accounts that hold the same, whatever the way there."""
        return fingerprint(self.canonical())

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
