"""An account of Rolo in memory, which answers as its documentation says: what tests write to."""

from __future__ import annotations

import json
from collections import deque
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

import httpx

if TYPE_CHECKING:
    from collections.abc import Callable

TOKEN = "a-token-for-tests"  # noqa: S105 - of an invented account
ADMIN = {"id": "1", "name": "Ada Admin", "email": "admin@example.org", "active": True, "admin": True}
STAFF = {"id": "2", "name": "Sam Staff", "email": "sam@example.org", "active": True, "admin": False}
GONE = {"id": "3", "name": "Gil Gone", "email": "gil@example.org", "active": False, "admin": False}
USERS = (ADMIN, STAFF, GONE)
PER_SECOND = 20
LONGEST_NAME = 200
KINDS = {"people": ("ref", "name", "phone", "owner"), "notes": ("ref", "text", "person")}


class FakeRolo:
    """One account.

    :param now: its clock.
    :param lag_s: lists show a new record so much later.
    :ivar writes: how many took effect. :ivar requests: how many came. :ivar too_fast: how many came too fast.
    :ivar closed_until: nothing is answered before, for the day's requests are used up.
    """

    def __init__(self, now: Callable[[], datetime], lag_s: float = 0.0) -> None:
        self.records: dict[str, dict[str, dict[str, Any]]] = {kind: {} for kind in KINDS}
        self.writes = 0
        self.requests = 0
        self.too_fast = 0
        self.closed_until = datetime.min.replace(tzinfo=UTC)
        self.refused: frozenset[str] = frozenset()
        self._now = now
        self._lag = timedelta(seconds=lag_s)
        self._last = 0
        self._times: deque[datetime] = deque(maxlen=PER_SECOND)

    def answer(self, request: httpx.Request) -> httpx.Response:
        """Do what a request asks for."""
        self.requests += 1
        if wait_s := self._wait_s():
            return httpx.Response(429, headers={"retry-after": str(wait_s)})
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return httpx.Response(401, json={"error": "token"})
        match [request.method, *request.url.path.strip("/").split("/")]:
            case ["GET", "me"]:
                return httpx.Response(200, json={**ADMIN, "account": {"id": "a1", "name": "Example"}})
            case ["GET", "users"]:
                return httpx.Response(200, json=list(USERS))
            case ["GET", kind] if kind in KINDS:
                return self._list(kind, request.url.params)
            case ["POST", kind] if kind in KINDS:
                return self._create(kind, json.loads(request.content))
            case ["PATCH", kind, id_] if id_ in self.records.get(kind, {}):
                return self._change(kind, id_, json.loads(request.content))
            case ["DELETE", kind, id_] if id_ in self.records.get(kind, {}):
                self.writes += 1
                del self.records[kind][id_]
                return httpx.Response(204)
        return httpx.Response(404, json={"error": "not found"})

    def use_up(self) -> None:
        """Let the day's requests be used up."""
        tomorrow = self._now().astimezone(UTC).date() + timedelta(days=1)
        self.closed_until = datetime.combine(tomorrow, time(), UTC)

    def _wait_s(self) -> int:
        """Return how long the platform asks to wait, 0 when it takes the request."""
        now = self._now()
        if now < self.closed_until:
            return int((self.closed_until - now).total_seconds()) + 1
        if len(self._times) == PER_SECOND and now - self._times[0] < timedelta(seconds=1):
            self.too_fast += 1
            return 1
        self._times.append(now)
        return 0

    def put(self, kind: str, **values: Any) -> dict[str, Any]:
        """Add a record, as a person would, and return it."""
        self._last += 1
        at = self._now().isoformat()
        empty = dict.fromkeys(KINDS[kind])
        one = {"id": str(self._last), **empty, **values, "created_at": at, "changed_at": at}
        self.records[kind][one["id"]] = one
        return one

    def edit(self, kind: str, id_: str, **values: Any) -> dict[str, Any]:
        """Change a record, as a person would, and return it."""
        one = self.records[kind][id_]
        one.update(values, changed_at=self._now().isoformat())
        return one

    def _create(self, kind: str, values: dict[str, Any]) -> httpx.Response:
        needed = "name" if kind == "people" else "person"
        if (wrong := self._wrong(kind, values)) or not values.get(needed):
            return httpx.Response(422, json={"error": wrong or needed})
        self.writes += 1
        return httpx.Response(201, json=self.put(kind, **values))

    def _change(self, kind: str, id_: str, values: dict[str, Any]) -> httpx.Response:
        if wrong := self._wrong(kind, values):
            return httpx.Response(422, json={"error": wrong})
        self.writes += 1
        return httpx.Response(200, json=self.edit(kind, id_, **values))

    def _wrong(self, kind: str, values: dict[str, Any]) -> str:
        if values.get("ref") in self.refused:
            return "refused"
        if len(values.get("name") or "") > LONGEST_NAME:
            return "name"
        if values.get("person") and values["person"] not in self.records["people"]:
            return "person"
        if values.get("owner") and values["owner"] not in {user["id"] for user in USERS}:
            return "owner"
        return next((name for name in values if name not in KINDS[kind]), "")

    def _list(self, kind: str, params: httpx.QueryParams) -> httpx.Response:
        found = sorted(self.records[kind].values(), key=lambda one: int(one["id"]))
        if "ids" in params:
            asked = params["ids"].split(",")
            found = [one for one in found if one["id"] in asked]
        else:
            shown = self._now() - self._lag
            found = [one for one in found if datetime.fromisoformat(one["created_at"]) <= shown]
        if person := params.get("person"):
            found = [one for one in found if one["person"] == person]
        if since := params.get("changed_since"):
            moment = datetime.fromisoformat(since)
            found = [one for one in found if datetime.fromisoformat(one["changed_at"]) >= moment]
        found = [one for one in found if int(one["id"]) > int(params.get("after", "0"))]
        limit = int(params.get("limit", "100"))
        page, more = found[:limit], len(found) > limit
        return httpx.Response(200, json={"items": page, "next": page[-1]["id"] if more else None})
