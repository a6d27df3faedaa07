"""The ceiling: a bare asyncio loop over httpx clients, which keeps no journal and gives no guarantee.

python -m tests.benchmarks.engine.loads.bare_load --url URL --count 5000 --clients 8 --connections 8
"""

from __future__ import annotations

import argparse
import asyncio
from typing import TYPE_CHECKING, Any

import httpx
from tests.benchmarks.engine.loads.saying import timed
from tests.benchmarks.engine.people import bodies

if TYPE_CHECKING:
    from collections.abc import Iterator


async def load(url: str, count: int, clients: int, connections: int) -> None:
    """Create the persons, each worker taking the next one as soon as it has its answer."""
    left = bodies(count)
    headers = {"x-api-token": "bench", "accept": "application/json", "user-agent": "bare"}
    opened = [httpx.AsyncClient(headers=headers, timeout=60) for _ in range(clients)]
    try:
        workers = [_work(client, f"{url}/api/v2/persons", left) for client in opened for _ in range(connections)]
        await asyncio.gather(*workers)
    finally:
        for client in opened:
            await client.aclose()


async def _work(client: httpx.AsyncClient, url: str, left: Iterator[dict[str, Any]]) -> None:
    for body in left:
        answer = await client.post(url, json=body)
        assert answer.status_code == 201
        assert answer.json()["data"]["id"]


def main() -> None:
    """Read the options, load, and say what was used."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--url", required=True)
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--connections", type=int, default=8)
    given = parser.parse_args()
    with timed(clients=given.clients, connections=given.connections):
        asyncio.run(load(given.url, given.count, given.clients, given.connections))


if __name__ == "__main__":
    main()
