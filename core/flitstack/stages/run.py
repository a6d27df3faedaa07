"""The walk of `flit run`: read, map, plan, pass the gates, write, read back; each stage resumes by itself."""

from __future__ import annotations

import hashlib
import re
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from flitstack.errors import UsageError
from flitstack.journal import Journal, dumps
from flitstack.mapping import fit_schema
from flitstack.stages.audit.account import about_account
from flitstack.stages.audit.sections import Audited, audit_staged
from flitstack.stages.context import RunContext
from flitstack.stages.delta.allowed import BOUNDS, remember_load, use_up, why_not
from flitstack.stages.delta.changes import DeltaView, remember_export, remember_fills, view_delta
from flitstack.stages.delta.deciding import about_conflicts, look_again
from flitstack.stages.delta.leaving import find_leaving, mark_vanished
from flitstack.stages.delta.limits import read_limits
from flitstack.stages.delta.listing import MET_BY_RUNS
from flitstack.stages.demo import mark_demo
from flitstack.stages.existing import Existing, find_existing, gate_text, settle_existing
from flitstack.stages.final.verified import keep_verified
from flitstack.stages.gates.gate import Gate, chain
from flitstack.stages.gates.moved import EXPORT, SPEC
from flitstack.stages.gates.passing import FULL, pass_gates, show_gates, with_changes
from flitstack.stages.gates.texts import full_text, map_text, owners_text, schema_text
from flitstack.stages.intake.decisions import settle_decisions
from flitstack.stages.intake.map import map_records
from flitstack.stages.intake.merged import Merged
from flitstack.stages.intake.owners import settle_owners
from flitstack.stages.intake.specs import Prepared, prepare_spec
from flitstack.stages.intake.stage import stage_export
from flitstack.stages.opening import new_run_id, no_documents, noted, opened
from flitstack.stages.plan.drawing_up import make_document
from flitstack.stages.plan.operations import PlanSummary, plan_operations
from flitstack.stages.proof.rebuild import Rebuilt, accept, existing_text, rebuild
from flitstack.stages.proof.unlike import accept_unlike
from flitstack.stages.proof.verify import Verification, verify
from flitstack.stages.proposal.confirmed import remember_confirmed
from flitstack.stages.publishing import REPORTS
from flitstack.stages.rejects.overlay import keep_rejected_rows
from flitstack.stages.report import BEGINNING, RunReport, Tokens
from flitstack.stages.rollback.texts import undo_notes
from flitstack.stages.sample.choice import choose_sample
from flitstack.stages.sample.diff import DiffMaker
from flitstack.stages.sample.kept import is_taken, keep_sample, main_stream, sample_gate
from flitstack.stages.setup import Setup, set_up
from flitstack.stages.writing.apply import apply_operations
from flitstack.stages.writing.reconcile import reconcile
from flitstack.stages.writing.schema import bind_links, link_found
from flitstack.stages.writing.waiting import BudgetWait

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flitstack.clock import Clock
    from flitstack.mapping import Fit
    from flitstack.protocols import Account, Schema, SchemaItem, SourceReader, Stream, User, Writer
    from flitstack.registry import Registry
    from flitstack.stages.context import Progress, StopFlag
    from flitstack.stages.options import RunOptions, SampleOptions
    from flitstack.stages.plan.document import PlanDocument

APPROVED = "approved"
SOURCE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")


@dataclass(slots=True)
class _Scene:
    """What is known once the export is staged, the account was looked at, and the records are mapped."""

    streams: Mapping[str, Stream]
    account: Account
    users: Sequence[User]
    found: Sequence[SchemaItem]
    prepared: Prepared
    fit: Fit

    @property
    def schemas(self) -> dict[str, Schema]:
        """Return the schema of each stream that the source can have."""
        return {name: stream.schema for name, stream in self.streams.items()}


