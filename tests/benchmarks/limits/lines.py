"""Measures how many requests a second leave over one httpx client, over several small ones, and through flit's own.

    python tests/benchmarks/limits/lines.py [--rounds 5] [--requests 3000]

A bare server in another process answers at once, or 50 ms later. Every way is taken in each round, one after the other,
so that what else the machine does strikes all alike. Prints medians, with the least and the most.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from flitstack.clock import SystemClock
from flitstack_pipedrive import wire as chosen
from flitstack_pipedrive.answers import Call
from flitstack_pipedrive.client import Client
from flitstack_pipedrive.settings import parse_settings

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

httpx: Any = vars(chosen)["httpx"]  # the library that the client was told to use
WORKERS = (16, 64, 128)
LATENCIES_S = (0.0, 0.05)
PATH = "/api/v2/persons"
BODY = {"name": "Ann Example", "custom_fields": {"k": "practice:patients:1"}}
SERVER = """
import asyncio, sys
DELAY = float(sys.argv[1])
BODY = b'{"success": true, "data": {"id": 1}}'
ANSWER = (b"HTTP/1.1 200 OK\\r\\ncontent-type: application/json\\r\\nx-ratelimit-limit: 1000000\\r\\n"
          b"x-ratelimit-remaining: 1000000\\r\\ncontent-length: %d\\r\\n\\r\\n" % len(BODY)) + BODY

class Answering(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport, self.held = transport, b""
    def data_received(self, data):
        self.held += data
        head, found, body = self.held.partition(b"\\r\\n\\r\\n")
        if not found:
            return
        length = next((int(line.split(b":")[1]) for line in head.split(b"\\r\\n")
                       if line.lower().startswith(b"content-length:")), 0)
        if len(body) < length:
            return
        self.held = b""
        if DELAY:
            asyncio.get_running_loop().call_later(DELAY, self.transport.write, ANSWER)
        else:
            self.transport.write(ANSWER)

async def main():
    server = await asyncio.get_running_loop().create_server(Answering, "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()

asyncio.run(main())
"""


@contextmanager
def serving(latency_s: float) -> Iterator[str]:
    """Run the server in a process of its own; give its address."""
    command = [sys.executable, "-c", SERVER, str(latency_s)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
        finally:
            process.kill()


async def timed(send: Callable[[int], Awaitable[Any]], workers: int, requests: int) -> float:
    """Return requests per second of so many workers; the first ones, which open the connections, do not count."""

    async def work(left: Iterator[int], worker: int) -> None:
        for _ in left:
            await send(worker)

    async def run(count: int) -> None:
        left = iter(range(count))
        await asyncio.gather(*(work(left, worker) for worker in range(workers)))

    await run(4 * workers)
    began = time.perf_counter()
    await run(requests)
    return requests / (time.perf_counter() - began)


async def over_clients(url: str, workers: int, requests: int, connections: int) -> float:
    """Share the workers over clients with so many connections each."""
    context = httpx.create_ssl_context()
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=connections)
    count = -(-workers // connections)
    clients = [httpx.AsyncClient(base_url=url, verify=context, limits=limits, timeout=30) for _ in range(count)]

    async def send(worker: int) -> None:
        (await clients[worker // connections].post(PATH, json=BODY)).raise_for_status()

    try:
        return await timed(send, workers, requests)
    finally:
        for client in clients:
            await client.aclose()


async def through_flit(url: str, workers: int, requests: int) -> tuple[float, int]:
    """Send through flit's client; return requests per second, and the concurrency it found."""
    client = Client(parse_settings({"api_token": "t", "base_url": url}), SystemClock())
    call = Call(2, "POST", "/persons", body=BODY)
    try:
        rate = await timed(lambda worker: client.send(call), workers, requests)
        return rate, client.concurrency
    finally:
        await client.aclose()


def measure(rounds: int, requests: int) -> dict[str, list[float]]:
    """Return the rates of each way, by its name, round by round."""
    rates: dict[str, list[float]] = {}
    for latency_s in LATENCIES_S:
        with serving(latency_s) as url:
            for _ in range(rounds):
                where = f"{latency_s * 1000:.0f} ms"
                for workers in WORKERS:
                    one = asyncio.run(over_clients(url, workers, requests, workers))
                    many = asyncio.run(over_clients(url, workers, requests, 1))
                    rates.setdefault(f"{where}, {workers} at once, one client", []).append(one)
                    rates.setdefault(f"{where}, {workers} at once, one each", []).append(many)
                rate, found = asyncio.run(through_flit(url, max(WORKERS), requests))
                rates.setdefault(f"{where}, flit, at most {max(WORKERS)} at once", []).append(rate)
                rates.setdefault(f"{where}, flit, concurrency it found", []).append(found)
    return rates


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--requests", type=int, default=3_000)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    rates = measure(given.rounds, given.requests)
    if given.json:
        click.echo(json.dumps(rates))
        return
    click.echo(f"{httpx.__name__} {httpx.__version__}, python {sys.version.split()[0]}, {os.cpu_count()} cores")
    for name, values in rates.items():
        click.echo(f"{name:42} {statistics.median(values):7.0f}   ({min(values):.0f} to {max(values):.0f})")


if __name__ == "__main__":
    main()
