"""Connections as httpcore is given them: real servers on the loopback, with and without encryption."""

from __future__ import annotations

import asyncio
import shutil
import ssl
import subprocess
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import httpcore
import pytest

from flitstack_pipedrive.sockets import HELD_AT_MOST, AsyncioBackend

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine
    from pathlib import Path

    Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Coroutine[None, None, None]]

ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


@asynccontextmanager
async def serving(handler: Handler, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """Yield the port of a server."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await handler(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


async def answering(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while True:
        head = await reader.readuntil(b"\r\n\r\n")
        lengths = [line.split(b":")[1] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")]
        await reader.readexactly(int(lengths[0]) if lengths else 0)
        writer.write(ANSWER)


def pool(**more: object) -> httpcore.AsyncConnectionPool:
    return httpcore.AsyncConnectionPool(max_connections=1, network_backend=AsyncioBackend(), **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("size", [0, 10, HELD_AT_MOST - 1, HELD_AT_MOST, 5_000_000])
def test_a_body_of_any_size_arrives_whole_and_the_connection_is_used_again(size: int) -> None:
    async def exchange() -> list[bytes]:
        async with serving(answering) as port, pool() as http:
            url = f"http://127.0.0.1:{port}/x"
            return [(await http.request("POST", url, content=b"x" * size)).content for _ in range(3)]

    assert asyncio.run(exchange()) == [b"ok"] * 3


def test_head_and_body_leave_together() -> None:
    pieces: list[bytes] = []

    async def once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        pieces.append(await reader.read(65536))
        writer.write(ANSWER)

    async def exchange() -> None:
        async with serving(once) as port, pool() as http:
            await http.request("POST", f"http://127.0.0.1:{port}/", content=b"body")

    asyncio.run(exchange())

    assert pieces[0].endswith(b"body")


def test_a_large_answer_is_read_whole() -> None:
    async def large(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 3000000\r\n\r\n" + b"y" * 3_000_000)
        await writer.drain()

    async def exchange() -> int:
        async with serving(large) as port, pool() as http:
            return len((await http.request("GET", f"http://127.0.0.1:{port}/")).content)

    assert asyncio.run(exchange()) == 3_000_000


def test_a_connection_that_the_server_closed_while_idle_is_opened_anew() -> None:
    async def once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(ANSWER)

    async def exchange() -> list[int]:
        async with serving(once) as port, pool() as http:
            found = []
            for _ in range(3):
                found.append((await http.request("GET", f"http://127.0.0.1:{port}/")).status)
                await asyncio.sleep(0.02)
            return found

    assert asyncio.run(exchange()) == [200] * 3


def test_what_goes_wrong_is_told_in_the_words_of_httpcore() -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(5)

    async def gone(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")

    async def ask(port: int, **timeouts: float) -> None:
        async with pool() as http:
            await http.request("GET", f"http://127.0.0.1:{port}/", extensions={"timeout": timeouts})

    async def provoke() -> None:
        async with serving(silent) as port:
            with pytest.raises(httpcore.ReadTimeout):
                await ask(port, read=0.05)
        async with serving(gone) as port:
            with pytest.raises(httpcore.RemoteProtocolError):
                await ask(port)
        with pytest.raises(httpcore.ConnectError):
            await ask(port)

    asyncio.run(provoke())


@pytest.mark.skipif(shutil.which("openssl") is None, reason="a certificate for the test is made with openssl")
def test_an_encrypted_connection_works_and_a_stranger_is_refused(tmp_path: Path) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=DNS:localhost", "-keyout", str(key), "-out", str(certificate)],
        check=True, capture_output=True,
    )  # fmt: skip
    served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    served.load_cert_chain(certificate, key)
    trusted = ssl.create_default_context(cafile=str(certificate))

    async def exchange() -> list[bytes]:
        async with serving(answering, served) as port:
            url = f"https://localhost:{port}/"
            async with pool(ssl_context=ssl.create_default_context()) as wary:
                with pytest.raises(httpcore.ConnectError):
                    await wary.request("GET", url)
            async with pool(ssl_context=trusted) as http:
                return [(await http.request("POST", url, content=b"z" * size)).content for size in (3, 2_000_000)]

    assert asyncio.run(exchange()) == [b"ok", b"ok"]
