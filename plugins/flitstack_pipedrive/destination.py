"""The writer: carries out operations on one Pipedrive account, and reads back what it holds."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, TypeAlias, cast

from flitstack.errors import ConfigurationError, Fatal, FlitError, Rejected
from flitstack.protocols import Outcome, Spent, Stored
from flitstack.web.documents import check_document
from flitstack_pipedrive.account import ME, USERS, count_custom_fields, read_account, read_user, require_admin
from flitstack_pipedrive.answers import NOT_FOUND, Call, data_in
from flitstack_pipedrive.behaviours import DOWNLOAD, FILES_PAGE, PAGE, SCHEMA_OBJECTS, behaviours
from flitstack_pipedrive.codec.compare import comparable_fields
from flitstack_pipedrive.codec.fieldbook import ENTITIES
from flitstack_pipedrive.codec.records import MONEY, Directory, decode, encode
from flitstack_pipedrive.codec.shapes import SHAPES, Shape
from flitstack_pipedrive.codec.times import read_time, rfc3339
from flitstack_pipedrive.downloads import sha256_of
from flitstack_pipedrive.schema import AccountSchema

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping, Sequence
    from contextlib import AbstractAsyncContextManager
    from datetime import datetime

    from flitstack.protocols import JSON, Account, Bench, Operation, Probe, ProbeAnswer, SchemaItem, User
    from flitstack_pipedrive.client import Client
    from flitstack_pipedrive.probes.desk import Desk
    from flitstack_pipedrive.settings import Settings

OPTIONS = "option_labels"  # name among what is learned of an account
IDS_AT_ONCE = 100
FEW_IDS = 10  # a list costs as much as this many reads of one record
ARCHIVES = ("deal", "lead")
LINKS = {
    "owner_id": "user", "user_id": "user", "person_id": "person", "org_id": "organization",
    "organization_id": "organization", "deal_id": "deal", "lead_id": "lead", "activity_id": "activity",
    "stage_id": "stage",
}  # fmt: skip
CUSTOM_LINKS = {"people": "person", "org": "organization", "user": "user"}
WEBHOOKS = Call(1, "GET", "/webhooks")
FILE_PARENTS = {"person_id": "/persons", "org_id": "/organizations", "deal_id": "/deals"}


_Found: TypeAlias = "list[Stored]"  # inside the class, `list` is its method


class PipedriveWriter:
    """Talks to the account of one token; `behaviours` are the plugin's, with the lag that the settings state.

    :param on_close: called last, for what lives as long as the writer (the embedded sandbox).
    :param learned: what `learned` returned to an earlier writer on this account.
    """

    def __init__(
        self,
        client: Client,
        settings: Settings,
        open_attachment: Callable[[str], BinaryIO],
        on_close: Callable[[], None] | None = None,
        learned: Mapping[str, JSON] | None = None,
    ) -> None:
        self._client = client
        self._settings = settings
        self._open_attachment = open_attachment
        self._on_close = on_close
        self._directory = Directory()
        self._directory.fields.remember((learned or {}).get(OPTIONS))
        self._schema = AccountSchema(client, self._directory)
        self.behaviours = behaviours(settings.list_lag_s)
        self._me: Mapping[str, Any] | None = None
        self._once: AbstractAsyncContextManager[None] = asyncio.Lock()

    async def account(self) -> Account:
        """Return whose account this is.

        :raises AuthError: the token is refused, or its user is no admin.
        """
        me = await self._identify()
        require_admin(read_user(me))
        custom_fields = 0
        if self._settings.plan is not None:
            for entity in ENTITIES:
                await self._schema.know_fields(entity)
            custom_fields = await count_custom_fields(self._client, self._directory.fields)
        return read_account(me, self._settings, custom_fields)

    async def users(self) -> Sequence[User]:
        """Return all users of the account, deactivated ones included."""
        await self._identify()
        return [read_user(raw) for raw in (await self._client.send(USERS)).get("data") or ()]

    async def schema(self) -> Sequence[SchemaItem]:
        """Return custom fields, pipelines, stages and activity types, each with its id."""
        await self._identify()
        async with self._once:
            return await self._schema.items()

    def bind(self, items: Mapping[str, SchemaItem]) -> None:
        """Let each name of the spec stand for the account's item."""
        self._schema.bind(items)

    async def apply(self, operations: Sequence[Operation]) -> list[Outcome]:
        """Carry out the operations, one after the other, and return an outcome for each."""
        return [await self._apply_one(operation) for operation in operations]

    async def list(
        self, object: str, since: datetime | None = None, parent: str | None = None
    ) -> AsyncIterator[Stored]:
        """Yield what the account holds of the object, each once; archived and deleted records are not listed."""
        if object in SCHEMA_OBJECTS:
            await self._identify()
            async with self._once:
                items = await self._schema.items_of(object)
            for item in items:
                yield _stored_item(item)
            return
        shape = SHAPES[object]
        await self._know(shape)
        call = _list_call(shape, since, parent)
        async for raw in self._client.pages(call, FILES_PAGE if object == "file" else PAGE):
            stored = self._read(shape, raw)
            if _is_live(raw) and _hangs_on(stored, parent):
                yield stored

    def leads_to(self, object: str) -> Mapping[str, str]:
        """Return every link that records of the object may have, with the object that it leads to."""
        shape = SHAPES[object]
        known = self._directory.fields.named(shape.entity).values() if shape.entity else ()
        customs = {field.name: CUSTOM_LINKS[field.type] for field in known if field.type in CUSTOM_LINKS}
        activity = {"person_id": "person", "type": "activity_type"} if object == "activity" else {}
        return {**customs, **activity, **{name: LINKS[name] for name in shape.links}}

    async def archived(self, object: str) -> AsyncIterator[Stored]:
        """Yield the archived deals or leads, which `list` leaves out."""
        if object not in ARCHIVES:
            return
        shape = SHAPES[object]
        await self._know(shape)
        async for raw in self._client.pages(Call(shape.version, "GET", f"{shape.path}/archived"), PAGE):
            if _is_live(raw):
                yield self._read(shape, raw)

    async def get_many(self, object: str, ids: Sequence[str]) -> Sequence[Stored]:
        """Return those of the records that exist, in the order asked for."""
        if object in SCHEMA_OBJECTS:
            wanted = set(ids)
            return [_stored_item(item) for item in await self.schema() if item.object == object and item.id in wanted]
        shape = SHAPES[object]
        await self._know(shape)
        if shape.version == 1 or len(ids) < FEW_IDS:
            found = await self._get_each(shape, ids)
        else:
            found = await self._get_listed(shape, ids)
        by_id = {stored.id: stored for stored in found}
        return [by_id[id] for id in dict.fromkeys(ids) if id in by_id]

    async def file_sha256(self, destination_id: str) -> str:
        """Return the SHA-256 (hexadecimal) of a stored document's bytes.

        :raises Rejected: the account has no such document.
        """
        await self._identify()
        return await sha256_of(self._client, DOWNLOAD, destination_id)

    def comparable(self, object: str, fields: Mapping[str, JSON]) -> Mapping[str, JSON]:
        """Return the fields in the form in which two of them mean the same exactly if they are equal."""
        return comparable_fields(object, fields, self._directory.fields)

    def probes(self) -> Sequence[Probe]:
        """Return what can be found out about the account by trying."""
        from flitstack_pipedrive.probes.catalogue import probes

        return probes()

    async def ask(self, probe: str, bench: Bench) -> ProbeAnswer:
        """Ask the account one question."""
        from flitstack_pipedrive.probes.catalogue import QUESTIONS

        return await QUESTIONS[probe].ask(await self._desk(bench))

    async def remove(self, object: str, name: str, destination_id: str | None, since: datetime) -> bool:
        """Remove a probe's throwaway record; return whether none is left."""
        from flitstack_pipedrive.probes.removing import remove

        return await remove(self._client, await self._desk(None), object, name, destination_id, since)

    async def _desk(self, bench: Bench | None) -> Desk:
        from flitstack_pipedrive.probes.desk import Desk

        return Desk(self._client, bench, await self._identify(), self._client.clock)

    async def watchers(self) -> Sequence[str]:
        """Return the account's webhooks that records set off, and what the API does not tell of automations."""
        from flitstack_pipedrive.watching import watchers

        return watchers((await self._client.send(WEBHOOKS)).get("data") or ())

    def spent(self) -> Spent:
        """Return requests and API tokens used so far."""
        return Spent(self._client.requests, self._client.tokens)

    def learned(self) -> Mapping[str, JSON]:
        """Return what was found out of the account, by name: its limits, and what its options were called first."""
        first = self._directory.fields.first_labels()
        return {**self._client.learned(), **({OPTIONS: cast("JSON", first)} if first else {})}

    async def budget_is_open(self) -> bool:
        """Return whether the day's budget has room again; one token at most.

        Takes no lock: the request that waits for the budget may be holding it.
        """
        return await self._client.budget_is_open()

    async def aclose(self) -> None:
        """Close connections."""
        await self._client.aclose()
        if self._on_close is not None:
            self._on_close()

    async def _identify(self) -> Mapping[str, Any]:
        """Return users/me, asked once; from then on requests go to the company's own host."""
        async with self._once:
            if self._me is None:
                me = (await self._client.send(ME)).get("data")
                if not isinstance(me, dict) or not {"id", "company_id"} <= set(me):
                    raise ConfigurationError(
                        "pipedrive: the server does not say whose account this is. Check PIPEDRIVE_BASE_URL."
                    )
                self._client.use_company(str(me.get("company_domain") or ""))
                self._me = me
            return self._me

    async def _know(self, shape: Shape) -> None:
        """Read what the codec needs to know of the account, once."""
        await self._identify()
        async with self._once:
            if shape.entity is not None:
                await self._schema.know_fields(shape.entity)
            if shape.object == "activity":
                await self._schema.know_types()

    async def _apply_one(self, operation: Operation) -> Outcome:
        try:
            if operation.object in SCHEMA_OBJECTS:
                await self._identify()
                async with self._once:  # Pipedrive orders stages by their creation
                    id = await self._schema.apply(operation)
            else:
                id = await self._write(SHAPES[operation.object], operation)
        except FlitError as exc:
            return Outcome(operation.id, error=exc)
        except Exception as exc:  # noqa: BLE001 - a bug must not show a record's values in a traceback
            return Outcome(operation.id, error=_bug(operation.object, "could not be written", exc))
        return Outcome(operation.id, id)

    def _read(self, shape: Shape, raw: Mapping[str, Any]) -> Stored:
        """Return the record in canonical form.

        :raises Fatal: the answer has a form that nobody documented.
        """
        try:
            return decode(shape, raw, self._directory)
        except (AttributeError, KeyError, TypeError, ValueError) as exc:
            raise _bug(shape.object, "came back in a form nobody documented", exc) from None

    async def _write(self, shape: Shape, operation: Operation) -> str:
        await self._know(shape)
        call = await self._write_call(shape, operation)
        if call is None:
            return _target(operation)
        answer = await self._client.send(call)
        if operation.verb != "create":
            return _target(operation)
        return str(data_in(call, answer, "id")["id"])

    async def _write_call(self, shape: Shape, operation: Operation) -> Call | None:
        """Return the request of an operation, or None when there is nothing to send."""
        if operation.verb == "delete":
            return Call(shape.version, "DELETE", f"{shape.path}/{{id}}", {"id": _target(operation)})
        if shape.object == "lead":
            operation = await self._with_whole_value(shape, operation)
        body = encode(shape, operation, self._directory)
        if operation.verb == "update":
            method, ids = "PUT" if shape.object in ("note", "file") else "PATCH", {"id": _target(operation)}
            call = Call(shape.version, cast("Any", method), f"{shape.path}/{{id}}", ids)
            if shape.object == "file":
                body = {name: text for name, text in body.items() if name in shape.natives}
                return replace(call, form=body) if body else None
            return replace(call, body=body) if body else None
        if shape.parents and not any(operation.links.get(name) for name in shape.parents):
            raise Rejected(
                "parent_missing",
                f"A {shape.object} must hang on one of {', '.join(shape.parents)}.",
                "Link it in the mapping.",
                shape.parents[0],
            )
        call = Call(shape.version, "POST", shape.path, body=body)
        return self._upload(operation, body) if shape.object == "file" else call

    def _upload(self, operation: Operation, body: Mapping[str, Any]) -> Call:
        """Return the upload of a document, once its bytes were seen to be what the record states.

        :raises Rejected: the bytes are missing or others.
        """
        path = check_document(self._open_attachment, operation.fields)
        name = str(body.get("name") or path.rpartition("/")[2])
        form = {key: str(value) for key, value in body.items() if key != "name"}
        return Call(1, "POST", "/files", form=form, upload=(name, lambda: self._open_attachment(path)))

    async def _with_whole_value(self, shape: Shape, operation: Operation) -> Operation:
        """Return a lead's update with amount and currency together, as the API takes them only so."""
        given = [name for name in MONEY if name in operation.fields]
        if operation.verb != "update" or len(given) != 1:
            return operation
        found = await self._get_each(shape, [_target(operation)])
        if not found:
            raise Rejected(NOT_FOUND, "The lead is not in the account.", "Plan again.")
        stored = {name: found[0].fields.get(name) for name in MONEY}
        return replace(operation, fields={**stored, **operation.fields})

    async def _get_each(self, shape: Shape, ids: Sequence[str]) -> Sequence[Stored]:
        gate = asyncio.Semaphore(8)

        async def get(id: str) -> Stored | None:
            async with gate:
                answer = await self._client.find(Call(shape.version, "GET", f"{shape.path}/{{id}}", {"id": id}))
            raw = (answer or {}).get("data")
            return self._read(shape, raw) if raw and _is_live(raw) else None

        found = await asyncio.gather(*(get(id) for id in dict.fromkeys(ids)))
        return [stored for stored in found if stored is not None]

    async def _get_listed(self, shape: Shape, ids: Sequence[str]) -> Sequence[Stored]:
        found: _Found = []
        for start in range(0, len(ids), IDS_AT_ONCE):
            part = ids[start : start + IDS_AT_ONCE]
            call = Call(2, "GET", shape.path, query={"ids": ",".join(part)})
            raw = [one async for one in self._client.pages(call, IDS_AT_ONCE)]
            found += [self._read(shape, one) for one in raw if _is_live(one)]
        if shape.object in ARCHIVES:
            # The list leaves archived records out.
            missing = [id for id in ids if id not in {stored.id for stored in found}]
            found += await self._get_each(shape, missing)
        return found


