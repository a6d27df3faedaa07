"""Draws up the plan's document from what the journal holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flitstack.stages.plan.document import Owners, PlanDocument
from flitstack.stages.plan.grade import Figures, grade_of
from flitstack.stages.plan.price import duration
from flitstack.stages.plan.terms import terms_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flitstack.mapping import Entry, Fit
    from flitstack.protocols import Account, User
    from flitstack.stages.context import RunContext
    from flitstack.stages.intake.specs import Prepared
    from flitstack.stages.plan.operations import PlanSummary
    from flitstack.stages.setup import Setup


def make_document(
    ctx: RunContext, setup: Setup, prepared: Prepared, fit: Fit, account: Account, users: Sequence[User],
    summary: PlanSummary,
) -> PlanDocument:  # fmt: skip
    """Return the plan that the journal holds, with what it follows from."""
    journal = ctx.journal
    latest = journal.staging.latest()
    buckets = journal.buckets
    streams = {stream: _before_writing(counts) for stream, counts in buckets.streams(ctx.id).items()}
    owners = _owners(ctx, setup, users)
    pace = terms_of(setup.destination.plans, setup.destination_settings, account.facts).pace(account.daily_budget)
    length = duration(summary.ahead.requests, summary.ahead.tokens, pace)
    made = journal.records.of_entries()
    compromises = len(fit.compromises) + len(account.compromises)
    figures = Figures(
        planned=sum(made.values()),
        one_to_one=sum(made.get(entry.name, 0) for entry in prepared.spec.entries if is_one_to_one(entry)),
        read=sum(counts["read"] for counts in streams.values()),
        stuck=sum(counts["rejected"] + counts["blocked"] for counts in streams.values()),
        people=len(owners.people),
        unmatched=len(owners.people) - owners.matched,
        compromises=compromises,
        writes=summary.writes,
        days=length.days,
    )
    return PlanDocument(
        source=setup.source.name,
        source_id=ctx.source_id,
        destination=setup.destination.name,
        account=account,
        as_of=latest.as_of if latest else None,
        fingerprint=journal.staging.fingerprint(),
        streams=streams,
        choices=prepared.choices,
        spec=prepared.spec,
        fit=fit,
        made={entry.name: made.get(entry.name, 0) for entry in prepared.spec.entries},
        owners=owners,
        adopted={key: id_ for _, key, _, id_ in journal.decisions.adoptions()},
        summary=summary,
        duration=length,
        rejections=[(stream, code, reason, n) for stream, code, reason, _, n, _ in buckets.rejections()],
        skips=buckets.skips(ctx.id),
        noticed=[finding for finding in journal.staging.findings() if finding.severity != "info"],
        grade=grade_of(figures),
    )


def _before_writing(counts: Mapping[str, int]) -> dict[str, int]:
    """Return a stream's counts as a run sees them that has written nothing yet: what is written is as it should be.

    The run that took a sample and the one that follows show the same plan, so one approval holds for both.
    """
    written = ("created", "updated")
    told = {bucket: 0 if bucket in written else count for bucket, count in counts.items()}
    return {**told, "unchanged": counts["unchanged"] + sum(counts[bucket] for bucket in written)}


def is_one_to_one(entry: Entry) -> bool:
    """Tell whether an entry makes each of its records of one source record, and one of each."""
    return not entry.is_grouped and not any(collect.fold for collect in entry.collects) and entry.part_alias is None


def _owners(ctx: RunContext, setup: Setup, users: Sequence[User]) -> Owners:
    names = {user.id: user.email or user.name for user in users}
    people = tuple(
        (stream, id_, None if user is None else names.get(user, user), how)
        for stream, id_, user, how in ctx.journal.records.owner_rows()
    )
    fallback = next((user for user in users if user.id == ctx.fallback_user), None)
    named = bool(setup.core.get("fallback_owner"))
    why = "named by fallback_owner" if named else "the token's own user; fallback_owner names another"
    return Owners(people, fallback.email or fallback.name if fallback else "the token's user", why)
