"""Existing: people and organizations that the account has already, matched with those to be written.

They are listed once. Who certainly is one of them is adopted after approval: linked, and updated where a field is
empty; what holds something else stays. Everybody else is created or left out, as the operator or a decisions file says.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flitstack.errors import UsageError
from flitstack.journal import BESIDE, Adoption, dumps, link_json
from flitstack.matching import pair_up, people_of, people_streams, person_of_fields
from flitstack.protocols import Watched, source_key, split_source_key
from flitstack.stages.intake.decisions import DraftLine, write_draft
from flitstack.stages.publishing import REPORTS
from flitstack.stages.writing.answers import list_held
from flitstack.stages.writing.targets import Targets

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from flitstack.journal import DesiredRow
    from flitstack.matching import Pair, Person
    from flitstack.protocols import JSON, PeopleFields, Schema, Stored
    from flitstack.stages.context import RunContext

DIGITS = 9  # of a phone number, its country code aside
SETTLED = "existing settled"
"""Under this name the journal keeps who was created or left out when the load was last approved: key to word."""
SHOWN = "existing shown"
"""And under this what the gate showed, from an approved sample to the approval of the load that follows it."""


@dataclass(slots=True)
class Existing:
    """What was found of the account's own records.

    :param listed: per object, records of the account that are not ours.
    :param adopted, skipped, unsure: per object, how many desired records are.
    :param kept: (object, field) to how many adopted records hold something else in it, which stays.
    :param final: (object, field) to how many adopted records have it empty and keep it so, as no undo could empty it.
    :param lines: what a draft of a decisions file says.
    :param words: key of each match to what becomes of it; `fresh` tells whether nobody approved one of them before.
    :param settled: what was approved before, see `SETTLED`.
    """

    rule: str
    listed: Counter[str] = field(default_factory=Counter)
    adopted: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)
    unsure: Counter[str] = field(default_factory=Counter)
    kept: Counter[tuple[str, str]] = field(default_factory=Counter)
    final: Counter[tuple[str, str]] = field(default_factory=Counter)
    reasons: Counter[tuple[str, ...]] = field(default_factory=Counter)
    lines: list[DraftLine] = field(default_factory=list)
    watchers: Sequence[str] = ()
    draft: str = ""
    words: dict[str, str] = field(default_factory=dict)
    settled: Mapping[str, str] = field(default_factory=dict)

    @property
    def fresh(self) -> bool:
        """Tell whether a match is another than was approved before, or becomes something else now."""
        return any(self.settled.get(key) != word for key, word in self.words.items())

    @property
    def shown(self) -> bool:
        """Tell whether there is anything for a person to approve: matches, and the rule says to ask."""
        return self.rule == "ask" and (self.fresh or any(self.adopted.values()))

    @property
    def notes(self) -> tuple[str, ...]:
        """Return where the draft is: no part of what is approved, so that a journal may move."""
        return (f"The draft of a decisions file: {self.draft}",) if self.draft else ()


async def find_existing(ctx: RunContext, rule: str, schemas: Mapping[str, Schema]) -> Existing:
    """Match what is not written yet with what the account has, and propose what becomes of it.

    Adopted records are linked and those left out get their verdict at once, so that the plan sees them; what nobody
    approves is withdrawn by the next run.

    :param rule: one of `options.EXISTING`: what becomes of certain matches that no decision speaks of.
    :raises UsageError: a decision names a record that the account does not have.
    """
    ctx.journal.decisions.withdraw()
    existing = Existing(rule, settled=_settled(ctx))
    for object_, roles in ctx.behaviours.people.items():
        await _match(ctx, object_, roles, schemas, existing)
    if existing.lines and existing.fresh:
        existing.draft = _write(ctx, existing)
        if isinstance(ctx.writer, Watched):
            existing.watchers = await ctx.writer.watchers()
    return existing


async def _match(
    ctx: RunContext, object_: str, roles: PeopleFields, schemas: Mapping[str, Schema], existing: Existing
) -> None:
    wanted = {desired.key: desired for desired in _unwritten(ctx, object_)}
    decided = {key: decision for key in wanted if (decision := _decision(ctx, key)) is not None}
    if not wanted or (existing.rule == "create" and not any(word == "adopt" for word, _ in decided.values())):
        return
    taken = {link.destination_id for link in ctx.journal.records.links(object_)}
    theirs: dict[str, Stored] = {}
    async for stored in list_held(ctx, object_):
        ctx.stop.check()
        if stored.key is None and stored.id not in taken:
            theirs[stored.id] = stored
    existing.listed[object_] = len(theirs)
    if not theirs:
        return
    adopted: dict[str, str] = {}
    pairs = _pairs(ctx, wanted, theirs, roles, schemas) if existing.rule != "create" else []
    left_out: list[DesiredRow] = []
    for pair in pairs:
        word = decided.get(pair.ours, ("", ""))[0] or _as_settled(existing, pair) or _by_rule(existing.rule, pair)
        _note(existing, object_, pair, word, decided=pair.ours in decided)
        if word == "adopt":
            adopted[pair.ours] = pair.theirs
        elif word == "skip":
            left_out.append(wanted[pair.ours])
    adopted |= _as_decided(ctx, object_, decided, theirs)
    _refuse_doubles(adopted)
    targets = Targets(ctx)
    rows = [_adoption(ctx, wanted[key], theirs[id_], targets) for key, id_ in adopted.items()]
    existing.adopted[object_] = len(rows)
    for row in rows:
        existing.kept.update((object_, name) for name in _differing(ctx, wanted[row.key], theirs[row.destination_id]))
        existing.final.update((object_, name) for name in _cannot_empty(ctx, wanted[row.key], row.after))
    ctx.journal.decisions.propose(rows)
    _leave_out(ctx, left_out)


def _settled(ctx: RunContext) -> Mapping[str, str]:
    """Return what was approved before, of people; nothing once all of it was undone."""
    held = ctx.journal.records.link_objects()
    if not any(held.get(object_) for object_ in ctx.behaviours.people):
        return {}
    settled: dict[str, str] = json.loads(ctx.journal.runs.meta(SETTLED) or "{}")
    return settled


def _as_settled(existing: Existing, pair: Pair) -> str:
    """Return "create" of one that was approved so: it stays so, though it looks certain once its rivals are written."""
    return "create" if existing.settled.get(pair.ours) == "create" else ""


def _by_rule(rule: str, pair: Pair) -> str:
    """Return what becomes of a match that nobody decided on: only a certain one is adopted or left out."""
    if not pair.certain:
        return "create"
    return "skip" if rule == "skip" else "adopt"


def _unwritten(ctx: RunContext, object_: str) -> Iterator[DesiredRow]:
    """Yield desired records that are not in the destination and were never sent."""
    for desired in ctx.journal.rebuilding.missing(object_):
        last = ctx.journal.operations.last(object_, desired.key, desired.part)
        if not desired.part and (last is None or last.state not in ("intended", "in_doubt")):
            yield desired


def _decision(ctx: RunContext, key: str) -> tuple[str, str] | None:
    _, stream, record_id, _ = split_source_key(key)
    return ctx.decisions.of_account(stream, record_id)


def _as_decided(
    ctx: RunContext, object_: str, decided: Mapping[str, tuple[str, str]], theirs: Mapping[str, Stored]
) -> dict[str, str]:
    """Return key to id of what a person told to adopt."""
    told = {key: id_ for key, (word, id_) in decided.items() if word == "adopt"}
    for key, id_ in told.items():
        if id_ not in theirs:
            _, stream, record_id, _ = split_source_key(key)
            raise UsageError(
                f"decisions: {stream}:{record_id} is to adopt {object_} {id_}, which the account does not have, or "
                "which a migration wrote. Correct the id, or take the line out."
            )
    return told


def _refuse_doubles(adopted: Mapping[str, str]) -> None:
    """:raises UsageError: two records are to adopt the same one."""
    for id_, count in Counter(adopted.values()).items():
        if count > 1:
            keys = [key for key, other in adopted.items() if other == id_]
            names = " and ".join(":".join(split_source_key(key)[1:3]) for key in keys)
            raise UsageError(f"decisions: {names} are to adopt the same record, {id_}. Decide on one of them.")


def _pairs(
    ctx: RunContext,
    wanted: Mapping[str, DesiredRow],
    theirs: Mapping[str, Stored],
    roles: PeopleFields,
    schemas: Mapping[str, Schema],
) -> list[Pair]:
    ours = {key: _as_stored(desired, roles) for key, desired in wanted.items()}
    streams = {split_source_key(key)[1] for key in wanted}
    kind = "organization" if roles.is_organization else "person"
    for stream, holds in people_streams(schemas).items():
        if stream in streams and holds == kind:
            for person in people_of(stream, schemas, ctx.journal.staging.records):
                key = source_key(ctx.source_id, stream, person.id)
                if key in ours:
                    ours[key] = replace(person, id=key)
    others = [
        person_of_fields(stored.id, stored.fields, roles.fields, is_organization=roles.is_organization)
        for stored in theirs.values()
    ]
    return pair_up(ours.values(), others)


def _as_stored(desired: DesiredRow, roles: PeopleFields) -> Person:
    return person_of_fields(desired.key, desired.fields, roles.fields, is_organization=roles.is_organization)


def _note(existing: Existing, object_: str, pair: Pair, word: str, *, decided: bool) -> None:
    """Count a match and write its line of the draft; a person fills in the lines that are not certain."""
    _, stream, record_id, _ = split_source_key(pair.ours)
    proposed = "certain" if pair.certain else "not certain"
    line = word if pair.certain or decided else ""
    existing.words[pair.ours] = word
    existing.lines.append(DraftLine(line, f"{stream}:{record_id}", pair.theirs, proposed, pair.reasons))
    existing.skipped[object_] += word == "skip"
    existing.unsure[object_] += not pair.certain and not decided
    existing.reasons[(object_, *pair.reasons)] += not pair.certain and not decided


def _adoption(ctx: RunContext, desired: DesiredRow, stored: Stored, targets: Targets) -> Adoption:
    """Return what adopting means: what is equal counts as written, what is empty will be, what differs is kept."""
    held = ctx.writer.comparable(desired.object, stored.fields)
    expected = ctx.writer.comparable(desired.object, desired.fields)
    fields = {name: value for name, value in desired.fields.items() if held.get(name) == expected.get(name)}
    ends = {name: targets.id(link) for name, link in desired.links.items()}
    same = {n: link_json(desired.links[n]) for n, end in ends.items() if end and stored.links.get(n) == end}
    fixed = set(ctx.behaviours.objects[desired.object].settable_times)
    kept = [n for n in desired.fields if n not in fields and (held.get(n) is not None or n in fixed)]
    kept += [f"@{name}" for name in desired.links if name not in same and stored.links.get(name)]
    kept += _cannot_empty(ctx, desired, held)
    had = {name: stored.fields.get(name) for name in fields}
    wanted: dict[str, Any] = {"kept": sorted({*kept}), "fields": fields, "links": same, "had": had}
    users = {n: ends[n] for n in same if desired.links[n].object == ctx.behaviours.user}
    if users:
        wanted["users"] = users
    after: dict[str, JSON] = {name: held.get(name) for name in desired.fields}
    after |= {f"@{name}": stored.links.get(name) for name in desired.links}
    everything: dict[str, JSON] = {**held, **{f"@{name}": end for name, end in stored.links.items()}}
    after[BESIDE] = {name: value for name, value in everything.items() if name not in after and value}
    return Adoption(desired.object, desired.key, desired.part, stored.id, wanted, after)


def _cannot_empty(ctx: RunContext, desired: DesiredRow, held: Mapping[str, JSON]) -> list[str]:
    """Return the empty fields that an undo could not empty again: they stay so, unless the operator wants otherwise."""
    if ctx.allow_irreversible:
        return []
    final = ctx.behaviours.objects[desired.object].cannot_clear
    return [n for n in desired.fields if n in final and held.get(n) is None and desired.fields[n] not in (None, "", [])]


def _differing(ctx: RunContext, desired: DesiredRow, stored: Stored) -> list[str]:
    """Return the fields in which the account holds something else than is desired; times of creation aside."""
    held = ctx.writer.comparable(desired.object, stored.fields)
    fixed = ctx.behaviours.objects[desired.object].settable_times
    return [
        name
        for name, value in ctx.writer.comparable(desired.object, desired.fields).items()
        if name not in fixed and value is not None and held.get(name) is not None and not _covers(held[name], value)
    ]


def _covers(held: JSON, wanted: JSON) -> bool:
    """Tell whether a field holds all that is desired; of labelled values only the values count."""
    if isinstance(held, list) and isinstance(wanted, list):
        return _values(wanted) <= _values(held)
    return held == wanted


def _values(items: list[Any]) -> set[str]:
    """Return what labelled values say without their labels: the first of a row, or what stands under `value`."""
    plain = (
        item.get("value") if isinstance(item, dict) else item[0] if isinstance(item, list) else item for item in items
    )
    texts = [str(value).casefold() for value in plain]
    return {text if "@" in text else re.sub(r"\D", "", text)[-DIGITS:] or text for text in texts}


def _leave_out(ctx: RunContext, left_out: Sequence[DesiredRow]) -> None:
    """Mark desired records, and all that cannot do without them, as left out."""
    if not left_out:
        return
    rule = "existing_skipped"
    gone = {(one.object, one.key, one.part): rule for one in left_out}
    for name, link, _ in ctx.journal.records.required_links(ctx.behaviours.user):
        if (link.object, link.key, link.part) in gone:
            gone.setdefault(name, "parent_skipped")
    verdicts = [(*name, f"skipped:{why}") for name, why in gone.items()]
    skips = [
        (stream, record_id, why)
        for name, why in gone.items()
        for stream, record_id, _ in ctx.journal.records.contributors(*name)
    ]
    ctx.journal.records.set_verdicts(verdicts, [], skips)


def settle_existing(ctx: RunContext, existing: Existing | None) -> None:
    """Keep what was just approved, so that what is left of it is not asked about again.

    Adopted records are linked by then. Of a sample the gate's text is kept too: the gates of the load rest on it.
    """
    if existing is None:
        return
    runs = ctx.journal.runs
    runs.remember(SETTLED, dumps({**existing.settled, **existing.words}))
    if not ctx.sampled:
        runs.remember(SHOWN, "")
    elif existing.shown:
        runs.remember(SHOWN, found_text(existing))


# --- what people see ------------------------------------------------------------------------------------------------


def _write(ctx: RunContext, existing: Existing) -> str:
    """Write the draft of a decisions file and return its path; equal proposals give the same file."""
    content = dumps([[line.decision, line.record, line.other] for line in existing.lines])
    name = f"existing-{hashlib.sha256(content.encode()).hexdigest()[:12]}.csv"
    path: Path = ctx.journal.path.parent / REPORTS / name
    write_draft(path, existing.lines)
    return str(path)


def gate_text(ctx: RunContext, existing: Existing | None) -> str:
    """Return what the `existing` gate shows of people: what was found, or what was approved with a sample; or ""."""
    if existing is not None and existing.shown:
        return found_text(existing)
    return (ctx.journal.runs.meta(SHOWN) or "") if existing is not None and existing.settled else ""


def found_text(existing: Existing) -> str:
    """Return what the `existing` gate shows of the account's own records: counts, reasons, and how to decide."""
    lines = []
    for object_, listed in existing.listed.items():
        lines.append(f"The account holds {listed:,} {object_} records that no migration wrote.")
        if existing.adopted[object_]:
            lines.append(
                f"  {existing.adopted[object_]:,} of ours are certainly among them: they are adopted. Empty fields are "
                "filled and our key is written; nothing is overwritten."
            )
        if existing.skipped[object_]:
            lines.append(
                f"  {existing.skipped[object_]:,} of ours are among them and are left out, with what hangs on them."
            )
        if existing.unsure[object_]:
            lines.append(
                f"  {existing.unsure[object_]:,} of ours may be among them: unless you decide, they are created anew."
            )
        lines += [
            f"    {count:,} because of: {', '.join(reasons)}"
            for (of, *reasons), count in sorted(existing.reasons.items(), key=lambda item: (-item[1], item[0]))[:12]
            if of == object_ and count
        ]
        kept = [(name, count) for (of, name), count in sorted(existing.kept.items()) if of == object_]
        if kept:
            told = ", ".join(f"{name} ({count:,})" for name, count in kept)
            lines.append(f"  Kept as the account has it, because it holds something else: {told}.")
        final = [(name, count) for (of, name), count in sorted(existing.final.items()) if of == object_]
        if final:
            told = ", ".join(f"{name} ({count:,})" for name, count in final)
            lines.append(f"  Left empty, because no undo could empty it again: {told}. --allow-irreversible fills it.")
    if existing.draft:
        lines.append(f"One line for each, with its reasons, stands in {Path(existing.draft).name}.")
        lines.append("To decide otherwise, edit a copy of it (adopt, create, skip) and run with --set decisions=FILE.")
    if existing.watchers:
        lines.append("What adopting and creating may set off; an admin should switch it off for the time being:")
        lines += [f"  {text}" for text in existing.watchers]
    return "\n".join(lines)