def _bug(object: str, what: str, exc: Exception) -> Fatal:
    """Return the error for what nobody foresaw: its place in the code, and no value."""
    trace = exc.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = f"{Path(trace.tb_frame.f_code.co_filename).name} line {trace.tb_lineno}" if trace else "an unknown place"
    return Fatal(
        f"pipedrive: a record of the kind {object} {what} ({type(exc).__name__} in {place}). Please report this."
    )


def _list_call(shape: Shape, since: datetime | None, parent: str | None) -> Call:
    """Return the listing of an object."""
    query = {"sort": "id ASC"} if shape.version == 1 else {"sort_by": "id", "sort_direction": "asc"}
    if shape.object == "lead":
        query = {}  # a lead's id says nothing of its age; without `sort` the oldest come first
    name, _, id = (parent or "").partition(":")
    if shape.object == "file":
        if name in FILE_PARENTS:
            return Call(1, "GET", f"{FILE_PARENTS[name]}/{{id}}/files", {"id": id}, query)
        return Call(1, "GET", "/files", query=query)
    if name:
        query[name] = id
    if since is not None:
        query["updated_since"] = rfc3339(since)
    return Call(shape.version, "GET", shape.path, query=query)


def _is_live(raw: Mapping[str, Any]) -> bool:
    return not raw.get("is_deleted") and raw.get("active_flag") is not False


def _hangs_on(stored: Stored, parent: str | None) -> bool:
    """Return whether a document hangs on the record; for some parents the API has no list of documents."""
    if parent is None or stored.object != "file":
        return True
    name, _, id = parent.partition(":")
    return stored.links.get(name) == id


def _target(operation: Operation) -> str:
    if operation.destination_id is None:
        raise Rejected(NOT_FOUND, f"The {operation.object} has no id in the account.", "Plan again.")
    return operation.destination_id


def _stored_item(item: SchemaItem) -> Stored:
    fields = {"name": item.name, "of": item.of, **item.settings}
    return Stored(item.object, item.id or "", None, fields, {}, read_time(None), None)
