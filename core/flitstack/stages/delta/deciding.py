"""Conflicts that stand from earlier runs: looked at anew before a plan is made, and decided by whoever decides."""

from __future__ import annotations

from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from flitstack.journal import link_json
from flitstack.protocols import split_source_key
from flitstack.stages.delta.merge import image_of, images, is_put_away
from flitstack.stages.standing import KEEP, OVERWRITE, Standing
from flitstack.stages.writing.answers import get_held
from flitstack.stages.writing.targets import Targets

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from flitstack.journal import Conflict, DesiredRow, Link
    from flitstack.protocols import Stored
    from flitstack.stages.context import RunContext


async def look_again(ctx: RunContext, rule: str = "") -> None:
    """Look at each record in which a conflict stands; what is over by now is settled, the rest is withheld.

    A person who sets a field to what the source says, or back to what was written, ends its conflict; so does a source
    that takes its change back.
    """
    standing = ctx.standing = Standing(rule)
    conflicts = ctx.journal.conflicts.standing()
    over: list[Conflict] = []
    for object_, of_object in groupby(conflicts, key=attrgetter("object")):
        rows = list(of_object)
        links = {one.name: ctx.journal.records.link(*one.name) for one in rows}
        ids = sorted({link.destination_id for link in links.values() if link is not None})
        held = await get_held(ctx, object_, ids) if ids else {}
        for name, of_record in groupby(rows, key=attrgetter("name")):
            link = links[name]
            left = list(of_record)
            # What has no place in the account any more, as an undo or a deletion took it, is nobody's conflict.
            left = _left(ctx, left, link, held.get(link.destination_id)) if link is not None else []
            over += [one for one in rows if one.name == name and one not in left]
            _decide(ctx, standing, left)
    ctx.journal.conflicts.change(over, "settled")


def _left(ctx: RunContext, conflicts: Sequence[Conflict], link: Link, stored: Stored | None) -> list[Conflict]:
    """Return the conflicts of a record that still are; where both sides agree by now, that counts as written."""
    desired = ctx.journal.records.get(link.object, link.key, link.part)
    if stored is None or is_put_away(ctx, link, stored, desired.fields if desired else ()):
        return [one for one in conflicts if not one.field]
    if desired is None:
        return []
    targets = Targets(ctx)
    fields = {**dict.fromkeys(link.wanted["fields"]), **desired.fields}
    known = {**link.wanted["links"], **{name: link_json(target) for name, target in desired.links.items()}}
    ours = image_of(ctx, link.object, fields, known, targets)
    ours |= {f"@{name}": None for name in link.wanted["links"] if name not in desired.links}
    found = images(ctx, link, stored, targets, ours)
    agreed: dict[str, dict[str, Any]] = {"fields": {}, "links": {}}
    left: list[Conflict] = []
    for one in conflicts:
        if not one.field or not _is_wish(link, desired, one.field):
            continue
        what = found.judge(one.field, ours.get(one.field))
        if what == "conflict":
            left.append(one)
        elif what == "agreed":
            _agree(agreed, one.field, fields, known)
    if any(agreed.values()):
        image = {one.field: found.theirs.get(one.field) for one in conflicts if one not in left}
        ctx.journal.conflicts.agree((link.object, link.key, link.part), agreed, image)
    return left


def _is_wish(link: Link, desired: DesiredRow, name: str) -> bool:
    """Tell whether the source still wants something else than was written."""
    if name.startswith("@"):
        wanted = desired.links.get(name[1:])
        return bool(link.wanted["links"].get(name[1:]) != (link_json(wanted) if wanted else None))
    return bool(link.wanted["fields"].get(name) != desired.fields.get(name))


def _agree(
    agreed: dict[str, dict[str, Any]], name: str, fields: Mapping[str, Any], links: Mapping[str, Sequence[Any]]
) -> None:
    if not name.startswith("@"):
        agreed["fields"][name] = fields.get(name)
    elif name[1:] in links:
        agreed["links"][name[1:]] = links[name[1:]]


def _decide(ctx: RunContext, standing: Standing, conflicts: Iterable[Conflict]) -> None:
    """Withhold what stands, or write over it, as a line of a file or the rule says."""
    kept: list[Conflict] = []
    for one in conflicts:
        decision = decision_on(ctx, one) or standing.rule
        if decision == OVERWRITE and one.field:
            standing.overwrites.append(one)
            continue
        standing.withheld.setdefault(one.name, set()).add(one.field)
        if decision == KEEP:
            kept.append(one)
    ctx.journal.conflicts.change(kept, "kept")


def decision_on(ctx: RunContext, conflict: Conflict) -> str:
    """Return what a file says of a conflict: `keep`, `overwrite`, "" for nothing."""
    _, stream, record_id, _ = split_source_key(conflict.key)
    return ctx.decisions.on_conflict(stream, record_id, conflict.object, conflict.field)


def about_conflicts(ctx: RunContext) -> list[object]:
    """Return what an approval rests on of conflicts: the rule, and which of them are written over; () for neither."""
    names = [(*one.name, one.field, one.at) for one in ctx.standing.overwrites]
    return [ctx.standing.rule, names] if ctx.standing.rule or names else []
