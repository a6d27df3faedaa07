"""Answers the page's own requests: three files, and what they show as JSON."""

from __future__ import annotations

import json
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from starlette.datastructures import QueryParams
from starlette.responses import Response

from flitstack_pipedrive.sandbox.answers import to_json
from flitstack_pipedrive.sandbox.canonical import fingerprint
from flitstack_pipedrive.sandbox.page import look

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from starlette.types import Receive, Scope, Send

    from flitstack_pipedrive.sandbox.app import Sandbox

_HERE = Path(__file__).parent
_FILES = MappingProxyType(
    {
        "/": ("page.html", "text/html; charset=utf-8"),
        "/_sandbox/page.js": ("page.js", "text/javascript; charset=utf-8"),
        "/_sandbox/page.css": ("page.css", "text/css; charset=utf-8"),
    }
)
_JSON = "application/json; charset=utf-8"
# The account may hold what a real export holds: nothing leaves the page, and nothing strange gets in.
_HEADERS = MappingProxyType(
    {
        "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
        "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
        "cache-control": "no-store",
    }
)
# Another host's name means that another site's script is asking (DNS rebinding).
_OWN_HOSTS = frozenset({"127.0.0.1", "localhost", "[::1]"})


class Page:
    """The ASGI application of the page; reading it costs no tokens and is no API request."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    async def answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request of the page."""
        status, body, kind = self._found(scope)
        await Response(body, status, dict(_HEADERS), kind)(scope, receive, send)

    def _found(self, scope: Scope) -> tuple[int, bytes, str]:
        path = scope["path"]
        if scope["method"] not in ("GET", "HEAD"):
            return 405, b"The page only reads.", "text/plain"
        if path in _FILES:
            name, kind = _FILES[path]
            return 200, (_HERE / name).read_bytes(), kind
        view = _VIEWS.get(path.removeprefix("/_sandbox/"))
        if view is None:
            return 404, b"There is nothing here.", "text/plain"
        if _host(scope) not in _OWN_HOSTS:
            return 403, b"The account is only shown on this machine.", "text/plain"
        try:
            with self._sandbox.lock:
                self._sandbox.front.catch_up()
                shown = view(self._sandbox, dict(QueryParams(scope["query_string"])))
        except (KeyError, ValueError):
            return 400, b"The page asked for something that is not there.", "text/plain"
        return 200, shown if isinstance(shown, bytes) else to_json(shown).encode(), _JSON


def _host(scope: Scope) -> str:
    host = next((value.decode("latin-1") for name, value in scope["headers"] if name == b"host"), "")
    return host.rpartition(":")[0] if ":" in host and not host.endswith("]") else host


def _canonical(sandbox: Sandbox, query: Mapping[str, str]) -> Any:
    state = sandbox.canonical()
    return json.dumps({"fingerprint": fingerprint(state), "state": state}, ensure_ascii=False, indent=1).encode()


_VIEWS: Mapping[str, Callable[[Sandbox, Mapping[str, str]], Any]] = MappingProxyType(
    {
        "summary": look.summary,
        "records": look.records,
        "record": look.record,
        "board": look.board,
        "fields": look.fields,
        "dump": lambda sandbox, query: sandbox.dump(),
        "canonical": _canonical,
    }
)
