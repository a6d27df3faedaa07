"""Records that people deleted in the account: told once, and from then on a conflict like any other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flitstack.journal import Conflict
from flitstack.stages.delta.deciding import decision_on
from flitstack.stages.standing import KEEP

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flitstack.journal import Link
    from flitstack.stages.context import RunContext


def keep_deleted(ctx: RunContext, object_: str, links: Sequence[Link]) -> None:
    """List records that were there when they were last read back, and are not there any more, as conflicts."""
    if not links:
        return
    met = [Conflict(object_, link.key, link.part, "", "delta", ctx.id, ctx.at()) for link in links]
    kept = [one for one in met if (decision_on(ctx, one) or ctx.standing.rule) == KEEP]
    ctx.journal.conflicts.meet(met)
    ctx.journal.conflicts.change(kept, "kept")
    count = f"1 {object_} was" if len(met) == 1 else f"{len(met):,} of {object_} were"
    ctx.progress.say(
        f"{count} deleted in the account since it was last read back, and nothing makes that undone. Taken out of the "
        "account's bin, a record is carried on with. Each, and how to decide: flit conflicts."
    )
