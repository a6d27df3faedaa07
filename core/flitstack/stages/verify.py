"""Verify: read back every record through lists and compare every field by meaning."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from flitstack.journal import is_cleared, read_link
from flitstack.protocols import full_key
from flitstack.stages.schema import SCHEMA_KEY

if TYPE_CHECKING:
    from flitstack.journal import Link
    from flitstack.protocols import JSON, Stored
    from flitstack.stages.context import RunContext

EXAMPLES = 20


@dataclass(slots=True)
class Verification:
    """What reading back found.

    :param checked: records compared. :param fields: fields and links compared.
    :param mismatched: records that are missing, or of which a field differs.
    :param drifted: records that were as written when last read, and differ now: someone changed them since.
    :param doubled: records beside ours that carry one of our keys.
    :param left_alone: per object, records that are not ours.
    :param examples: (object, key, what differs), names only.
    """

    checked: int = 0
    fields: int = 0
    mismatched: int = 0
    drifted: int = 0
    doubled: int = 0
    left_alone: dict[str, int] = field(default_factory=dict)
    examples: list[tuple[str, str, str]] = field(default_factory=list)

    def note(self, object_: str, key: str, what: str) -> None:
        """Keep an example."""
        if len(self.examples) < EXAMPLES:
            self.examples.append((object_, key, what))


async def verify(ctx: RunContext) -> Verification:
    """Compare everything that was written with what the account holds."""
    result = Verification()
    counts = ctx.journal.records.link_objects()
    ctx.progress.begin("verify", sum(counts.values()))
    try:
        await _verify_schema(ctx, result)
        for object_ in ctx.behaviours.objects:
            if object_ not in ctx.behaviours.schema_objects and counts.get(object_):
                await _verify_object(ctx, object_, result)
    finally:
        ctx.progress.end()
    return result


async def _verify_schema(ctx: RunContext, result: Verification) -> None:
    found = {(item.object, item.id): item for item in await ctx.writer.schema()}
    for object_ in ctx.behaviours.schema_objects:
        for link in ctx.journal.records.links(object_):
            item = found.get((object_, link.destination_id))
            result.checked += 1
            result.fields += 1
            options: list[Any] = link.wanted["fields"].get("options") or []
            if item is None or item.key != link.key.removeprefix(SCHEMA_KEY):
                result.mismatched += 1
                result.note(object_, link.key, "missing" if item is None else "name")
            elif not set(options) <= set(item.settings.get("options", ())):
                result.mismatched += 1
                result.note(object_, link.key, "options")
            ctx.progress.advance()


async def _verify_object(ctx: RunContext, object_: str, result: Verification) -> None:
    ours = {link.destination_id: link for link in ctx.journal.records.links(object_)}
    keys = {full_key(link.key, link.part) for link in ours.values()}
    targets = _Targets(ctx)
    after: list[tuple[str, str, str, Any]] = []
    async for stored in ctx.writer.list(object_):
        ctx.stop.check()
        link = ours.pop(stored.id, None)
        if link is None:
            if stored.key in keys:
                result.doubled += 1
                result.mismatched += 1
                result.note(object_, stored.key or "", "a second record carries this key")
            else:
                result.left_alone[object_] = result.left_alone.get(object_, 0) + 1
            continue
        after.append((object_, link.key, link.part, _compare(ctx, link, stored, targets, result)))
        ctx.progress.advance()
    for stored in await ctx.writer.get_many(object_, list(ours)):
        link = ours.pop(stored.id)  # not listed, yet there: archived, say
        after.append((object_, link.key, link.part, _compare(ctx, link, stored, targets, result)))
        ctx.progress.advance()
    for link in ours.values():
        result.checked += 1
        result.mismatched += 1
        result.note(object_, full_key(link.key, link.part), "missing in the account")
    ctx.journal.records.set_after(after)


def _compare(ctx: RunContext, link: Link, stored: Stored, targets: _Targets, result: Verification) -> dict[str, JSON]:
    """Count what differs; return the fields and links as read back, in comparable form.

    A link stands under `@NAME`. One to a user is expected to lead where it led when it was written: who stands for
    whom may have changed since, and that alone writes nothing.
    """
    users = link.wanted.get("users", {})
    expected = dict(ctx.writer.comparable(link.object, link.wanted["fields"]))
    held = dict(ctx.writer.comparable(link.object, stored.fields))
    for name, target in link.wanted["links"].items():
        expected[f"@{name}"] = users.get(name) or targets.id(target)
        held[f"@{name}"] = stored.links.get(name)
    differing = [name for name, value in expected.items() if held.get(name) != value]
    result.checked += 1
    result.fields += len(expected)
    if not differing:
        return {name: held.get(name) for name in expected}
    drifted = link.after is not None and all(link.after.get(name) == expected[name] for name in differing)
    result.drifted += drifted
    result.mismatched += not drifted
    what = "changed in the account since: " if drifted else "differs: "
    named = ", ".join(sorted(name.removeprefix("@") for name in differing))
    result.note(link.object, full_key(link.key, link.part), what + named)
    return dict(link.after) if drifted and link.after is not None else {name: held.get(name) for name in expected}


class _Targets:
    """Looks up where links point, each once."""

    def __init__(self, ctx: RunContext) -> None:
        self._ctx = ctx
        self._known: dict[tuple[str, str, str], str | None] = {}

    def id(self, stored: Any) -> str | None:
        """Return the destination id that a kept link stands for."""
        link = read_link(stored)
        if is_cleared(link):
            return None
        if link.object == self._ctx.behaviours.user:
            return self._ctx.user_for(link)
        name = (link.object, link.key, link.part)
        if name not in self._known:
            found = self._ctx.journal.records.link(*name)
            self._known[name] = found.destination_id if found else None
        return self._known[name]
