"""The way of a request: find the handler, know the user, count it, answer."""

from __future__ import annotations

import json
import threading
from contextlib import suppress
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from starlette.datastructures import QueryParams, UploadFile
from starlette.formparsers import MultiPartException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from flitstack_pipedrive.sandbox.answers import Answer, ApiError, failed, unauthorized
from flitstack_pipedrive.sandbox.call import Call
from flitstack_pipedrive.sandbox.routes import find
from flitstack_pipedrive.sandbox.whims import carry_out_differently

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.types import Receive, Scope, Send

    from flitstack_pipedrive.sandbox.account import Account, Member
    from flitstack_pipedrive.sandbox.call import Handler
    from flitstack_pipedrive.sandbox.limits import Limits
    from flitstack_pipedrive.sandbox.routes import Route

_FORMS = ("multipart/form-data", "application/x-www-form-urlencoded")
_NO_QUERY: Mapping[str, str] = MappingProxyType({})


class Gateway:
    """The ASGI application around an account."""

    def __init__(self, account: Account, limits: Limits) -> None:
        self._account = account
        self._limits = limits
        self.lock = threading.RLock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request, or the server's own start and stop."""
        if scope["type"] == "http":
            await self._respond(scope, receive, send)
        elif scope["type"] == "lifespan":
            await receive()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await send({"type": "lifespan.shutdown.complete"})

    async def _respond(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        headers: dict[str, str] = {}
        try:
            answer = await self._answer(request, headers)
        except ApiError as exc:
            answer = exc.answer
        except ClientDisconnect:
            return None
        response = Response(answer.body, answer.status, {**headers, **answer.headers}, answer.content_type)
        await response(scope, receive, send)

    async def _answer(self, request: Request, headers: dict[str, str]) -> Answer:
        method, path = request.method, request.url.path
        user = self._account.tokens.get(request.headers.get("x-api-token", ""))
        if user is None:
            raise unauthorized()
        refusal = (
            self._limits.refuse(user, headers)
            or self._limits.refuse_search(user, path, headers)
            or self._limits.refuse_write(user, method, headers)
        )
        if refusal is not None:
            return refusal
        route, handler, params = find(method, path)
        call = await self._call(request, user, route.version, params)
        later = request.scope.get("sandbox.later")
        if later is not None:
            # The front carries it out when its time has come, as a server would that lost its client.
            later.append(lambda: self._carry_out_late(route, handler, call))
            return Answer(b"")
        with self.lock:
            return self._carry_out(route, handler, call, headers)

    def _carry_out_late(self, route: Route, handler: Handler, call: Call) -> None:
        with self.lock, suppress(ApiError):
            self._carry_out(route, handler, call, {})

    def _carry_out(self, route: Route, handler: Handler, call: Call, headers: dict[str, str]) -> Answer:
        try:
            if route.operation is not None and self._account.switches.whims:
                answer = carry_out_differently(route.operation, handler, call)
            else:
                if route.operation is not None:
                    route.operation.check(call.query, call.body, call.form)
                answer = handler(call)
        except ApiError:
            self._account.store.forget_ids()
            self._limits.spend(route.cost if self._account.switches.errors_cost_tokens else 0, headers)
            raise
        self._limits.spend(route.cost, headers)
        return answer

    async def _call(self, request: Request, user: Member, version: str, params: tuple[str, ...]) -> Call:
        raw = request.scope["query_string"]
        query: Mapping[str, str] = dict(QueryParams(raw)) if raw else _NO_QUERY
        call = Call(self._account, user, version, params, query, None, {}, None, request.headers.get("host", ""))
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind in _FORMS:
            call.form, call.upload = await _read_form(request)
        elif request.method != "GET":
            body = await request.body()
            call.body = _parse(body, kind) if body else None
        return call


def _parse(body: bytes, kind: str) -> Any:
    if kind != "application/json":
        raise failed(400, "Bad request", info="The body must be application/json.")
    try:
        parsed = json.loads(body, parse_constant=_refuse_constant)
        if rb"\ud" in body.lower():
            # Half of a surrogate pair is JSON and yet no text.
            json.dumps(parsed, ensure_ascii=False).encode()
        return parsed
    except (ValueError, RecursionError):
        raise failed(400, "Bad request", info="The body is no JSON.") from None


def _refuse_constant(name: str) -> None:
    raise ValueError(name)


async def _read_form(request: Request) -> tuple[dict[str, str], tuple[str, bytes] | None]:
    """Return a form's plain fields and the file under `file`."""
    fields: dict[str, str] = {}
    upload = None
    try:
        async with request.form() as form:
            for name, value in form.multi_items():
                if isinstance(value, UploadFile):
                    upload = (value.filename or "file", await value.read()) if name == "file" else upload
                else:
                    fields[name] = value
    except MultiPartException as exc:
        raise failed(400, "Bad request", info="The form cannot be read.") from exc
    return fields, upload
