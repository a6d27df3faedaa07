"""The scaffold's client: who is asked to wait lets every request wait, not the one alone that was refused."""

from __future__ import annotations

import asyncio
import importlib.util
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from flitstack.clock import VirtualClock
from flitstack.errors import RateLimited

CLIENT = Path(__file__).parents[2] / "docs" / "examples" / "destination" / "src" / "flitstack_rolo" / "client.py"


def client_module() -> Any:
    spec = importlib.util.spec_from_file_location("client_of_the_example", CLIENT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_after_a_429_no_request_leaves_before_the_account_said() -> None:
    clock = VirtualClock(datetime(2026, 1, 1, tzinfo=UTC))
    times: list[float] = []

    def answer(request: httpx.Request) -> httpx.Response:
        times.append(clock.monotonic())
        return httpx.Response(429, headers={"retry-after": "7"}) if len(times) == 1 else httpx.Response(200, json={})

    async def both() -> Any:
        client = client_module().Client("http://localhost", "t", clock, httpx.MockTransport(answer))
        refused = await asyncio.gather(client.write("POST", "/people", {}), return_exceptions=True)
        await client.write("POST", "/people", {})
        return refused[0]

    assert isinstance(asyncio.run(both()), RateLimited)
    assert times[1] - times[0] >= 7.0
