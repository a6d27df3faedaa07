"""The plan as one document for people to read and sign: what will be created, what it costs, and what stays behind.

Nothing in it depends on when or where it was made: the same input gives the same document, byte for byte.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flitstack.mapping import Fit, Spec
    from flitstack.protocols import JSON, Account, Finding, SchemaItem
    from flitstack.stages.plan.grade import Grade
    from flitstack.stages.plan.operations import PlanSummary
    from flitstack.stages.plan.price import Duration

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


def described(item: SchemaItem) -> str:
    """Return a schema item as people call it: `field person Recall_Type__c`."""
    return " ".join(part for part in (item.object.replace("_", " "), item.of, item.name) if part)
