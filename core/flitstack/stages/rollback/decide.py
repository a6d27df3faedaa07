"""Decide: what goes, what is put back, and what stays because people made it theirs."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from flitstack.stages.rollback.decision import CHANGED, FIXED, HUNG, NEEDED, OTHERS, UNKNOWN, Decision, Kept
from flitstack.stages.rollback.schema import decide_schema

if TYPE_CHECKING:
    from flitstack.journal import Ours
    from flitstack.stages.context import RunContext
    from flitstack.stages.rollback.scope import Wanted
    from flitstack.stages.rollback.survey import Place, Seen, Survey


def decide(
    ctx: RunContext, survey: Survey, wanted: Wanted, *, with_dependents: bool = False, also_found: bool = False
) -> Decision:
    """Return what goes, what is put back, and what stays and why.

    :param with_dependents: take along what we made on a record that goes, and that cannot do without it.
    :param also_found: delete people that a rebuilt journal found by their key, though nobody knows who created them.
    """
    decision = Decision()
    schema_objects = ctx.behaviours.schema_objects
    records = [one for one in wanted.delete if one.object not in schema_objects]
    going = {(one.object, one.destination_id): one for one in records}
    if with_dependents:
        _take_along(survey, going)
    _keep_changed(ctx, survey, going, decision, also_found=also_found)
    _keep_needed(survey, going, decision)
    for place, one in going.items():
        (decision.delete if place in survey.seen else decision.gone).append(one)
    _restores(survey, wanted, decision)
    decide_schema(ctx, survey, wanted, set(going), decision)
    return decision


def _take_along(survey: Survey, going: dict[Place, Ours]) -> None:
    """Add to what goes all of ours that was made so that it cannot do without it."""
    on: dict[Place, list[Seen]] = {}
    for seen in survey.seen.values():
        for ref in seen.refs:
            if ref.required and seen.ours is not None and seen.ours.made_by is not None:
                on.setdefault(ref.place, []).append(seen)
    waiting = list(going)
    while waiting:
        for seen in on.get(waiting.pop(), ()):
            if seen.place not in going and seen.ours is not None:
                going[seen.place] = seen.ours
                waiting.append(seen.place)


def _keep_changed(
    ctx: RunContext, survey: Survey, going: dict[Place, Ours], decision: Decision, *, also_found: bool
) -> None:
    """Let stay what somebody changed, what nobody knows who created, and what cannot be deleted."""
    for place, one in list(going.items()):
        behaviour, seen = ctx.behaviours.objects[one.object], survey.seen.get(place)
        if seen is None:
            continue
        found: list[Kept] = []
        if "delete" not in behaviour.verbs or behaviour.delete == "none":
            found = [Kept(one, FIXED)]
        elif one.rebuilt and one.object in ctx.behaviours.people and not also_found:
            found = [Kept(one, UNKNOWN)]
        else:
            found = [Kept(one, CHANGED, name) for name in seen.changed]
        if found:
            decision.kept += found
            del going[place]


def _keep_needed(survey: Survey, going: dict[Place, Ours], decision: Decision) -> None:
    """Let stay what is linked by anything that stays: gone, it would change what people have made theirs."""
    theirs = {(kept.ours.object, kept.ours.destination_id) for kept in decision.kept}
    needed: dict[Place, Ours] = {}
    by: dict[Place, Counter[tuple[str, str]]] = {}
    waiting = [seen for seen in survey.seen.values() if seen.place not in going]
    while waiting:
        seen = waiting.pop()
        for ref in seen.refs:
            if ref.place == seen.place or (ref.place not in going and ref.place not in needed):
                continue
            if ref.place not in survey.seen:  # somebody deleted it, and the account still shows the link
                continue
            if ref.place in going:
                needed[ref.place] = going.pop(ref.place)
                waiting.append(survey.seen[ref.place])
            code = NEEDED if seen.place in needed or seen.place in theirs else OTHERS
            code = HUNG if seen.ours is None or seen.ours.made_by is None else code
            by.setdefault(ref.place, Counter())[code, seen.place[0]] += 1
    decision.kept += [_with_reasons(one, by[place]) for place, one in needed.items()]


def _with_reasons(one: Ours, reasons: Counter[tuple[str, str]]) -> Kept:
    """Return why it stays: the first of its reasons, and how many records of each object are that reason."""
    code = min((code for code, _ in reasons), key=(HUNG, OTHERS, NEEDED).index)
    return Kept(one, code, "", {object_: n for (each, object_), n in sorted(reasons.items()) if each == code})


def _restores(survey: Survey, wanted: Wanted, decision: Decision) -> None:
    """Put back what can be; of the rest say why it stays."""
    for one in wanted.restore:
        place = (one.object, one.destination_id)
        restore = survey.restores.get(place)
        if restore is None:
            if place[0] in {p[0] for p in survey.seen} and place not in survey.seen:
                decision.gone.append(one)
            continue
        decision.kept += [Kept(one, code, name) for name, code in restore.conflicts]
        if one.rebuilt or (one.made_by is None and not restore.operation and not restore.conflicts):
            continue
        if restore.writes:
            decision.restore.append(restore)