@dataclass(slots=True)
class _Run:
    """One run under way."""

    setup: Setup
    reader: SourceReader
    ctx: RunContext
    began: float
    plan: PlanSummary | None = None
    document: PlanDocument | None = None
    audited: Audited | None = None
    gates: Sequence[Gate] = ()
    rebuilt: Rebuilt | None = None
    existing: Existing | None = None
    verification: Verification | None = None
    delta: DeltaView = field(default_factory=DeltaView)


async def run_migration(
    options: RunOptions,
    progress: Progress,
    stop: StopFlag,
    *,
    registry: Registry | None = None,
    clock: Clock | None = None,
) -> RunReport:
    """Move the records as far as approvals, budget and the destination allow, and return what it came to.

    :param registry, clock: in place of the installed plugins and the environment's clock, for tests and embedding.
    :raises FlitError: what stopped it; the journal holds all that was done, and the same command carries on.
    """
    setup = set_up(options, registry=registry, clock=clock)
    reader = setup.source.open(setup.input, setup.source_settings)
    try:
        reader.streams()  # an input that is no export is refused before a journal is made for it
        with Journal(options.journal, lease=True) as journal:
            waiting = BudgetWait(setup.clock, progress, stop, waits=options.wait)
            attachments = getattr(reader, "open_attachment", no_documents)
            async with opened(
                setup.destination, setup.destination_settings, journal, setup.clock,
                open_attachment=attachments, waiting=waiting,
            ) as writer:  # fmt: skip
                return await _run(setup, reader, writer, journal, progress, stop)
    finally:
        reader.close()


async def _run(
    setup: Setup, reader: SourceReader, writer: Writer, journal: Journal, progress: Progress, stop: StopFlag
) -> RunReport:
    source_id = _identify(setup, journal)
    observers = setup.registry.observers

    def notify(hook: str, **arguments: Any) -> None:
        for warning in observers.notify(hook, **arguments):
            progress.say(warning)

    run_id = new_run_id(setup.clock)
    ctx = RunContext(run_id, source_id, journal, writer, writer.behaviours, setup.clock, progress, stop, notify)
    ctx.allow_irreversible = setup.options.allow_irreversible
    run = _Run(setup, reader, ctx, time.monotonic())
    with noted(ctx) as ending:
        notify("flit_run_started", run_id=run_id, source=setup.source.name, destination=setup.destination.name)
        await _walk(run)
        report = _report(run)
        ending.status = report.status
    report = replace(report, audit=journal.audit.head())  # the run's own end is under the head that is printed
    notify("flit_run_finished", run_id=run_id, summary=report.as_json())
    return report


def _identify(setup: Setup, journal: Journal) -> str:
    """Fix what the journal is for when it is new; refuse to use it for anything else."""
    source_id = setup.core.get("source_id") or journal.runs.meta("source id") or setup.source.name
    if not SOURCE_ID.fullmatch(source_id):
        raise UsageError("source_id: letters, digits, dots, dashes and underscores only, 40 at the most.")
    other = "Use another --journal for another migration."
    journal.runs.identify("source", setup.source.name, other)
    journal.runs.identify("source id", source_id, other)
    journal.runs.identify("destination", setup.destination.name, other)
    return source_id


async def _walk(run: _Run) -> None:
    scene = await _prepare(run)
    sampling = run.setup.options.sample
    if sampling is not None and (sampling.alone or not is_taken(run.ctx, sampling, scene.prepared)):
        await _take_sample(run, scene, sampling)
        if sampling.alone:
            return
        await _look_again(run, scene)
    await _load(run, scene)


