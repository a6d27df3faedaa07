"""Looks at records right before they are changed: what people did there meanwhile is not written over."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from flitstack.journal import Conflict, Merge, is_cleared, link_json, read_link
from flitstack.protocols import LinkRef
from flitstack.stages.delta.merge import images, is_put_away, part
from flitstack.stages.writing.answers import get_held
from flitstack.stages.writing.targets import AS_IT_IS, Targets

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flitstack.journal import Link, OperationRow
    from flitstack.protocols import Stored
    from flitstack.stages.context import RunContext
    from flitstack.stages.delta.merge import Images, Parted

GONE, ARCHIVED, CHANGED = "record_gone", "record_archived", "changed_elsewhere"
ALREADY_GONE = "already_gone"


async def look(ctx: RunContext, rows: Sequence[OperationRow], targets: Targets) -> Looked:
    """Read the records that these operations change or delete, as they are now, all of an object at once.

    What this run made itself, and completes now, is not looked at; nor are schema items, which nobody edits unseen.
    """
    records, looked = ctx.journal.records, Looked(ctx, targets)
    wanted: dict[str, list[str]] = {}
    for row in rows:
        if row.verb == "create" or row.object in ctx.behaviours.schema_objects or _completes(row):
            continue
        link = records.link(row.object, row.key, row.part)
        if link is not None:
            looked.links[row.id] = link
            wanted.setdefault(row.object, []).append(link.destination_id)
    leaving = [row for row in rows if row.verb == "delete" and row.id in looked.links]
    if ctx.standing.guard is not None and leaving:
        looked.verdicts = await ctx.standing.guard.judge(leaving)
    for object_, ids in wanted.items():
        looked.held |= {(object_, id_): stored for id_, stored in (await get_held(ctx, object_, ids)).items()}
    return looked


def _completes(row: OperationRow) -> bool:
    """Tell whether an update was planned before its record was there, and never tried."""
    return row.verb == "update" and row.destination_id is None and row.intended_at is None


@dataclass(slots=True)
class Looked:
    """What the account holds of a batch of operations' records.

    :param links: by operation; one without was not looked at. :param held: by object and id.
    :param merges: what judging came to, for the journal.
    :param verdicts: by operation, the state and code of what is not to be deleted.
    """

    ctx: RunContext
    targets: Targets
    links: dict[int, Link] = field(default_factory=dict)
    held: dict[tuple[str, str], Stored] = field(default_factory=dict)
    merges: list[Merge] = field(default_factory=list)
    verdicts: Mapping[int, tuple[str, str]] = field(default_factory=dict)

    def judge(self, row: OperationRow, ends: Mapping[str, str]) -> tuple[OperationRow, str, str]:
        """Return the operation with what may be written, and its state and code when nothing may.

        :param ends: the id that each link is to lead to, "" for none.
        """
        link = self.links.get(row.id)
        if link is None:
            return row, "", ""
        stored = self.held.get((row.object, link.destination_id))
        if row.verb == "delete":
            return self._judge_delete(row, link, stored)
        if stored is None or is_put_away(self.ctx, link, stored, row.fields):
            self._merge(row, row, Merged(conflicts=("",)))
            return row, "conflict", ARCHIVED if stored else GONE
        names = {*row.fields, *(f"@{name}" for name in row.links)}
        found = images(self.ctx, link, stored, self.targets, names)
        ours: dict[str, Any] = dict(self.ctx.writer.comparable(row.object, row.fields))
        ours |= {f"@{name}": end or None for name, end in ends.items()}
        overruled = self.ctx.standing.overruled((row.object, row.key, row.part))
        parted = part(found, row, ours, overruled)
        left = replace(
            row,
            fields={name: value for name, value in row.fields.items() if name in parted.write},
            links={name: link for name, link in row.links.items() if f"@{name}" in parted.write},
        )
        if parted.write != names or parted.overruled:
            self._merge(row, left, _merged(self.ctx, row, ends, stored, found, parted))
        if left.fields or left.links:
            return left, "", ""
        return left, *(("conflict", CHANGED) if parted.conflicts else ("superseded", ""))

    def _judge_delete(self, row: OperationRow, link: Link, stored: Stored | None) -> tuple[OperationRow, str, str]:
        """A record that somebody changed since is not deleted; one that is gone need not be."""
        if stored is None:
            return row, "done", ALREADY_GONE
        state, code = self.verdicts.get(row.id, ("", ""))
        if state != "conflict":
            return row, "", ""
        changed = images(self.ctx, link, stored, self.targets).changed() if code == CHANGED else []
        self._merge(row, row, Merged(conflicts=tuple(changed) or ("",)))
        return row, state, code

    def _merge(self, row: OperationRow, left: OperationRow, merged: Merged) -> None:
        name = (row.object, row.key, row.part)
        at = self.ctx.at()
        conflicts = tuple(Conflict(*name, field, "delta", self.ctx.id, at) for field in merged.conflicts)
        self.merges.append(
            Merge(row.id, name, left.fields, left.links, merged.before, merged.agreed, merged.image, conflicts)
        )


@dataclass(frozen=True, slots=True)
class Merged:
    """What a look came to, in the journal's form; as in `Merge`."""

    conflicts: tuple[str, ...] = ()
    before: Mapping[str, Any] = field(default_factory=dict)
    agreed: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    image: Mapping[str, Any] = field(default_factory=dict)


def _merged(
    ctx: RunContext, row: OperationRow, ends: Mapping[str, str], stored: Stored, found: Images, parted: Parted
) -> Merged:
    fields = {name: value for name, value in row.fields.items() if name in parted.agreed}
    links = {name: link for name, link in row.links.items() if f"@{name}" in parted.agreed}
    users = {
        n: ends[n] for n in links if row.links[n][0] == ctx.behaviours.user and not is_cleared(read_link(links[n]))
    }
    before = {
        name: _end(stored.links.get(name[1:])) if name.startswith("@") else stored.fields.get(name)
        for name in parted.overruled
    }
    image = {name: found.theirs.get(name) for name in parted.agreed}
    agreed: dict[str, Mapping[str, Any]] = {"fields": fields, "links": links, "users": users}
    return Merged(tuple(sorted(parted.conflicts)), before, agreed, image)


def _end(destination_id: str | None) -> list[Any] | None:
    """Return where a link led that somebody else made: to a record of the account, whosever it is."""
    return link_json(LinkRef(AS_IT_IS, destination_id)) if destination_id else None
