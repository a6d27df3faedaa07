"""What every question needs: throwaway records, raw answers, and what an answer says of a key."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flitstack.errors import AuthError, InDoubt, RateLimited, Rejected, Unavailable
from flitstack_pipedrive.answers import Call, data_of
from flitstack_pipedrive.codec.times import rfc3339
from flitstack_pipedrive.limits import window_wait_s

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from datetime import datetime

    from flitstack.clock import Clock
    from flitstack.protocols import Bench, Probe, ProbeAnswer
    from flitstack.web.answers import Answer
    from flitstack_pipedrive.client import Client

PAGE = 500
SECOND_VERSION = ("person", "organization", "deal", "activity")


@dataclass(frozen=True, slots=True)
class Place:
    """Where an object lives in the API, and which of its texts carries a throwaway's name."""

    path: str
    named: str
    version: Any = 2
    one: str = "{id}"
    update: Any = "PATCH"

    @property
    def key(self) -> str:
        """What the API calls the record's id."""
        return "field_code" if "Fields" in self.path else "id"


PLACES: Mapping[str, Place] = {
    "person": Place("/persons", "name"),
    "organization": Place("/organizations", "name"),
    "deal": Place("/deals", "title"),
    "activity": Place("/activities", "subject"),
    "note": Place("/notes", "content", 1, update="PUT"),
    "field": Place("/personFields", "field_name", one="{field_code}"),
}


@dataclass(frozen=True, slots=True)
class Question:
    """One probe and what asks it."""

    probe: Probe
    ask: Callable[[Desk], Awaitable[ProbeAnswer]]


class Made:
    """What became of one creation: the answer, and the record's id unless it was refused."""

    def __init__(self, answer: Answer, id: str | None, name: str) -> None:
        self.answer = answer
        self.id = id
        self.name = name

    @property
    def data(self) -> Mapping[str, Any]:
        """The record as the answer shows it; empty when it was refused."""
        return shown(self.answer)

    def needed(self) -> str:
        """Return the id of a record without which nothing can be asked.

        :raises Rejected: the account refused it.
        """
        if self.id is None:
            raise Rejected(
                "destination_refused",
                f"the account refused the throwaway record itself ({self.answer.status}).",
                "Ask again later.",
            )
        return self.id


class Desk:
    """Asks through the client; everything it creates goes through the bench."""

    def __init__(self, client: Client, bench: Bench | None, me: Mapping[str, Any], clock: Clock) -> None:
        self._client = client
        self._bench = bench
        self.me = me
        self.clock = clock

    async def send(self, call: Call, *, within_burst: bool = True) -> Answer:
        """Return the answer as it came.

        :raises FlitError: it says nothing about the question: sign-in, a limit, a server that is down, no answer.
        """
        answer = await self._client.once(call, within_burst=within_burst)
        if answer.status == 429 and within_burst:
            raise RateLimited(f"{call.words} was refused for being too fast; ask again", window_wait_s(answer.headers))
        if answer.status in (401, 402):
            raise AuthError(f"pipedrive: {answer.status} for {call.words}. Check PIPEDRIVE_API_TOKEN.")
        if answer.status >= 500 or answer.status == 408:
            error = InDoubt if call.is_write else Unavailable
            raise error(f"pipedrive: {call.words} got {answer.status}.")
        if answer.status < 300 and (answer.parsed() or {}).get("success") is not True and call.is_write:
            raise InDoubt(f"pipedrive: {call.words} got an answer that cannot be read.")
        return answer

    async def make(
        self, object: str, body: Mapping[str, Any] | Callable[[str], Mapping[str, Any]], *, name: str | None = None
    ) -> Made:
        """Create a throwaway record, or be refused.

        :param body: what it has beside its name; a function of the name says the text that carries it too.
        :param name: of an earlier one, to give it to this one as well.
        """
        place = PLACES[object]
        made: list[Made] = []

        async def create(named: str) -> str | None:
            whole = body(named) if callable(body) else {place.named: named, **body}
            answer = await self.send(Call(place.version, "POST", place.path, body=whole))
            id = shown(answer).get(place.key)
            if took(answer) and id is None:
                raise InDoubt(f"pipedrive: POST {place.path} was accepted but names no record.")
            made.append(Made(answer, None if id is None else str(id), named))
            return made[0].id

        assert self._bench is not None  # noqa: S101 - only removing has none, and it makes nothing
        await self._bench.make(object, create, name)
        return made[0]

    async def read(self, object: str, id: str) -> Mapping[str, Any] | None:
        """Return a record as the API shows it, None when it is not found."""
        place = PLACES[object]
        answer = await self.send(Call(place.version, "GET", f"{place.path}/{place.one}", {"id": id}))
        if answer.status == 404:
            return None
        return data_of(Call(place.version, "GET", place.path), answer).get("data") or {}

    async def update(self, object: str, id: str, body: Mapping[str, Any]) -> Answer:
        """Change a throwaway record."""
        place = PLACES[object]
        path = f"{place.path}/{place.one}"
        return await self.send(Call(place.version, place.update, path, {"id": id}, body=dict(body)))

    async def delete(self, object: str, id: str) -> Answer:
        """Delete a throwaway record."""
        place = PLACES[object]
        return await self.send(Call(place.version, "DELETE", f"{place.path}/{place.one}", {place.key: id}))

    async def listed(self, object: str, since: datetime) -> list[Mapping[str, Any]]:
        """Return what the list shows of what was added or changed since then; of fields, all."""
        place = PLACES[object]
        if object == "field":
            return [raw async for raw in self._client.pages(Call(2, "GET", place.path), PAGE)]
        order = {"sort": "id ASC"} if place.version == 1 else {"sort_by": "id", "sort_direction": "asc"}
        call = Call(place.version, "GET", place.path, query={**order, "updated_since": rfc3339(since)})
        return [raw async for raw in self._client.pages(call, PAGE)]


def took(answer: Answer) -> bool:
    """Return whether the API accepted the request."""
    return 200 <= answer.status < 300


def shown(answer: Answer) -> Mapping[str, Any]:
    """Return the record in an answer; empty when it holds none."""
    data = (answer.parsed() or {}).get("data")
    return data if took(answer) and isinstance(data, dict) else {}


def blames(answer: Answer, *keys: str) -> bool:
    """Return whether a refusal names one of the keys."""
    parsed = answer.parsed() or {}
    text = f"{parsed.get('error')} {parsed.get('error_info')}"
    return answer.status in (400, 403, 422) and any(key in text for key in keys)


def is_gone(raw: Mapping[str, Any] | None) -> bool:
    """Return whether a record is deleted."""
    return raw is None or bool(raw.get("is_deleted")) or raw.get("active_flag") is False
