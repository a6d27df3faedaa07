"""Connections of asyncio's own for httpcore, in place of anyio's: a third less time for each request.

Measured with `python -m tests.benchmarks.engine.compare`; the interface is httpcore's `AsyncNetworkBackend`.
"""

from __future__ import annotations

import asyncio
import ssl
from typing import TYPE_CHECKING, Any

import httpcore

if TYPE_CHECKING:
    from collections.abc import Iterable

HIGH_WATER = 256 * 1024
HELD_AT_MOST = 64 * 1024


class AsyncioBackend(httpcore.AsyncNetworkBackend):
    """Opens connections with asyncio."""

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Return a connection to a host.

        :raises httpcore.ConnectTimeout, httpcore.ConnectError: there is none.
        """
        loop = asyncio.get_running_loop()
        local = (local_address, 0) if local_address else None
        try:
            async with asyncio.timeout(timeout):
                _, line = await loop.create_connection(_Line, host, port, local_addr=local)
        except TimeoutError as exc:
            raise httpcore.ConnectTimeout from exc
        except OSError as exc:
            raise httpcore.ConnectError(str(exc)) from exc
        return Stream(line)

    async def sleep(self, seconds: float) -> None:
        """Return after `seconds`."""
        await asyncio.sleep(seconds)


class Stream(httpcore.AsyncNetworkStream):
    """One connection."""

    def __init__(self, line: _Line) -> None:
        self._line = line
        self._held: list[bytes] = []
        self._size = 0

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Return what has come, at most `max_bytes`; nothing at the end.

        :raises httpcore.ReadTimeout, httpcore.ReadError: nothing came in time; the connection broke.
        """
        line = self._line
        if self._held:
            self._hand_over()
        if not line.received and not line.ended:
            await line.arrival(timeout)
        if line.received:
            return line.take(max_bytes)
        if isinstance(line.broken, OSError):
            raise httpcore.ReadError(str(line.broken)) from line.broken
        return b""

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Hold what is to leave until the answer is waited for, so that head and body leave together.

        :raises httpcore.WriteTimeout, httpcore.WriteError: it cannot leave; the connection broke.
        """
        self._held.append(buffer)
        self._size += len(buffer)
        if self._size < HELD_AT_MOST:
            return
        self._hand_over()
        line = self._line
        if line.paused is not None:
            try:
                async with asyncio.timeout(timeout):
                    await line.paused.wait()
            except TimeoutError as exc:
                raise httpcore.WriteTimeout from exc
            if line.ended:
                raise httpcore.WriteError("the connection broke") from line.broken

    def _hand_over(self) -> None:
        line, held = self._line, b"".join(self._held)
        self._held, self._size = [], 0
        if line.ended or line.transport is None or line.transport.is_closing():
            raise httpcore.WriteError("the connection is closed")
        line.transport.write(held)

    async def aclose(self) -> None:
        """Close the connection."""
        if self._line.transport is not None:
            self._line.transport.close()

    async def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.AsyncNetworkStream:
        """Return the connection, encrypted from here on.

        :raises httpcore.ConnectTimeout, httpcore.ConnectError: it cannot be.
        """
        line, loop = self._line, asyncio.get_running_loop()
        assert line.transport is not None  # noqa: S101 - a stream is made of a connection
        try:
            async with asyncio.timeout(timeout):
                line.transport = await loop.start_tls(
                    line.transport, line, ssl_context, server_hostname=server_hostname
                )
        except TimeoutError as exc:
            raise httpcore.ConnectTimeout from exc
        except (OSError, ssl.SSLError) as exc:
            await self.aclose()
            raise httpcore.ConnectError(str(exc)) from exc
        return Stream(line)

    def get_extra_info(self, info: str) -> Any:
        """Return what is known of the connection: `is_readable` tells that it was closed, or that more came."""
        line = self._line
        if info == "is_readable":
            return line.ended or bool(line.received)
        names = {"ssl_object": "ssl_object", "client_addr": "sockname", "server_addr": "peername", "socket": "socket"}
        return line.transport.get_extra_info(names[info]) if line.transport and info in names else None


class _Line(asyncio.Protocol):
    """What has come over one connection and was not yet read, and whether more may leave."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self.received = bytearray()
        self.ended = False
        self.broken: BaseException | None = None
        self.paused: asyncio.Event | None = None
        self._waiter: asyncio.Future[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        self.received += data
        if len(self.received) > HIGH_WATER and self.transport is not None:
            self.transport.pause_reading()
        self._wake()

    def eof_received(self) -> bool:
        self.ended = True
        self._wake()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self.ended, self.broken = True, exc
        self.resume_writing()
        self._wake()

    def pause_writing(self) -> None:
        self.paused = asyncio.Event()

    def resume_writing(self) -> None:
        if self.paused is not None:
            self.paused.set()
            self.paused = None

    def take(self, most: int) -> bytes:
        """Return what has come, at most so many bytes."""
        data = bytes(self.received[:most])
        del self.received[:most]
        if self.transport is not None and not self.ended and len(self.received) <= HIGH_WATER:
            self.transport.resume_reading()
        return data

    async def arrival(self, timeout_s: float | None) -> None:
        """Return once something has come, or the connection has ended.

        :raises httpcore.ReadTimeout: neither in time.
        """
        loop = asyncio.get_running_loop()
        self._waiter = loop.create_future()
        late = None if timeout_s is None else loop.call_later(timeout_s, self._give_up)
        try:
            await self._waiter
        finally:
            self._waiter = None
            if late is not None:
                late.cancel()

    def _give_up(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_exception(httpcore.ReadTimeout())

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
