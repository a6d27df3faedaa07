"""The walk of `flit rollback`: read the account, decide, ask, take back, and prove by reading that it is as it was."""

from __future__ import annotations

import hashlib
import time
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from flitstack.errors import ApprovalNeeded, ConfigurationError
from flitstack.journal import Conflict, Journal, Settlement
from flitstack.protocols import Spent
from flitstack.registry import load_plugins
from flitstack.stages.context import RunContext, on_disk
from flitstack.stages.opening import know_account, new_run_id, noted, opened
from flitstack.stages.plan.price import pages, requests_of
from flitstack.stages.rollback.changed import Changes
from flitstack.stages.rollback.decide import decide
from flitstack.stages.rollback.decision import REASONS, Kept
from flitstack.stages.rollback.guard import Guard, lists_for
from flitstack.stages.rollback.inverse import plan_inverse
from flitstack.stages.rollback.proof import prove
from flitstack.stages.rollback.report import RollbackReport, counted
from flitstack.stages.rollback.scope import Scope, choose
from flitstack.stages.rollback.survey import Reading, know_habits
from flitstack.stages.rollback.texts import final_words, undo_text
from flitstack.stages.setup import settings_of
from flitstack.stages.writing.answers import get_held
from flitstack.stages.writing.apply import apply_operations
from flitstack.stages.writing.looking import ALREADY_GONE
from flitstack.stages.writing.reconcile import reconcile
from flitstack.stages.writing.waiting import BudgetWait

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from flitstack.clock import Clock
    from flitstack.journal import Ours, Written
    from flitstack.protocols import Account
    from flitstack.registry import Registry
    from flitstack.stages.context import Progress, StopFlag
    from flitstack.stages.rollback.decision import Decision
    from flitstack.stages.rollback.scope import Wanted
    from flitstack.stages.rollback.survey import Survey

MARKS = ("approved", "sample")
"""What the journal remembers of approvals and samples under these names holds no more once anything is undone."""


@dataclass(frozen=True, slots=True)
class RollbackOptions:
    """What the command line said.

    :param ask: shows what would be undone to a person and returns their name, None when they do not agree.
    :param unseen: who agrees without a look.
    :param with_dependents: take along what cannot do without what goes.
    :param also_found: delete people whom a rebuilt journal found by their key.
    :param disregard: `OBJECT.FIELD`: filled by nobody whose work is to be kept.
    :param wait: when the day's budget is used up, carry on once it is open again.
    """

    journal: Path
    scope: Scope = field(default_factory=Scope)
    sets: Sequence[str] = ()
    demo: bool = False
    dry_run: bool = False
    unseen: str | None = None
    ask: Callable[[str], str | None] | None = None
    with_dependents: bool = False
    also_found: bool = False
    disregard: Sequence[str] = ()
    wait: bool = False
    publish: Callable[[RollbackReport, Path], Mapping[str, str]] | None = None


@dataclass(slots=True)
class _Undo:
    """One undo under way."""

    ctx: RunContext
    options: RollbackOptions
    account: Account
    began: float
    survey: Survey
    wanted: Wanted
    decision: Decision
    changes: Changes
    by: str = ""


async def rollback(
    options: RollbackOptions,
    progress: Progress,
    stop: StopFlag,
    *,
    registry: Registry | None = None,
    clock: Clock | None = None,
) -> RollbackReport:
    """Take back what the scope names, but for what people changed since, and return what that came to.

    :param registry, clock: in place of the installed plugins and the environment's clock, for tests and embedding.
    :raises FlitError: what stopped it; the journal holds all that was done, and the same command carries on.
    :raises ApprovalNeeded: nobody agreed; the message holds what would be undone.
    """
    began = time.monotonic()
    if not options.journal.exists() or not options.journal.stat().st_size:
        Journal.existing(options.journal).close()  # says what is wrong with it
    with Journal(options.journal, lease=not options.dry_run) as journal:
        name, source_id = journal.runs.meta("destination"), journal.runs.meta("source id")
        if name is None or source_id is None or journal.runs.meta("account") is None:
            raise ConfigurationError(f"{options.journal}: nothing was written from this journal, so nothing is undone.")
        registry = load_plugins(beside=options.journal) if registry is None else registry
        settings = settings_of(journal, options.sets, registry.destination(name), demo=options.demo)
        clock = clock or settings.clock
        waiting = BudgetWait(clock, progress, stop, waits=options.wait)
        async with opened(registry.destination(name), settings.destination, journal, clock, waiting=waiting) as writer:
            run_id = new_run_id(clock)
            notify = _observing(registry, progress)
            ctx = RunContext(run_id, source_id, journal, writer, writer.behaviours, clock, progress, stop, notify)
            if options.dry_run:
                return await _carry_out(ctx, options, settings.core, began)
            with noted(ctx) as ending:
                report = await _carry_out(ctx, options, settings.core, began)
                ending.status = report.status
            return report