async def _prepare(run: _Run) -> _Scene:
    """Stage, look at the account, map: all that comes before a plan; nothing is written."""
    ctx, setup = run.ctx, run.setup
    stage_export(ctx, setup.source, run.reader)
    keep_rejected_rows(ctx.journal, run.reader, anew=True)
    streams = {stream.name: stream for stream in run.reader.known_streams()}
    schemas = {name: stream.schema for name, stream in streams.items()}
    ctx.decisions = settle_decisions(ctx.journal, setup.core.get("decisions"))
    ctx.merged = Merged(ctx.decisions.merged, schemas, ctx.journal.staging)
    found = await ctx.writer.schema()
    account = await ctx.writer.account()
    ctx.journal.runs.identify("account", account.id, "The token belongs to another account.")
    if setup.options.demo:
        mark_demo(ctx.journal)
    users = await ctx.writer.users()
    found = await _catch_up(ctx, found)
    prepared = prepare_spec(ctx, setup, account, streams)
    settle_owners(ctx, prepared.spec, setup.core, account.user, users)
    decision = ctx.journal.records.schema_decision()
    fit = fit_schema(prepared.spec, found, account.slots, decision, ctx.behaviours.objects)
    map_records(ctx, prepared.spec, fit)
    keep_rejected_rows(ctx.journal, run.reader)
    mark_vanished(ctx, setup.core.get("vanished", "keep"))
    link_found(ctx, found)
    accept_unlike(ctx)
    await look_again(ctx, setup.core.get("conflicts", ""))
    await find_leaving(ctx, prepared.spec, setup.core.get("vanished", "keep"))
    run.rebuilt = await rebuild(ctx, found)
    run.existing = await find_existing(ctx, setup.core.get("existing", "ask"), schemas)
    return _Scene(streams, account, users, found, prepared, fit)


async def _load(run: _Run, scene: _Scene) -> None:
    """Plan what is left, pass the gates, write it and read everything back, as far as the options allow."""
    ctx, options = run.ctx, run.setup.options
    run.plan = _planned(ctx)
    run.delta = view_delta(ctx, scene.schemas, read_limits(run.setup.core))
    if options.dry_run:
        return
    basis = _basis(run, scene) if run.plan.writes else ""
    asked = run.plan.writes > 0 and ctx.journal.runs.meta(APPROVED) != basis
    if options.plan_only:
        run.document = _document(run, scene)
    allowed = asked and _pass_gates(run, scene)
    if options.plan_only:
        return
    ctx.journal.staging.accept()
    if asked:
        ctx.journal.runs.remember(APPROVED, basis)
        remember_fills(ctx)
    if asked and not allowed:
        remember_load(ctx)
        remember_export(ctx)
    await _write(run, scene, asked=asked)
    run.verification = await verify(ctx, hashes=run.plan.hashes)
    keep_verified(ctx.journal, run.verification, ctx.id, ctx.at())


async def _take_sample(run: _Run, scene: _Scene, options: SampleOptions) -> None:
    """Migrate a sample through the same gates and the same engine, read it back, and keep the diff."""
    ctx, main = run.ctx, main_stream(run.setup)
    sample = choose_sample(ctx, main, options.size, random=options.random)
    ctx.sampled = True
    run.plan = _planned(ctx)
    if not run.setup.options.dry_run:
        if run.plan.writes:
            _pass_gates(run, scene)
            ctx.journal.staging.accept()
        await _write(run, scene, asked=run.plan.writes > 0)
    ctx.sampled = False
    if not run.setup.options.dry_run:
        maker = DiffMaker(ctx, scene.prepared.spec, scene.schemas, scene.account, main)
        run.verification = await verify(ctx, see=maker.see)
        keep_sample(ctx, options, run.setup.options.publishing, scene.prepared, sample, maker.make(), run.verification)


async def _look_again(run: _Run, scene: _Scene) -> None:
    """See what the sample left to make, and stop at its gate and the last, which show what the next run will see."""
    ctx = run.ctx
    scene.found, scene.account = await ctx.writer.schema(), await ctx.writer.account()
    decision = ctx.journal.records.schema_decision()
    scene.fit = fit_schema(scene.prepared.spec, scene.found, scene.account.slots, decision, ctx.behaviours.objects)
    if not run.setup.options.dry_run:
        run.plan = plan_operations(ctx)
        _pass_gates(run, scene, without=() if run.plan.writes else (FULL,))


def _planned(ctx: RunContext) -> PlanSummary:
    plan = plan_operations(ctx)
    ctx.journal.runs.predict(ctx.id, plan.tokens, plan.minimum, ctx.spending())
    return plan


