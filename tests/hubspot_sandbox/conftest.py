"""An imitated account and a plain HTTP client on it."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from flitstack.clock import VirtualClock
from flitstack_hubspot.sandbox.app import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator


class Http:
    """Sends requests as a private app would."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.token = sandbox.users[0]["token"]

    def send(self, method: str, path: str, body: Any = None, **more: Any) -> httpx.Response:
        """Return the answer."""
        headers = {"authorization": f"Bearer {self.token}"}

        async def sent() -> httpx.Response:
            transport = httpx.ASGITransport(self.sandbox.app)
            async with httpx.AsyncClient(transport=transport, base_url="http://hubspot", headers=headers) as client:
                return await client.request(method, path, json=body, **more)

        return asyncio.run(sent())

    def batch(self, path: str, *inputs: Any, **more: Any) -> httpx.Response:
        """Return the answer to a batch request."""
        return self.send("POST", path, {"inputs": list(inputs), **more})

    def make(self, object: str, **properties: str) -> str:
        """Create one record and return its id."""
        answer = self.batch(f"/crm/v3/objects/{object}/batch/create", {"properties": properties})
        assert answer.status_code == 201, answer.text
        return str(answer.json()["results"][0]["id"])


@pytest.fixture
def clock() -> VirtualClock:
    """Return a clock that moves only when told to."""
    return VirtualClock(datetime(2026, 7, 1, 9, tzinfo=UTC))


@pytest.fixture
def sandbox(clock: VirtualClock) -> Iterator[Sandbox]:
    """Return a new account."""
    with Sandbox(clock=clock) as account:
        yield account


@pytest.fixture
def http(sandbox: Sandbox) -> Http:
    """Return a client of it."""
    return Http(sandbox)
