"""Explain: one record's whole life, from file and line to receipts, conflicts and undo, from the journal alone."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from flitstack.errors import UsageError
from flitstack.journal import BESIDE, PURGED, UNREAD, Sent
from flitstack.protocols import full_key, source_key, split_source_key
from flitstack.stages.writing.schema import SCHEMA_KEY

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from flitstack.journal import Conflict, DesiredRow, Journal, Place
    from flitstack.protocols import JSON

MAIN = "main"
MOST_MEMBERS = 20
HAPPENED = {
    "planned": "waits to be sent",
    "blocked": "waits for a record that it needs",
    "intended": "was sent; its answer is not known yet",
    "done": "was done",
    "rejected": "was refused by the destination",
    "in_doubt": "was sent, and it is not known whether it was done",
    "conflict": "was not sent: somebody changed the record",
    "superseded": "was withdrawn before it was sent",
}
ROLES = {MAIN: "made from it", "grouped": "made from it and others", "folded": "folded into it"}


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened, or is so.

    :param at: ISO time; "" for what has none of its own. :param kind: a stable word, for machines.
    :param text: one line without any value. :param details: more of them, below it.
    :param values: name to value, shown on request alone.
    """

    at: str
    kind: str
    text: str
    details: tuple[str, ...] = ()
    values: Mapping[str, JSON] = field(default_factory=dict)

    def as_json(self, *, values: bool) -> dict[str, JSON]:
        """Return what `--json` prints of it."""
        told: dict[str, JSON] = {"at": self.at, "kind": self.kind, "text": self.text, "details": list(self.details)}
        return told | ({"values": dict(self.values)} if values and self.values else {})


@dataclass(frozen=True, slots=True)
class Made:
    """One record of the destination, and what happened to it, the oldest first.

    :param role: how the source record that is explained went into it, in words; "" when the record itself is.
    """

    object: str
    key: str
    part: str
    role: str
    events: tuple[Event, ...]


@dataclass(frozen=True, slots=True)
class Life:
    """All that is known of a record: as a row of the source, and as records of the destination."""

    key: str
    source: tuple[Event, ...]
    made: tuple[Made, ...]

    def as_json(self, *, values: bool) -> dict[str, JSON]:
        """Return what `--json` prints."""
        return {
            "key": self.key,
            "source": [event.as_json(values=values) for event in self.source],
            "made": [
                {"object": one.object, "key": one.key, "part": one.part, "role": one.role,
                 "events": [event.as_json(values=values) for event in one.events]}
                for one in self.made
            ],
        }  # fmt: skip


def explain(journal: Journal, asked: str) -> Life:
    """Return the life of a record.

    :param asked: a source key (with or without its first part), or `OBJECT:ID` of the destination.
    :raises UsageError: nobody knows it; the message proposes the nearest keys.
    """
    teller = _Teller(journal)
    found = teller.find(asked.strip())
    if found is None:
        raise UsageError(f"{asked}: no record of this journal. {_proposed(teller.like(asked.strip()))}")
    return found


def _proposed(keys: list[str]) -> str:
    told = "Write SOURCE:STREAM:ID as a report prints it, STREAM:ID, or OBJECT:ID of the destination."
    return f"Did you mean {', '.join(keys)}?" if keys else told


