"""Rebuild: link what the account holds of ours already, when the journal that wrote it is lost.

Keys and markers say what a record stands for, never whose it is: another business has the same numbers. So nothing is
taken over by its key alone: what the records say must be what this export says.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from flitstack.errors import ConfigurationError
from flitstack.journal import Held, Settlement, dumps, link_json
from flitstack.protocols import full_key
from flitstack.stages.context import on_disk
from flitstack.stages.proof.look_alikes import find_look_alikes
from flitstack.stages.writing.answers import list_held
from flitstack.stages.writing.schema import bind_links
from flitstack.stages.writing.targets import Targets

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from flitstack.journal import DesiredRow, OperationRow
    from flitstack.protocols import JSON, LinkRef, SchemaItem, Stored
    from flitstack.stages.context import RunContext

ACCEPTED = "rebuilt"
CHUNK = 1000
SAMPLE = 200
"""Records of each object that are compared with the export: each kind counts alike, however many there are of it."""
COMMON = 50
"""A value that more than one in so many of the compared records share tells nothing apart: a currency, a type."""
RECENT = timedelta(minutes=15)
LAGS = 4


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What was found of a journal that is not here.

    :param held: per object, records of ours that the account holds.
    :param compared, agreeing: records compared with the export, and those of them that say the same.
    :param incomplete: linked records of which the account holds nothing where the export has something.
    :param differing: linked records that differ from the export; they stay as they are.
    :param unwanted: linked records that the export no longer has.
    :param look_alikes: (object, key) of what is in doubt because a record without a key looks just like it.
    """

    held: Mapping[str, int]
    compared: int
    agreeing: int
    incomplete: int
    differing: int
    unwanted: int
    look_alikes: Sequence[tuple[str, str]] = ()

    @property
    def records(self) -> int:
        """Return how many records were found."""
        return sum(self.held.values())


@dataclass(slots=True)
class _Count:
    """Counts while links are settled."""

    incomplete: int = 0
    differing: int = 0
    look_alikes: list[tuple[str, str]] = field(default_factory=list)


async def rebuild(ctx: RunContext, found: Sequence[SchemaItem]) -> Rebuilt | None:
    """Link what the account holds of ours, as long as this journal has written nothing itself.

    Until something is written, every run looks anew. Once it is, only what was in doubt because of a look-alike is
    looked at again.

    :param found: the account's schema.
    :return: None when there is nothing to rebuild.
    :raises ConfigurationError: the account holds records under our source id that do not say what the export says.
    """
    ctx.writer.bind({item.key: item for item in found})
    bind_links(ctx, found)
    if ctx.journal.operations.ever_sent() or ctx.journal.runs.meta(ACCEPTED) is not None:
        await _settle_look_alikes(ctx)
        return None
    ctx.journal.rebuilding.begin()
    if not await _hold_ours(ctx, found):
        ctx.journal.rebuilding.drop()
        return None
    compared, agreeing = _judge(ctx)
    if 2 * agreeing <= compared or not compared:
        ctx.journal.rebuilding.drop()
        raise _others(ctx, compared, agreeing)
    rebuilt = _link(ctx, compared, agreeing)
    ctx.progress.say(
        f"The account holds {rebuilt.records:,} records of source id {ctx.source_id!r} written by a journal that is "
        "not here: they were linked, not written again. What that journal alone knew is lost: approvals, what it "
        "spent, and the values that its updates replaced."
    )
    return rebuilt


def accept(ctx: RunContext) -> None:
    """Note that a rebuild was made use of: from now on this journal is the one that knows."""
    ctx.journal.runs.remember(ACCEPTED, ctx.id)


