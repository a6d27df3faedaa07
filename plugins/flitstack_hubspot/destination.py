"""The writer: carries out operations on one HubSpot account, and reads back what it holds."""

from __future__ import annotations

import asyncio
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from flitstack.errors import Fatal, FlitError
from flitstack.protocols import Outcome, Spent, Stored
from flitstack_hubspot.account import WATCHERS, read_account, read_users, token_user
from flitstack_hubspot.answers import Call
from flitstack_hubspot.batches import Batches
from flitstack_hubspot.behaviours import FILE, SCHEMA_OBJECTS, behaviours
from flitstack_hubspot.codec import comparable_fields, decode
from flitstack_hubspot.files import PARENT, Files
from flitstack_hubspot.links import first_of, leads_of, listed_with, plain_links, read_kinds, read_links
from flitstack_hubspot.objects import BATCH, FEW, KEY, SHAPES, Directory
from flitstack_hubspot.schema import AccountSchema

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping, Sequence
    from contextlib import AbstractAsyncContextManager
    from datetime import datetime
    from typing import BinaryIO

    from flitstack.protocols import JSON, Account, Operation, SchemaItem, User
    from flitstack_hubspot.client import Client
    from flitstack_hubspot.objects import Shape
    from flitstack_hubspot.settings import Settings

PAGES_AT_ONCE = 10  # whose associations are read together

_Found: TypeAlias = "list[Stored]"  # inside the class, `list` is its method
_Raw: TypeAlias = "list[dict[str, Any]]"


