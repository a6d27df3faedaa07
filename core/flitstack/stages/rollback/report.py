"""What an undo came to, or would come to: counts, what stays and why, and the hash that proves the rest."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from flitstack.protocols import full_key
from flitstack.stages.rollback.decision import REASONS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flitstack.journal import Head
    from flitstack.protocols import JSON, Spent
    from flitstack.stages.rollback.decision import Kept

COUNTED = ("deleted", "restored", "gone", "kept")


@dataclass(frozen=True, slots=True)
class Proof:
    """How the account, read once more, compares with what it should hold now.

    :param expected, found: hash of every record and schema item but those that stay as conflicts; equal when all is
        as it was.
    :param wrong: (object, key or id, what is wrong) of what we wrote and does not hold.
    :param elsewhere: records of other people that changed while the undo went on.
    """

    records: int
    expected: str
    found: str
    wrong: tuple[tuple[str, str, str], ...] = ()
    elsewhere: int = 0


@dataclass(frozen=True, slots=True)
class RollbackReport:
    """What an undo came to.

    :param scope: in words. :param objects: object to `deleted`, `restored`, `gone` (somebody deleted it already) and
        `kept`; of a dry run, what would be.
    :param kept: what stays and why. :param final: what no undo can take back, in words.
    :param ahead: of a dry run, what carrying it out takes. :param withdrawn: approvals that no longer stand.
    """

    run_id: str
    journal: str
    account: str
    scope: str
    objects: Mapping[str, Mapping[str, int]]
    kept: Sequence[Kept]
    proof: Proof | None
    spent: Spent
    ahead: Spent
    seconds: float
    audit: Head
    dry_run: bool = False
    final: Sequence[str] = ()
    withdrawn: int = 0
    by: str = ""
    reports: Mapping[str, str] = field(default_factory=dict)

    @property
    def status(self) -> str:
        """Return how it ended, in one word."""
        if self.dry_run:
            return "dry_run"
        if self.proof is not None and self.proof.wrong:
            return "mismatched"
        return "undone_but_for_conflicts" if self.kept else "undone"

    @property
    def exit_code(self) -> int:
        """Return the exit code that follows from the status."""
        return {"dry_run": 0, "undone": 0, "undone_but_for_conflicts": 1, "mismatched": 6}[self.status]

    def total(self, name: str) -> int:
        """Return one of the counts over all objects."""
        return sum(counts.get(name, 0) for counts in self.objects.values())

    def reasons(self) -> list[tuple[str, str, int]]:
        """Return (object, why, records) of what stays, the most frequent first."""
        found = Counter({(kept.ours.object, kept.code, kept.ours.name) for kept in self.kept})
        counts = Counter((object_, code) for object_, code, _ in found)
        return [(object_, REASONS.get(code, code), n) for (object_, code), n in counts.most_common()]

    def as_json(self) -> dict[str, JSON]:
        """Return what `--json` prints."""
        proof = self.proof
        return {
            "run_id": self.run_id,
            "status": self.status,
            "scope": self.scope,
            "objects": {object_: {name: n.get(name, 0) for name in COUNTED} for object_, n in self.objects.items()},
            "conflicts": [
                {"object": k.ours.object, "key": full_key(k.ours.key, k.ours.part), "field": k.field.removeprefix("@"),
                 "code": k.code, "reason": REASONS.get(k.code, k.code), "by": dict(k.by)}
                for k in self.kept
            ],
            "verified": None if proof is None else {
                "records": proof.records, "expected": proof.expected, "found": proof.found,
                "elsewhere": proof.elsewhere,
                "wrong": [{"object": o, "key": key, "what": what} for o, key, what in proof.wrong],
            },
            "cannot_be_undone": list(self.final),
            "approvals_withdrawn": self.withdrawn,
            "requests": self.spent.requests,
            "tokens": {"spent": self.spent.tokens, "predicted": self.ahead.tokens},
            "seconds": round(self.seconds, 3),
            "journal": self.journal,
            "reports": dict(self.reports),
            "audit": self.audit.as_json(),
        }  # fmt: skip


def counted(objects: Sequence[str], rows: Mapping[str, Sequence[str]]) -> dict[str, dict[str, int]]:
    """Return, per object in this order, how often it stands in each of the named rows; without those of none."""
    counts = {object_: {name: list(row).count(object_) for name, row in rows.items()} for object_ in objects}
    return {object_: each for object_, each in counts.items() if any(each.values())}
