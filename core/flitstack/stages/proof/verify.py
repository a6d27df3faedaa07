"""Verify: read back every record through lists and compare every field by meaning."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import chain
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from flitstack.errors import Rejected
from flitstack.journal import dumps
from flitstack.protocols import FileHashing, full_key
from flitstack.stages.proof.compare import NOT_LISTED, compare
from flitstack.stages.proof.deleted import keep_deleted
from flitstack.stages.proof.differences import (
    BYTES,
    CHANGED,
    DIFFERS,
    DOUBLED,
    MISSING,
    UNKNOWN,
    Difference,
    Verification,
)
from flitstack.stages.proof.totals import Sums
from flitstack.stages.proof.unlike import keep_unlike
from flitstack.stages.writing.answers import get_held, list_held
from flitstack.stages.writing.schema import SCHEMA_KEY
from flitstack.stages.writing.targets import Targets
from flitstack.stages.writing.waiting import wait_until_shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from flitstack.journal import Link
    from flitstack.journal.records import ReadBack
    from flitstack.protocols import JSON, Behaviours, SchemaItem, Stored
    from flitstack.stages.context import RunContext

OPEN = ("planned", "blocked", "intended", "in_doubt")
SAMPLE = 10
SHARE = 0.001
"""A run hashes a few documents by itself as long as that takes no more than this share of what a whole load takes."""
SETTLED = timedelta(seconds=2)
"""A stamp of a last change tells from this age on: accounts state whole seconds, and two changes may share one."""
NOT_ASKED = "not read back this time; --hash-files reads all"
NO_CHECKSUM = "no checksum was known when it was written"
WAITING = "its last write was not sent yet, or its answer is not known"
WAS_THERE = "missing in the account, and was there when it was last read back; a run lists it as a conflict"
TAKEN_FOR_ANOTHER = "missing in the account: its write was answered with the id of another record"

__all__ = ["Verification", "sample_size", "verify"]


async def verify(
    ctx: RunContext, *, hashes: int | None = 0, keep: bool = True, see: Callable[[Link, Stored], None] | None = None
) -> Verification:
    """Compare everything that was written with what the account holds.

    :param hashes: of how many documents the bytes are read back, where the journal knows their checksum; None for all.
    :param keep: keep in the journal what was read back, for comparison with later changes.
    :param see: told of each record of ours as it was read back.
    """
    result = Verification()
    sums = Sums.of(ctx)
    counts = ctx.journal.records.link_objects()
    await wait_until_shown(ctx)
    ctx.progress.begin("verify", sum(counts.values()))
    try:
        await _verify_schema(ctx, result)
        for object_ in ctx.behaviours.objects:
            if object_ not in ctx.behaviours.schema_objects and counts.get(object_):
                reading = _Reading(ctx, object_, result, sums, see, keep=keep)
                after = await reading.read()
                if keep:
                    ctx.journal.records.set_after(after, ctx.spending())
                    keep_deleted(ctx, object_, reading.deleted)
                    keep_unlike(ctx, object_, reading.unlike)
        if hashes != 0 and isinstance(ctx.writer, FileHashing):
            await _verify_bytes(ctx, ctx.writer, hashes, result)
        for object_, waiting in ctx.journal.proving.open_counts().items():
            result.uncompared[object_, "", WAITING] += waiting
        result.totals = sums.totals(result)
        result.uncompared = +result.uncompared
    finally:
        ctx.progress.end()
    return result


def sample_size(behaviours: Behaviours, minimum: int, held: Mapping[str, int]) -> int:
    """Return how many documents a run hashes by itself.

    :param minimum: units that a whole load takes at the least. :param held: per object, records of ours.
    """
    dearest = max((each.cost.get("hash", 0) for each in behaviours.objects.values()), default=0)
    documents = sum(held.get(name, 0) for name, each in behaviours.objects.items() if each.cost.get("hash"))
    return min(SAMPLE, documents, int(minimum * SHARE) // dearest) if dearest else 0


async def _verify_schema(ctx: RunContext, result: Verification) -> None:
    found = {(item.object, item.id): item for item in await ctx.writer.schema()}
    for object_ in ctx.behaviours.schema_objects:
        held = sum(name == object_ for name, _ in found)
        for link in ctx.journal.records.links(object_):
            counted = result.of(object_)
            counted.held = held
            counted.checked += 1
            counted.fields += 1
            difference = _item_difference(link, found.get((object_, link.destination_id)))
            if difference is not None:
                result.add(difference)
            ctx.progress.advance()


def _item_difference(link: Link, item: SchemaItem | None) -> Difference | None:
    """Return what is wrong with a schema item: gone, renamed, of another type, or without some of its options."""
    if item is None:
        return Difference(link.object, link.key, MISSING, "missing")
    if item.key != link.key.removeprefix(SCHEMA_KEY):
        return Difference(link.object, link.key, DIFFERS, "name", ("name",))
    wanted = link.wanted["fields"]
    if link.made_by is not None and wanted.get("type") and item.settings.get("type", wanted["type"]) != wanted["type"]:
        return Difference(link.object, link.key, DIFFERS, "type", ("type",))
    options: list[Any] = wanted.get("options") or []
    if not set(options) <= set(item.settings.get("options", ())):
        return Difference(link.object, link.key, DIFFERS, "options", ("options",))
    return None


class _Reading:
    """Reads the records of one object back, and compares those that are ours."""

    def __init__(
        self,
        ctx: RunContext,
        object_: str,
        result: Verification,
        sums: Sums,
        see: Callable[[Link, Stored], None] | None,
        *,
        keep: bool,
    ) -> None:
        self.deleted: list[Link] = []
        self.unlike: list[tuple[Link, Sequence[str]]] = []
        self._keep = keep
        self._ctx = ctx
        self._object = object_
        self._result = result
        self._counted = result.of(object_)
        self._sums = sums
        self._see = see
        self._targets = Targets(ctx)
        self._after: list[ReadBack] = []
        standing = ctx.journal.conflicts.standing()
        self._gone = {one.name for one in standing if not one.field}

    async def read(self) -> list[ReadBack]:
        """Return what the journal is to keep of them."""
        ours: dict[str, list[Link]] = {}
        for link in self._ctx.journal.records.links(self._object):
            ours.setdefault(link.destination_id, []).append(link)
        strangers = _Strangers(self._ctx, self._object, chain.from_iterable(ours.values()), self._targets)
        async for stored in list_held(self._ctx, self._object):
            self._ctx.stop.check()
            self._counted.held += 1
            if stored.id in ours:
                self._take_one_of(ours.pop(stored.id), stored)
            else:
                strangers.count(stored, self._result)
        held = await get_held(self._ctx, self._object, list(ours))  # archived, say: listed nowhere
        for stored in held.values():
            self._counted.held += 1
            self._take_one_of(ours.pop(stored.id), stored)
        for link in chain.from_iterable(ours.values()):
            self._add_absent(link, self._absent(link))
        return self._after

    def _take_one_of(self, links: list[Link], stored: Stored) -> None:
        """Take a record for the one of ours that it is; another whose write was answered with its id never arrived."""
        link = next((one for one in links if full_key(one.key, one.part) == stored.key), links[0])
        self._take(link, stored)
        for other in links:
            if other is not link:
                self.unlike.append((other, ("",)))
                key = full_key(other.key, other.part)
                self._add_absent(other, Difference(self._object, key, MISSING, TAKEN_FOR_ANOTHER))

    def _add_absent(self, link: Link, difference: Difference) -> None:
        self._counted.checked += 1
        self._sums.add(self._object, self._ctx.writer.comparable(self._object, link.wanted["fields"]), {})
        self._result.add(difference)

    def _absent(self, link: Link) -> Difference:
        """Return what it means that a record is not there: lost, or deleted by somebody since it was read back.

        Reading alone cannot tell that for certain, so only what is listed as a conflict counts as a person's doing.
        """
        key = full_key(link.key, link.part)
        listed = (link.object, link.key, link.part) in self._gone
        if self._keep and link.after is not None and not listed:
            self.deleted.append(link)
            listed = True
        elif link.after is None:
            self.unlike.append((link, ("",)))
        if listed:
            return Difference(self._object, key, CHANGED, "deleted in the account since")
        return Difference(self._object, key, MISSING, WAS_THERE if link.after is not None else "missing in the account")

    def _take(self, link: Link, stored: Stored) -> None:
        if self._see is not None:
            self._see(link, stored)
        compared = compare(self._ctx, link, stored, self._targets, self._gone)
        self._counted.checked += 1
        self._counted.fields += len(compared.expected)
        if compared.difference is not None:
            self._result.add(compared.difference)
        if compared.unlike:
            self.unlike.append((link, compared.unlike))
        for name in compared.unread if self._ctx.behaviours.objects[self._object].key_in != "content" else ():
            self._result.uncompared[self._object, name, NOT_LISTED] += 1
        self._sums.add(self._object, compared.expected, compared.held)
        seen = compared.seen
        if seen is None or datetime.fromisoformat(seen) > self._ctx.clock.now() - SETTLED:
            seen = link.seen
        self._after.append((self._object, link.key, link.part, compared.keep, seen))
        self._ctx.progress.advance()


class _Strangers:
    """Tells what records are that the journal has no link to.

    A list that shows a write later than declared leaves the second of two equal records: it was looked for in vain,
    and written again.
    """

    def __init__(self, ctx: RunContext, object_: str, ours: Iterable[Link], targets: Targets) -> None:
        self._ctx = ctx
        self._by_content = ctx.behaviours.objects[object_].key_in == "content"
        self._known: dict[str, str] = {}
        for link in ours:
            key = full_key(link.key, link.part)
            if not self._by_content:
                self._known[key] = key
                continue
            ends = targets.ids(link.wanted["links"])
            for name in _contents(ctx, object_, link.wanted["fields"], ends):
                self._known[name] = key

    def count(self, stored: Stored, result: Verification) -> None:
        """Count a record that is not linked."""
        names: Iterable[str] = (stored.key,) if stored.key is not None else ()
        if self._by_content:
            names = _contents(self._ctx, stored.object, stored.fields, stored.links)
        key = next((self._known[name] for name in names if name in self._known), None)
        if key is not None:
            how = "is the same document in the same place" if self._by_content else "carries this key"
            result.add(Difference(stored.object, key, DOUBLED, f"a second record {how}: {stored.id}"))
        elif stored.key is not None and self._is_lost(stored.object, stored.key):
            told = f"a record carries this key, and the journal has none: {stored.id}"
            result.add(Difference(stored.object, stored.key, UNKNOWN, told))
        else:
            result.of(stored.object).left_alone += 1

    def _is_lost(self, object_: str, key: str) -> bool:
        """Tell whether a key is ours, and no write of it is still open that would explain it."""
        if not key.startswith(f"{self._ctx.source_id}:"):
            return False
        key, _, part = key.partition("#")
        last = self._ctx.journal.operations.last(object_, key, unquote(part))
        return last is None or (last.verb != "delete" and last.state not in OPEN)


def _contents(ctx: RunContext, object_: str, fields: Mapping[str, JSON], ends: Mapping[str, str | None]) -> list[str]:
    """Return the names by which a document is known: each place it is in, with its name and size."""
    held = ctx.writer.comparable(object_, fields)
    content = dumps([held.get("name"), held.get("size")])
    return [f"{name}|{end}|{content}" for name, end in ends.items() if end is not None]


async def _verify_bytes(ctx: RunContext, writer: FileHashing, hashes: int | None, result: Verification) -> None:
    """Read documents back and compare their checksums: all, or a few spread evenly, others every time."""
    for object_, behaviour in ctx.behaviours.objects.items():
        if behaviour.key_in != "content":
            continue
        missing = {
            d.key for d in result.differences if d.object == object_ and d.kind in (MISSING, CHANGED) and not d.fields
        }
        all_links = [one for one in ctx.journal.records.links(object_) if full_key(one.key, one.part) not in missing]
        links = [link for link in all_links if link.wanted["fields"].get("sha256")]
        result.uncompared[object_, "bytes", NOT_ASKED] += len(links)
        result.uncompared[object_, "bytes", NO_CHECKSUM] += len(all_links) - len(links)
        step = max(1, len(links) // hashes) if hashes else 1
        for link in links[ctx.journal.audit.head().length % step :: step][:hashes]:
            ctx.stop.check()
            key, counted = full_key(link.key, link.part), result.of(object_)
            try:
                held: str | None = await writer.file_sha256(link.destination_id)
            except Rejected:
                held = None
            counted.hashed += 1
            result.uncompared[object_, "bytes", NOT_ASKED] -= 1
            if held != link.wanted["fields"]["sha256"]:
                told = "its bytes cannot be read" if held is None else "its bytes differ"
                result.add(Difference(object_, key, BYTES, told, ("sha256",)))
