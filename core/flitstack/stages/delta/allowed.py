"""Whether a later export may be loaded on the approval that was given for the first one."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING

from flitstack.journal import dumps
from flitstack.stages.delta.limits import MASS, Bounds

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flitstack.journal import Approval
    from flitstack.protocols import JSON
    from flitstack.stages.context import RunContext
    from flitstack.stages.delta.changes import DeltaView
    from flitstack.stages.gates.gate import Gate

BOUNDS = "a later export may come to"
"""The part of the last gate's basis that holds the bounds."""
LOADED = "loaded on approval"
USED = "delta allowance used"
LASTING = ("profile", "existing", "map", "schema", "sample")


def why_not(ctx: RunContext, view: DeltaView, gates: Sequence[Gate]) -> list[str] | None:
    """Return what of a delta was not approved before, in words; [] when all of it was; None when nothing ever was.

    :param gates: as they would be shown now.
    """
    approval = ctx.journal.approvals.last("full")
    bounds = _bounds(ctx, approval)
    if approval is None or bounds is None or not view.counts or ctx.journal.runs.meta(LOADED) != approval.hash:
        return None
    if approval.how != "approved":
        return ["the first load was passed unseen: nobody saw what a later one may come to"]
    told = [f"the {gate.name} gate shows something else" for gate in gates if _is_other(ctx, gate)]
    if bounds.rule != view.vanished:
        told.append(f"vanished records would be {view.vanished}, where {bounds.rule} was approved")
    if view.overwrites or view.rule == "overwrite":
        told.append("what people changed in the account would be written over")
    told += ["something in it looks like no real change (gate delta)"] if view.questions else []
    given = datetime.fromisoformat(approval.at)
    return told + bounds.beyond(given, ctx.clock.now(), _so_far(ctx, approval, view))


def remember_load(ctx: RunContext) -> None:
    """Note that what was approved last is being loaded: from now on a later export is a delta to it."""
    approval = ctx.journal.approvals.last("full")
    if approval is not None:
        ctx.journal.runs.remember(LOADED, approval.hash)


def use_up(ctx: RunContext, view: DeltaView) -> str:
    """Note that a delta was loaded on an earlier approval; return who gave it and what it came to, in words."""
    approval = ctx.journal.approvals.last("full")
    assert approval is not None  # noqa: S101 - `why_not` was asked before
    counts = _so_far(ctx, approval, view)
    ctx.journal.runs.remember(USED, dumps({"hash": approval.hash, **counts}))
    changes: dict[str, JSON] = {name: view.total(name) for name in MASS}
    event = {"run": ctx.id, "outcome": "delta_allowed", "hash": approval.hash, "by": approval.by}
    ctx.journal.delta.note_allowed({**event, "changes": changes}, ctx.at())
    told = ", ".join(f"{view.total(name):,} {name}" for name in MASS)
    return f"A later export: {told}. Within what {approval.by} approved on {approval.at[:16].replace('T', ' ')} UTC."


def _bounds(ctx: RunContext, approval: Approval | None) -> Bounds | None:
    shown = ctx.journal.approvals.shown("full", approval.hash) if approval else None
    kept = shown.basis.get(BOUNDS) if shown else None
    return Bounds.read(kept) if isinstance(kept, dict) else None


def _is_other(ctx: RunContext, gate: Gate) -> bool:
    """Tell whether a gate before the last shows something else than what was approved there."""
    if gate.name not in LASTING:
        return False
    approval = ctx.journal.approvals.last(gate.name)
    shown = ctx.journal.approvals.shown(gate.name, approval.hash) if approval else None
    return shown is None or shown.text != gate.text or shown.attest != gate.attest


def _so_far(ctx: RunContext, approval: Approval, view: DeltaView) -> Mapping[str, int]:
    """Return what the deltas since an approval came to, this one included; what vanished is counted from then on."""
    text = ctx.journal.runs.meta(USED)
    used = json.loads(text) if text else {}
    before = used if used.get("hash") == approval.hash else {}
    counts = {name: view.total(name) + int(before.get(name, 0)) for name in ("new", "changed")}
    deleted = ctx.journal.operations.planned_deletes() + int(before.get("deleted", 0))
    return {**counts, "vanished": view.total("vanished") + deleted, "deleted": deleted}
