"""The destination's schema: what the account has, what the spec wants, and the names bound to the account's items."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flitstack.journal import link_json
from flitstack.protocols import SchemaItem

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flitstack.journal import OperationRow
    from flitstack.protocols import JSON
    from flitstack.stages.context import RunContext

LEVEL_STEP = 1_000_000
SCHEMA_KEY = "schema:"


def schema_key(item: SchemaItem) -> str:
    """Return the key under which the journal knows a schema item."""
    return f"{SCHEMA_KEY}{item.key}"


def link_found(ctx: RunContext, found: Sequence[SchemaItem]) -> None:
    """Link wanted schema items that the account already has: they are used as they are, and are not ours."""
    by_key = {schema_key(item): item for item in found}
    wanted_items = [d for object_ in ctx.behaviours.schema_objects for d in ctx.journal.records.desired(object_)]
    for desired in wanted_items:
        item = by_key.get(desired.key)
        link = ctx.journal.records.link(desired.object, desired.key, "")
        if (
            item is not None
            and item.id is not None
            and link is None
            and not _in_flight(ctx, desired.object, desired.key)
        ):
            wanted = {
                "fields": _held(desired.fields, item),
                "links": {n: link_json(v) for n, v in desired.links.items()},
            }
            ctx.journal.records.adopt(desired.object, desired.key, item.id, wanted)


def _in_flight(ctx: RunContext, object_: str, key: str) -> bool:
    last = ctx.journal.operations.last(object_, key, "")
    return last is not None and last.state in ("intended", "in_doubt")


def _held(wanted: Mapping[str, JSON], item: SchemaItem) -> dict[str, JSON]:
    """Return the wanted settings as the account holds them: only missing options are a difference worth a write."""
    options = wanted.get("options")
    if not isinstance(options, list):
        return dict(wanted)
    has = item.settings.get("options", [])
    return {**wanted, "options": [option for option in options if option in has]}


def bind_links(ctx: RunContext, found: Sequence[SchemaItem]) -> None:
    """Tell the writer which of the account's items each linked name stands for."""
    by_id = {(item.object, item.id): item for item in found}
    bound: dict[str, SchemaItem] = {}
    for object_ in ctx.behaviours.schema_objects:
        for link in ctx.journal.records.links(object_):
            item = by_id.get((object_, link.destination_id))
            if item is not None:
                bound[link.key.removeprefix(SCHEMA_KEY)] = item
    ctx.writer.bind(bound)


def bind_made(ctx: RunContext, operation: OperationRow, destination_id: str) -> None:
    """Tell the writer what a schema item that was just created stands for."""
    if operation.object in ctx.behaviours.schema_objects and operation.verb == "create":
        name, of = str(operation.fields["name"]), str(operation.fields.get("of") or "")
        item = SchemaItem(operation.object, name, of, operation.fields, destination_id)
        ctx.writer.bind({operation.key.removeprefix(SCHEMA_KEY): item})
