"""What a run came to: counts that add up, and the exit code that follows from them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from flitstack.stages.delta.changes import DeltaView

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flitstack.journal import Head
    from flitstack.protocols import JSON, Finding
    from flitstack.stages.gates.gate import Gate
    from flitstack.stages.plan.document import PlanDocument
    from flitstack.stages.proof.verify import Verification

BEGINNING = {"created": 0, "updated": 0, "deleted": 0, "unchanged": 0, "conflicts": 0, "in_doubt": 0}


@dataclass(frozen=True, slots=True)
class Tokens:
    """Budget units of the destination: spent by this run, predicted by its plan, and the least it could take."""

    spent: int = 0
    predicted: int = 0
    minimum: int = 0


@dataclass(frozen=True, slots=True)
class RunReport:
    """What a run came to.

    :param status: `done`, `done_with_others`, `mismatched`, `incomplete`, or `dry_run`.
    :param streams: stream to `read` and every bucket; the buckets add up to `read`.
    :param rejections: (stream, code, reason, hint, count, one source id).
    :param skips: (stream, rule, count).
    :param planned: of a dry run, (object, verb) to count.
    :param look_alikes: (object, key) of what is in doubt because a record of the account looks just like it; running
        again does not settle that, a person does.
    :param document: the plan that was shown at the gates; None when none was.
    :param gates: of a run that was asked for its plan alone.
    :param delta: what this export changes against the one that was loaded before, as it was planned.
    :param refused: records that the destination refused, which nobody could foresee.
    """

    run_id: str
    journal: str
    streams: Mapping[str, Mapping[str, int]]
    objects: Mapping[str, Mapping[str, int]]
    verification: Verification | None
    requests: int
    tokens: Tokens
    seconds: float
    audit: Head
    refused: int = 0
    delta: DeltaView = field(default_factory=DeltaView)
    dry_run: bool = False
    planned: Mapping[tuple[str, str], int] = field(default_factory=dict)
    rejections: Sequence[tuple[str, str, str, str, int, str]] = ()
    skips: Sequence[tuple[str, str, int]] = ()
    findings: Sequence[Finding] = field(default_factory=tuple)
    look_alikes: Sequence[tuple[str, str]] = ()
    document: PlanDocument | None = None
    gates: Sequence[Gate] = ()

    @property
    def status(self) -> str:
        """Return how the run ended, in one word."""
        if self.dry_run:
            return "dry_run"
        if self.verification is not None and self.verification.mismatched:
            return "mismatched"
        doubts = sum(counts["in_doubt"] for counts in self.objects.values())
        if doubts > len(self.look_alikes) or self._in("pending"):
            return "incomplete"
        if self.refused or doubts or any(counts["conflicts"] for counts in self.objects.values()):
            return "done_with_others"
        return "done"

    @property
    def exit_code(self) -> int:
        """Return the exit code that follows from the status."""
        return {"done": 0, "dry_run": 0, "done_with_others": 1, "incomplete": 5, "mismatched": 6}[self.status]

    def _in(self, bucket: str) -> int:
        return sum(counts[bucket] for counts in self.streams.values())

    def as_json(self) -> dict[str, JSON]:
        """Return what `--json` prints."""
        v = self.verification
        return {
            "run_id": self.run_id,
            "status": self.status,
            "streams": {name: dict(counts) for name, counts in self.streams.items()},
            "objects": {name: dict(counts) for name, counts in self.objects.items()},
            "verified": {
                "checked": v.checked if v else 0,
                "mismatched": v.mismatched if v else 0,
                "fields": v.fields if v else 0,
                "drifted": v.drifted if v else 0,
                "doubled": v.doubled if v else 0,
                "unknown": v.total("unknown") if v else 0,
                "hashed": v.hashed if v else 0,
                "left_alone": dict(v.left_alone) if v else {},
                "examples": [list(example) for example in v.examples] if v else [],
            },
            "planned": [{"object": o, "verb": verb, "count": n} for (o, verb), n in self.planned.items()],
            "delta": {
                name: {"new": c.new, "changed": c.changed, "vanished": c.vanished, "unchanged": c.unchanged}
                for name, c in self.delta.counts.items()
            },
            "requests": self.requests,
            "tokens": {
                "spent": self.tokens.spent,
                "predicted": self.tokens.predicted,
                "minimum": self.tokens.minimum,
            },
            "seconds": round(self.seconds, 3),
            "journal": self.journal,
            "rejections": [
                {"stream": s, "code": code, "reason": reason, "hint": hint, "count": count, "example": example}
                for s, code, reason, hint, count, example in self.rejections
            ],
            "skipped": [{"stream": s, "rule": rule, "count": count} for s, rule, count in self.skips],
            "look_alikes": [{"object": object_, "key": key} for object_, key in self.look_alikes],
            "findings": [
                {"code": f.code, "message": f.message, "severity": f.severity, "stream": f.stream, "count": f.count}
                for f in self.findings
            ],
            "audit": self.audit.as_json(),
        }
