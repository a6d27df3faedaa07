"""The plan as one document for people to read and sign: what will be created, what it costs, and what stays behind.

Nothing in it depends on when or where it was made: the same input gives the same document, byte for byte.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flitstack.stages.plan.grade import Figures, Grade, grade_of
from flitstack.stages.plan.price import Duration, duration
from flitstack.stages.plan.terms import terms_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flitstack.mapping import Entry, Fit, Spec
    from flitstack.protocols import JSON, Account, Finding, SchemaItem, User
    from flitstack.stages.context import RunContext
    from flitstack.stages.intake.specs import Prepared
    from flitstack.stages.plan.operations import PlanSummary
    from flitstack.stages.setup import Setup

FORMAT = "flit plan 1"


@dataclass(frozen=True, slots=True)
class Owners:
    """Who owns what.

    :param people: (source, id, user, how): of everybody at the source who may own records, the user who stands for
        them, None for nobody, and how that was found.
    :param fallback: who owns what nobody else does; `why` it is them.
    """

    people: tuple[tuple[str, str, str | None, str], ...]
    fallback: str
    why: str

    @property
    def matched(self) -> int:
        """Return for how many of them a user stands."""
        return sum(user is not None for _, _, user, _ in self.people)


@dataclass(frozen=True, slots=True)
class PlanDocument:
    """What a run would do, and what that follows from.

    :param adopted: source key to the account's record that is taken over.
    :param streams: stream to `read` and every bucket.
    :param made: entry of the map to the records it makes.
    :param rejections: (stream, code, reason, count); `skips`: (stream, rule, count).
    """

    source: str
    source_id: str
    destination: str
    account: Account
    as_of: str | None
    fingerprint: str
    streams: Mapping[str, Mapping[str, int]]
    choices: str
    spec: Spec
    fit: Fit
    made: Mapping[str, int]
    owners: Owners
    adopted: Mapping[str, str]
    summary: PlanSummary
    duration: Duration
    rejections: Sequence[tuple[str, str, str, int]]
    skips: Sequence[tuple[str, str, int]]
    noticed: Sequence[Finding]
    grade: Grade

    @property
    def compromises(self) -> tuple[str, ...]:
        """Return what the destination cannot hold as asked, in words."""
        return (*self.fit.compromises, *self.account.compromises)

    @property
    def room(self) -> dict[str, tuple[int, int]]:
        """Return, per schema object with a cap, how many items are created and how many the account has room for."""
        return {
            name: (sum(item.object == name for item in self.fit.create), free)
            for name, free in self.account.slots.items()
        }

    def about_map(self) -> dict[str, JSON]:
        """Return the map's part, but for the spec itself."""
        return {
            "template": self.spec.template,
            "entries": {
                entry.name: {"from": entry.stream, "becomes": entry.object} for entry in self.spec.entries
            },
            "compromises": list(self.compromises),
            "owners": {
                "people": {f"{stream}:{id_}": user or "nobody" for stream, id_, user, _ in self.owners.people},
                "fallback": self.owners.fallback,
            },
        }  # fmt: skip

    def about_schema(self) -> dict[str, JSON]:
        """Return the schema's part."""
        return {
            "create": {item.key: dict(item.settings) for item in self.fit.create},
            "there already": sorted(self.fit.reuse),
            "options to add": {key: list(options) for key, options in self.fit.add_options.items()},
            "folded": [item.key for item in self.fit.folded],
            "used instead": {key: item.name for key, item in self.fit.clashes.items()},
            "room": {name: {"needed": needed, "free": free} for name, (needed, free) in self.room.items()},
        }

    def about_load(self) -> dict[str, JSON]:
        """Return what is written, what that costs, and what stays behind."""
        operations: dict[str, dict[str, JSON]] = {}
        for (object_, verb), count in self.summary.operations.items():
            operations.setdefault(object_, {})[verb] = count
        ahead, length = self.summary.ahead, self.duration
        rejected: dict[str, dict[str, JSON]] = {}
        for stream, code, _, count in self.rejections:
            rejected.setdefault(stream, {})[code] = count
        skipped: dict[str, dict[str, JSON]] = {}
        for stream, rule, count in self.skips:
            skipped.setdefault(stream, {})[rule] = count
        return {
            "account": {"id": self.account.id, "name": self.account.name, "daily tokens": self.account.daily_budget,
                        "plan": self.account.facts.get("plan"), "seats": self.account.facts.get("seats")},
            "as of": self.as_of,
            "operations": operations,
            "emptied fields": self.summary.cleared,
            "no longer wanted": self.summary.unwanted,
            "cost": {"requests": ahead.requests, "tokens": ahead.tokens, "least tokens": self.summary.minimum,
                     "days": length.days,
                     "seconds at the allowed rate": None if length.burst_s is None else round(length.burst_s)},
            "rejected": rejected,
            "left out": skipped,
        }  # fmt: skip

    def as_json(self) -> dict[str, JSON]:
        """Return the whole document."""
        return {
            "format": FORMAT,
            "source": {"name": self.source, "id": self.source_id, "fingerprint": self.fingerprint,
                       "streams": {name: dict(counts) for name, counts in self.streams.items()}},
            "destination": self.destination,
            "choices": self.choices,
            "map": {**self.about_map(), "spec": self.spec.sha256, "records": dict(self.made)},
            "owners": {
                "matched": self.owners.matched, "fallback": self.owners.fallback, "why": self.owners.why,
                "people": [{"source": f"{stream}:{id_}", "user": user, "how": how}
                           for stream, id_, user, how in self.owners.people],
            },
            "adopted": dict(self.adopted),
            "schema": {**self.about_schema(), "in order": [item.key for item in self.fit.create]},
            **self.about_load(),
            "noticed": [{"code": f.code, "stream": f.stream, "count": f.count, "message": f.message}
                        for f in self.noticed],
            "grade": self.grade.as_json(),
        }  # fmt: skip

    def text(self) -> str:
        """Return the document as it is written to a file."""
        return f"{json.dumps(self.as_json(), ensure_ascii=False, indent=1)}\n"

    @property
    def hash(self) -> str:
        """Return what the document is known by."""
        return hashlib.sha256(self.text().encode()).hexdigest()


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


def described(item: SchemaItem) -> str:
    """Return a schema item as people call it: `field person Recall_Type__c`."""
    return " ".join(part for part in (item.object.replace("_", " "), item.of, item.name) if part)
