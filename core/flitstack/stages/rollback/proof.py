"""Proof: the account read once more after an undo, and compared with what it held before, without what we took back."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from flitstack.journal import dumps
from flitstack.protocols import full_key
from flitstack.stages.rollback.report import Proof
from flitstack.stages.rollback.schema import is_inside
from flitstack.stages.rollback.survey import all_of, digest, record_objects
from flitstack.stages.writing.answers import get_held
from flitstack.stages.writing.waiting import wait_until_shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from flitstack.protocols import SchemaItem, Stored
    from flitstack.stages.context import RunContext
    from flitstack.stages.rollback.decision import Decision, Kept
    from flitstack.stages.rollback.restoring import Restore
    from flitstack.stages.rollback.survey import Place, Survey

WRONG = 20


async def prove(ctx: RunContext, survey: Survey, decision: Decision, kept: Sequence[Kept]) -> Proof:
    """Return how the account compares: what we deleted is gone, what we put back is as it was, all else untouched.

    :param kept: what stays as a conflict; whole records among them are left out of the comparison.
    """
    await wait_until_shown(ctx)
    left_out = {(one.ours.object, one.ours.destination_id) for one in kept if one.ours.made_by is not None}
    mixed = {(one.ours.object, one.ours.destination_id) for one in kept} - left_out
    going = {(one.object, one.destination_id) for one in decision.delete} - left_out
    expected = {p: s.digest for p, s in survey.seen.items() if p not in going and p not in left_out}
    restored = {(r.ours.object, r.ours.destination_id): r for r in decision.restore}
    back: set[Place] = set()
    found: dict[Place, str] = {}
    ctx.progress.begin("verify", len(expected))

    def take(stored: Stored) -> None:
        place = (stored.object, stored.id)
        if place in restored and _is_back(ctx, restored[place], stored):
            back.add(place)
        if place not in left_out:
            found[place] = digest(ctx.writer.comparable(stored.object, stored.fields), stored.links)
            ctx.progress.advance()

    try:
        for object_ in record_objects(ctx):
            async for stored in all_of(ctx, object_):
                take(stored)
            # Lists may leave out a record that is there all the same: what they showed before is asked for by its id.
            missing = [p[1] for p in expected if p[0] == object_ and p not in found]
            for stored in (await get_held(ctx, object_, missing)).values() if missing else ():
                take(stored)
    finally:
        ctx.progress.end()
    wrong = [(p[0], p[1], "is still there") for p in sorted(going) if p in found]
    broken = {p for p in restored.keys() - mixed - back if p in found and found[p] != expected.get(p)}
    keys = {p: full_key(restored[p].ours.key, restored[p].ours.part) for p in broken}
    wrong += [(p[0], keys[p], "is not as it was") for p in sorted(broken)]
    wrong += await _schema(ctx, survey, decision, expected, found, left_out)
    theirs = {p for p in {*expected, *found} if expected.get(p) != found.get(p)} - going - broken
    for place in theirs:  # people went on working: what they did meanwhile is theirs, and no part of the comparison
        expected.pop(place, None)
        found.pop(place, None)
    return Proof(len(found), _hash(expected), _hash(found), tuple(wrong[:WRONG]), len(theirs))


def _is_back(ctx: RunContext, restore: Restore, stored: Stored) -> bool:
    """Tell whether the fields that were put back hold it: others may be people's work meanwhile."""
    held = ctx.writer.comparable(stored.object, stored.fields)
    goal = ctx.writer.comparable(stored.object, restore.fields)
    return all(held.get(name) == value for name, value in goal.items()) and all(
        stored.links.get(name) == end for name, end in restore.ends.items()
    )


async def _schema(
    ctx: RunContext,
    survey: Survey,
    decision: Decision,
    expected: dict[Place, str],
    found: dict[Place, str],
    left_out: set[Place],
) -> list[tuple[str, str, str]]:
    """Add schema items to both sides; return what of them is wrong."""
    going = {(one.object, one.destination_id) for one in decision.schema} - left_out
    off = {(o.ours.object, o.ours.destination_id): set(o.options) for o in decision.options}
    parents = [survey.items[place] for place in going if place in survey.items]
    going_along = {
        place
        for place, item in survey.items.items()
        if item.came_along and place not in going and any(is_inside(item, parent) for parent in parents)
    }
    left_out = left_out | going_along
    for place, item in survey.items.items():
        if place not in going and place not in left_out:
            expected[place] = _item_digest(item, off.get(place, ()))
    wrong: list[tuple[str, str, str]] = []
    for item in await ctx.writer.schema():
        place = (item.object, item.id or "")
        if place not in left_out:
            found[place] = _item_digest(item)
        if place in going:
            wrong.append((item.object, item.key, "is still there"))
        elif place in off and found.get(place) != expected.get(place):
            wrong.append((item.object, item.key, "its options are not as they were"))
    return wrong


def _item_digest(item: SchemaItem, without: Iterable[str] = ()) -> str:
    left = {*without}
    options = [option for option in item.settings.get("options") or () if str(option) not in left]
    return digest({"key": item.key, "options": options}, {})


def _hash(digests: Mapping[Place, str]) -> str:
    return hashlib.sha256(dumps(sorted([*place, each] for place, each in digests.items())).encode()).hexdigest()
