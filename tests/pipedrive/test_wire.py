"""One request over real sockets: what goes out, what comes back, and which way it takes."""

from __future__ import annotations

import asyncio
import gzip
import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from flitstack.web.answers import Answer
from flitstack_pipedrive.answers import Call
from flitstack_pipedrive.settings import parse_settings
from flitstack_pipedrive.wire import Wire

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

CREATE = Call(2, "POST", "/persons", body={"name": "Anna Müller", "emails": []})
READ = Call(2, "GET", "/persons", query={"limit": "500"})


class Listener:
    """A server that keeps the head and the body of each request, and how many connections there were."""

    def __init__(self, answer: bytes = b'{"success": true}', headers: bytes = b"", delay_s: float = 0.0) -> None:
        self._answer = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n%s\r\n%s" % (len(answer), headers, answer)
        self._delay_s = delay_s
        self.heads: list[str] = []
        self.bodies: list[bytes] = []
        self.open: dict[asyncio.Task[Any], asyncio.StreamWriter] = {}

    @property
    def connections(self) -> int:
        return len(self.open)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.open[task] = writer
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
                length = next((line[15:] for line in head.splitlines() if line.startswith("content-length:")), "0")
                self.heads.append(head)
                self.bodies.append(await reader.readexactly(int(length)))
                await asyncio.sleep(self._delay_s)
                writer.write(self._answer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass

    async def aclose(self) -> None:
        """Close what is open, and wait for it."""
        await asyncio.gather(*self.open)
        for writer in self.open.values():
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()


def ask(listener: Listener, use: Callable[[Wire, str], Coroutine[Any, Any, Any]]) -> Any:
    """Run `use` with a wire and the listener's address, and return what it returned."""

    async def run() -> Any:
        server = await asyncio.start_server(listener.serve, "127.0.0.1", 0)
        wire = Wire(parse_settings({"api_token": "a-token", "timeout_s": 10}))
        try:
            return await use(wire, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
        finally:
            await wire.aclose()
            await listener.aclose()
            server.close()
            await server.wait_closed()

    return asyncio.run(run())


def test_a_body_goes_out_as_compact_utf8_json_with_its_length() -> None:
    listener = Listener()

    ask(listener, lambda wire, url: wire.send(CREATE, f"{url}/api/v2/persons"))

    assert listener.bodies == ['{"name":"Anna Müller","emails":[]}'.encode()]
    assert "x-api-token: a-token\r\n" in listener.heads[0]
    assert "content-type: application/json\r\n" in listener.heads[0]


def test_a_packed_answer_is_unpacked() -> None:
    listener = Listener(gzip.compress(b'{"success": true}'), b"Content-Encoding: gzip\r\nX-RateLimit-Limit: 40\r\n")

    answer: Answer = ask(listener, lambda wire, url: wire.send(READ, f"{url}/api/v2/persons"))

    assert json.loads(answer.content) == {"success": True}
    assert answer.headers["x-ratelimit-limit"] == "40"
    assert listener.heads[0].startswith("get /api/v2/persons?limit=500 ")


def test_requests_one_after_the_other_share_a_connection_and_those_at_once_have_their_own() -> None:
    listener = Listener(delay_s=0.05)

    async def use(wire: Wire, url: str) -> None:
        for _ in range(3):
            await wire.send(CREATE, url)
        assert listener.connections == 1
        await asyncio.gather(*(wire.send(CREATE, url) for _ in range(4)))

    ask(listener, use)

    assert (listener.connections, len(listener.heads)) == (4, 7)


@pytest.mark.parametrize(("excepted", "asked"), [("", "post http://pipedrive.invalid/api "), ("pipedrive.invalid", "")])
def test_a_proxy_of_the_environment_is_used_unless_the_host_is_excepted(
    excepted: str, asked: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    listener = Listener()

    async def use(wire: Wire, url: str) -> Any:
        monkeypatch.setenv("http_proxy", url)
        monkeypatch.setenv("no_proxy", excepted)
        return (await asyncio.gather(wire.send(CREATE, "http://pipedrive.invalid/api"), return_exceptions=True))[0]

    answer = ask(listener, use)

    assert isinstance(answer, Answer) == bool(asked)
    assert "".join(listener.heads).startswith(asked)
    assert len(listener.heads) == bool(asked)


def test_a_request_given_up_half_way_leaves_its_connection_to_nobody() -> None:
    listener = Listener(delay_s=0.1)

    async def use(wire: Wire, url: str) -> Answer:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(wire.send(CREATE, url), 0.05)
        return await wire.send(READ, url)

    answer = ask(listener, use)

    assert answer.status == 200
    assert listener.connections == 2