class _Teller:
    """Tells lives from one journal."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._lives = journal.lives
        self._source_id = journal.runs.meta("source id") or ""
        self._streams = frozenset(journal.staging.streams())
        self._runs = self._lives.runs_at()
        self._spec, self._mapped_at = self._lives.last_spec() or ("", "")
        self._purged = journal.runs.meta(PURGED) is not None
        self._lineages: dict[str, Mapping[str, Mapping[str, Mapping[str, Any]]]] = {}

    # --- finding ---

    def find(self, asked: str) -> Life | None:
        """Return the life of what is meant, None when nothing is known of it."""
        if asked.startswith(SCHEMA_KEY):
            return self._of_names(asked, self._lives.named(asked))
        for stream, record_id, part in self._as_source(asked):
            life = self._of_source(stream, record_id, part)
            if life is not None:
                return life
        object_, _, destination_id = asked.partition(":")
        name = self._lives.at_destination(object_, destination_id) if destination_id else None
        return self._of_names(full_key(name[1], name[2]), [name]) if name else None

    def _as_source(self, asked: str) -> Iterator[tuple[str, str, str]]:
        """Yield the (stream, id, part) that may be meant, the likeliest first."""
        if asked.count(":") >= 2:
            try:
                source_id, stream, record_id, part = split_source_key(asked)
            except ValueError:
                return
            if source_id == self._source_id:
                yield stream, record_id, part
        stream, _, record_id = asked.partition(":")
        if record_id:
            yield stream, record_id, ""

    def like(self, asked: str) -> list[str]:
        """Return keys most like one that nobody knows."""
        for stream, record_id, _ in self._as_source(asked):
            if stream in self._streams:
                return [source_key(self._source_id, stream, one) for one in self._lives.nearest(stream, record_id)]
        object_, _, destination_id = asked.partition(":")
        return [f"{object_}:{one}" for one in self._lives.nearest(object_, destination_id)] if destination_id else []

    # --- lives ---

    def _of_source(self, stream: str, record_id: str, part: str) -> Life | None:
        key = source_key(self._source_id, stream, record_id)
        made = {(o, k, p): ROLES.get(role, role) for o, k, p, role in reversed(self._lives.made_of(stream, record_id))}
        for name in self._lives.named(key):
            made.setdefault(name, "")
        if part:
            made = {name: role for name, role in made.items() if name[1:] == (key, part)}
        source = tuple(self._source_events(stream, record_id, key))
        if not source and not made:
            return None
        ordered = sorted(made, key=lambda name: (name[1] != key, name))
        return Life(full_key(key, part), source, tuple(self._made(name, made[name]) for name in ordered))

    def _of_names(self, key: str, names: list[tuple[str, str, str]]) -> Life | None:
        if not names:
            return None
        events: list[Event] = []
        if not key.startswith(SCHEMA_KEY):
            _, stream, record_id, _ = split_source_key(names[0][1])
            events = list(self._source_events(stream, record_id, names[0][1]))
        return Life(key, tuple(events), tuple(self._made(name, "") for name in names))

    def _source_events(self, stream: str, record_id: str, key: str) -> Iterator[Event]:
        lives = self._lives
        row = lives.staged(stream, record_id)
        at = row.read_at if row else ""
        if row is not None:
            where = f"{row.file} line {row.line}" if row.file else "the source"
            as_of = f", an export as of {row.as_of[:10]}" if row.as_of else ""
            state = {"ok": "read", "rejected": "read, and rejected", "skipped": "read, and left out"}[row.state]
            names = (f"columns: {', '.join(row.data)}",) if row.data else ()
            yield Event(at, "staged", f"{where}: {state}{as_of} (run {row.run})", names, dict(row.data))
        for finding in lives.findings(stream, record_id, key):
            yield Event(at, "finding", f"{finding.severity} {finding.code}: {finding.message}")
        for stage, code, reason, hint, column in lives.rejections(stream, record_id):
            place = f'column "{column}": ' if column else ""
            told = "while reading" if stage == "stage" else "by the map"
            yield Event(at, "rejection", f"rejected {told}, {code}: {place}{reason}", (hint,))
        for _, rule, bucket in lives.left_out(stream, record_id):
            word = "left out" if bucket == "skipped" else "kept waiting"
            yield Event(at, "rule", f"{word} by the rule {rule}")
        for about, decision, other in lives.decisions(stream, record_id):
            told = f", {about} {other}" if other else f", about {about}"
            yield Event("", "decision", f"a person decided: {decision}{told}")
        owner = lives.owner(stream, record_id)
        if owner is not None:
            whom = f"user {owner[0]} stands for them" if owner[0] else "no user stands for them"
            yield Event("", "owner", f"may own records: {whom} ({owner[1]})")
        if lives.was_looked_up(stream, record_id):
            yield Event("", "used", "looked up by other records' expressions")

    def _made(self, name: tuple[str, str, str], role: str) -> Made:
        operations = self._lives.operations(*name)
        desired, place = self._lives.desired(*name), self._lives.place(*name)
        events = [self._wanted(desired)] if desired is not None else []
        events += [event for sent in operations for event in self._operation(sent)]
        events += [_conflict(one) for one in self._journal.conflicts.of_record(*name)]
        events.sort(key=lambda event: event.at)
        lines = {seq: event for seq, _, event in self._lives.audit(name[1]) if event.get("object") == name[0]
                 and event.get("part", name[2]) == name[2]}  # fmt: skip
        if lines:
            events.append(Event("", "audit", f"lines of the audit log: {', '.join(map(str, lines))}"))
        if place is not None:
            events.append(_receipt(place, purged=self._purged))
        return Made(*name, role, tuple(events))

    def _wanted(self, desired: DesiredRow) -> Event:
        """Return what the map makes of it now: entry, expressions, links, and who contributed."""
        made_of = self._journal.records.contributors(desired.object, desired.key, desired.part)
        told = list(self._members(made_of))
        lineage = self._lineage(self._spec).get(desired.entry, {})
        told += [_field(name, lineage) for name in desired.fields]
        told += [f"link {name} to {link.object} {full_key(link.key, link.part) or 'nobody'}"
                 for name, link in desired.links.items()]  # fmt: skip
        may = f"; it is not written: {desired.verdict}" if desired.verdict else ""
        text = f"the map makes it, by the entry {desired.entry}{may}"
        return Event(self._mapped_at, "mapped", text, tuple(told), dict(desired.fields))

    def _members(self, made_of: Sequence[tuple[str, str, str]]) -> Iterator[str]:
        """Yield who contributed, a line a stream, the main one first; of very many of one only the first are named."""
        groups: dict[tuple[str, str], list[str]] = {}
        for stream, id_, role in sorted(made_of, key=lambda one: one[2] != MAIN):
            groups.setdefault((stream, role), []).append(id_)
        for (stream, role), ids in groups.items():
            more = f" and {len(ids) - MOST_MEMBERS:,} more" if len(ids) > MOST_MEMBERS else ""
            named = [source_key(self._source_id, stream, ids[0]), *ids[1:MOST_MEMBERS]]
            yield f"from {', '.join(named)}{more} ({role})"

    def _operation(self, sent: Sent) -> Iterator[Event]:
        row = sent.row
        lineage = self._lineage(sent.spec).get(row.entry, {})
        named = [_field(name, lineage) for name in (*row.fields, *row.links)] if row.verb == "update" else []
        undo = f", takes back operation {row.inverse_of}" if row.inverse_of is not None else ""
        planned = self._runs.get(sent.run, "")
        what = f"{row.verb} planned (operation {row.id}, run {sent.run}{undo})"
        before = {f"{name}, before": value for name, value in (sent.before or {}).items()}
        yield Event(planned, "undo" if undo else "planned", what, tuple(named), {**row.fields, **before})
        if row.intended_at:
            yield Event(row.intended_at, "intended", f"{row.verb} sent (operation {row.id}, run {sent.sent_run})")
        if row.settled_at or row.state == "superseded":
            code = f": {row.code}" if row.code else ""
            where = f", as {row.object} {row.destination_id}" if row.destination_id else ""
            words = f"{row.verb} {HAPPENED[row.state]}{code}{where} (operation {row.id})"
            yield Event(row.settled_at or planned, row.state, words, (sent.message,) if sent.message else ())

    def _lineage(self, spec: str) -> Mapping[str, Mapping[str, Mapping[str, Any]]]:
        if spec not in self._lineages:
            self._lineages[spec] = self._lives.lineage(spec) if spec else {}
        return self._lineages[spec]


def _field(name: str, lineage: Mapping[str, Mapping[str, Any]]) -> str:
    """Return where a field comes from: its expression and the source columns."""
    known = lineage.get(name)
    if known is None:
        return f"field {name}"
    columns = f", reads {', '.join(known['columns'])}" if known["columns"] else ""
    return f"field {name} = {' '.join(str(known['expression']).split())}{columns}"


def _conflict(one: Conflict) -> Event:
    what = f"changed field {one.field.removeprefix('@')} in the account"
    if not one.field:
        what = "deleted or archived the record in the account, or hung something on it"
    if one.about == "written":
        what = f"{one.field.removeprefix('@') or 'the record'} is not as written and never was seen to be; reading back"
        state = {"open": "nobody decided yet", "kept": "accepted as it is"}.get(one.state, "right by now")
        return Event(one.at, "conflict", f"{what} met it: {state} (run {one.run})")
    met = "a run" if one.about == "delta" else "taking back"
    how = {"open": "nobody decided yet", "kept": "stays as it is", "overwritten": "written over",
           "settled": "both sides agree again"}.get(one.state, one.state)  # fmt: skip
    return Event(one.at, "conflict", f"somebody {what}; {met} met it: {how} (run {one.run})")


def _receipt(place: Place, *, purged: bool) -> Event:
    """Return what the destination holds of it, as last read back.

    :param purged: values were taken out of the journal since.
    """
    after = {name: value for name, value in (place.after or {}).items() if name not in (UNREAD, BESIDE)}
    whose = "" if place.ours else ", which the account had before"
    read = f"read back: {len(after)} fields" if place.after is not None else "not read back yet"
    read = "its values were purged" if purged else read
    unread = (place.after or {}).get(UNREAD)
    late = (f"written since it was read back: {', '.join(map(str, unread))}",) if isinstance(unread, list) else ()
    fields = (f"fields: {', '.join(after)}",) if after else ()
    return Event("", "receipt", f"is {place.object} {place.destination_id}{whose}; {read}", (*fields, *late), after)