def existing_text(rebuilt: Rebuilt, source_id: str) -> str:
    """Return what the `existing` gate shows: what was found, why it is taken for ours, what becomes of it."""
    held = ", ".join(f"{count:,} {object_}" for object_, count in rebuilt.held.items())
    lines = [
        f"The account holds {rebuilt.records:,} records of source id {source_id!r}, written by a journal that is not "
        f"here: {held}.",
        f"Of {rebuilt.compared:,} compared with this export, {rebuilt.agreeing:,} say the same in most of what tells "
        "one record from another, so they are taken for its own: they are linked, and not written again.",
        f"  {rebuilt.incomplete:,} lack something that the export has; it is added.",
        f"  {rebuilt.differing:,} differ from the export; they stay as they are, and verification lists them.",
        f"  {rebuilt.unwanted:,} are not in the export, or not wanted by this map; they stay.",
        f"  {len(rebuilt.look_alikes):,} may be there without their key: a record looks just like each. They are not "
        "written again; delete the look-alike, or give it its key, and run again.",
        *(f"    {object_} {key}" for object_, key in rebuilt.look_alikes[:20]),
        "A record that somebody deleted or a document that somebody renamed in the account is written again: nothing "
        "says any more that it was there.",
        "Lost with the journal: approvals, what it spent, and the values that its updates replaced; a rollback can "
        "delete what was created, unless somebody changed it since, but cannot restore those values.",
        "If that journal still exists, use it (--journal): two journals write everything twice.",
    ]
    return "\n".join(lines)


def _others(ctx: RunContext, compared: int, agreeing: int) -> ConfigurationError:
    found = f"of {compared:,} compared with this export, {agreeing:,} say the same" if compared else "none is in it"
    return ConfigurationError(
        f"The account already holds records of source id {ctx.source_id!r}, written by another journal, and they are "
        f"not those of this export ({found}). "
        "Use that journal (--journal). Only if this export is of another business: give it an id of its "
        "own in a new journal, --set source_id=NAME --journal FILE; for the same business that would write "
        "everything a second time."
    )


# --- what the account holds ---


async def _hold_ours(ctx: RunContext, found: Sequence[SchemaItem]) -> bool:
    """Keep aside what may be ours; return whether any record carries a key of ours.

    Records carry keys only where the account has the field for them; without any, nothing is read.
    """
    keyed = [o for o in _records(ctx) if any(item.name == _key_field(ctx, o) and item.of == o for item in found)]
    if not keyed:
        return False
    lag_s = max(ctx.behaviours.objects[object_].lag_s for object_ in _records(ctx))
    await ctx.clock.sleep(lag_s)  # the journal that is lost may have written until a moment ago
    newest = await _hold(ctx, keyed)
    if not ctx.journal.rebuilding.keyed():
        return False
    if newest is None or newest > ctx.clock.now() - RECENT:
        await ctx.clock.sleep((LAGS - 1) * lag_s)
        await _hold(ctx, keyed)
    await _hold(ctx, [object_ for object_ in _records(ctx) if object_ not in keyed])
    return True


async def _hold(ctx: RunContext, objects: Sequence[str]) -> datetime | None:
    """Keep aside what objects hold that may be ours; return when the latest that carries a key was written."""
    newest: datetime | None = None
    for object_ in objects:
        ctx.journal.rebuilding.drop(object_)
        batch: list[Held] = []
        async for stored in list_held(ctx, object_):
            ctx.stop.check()
            held = _held(ctx, stored)
            if held is None:
                continue
            batch.append(held)
            at = stored.updated or stored.added
            if held.key is not None and at is not None and (newest is None or at > newest):
                newest = at
            if len(batch) >= CHUNK:
                ctx.journal.rebuilding.hold(batch)
                batch = []
        ctx.journal.rebuilding.hold(batch)
    return newest


def _held(ctx: RunContext, stored: Stored) -> Held | None:
    """Return what is kept aside of a record, None when it cannot be ours."""
    key_in = ctx.behaviours.objects[stored.object].key_in
    ours = stored.key is not None and stored.key.startswith(f"{ctx.source_id}:")
    if not ours and (stored.key is not None or key_in.startswith("field:")):
        return None
    key, _, part = (stored.key or "").partition("#")
    fields = ctx.writer.comparable(stored.object, stored.fields)
    return Held(stored.object, stored.id, key or None, unquote(part), fields, stored.links)


def _records(ctx: RunContext) -> list[str]:
    return [object_ for object_ in ctx.behaviours.objects if object_ not in ctx.behaviours.schema_objects]


def _key_field(ctx: RunContext, object_: str) -> str | None:
    place, _, name = ctx.behaviours.objects[object_].key_in.partition(":")
    return name if place == "field" else None


# --- whose it is ---


