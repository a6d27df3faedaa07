"""What stands before the gateway: counts and logs requests, lets them go wrong on order, and lets the human act."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Protocol

from flitstack_pipedrive.sandbox import harm

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from flitstack.clock import Clock
    from flitstack_pipedrive.sandbox.account import Account
    from flitstack_pipedrive.sandbox.faults import Fault, Faults
    from flitstack_pipedrive.sandbox.gateway import Gateway
    from flitstack_pipedrive.sandbox.human import Human

RATE_WINDOW_S = 10.0
PAGES = "/_sandbox/"


class Door(Protocol):
    """The listening socket of a server."""

    async def shut(self, seconds: float) -> None:
        """Break every connection and refuse new ones until `seconds` have passed; returns at once."""
        ...


@dataclass(slots=True)
class Traffic:
    """How many API requests came: in all, and lately."""

    total: int = 0
    _times: deque[float] = field(default_factory=lambda: deque(maxlen=100_000))

    def count(self, now: float) -> None:
        """Count a request that came now, in seconds of the account's clock."""
        self.total += 1
        self._times.append(now)

    def per_second(self, now: float) -> float:
        """Return the mean of the last ten seconds."""
        while self._times and self._times[0] < now - RATE_WINDOW_S:
            self._times.popleft()
        return len(self._times) / RATE_WINDOW_S


@dataclass(frozen=True, slots=True)
class _Stopped:
    """A clock that stands where a late commit happens."""

    at: datetime
    clock: Clock

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return self.clock.monotonic()

    async def sleep(self, seconds: float) -> None:
        await self.clock.sleep(seconds)


class Front:
    """The ASGI application of a sandbox: the API, behind what may go wrong, and the page.

    :param gateway: replaced by `restart`.
    :param log: takes one line a request; None keeps silent.
    :param door: set by the server, so that connections can be refused for real.
    """

    def __init__(
        self,
        account: Account,
        gateway: Gateway,
        faults: Faults,
        human: Human,
        page: ASGIApp,
        restart: Callable[[], None],
    ) -> None:
        self.account = account
        self.gateway = gateway
        self.faults = faults
        self.human = human
        self.page = page
        self.log: Callable[[str], None] | None = None
        self.door: Door | None = None
        self.traffic = Traffic()
        self._restart = restart
        self._late: list[tuple[datetime, Callable[[], object]]] = []
        self._closed_until = 0.0
        self._storm_until = 0.0
        self._revoked: set[str] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request, or the server's own start and stop."""
        if scope["type"] != "http":
            return await self.gateway(scope, receive, send)
        if scope["path"] == "/" or scope["path"].startswith(PAGES):
            return await self.page(scope, receive, send)
        self.catch_up()
        self.traffic.count(self.account.clock.monotonic())
        if self.log is None:
            return await self._let_in(scope, receive, send)
        await self._logged(scope, receive, send, self.log)

    def catch_up(self) -> None:
        """Do what is due by now: the human's steps and the commits that come late."""
        if not self._late and not self.human.steps:
            return
        with self.gateway.lock:
            now = self.account.clock.now()
            for due, commit in [late for late in self._late if late[0] <= now]:
                self._late.remove((due, commit))
                self._commit_at(due, commit)
            self.human.act(self.account, self.traffic.total)

    def _commit_at(self, due: datetime, commit: Callable[[], object]) -> None:
        clock = self.account.clock
        self.account.clock = _Stopped(due, clock)
        try:
            commit()
        finally:
            self.account.clock = clock

    async def _let_in(self, scope: Scope, receive: Receive, send: Send) -> None:
        faults = self.faults.strike(scope["method"], scope["path"]) if self.faults.rules else ()
        if not faults and not self._closed_until and not self._storm_until and not self._revoked:
            return await self.gateway(scope, receive, send)
        # Kept, because a wrapped `send` hides the connection.
        line = harm.Line(scope, receive, send)
        clock = self.account.clock
        if clock.monotonic() < self._closed_until:
            return await line.refuse()
        loud = None
        for fault in faults:
            if not await self._quiet(fault):
                loud = fault
        if clock.monotonic() < self._storm_until:
            return await line.answer(harm.too_many(self._storm_until - clock.monotonic()))
        if harm.token_of(scope) in self._revoked:
            return await line.answer(harm.ordered(401))
        if loud is None:
            return await self.gateway(scope, receive, send)
        await self._strike(loud, line)

    async def _quiet(self, fault: Fault) -> bool:
        """Let a fault happen that leaves the request alive; return whether it was one."""
        if fault.kind == "latency":
            await self.account.clock.sleep(fault.amount)
        elif fault.kind in ("list_lag", "search_lag"):
            lag: dict[str, Any] = {f"{fault.kind}_s": fault.amount}
            self.account.switches = replace(self.account.switches, **lag)
        else:
            return False
        return True

    async def _strike(self, fault: Fault, line: harm.Line) -> None:
        clock = self.account.clock
        match fault.kind:
            case "status":
                await line.answer(harm.ordered(int(fault.amount)))
            case "drop_before":
                await line.drop()
            case "refuse" | "restart":
                if fault.kind == "restart":
                    self._restart()
                self._closed_until = clock.monotonic() + fault.amount
                if line.is_connection and self.door is not None:
                    await self.door.shut(fault.amount)
                await line.refuse()
            case "storm":
                self._storm_until = clock.monotonic() + fault.amount
                await line.answer(harm.too_many(fault.amount))
            case "revoke":
                self._revoked.add(harm.token_of(line.scope))
                await line.answer(harm.ordered(401))
            case "late_commit":
                commits: list[Callable[[], object]] = []
                await line.through(self.gateway, {"sandbox.later": commits})
                due = clock.now() + timedelta(seconds=fault.amount)
                self._late += [(due, commit) for commit in commits]
                await line.drop()
            case _:
                held = await line.through(self.gateway, {})
                await line.spoil(held, fault, clock)

    async def _logged(self, scope: Scope, receive: Receive, send: Send, log: Callable[[str], None]) -> None:
        """Let the request in and print its line: time, method, path without what was asked, status, milliseconds."""
        clock = self.account.clock
        came, status = clock.monotonic(), "broken off"

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = str(message["status"])
            await send(message)

        watched.__dict__["transport"] = harm.transport_of(send)
        try:
            await self._let_in(scope, receive, watched)
        finally:
            took = (clock.monotonic() - came) * 1000
            log(f"{clock.now():%H:%M:%S} {scope['method']} {scope['path']} {status} {took:.1f} ms")