def _observing(registry: Registry, progress: Progress) -> Callable[..., None]:
    def notify(hook: str, **arguments: Any) -> None:
        if hook == "flit_operation_finished":
            for warning in registry.observers.notify(hook, **arguments):
                progress.say(warning)

    return notify


async def _carry_out(
    ctx: RunContext, options: RollbackOptions, core: Mapping[str, str], began: float
) -> RollbackReport:
    account = await know_account(ctx, core.get("fallback_owner"))
    if not options.dry_run:
        ctx.journal.operations.doubt_intended(ctx.at())
        await reconcile(ctx)
    undo = await _look(ctx, options, account, began)
    ahead = _ahead(undo)
    text = undo_text(ctx, options.scope, undo.decision, ahead, account.name)
    if options.dry_run:
        return _report(undo, ahead, undo.decision.kept, None, 0)
    if undo.decision.writes:
        _agree(undo, text)
    withdrawn = _begin(undo)
    plan_inverse(ctx, undo.decision)
    going = {(one.object, one.destination_id) for one in (*undo.decision.delete, *undo.decision.gone)}
    ctx.guard = Guard(ctx, undo.changes, undo.survey.newest, going)
    await apply_operations(ctx)
    kept = [*undo.decision.kept, *await _left_over(undo)]
    proof = await prove(ctx, undo.survey, undo.decision, kept) if undo.decision.writes else None
    _finish(undo, kept, proof.found if proof else "")
    return _report(undo, ahead, kept, proof, withdrawn)


async def _look(ctx: RunContext, options: RollbackOptions, account: Account, began: float) -> _Undo:
    """Read the account, unless nothing of ours is there, and decide."""
    wanted = choose(ctx.journal, options.scope, ctx.source_id)
    items = await ctx.writer.schema()
    changes = Changes(ctx, know_habits(ctx, items, options.disregard))
    ours = {(one.object, one.destination_id): one for one in (*wanted.delete, *wanted.restore, *wanted.others)}
    restoring = {
        (one.object, one.destination_id): _in_scope(options.scope)
        for one in wanted.restore
        if one.object not in ctx.behaviours.schema_objects
    }
    fields = frozenset(one.key.rsplit("/", 1)[-1] for one in ours.values() if one.key.startswith("schema:"))
    reading = Reading(ctx, changes, ours, restoring, fields)
    if wanted.delete or wanted.restore:
        survey = await reading.run(items)
    else:
        survey = reading.nothing(items)
    decision = decide(ctx, survey, wanted, with_dependents=options.with_dependents, also_found=options.also_found)
    return _Undo(ctx, options, account, began, survey, wanted, decision, changes)


def _in_scope(scope: Scope) -> Callable[[Written], bool]:
    return lambda write: scope.run is None or write.run == scope.run


def _ahead(undo: _Undo) -> Spent:
    """Return what carrying it out takes: each write and the look before it, what is new meanwhile, and the proof."""
    decision, objects = undo.decision, undo.ctx.behaviours.objects
    if not decision.writes:
        return Spent(0, 0)
    restored = [r.ours for r in decision.restore]
    work: list[tuple[str, Sequence[Ours]]] = [
        ("delete", (*decision.delete, *decision.schema)),
        ("update", (*restored, *(off.ours for off in decision.options))),
        ("get", (*decision.delete, *restored)),
    ]
    calls: Counter[tuple[str, str]] = Counter()
    for verb, those in work:
        for object_, count in Counter(one.object for one in those).items():
            calls[object_, verb] += requests_of(objects[object_], count)
    seen = Counter(object_ for object_, _ in undo.survey.seen)
    for object_ in {one.object for one in decision.delete}:
        for other in lists_for(undo.ctx, undo.changes, object_):
            calls[other, "list"] += 1 if objects[other].filter_since else pages(objects[other], seen[other])
    schema = undo.ctx.behaviours.schema_reading or Spent(1, 1)
    times = 1 + len({one.object for one in decision.schema})  # for the proof, and before items of a kind go
    proof = Spent(undo.survey.requests + times * schema.requests, undo.survey.tokens + times * schema.tokens)
    units = sum(count * objects[object_].cost.get(call, 0) for (object_, call), count in calls.items())
    return Spent(calls.total() + proof.requests, units + proof.tokens)


def _agree(undo: _Undo, text: str) -> None:
    """Have a person agree to what is shown, and note who.

    :raises ApprovalNeeded: nobody does.
    """
    options, ctx = undo.options, undo.ctx
    undo.by = options.unseen or (options.ask(text) if options.ask is not None else None) or ""
    if not undo.by:
        raise ApprovalNeeded(
            f"{text}\n\nNothing was undone. To look at it again: the same command with --dry-run. To undo it where "
            "nobody can be asked: --approve-unseen NAME."
        )
    digest = hashlib.sha256(text.encode()).hexdigest()
    how = "unseen" if options.unseen else "approved"
    event = {"run": ctx.id, "outcome": "rollback_approved", "by": undo.by, "how": how, "hash": digest}
    ctx.journal.undo.log(ctx.at(), {**event, "scope": options.scope.words()})


