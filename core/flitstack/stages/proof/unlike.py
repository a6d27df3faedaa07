"""What was never seen as it was written: listed until it is right, or until a person accepts it as it is."""

from __future__ import annotations

from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from flitstack.errors import UsageError
from flitstack.journal import Conflict
from flitstack.protocols import split_source_key
from flitstack.stages.delta.deciding import decision_on
from flitstack.stages.delta.merge import written_image
from flitstack.stages.standing import KEEP, OVERWRITE
from flitstack.stages.writing.targets import Targets

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flitstack.journal import Link
    from flitstack.stages.context import RunContext

SET_RIGHT = "it was never seen as it was written. Set it right in the account, or say keep, which accepts it as it is."


def keep_unlike(ctx: RunContext, object_: str, rows: Sequence[tuple[Link, Sequence[str]]]) -> None:
    """List what reading back found unlike what was written; what was listed before and is right by now is over.

    :param rows: each record with its fields and links (`@NAME`); "" for one that is not there.
    """
    met = [Conflict(object_, o.key, o.part, name, "written", ctx.id, ctx.at()) for o, names in rows for name in names]
    found = {(*one.name, one.field) for one in met}
    before = [one for one in ctx.journal.conflicts.open("written") if one.object == object_]
    ctx.journal.conflicts.change([one for one in before if (*one.name, one.field) not in found], "settled")
    ctx.journal.conflicts.meet(met)


def accept_unlike(ctx: RunContext) -> None:
    """Take for written what a line of the decisions file says `keep` of: from now on it is what somebody changed.

    No rule accepts it: what was lost on its way must not pass for somebody's wish unseen.

    :raises UsageError: a line says `overwrite` of it.
    """
    decided = [one for one in ctx.journal.conflicts.open("written") if _decision(ctx, one) == KEEP]
    rows, targets = [], Targets(ctx)
    for name, of_record in groupby(decided, key=attrgetter("name")):
        link = ctx.journal.records.link(*name)
        names = [one.field for one in of_record]
        if link is not None:
            image: dict[str, Any] = written_image(ctx, link, targets)
            rows.append((name, image if "" in names else {n: image[n] for n in names if n in image}))
    if rows:
        ctx.journal.proving.accept(rows, ctx.at(), ctx.id)
        ctx.journal.conflicts.change(decided, "kept")


def _decision(ctx: RunContext, conflict: Conflict) -> str:
    decision = decision_on(ctx, conflict)
    if decision == OVERWRITE and not any(one.name == conflict.name for one in ctx.journal.conflicts.standing()):
        _, stream, record_id, _ = split_source_key(conflict.key)
        what = f"{conflict.object}.{conflict.field.removeprefix('@')}".rstrip(".")
        raise UsageError(f"decisions: overwrite {stream}:{record_id}, {what}: {SET_RIGHT}")
    return decision
