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
    fruitless = 0
    try:
        while levels := operations.levels():
            before = operations.count("planned", "blocked")
            await Level(ctx, levels[0]).run()
            if await reconcile(ctx):
                operations.unblock()
            fruitless = 0 if operations.count("planned", "blocked") < before else fruitless + 1
            if fruitless >= FRUITLESS_ROUNDS:
                raise Unavailable("The destination keeps leaving writes without an answer. Run the same command later.")
    finally:
        ctx.progress.end()
