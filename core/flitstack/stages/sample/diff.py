"""The field-level diff: per field what the source says, what the map does with it, and what was read back."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import islice
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from flitstack.protocols import full_key
from flitstack.stages.intake.scope import as_of
from flitstack.stages.sample.checks import Flag, Frame, check_all
from flitstack.stages.sample.checks.dates import moment_of
from flitstack.stages.sample.kinds import kind_of, lined_up, shown
from flitstack.stages.sample.observed import Beside, Observed
from flitstack.stages.sample.traits import traits
from flitstack.stages.writing.targets import Targets

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from flitstack.journal import DesiredRow, Link
    from flitstack.mapping import Entry, Spec
    from flitstack.protocols import JSON, Account, Schema, Stored
    from flitstack.stages.context import RunContext

KEPT = 3000
"""Of one entry at most this many records are kept for the checks and the rows; all are compared."""
OF_THE_EXPORT = 300
TELLING = 6
ZONE = "time_zone"
NAMING = ("name", "title", "subject", "due_date", "due_time", "phones", "emails")


@dataclass(frozen=True, slots=True)
class Line:
    """One row of the diff: a field of one record.

    :param sources: (column, value) of what it comes from. :param why: what makes it telling, in words.
    """

    key: str
    sources: tuple[tuple[str, str], ...]
    wanted: str
    held: str
    equal: bool
    kind: str
    why: str


@dataclass(frozen=True, slots=True)
class FieldDiff:
    """One field of one entry.

    :param expression: the transformation, as the map states it; `columns` those of the source that it names.
    :param compared: records; `equal` of them were read back as the map made them.
    :param kinds: how the destination's value relates to the source's, in words, to count.
    """

    entry: str
    object: str
    field: str
    expression: str
    columns: tuple[str, ...]
    compared: int
    equal: int
    filled: int
    kinds: Mapping[str, int]
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Person:
    """One record of the main stream as people will see it in the account.

    :param hanging: entry to what hangs on it, each as (name, value) of its fields, at most a few; `counts` has all.
    """

    title: str
    fields: tuple[tuple[str, str], ...]
    hanging: Mapping[str, tuple[tuple[tuple[str, str], ...], ...]]
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Diff:
    """The whole of it.

    :param records: compared; `fields` of them, `equal` of these read back as wanted.
    """

    flags: tuple[Flag, ...]
    fields: tuple[FieldDiff, ...]
    records: int
    compared: int
    equal: int
    people: tuple[Person, ...] = ()

    def of(self, entry: str, name: str) -> FieldDiff | None:
        """Return one field's diff."""
        return next((each for each in self.fields if (each.entry, each.field) == (entry, name)), None)


@dataclass(slots=True)
class _Kept:
    """What is kept of one entry."""

    observed: list[Observed] = field(default_factory=list)
    compared: dict[str, list[int]] = field(default_factory=dict)
    records: int = 0


