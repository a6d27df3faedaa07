"""A sample as it was migrated and read back: what its report and its gate show."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from flitstack.journal import dumps

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flitstack.protocols import JSON
    from flitstack.stages.sample.choice import Sample
    from flitstack.stages.sample.diff import Diff


@dataclass(frozen=True, slots=True)
class TakenSample:
    """A sample as it was migrated and read back.

    :param first_page: (title, entry, fields) that a person looks at first, as the template says.
    """

    sample: Sample
    diff: Diff
    spec: str
    template: str
    as_of: str
    mismatched: int
    first_page: Sequence[tuple[str, str, tuple[str, ...]]]

    @property
    def sha256(self) -> str:
        """Return a hash of all that the report shows."""
        shown = [asdict(self.sample), asdict(self.diff), self.spec, self.mismatched]
        return hashlib.sha256(dumps(shown).encode()).hexdigest()

    def as_json(self) -> dict[str, JSON]:
        """Return counts and what stands out; no value of a record."""
        sample, diff = self.sample, self.diff
        return {
            "sample": {
                "stream": sample.stream, "size": sample.size, "of": sample.of, "chosen": sample.chosen,
                "control": sample.control, "along": sample.along, "beside": sample.beside, "random": sample.random,
                "objects": dict(sample.objects), "fields": sample.fields, "values": sample.values,
                "covered": sample.covered, "open_links": sample.open_links,
                "uncovered": [asdict(each) for each in sample.uncovered],
            },
            "diff": {"records": diff.records, "compared": diff.compared, "equal": diff.equal},
            "flags": [{**asdict(flag), "keys": list(flag.keys)} for flag in diff.flags],
            "mismatched": self.mismatched, "spec": self.spec, "sha256": self.sha256,
        }  # fmt: skip
