"""Verify: read back every record through lists and compare every field by meaning."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from flitstack.errors import Rejected
from flitstack.journal import UNREAD, dumps, read_link
from flitstack.protocols import FileHashing, full_key
from flitstack.stages.writing.schema import SCHEMA_KEY
from flitstack.stages.writing.targets import Targets

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from flitstack.journal import Link
    from flitstack.protocols import JSON, Behaviours, Stored
    from flitstack.stages.context import RunContext

EXAMPLES = 20
OPEN = ("planned", "blocked", "intended", "in_doubt")
SAMPLE = 10
SHARE = 0.001
"""A run hashes a few documents by itself as long as that takes no more than this share of what a whole load takes."""


@dataclass(slots=True)
class Counted:
    """What reading back one object found.

    :param checked: records compared. :param fields: fields and links compared.
    :param mismatched: records that are missing, or of which a field differs; those doubled and unknown among them.
    :param drifted: records that were as written when last read, and differ now: someone changed them since.
    :param doubled: records beside ours that carry one of our keys, or documents like one of ours in the same place.
    :param unknown: records that carry a key of ours of which the journal knows no record.
    :param left_alone: records that are not ours.
    :param hashed: documents whose bytes were read back.
    """

    checked: int = 0
    fields: int = 0
    mismatched: int = 0
    drifted: int = 0
    doubled: int = 0
    unknown: int = 0
    left_alone: int = 0
    hashed: int = 0


@dataclass(slots=True)
class Verification:
    """What reading back found, per object.

    :param examples: (object, key, what differs), names only.
    """

    objects: dict[str, Counted] = field(default_factory=dict)
    examples: list[tuple[str, str, str]] = field(default_factory=list)

    def of(self, object_: str) -> Counted:
        """Return the counts of an object."""
        return self.objects.setdefault(object_, Counted())

    def note(self, object_: str, key: str, what: str) -> None:
        """Keep an example."""
        if len(self.examples) < EXAMPLES:
            self.examples.append((object_, key, what))

    def miss(self, object_: str, key: str, what: str) -> None:
        """Count a mismatch and keep it as an example."""
        self.of(object_).mismatched += 1
        self.note(object_, key, what)

    def total(self, name: str) -> int:
        """Return one of the counts over all objects."""
        return sum(getattr(counted, name) for counted in self.objects.values())

    @property
    def checked(self) -> int:
        """Return how many records were compared."""
        return self.total("checked")

    @property
    def fields(self) -> int:
        """Return how many fields and links were compared."""
        return self.total("fields")

    @property
    def mismatched(self) -> int:
        """Return how many records are not as they should be."""
        return self.total("mismatched")

    @property
    def drifted(self) -> int:
        """Return how many records someone changed since."""
        return self.total("drifted")

    @property
    def doubled(self) -> int:
        """Return how many records are there a second time."""
        return self.total("doubled")

    @property
    def hashed(self) -> int:
        """Return of how many documents the bytes were read back."""
        return self.total("hashed")

    @property
    def left_alone(self) -> dict[str, int]:
        """Return, per object, how many records are not ours, where there are any."""
        return {object_: counted.left_alone for object_, counted in self.objects.items() if counted.left_alone}


async def verify(
    ctx: RunContext, *, hashes: int | None = 0, keep: bool = True, see: Callable[[Link, Stored], None] | None = None
) -> Verification:
    """Compare everything that was written with what the account holds.

    :param hashes: of how many documents the bytes are read back, where the journal knows their checksum; None for all.
    :param keep: keep in the journal what was read back, for comparison with later changes.
    :param see: told of each record of ours as it was read back.
    """
    result = Verification()
    counts = ctx.journal.records.link_objects()
    await _wait_until_shown(ctx)
    ctx.progress.begin("verify", sum(counts.values()))
    try:
        await _verify_schema(ctx, result)
        for object_ in ctx.behaviours.objects:
            if object_ not in ctx.behaviours.schema_objects and counts.get(object_):
                after = await _verify_object(ctx, object_, result, see)
                if keep:
                    ctx.journal.records.set_after(after)
        if hashes != 0 and isinstance(ctx.writer, FileHashing):
            await _verify_bytes(ctx, ctx.writer, hashes, result)
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


async def _wait_until_shown(ctx: RunContext) -> None:
    """Wait until the declared lag has passed since the last write: until then a list may leave it out."""
    last = ctx.journal.operations.last_settled_at()
    if last is not None:
        lag = max(behaviour.lag_s for behaviour in ctx.behaviours.objects.values())
        left = lag - (ctx.clock.now() - datetime.fromisoformat(last)).total_seconds()
        if left > 0:
            await ctx.clock.sleep(min(left, lag))


async def _verify_schema(ctx: RunContext, result: Verification) -> None:
    found = {(item.object, item.id): item for item in await ctx.writer.schema()}
    for object_ in ctx.behaviours.schema_objects:
        for link in ctx.journal.records.links(object_):
            item = found.get((object_, link.destination_id))
            counted = result.of(object_)
            counted.checked += 1
            counted.fields += 1
            options: list[Any] = link.wanted["fields"].get("options") or []
            if item is None or item.key != link.key.removeprefix(SCHEMA_KEY):
                result.miss(object_, link.key, "missing" if item is None else "name")
            elif not set(options) <= set(item.settings.get("options", ())):
                result.miss(object_, link.key, "options")
            ctx.progress.advance()


async def _verify_object(
    ctx: RunContext, object_: str, result: Verification, see: Callable[[Link, Stored], None] | None
) -> list[tuple[str, str, str, dict[str, JSON]]]:
    """Compare the records of an object; return what the journal is to keep of them: (object, key, part, fields)."""
    ours = {link.destination_id: link for link in ctx.journal.records.links(object_)}
    targets = Targets(ctx)
    strangers = _Strangers(ctx, object_, ours.values(), targets)
    after: list[tuple[str, str, str, dict[str, JSON]]] = []
    async for stored in ctx.writer.list(object_):
        ctx.stop.check()
        link = ours.pop(stored.id, None)
        if link is None:
            strangers.count(stored, result)
            continue
        if see is not None:
            see(link, stored)
        after.append((object_, link.key, link.part, _compare(ctx, link, stored, targets, result)))
        ctx.progress.advance()
    for stored in await ctx.writer.get_many(object_, list(ours)):
        link = ours.pop(stored.id)  # not listed, yet there: archived, say
        if see is not None:
            see(link, stored)
        after.append((object_, link.key, link.part, _compare(ctx, link, stored, targets, result)))
        ctx.progress.advance()
    for link in ours.values():
        result.of(object_).checked += 1
        result.miss(object_, full_key(link.key, link.part), "missing in the account")
    return after


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
            result.of(stored.object).doubled += 1
            how = "is the same document in the same place" if self._by_content else "carries this key"
            result.miss(stored.object, key, f"a second record {how}: {stored.id}")
        elif stored.key is not None and self._is_lost(stored.object, stored.key):
            result.of(stored.object).unknown += 1
            result.miss(stored.object, stored.key, f"a record carries this key, and the journal has none: {stored.id}")
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
        links = [link for link in ctx.journal.records.links(object_) if link.wanted["fields"].get("sha256")]
        step = max(1, len(links) // hashes) if hashes else 1
        for link in links[ctx.journal.audit.head().length % step :: step][:hashes]:
            ctx.stop.check()
            key, counted = full_key(link.key, link.part), result.of(object_)
            try:
                held: str | None = await writer.file_sha256(link.destination_id)
            except Rejected:
                held = None
            counted.hashed += 1
            if held != link.wanted["fields"]["sha256"]:
                result.miss(object_, key, "its bytes cannot be read" if held is None else "its bytes differ")


def _compare(ctx: RunContext, link: Link, stored: Stored, targets: Targets, result: Verification) -> dict[str, JSON]:
    """Count what differs; return the fields and links as read back, in comparable form.

    A link stands under `@NAME`. One to a user is expected to lead where it led when it was written: who stands for
    whom may have changed since, and that alone writes nothing.
    """
    users = link.wanted.get("users", {})
    expected = dict(ctx.writer.comparable(link.object, link.wanted["fields"]))
    held = dict(ctx.writer.comparable(link.object, stored.fields))
    for name, target in link.wanted["links"].items():
        expected[f"@{name}"] = users.get(name) or targets.id(read_link(target))
        held[f"@{name}"] = stored.links.get(name)
    differing = [name for name, value in expected.items() if held.get(name) != value]
    counted = result.of(link.object)
    counted.checked += 1
    counted.fields += len(expected)
    if not differing:
        return {name: held.get(name) for name in expected}
    before = link.after or {}
    unread: Sequence[str] = before.get(UNREAD, ())  # type: ignore[assignment]
    drifted = link.after is not None and all(
        name not in unread and before.get(name) == expected[name] for name in differing
    )
    counted.drifted += drifted
    counted.mismatched += not drifted
    what = "changed in the account since: " if drifted else "differs: "
    named = ", ".join(sorted(name.removeprefix("@") for name in differing))
    result.note(link.object, full_key(link.key, link.part), what + named)
    kept = {name: before.get(name) for name in differing} if drifted else {}
    return {**{name: held.get(name) for name in expected}, **kept}
