"""Writes to one account of Rolo and reads it back, in the engine's terms."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from flitstack.errors import AuthError, FlitError
from flitstack.protocols import Account, Behaviours, Operation, Outcome, Spent, Stored, User, full_key

from flitstack_rolo.behaviours import BEHAVIOURS, KEY, PAGE

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

    from flitstack.protocols import JSON, SchemaItem

    from flitstack_rolo.client import Client

PATHS = {"person": "/people", "note": "/notes"}
FIELDS = {"person": ("name", "phone"), "note": ("text",)}
LINKS = {"person": ("owner",), "note": ("person",)}


class RoloWriter:
    """A writer for one run."""

    def __init__(self, client: Client, behaviours: Behaviours = BEHAVIOURS) -> None:
        self.behaviours = behaviours
        self._client = client

    async def account(self) -> Account:
        """Return whose account this is.

        :raises AuthError: the token is refused, or its user is no admin, who alone sees everything.
        """
        me = await self._client.read("/me")
        if not me["admin"]:
            raise AuthError("The token's user is no admin. Use an admin's token.")
        return Account(me["account"]["id"], me["account"]["name"], _user(me), {}, {})

    async def users(self) -> Sequence[User]:
        """Return all users."""
        return [_user(one) for one in await self._client.read("/users")]

    async def schema(self) -> Sequence[SchemaItem]:
        """Return nothing: this platform has no fields of one's own."""
        return []

    def bind(self, items: Mapping[str, SchemaItem]) -> None:
        """Remember nothing."""

    async def apply(self, operations: Sequence[Operation]) -> list[Outcome]:
        """Carry out one operation; what went wrong is in its outcome."""
        (operation,) = operations
        try:
            return [Outcome(operation.id, await self._write(operation))]
        except FlitError as exc:
            return [Outcome(operation.id, error=exc)]

    async def list(
        self, object: str, since: datetime | None = None, parent: str | None = None
    ) -> AsyncIterator[Stored]:
        """Yield what the account holds, page by page."""
        params = {"limit": str(PAGE)}
        if since is not None:
            params["changed_since"] = since.astimezone(UTC).isoformat()
        if parent is not None:
            field, _, id_ = parent.partition(":")
            params[field] = id_
        while True:
            page = await self._client.read(PATHS[object], params)
            for one in page["items"]:
                yield _stored(object, one)
            if page["next"] is None:
                return
            params["after"] = page["next"]

    async def get_many(self, object: str, ids: Sequence[str]) -> Sequence[Stored]:
        """Return those of the records that exist."""
        found: list[Stored] = []
        for start in range(0, len(ids), PAGE):
            asked = {"ids": ",".join(ids[start : start + PAGE]), "limit": str(PAGE)}
            page = await self._client.read(PATHS[object], asked)
            found += [_stored(object, one) for one in page["items"]]
        return found

    def comparable(self, object: str, fields: Mapping[str, JSON]) -> Mapping[str, JSON]:
        """Return the fields as they are: this account keeps what it is given."""
        return dict(fields)

    def spent(self) -> Spent:
        """Return requests, each at one unit."""
        return Spent(self._client.requests, self._client.requests)

    async def aclose(self) -> None:
        """Close connections."""
        await self._client.aclose()

    async def _write(self, operation: Operation) -> str:
        """Send an operation and return the record's id."""
        path = PATHS[operation.object]
        body = {**operation.fields, **{name: target or None for name, target in operation.links.items()}}
        if operation.verb == "create":
            body[KEY] = full_key(operation.key, operation.part)
            return str((await self._client.write("POST", path, body))["id"])
        id_ = str(operation.destination_id)
        if operation.verb == "update":
            await self._client.write("PATCH", f"{path}/{id_}", body)
        else:
            await self._client.write("DELETE", f"{path}/{id_}")
        return id_


def _user(one: Mapping[str, Any]) -> User:
    return User(str(one["id"]), one["name"], one["email"], active=one["active"], is_admin=one["admin"])


def _stored(object_: str, one: Mapping[str, Any]) -> Stored:
    fields = {name: one[name] for name in FIELDS[object_]} | {KEY: one[KEY]}
    links = {name: str(one[name]) for name in LINKS[object_] if one[name] is not None}
    added, updated = (datetime.fromisoformat(one[name]) for name in ("created_at", "changed_at"))
    return Stored(object_, str(one["id"]), one[KEY], fields, links, added, updated)
