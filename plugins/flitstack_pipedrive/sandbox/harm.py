"""How a request goes wrong: what is sent instead of the answer, and how a connection breaks."""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from starlette.responses import Response

from flitstack_pipedrive.sandbox.answers import Answer, failed, to_json, unauthorized

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from flitstack.clock import Clock
    from flitstack_pipedrive.sandbox.faults import Fault

DRIP_PIECES = 20
_HTML = b"<!DOCTYPE html><html><head><title>One moment</title></head><body><h1>One moment, please</h1></body></html>"


class DroppedError(ConnectionResetError):
    """In process there is no connection to break, so this reaches whoever called the application."""


class RefusedError(ConnectionRefusedError):
    """In process: nobody answers at this address now."""


def token_of(scope: Scope) -> str:
    """Return the token that a request carries, or ""."""
    return next((value.decode("latin-1") for name, value in scope["headers"] if name == b"x-api-token"), "")


def ordered(status: int) -> Answer:
    """Return the answer that a rule orders by its status."""
    if status == 401:
        return unauthorized().answer
    return failed(status, "The sandbox was told to fail here.", errorCode=status).answer


def too_many(seconds: float) -> Answer:
    """Return a 429 that says when to come back, in the form of the sandbox's own."""
    headers = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(max(1, math.ceil(seconds)))}
    body = {"success": False, "error": "Rate limit exceeded.", "errorCode": 429, "error_info": "Please wait."}
    return Answer(to_json(body).encode(), 429, headers=headers)


def transport_of(send: Send) -> Any:
    """Return the connection behind a server's `send`, or None in process."""
    # uvicorn offers no way to abort a connection; the object behind its `send` holds the transport.
    found = getattr(getattr(send, "__self__", None), "transport", None)
    return found or getattr(send, "transport", None)


@dataclass(frozen=True, slots=True)
class Held:
    """An answer that was made and not sent."""

    start: Message
    body: bytes


@dataclass(frozen=True, slots=True)
class Line:
    """One request and the way back to whoever sent it."""

    scope: Scope
    receive: Receive
    send: Send

    @property
    def is_connection(self) -> bool:
        """Return whether it came over HTTP, not in process."""
        return transport_of(self.send) is not None

    async def answer(self, answer: Answer) -> None:
        """Send an answer."""
        response = Response(answer.body, answer.status, dict(answer.headers), answer.content_type)
        await response(self.scope, self.receive, self.send)

    async def through(self, app: ASGIApp, more: Mapping[str, Any]) -> Held:
        """Let the application answer, and keep the answer here."""
        parts: list[bytes] = []
        start: Message = {}

        async def hold(message: Message) -> None:
            if message["type"] == "http.response.start":
                start.update(message)
            else:
                parts.append(message.get("body", b""))

        await app({**self.scope, **more}, self.receive, hold)
        return Held(start, b"".join(parts))

    async def drop(self) -> None:
        """Break the connection without a further word.

        :raises DroppedError: in process.
        """
        await self._break_off(DroppedError("The sandbox was told to drop this connection."))

    async def refuse(self) -> None:
        """Do as if nobody listened.

        :raises RefusedError: in process.
        """
        await self._break_off(RefusedError("The sandbox was told to refuse connections."))

    async def _break_off(self, error: ConnectionError, *, flush: bool = False) -> None:
        transport = transport_of(self.send)
        if transport is None:
            raise error
        if flush:
            transport.close()
        else:
            transport.abort()
        while (await self.receive())["type"] != "http.disconnect":
            await asyncio.sleep(0)

    async def spoil(self, held: Held, fault: Fault, clock: Clock) -> None:
        """Send what a fault that strikes after the commit leaves of the answer."""
        match fault.kind:
            case "drop_after":
                await self.drop()
            case "status_after":
                await self.answer(ordered(int(fault.amount)))
            case "not_json":
                await self.answer(Answer(_HTML, content_type="text/html; charset=UTF-8"))
            case "truncated":
                await self.send(held.start)
                half = held.body[: len(held.body) // 2]
                await self.send({"type": "http.response.body", "body": half, "more_body": True})
                await self._break_off(DroppedError("The sandbox was told to cut this answer."), flush=True)
            case _:
                await self._drip(held, fault.amount, clock)

    async def _drip(self, held: Held, seconds: float, clock: Clock) -> None:
        await self.send(held.start)
        step = max(1, math.ceil(len(held.body) / DRIP_PIECES))
        for start in range(0, len(held.body), step):
            await clock.sleep(seconds / DRIP_PIECES)
            piece = held.body[start : start + step]
            await self.send({"type": "http.response.body", "body": piece, "more_body": True})
        await self.send({"type": "http.response.body", "body": b""})
