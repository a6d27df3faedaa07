"""Restoring: which fields of a record that stays get back what they held, and which somebody changed since."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from flitstack.journal import is_cleared, read_link
from flitstack.protocols import LinkRef
from flitstack.stages.writing.targets import Targets

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from flitstack.journal import Link, Ours, Written
    from flitstack.protocols import JSON, Stored
    from flitstack.stages.context import RunContext
    from flitstack.stages.rollback.changed import Changes

CHANGED, LATER, FINAL = "changed", "later_run", "cannot_clear"


@dataclass(slots=True)
class Restore:
    """What is to be put back in one record.

    :param fields, links: field to what it gets back. :param before: what these hold now, as it was written.
    :param ends: of each link, the id that it gets back; None clears it.
    :param operation: the oldest write that is taken back.
    :param conflicts: (field, code) of what cannot be put back; links as `@NAME`.
    """

    ours: Ours
    fields: dict[str, JSON] = field(default_factory=dict)
    links: dict[str, LinkRef] = field(default_factory=dict)
    before: dict[str, Any] = field(default_factory=dict)
    ends: dict[str, str | None] = field(default_factory=dict)
    operation: int = 0
    conflicts: list[tuple[str, str]] = field(default_factory=list)

    @property
    def writes(self) -> bool:
        """Return whether anything is to be written."""
        return bool(self.fields or self.links)


def restore_of(
    ctx: RunContext,
    changes: Changes,
    ours: Ours,
    link: Link,
    stored: Stored,
    in_scope: Callable[[Written], bool],
) -> Restore:
    """Return what of a record's fields is put back: each as it was before the oldest write in scope.

    Where somebody changed a field between two writes, what they left there is put back.
    """
    found = Restore(ours)
    targets, later = _targets(ctx, ours, in_scope)
    altered = set(changes.written(link, stored, targets.keys()))
    for name, (operation, value) in targets.items():
        place = _place_link if name.startswith("@") else _place_field
        code = place(ctx, found, name, value, link, stored, altered)
        if code is None:
            continue
        code = LATER if name in later else code
        if code:
            found.conflicts.append((name, code))
        else:
            found.operation = min(operation, found.operation or operation)
    for name, _ in found.conflicts:
        for held in (found.fields, found.links, found.ends, found.before):
            held.pop(name, None)
            held.pop(name.removeprefix("@"), None)
    return found


def _targets(
    ctx: RunContext, ours: Ours, in_scope: Callable[[Written], bool]
) -> tuple[dict[str, tuple[int, Any]], set[str]]:
    """Return, by field, the write in scope to go back to and what it replaced; and the fields that others wrote later.

    That write is the oldest one, or the one after somebody's change: what people did is not taken back.
    """
    targets: dict[str, tuple[int, Any]] = {}
    left: dict[str, Any] = {}
    later: set[str] = set()
    for write in ctx.journal.undo.written(ours.name):
        written = {**write.fields, **{f"@{link}": list(to) for link, to in write.links.items()}}
        for name in written:
            if not write.is_undo and in_scope(write):
                before = write.before.get(name)
                if name not in targets or not _same(ctx, ours.object, name, left[name], before):
                    targets[name] = write.operation, before
            elif name in targets and not write.is_undo:
                later.add(name)
        left |= written
    return targets, later


def _same(ctx: RunContext, object_: str, name: str, one: JSON, other: JSON) -> bool:
    compared = [ctx.writer.comparable(object_, {name: value}) for value in (one, other)]
    return one == other or (not name.startswith("@") and compared[0] == compared[1])


def _place_field(
    ctx: RunContext, found: Restore, name: str, value: JSON, link: Link, stored: Stored, altered: set[str]
) -> str | None:
    """Put a field into what is restored; return the code of a conflict, "" for none, None when it is so already."""
    wanted = link.wanted["fields"].get(name)
    goal, now, held = (
        ctx.writer.comparable(link.object, {name: each}).get(name) for each in (value, wanted, stored.fields.get(name))
    )
    if held == goal:
        return None
    if goal == now or name in altered:
        return CHANGED if name in altered and goal != now else None
    if goal is None and name in ctx.behaviours.objects[link.object].cannot_clear:
        return FINAL
    found.fields[name], found.before[name] = value, wanted
    return ""


def _place_link(
    ctx: RunContext, found: Restore, name: str, value: Any, link: Link, stored: Stored, altered: set[str]
) -> str | None:
    """Put a link into what is restored; as `_place_field`."""
    plain = name.removeprefix("@")
    now = link.wanted["links"].get(plain)
    to = None if value is None else read_link(value)
    goal = None if to is None or is_cleared(to) else _end(ctx, to)
    if stored.links.get(plain) == goal or now is None or now == value:
        return None
    if is_cleared(read_link(now)) and goal is None:
        return None
    if name in altered:
        return CHANGED
    found.links[plain] = to if to is not None and goal is not None else LinkRef(str(now[0]), "")
    found.before[name], found.ends[plain] = now, goal
    return ""


def _end(ctx: RunContext, to: LinkRef) -> str | None:
    return Targets(ctx).id(to)


def restored_view(ctx: RunContext, found: Restore, stored: Stored) -> tuple[Mapping[str, JSON], Mapping[str, str]]:
    """Return fields, comparable, and links of the record as they will be."""
    fields = {**stored.fields, **found.fields}
    links: dict[str, str] = {n: end for n, end in {**stored.links, **found.ends}.items() if end}
    return ctx.writer.comparable(found.ours.object, fields), links
