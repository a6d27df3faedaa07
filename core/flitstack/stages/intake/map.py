"""Map: turn staged records into desired records, each source record accounted for."""

from __future__ import annotations

from collections import deque
from contextlib import closing
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeAlias

from flitstack.journal import Mapped
from flitstack.mapping import Contribution, Desired, RejectedEntry, Skipped
from flitstack.mapping.model import FOLDED
from flitstack.protocols import Rejection, split_source_key
from flitstack.stages.intake.calm import seldom_collected
from flitstack.stages.intake.lookups import Lookups
from flitstack.stages.intake.scope import scope_of
from flitstack.stages.intake.workers import children_for, shared_out
from flitstack.stages.writing.schema import schema_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from concurrent.futures import Future

    from flitstack.journal import Staged
    from flitstack.mapping import Entry, Fit, Scope, Spec
    from flitstack.mapping.entries import Collect
    from flitstack.protocols import LinkRef
    from flitstack.stages.context import RunContext

CHUNK = 1000
PART = 1000  # records that a child maps before it sends what they came to
UNDER_WAY = 4  # batches that may wait for the disk
GROUPS = 200
PLANNING_ONLY = frozenset({"priority", "label", "key"})

Result: TypeAlias = list[Desired] | Skipped | RejectedEntry | None


class _Batch:
    """What source records came to, on its way into the journal: the next are mapped while these are being written."""

    def __init__(self, ctx: RunContext) -> None:
        self._ctx = ctx
        self._under_way: deque[Future[None]] = deque()
        self._mapped = Mapped()
        self._is_apart = False

    def take(self, result: Result, records: Sequence[Staged]) -> None:
        """Note what an entry made of a record, or of a group of them."""
        mapped = self._mapped
        if type(result) is list:
            for d in result:
                fields = d.fields
                if None in fields.values():
                    fields = {name: value for name, value in fields.items() if value is not None}
                mapped.add((d.object, d.key, d.part), d.entry, fields, d.links, d.contributions)
        elif isinstance(result, Skipped):
            mapped.skips += [(record.stream, record.id, result.rule) for record in records]
        elif isinstance(result, RejectedEntry):
            for record in records:
                self.reject(
                    Rejection(
                        record.stream, record.id, result.code, result.reason, result.hint, record.where, result.field
                    )
                )
        if (mapped.count >= CHUNK or len(mapped.skips) + len(mapped.rejections) >= CHUNK) and not self._is_apart:
            self.hand_over()

    def use(self, stream: str, record_id: str) -> None:
        """Note that a record was looked up."""
        self._mapped.used.add((stream, record_id))

    def reject(self, rejection: Rejection) -> None:
        """Note a rejection and tell observers."""
        self._mapped.rejections.append(rejection)
        if not self._is_apart:
            self._ctx.notify("flit_record_rejected", rejection=rejection)

    def go_apart(self) -> None:
        """In a forked child: from here on only gather, for `gathered`; the parent writes and tells observers."""
        self._is_apart = True
        self._ctx.journal.read_apart()

    def gathered(self) -> tuple[Any, ...]:
        """Return what was noted, as plain values, and begin anew."""
        packed = self._mapped.packed()
        self._mapped = Mapped()
        return packed

    def join(self, gathered: tuple[Any, ...]) -> None:
        """Take what a child gathered."""
        self.hand_over()
        self._mapped = Mapped.unpacked(gathered)
        for rejection in self._mapped.rejections:
            self._ctx.notify("flit_record_rejected", rejection=rejection)

    def hand_over(self) -> None:
        """Begin to write what was noted; wait only while too much is on its way."""
        self._under_way.append(self._ctx.journal.records.submit(self._mapped))
        self._mapped = Mapped()
        if len(self._under_way) > UNDER_WAY:
            self._under_way.popleft().result()

    def finish(self) -> None:
        """Write what was noted, and return when all of it is committed."""
        self.hand_over()
        while self._under_way:
            self._under_way.popleft().result()


def map_records(ctx: RunContext, spec: Spec, fit: Fit) -> None:
    """Replace all desired records by what the spec makes of the staged records now.

    :raises MappingError: two entries make the same desired record.
    """
    records = ctx.journal.records
    records.clear()
    batch = _Batch(ctx)
    for item in _schema_rows(spec, fit):
        batch.take([item], ())
    looked_up = {*spec.references, *(source.stream for source in spec.owners)}

    def used(stream: str, record_id: str) -> None:
        if stream in looked_up:  # a record with an entry of its own has its fate from there
            batch.use(stream, record_id)

    lookups = Lookups(ctx.journal.staging, ctx.merged)
    scope = replace(scope_of(ctx, spec, used), lookup=lookups.lookup, referring=lookups.referring)
    ctx.progress.begin("map", sum(ctx.journal.staging.count(entry.stream) for entry in spec.entries))
    try:
        with seldom_collected():
            for entry in spec.entries:
                for collect in entry.collects:
                    ctx.journal.staging.index(collect.shape.stream, collect.by)
                (_map_groups if entry.is_grouped else _map_each)(ctx, entry, fit, scope, lookups, batch)
                batch.finish()
    finally:
        ctx.progress.end()
    _settle_links(ctx)
    _claim_the_rest(ctx, spec)


def _map_each(ctx: RunContext, entry: Entry, fit: Fit, scope: Scope, lookups: Lookups, batch: _Batch) -> None:
    def map_all(chunk: Sequence[tuple[int, Staged]]) -> int:
        lookups.gather(entry, [record.id for _, record in chunk])
        for record, sources in _after_decisions(ctx, entry, chunk, batch):
            batch.take(_folding(_fitted(entry.evaluate(record, scope), fit), sources[1:]), sources)
        return len(chunk)

    children = children_for(ctx.journal.staging.count(entry.stream))
    if children:
        _map_in_children(ctx, entry.stream, map_all, children, batch)
        return
    for chunk in ctx.journal.staging.chunks(entry.stream):
        ctx.stop.check()
        ctx.progress.advance(map_all(chunk))