def _begin(undo: _Undo) -> int:
    """Let no approval stand before the first write leaves; return how many did."""
    if not undo.decision.writes:
        return 0
    undo.ctx.journal.undo.keep_habits(undo.changes.habits.by_object())
    return undo.ctx.journal.undo.withdraw_approvals(undo.ctx.id, undo.ctx.at(), MARKS)


async def _left_over(undo: _Undo) -> list[Kept]:
    """Return what was refused, or met somebody's change right before it was sent; such writes are withdrawn.

    A record whose delete was refused and that is not there was deleted by somebody else meanwhile.
    """
    ctx, kept = undo.ctx, list[Kept]()
    by_name = {one.name: one for one in (*undo.wanted.delete, *undo.wanted.restore, *undo.wanted.others)}
    rows = ctx.journal.undo.unsettled()
    for row in rows:
        ids = [row.destination_id or ""]
        if row.verb == "delete" and row.state == "rejected" and not await get_held(ctx, row.object, ids):
            settled = Settlement(row, "done", ctx.at(), ctx.facts(row), row.destination_id, code=ALREADY_GONE)
            await on_disk(ctx.journal.operations.settle([settled]))
        elif (one := by_name.get((row.object, row.key, row.part))) is not None:
            kept.append(Kept(one, str(row.code) if row.code in REASONS else "refused"))
    ctx.journal.undo.drop([row.id for row in rows])
    return kept


def _finish(undo: _Undo, kept: Sequence[Kept], digest: str) -> None:
    """Note the conflicts, let go of what is as it was, and say in the audit log what the account holds."""
    ctx, at = undo.ctx, undo.ctx.at()
    conflicts = [Conflict(*one.ours.name, one.field, "undo", ctx.id, at) for one in kept]
    over = {(*one.name, one.field): one for one in ctx.journal.conflicts.open("undo")}
    chosen = {one.name for one in (*undo.wanted.delete, *undo.wanted.restore)}
    standing = {(*one.name, one.field) for one in conflicts}
    settled = [one for name, one in over.items() if name not in standing and one.name in chosen]
    ctx.journal.conflicts.change(settled, "settled")
    ctx.journal.conflicts.note(conflicts)
    ctx.journal.undo.let_go(_as_before(undo, {one.ours.name for one in kept}))
    ctx.journal.undo.begin_anew()
    if undo.decision.writes:
        event = {"run": ctx.id, "outcome": "rolled_back", "scope": undo.options.scope.words(), "conflicts": len(kept)}
        ctx.journal.undo.log(ctx.at(), {**event, "account_hash": digest})


def _as_before(undo: _Undo, kept: set[tuple[str, str, str]]) -> list[tuple[str, str, str]]:
    """Return the account's own records and schema items of which everything that was written is taken back.

    While a record of ours stays, its links and fields are read by the schema items that the journal knows.
    """
    scope, journal, schema = undo.options.scope, undo.ctx.journal, undo.ctx.behaviours.schema_objects
    one_stays = any(name[0] not in schema for name in kept)
    return [
        one.name
        for one in undo.wanted.restore
        if one.made_by is None
        and not one.rebuilt
        and one.name not in kept
        and not (one_stays and one.object in schema)
        and (scope.run is None or all(w.is_undo or w.run == scope.run for w in journal.undo.written(one.name)))
    ]


def _report(undo: _Undo, ahead: Spent, kept: Sequence[Kept], proof: Any, withdrawn: int) -> RollbackReport:
    ctx, decision, options = undo.ctx, undo.decision, undo.options
    done = ctx.journal.undo.done_by(ctx.id)
    kept_records = {(one.ours.object, one.ours.name) for one in kept}
    gone = [one.object for one in decision.gone]
    if options.dry_run:
        deleted = [one.object for one in (*decision.delete, *decision.schema)]
        restored = [r.ours.object for r in decision.restore] + [off.ours.object for off in decision.options]
    else:
        deleted = [object_ for (object_, verb), n in done.items() if verb == "delete" for _ in range(n)]
        for object_ in gone:
            if object_ in deleted:
                deleted.remove(object_)
        restored = [object_ for (object_, verb), n in done.items() if verb == "update" for _ in range(n)]
    rows = {"deleted": deleted, "restored": restored, "gone": gone, "kept": [object_ for object_, _ in kept_records]}
    objects = counted(list(ctx.behaviours.objects), rows)
    spent, seconds, head = ctx.writer.spent(), time.monotonic() - undo.began, ctx.journal.audit.head()
    report = RollbackReport(
        ctx.id, str(ctx.journal.path), undo.account.name, options.scope.words(), objects, tuple(kept), proof, spent,
        ahead, seconds, head, options.dry_run, tuple(final_words(ctx, decision)), withdrawn, undo.by,
    )  # fmt: skip
    if options.publish is None:
        return report
    return replace(report, reports=options.publish(report, ctx.journal.path.parent))
