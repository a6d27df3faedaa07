"""What must go as the source has it no more: by the rules of conflicts, and nothing that people hung something on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flitstack.journal import Conflict, Planned
from flitstack.stages.writing.schema import LEVEL_STEP

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from flitstack.journal import Link
    from flitstack.mapping import Spec
    from flitstack.protocols import JSON
    from flitstack.stages.context import RunContext

VANISHED = ("keep", "delete")
Name = tuple[str, str, str]


async def find_leaving(ctx: RunContext, spec: Spec, vanished: str) -> None:
    """Find what must go, and leave it in the context for the plan: groups that emptied, and what vanished, if wanted.

    What anything leads to that stays is kept; when that is somebody else's record, it is a conflict and listed.

    :param vanished: one of `VANISHED`.
    """
    going: dict[Name, tuple[str, Link]] = {}
    grouped = {entry.name for entry in spec.entries if entry.is_grouped}
    if grouped:
        for entry, sha256, link in ctx.journal.leaving.without_wish(grouped):
            if sha256 == ctx.spec_sha256:  # another map that groups otherwise is no change of the source
                going[link.object, link.key, link.part] = entry, link
    if vanished == "delete":
        for entry, link in ctx.journal.leaving.vanished():
            going[link.object, link.key, link.part] = entry, link
    afterwards = {entry.name: entry.afterwards for entry in spec.entries if entry.afterwards}
    ctx.standing.parting = [
        (entry, link, dict(afterwards[entry]))
        for entry, _, link in (ctx.journal.leaving.without_wish(afterwards) if afterwards else ())
    ]
    if going:
        for name in ctx.journal.leaving.needed() & going.keys():
            del going[name]
        hung = await _hung(ctx, going)
        at = ctx.at()
        ctx.journal.conflicts.note(Conflict(*name, "", "delta", ctx.id, at) for name in sorted(hung))
        for name in hung:
            del going[name]
    ctx.standing.leaving = [going[name] for name in going]


def mark_vanished(ctx: RunContext, vanished: str) -> None:
    """Take what vanished for left out, where it is to be deleted."""
    if vanished == "delete":
        ctx.journal.leaving.mark_vanished()


async def _hung(ctx: RunContext, going: Mapping[Name, tuple[str, Link]]) -> set[Name]:
    """Return which of them a record leads to that is not going itself: known by lists, not by a request each."""
    places = {(link.object, link.destination_id): name for name, (_, link) in going.items()}
    targets = {link.object for _, link in going.values()}
    found: set[Name] = set()
    for object_ in ctx.behaviours.objects:
        if object_ in ctx.behaviours.schema_objects:
            continue
        leads = ctx.journal.undo.leads_to().get(object_, {})
        names = {name for name, to in leads.items() if to in targets}
        names |= {parent for parent in ctx.behaviours.objects[object_].parents if leads.get(parent, parent) in targets}
        if not names:
            continue
        async for stored in ctx.writer.list(object_):
            if (object_, stored.id) in places:
                continue
            for name in names & stored.links.keys():
                for target in {leads.get(name, name)} & targets:
                    if (target, stored.links[name]) in places:
                        found.add(places[target, stored.links[name]])
    return found


def leaving_operations(ctx: RunContext) -> Iterable[Planned]:
    """Yield what marks records that the map makes no more, and deletions: children first, after all else."""
    yield from _parting(ctx)
    numbers = {object_: number for number, object_ in enumerate(ctx.behaviours.objects)}
    for entry, link in ctx.standing.leaving:
        last = ctx.journal.operations.last(link.object, link.key, link.part)
        if last is not None and last.state in ("intended", "in_doubt"):
            continue
        level = (2 * len(numbers) - numbers[link.object]) * LEVEL_STEP
        before: Mapping[str, JSON] = link.wanted["fields"]
        name = (link.object, link.key, link.part)
        yield Planned("delete", entry, *name, {}, {}, level, link.destination_id, before)


def _parting(ctx: RunContext) -> Iterable[Planned]:
    """Yield the updates that mark what the map makes no more as the spec says, each once."""
    for entry, link, afterwards in ctx.standing.parting:
        name = (link.object, link.key, link.part)
        last = ctx.journal.operations.last(*name)
        held = ctx.standing.withheld.get(name, set())
        known: Mapping[str, JSON] = link.wanted["fields"]
        fields = {field: value for field, value in afterwards.items() if known.get(field) != value}
        fields = {field: value for field, value in fields.items() if not {field, ""} & held}
        if fields and (last is None or last.state not in ("intended", "in_doubt", "rejected")):
            before = {field: known.get(field) for field in fields}
            yield Planned("update", entry, *name, fields, {}, 0, link.destination_id, before)