def _map_in_children(
    ctx: RunContext,
    stream: str,
    map_all: Callable[[Sequence[tuple[int, Staged]]], int],
    children: int,
    batch: _Batch,
) -> None:
    """Let children read and map a stream's records, part by part; write what they made here, in the records' order."""
    staging = ctx.journal.staging
    numbers = staging.extent(stream)
    parts = [numbers[at : at + PART] for at in range(0, len(numbers), PART)]

    def map_apart(part: int) -> tuple[int, tuple[Any, ...]]:
        batch.gathered()  # what a part before it left when it failed
        count = map_all(staging.between(stream, parts[part]))
        return count, batch.gathered()

    batch.finish()  # nothing is on its way to the disk while a child begins
    with closing(shared_out(len(parts), map_apart, children, batch.go_apart)) as results:
        for part, result in zip(parts, results, strict=True):
            ctx.stop.check()
            if result is None:
                ctx.progress.advance(map_all(staging.between(stream, part)))
            else:
                count, gathered = result
                batch.join(gathered)
                ctx.progress.advance(count)


def _map_groups(ctx: RunContext, entry: Entry, fit: Fit, scope: Scope, lookups: Lookups, batch: _Batch) -> None:
    records = ctx.journal.records
    for chunk in ctx.journal.staging.chunks(entry.stream):
        ctx.stop.check()
        values: list[tuple[str, int]] = []
        numbers = {record.id: pos for pos, record in chunk}
        for record, sources in _after_decisions(ctx, entry, chunk, batch):
            value = entry.group_key(record, scope)
            if isinstance(value, str):
                values.append((value, numbers[record.id]))
                for absorbed in sources[1:]:
                    batch.use(absorbed.stream, absorbed.id)
            else:
                batch.take(value, sources)
        records.add_group_values(entry.name, values)
        ctx.progress.advance(len(chunk))
    groups = (members for _, members in records.groups(entry.name))
    while some := list(islice(groups, GROUPS)):
        ctx.stop.check()
        lookups.gather(entry, [members[0].id for members in some])
        for members in some:
            merged = [ctx.merged.record(member) for member in members] if ctx.merged else members
            batch.take(_fitted(entry.evaluate_group(merged, scope), fit), members)


def _after_decisions(
    ctx: RunContext, entry: Entry, chunk: Sequence[tuple[int, Staged]], batch: _Batch
) -> Iterator[tuple[Staged, tuple[Staged, ...]]]:
    """Yield the records of a chunk as people decided on them, each with the records it stands for, itself first.

    What is to be skipped is noted; what was merged into another comes with that one.
    """
    rule = "decided"
    for _, record in chunk:
        if ctx.decisions.skips(record.stream, record.id):
            batch.take(Skipped(entry.name, record.stream, record.id, rule), (record,))
        elif not ctx.merged:
            yield record, (record,)
        elif ctx.merged.survivor(record.stream, record.id) == record.id:
            absorbed = ctx.merged.absorbed(record.stream, record.id)
            yield ctx.merged.record(record), (record, *(record._replace(id=one, data={}) for one in absorbed))


def _folding(result: Result, absorbed: Sequence[Staged]) -> Result:
    """Return desired records with the records that were merged into theirs among what they are made from."""
    if not absorbed or not isinstance(result, list):
        return result
    folded = tuple(Contribution(one.stream, one.id, FOLDED) for one in absorbed)
    return [replace(desired, contributions=(*desired.contributions, *folded)) for desired in result]


def _fitted(result: Result, fit: Fit) -> Result:
    return [fit.apply(desired) for desired in result] if isinstance(result, list) else result


def _schema_rows(spec: Spec, fit: Fit) -> list[Desired]:
    """Return the schema items that are used, as the spec wants them, whether the account has them already or not."""
    finals = {(fit.clashes.get(item.key) or item).key: item for item in spec.schema}
    rows: list[Desired] = []
    for key, final in fit.items.items():
        wanted = finals.get(key, final)
        settings = {name: wanted.settings[name] for name in sorted(wanted.settings) if name not in PLANNING_ONLY}
        if key not in finals:
            settings = {"type": final.settings["type"]}
        fields = {**settings, "name": final.name, "of": final.of}
        rows.append(Desired(final.object, "schema", schema_key(final), "", fields, {}, ()))
    return rows


def _settle_links(ctx: RunContext) -> None:
    """Decide what becomes of desired records whose required parent will not be there."""
    decided: dict[tuple[str, str, str], str] = {}
    verdicts: list[tuple[str, str, str, str]] = []
    rejections: list[Rejection] = []
    skips: list[tuple[str, str, str]] = []
    for name, link, is_there in ctx.journal.records.required_links(ctx.behaviours.user):
        if name in decided:
            continue
        verdict = _verdict(ctx, link, is_there, decided)
        if verdict is None:
            continue
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


def _verdict(ctx: RunContext, link: LinkRef, is_there: bool, decided: Mapping[tuple[str, str, str], str]) -> str | None:
    if not link.key:
        return "rejected:orphan"
    if is_there:
        parent = decided.get((link.object, link.key, link.part))
        if parent is None:
            return None
        return "skipped:parent_skipped" if parent.startswith("skipped") else "blocked:parent_rejected"
    _, stream, record_id, _ = split_source_key(link.key)
    return _fate(ctx, stream, record_id) or "skipped:parent_skipped"


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
