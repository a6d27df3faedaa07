"""Refusing: what it means for an operation, and whom it is told, that the destination does not take a record."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flitstack.journal import Settlement
from flitstack.protocols import Rejection

if TYPE_CHECKING:
    from flitstack.errors import Rejected
    from flitstack.journal import OperationRow
    from flitstack.stages.context import RunContext


def refused(ctx: RunContext, row: OperationRow, error: Rejected) -> Settlement:
    """Tell observers of the source records that cannot move, and return how the operation is settled."""
    for stream, record_id, role in ctx.journal.records.contributors(row.object, row.key, row.part):
        if role != "folded":
            rejection = Rejection(stream, record_id, error.code, error.reason, error.hint, field=error.field)
            ctx.notify("flit_record_rejected", rejection=rejection)
    message = f"{error.reason} {error.hint}"
    return Settlement(row, "rejected", ctx.at(), ctx.facts(row), code=error.code, message=message)