class DiffMaker:
    """Takes each record as it is read back, and makes the diff of them.

    :param main: the source's main stream.
    """

    def __init__(self, ctx: RunContext, spec: Spec, schemas: Mapping[str, Schema], account: Account, main: str) -> None:
        self._ctx, self._spec, self._main = ctx, spec, main
        self._entries = {entry.name: entry for entry in spec.entries}
        self._beside = Beside(ctx.journal, spec, schemas)
        self._schemas, self._account = schemas, account
        self._labels = {(item.of, item.name): str(item.settings.get("label") or item.name) for item in spec.schema}
        self._targets = Targets(ctx)
        self._kept: dict[str, _Kept] = {}
        self._frames: dict[str, Frame] = {}

    def see(self, link: Link, stored: Stored) -> None:
        """Take a record that was read back; one that is not in the sample is left alone."""
        if not self._ctx.journal.sampling.is_sampled(link.object, link.key, link.part):
            return
        desired = self._ctx.journal.records.get(link.object, link.key, link.part)
        if desired is not None:
            self._note(desired, stored, frozenset(link.wanted.get("kept", ())))

    def _note(self, desired: DesiredRow, stored: Stored, aside: frozenset[str]) -> None:
        kept = self._kept.setdefault(desired.entry, _Kept())
        kept.records += 1
        observed = self._observe(desired, stored)
        if aside:  # the account had the record before, and keeps what these hold: nothing was written there
            observed = observed.without(aside)
        for name in observed.wanted:
            counts = kept.compared.setdefault(name, [0, 0])
            counts[0] += 1
            counts[1] += name not in observed.differing
        if len(kept.observed) < KEPT:
            kept.observed.append(observed)

    def _observe(self, desired: DesiredRow, stored: Stored | None) -> Observed:
        made_of = self._ctx.journal.records.contributors(desired.object, desired.key, desired.part)
        main, folded, beside = self._beside.rows(desired.entry, made_of)
        held: Mapping[str, JSON] = desired.fields
        differing: frozenset[str] = frozenset()
        ids = {name: self._targets.id(link) for name, link in desired.links.items()}
        if stored is not None:
            wanted = self._ctx.writer.comparable(desired.object, desired.fields)
            found = self._ctx.writer.comparable(desired.object, stored.fields)
            differing = frozenset(name for name, value in wanted.items() if found.get(name) != value)
            held = {
                name: value if name not in differing and not isinstance(value, str) else stored.fields.get(name)
                for name, value in desired.fields.items()
            }
            ids = {name: stored.links.get(name) or led for name, led in ids.items()}
        return Observed(
            desired.entry, desired.object, desired.key, desired.part, held, desired.fields,
            {name: (link.object, link.key) for name, link in desired.links.items()},
            {name: led for name, led in ids.items() if led}, differing, main, folded, beside,
        )  # fmt: skip

    def make(self) -> Diff:
        """Return the diff of all that was seen."""
        flags: list[Flag] = []
        fields: list[FieldDiff] = []
        for name, kept in self._kept.items():
            if name not in self._entries:
                continue
            flags += self._checked(name, kept.observed)
            fields += self._fields(self._entries[name], kept)
        flags += self._of_the_export({(flag.code, flag.entry, flag.field) for flag in flags})
        pairs = [(c[0], c[1]) for kept in self._kept.values() for c in kept.compared.values()]
        return Diff(
            tuple(flags), tuple(fields), sum(kept.records for kept in self._kept.values()),
            sum(pair[0] for pair in pairs), sum(pair[1] for pair in pairs), tuple(self._people()),
        )  # fmt: skip

    def _checked(self, entry: str, observed: Sequence[Observed]) -> Iterator[Flag]:
        frame = self._frame(self._entries[entry])
        for name in {n: None for each in observed for n in each.differing}:
            keys = [each.key for each in observed if name in each.differing]
            text = "The account holds something else than what was written."
            yield Flag("stored_otherwise", entry, name, text, len(keys), len(observed), tuple(keys[:5]))
        yield from check_all(observed, frame)

    def _of_the_export(self, known: set[tuple[str, str, str]]) -> Iterator[Flag]:
        """Check desired records of the whole export too, spread evenly; yield what the sample did not show."""
        totals = self._ctx.journal.records.entry_counts()
        for entry in self._spec.entries:
            step = max(1, totals.get(entry.name, 0) // OF_THE_EXPORT)
            rows = islice(self._ctx.journal.records.of_entry(entry.name), 0, None, step)
            observed = [self._observe(desired, None) for desired in rows]
            for flag in self._checked(entry.name, observed):
                if (flag.code, flag.entry, flag.field) not in known:
                    yield replace(flag, whole_export=True)

    def _frame(self, entry: Entry) -> Frame:
        """Return what an entry's records stand in, worked out once."""
        if entry.name not in self._frames:
            self._frames[entry.name] = self._new_frame(entry)
        return self._frames[entry.name]

    def _new_frame(self, entry: Entry) -> Frame:
        facts = self._account.facts
        zone = self._stated_zone() or str(facts.get(ZONE) or self._spec.time_zone or "UTC")
        key = self._ctx.key_field(entry.object)
        return Frame(
            entry=entry.name,
            stream=entry.stream,
            is_main=entry.stream == self._main,
            lineage={name: lineage.columns for name, lineage in entry.lineage.items()},
            references=self._beside.references,
            owners=self._ctx.owners,
            owner_streams=frozenset(source.stream for source in self._spec.owners),
            user=self._ctx.behaviours.user,
            keys=frozenset((key,) if key else ()),
            as_of=as_of(self._ctx, self._spec),
            zone=ZoneInfo(zone),
            shown=ZoneInfo(str(facts.get("activity_zone") or "UTC")),
            source_id=self._ctx.source_id,
            fallback=self._ctx.fallback_user,
        )

    def _stated_zone(self) -> str | None:
        """Return the one time zone that the export itself states, if it states one."""
        staging = self._ctx.journal.staging
        zones = {
            value
            for stream, schema in self._schemas.items()
            if ZONE in schema.get("properties", {})
            for value in staging.distinct(stream, ZONE)
        }
        return zones.pop() if len(zones) == 1 else None

    # --- rows and kinds ---

    def _fields(self, entry: Entry, kept: _Kept) -> Iterator[FieldDiff]:
        names = {name: None for each in kept.observed for name in (*each.wanted, *each.links)}
        values = [each.columns() for each in kept.observed]
        for name in names:
            lineage = entry.lineage.get(name)
            if lineage is None:
                continue
            kinds: dict[str, int] = {}
            lines: list[Line] = []
            filled = 0
            for each, columns in zip(kept.observed, values, strict=True):
                line = self._line(each, name, lined_up(each, name, lineage.columns, columns))
                kinds[line.kind] = kinds.get(line.kind, 0) + 1
                filled += bool(line.held)
                lines.append(line)
            compared, equal = kept.compared.get(name, (len(lines), len(lines)))
            yield FieldDiff(
                entry.name, entry.object, name, lineage.expression, lineage.columns, compared, equal, filled,
                dict(sorted(kinds.items(), key=lambda item: -item[1])), tuple(_telling(lines)),
            )  # fmt: skip

    def _line(self, each: Observed, name: str, sources: tuple[tuple[str, str], ...]) -> Line:
        if name in each.links:
            object_, key = each.links[name]
            wanted = held = key.removeprefix("schema:") or "nobody the source names"
            if object_ == self._ctx.behaviours.user:
                held = f"user {each.led.get(name, 'none')}"
        else:
            wanted, held = shown(each.wanted.get(name)), shown(each.held.get(name)) + self._on_the_clock(each, name)
        why = next((trait for _, value in sources for trait in traits(value)), "") or next(iter(traits(held)), "")
        kind = "stored otherwise" if name in each.differing else kind_of(each, name, sources)
        return Line(full_key(each.key, each.part), sources, wanted, held, name not in each.differing, kind, why)

    def _on_the_clock(self, each: Observed, name: str) -> str:
        """Return what the business's clock shows when a due time is due; "" for any other field."""
        day = f"{name.removesuffix('time')}date"
        if not name.endswith("time") or not each.held.get(name) or not each.held.get(day):
            return ""
        frame = self._frame(self._entries[each.entry])
        moment = moment_of(each, day, frame)
        return f" ({moment:%H:%M} in {frame.zone.key})" if moment else ""

    # --- people as the front desk will see them ---

    def _people(self) -> Iterator[Person]:
        """Yield five: those on whom most hangs, least, and in between."""
        roots = [
            each
            for kept in self._kept.values()
            for each in kept.observed
            if each.main and each.main[0].stream == self._main and not self._leads_up(each)
        ]
        hanging: dict[str, list[Observed]] = {each.key: [] for each in roots}
        for kept in self._kept.values():
            for each in kept.observed:
                for name, (_, key) in each.links.items():
                    if key in hanging and key != each.key and self._is_required(each, name):
                        hanging[key].append(each)
        ordered = sorted(roots, key=lambda each: (-len(hanging[each.key]), each.key))
        places = sorted({0, 1, len(ordered) // 4, len(ordered) // 2, len(ordered) - 1}) if ordered else []
        for each in (ordered[place] for place in places if 0 <= place < len(ordered)):
            yield self._person(each, hanging[each.key])

    def _leads_up(self, each: Observed) -> bool:
        return any(self._is_required(each, name) for name in each.links)

    def _is_required(self, each: Observed, name: str) -> bool:
        rules = self._entries[each.entry].links if each.entry in self._entries else ()
        return any(rule.field == name and any(target.required for target in rule.targets) for rule in rules)

    def _person(self, each: Observed, hanging: Sequence[Observed]) -> Person:
        by_entry: dict[str, list[tuple[tuple[str, str], ...]]] = {}
        for other in sorted(hanging, key=lambda o: str(o.held.get("due_date") or ""), reverse=True):
            by_entry.setdefault(other.entry, []).append(self._fields_shown(other))
        return Person(
            shown(each.there("name")) or each.key,
            self._fields_shown(each),
            {entry: tuple(found[:TELLING]) for entry, found in by_entry.items()},
            {entry: len(found) for entry, found in by_entry.items()},
        )

    def _fields_shown(self, each: Observed) -> tuple[tuple[str, str], ...]:
        of = self._entries[each.entry].fields_of
        fields = [
            (self._labels.get((of, name), name.replace("_", " ")), shown(value) + self._on_the_clock(each, name))
            for name, value in sorted({**each.held, **each.kept}.items(), key=lambda item: item[0] not in NAMING)
        ]
        words = [
            (name.removesuffix("_id"), key.rpartition("/")[2])
            for name, (_, key) in each.links.items()
            if key.startswith("schema:")
        ]
        return tuple((name, text) for name, text in (*words, *fields) if text)


def _telling(lines: Sequence[Line]) -> Iterator[Line]:
    """Yield the rows that tell most: what differs, then one of each kind and trait, then what has something at all."""
    taken: set[tuple[str, str]] = set()
    order = sorted(range(len(lines)), key=lambda at: (lines[at].equal, not lines[at].held, not lines[at].sources))
    count = 0
    for at in order:
        line = lines[at]
        if count < TELLING and (line.kind, line.why) not in taken and (line.held or line.sources):
            taken.add((line.kind, line.why))
            count += 1
            yield line
    for at in order if count < 2 else ():
        if count < 2 and lines[at].held and (lines[at].kind, lines[at].why) in taken and at != order[0]:
            count += 1
            yield lines[at]
