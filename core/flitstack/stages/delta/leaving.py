"""What must go as the source has it no more: by the rules of conflicts, and nothing that people hung something on."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from flitstack.journal import Conflict, Planned
from flitstack.stages.delta.deciding import decision_on
from flitstack.stages.standing import KEEP
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
    for name in ctx.journal.leaving.needed() & going.keys():
        del going[name]
    if going:
        await _keep_what_people_made_theirs(ctx, going)
    ctx.standing.leaving = list(going.values())


async def _keep_what_people_made_theirs(ctx: RunContext, going: dict[Name, tuple[str, Link]]) -> None:
    """Take out of what is to go all that an undo would leave as well, and set up the look right before each deletion.

    What people changed or hung something on is a conflict; what stays only because that needs it is none.
    """
    from flitstack.stages.rollback.changed import Changes  # only a run that deletes needs them
    from flitstack.stages.rollback.decide import decide
    from flitstack.stages.rollback.decision import CHANGED, NEEDED, OTHERS
    from flitstack.stages.rollback.guard import Guard
    from flitstack.stages.rollback.scope import Wanted
    from flitstack.stages.rollback.survey import Reading, know_habits

    wanted = Wanted()
    for one in ctx.journal.undo.ours():
        (wanted.delete if one.name in going else wanted.others).append(one)
    items = await ctx.writer.schema()
    changes = Changes(ctx, know_habits(ctx, items, ()))
    ours = {(one.object, one.destination_id): one for one in (*wanted.delete, *wanted.others)}
    survey = await Reading(ctx, changes, ours, {}, frozenset()).run(items)
    decision = decide(ctx, survey, wanted)
    torn = [
        Conflict(*one.ours.name, one.field if one.code == CHANGED else "", "delta", ctx.id, ctx.at())
        for one in decision.kept
        if one.code not in (NEEDED, OTHERS)
    ]
    ctx.journal.conflicts.note([replace(one, state=_state(ctx, one)) for one in torn])
    left = {one.name for one in (*decision.delete, *decision.gone)}
    for name in going.keys() - left:
        del going[name]
    places = {(one.object, one.destination_id) for one in wanted.delete if one.name in left}
    ctx.standing.guard = Guard(ctx, changes, survey.newest, places)


def _state(ctx: RunContext, conflict: Conflict) -> str:
    """Return in which state a conflict stands: what people made theirs is never deleted, whatever was decided."""
    return "kept" if (decision_on(ctx, conflict) or ctx.standing.rule) == KEEP else "open"


def mark_vanished(ctx: RunContext, vanished: str) -> None:
    """Take for left out what vanished, where it is to be deleted, and what vanished before it was ever written."""
    ctx.journal.leaving.pass_over_unwritten()
    if vanished == "delete":
        ctx.journal.leaving.mark_vanished()


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
