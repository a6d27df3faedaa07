"""Remembers the map that a migration runs on once its gate is approved, for the next business of that vendor."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flitstack.errors import FlitError
from flitstack.mapping.proposing import Memory, memory_folder

if TYPE_CHECKING:
    from flitstack.stages.context import RunContext
    from flitstack.stages.setup import Setup

GATE = "map"
REMEMBER = "remember"
NO = "no"


def remember_confirmed(ctx: RunContext, setup: Setup) -> None:
    """Keep which header is which field of the user's own map, where a person looked at it and approved it.

    Nothing is kept of a map that was passed unseen, of one that ships, in a demo, or with `remember=no`. Names of
    columns alone are kept, never a cell. A folder that cannot be written is told and stops nothing.
    """
    if setup.source.proposing is None or setup.options.demo or setup.core.get(REMEMBER) == NO:
        return
    parts = setup.source.proposing()
    path = parts.own_map(setup.source_settings) if parts.own_map else None
    approval = ctx.journal.approvals.last(GATE)
    if path is None or approval is None or approval.how != "approved":
        return
    memory = Memory(memory_folder())
    try:
        columns = parts.known(path)
        if memory.has(setup.source.name, columns):
            return
        kept = memory.keep(setup.source.name, path.name, ctx.clock.now().date().isoformat(), columns)
    except (OSError, FlitError) as exc:
        ctx.progress.say(f"The map was not remembered ({type(exc).__name__}): {memory.folder}.")
        return
    ctx.progress.say(
        f"The confirmed map is remembered as {kept.id}: {len(columns)} column names, no values. "
        f"To forget it: flit map memory forget {kept.id}."
    )
