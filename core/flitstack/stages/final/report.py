"""Gathers the final report: counts of both sides, what stayed behind, what people must do, and what it all took."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from flitstack.journal import ABOUT, PURGED, VERIFIED
from flitstack.mapping import Reporting, outline
from flitstack.protocols import full_key
from flitstack.stages.final.money import Reconciled, reconcile_amounts
from flitstack.stages.writing.schema import SCHEMA_KEY

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flitstack.journal import Approved, Conflict, Day, Head, Journal, RunRow
    from flitstack.mapping.reporting import Upkeep
    from flitstack.protocols import JSON

FORMAT = "flit report 1"
TOLD = 40
ENDED = ("done", "done_with_others", "mismatched")
SETTLED = ("created", "updated", "unchanged")
LEFT = ("in_doubt", "rejected", "conflict", "blocked", "pending")


@dataclass(frozen=True, slots=True)
class StreamCount:
    """Where the records of one stream are: `parts` add up to `read`."""

    stream: str
    read: int
    parts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class ObjectCount:
    """One object: records that the source gives, that the destination holds, and what reading back found.

    :param adopted: of those held, records that the account had before.
    :param checked: records compared last, None when nothing was read back; `mismatched`, `drifted` of them.
    """

    object: str
    wanted: int
    held: int
    adopted: int
    checked: int | None = None
    mismatched: int = 0
    drifted: int = 0

    @property
    def missing(self) -> int:
        """Return how many records the destination lacks."""
        return max(0, self.wanted - self.held)


@dataclass(frozen=True, slots=True)
class UpkeepCount:
    """What goes stale.

    :param records: in the destination. :param fields: field to records that have it.
    :param folded: fields that share one text for want of room. :param overflow: the field with that text.
    """

    title: str
    why: str
    object: str
    records: int
    fields: Mapping[str, int]
    folded: tuple[str, ...] = ()
    overflow: str = ""


@dataclass(frozen=True, slots=True)
class Inventory:
    """What people set up anew.

    :param items: what the source has of it, with counts. :param known: the source has a list of it.
    """

    title: str
    why: str
    items: tuple[tuple[str, int], ...] = ()
    known: bool = False


@dataclass(frozen=True, slots=True)
class FinalReport:
    """What a migration came to.

    :param account: `id`, and what else is known: `name`, `plan`, `seats`.
    :param verified: what reading back came to last; None when nothing was read back.
    :param rejections: (stream, code, reason, hint, count, one id). :param skips: (stream, rule, count).
    :param refused: (object, code, count) of writes that met a change. :param undone: object to state to count.
    :param purged: when the values of records were taken out of the journal, ISO; "" while they are in it.
    :param whole: the audit log's chain holds from its first line to its last.
    """

    journal: str
    source: str
    source_id: str
    destination: str
    account: Mapping[str, Any]
    as_of: str
    spec: str
    streams: tuple[StreamCount, ...]
    objects: tuple[ObjectCount, ...]
    schema_items: Mapping[str, int]
    verified: Mapping[str, Any] | None
    rejections: Sequence[tuple[str, str, str, str, int, str]]
    skips: Sequence[tuple[str, str, int]]
    compromises: tuple[str, ...]
    conflicts: tuple[Conflict, ...]
    refused: Sequence[tuple[str, str, int]]
    undone: Mapping[str, Mapping[str, int]]
    upkeep: tuple[UpkeepCount, ...]
    by_hand: tuple[Inventory, ...]
    sign: tuple[Reconciled, ...]
    runs: tuple[RunRow, ...]
    days: tuple[Day, ...]
    approvals: tuple[Approved, ...]
    audit: Head
    whole: bool
    purged: str = ""

    def total(self, name: str) -> int:
        """Return one count over all objects."""
        return sum(getattr(one, name) or 0 for one in self.objects)

    def part(self, name: str) -> int:
        """Return how many source records are in one place."""
        return sum(one.parts.get(name, 0) for one in self.streams)

    @property
    def read(self) -> int:
        """Return how many source records were read."""
        return sum(one.read for one in self.streams)

    @property
    def open_conflicts(self) -> int:
        """Return of how many records nobody decided yet what holds."""
        standing = {one.name for one in self.conflicts if one.state == "open" and not one.key.startswith(SCHEMA_KEY)}
        return len(standing) or sum(count for _, _, count in self.refused)

    @property
    def taken_back(self) -> int:
        """Return how many writes were taken back."""
        return sum(states.get("done", 0) for states in self.undone.values())

    @property
    def tokens(self) -> int:
        """Return what all runs spent."""
        return sum(run.tokens for run in self.runs)

    @property
    def as_planned(self) -> tuple[RunRow, ...]:
        """Return the runs that came to the end of what they had planned: what they spent can be held against it."""
        return tuple(run for run in self.runs if run.predicted is not None and run.status in ENDED)

    @property
    def predicted(self) -> int | None:
        """Return what the runs `as_planned` were expected to spend together; None when there is none."""
        return sum(run.predicted or 0 for run in self.as_planned) if self.as_planned else None

    @property
    def unknown_spent(self) -> int:
        """Return how many runs were killed, or are under way: nobody knows what these spent."""
        return sum(run.finished_at is None for run in self.runs)

    @property
    def spent_words(self) -> str:
        """Return what all runs spent, beside what was predicted of those that did all they had planned."""
        words = f"{self.tokens:,} tokens spent"
        spent = sum(run.tokens for run in self.as_planned)
        if self.predicted is not None and spent == self.tokens:
            words += f", {self.predicted:,} predicted"
        elif self.predicted is not None:
            words += f", {spent:,} of them by runs that did all they had planned, {self.predicted:,} predicted"
        if self.unknown_spent:
            words += f"; not counted: {self.unknown_spent} that did not end"
        return words

    @property
    def confidential(self) -> bool:
        """Tell whether the page shows amounts of single people."""
        return any(one.people for one in self.sign)

    @property
    def status(self) -> str:
        """Return in one word how complete it is."""
        if not self.runs or not self.total("held"):
            return "rolled_back" if self.undone else "nothing_written"
        if self.total("mismatched") or not self.whole:
            return "mismatched"
        if self.runs[-1].status.startswith("undone") and self.total("held") <= self.taken_back:
            return "rolled_back"
        if self.part("pending") or self.part("in_doubt") or self.total("missing"):
            return "incomplete"
        if self.open_conflicts or self.part("rejected") or self.part("blocked") or self.part("conflict"):
            return "done_with_others"
        return "done"

    def as_json(self) -> dict[str, JSON]:
        """Return the whole report without an amount or any other value of a record."""
        return {
            "format": FORMAT, "status": self.status, "journal": self.journal, "source": self.source,
            "source_id": self.source_id, "destination": self.destination, "account": dict(self.account),
            "as_of": self.as_of, "spec": self.spec, "purged": self.purged,
            "streams": {one.stream: {"read": one.read, **one.parts} for one in self.streams},
            "objects": {one.object: {"source": one.wanted, "destination": one.held, "missing": one.missing,
                                     "adopted": one.adopted, "checked": one.checked, "mismatched": one.mismatched,
                                     "drifted": one.drifted} for one in self.objects},
            "schema_items": dict(self.schema_items), "verified": dict(self.verified) if self.verified else None,
            "rejections": [{"stream": s, "code": code, "reason": reason, "hint": hint, "count": n, "example": id_}
                           for s, code, reason, hint, n, id_ in self.rejections],
            "skipped": [{"stream": s, "rule": rule, "count": n} for s, rule, n in self.skips],
            "compromises": list(self.compromises),
            "conflicts": [asdict(one) for one in self.conflicts],
            "refused": [{"object": o, "code": code, "count": n} for o, code, n in self.refused],
            "undone": {name: dict(states) for name, states in self.undone.items()},
            "upkeep": [{**asdict(one), "fields": dict(one.fields)} for one in self.upkeep],
            "by_hand": [{"title": one.title, "why": one.why, "known": one.known, "items": len(one.items)}
                        for one in self.by_hand],
            "sign": [one.as_json() for one in self.sign],
            "runs": [asdict(run) for run in self.runs], "days": [asdict(day) for day in self.days],
            "tokens": {"spent": self.tokens, "predicted": self.predicted,
                       "spent_as_planned": sum(run.tokens for run in self.as_planned),
                       "runs_not_counted": self.unknown_spent},
            "approvals": [asdict(one) for one in self.approvals],
            "audit": {**self.audit.as_json(), "whole": self.whole},
        }  # fmt: skip


def gather_report(journal: Journal) -> FinalReport:
    """Return what the journal knows of its migration; asks neither account nor export."""
    runs, history = journal.runs, journal.history
    latest, spec = journal.staging.latest(), journal.approvals.last_spec()
    asked, objects, overflow = outline(spec[1]) if spec else (Reporting(), {}, "")
    map_basis = history.last_basis("map")
    account = {"id": runs.meta("account") or "", **(history.last_basis("full").get("account") or {})}
    verified, purged = last_verified(journal), runs.meta(PURGED) or ""
    conflicts = tuple(journal.conflicts.standing(*ABOUT))
    folded = {key for key, own in journal.records.schema_decision().items() if not own}
    return FinalReport(
        journal=str(journal.path),
        source=runs.meta("source") or "",
        source_id=runs.meta("source id") or "",
        destination=runs.meta("destination") or "",
        account=account,
        as_of=(latest.as_of or "") if latest else "",
        spec=spec[0] if spec else "",
        streams=_streams(journal),
        objects=_objects(journal, verified),
        schema_items=history.schema_items(),
        verified=verified,
        rejections=journal.buckets.rejections(),
        skips=journal.buckets.skips(""),
        compromises=tuple(map_basis.get("compromises") or ()),
        conflicts=conflicts,
        refused=history.refused(),
        undone=history.undone(),
        upkeep=tuple(_upkeep(journal, one, objects, folded, overflow) for one in asked.upkeep),
        by_hand=tuple(
            Inventory(one.title, one.why, *_inventory(journal, one.stream, one.field)) for one in asked.by_hand
        ),
        sign=() if purged else tuple(reconcile_amounts(journal, one, _changed(verified)) for one in asked.sign),
        runs=tuple(history.runs()),
        days=tuple(history.days()),
        approvals=tuple(history.approved()),
        audit=journal.audit.head(),
        whole=journal.audit.broken_at() is None,
        purged=purged,
    )


def last_verified(journal: Journal) -> dict[str, Any] | None:
    """Return what reading back came to last; None when there was none, or something was written since."""
    found: dict[str, Any] | None = json.loads(journal.runs.meta(VERIFIED) or "null")
    written = journal.operations.last_settled_at()
    return None if found is None or (written is not None and written > found["at"]) else found


def _changed(verified: Mapping[str, Any] | None) -> set[tuple[str, str, str]]:
    """Return (object, key, field) of what reading back found to be otherwise; the field is "" for a whole record."""
    told = (verified or {}).get("differences") or ()
    return {(object_, key, name) for object_, key, _, _, *fields in told for name in fields or [""]}


def _streams(journal: Journal) -> tuple[StreamCount, ...]:
    """Return where source records are; which run brought them there does not matter any more."""
    found = []
    for stream, counts in journal.buckets.streams("").items():
        parts = {
            "in_destination": sum(counts[name] for name in SETTLED),
            **{name: counts[name] for name in ("folded", "skipped", *LEFT)},
        }
        found.append(StreamCount(stream, counts["read"], parts))
    return tuple(found)


def _objects(journal: Journal, verified: Mapping[str, Any] | None) -> tuple[ObjectCount, ...]:
    read_back = (verified or {}).get("objects") or {}
    rows = []
    for row in journal.history.objects():
        seen = read_back.get(row.object) or {}
        checked = seen.get("checked") if verified else None
        rows.append(
            ObjectCount(row.object, row.wanted, row.held, row.adopted, checked if checked is not None else None,
                        seen.get("mismatched", 0), seen.get("drifted", 0))
        )  # fmt: skip
    return tuple(one for one in rows if one.wanted or one.held)


def _upkeep(journal: Journal, wish: Upkeep, objects: Mapping[str, str], folded: set[str], overflow: str) -> UpkeepCount:
    object_ = objects.get(wish.entry, "")
    records, fields = journal.history.filled(wish.entry, wish.fields)
    gone = tuple(name for name in wish.fields if f"field/{object_}/{name}" in folded)
    kept = {name: count for name, count in fields.items() if name not in gone}
    return UpkeepCount(wish.title, wish.why, object_, records, kept, gone, overflow if gone else "")


def _inventory(journal: Journal, stream: str, field: str) -> tuple[tuple[tuple[str, int], ...], bool]:
    """Return what the source has of something, the most frequent first, and whether it has a list of it at all."""
    if not stream or stream not in journal.staging.streams():
        return (), False
    found = [(value, n) for value, n in journal.looking.tally(stream, field, 1, 0).items() if value]
    return tuple(sorted(found, key=lambda one: (-one[1], one[0]))), True


def conflict_words(one: Conflict) -> str:
    """Return what a conflict is about, for a person: key and field, never a value."""
    what = f"field {one.field.removeprefix('@')}" if one.field else "the whole record"
    return f"{one.object} {full_key(one.key, one.part)}: {what}"
