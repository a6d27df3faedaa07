"""Differences: what reading back finds, each with its record and fields by name, and of which kind it is."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flitstack.protocols import JSON

EXAMPLES = 20
KEPT = 50_000
"""So many differences are kept with their names; beyond, they are counted."""

MISSING, DIFFERS, ALTERED, BYTES = "missing", "differs", "altered", "bytes"
CHANGED, DOUBLED, UNKNOWN = "changed", "doubled", "unknown"
KINDS: Mapping[str, str] = {
    MISSING: "not in the account any more, or never arrived",
    DIFFERS: "not as it was written, and never seen to be",
    ALTERED: "differs, though the account says that nobody changed it since it was as written",
    BYTES: "a document's bytes are not those that were sent",
    DOUBLED: "there a second time",
    UNKNOWN: "carries a key of ours that the journal never wrote",
    CHANGED: "changed in the account since it was as written",
}
LOST = frozenset({MISSING, DIFFERS, ALTERED, BYTES})
"""What a migration answers for; `changed` is people's right, `doubled` and `unknown` are records too many."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One record that is not as it was written.

    :param key: source key with its part, or `schema:...`; of a total its name. Never a value.
    :param kind: one of `KINDS`.
    :param what: in words, fields by name.
    :param fields: the fields and links that differ; () when the whole record is meant.
    """

    object: str
    key: str
    kind: str
    what: str
    fields: tuple[str, ...] = ()


@dataclass(slots=True)
class Counted:
    """What reading back one object found.

    :param held: records that the account has, whoever made them.
    :param checked: records of ours. :param fields: fields and links compared.
    :param mismatched: records that are missing, or of which a field differs; those doubled and unknown among them.
    :param drifted: records that were as written when last read, and differ now: someone changed them since.
    :param missing: those of the mismatched that the account does not have.
    :param doubled: records beside ours that carry one of our keys, or documents like one of ours in the same place.
    :param unknown: records that carry a key of ours of which the journal knows no record.
    :param left_alone: records that are not ours.
    :param hashed: documents whose bytes were read back.
    """

    held: int = 0
    checked: int = 0
    fields: int = 0
    mismatched: int = 0
    drifted: int = 0
    missing: int = 0
    doubled: int = 0
    unknown: int = 0
    left_alone: int = 0
    hashed: int = 0


@dataclass(frozen=True, slots=True)
class Total:
    """A sum of money at the source, and the same as the account holds it.

    :param source: over all rows of the stream that can move; None where the map does not say what to sum.
    :param left_behind: of it, rows whose record is not in the account: rejected, skipped, left out.
    :param left_rows: how many rows that is.
    :param written: over the records of ours, as last written.
    :param held: over the same records, as read back.
    :param changed: whether only people's changes make `held` another sum than `written`.
    """

    name: str
    object: str
    field: str
    source: Decimal | None
    left_behind: Decimal
    left_rows: int
    written: Decimal
    held: Decimal
    changed: bool = False

    @property
    def agrees(self) -> bool:
        """Tell whether the account holds what was written."""
        return self.written == self.held

    @property
    def by_the_map(self) -> Decimal:
        """Return what the map itself makes of the sum: rows it does not take, amounts it changes."""
        return Decimal(0) if self.source is None else self.source - self.left_behind - self.written

    def as_json(self) -> dict[str, JSON]:
        """Return it for machines, amounts as texts."""
        amounts = {name: str(getattr(self, name)) for name in ("left_behind", "by_the_map", "written", "held")}
        source = None if self.source is None else str(self.source)
        told: dict[str, JSON] = {"name": self.name, "object": self.object, "field": self.field, "source": source}
        return {**told, **amounts, "left_rows": self.left_rows, "agrees": self.agrees}


@dataclass(slots=True)
class Verification:
    """What reading back found, per object.

    :param differences: the first `KEPT` of them.
    :param kinds: how many there are of each kind.
    :param by_field: how many records of (object, kind) differ in a field or link; "" for the whole record.
    :param uncompared: (object, field or "", why) to how many times it could not be compared.
    """

    objects: dict[str, Counted] = field(default_factory=dict)
    differences: list[Difference] = field(default_factory=list)
    kinds: Counter[str] = field(default_factory=Counter)
    by_field: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    uncompared: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    totals: list[Total] = field(default_factory=list)

    def of(self, object_: str) -> Counted:
        """Return the counts of an object."""
        return self.objects.setdefault(object_, Counted())

    def add(self, difference: Difference) -> None:
        """Keep a difference and count its record."""
        counted = self.of(difference.object)
        counted.drifted += difference.kind == CHANGED
        counted.mismatched += difference.kind != CHANGED
        counted.missing += difference.kind == MISSING
        counted.doubled += difference.kind == DOUBLED
        counted.unknown += difference.kind == UNKNOWN
        self.kinds[difference.kind] += 1
        self.by_field.update((difference.object, difference.kind, name) for name in difference.fields or ("",))
        if len(self.differences) < KEPT:
            self.differences.append(difference)

    @property
    def examples(self) -> list[tuple[str, str, str]]:
        """Return (object, key, what differs) of the first, what was lost before what was changed; names only."""
        ordered = sorted(self.differences, key=lambda one: one.kind == CHANGED)
        return [(one.object, one.key, one.what) for one in ordered[:EXAMPLES]]

    def total(self, name: str) -> int:
        """Return one of the counts over all objects."""
        return sum(getattr(counted, name) for counted in self.objects.values())

    @property
    def checked(self) -> int:
        """Return how many records were compared."""
        return self.total("checked")

    @property
    def fields(self) -> int:
        """Return how many fields and links were compared."""
        return self.total("fields")

    @property
    def mismatched(self) -> int:
        """Return how many records are not as they should be."""
        return self.total("mismatched")

    @property
    def drifted(self) -> int:
        """Return how many records someone changed since."""
        return self.total("drifted")

    @property
    def doubled(self) -> int:
        """Return how many records are there a second time."""
        return self.total("doubled")

    @property
    def hashed(self) -> int:
        """Return of how many documents the bytes were read back."""
        return self.total("hashed")

    @property
    def left_alone(self) -> dict[str, int]:
        """Return, per object, how many records are not ours, where there are any."""
        return {object_: counted.left_alone for object_, counted in self.objects.items() if counted.left_alone}

    def as_json(self) -> dict[str, JSON]:
        """Return what reading back found, for machines."""
        counts = ("checked", "mismatched", "fields", "drifted", "missing", "doubled", "unknown", "hashed")
        return {
            "objects": {name: asdict(counted) for name, counted in self.objects.items()},
            "verified": {name: self.total(name) for name in counts},
            "kinds": dict(self.kinds),
            "by_field": [
                {"object": object_, "kind": kind, "field": name, "count": n}
                for (object_, kind, name), n in self.by_field.most_common()
            ],
            "totals": [one.as_json() for one in self.totals],
            "not_compared": [
                {"object": object_, "field": name, "why": why, "count": n}
                for (object_, name, why), n in sorted(self.uncompared.items())
            ],
            "examples": [{"object": object_, "key": key, "what": what} for object_, key, what in self.examples],
            "differences": [{**asdict(one), "fields": list(one.fields)} for one in self.differences],
        }
