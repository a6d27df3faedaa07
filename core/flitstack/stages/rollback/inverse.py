"""Inverse: the decision as operations: what is put back first, then children before parents, the schema last."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flitstack.journal import Planned
from flitstack.stages.writing.schema import LEVEL_STEP, SCHEMA_KEY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flitstack.journal import Ours
    from flitstack.protocols import JSON, LinkRef
    from flitstack.stages.context import RunContext
    from flitstack.stages.rollback.decision import Decision

CHUNK = 1000
NO_LINKS: dict[str, LinkRef] = {}


def plan_inverse(ctx: RunContext, decision: Decision) -> int:
    """Replace the unsent plan by the inverse operations of a decision; return how many there are."""
    operations = ctx.journal.operations
    operations.supersede_unsent()
    count, batch = 0, list[Planned]()
    for planned in _inverse(ctx, decision):
        batch.append(planned)
        count += 1
        if len(batch) >= CHUNK:
            operations.plan(ctx.id, ctx.spec_sha256, batch)
            batch = []
    operations.plan(ctx.id, ctx.spec_sha256, batch)
    return count


def _inverse(ctx: RunContext, decision: Decision) -> Iterator[Planned]:
    order = list(ctx.behaviours.objects)
    first = (len(order) + 1) * LEVEL_STEP  # beyond every level of a load
    for restore in decision.restore:
        one = restore.ours
        yield Planned(
            "update", one.entry, one.object, one.key, one.part, restore.fields, restore.links, first,
            one.destination_id, restore.before, restore.operation,
        )  # fmt: skip
    for one in [*decision.delete, *decision.gone, *decision.schema]:
        level = first + (len(order) - order.index(one.object)) * LEVEL_STEP
        if one.made_by is not None:
            yield _delete(one, level, schema=one.object in ctx.behaviours.schema_objects)
    for off in decision.options:
        level = first + (len(order) - order.index(off.ours.object)) * LEVEL_STEP
        fields: dict[str, JSON] = {**_named(off.ours), "remove_options": list(off.options)}
        yield Planned(
            "update", off.ours.entry, *off.ours.name, fields, NO_LINKS, level, off.ours.destination_id, {},
            off.operation,
        )  # fmt: skip


def _delete(one: Ours, level: int, *, schema: bool) -> Planned:
    fields = _named(one) if schema else {}
    return Planned(
        "delete", one.entry, *one.name, fields, NO_LINKS, level, one.destination_id, {}, one.made_by
    )  # fmt: skip


def _named(one: Ours) -> dict[str, JSON]:
    """Return what a schema item is called, as its operations say it."""
    _, of, name = one.key.removeprefix(SCHEMA_KEY).split("/", 2)
    return {"name": name, "of": of}
