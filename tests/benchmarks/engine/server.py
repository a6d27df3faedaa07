"""A local server without limits, so that a benchmark measures the client: Pipedrive's persons, and what flit reads.

    python -m tests.benchmarks.engine.server [--latency-ms 50] [--drop 7,19] [--fail 5] [--stall-after 55]

Prints one JSON line with its `url`. Every answer waits for the latency. All that was committed is kept, and
`GET /bench` says how much: creates, how often each key came, connections, the time between the first create's arrival
and the last one's answer, and a digest of the bodies. `POST /bench/resume` ends a stall.

Standard library alone; uvloop is used where it is installed.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from tests.benchmarks.engine.people import CUSTOM_FIELDS, KEY_CODE, OPTIONS, code

if TYPE_CHECKING:
    from collections.abc import Callable

LIMIT = 1_000_000
HEADERS = (
    "content-type: application/json; charset=utf-8\r\n"
    f"x-ratelimit-limit: {LIMIT}\r\nx-ratelimit-remaining: {LIMIT - 1}\r\nx-ratelimit-reset: 2\r\n"
)
REASONS = {200: "OK", 201: "Created", 404: "Not Found", 500: "Internal Server Error"}
ME = {
    "id": 1,
    "name": "Bench",
    "email": "bench@example.org",
    "active_flag": True,
    "is_admin": 1,
    "access": [{"app": "sales", "admin": True}],
    "company_id": 1,
    "company_name": "Bench",
    "company_domain": "bench",
    "default_currency": "USD",
    "timezone_name": "UTC",
}


@dataclass(slots=True)
class Faults:
    """What goes wrong, by the number of the create, counted from 1.

    :param drop: committed, then the connection breaks without an answer. :param fail: committed, then 500.
    :param stall_after: so many are committed; the last of them and all that comes later get no answer.
    """

    drop: frozenset[int] = frozenset()
    fail: frozenset[int] = frozenset()
    stall_after: int | None = None


@dataclass(slots=True)
class Account:
    """What the server holds, and what it noted."""

    latency_s: float = 0.0
    faults: Faults = field(default_factory=Faults)
    persons: list[tuple[float, bytes]] = field(default_factory=list)
    requests: dict[str, int] = field(default_factory=dict)
    first: float = 0.0
    last: float = 0.0
    connections: int = 0
    most_connections: int = 0

    @property
    def stalled(self) -> bool:
        return self.faults.stall_after is not None and len(self.persons) >= self.faults.stall_after

    def create(self, raw: bytes) -> int:
        """Commit a person and return its id."""
        if not self.persons:
            self.first = time.perf_counter()
        self.persons.append((time.time(), raw))
        return len(self.persons)

    def report(self) -> dict[str, Any]:
        """Return what was committed: counts, seconds, a digest of the distinct bodies in the order of their keys.

        `requests` counts by method and path.
        """
        seen: dict[str, int] = {}
        distinct: dict[str, str] = {}
        for _, raw in self.persons:
            person = json.loads(raw)
            name = person["custom_fields"][KEY_CODE]
            seen[name] = seen.get(name, 0) + 1
            distinct[name] = json.dumps(person, sort_keys=True)
        digest = hashlib.sha256("\n".join(distinct[name] for name in sorted(distinct)).encode()).hexdigest()
        return {
            "creates": len(self.persons),
            "keys": len(seen),
            "duplicates": len(self.persons) - len(seen),
            "requests": self.requests,
            "seconds": self.last - self.first,
            "connections": self.most_connections,
            "bodies": digest[:16],
        }

    def page(self, query: dict[str, list[str]]) -> dict[str, Any]:
        """Return one page of persons, by id; `updated_since` is not looked at, so a page may hold more."""
        start, limit = int(query.get("cursor", ["0"])[0]), int(query.get("limit", ["100"])[0])
        data = []
        for id, (at, raw) in enumerate(self.persons[start : start + limit], start + 1):
            stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at))
            data.append({"id": id, "add_time": stamp, "update_time": stamp, "is_deleted": False, **json.loads(raw)})
        more = str(start + limit) if start + limit < len(self.persons) else None
        return {"success": True, "data": data, "additional_data": {"next_cursor": more}}


class Connection(asyncio.Protocol):
    """One connection: requests one after the other, each answered after the latency."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._buffer = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Count it."""
        assert isinstance(transport, asyncio.Transport) or hasattr(transport, "write")
        self._transport = transport  # type: ignore[assignment]  # uvloop's is no subclass
        self._account.connections += 1
        self._account.most_connections = max(self._account.most_connections, self._account.connections)

    def connection_lost(self, exc: Exception | None) -> None:
        """Count it."""
        self._account.connections -= 1
        self._transport = None

    def data_received(self, data: bytes) -> None:
        """Take every whole request out of the buffer."""
        self._buffer = self._buffer + data if self._buffer else data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head = self._buffer[:end].decode("latin-1")
            whole = end + 4 + _content_length(head)
            if len(self._buffer) < whole:
                return
            body, self._buffer = self._buffer[end + 4 : whole], self._buffer[whole:]
            method, target, _ = head.split(" ", 2)
            self._take(method, target, body)

    def _take(self, method: str, target: str, body: bytes) -> None:
        path = urlsplit(target).path
        account = self._account
        if path.startswith("/bench"):
            if method == "POST":
                account.faults = Faults()
            self._answer(200, json.dumps(account.report()).encode())
            return
        if account.stalled:
            return
        asked = f"{method} {path}"
        account.requests[asked] = account.requests.get(asked, 0) + 1
        if method == "POST" and path == "/api/v2/persons":
            self._create(body)
        else:
            status, found = _read(account, path, parse_qs(urlsplit(target).query))
            self._later(lambda: self._answer(status, json.dumps(found).encode()))

    def _create(self, body: bytes) -> None:
        account = self._account
        id = account.create(body)
        if account.stalled:
            return
        if id in account.faults.drop:
            self._later(self._break)
            return
        if id in account.faults.fail:
            self._later(lambda: self._answer(500, b'{"success":false,"error":"Internal error"}'))
            return
        stamp = b'"add_time":"2026-07-01T00:00:00Z","update_time":"2026-07-01T00:00:00Z"'
        content = b'{"success":true,"data":{"id":%d,%b,%b}' % (id, stamp, body.lstrip()[1:])
        self._later(lambda: self._created(content))

    def _created(self, content: bytes) -> None:
        self._account.last = time.perf_counter()
        self._answer(201, content)

    def _later(self, job: Callable[[], None]) -> None:
        if self._account.latency_s:
            asyncio.get_running_loop().call_later(self._account.latency_s, job)
        else:
            job()

    def _break(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def _answer(self, status: int, content: bytes) -> None:
        if self._transport is not None:
            head = f"HTTP/1.1 {status} {REASONS[status]}\r\n{HEADERS}content-length: {len(content)}\r\n\r\n"
            self._transport.write(head.encode() + content)


def _content_length(head: str) -> int:
    for line in head.split("\r\n")[1:]:
        name, _, value = line.partition(":")
        if name.lower() == "content-length":
            return int(value)
    return 0


def _read(account: Account, path: str, query: dict[str, list[str]]) -> tuple[int, dict[str, Any]]:
    """Return status and answer of what flit reads: the token's user, the users, the custom fields, the persons."""
    match path.removeprefix("/api"):
        case "/v1/users/me":
            return 200, {"success": True, "data": ME}
        case "/v1/users":
            return 200, {"success": True, "data": [ME]}
        case "/v2/personFields":
            return 200, {"success": True, "data": _custom_fields(), "additional_data": {"next_cursor": None}}
        case "/v2/persons":
            return 200, account.page(query)
        case other if other.startswith("/v2/persons/") and 0 < int(other.rpartition("/")[2]) <= len(account.persons):
            number = int(other.rpartition("/")[2])
            return 200, {"success": True, "data": {"id": number, **json.loads(account.persons[number - 1][1])}}
        case _:
            return 404, {"success": False, "error": "Not found"}


def _custom_fields() -> list[dict[str, Any]]:
    options = [{"id": id, "label": label} for label, id in OPTIONS.items()]
    return [
        {
            "field_code": code(name),
            "field_name": name,
            "field_type": kind,
            "is_custom_field": True,
            "options": options if kind == "enum" else None,
        }
        for name, kind in CUSTOM_FIELDS.items()
    ]


def _numbers(text: str) -> frozenset[int]:
    return frozenset(int(part) for part in text.split(",") if part)


async def listen(account: Account) -> tuple[asyncio.Server, str]:
    """Return a server on a free port of this machine, and its address."""
    server = await asyncio.get_running_loop().create_server(lambda: Connection(account), "127.0.0.1", 0)
    return server, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def serve(account: Account) -> None:
    """Serve until stopped."""
    server, url = await listen(account)
    print(json.dumps({"url": url}), flush=True)  # noqa: T201 - what a starter waits for
    await server.serve_forever()


def main() -> None:
    """Read the options and serve."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--latency-ms", type=float, default=0.0)
    parser.add_argument("--drop", type=_numbers, default=frozenset())
    parser.add_argument("--fail", type=_numbers, default=frozenset())
    parser.add_argument("--stall-after", type=int)
    given = parser.parse_args()
    account = Account(given.latency_ms / 1000, Faults(given.drop, given.fail, given.stall_after))
    try:
        import uvloop  # type: ignore[import-not-found,unused-ignore]
    except ImportError:
        asyncio.run(serve(account))
    else:
        uvloop.run(serve(account))


if __name__ == "__main__":
    main()
