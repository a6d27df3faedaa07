"""Apply: carry out what was planned, level by level, and find out about what is in doubt before going on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flitstack.errors import Unavailable
from flitstack.stages.writing.reconcile import reconcile
from flitstack.stages.writing.sending import Level

if TYPE_CHECKING:
    from flitstack.stages.context import RunContext

FRUITLESS_ROUNDS = 4


async def apply_operations(ctx: RunContext) -> None:
    """Send everything planned: parents before children, schema before records.

    :raises Stopped: the destination does not answer, or the budget is used up; run again to carry on.
    :raises ConfigurationError: sign-in, rights or plan.
    :raises Interrupted: a person asked to stop; what was under way is settled.
    """
    operations = ctx.journal.operations
    ctx.progress.begin("apply", operations.count("planned"))
    fruitless, least = 0, _left(ctx)
    try:
        while levels := operations.levels():
            await Level(ctx, levels[0]).run()
            if await reconcile(ctx):
                operations.unblock()
            left = _left(ctx)
            fruitless = 0 if any(now < before for now, before in zip(left, least, strict=True)) else fruitless + 1
            least = min(left[0], least[0]), min(left[1], least[1])
            if fruitless >= FRUITLESS_ROUNDS:
                raise Unavailable("The destination keeps leaving writes without an answer. Run the same command later.")
    finally:
        ctx.progress.end()


def _left(ctx: RunContext) -> tuple[int, int]:
    """Return how many operations are left to do, and how many of these wait for no other.

    Less of either than ever before is progress: where every parent was refused, what hangs on it only becomes blocked.
    """
    operations = ctx.journal.operations
    return operations.count("planned", "blocked"), operations.count("planned")
