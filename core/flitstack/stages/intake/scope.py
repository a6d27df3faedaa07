"""What the expressions of a run may reach: staged records, the snapshot's own time, and who has a user."""

from __future__ import annotations

from datetime import datetime, time
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from flitstack.mapping import Scope
from flitstack.protocols import source_key

if TYPE_CHECKING:
    from collections.abc import Callable

    from flitstack.mapping import Spec
    from flitstack.stages.context import RunContext


def scope_of(ctx: RunContext, spec: Spec, used: Callable[[str, str], None] | None = None) -> Scope:
    """Return what the expressions of a run may reach.

    :param used: told (stream, id) of each record that a reference was followed to.
    """

    def has_user(stream: str, record_id: str) -> bool:
        return source_key(ctx.source_id, stream, record_id) in ctx.owners

    staging = ctx.journal.staging
    told = used or (lambda stream, record_id: None)
    return Scope(ctx.source_id, as_of(ctx, spec), staging.get, staging.referring, told, has_user)


def as_of(ctx: RunContext, spec: Spec) -> datetime:
    """Return the snapshot's own time, aware; a date, or a time without a zone, is in the spec's `time_zone`."""
    latest = ctx.journal.staging.latest()
    moment = datetime.fromisoformat((latest.as_of if latest else None) or "1970-01-01")
    if moment.tzinfo is not None:
        return moment
    zone = ZoneInfo(spec.time_zone or "UTC")
    return datetime.combine(moment.date(), time(moment.hour, moment.minute, moment.second), zone)