async def _write(run: _Run, scene: _Scene, *, asked: bool) -> None:
    """Carry out the plan; what the gates had to say of decisions is kept first."""
    ctx = run.ctx
    assert run.plan is not None  # noqa: S101 - planned by the caller
    if run.plan.writes:
        if asked:
            ctx.journal.decisions.approve(ctx.decisions.lasting().items(), ctx.at(), ctx.id)
            settle_existing(ctx, run.existing)
        ctx.journal.records.keep_schema_decision(scene.fit.kept)
        bind_links(ctx, scene.found)
    if run.rebuilt is not None:
        accept(ctx)
    if run.plan.writes:
        await apply_operations(ctx)
        if ctx.journal.buckets.refused():
            keep_rejected_rows(ctx.journal, run.reader)


async def _catch_up(ctx: RunContext, found: Sequence[SchemaItem]) -> Sequence[SchemaItem]:
    """Find out what earlier runs left in doubt; return the account's schema as it is then."""
    ctx.journal.operations.doubt_intended(ctx.at())
    bind_links(ctx, found)
    return await ctx.writer.schema() if await reconcile(ctx) else found


def _audit(run: _Run, scene: _Scene) -> Audited:
    """Audit what is staged, once in a run, and return what the last gate says of it; nothing when nobody publishes."""
    publish = run.setup.options.publishing.audit
    if publish is None:
        return Audited()
    if run.audited is None:
        setup, ctx = run.setup, run.ctx
        extras = about_account(ctx, setup.source, setup, scene.streams, scene.account, scene.users)
        audit = audit_staged(ctx, setup.source, setup.registry.validators(setup.source.name), scene.streams, extras)
        run.audited = Audited(audit, publish(audit, ctx.journal.path.parent / REPORTS))
    return run.audited


def _document(run: _Run, scene: _Scene) -> PlanDocument:
    assert run.plan is not None  # noqa: S101 - planned by the caller
    return make_document(run.ctx, run.setup, scene.prepared, scene.fit, scene.account, scene.users, run.plan)


def _pass_gates(run: _Run, scene: _Scene, *, without: Sequence[str] = ()) -> bool:
    """Show every gate, but for those `without`, and pass them or stop; one that is to plan only does neither.

    :return: whether nobody had to be asked, as an earlier approval allows a later export so much.
    """
    ctx, options = run.ctx, run.setup.options
    run.document = _document(run, scene)
    gates = chain(_gates(run, run.document, scene.prepared, _audit(run, scene)))
    gates = [gate for gate in gates if gate.name not in without]
    admins = [user.email for user in scene.users if user.is_admin and user.active]
    if options.plan_only:
        run.gates = with_changes(ctx.journal, gates)
        show_gates(ctx, gates, admins)
    else:
        reasons = why_not(ctx, run.delta, gates)
        if reasons == [] and not options.passing.unseen:
            ctx.progress.say(use_up(ctx, run.delta))
            return True
        if reasons:
            told = f"Not within what was approved before: {'; '.join(reasons)}."
            gates = [replace(gate, notes=(*gate.notes, told)) if gate.name == FULL else gate for gate in gates]
        pass_gates(ctx, gates, options.passing, scene.account.user.email, admins)
        remember_confirmed(ctx, run.setup)
    return False


