"""Registers a destination: an index of cards, kept in one JSON file that stands for an account."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flitstack.errors import Rejected
from flitstack.hookspecs import hookimpl
from flitstack.protocols import (
    JSON,
    Account,
    Behaviours,
    DestinationPlugin,
    ObjectBehaviour,
    Operation,
    Outcome,
    SchemaItem,
    Spent,
    Stored,
    User,
    full_key,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping, Sequence

    from flitstack.protocols import WriterContext

CARD = ObjectBehaviour(
    verbs=frozenset({"create", "update", "delete"}),
    cost={"create": 1, "update": 1, "delete": 1, "list": 1, "get": 1},
    page_size=1000,
    key_in="field:key",
    lag_s=0.0,
    delete="hard",
)
BEHAVIOURS = Behaviours(objects={"card": CARD}, schema_objects=(), concurrency=1)
KEEPER = User("keeper", "Kit Keeper", "kit@example.org", active=True, is_admin=True)


class CardWriter:
    """Writes to one file of cards; a new writer for each run."""

    behaviours = BEHAVIOURS

    def __init__(self, settings: Mapping[str, Any], context: WriterContext) -> None:
        self._path, self._clock, self._requests = Path(settings["file"]), context.clock, 0

    async def account(self) -> Account:
        """Return whose cards these are."""
        return Account(str(self._path), "Cards", KEEPER, {"time_zone": "UTC"}, {})

    async def users(self) -> Sequence[User]:
        """Return the only user."""
        return [KEEPER]

    async def schema(self) -> Sequence[SchemaItem]:
        """Return nothing: cards have no fields of one's own."""
        return []

    def bind(self, items: Mapping[str, SchemaItem]) -> None:
        """Remember nothing, for the same reason."""

    async def apply(self, operations: Sequence[Operation]) -> list[Outcome]:
        """Carry each operation out; one that is refused says so in its outcome and stops no other."""
        return [self._outcome(operation) for operation in operations]

    async def list(
        self, object: str, since: datetime | None = None, parent: str | None = None
    ) -> AsyncIterator[Stored]:
        """Yield all cards."""
        for id_, card in self._cards().items():
            yield _stored(id_, card)

    async def get_many(self, object: str, ids: Sequence[str]) -> Sequence[Stored]:
        """Return those of the cards that are there."""
        return [_stored(id_, card) for id_, card in self._cards().items() if id_ in ids]

    def comparable(self, object: str, fields: Mapping[str, JSON]) -> Mapping[str, JSON]:
        """Return the fields as they are: a card keeps what it is given."""
        return dict(fields)

    def spent(self) -> Spent:
        """Return how often the file was read or written."""
        return Spent(self._requests, self._requests)

    async def aclose(self) -> None:
        """Keep nothing open."""

    def _cards(self) -> dict[str, Any]:
        self._requests += 1
        return dict(json.loads(self._path.read_text(encoding="utf-8"))) if self._path.exists() else {}

    def _outcome(self, operation: Operation) -> Outcome:
        cards, id_ = self._cards(), operation.destination_id or ""
        now = self._clock.now().isoformat()
        if operation.verb == "create":
            id_ = str(max(map(int, cards), default=0) + 1)
            cards[id_] = {"key": full_key(operation.key, operation.part), "fields": {}, "added": now}
        elif id_ not in cards:
            error = Rejected("card_gone", "The card is not in the index.", "Run again: it is planned anew.")
            return Outcome(operation.id, error=error)
        if operation.verb == "delete":
            del cards[id_]
        else:
            cards[id_]["fields"] |= operation.fields
            cards[id_]["updated"] = now
        self._path.write_text(json.dumps(cards), encoding="utf-8")
        return Outcome(operation.id, id_)


def _stored(id_: str, card: Mapping[str, Any]) -> Stored:
    added, updated = (datetime.fromisoformat(card[name]).astimezone(UTC) for name in ("added", "updated"))
    return Stored("card", id_, card["key"], card["fields"], {}, added, updated)


@hookimpl
def flit_register_destinations(register: Callable[[DestinationPlugin], None]) -> None:
    """Register the destination; its one setting comes from a variable of the environment too."""
    file = {"type": "string", "description": "The JSON file that holds the cards."}
    schema = {"type": "object", "properties": {"file": file}, "required": ["file"]}
    register(DestinationPlugin("cards", schema, {"file": "CARDS_FILE"}, frozenset(), BEHAVIOURS, CardWriter))