class HubSpotWriter:
    """Talks to the account of one token; `behaviours` are the plugin's, with the lag that the settings state.

    :param on_close: called last, for what lives as long as the writer (the embedded sandbox).
    """

    def __init__(
        self,
        client: Client,
        settings: Settings,
        open_attachment: Callable[[str], BinaryIO],
        on_close: Callable[[], None] | None = None,
    ) -> None:
        self._client = client
        self._settings = settings
        self._on_close = on_close
        self._directory = Directory()
        self._schema = AccountSchema(client, self._directory)
        self._batches = Batches(client, self._directory)
        self._files = Files(client, open_attachment)
        self._users: _Users | None = None
        self.behaviours = behaviours(settings.list_lag_s)
        self._once: AbstractAsyncContextManager[None] = asyncio.Lock()

    async def account(self) -> Account:
        """Return whose account this is.

        :raises AuthError: the token is refused, lacks a scope, or was not made by a super admin.
        """
        users = await self._known_users()
        id, user = await token_user(self._client, self._settings.access_token, users)
        return await read_account(self._client, id, user, self._settings.plan)

    async def users(self) -> Sequence[User]:
        """Return all owners of the account, former ones included."""
        return await self._known_users()

    async def schema(self) -> Sequence[SchemaItem]:
        """Return groups, custom properties, pipelines, stages and labels, each with its id."""
        async with self._once:
            return await self._schema.items()

    def bind(self, items: Mapping[str, SchemaItem]) -> None:
        """Let each name of the spec stand for the account's item."""
        self._schema.bind(items)

    async def apply(self, operations: Sequence[Operation]) -> list[Outcome]:
        """Carry out at most a hundred operations of one object, and return an outcome for each."""
        found: list[Outcome] = []
        for (object, _), alike in groupby(operations, key=lambda one: (one.object, one.verb)):
            found += await self._apply(object, [*alike])
        return found

    async def list(
        self, object: str, since: datetime | None = None, parent: str | None = None
    ) -> AsyncIterator[Stored]:
        """Yield what the account holds of the object, each once; archived records are not listed."""
        if object in SCHEMA_OBJECTS:
            async with self._once:
                items = await self._schema.items_of(object)
            for item in items:
                if item.object == object:
                    yield _stored_item(item)
            return
        link, _, target = (parent or "").partition(":")
        async for stored in self._files.all() if object == FILE else self._records(SHAPES[object]):
            if parent is None or stored.links.get(link) == target:
                yield stored

    async def get_many(self, object: str, ids: Sequence[str]) -> Sequence[Stored]:
        """Return those of the records that exist, in the order asked for."""
        if object in SCHEMA_OBJECTS:
            return [_stored_item(item) for item in await self.schema() if item.object == object and item.id in ids]
        if object == FILE:
            return await self._files.get_many(ids)
        found = {stored.id: stored for stored in await self._read(SHAPES[object], [*dict.fromkeys(ids)])}
        return [found[id] for id in dict.fromkeys(ids) if id in found]

    async def find(self, object: str, keys: Sequence[str]) -> Sequence[Stored]:
        """Return the records that carry these source keys; asked of the records themselves, not of the search index."""
        if object == FILE:
            return await self._files.find(keys)
        return await self._read(SHAPES[object], [*dict.fromkeys(keys)], KEY)

    async def file_sha256(self, destination_id: str) -> str:
        """Return the SHA-256 (hexadecimal) of a stored document's bytes.

        :raises Rejected: the account has no such document.
        """
        return await self._files.sha256(destination_id)

    def comparable(self, object: str, fields: Mapping[str, JSON]) -> Mapping[str, JSON]:
        """Return the fields in the form in which two of them mean the same exactly if they are equal."""
        return comparable_fields(object, fields, self._directory)

    def leads_to(self, object: str) -> Mapping[str, str]:
        """Return every link that records of the object may have, with the object that it leads to."""
        return leads_of(SHAPES[object], self._directory) if object in SHAPES else {PARENT: PARENT}

    async def archived(self, object: str) -> AsyncIterator[Stored]:
        """Yield nothing: what a list leaves out is in the recycling bin."""
        nothing: _Found = []
        for stored in nothing:
            yield stored

    async def watchers(self) -> Sequence[str]:
        """Return what importing may set off."""
        return WATCHERS

    async def budget_is_open(self) -> bool:
        """Return whether the day's requests have room again."""
        return await self._client.budget_is_open()

    def spent(self) -> Spent:
        """Return requests used so far; each is one unit of the budget."""
        return Spent(self._client.requests, self._client.requests)

    async def aclose(self) -> None:
        """Close connections."""
        await self._client.aclose()
        if self._on_close is not None:
            self._on_close()

    async def _known_users(self) -> _Users:
        async with self._once:
            if self._users is None:
                self._users = await read_users(self._client)
            return self._users

    async def _know(self, object: str) -> None:
        async with self._once:
            await self._schema.know(object)

    # --- writing ---

    async def _apply(self, object: str, operations: Sequence[Operation]) -> _Outcomes:
        try:
            if object in SHAPES:
                await self._know(object)
                return await self._batches.write(SHAPES[object], operations)
        except FlitError as exc:
            return [Outcome(operation.id, error=exc) for operation in operations]
        except Exception as exc:  # noqa: BLE001 - a bug must not show a record's values in a traceback
            return [Outcome(one.id, error=_bug(object, "could not be written", exc)) for one in operations]
        return [await self._apply_one(operation) for operation in operations]

    async def _apply_one(self, operation: Operation) -> Outcome:
        try:
            if operation.object == FILE:
                return Outcome(operation.id, await self._files.apply(operation))
            async with self._once:
                return Outcome(operation.id, await self._schema.apply(operation))
        except FlitError as exc:
            return Outcome(operation.id, error=exc)
        except Exception as exc:  # noqa: BLE001 - as above
            return Outcome(operation.id, error=_bug(operation.object, "could not be written", exc))

    # --- reading ---

    async def _records(self, shape: Shape) -> AsyncIterator[Stored]:
        """Yield all records of an object, the associations of several pages read together."""
        await self._know(shape.object)
        names = self._directory.names(shape)
        query = {"limit": str(BATCH), "archived": "false"}
        if len(names) <= FEW:
            query["properties"] = ",".join(names)
        query["associations"] = ",".join(SHAPES[to].path for to in listed_with(shape))
        kept: list[dict[str, Any]] = []
        seen: set[str] = set()
        async for page in self._client.pages(f"/crm/v3/objects/{shape.path}", query):
            new = [raw for raw in page if str(raw["id"]) not in seen]
            seen.update(str(raw["id"]) for raw in page)
            kept += new if len(names) <= FEW else await self._with_properties(shape, names, new)
            if len(kept) >= PAGES_AT_ONCE * BATCH:
                for stored in await self._decoded(shape, kept):
                    yield stored
                kept = []
        for stored in await self._decoded(shape, kept):
            yield stored

    async def _read(self, shape: Shape, ids: Sequence[str], by: str | None = None) -> _Found:
        await self._know(shape.object)
        if by is not None and by not in self._directory.types.get(shape.object, {}):
            return []  # without the property nothing carries a key
        return await self._decoded(shape, await self._raw(shape, ids, self._directory.names(shape), by))

    async def _with_properties(self, shape: Shape, names: Sequence[str], page: Sequence[Mapping[str, Any]]) -> _Raw:
        """Return the records of a page with their properties, of which there are too many for a list's address."""
        read = {str(raw["id"]): raw for raw in await self._raw(shape, [str(raw["id"]) for raw in page], names)}
        return [{**raw, **read[str(raw["id"])]} for raw in page if str(raw["id"]) in read]

    async def _raw(self, shape: Shape, ids: Sequence[str], names: Sequence[str], by: str | None = None) -> _Raw:
        """Return those records that exist, as the API spells them."""
        found: list[dict[str, Any]] = []
        for start in range(0, len(ids), BATCH):
            body: dict[str, Any] = {"inputs": [{"id": id} for id in ids[start : start + BATCH]], "properties": names}
            if by is not None:
                body["idProperty"] = by
            path = f"/crm/v3/objects/{shape.path}/batch/read"
            found += (await self._client.send(Call("POST", path, body=body, reads=True))).get("results") or []
        return [raw for raw in found if not raw.get("archived")]

    async def _decoded(self, shape: Shape, found: Sequence[Mapping[str, Any]]) -> _Found:
        if not found:
            return []
        # A page of a list tells associations; one that tells of none at all is asked again, which costs little.
        is_listed = any("associations" in raw for raw in found)
        kinds = read_kinds(shape, self._directory, labels_only=is_listed)
        links = await read_links(self._client, shape, [str(raw["id"]) for raw in found], kinds) if kinds else {}
        try:
            return [
                decode(
                    shape, raw, {**plain_links(shape, raw), **first_of(links.get(str(raw["id"]), {}))}, self._directory
                )
                for raw in found
            ]
        except (AttributeError, KeyError, TypeError, ValueError) as exc:
            raise _bug(shape.object, "came back in a form nobody documented", exc) from None


_Users: TypeAlias = "list[User]"
_Outcomes: TypeAlias = "list[Outcome]"


def _bug(object: str, what: str, exc: Exception) -> Fatal:
    """Return the error for what nobody foresaw: its place in the code, and no value."""
    trace = exc.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = f"{Path(trace.tb_frame.f_code.co_filename).name} line {trace.tb_lineno}" if trace else "an unknown place"
    return Fatal(
        f"hubspot: a record of the kind {object} {what} ({type(exc).__name__} in {place}). Please report this."
    )


def _stored_item(item: SchemaItem) -> Stored:
    return Stored(item.object, item.id or "", None, {"name": item.name, "of": item.of, **item.settings}, {})
