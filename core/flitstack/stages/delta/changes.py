"""What a later export changes, said before anything is written: counts by record, and what looks like no real change.

Ids that a platform gave out anew, a column that was renamed, a file that lost most of its rows: each looks like people
leaving and arriving, and is a question to a person instead.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from flitstack.journal import dumps
from flitstack.matching import pair_up, people_of, people_streams
from flitstack.stages.delta.limits import MASS, share_of
from flitstack.stages.intake.decisions import DraftLine, write_draft
from flitstack.stages.publishing import REPORTS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from flitstack.journal import Changed, Conflict
    from flitstack.protocols import JSON, Schema
    from flitstack.stages.context import RunContext
    from flitstack.stages.delta.limits import Limits

FILLS = "columns filled"
LOADED_EXPORT = "loaded export"
LEAST = 20  # records of an object, or rows of a stream, below which no share says anything


@dataclass(frozen=True, slots=True)
class DeltaView:
    """What a later export changes against the one that was loaded before.

    :param counts: per object; {} for a first load, which is no delta.
    :param questions: what looks like no real change, a line or more each; () when nothing does.
    :param conflicts: what people changed in the account, as (object, field) to how many records.
    :param overwrites: likewise, what is written over. :param rule: what decides on other conflicts, "" for nothing.
    :param vanished: what becomes of vanished records. :param leaving: how many records are to be deleted.
    """

    counts: Mapping[str, Changed] = field(default_factory=dict)
    questions: tuple[str, ...] = ()
    conflicts: Mapping[tuple[str, str], int] = field(default_factory=dict)
    overwrites: Mapping[tuple[str, str], int] = field(default_factory=dict)
    rule: str = ""
    draft: str = ""
    vanished: str = "keep"
    leaving: int = 0

    def total(self, name: str) -> int:
        """Return `new`, `changed` or `vanished` over all objects."""
        return sum(int(getattr(each, name)) for each in self.counts.values())

    def lines(self) -> list[str]:
        """Return what the `full` gate says of it; [] when there is nothing to say."""
        told = []
        if self.counts:
            told.append("Against the export that was loaded before, by record:")
            told += [
                f"  {object_}: {each.new:,} new, {each.changed:,} changed, {each.vanished:,} vanished, "
                f"{each.unchanged:,} unchanged" + (f", {each.left:,} left to write from before" if each.left else "")
                for object_, each in sorted(self.counts.items())
                if each.there or each.new or each.left
            ]
        theirs = {of: count for of, count in self.conflicts.items() if not of[1]}
        torn = {of: count for of, count in self.conflicts.items() if of[1]}
        if torn:
            told.append("Changed by people in the account and by the source, so kept as the account has it:")
            told += _named(torn)
        if theirs:
            told.append("Deleted, archived or made theirs by people in the account, so left as it is:")
            told += _named(theirs)
        if self.overwrites:
            told.append("Changed by people in the account, and written over as decided (what was there is kept):")
            told += _named(self.overwrites)
        if self.leaving:
            told.append(
                f"Deleted, as the source has them no more: {self.leaving:,} records. What people changed, or hung "
                "something on, stays and is listed."
            )
        if self.rule == "overwrite":
            told.append(
                "conflicts = overwrite: whatever else people changed where the source changed it too is written over."
            )
        return told

    def basis(self) -> dict[str, JSON]:
        """Return the same as data, part by part."""
        found: dict[str, JSON] = {}
        if self.counts:
            found["changes"] = {
                name: {"new": each.new, "changed": each.changed, "vanished": each.vanished}
                for name, each in self.counts.items()
            }
        if self.conflicts:
            found["kept as the account has it"] = {f"{of} {name}": n for (of, name), n in self.conflicts.items()}
        if self.overwrites or self.rule == "overwrite":
            found["written over"] = {f"{of} {name}": n for (of, name), n in self.overwrites.items()}
        return found


def _named(counts: Mapping[tuple[str, str], int]) -> list[str]:
    return [
        f"  {n:,} {object_}: {name.removeprefix('@') or 'the whole record'}"
        for (object_, name), n in sorted(counts.items())
    ]


def view_delta(ctx: RunContext, schemas: Mapping[str, Schema], limits: Limits) -> DeltaView:
    """Return what the plan at hand changes, and what a person should look at first."""
    standing = ctx.standing
    conflicts = [c for c in ctx.journal.conflicts.open() if c not in standing.overwrites]
    torn, over = _by_field(conflicts), _by_field(standing.overwrites)
    if not is_delta(ctx):
        return DeltaView(
            conflicts=torn, overwrites=over, rule=standing.rule, vanished=limits.vanished, leaving=len(standing.leaving)
        )
    counts = ctx.journal.delta.counts()
    reissued, draft = _reissued(ctx, schemas)
    text = ctx.journal.runs.meta(FILLS)
    questions = (*_renamed(ctx, json.loads(text) if text else {}), *reissued, *_masses(counts, limits))
    return DeltaView(counts, questions, torn, over, standing.rule, draft, limits.vanished, len(standing.leaving))


def is_delta(ctx: RunContext) -> bool:
    """Tell whether another export than this was loaded before."""
    loaded = ctx.journal.runs.meta(LOADED_EXPORT)
    return loaded is not None and loaded != _export(ctx)


def _export(ctx: RunContext) -> str:
    """Return what an export is known by: what it says, and what it no longer has."""
    return f"{ctx.journal.staging.fingerprint()} {ctx.journal.delta.stale()}"


def _by_field(conflicts: Sequence[Conflict]) -> Counter[tuple[str, str]]:
    return Counter((one.object, one.field) for one in conflicts)


def _masses(counts: Mapping[str, Changed], limits: Limits) -> Iterator[str]:
    """Yield what changes so much of an object that an accident is likelier than a busy day."""
    for object_, each in sorted(counts.items()):
        if each.there < LEAST:
            continue
        for name in MASS:
            share, most = getattr(each, name) / each.there, limits.mass[name]
            if share > most:
                yield (
                    f"{getattr(each, name):,} of {each.there:,} {object_} would be {name}, {share_of(share)} of them; "
                    f"more than {share_of(most)} is unusual (mass_{name}). Is this the whole export, of this business?"
                )


def _renamed(ctx: RunContext, fills: Mapping[str, Mapping[str, int]]) -> Iterator[str]:
    """Yield the columns that were filled before and are empty in every row now, and those that are filled anew."""
    now = ctx.journal.delta.fills()
    for stream, before in sorted(fills.items()):
        here = now.get(stream, {})
        rows = max(here.values(), default=0)
        if not rows:
            continue  # nothing of it was read at all: that is told as vanished
        lost = [f"{name} ({count:,} before)" for name, count in sorted(before.items()) if count and name not in here]
        come = [name for name in sorted(here) if name not in before]
        large = [name for name, count in before.items() if name not in here and count >= min(LEAST, rows) // 2]
        if large:
            instead = f" Filled now and not before: {', '.join(come)}." if come else ""
            yield (
                f"{stream}: empty in every row now: {', '.join(lost)}. A column that was renamed reads like this: "
                f"correct the layout, or approve that these are emptied.{instead}{_not_read(ctx)}"
            )


def _not_read(ctx: RunContext) -> str:
    """Return what the reader says of columns that no layout knows."""
    told = [f.message for f in ctx.journal.staging.findings() if f.code in ("columns_not_read", "columns_not_known")]
    return f" {' '.join(told)}" if told else ""


def _reissued(ctx: RunContext, schemas: Mapping[str, Schema]) -> tuple[list[str], str]:
    """Return a line per stream in which those who are new look just like those who vanished, and the draft's path."""
    told: list[str] = []
    lines: list[DraftLine] = []
    for stream in people_streams(schemas):
        gone = {record_id for record_id, _ in ctx.journal.delta.gone(stream)}
        new = {record_id for record_id, _ in ctx.journal.delta.new(stream)} if gone else set()
        if not gone or not new:
            continue
        people = [p for p in people_of(stream, schemas, ctx.journal.staging.records) if p.id in gone or p.id in new]
        pairs = pair_up([p for p in people if p.id in new], [p for p in people if p.id in gone])
        pairs = [pair for pair in pairs if pair.certain]
        lines += [DraftLine("", f"{stream}:{p.ours}", f"{stream}:{p.theirs}", "merge", p.reasons) for p in pairs]
        if pairs:
            told.append(
                f"{len(pairs):,} of the {len(new):,} new {stream} look just like ones that vanished ({len(gone):,}): "
                "the same people under other ids. As it stands, each would be there twice."
            )
    if not lines:
        return told, ""
    path = ctx.journal.path.parent / REPORTS / "reissued.csv"
    write_draft(path, lines)
    told.append(
        f"If so, say `merge` in each line of a copy of {path.name} and run with --set decisions=FILE: what hangs on "
        "the new id then hangs on the record that is there."
    )
    return told, str(path)


def remember_fills(ctx: RunContext) -> None:
    """Keep what the columns of an export hold that is being loaded, for comparison with the next."""
    ctx.journal.runs.remember(FILLS, dumps(ctx.journal.delta.fills()))


def remember_export(ctx: RunContext) -> None:
    """Keep what an approved export holds that is being loaded: what comes later is a delta to it."""
    ctx.journal.delta.keep_rows()
    ctx.journal.runs.remember(LOADED_EXPORT, _export(ctx))
