"""Map: turn staged records into desired records, each source record accounted for."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING, TypeAlias

from flitstack.journal import DesiredRow
from flitstack.mapping import Desired, RejectedEntry, Skipped
from flitstack.protocols import Rejection, split_source_key
from flitstack.stages.schema import SCHEMA_KEY, schema_key
from flitstack.stages.specs import scope_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from flitstack.mapping import Entry, Fit, Scope, Spec
    from flitstack.mapping.entries import Collect
    from flitstack.protocols import LinkRef, Record
    from flitstack.stages.context import RunContext

CHUNK = 1000
PLANNING_ONLY = frozenset({"priority", "label", "key"})

Result: TypeAlias = list[Desired] | Skipped | RejectedEntry | None


@dataclass(slots=True)
class _Batch:
    """What a few source records came to, on its way into the journal."""

    ctx: RunContext
    desired: list[DesiredRow] = field(default_factory=list)
    rejections: list[Rejection] = field(default_factory=list)
    skips: list[tuple[str, str, str]] = field(default_factory=list)
    used: set[tuple[str, str]] = field(default_factory=set)

    def take(self, result: Result, records: Iterable[Record]) -> None:
        """Note what an entry made of a record, or of a group of them."""
        if isinstance(result, Skipped):
            self.skips += [(record.stream, record.id, result.rule) for record in records]
        elif isinstance(result, RejectedEntry):
            for record in records:
                self.reject(
                    Rejection(
                        record.stream, record.id, result.code, result.reason, result.hint, record.where, result.field
                    )
                )
        elif result:
            self.desired += map(_row, result)
        if len(self.desired) + len(self.skips) + len(self.rejections) >= CHUNK:
            self.flush()

    def reject(self, rejection: Rejection) -> None:
        """Note a rejection and tell observers."""
        self.rejections.append(rejection)
        self.ctx.notify("flit_record_rejected", rejection=rejection)

    def flush(self) -> None:
        """Write what was noted."""
        self.ctx.journal.records.add(self.desired, self.rejections, self.skips, sorted(self.used))
        self.desired, self.rejections, self.skips, self.used = [], [], [], set()


def map_records(ctx: RunContext, spec: Spec, fit: Fit) -> None:
    """Replace all desired records by what the spec makes of the staged records now.

    :raises MappingError: two entries make the same desired record.
    """
    records = ctx.journal.records
    records.clear()
    records.add(_schema_rows(spec, fit), (), (), ())
    batch = _Batch(ctx)
    looked_up = {*spec.references, *(source.stream for source in spec.owners)}

    def used(stream: str, record_id: str) -> None:
        if stream in looked_up:  # a record with an entry of its own has its fate from there
            batch.used.add((stream, record_id))

    scope = scope_of(ctx, spec, used)
    ctx.progress.begin("map", sum(ctx.journal.staging.count(entry.stream) for entry in spec.entries))
    try:
        for entry in spec.entries:
            for collect in entry.collects:
                ctx.journal.staging.index(collect.shape.stream, collect.by)
            (_map_groups if entry.is_grouped else _map_each)(ctx, entry, fit, scope, batch)
            batch.flush()
    finally:
        ctx.progress.end()
    _settle_links(ctx)
    _claim_the_rest(ctx, spec)


def _map_each(ctx: RunContext, entry: Entry, fit: Fit, scope: Scope, batch: _Batch) -> None:
    for record in ctx.journal.staging.records(entry.stream):
        ctx.stop.check()
        batch.take(_fitted(entry.evaluate(record, scope), fit), [record])
        ctx.progress.advance()


def _map_groups(ctx: RunContext, entry: Entry, fit: Fit, scope: Scope, batch: _Batch) -> None:
    staging, records = ctx.journal.staging, ctx.journal.records
    values: list[tuple[str, int]] = []
    for pos, record in staging.numbered(entry.stream):
        ctx.stop.check()
        value = entry.group_key(record, scope)
        if isinstance(value, str):
            values.append((value, pos))
        else:
            batch.take(value, [record])
        if len(values) >= CHUNK:
            records.add_group_values(entry.name, values)
            values = []
        ctx.progress.advance()
    records.add_group_values(entry.name, values)
    for _, members in groupby(records.groups(entry.name), key=lambda pair: pair[0]):
        group = [staging.at(pos) for _, pos in members]
        batch.take(_fitted(entry.evaluate_group(group, scope), fit), group)


def _fitted(result: Result, fit: Fit) -> Result:
    return [fit.apply(desired) for desired in result] if isinstance(result, list) else result


def _row(desired: Desired) -> DesiredRow:
    fields = {name: value for name, value in desired.fields.items() if value is not None}
    made_of = tuple((c.stream, c.id, c.role) for c in desired.contributions)
    return DesiredRow(desired.object, desired.key, desired.part, desired.entry, fields, desired.links, None, made_of)


def _schema_rows(spec: Spec, fit: Fit) -> list[DesiredRow]:
    """Return the schema items that are used, as the spec wants them, whether the account has them already or not."""
    finals = {(fit.clashes.get(item.key) or item).key: item for item in spec.schema}
    rows: list[DesiredRow] = []
    for key, final in fit.items.items():
        wanted = finals.get(key, final)
        settings = {name: wanted.settings[name] for name in sorted(wanted.settings) if name not in PLANNING_ONLY}
        if key not in finals:
            settings = {"type": final.settings["type"]}
        fields = {**settings, "name": final.name, "of": final.of}
        rows.append(DesiredRow(final.object, schema_key(final), "", "schema", fields, {}))
    return rows


def _settle_links(ctx: RunContext) -> None:
    """Decide what becomes of desired records whose required parent will not be there."""
    decided: dict[tuple[str, str, str], str] = {}
    verdicts: list[tuple[str, str, str, str]] = []
    rejections: list[Rejection] = []
    skips: list[tuple[str, str, str]] = []
    for desired in ctx.journal.records.desired():
        verdict = _verdict(ctx, desired.links, decided)
        if verdict is None:
            continue
        name = (desired.object, desired.key, desired.part)
        decided[name] = verdict
        verdicts.append((*name, verdict))
        for stream, record_id, role in ctx.journal.records.contributors(*name):
            if verdict == "rejected:orphan" and role != "folded":
                rejections.append(_orphan(stream, record_id))
            elif verdict == "skipped:parent_skipped":
                skips.append((stream, record_id, "parent_skipped"))
    for rejection in rejections:
        ctx.notify("flit_record_rejected", rejection=rejection)
    ctx.journal.records.set_verdicts(verdicts, rejections, skips)


def _orphan(stream: str, record_id: str) -> Rejection:
    return Rejection(
        stream,
        record_id,
        "orphan",
        "It belongs to a record that is not in the export.",
        "Export that record too, or correct the reference, and run again.",
    )


def _verdict(ctx: RunContext, links: Mapping[str, LinkRef], decided: Mapping[tuple[str, str, str], str]) -> str | None:
    for link in links.values():
        if not link.required or link.object == ctx.behaviours.user or link.key.startswith(SCHEMA_KEY):
            continue
        if not link.key:
            return "rejected:orphan"
        exists, _ = ctx.journal.records.verdict(link.object, link.key, link.part)
        parent = decided.get((link.object, link.key, link.part))
        if exists and parent is None:
            continue
        if exists and parent is not None:
            return "skipped:parent_skipped" if parent.startswith("skipped") else "blocked:parent_rejected"
        _, stream, record_id, _ = split_source_key(link.key)
        return _fate(ctx, stream, record_id) or "skipped:parent_skipped"
    return None


def _claim_the_rest(ctx: RunContext, spec: Spec) -> None:
    """Account for what came to nothing: under a rule that says why, or with the parent it hangs on."""
    owners = {source.stream for source in spec.owners}
    hangs = {collect.shape.stream: collect for entry in spec.entries for collect in entry.collects if collect.fold}
    for stream in ctx.journal.staging.streams():
        if stream in spec.skip_streams:
            rule = spec.skip_streams[stream].rule
        elif stream in spec.references:
            rule = "unreferenced"
        else:
            rule = "no_matching_user" if stream in owners else "not_mapped"
        left: list[tuple[str, str, str, str]] = []
        rejections: list[Rejection] = []
        collect = hangs.get(stream)
        parents = _parents_of(collect) if collect else None
        for record_id, data in ctx.journal.records.unclaimed(stream):
            parent = data.get(collect.by) if collect else None
            fate = _fate(ctx, parents, str(parent)) if parents and parent is not None else None
            if fate == "rejected:orphan":
                rejections.append(_orphan(stream, record_id))
            else:
                bucket, _, name = (fate or f"skipped:{rule}").partition(":")
                left.append((stream, record_id, name, bucket))
        ctx.journal.records.leave_out(left, rejections)


def _parents_of(collect: Collect) -> str | None:
    """Return the stream that the collected records hang on, as their schema states it."""
    return next((stream for field, stream in collect.shape.references.values() if field == collect.by), None)


def _fate(ctx: RunContext, stream: str, record_id: str) -> str | None:
    """Return what a record shares with a parent that became nothing; None when the parent is there."""
    state = ctx.journal.staging.state(stream, record_id)
    if state is None:
        return "rejected:orphan"
    if state == "rejected" or ctx.journal.records.is_rejected(stream, record_id):
        return "blocked:parent_rejected"
    return "skipped:parent_skipped" if ctx.journal.records.is_left_out(stream, record_id) else None
