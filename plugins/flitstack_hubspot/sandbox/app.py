"""The imitated account as an ASGI application."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from flitstack.clock import SystemClock
from flitstack_hubspot.sandbox.account import Account, Switches
from flitstack_hubspot.sandbox.errors import ApiError, invalid
from flitstack_hubspot.sandbox.limits import Limits
from flitstack_hubspot.sandbox.routes import Api
from flitstack_hubspot.sandbox.store import Store

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.types import Receive, Scope, Send

    from flitstack.clock import Clock

BYTES = "/_sandbox/bytes/"


class Sandbox:
    """An imitated account: `app` answers its requests.

    :param file: keeps the state; None takes a temporary file.
    :param tier: `free`, `starter`, `professional` or `enterprise`.
    :param faults: number of a write to what becomes of it.
    """

    def __init__(
        self,
        file: str | None = None,
        *,
        clock: Clock | None = None,
        tier: str = "professional",
        switches: Switches | None = None,
        faults: Mapping[int, str] | None = None,
        seed: int | None = 0,
    ) -> None:
        self._folder = None if file else tempfile.TemporaryDirectory(prefix="flit-hubspot-")
        place = file if self._folder is None else str(Path(self._folder.name) / "account.db")
        self.account = Account(Store(place), clock or SystemClock(), tier, switches or Switches())
        self.account.found(seed)
        self.limits = Limits(self.account)
        self.api = Api(self.account, self.limits)
        self.faults = dict(faults or {})
        self.writes = 0
        self.requests = 0
        self.log: list[tuple[str, str, int]] = []

    @property
    def users(self) -> list[dict[str, Any]]:
        """Return the users with the tokens of their private apps, an admin first."""
        return [
            {"email": user["email"], "token": user["token"], "is_admin": user["superAdmin"]}
            for user in self.account.store.all("user")
        ]

    def dump(self, *, archived: bool = False) -> dict[str, list[dict[str, Any]]]:
        """Return all live records, or those in the bin, by object, each with its associations; and files, owners,
        pipelines and labels.
        """
        return self.api.dump(archived=archived)

    def close(self) -> None:
        """Write the state and let go of the file."""
        self.account.store.close()
        if self._folder is not None:
            self._folder.cleanup()

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    async def app(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        if scope["type"] != "http":
            return
        request = Request(scope, receive)
        response = await self._answer(request)
        self.log.append((request.method, request.url.path, response.status_code))
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        if request.url.path.startswith(BYTES):
            return Response(self.api.files.bytes_of(request.url.path.removeprefix(BYTES)))
        self.requests += 1
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        if token not in {user["token"] for user in self.account.store.all("user")}:
            said = "Authentication credentials not found or not valid."
            return JSONResponse(ApiError(401, "INVALID_AUTHENTICATION", said).body(), 401)
        policy = self.limits.admit(token)
        if policy is not None:
            return self._refused(token, policy)
        fault = self._fault(request)
        if fault == "drop_before":
            raise ConnectionResetError("fault")
        if fault == "500_before":
            return JSONResponse(ApiError(503, "SERVICE_UNAVAILABLE", "fault").body(), 503)
        if fault == "429":
            return self._refused(token, "TEN_SECONDLY_ROLLING")
        response = await self._carried_out(request)
        self.account.store.commit()
        if fault == "drop_after":
            raise ConnectionResetError("fault")
        if fault == "500_after":
            return JSONResponse(ApiError(500, "INTERNAL_ERROR", "fault").body(), 500)
        if fault == "html":
            return HTMLResponse("<html><body>One moment</body></html>")
        response.headers.update(self.limits.headers(token))
        return response

    def _fault(self, request: Request) -> str:
        path = request.url.path
        if request.method == "GET" or path.endswith(("/batch/read", "/access-token-info")):
            return ""
        self.writes += 1
        return self.faults.get(self.writes, "")

    def _refused(self, token: str, policy: str) -> Response:
        body = ApiError(429, "RATE_LIMITS", f"You have reached your {policy.lower()} limit.").body()
        body |= {"errorType": "RATE_LIMIT", "policyName": policy}
        return JSONResponse(body, 429, self.limits.headers(token))

    async def _carried_out(self, request: Request) -> Response:
        try:
            body, form, upload = await _content(request)
            query = dict(request.query_params)
            base = f"{request.url.scheme}://{request.url.netloc}{BYTES}"
            status, answer = self.api.answer(request.method, request.url.path, query, body, form, upload, base)
        except ApiError as exc:
            return JSONResponse(exc.body(), exc.status)
        except (KeyError, TypeError, ValueError, AttributeError):
            return JSONResponse(invalid("Invalid input JSON", "INVALID_JSON").body(), 400)
        return Response(status_code=status) if answer is None else JSONResponse(answer, status)


async def _content(request: Request) -> tuple[Any, dict[str, Any], tuple[str, bytes] | None]:
    """Return the body as JSON, or the form and the file of a multipart request."""
    kind = request.headers.get("content-type", "")
    if kind.startswith("multipart/"):
        async with request.form() as form:
            fields = {name: value for name, value in form.items() if isinstance(value, str)}
            file: Any = form.get("file")
            return None, fields, None if file is None else (str(file.filename or ""), await file.read())
    raw = await request.body()
    try:
        return (json.loads(raw) if raw else None), {}, None
    except ValueError:
        raise invalid("Invalid input JSON", "INVALID_JSON") from None
