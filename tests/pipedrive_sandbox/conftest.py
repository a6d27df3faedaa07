"""A sandbox per test on a clock that only moves when told, and clients signed in as its users."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any, TypeAlias

import httpx
import pytest

from flitstack.clock import VirtualClock
from flitstack_pipedrive.sandbox.app import Sandbox

OpenSandbox: TypeAlias = Callable[..., Sandbox]
SignIn: TypeAlias = Callable[..., httpx.Client]
AddField: TypeAlias = Callable[..., dict[str, Any]]


class InProcess(httpx.BaseTransport):
    """Carries requests to the ASGI app without a network."""

    def __init__(self, runner: asyncio.Runner, sandbox: Sandbox) -> None:
        self._runner = runner
        self._app = httpx.ASGITransport(sandbox.app)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return self._runner.run(self._answer(request))

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        answer = await self._app.handle_async_request(request)
        return httpx.Response(answer.status_code, headers=answer.headers, content=await answer.aread())


@pytest.fixture(scope="session")
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as running:
        yield running


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(datetime(2026, 3, 2, 9, 0, tzinfo=UTC))


@pytest.fixture
def open_sandbox(clock: VirtualClock) -> Iterator[OpenSandbox]:
    """Open sandboxes with any settings; all are closed after the test."""
    opened: list[Sandbox] = []

    def make(path: str | None = None, **settings: Any) -> Sandbox:
        sandbox = Sandbox(path, **{"plan": "ultimate", "clock": clock, **settings})
        opened.append(sandbox)
        return sandbox

    yield make
    for sandbox in opened:
        sandbox.close()


@pytest.fixture
def sandbox(open_sandbox: OpenSandbox) -> Sandbox:
    return open_sandbox()


@pytest.fixture(scope="session")
def sign_in_anywhere(runner: asyncio.Runner) -> SignIn:
    """Return a client of a sandbox's user: 0 is the admin, 1 is not, None has no token."""

    def client(sandbox: Sandbox, user: int | None = 0) -> httpx.Client:
        headers = {} if user is None else {"x-api-token": sandbox.users[user]["token"]}
        return httpx.Client(transport=InProcess(runner, sandbox), base_url="http://sandbox.example", headers=headers)

    return client


@pytest.fixture
def sign_in(sign_in_anywhere: SignIn) -> SignIn:
    return sign_in_anywhere


@pytest.fixture
def admin(sandbox: Sandbox, sign_in: SignIn) -> httpx.Client:
    return sign_in(sandbox, 0)


@pytest.fixture
def staff(sandbox: Sandbox, sign_in: SignIn) -> httpx.Client:
    return sign_in(sandbox, 1)


@pytest.fixture
def person(admin: httpx.Client) -> int:
    """Return the id of a person."""
    number: int = admin.post("/api/v2/persons", json={"name": "Robin Example"}).json()["data"]["id"]
    return number


@pytest.fixture
def add_field(admin: httpx.Client) -> AddField:
    """Return what creates a custom field of an entity and returns it."""

    def create(entity: str, kind: str, name: str = "Field", **more: Any) -> dict[str, Any]:
        body = {"field_name": name, "field_type": kind, **more}
        field: dict[str, Any] = admin.post(f"/api/v2/{entity}Fields", json=body).json()["data"]
        return field

    return create
