"""The list of conflicts: each with its record and field, how to name it in a decisions file, and values if asked."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from flitstack.errors import ConfigurationError
from flitstack.journal import link_json
from flitstack.protocols import split_source_key
from flitstack.stages.delta.merge import image_of, images
from flitstack.stages.intake.decisions import DraftLine, write_draft
from flitstack.stages.proof.recheck import RecheckOptions, account_of
from flitstack.stages.writing.answers import get_held
from flitstack.stages.writing.targets import Targets

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from flitstack.clock import Clock
    from flitstack.journal import About, Conflict, DesiredRow, Journal, Link
    from flitstack.protocols import JSON, Stored
    from flitstack.registry import Registry
    from flitstack.stages.context import Progress, RunContext, StopFlag

REASONS = {
    "open": "changed in the account and by the source; the account's value stays",
    "kept": "decided: the account's value stays",
    "overwritten": "decided: the source's value was written over it",
    "settled": "over: both sides agree again, or the source took its change back",
}
UNLIKE = {
    "open": "never seen as it was written: lost on its way, or changed by somebody first; keep accepts it as it is",
    "kept": "decided: accepted as the account has it",
    "settled": "over: it is as it was written",
}
MET_BY_RUNS: tuple[About, ...] = ("delta", "written")
GONE = (
    "deleted or archived in the account, or people hung something on it; it stays so. "
    "Taken out of the account's bin or archive, it is carried on with"
)


@dataclass(frozen=True, slots=True)
class Told:
    """One conflict as it is listed.

    :param record: the source record, `STREAM:ID`. :param what: `OBJECT.FIELD`, or `OBJECT` for the whole record.
    :param values: what was written, what the source says, what the account holds; {} unless asked for.
    """

    conflict: Conflict
    record: str
    what: str
    values: Mapping[str, JSON] = field(default_factory=dict)

    @property
    def reason(self) -> str:
        """Return where it stands, in words."""
        if self.conflict.about == "written":
            return UNLIKE[self.conflict.state]
        gone = not self.conflict.field and self.conflict.state in ("open", "kept")
        return GONE if gone else REASONS[self.conflict.state]

    def as_json(self) -> dict[str, JSON]:
        """Return it as `--json` prints it."""
        c = self.conflict
        found: dict[str, JSON] = {
            "record": self.record, "object": c.object, "key": c.key, "part": c.part, "field": c.field,
            "state": c.state, "since": c.at, "run": c.run, "reason": self.reason,
        }  # fmt: skip
        return {**found, "values": dict(self.values)} if self.values else found


def list_conflicts(journal: Journal, *, every: bool = False) -> list[Told]:
    """Return the conflicts that stand, or with `every` those that are over as well; no values."""
    found = journal.conflicts.every(*MET_BY_RUNS) if every else journal.conflicts.standing(*MET_BY_RUNS)
    return [_told(one) for one in found]


def count_by_field(conflicts: Sequence[Told]) -> dict[tuple[str, str], int]:
    """Return how many conflicts there are of each state and `OBJECT.FIELD`."""
    return dict(sorted(Counter((one.conflict.state, one.what) for one in conflicts).items()))


def export_conflicts(path: Path, conflicts: Sequence[Told]) -> int:
    """Write a decisions file to edit, its decisions empty; return how many lines it has.

    :raises ConfigurationError: the file is there already: it may hold decisions.
    """
    if path.exists():
        raise ConfigurationError(f"{path} is there already, and may hold decisions. Name another file.")
    standing = [one for one in conflicts if one.conflict.state in ("open", "kept")]
    lines = {(one.record, one.what): one for one in standing}  # what was split into parts is decided on together
    return write_draft(
        path,
        [
            DraftLine("keep" if one.conflict.state == "kept" else "", record, what, "keep", (one.reason,))
            for (record, what), one in lines.items()
        ],
    )


async def show_conflicts(
    options: RecheckOptions,
    progress: Progress,
    stop: StopFlag,
    *,
    registry: Registry | None = None,
    clock: Clock | None = None,
) -> list[Told]:
    """Return the conflicts that stand, each with its values: they are read from the account, and kept nowhere."""
    async with account_of(options, progress, stop, registry=registry, clock=clock) as (ctx, _):
        told: list[Told] = []
        standing = ctx.journal.conflicts.standing(*MET_BY_RUNS)
        for object_, of_object in groupby(standing, key=attrgetter("object")):
            rows = list(of_object)
            links = {one.name: ctx.journal.records.link(*one.name) for one in rows}
            ids = sorted({link.destination_id for link in links.values() if link is not None})
            held = await get_held(ctx, object_, ids) if ids else {}
            for one in rows:
                link = links[one.name]
                stored = held.get(link.destination_id) if link else None
                desired = ctx.journal.records.get(*one.name)
                values = (
                    _values(ctx, one.about, one.field, link, stored, desired) if link and stored and desired else {}
                )
                told.append(_told(one, values))
        return told


def _values(
    ctx: RunContext, about: About, name: str, link: Link, stored: Stored, desired: DesiredRow
) -> dict[str, JSON]:
    if not name:
        return {}
    targets = Targets(ctx)
    found = images(ctx, link, stored, targets, [name])
    wanted = {n: link_json(target) for n, target in desired.links.items()}
    ours: dict[str, Any] = image_of(ctx, link.object, desired.fields, wanted, targets)
    return {
        "written": found.bases[name][0 if about == "delta" else -1],
        "source": ours.get(name),
        "account": found.theirs.get(name),
    }


def _told(one: Conflict, values: Mapping[str, JSON] | None = None) -> Told:
    _, stream, record_id, _ = split_source_key(one.key)
    name = one.field.removeprefix("@")
    return Told(one, f"{stream}:{record_id}", f"{one.object}.{name}" if name else one.object, values or {})