def _judge(ctx: RunContext) -> tuple[int, int]:
    """Return how many records were compared with the export, and how many say the same.

    Compared are fields that both have and whose value few others share: what all records have alike (a currency, a
    type of visit, a yes or no) another business has too. A record says the same when more than half of these agree;
    one that has none of them is not counted.
    """
    compared = agreeing = 0
    for object_ in _records(ctx):
        pairs = [
            (ctx.writer.comparable(object_, desired.fields), held.fields)
            for desired, held in ctx.journal.rebuilding.matched(object_, SAMPLE)
        ]
        shared = Counter((name, dumps(value)) for wanted, _ in pairs for name, value in wanted.items())
        most = max(1, len(pairs) // COMMON)
        for wanted, held in pairs:
            telling = [
                held[name] == value
                for name, value in wanted.items()
                if value is not None
                and held.get(name) is not None
                and not isinstance(value, bool)
                and shared[name, dumps(value)] <= most
            ]
            compared += bool(telling)
            agreeing += 2 * sum(telling) > len(telling)
    return compared, agreeing


# --- links ---


def _link(ctx: RunContext, compared: int, agreeing: int) -> Rebuilt:
    """Link what is held of ours and return what that came to."""
    rebuilding = ctx.journal.rebuilding
    about = (ctx.id, ctx.spec_sha256, ctx.at())
    contents = [o for o in _records(ctx) if ctx.behaviours.objects[o].key_in == "content"]
    keyed = [o for o in _records(ctx) if o not in contents]
    held = rebuilding.keyed()
    for object_ in keyed:
        rebuilding.link_keyed(object_, *about)
    targets = Targets(ctx)
    count = _Count()
    for object_ in keyed:
        _settle(ctx, rebuilding.matched(object_), targets, count)
    for object_ in contents:
        pairs = list(_same_content(ctx, object_, targets))
        rebuilding.link_loose([(desired, found.id) for desired, found in pairs], *about)
        _settle(ctx, pairs, targets, count)
        held |= {object_: len(pairs)} if pairs else {}
    for object_ in keyed:
        doubts = find_look_alikes(ctx, object_, targets)
        rebuilding.doubt(doubts, *about)
        count.look_alikes += [(object_, full_key(desired.key, desired.part)) for desired, _ in doubts]
    unwanted = ctx.journal.records.unwanted()
    rebuilt = Rebuilt(held, compared, agreeing, count.incomplete, count.differing, unwanted, tuple(count.look_alikes))
    rebuilding.finish(about[2], _event(ctx, rebuilt))
    return rebuilt


def _event(ctx: RunContext, rebuilt: Rebuilt) -> dict[str, Any]:
    counts = {"compared": rebuilt.compared, "agreeing": rebuilt.agreeing, "look_alikes": len(rebuilt.look_alikes)}
    return {"run": ctx.id, "outcome": "rebuilt", "spec": ctx.spec_sha256, "objects": dict(rebuilt.held), **counts}


def _settle(
    ctx: RunContext, pairs: Iterator[tuple[DesiredRow, Held]] | Sequence[tuple[DesiredRow, Held]], targets: Targets,
    count: _Count,
) -> None:  # fmt: skip
    rows = []
    for desired, held in pairs:
        ctx.stop.check()
        standing = _standing(ctx, desired, held, targets)
        count.incomplete += standing.incomplete
        count.differing += standing.differing
        rows.append((desired.object, desired.key, desired.part, standing.wanted, standing.after))
        if len(rows) >= CHUNK:
            ctx.journal.rebuilding.settle(rows)
            rows = []
    ctx.journal.rebuilding.settle(rows)


@dataclass(frozen=True, slots=True)
class _Standing:
    """What a link stands for: `wanted` and `after` of the journal, and whether the record is as the export has it."""

    wanted: Mapping[str, Any]
    after: Mapping[str, JSON]
    incomplete: bool
    differing: bool


def _standing(ctx: RunContext, desired: DesiredRow, held: Held, targets: Targets) -> _Standing:
    """Return how a record stands to what is desired of it.

    A create carries everything, so what a record lacks is new in the export, or a link that a second write was to add:
    the plan writes it. What differs was changed since, by whom nobody knows any more: it counts as written once, so
    that no plan writes it again, a later change of it is a conflict, and verification shows it. In a record that was
    changed like that, a field that is empty was emptied, as far as anybody can tell, and stays so.
    """
    expected = dict(ctx.writer.comparable(desired.object, desired.fields))
    ends = {name: end for name, link in desired.links.items() if (end := targets.id(link)) is not None}
    differing = [n for n, v in expected.items() if held.fields.get(n) is not None and held.fields[n] != v]
    moved = [name for name, end in ends.items() if held.links.get(name) not in (None, end)]
    lacking = {n for n, v in expected.items() if v is not None and held.fields.get(n) is None}
    left_empty = lacking if differing else set()
    missing = lacking - left_empty
    fields = {name: value for name, value in desired.fields.items() if name not in missing}
    links = {name: desired.links[name] for name in ends if held.links.get(name) is not None}
    wanted: dict[str, Any] = {"fields": fields, "links": {name: link_json(link) for name, link in links.items()}}
    users = {name: ends[name] for name, link in links.items() if link.object == ctx.behaviours.user}
    if users:
        wanted["users"] = users
    after: dict[str, JSON] = {name: None if name in missing else value for name, value in expected.items()}
    after |= {f"@{name}": end if name in links else None for name, end in ends.items()}
    unlinked = ends.keys() - links.keys()
    return _Standing(wanted, after, bool(missing or unlinked), bool(differing or moved or left_empty))


def _same_content(ctx: RunContext, object_: str, targets: Targets) -> Iterator[tuple[DesiredRow, Held]]:
    """Yield what is known by parent, name and size, one to one when several are equal."""
    held: dict[tuple[str, str, str], list[Held]] = {}
    for one in ctx.journal.rebuilding.loose(object_):
        for parent, id_ in one.links.items():
            held.setdefault((parent, id_, _content(one.fields)), []).append(one)
    taken: set[str] = set()
    for desired in ctx.journal.rebuilding.missing(object_):
        content = _content(ctx.writer.comparable(object_, desired.fields))
        for place in _places(ctx, desired.links, targets):
            free = next((one for one in held.get((*place, content), ()) if one.id not in taken), None)
            if free is not None:
                taken.add(free.id)
                yield desired, free
                break


def _content(fields: Mapping[str, JSON]) -> str:
    return dumps([fields.get("name"), fields.get("size")])


def _places(ctx: RunContext, links: Mapping[str, LinkRef], targets: Targets) -> list[tuple[str, str]]:
    ends = ((name, targets.id(link)) for name, link in sorted(links.items()) if link.object != ctx.behaviours.user)
    return [(name, end) for name, end in ends if end is not None]


# --- look-alikes, once the rebuild is over ---


async def _settle_look_alikes(ctx: RunContext) -> None:
    """Find out what a person made of look-alikes: one that is gone is written anew, one that has its key is linked."""
    doubted = ctx.journal.rebuilding.doubted()
    for object_ in dict.fromkeys(row.object for row in doubted):
        rows = [row for row in doubted if row.object == object_]
        keys = {full_key(row.key, row.part) for row in rows}
        ids = {row.destination_id for row in rows}
        by_key: dict[str, Stored] = {}
        there: set[str] = set()
        async for stored in list_held(ctx, object_):
            if stored.key in keys:
                by_key.setdefault(stored.key or "", stored)
            elif stored.id in ids:
                there.add(stored.id)
        for row in rows:
            marked = by_key.get(full_key(row.key, row.part))
            if marked is not None:
                await _link_found(ctx, row, marked)
            elif row.destination_id not in there:
                await on_disk(ctx.journal.operations.settle([Settlement(row, "planned", ctx.at(), ctx.facts(row))]))


async def _link_found(ctx: RunContext, row: OperationRow, stored: Stored) -> None:
    facts = {**ctx.facts(row), "found_by": "its key"}
    await on_disk(ctx.journal.operations.settle([Settlement(row, "done", ctx.at(), facts, stored.id)]))
    desired = ctx.journal.records.get(row.object, row.key, row.part)
    held = _held(ctx, stored)
    if desired is not None and held is not None:
        _settle(ctx, [(desired, held)], Targets(ctx), _Count())