def _gates(run: _Run, document: PlanDocument, prepared: Prepared, audited: Audited) -> list[Gate]:
    """Return what every gate shows, and what that rests on."""
    ctx, options = run.ctx, run.setup.options
    gates = [Gate("profile", prepared.choices, attest=prepared.attest)]
    found = [existing_text(run.rebuilt, ctx.source_id)] if run.rebuilt else []
    if people := gate_text(ctx, run.existing):
        found.append(people)
    if found:
        notes = run.existing.notes if run.existing is not None and run.existing.shown else ()
        gates.append(Gate("existing", "\n".join(found), basis={"adopted": dict(document.adopted)}, notes=notes))
    owners = owners_text(document.owners, run.setup.core.get("owner_map"))
    told = "\n".join([map_text(document, owners), *ctx.decisions.told()])
    basis = {SPEC: document.spec.sha256, **document.about_map()}
    gates.append(Gate("map", told, basis=basis, notes=(f"In full, as it would be used: {prepared.file}",)))
    if document.fit.create or document.fit.add_options:
        gates.append(Gate("schema", schema_text(document), admin=True, basis=document.about_schema()))
    if ctx.sampled:
        return gates
    gates += sample_gate(ctx, prepared)
    page = options.publishing.plan(document, ctx.journal.path.parent / REPORTS) if options.publishing.plan else ""
    notes = (*audited.notes, *((f"The whole plan, to read and to print: {page}",) if page else ()), *undo_notes(ctx))
    if run.delta.questions:
        gates.append(Gate("delta", "\n".join(run.delta.questions), basis={"questions": list(run.delta.questions)}))
    bounds = read_limits(run.setup.core).bounds(sum(document.made.values()))
    basis = {EXPORT: document.fingerprint, **document.about_load(), **run.delta.basis(), BOUNDS: bounds.as_json()}
    told = "\n".join([full_text(document), *run.delta.lines(), bounds.text()])
    return [*gates, Gate("full", f"{audited.text}{told}", basis=basis, notes=notes)]


def _basis(run: _Run, scene: _Scene) -> str:
    """Return a hash of all that the desired records follow from.

    While it is the one that was approved, what is left of the plan is part of what was approved: a run that was stopped
    half way carries on, though the gates would show less by now than they did.
    """
    ctx, latest = run.ctx, run.ctx.journal.staging.latest()
    parts = [
        scene.account.id,
        scene.prepared.choices,
        scene.prepared.spec.sha256,
        ctx.journal.staging.fingerprint(),
        latest.as_of if latest else None,
        sorted(ctx.owners.items()),
        ctx.fallback_user,
        sorted(scene.fit.items),
        sorted(scene.fit.kept.items()),
        sorted(ctx.decisions.by_record.items()),
        ctx.journal.decisions.adoptions(),
        *about_conflicts(ctx),
        *([ctx.journal.delta.stale()] if run.setup.core.get("vanished") == "delete" else []),
    ]
    return hashlib.sha256(dumps(parts).encode()).hexdigest()


def _report(run: _Run) -> RunReport:
    ctx = run.ctx
    journal, spent = ctx.journal, ctx.writer.spent()
    plan = run.plan
    return RunReport(
        run_id=ctx.id,
        journal=str(journal.path),
        streams=journal.buckets.streams(ctx.id),
        objects=_object_counts(ctx),
        verification=run.verification,
        requests=spent.requests,
        tokens=Tokens(spent.tokens, plan.tokens if plan else 0, plan.minimum if plan else 0),
        seconds=time.monotonic() - run.began,
        audit=journal.audit.head(),
        refused=journal.buckets.refused(),
        dry_run=run.setup.options.dry_run or run.setup.options.plan_only,
        rejections=journal.buckets.rejections(),
        skips=journal.buckets.skips(ctx.id),
        planned=plan.operations if plan and run.setup.options.dry_run else {},
        findings=journal.staging.findings(),
        look_alikes=journal.rebuilding.look_alikes(),
        document=run.document,
        gates=run.gates,
        delta=run.delta,
    )


def _object_counts(ctx: RunContext) -> dict[str, dict[str, int]]:
    held = ctx.journal.records.link_objects()
    counted = {object_: dict(BEGINNING) for object_ in ctx.behaviours.objects}
    for object_, verb, count in ctx.journal.operations.run_counts(ctx.id):
        counted[object_][f"{verb}d"] += count
    for object_, _, state, count in ctx.journal.operations.counts():
        if state == "in_doubt":
            counted[object_]["in_doubt"] += count
    for object_, count in ctx.journal.conflicts.counts(*MET_BY_RUNS).items():
        counted[object_]["conflicts"] += count
    for object_, counts in counted.items():
        touched = ctx.journal.operations.touched(ctx.id, object_)
        counts["unchanged"] = max(0, held.get(object_, 0) - touched)
    return {object_: counts for object_, counts in counted.items() if held.get(object_) or any(counts.values())}
