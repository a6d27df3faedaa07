"""Audit: everything a business should know of its export before anything moves, section by section."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from flitstack.journal import dumps
from flitstack.protocols import Finding, source_key
from flitstack.stages.intake.decisions import draft_duplicates
from flitstack.stages.intake.validate import StagedRecords, validate
from flitstack.validators import generic_validators
from flitstack.validators.people import check_duplicates, duplicate_findings, find_duplicates

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from flitstack.matching import Group
    from flitstack.protocols import JSON, SourcePlugin, StagedView, Stream, Validator
    from flitstack.stages.context import RunContext
    from flitstack.stages.intake.decisions import DraftLine

CORE_SECTIONS = (
    ("inventory", "What the export holds"),
    ("identity", "People: who is who"),
    ("contact", "Reaching people"),
    ("records", "Records and what they belong to"),
    ("owners", "Owners"),
    ("text", "Texts"),
    ("sensitive", "Sensitive data"),
    ("budget", "What writing it takes"),
    ("decisions", "Decisions"),
)
"""The sections of a source that names none; `decisions` comes last and repeats what others ask."""

ORDER = {"error": 0, "warning": 1, "info": 2}

# What reading tells, by its code; all else stands in the section of its stream.
READ_SECTIONS = {
    "ragged_row": "text", "broken_quotes": "text", "row_too_long": "text", "truncated_file": "text",
    "ambiguous_date": "text", "ambiguous_number": "text", "quotes_repaired": "text", "stray_characters": "text",
    "mixed_encoding": "text", "letters_lost": "text", "padded_text": "text", "invisible_characters": "text",
    "control_characters": "text", "amount_as_text": "text",
    "secrets_dropped": "sensitive", "secret_values_removed": "sensitive", "secret_column": "sensitive",
    "secret_id": "sensitive",
    "blank_row": "inventory", "repeated_header": "inventory", "totals_line": "inventory",
}  # fmt: skip
READ_HANDLING = {
    "secrets_dropped": "They are not read at all, and stand nowhere.",
    "secret_values_removed": "They are taken out while reading, and stand nowhere.",
    "columns_not_read": "They are not moved.",
    "columns_left": "They are not moved.",
}
SKIPS = {
    "blank_row": "Lines without any content.",
    "duplicate_row": "Rows that are there twice, cell by cell.",
    "repeated_header": "The header once more, amid the rows.",
    "secret_column": "Values of a column of the business's own that holds secrets.",
    "totals_line": "Lines of totals.",
}


@dataclass(frozen=True, slots=True)
class Exhibit:
    """A table that a section shows beside its lines."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[JSON, ...], ...]
    note: str = ""

    def as_json(self) -> dict[str, JSON]:
        """Return what `--json` prints of it."""
        return {"title": self.title, "columns": list(self.columns), "rows": [list(row) for row in self.rows],
                "note": self.note}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Section:
    """One section: its lines, the gravest first, and its tables."""

    code: str
    title: str
    lines: tuple[Finding, ...] = ()
    exhibits: tuple[Exhibit, ...] = ()

    def count(self, severity: str) -> int:
        """Return how many lines have a severity."""
        return sum(line.severity == severity for line in self.lines)

    def as_json(self) -> dict[str, JSON]:
        """Return what `--json` prints of it."""
        return {
            "code": self.code,
            "title": self.title,
            "lines": [line_json(line) for line in self.lines],
            "tables": [exhibit.as_json() for exhibit in self.exhibits],
        }


@dataclass(frozen=True, slots=True)
class Decision:
    """A question to the business.

    :param default: what holds unless they say otherwise.
    :param asked: (title of the section, line) that ask it.
    """

    question: str
    default: str
    asked: tuple[tuple[str, Finding], ...]

    @property
    def context(self) -> str:
        """Return where the question comes from and how many records it is about, in words."""
        sections = dict.fromkeys(title for title, _ in self.asked)
        counts = [f"{line.count:,} {line.stream.replace('_', ' ')}" for _, line in self.asked if line.stream]
        return "; ".join((*sections, ", ".join(counts))) if counts else "; ".join(sections)

    @property
    def explanation(self) -> str:
        """Return what more there is to say of a choice that the map offers."""
        return next((line.message for _, line in self.asked if not line.stream), "")

    def as_json(self) -> dict[str, JSON]:
        """Return what `--json` prints of it."""
        lines: list[JSON] = [{"code": line.code, "stream": line.stream, "count": line.count} for _, line in self.asked]
        return {"decision": self.question, "default": self.default, "lines": lines}


@dataclass(frozen=True, slots=True)
class Audit:
    """The audit of one export.

    :param records: stream to how many rows were read.
    :param states: how many of them are `ok`, `rejected`, `skipped`.
    :param told: what the audit stands on, in words: which account was asked, if any.
    :param draft: lines of a decisions file about people who are probably on file twice.
    """

    source: str
    as_of: str | None
    fingerprint: str
    records: Mapping[str, int]
    states: Mapping[str, int]
    sections: tuple[Section, ...]
    told: tuple[str, ...] = ()
    draft: tuple[DraftLine, ...] = ()

    def count(self, severity: str) -> int:
        """Return how many lines of all sections have a severity."""
        return sum(section.count(severity) for section in self.sections)

    @property
    def decisions(self) -> list[Decision]:
        """Return what a person has to decide, each question once, in the sections' order."""
        found: dict[tuple[str, str], list[tuple[str, Finding]]] = {}
        for section in self.sections:
            for line in section.lines:
                if line.decision:
                    found.setdefault((line.decision, line.default), []).append((section.title, line))
        return [Decision(question, default, tuple(asked)) for (question, default), asked in found.items()]

    def counts(self, section: Section) -> dict[str, int]:
        """Return how many findings of each severity a section has, and how many decisions it is the first to ask.

        Over all sections each adds up to what the audit has of it, so that every number of a report can be found again.
        """
        first = sum(decision.asked[0][0] == section.title for decision in self.decisions)
        return {**{severity: section.count(severity) for severity in ORDER}, "decisions": first}

    @property
    def sha256(self) -> str:
        """Return a hash of all that the audit says."""
        return hashlib.sha256(dumps(self.as_json()).encode()).hexdigest()

    def as_json(self) -> dict[str, JSON]:
        """Return what `--json` prints."""
        return {
            "source": self.source,
            "as_of": self.as_of,
            "fingerprint": self.fingerprint,
            "records": dict(self.records),
            "states": dict(self.states),
            "findings": {severity: self.count(severity) for severity in ORDER},
            "sections": [{**section.as_json(), "counts": self.counts(section)} for section in self.sections],
            "decisions": [decision.as_json() for decision in self.decisions],
            "told": list(self.told),
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Audited:
    """What a gate says of an audit, and where its report is; nothing where nobody audited.

    :param page: no part of what is approved, so that a journal may move.
    """

    audit: Audit | None = None
    page: str = ""

    @property
    def text(self) -> str:
        """Return the audit's counts in one line; "" without an audit."""
        return "" if self.audit is None else audit_text(self.audit)

    @property
    def notes(self) -> tuple[str, ...]:
        """Return where the report is."""
        return (f"The audit's report: {self.page}",) if self.page else ()


def audit_text(audit: Audit) -> str:
    """Return what a gate says of an audit: its counts, each as `audit --json` has it, and its hash."""
    errors, warnings, notes = (audit.count(severity) for severity in ORDER)
    asked = len(audit.decisions)
    return (
        f"Audit of the export: {_many(errors + warnings + notes, 'finding')}: {errors:,} of what cannot move as it is "
        f"({_many(audit.states.get('rejected', 0), 'row')} cannot be read), {warnings:,} to look at, {notes:,} for "
        f"information; {_many(asked, 'decision')}, each with what holds unless somebody says otherwise "
        f"({audit.sha256[:16]}).\n"
    )


def _many(count: int, word: str) -> str:
    return f"{count:,} {word}{'' if count == 1 else 's'}"


def line_json(line: Finding) -> dict[str, JSON]:
    """Return one line as `--json` prints it; empty parts are left out."""
    full: dict[str, JSON] = {
        "code": line.code,
        "message": line.message,
        "severity": line.severity,
        "stream": line.stream,
        "count": line.count,
        "of": line.of,
        "share": share(line),
        "keys": list(line.keys),
        "handling": line.handling,
        "decision": line.decision,
        "default": line.default,
        "figure": line.figure,
        "spread": [list(pair) for pair in line.spread],
    }
    return {name: value for name, value in full.items() if value not in ("", None, [])}


def share(line: Finding) -> float | None:
    """Return the share of a line's count in all that was looked at, None where that says nothing."""
    return round(line.count / line.of, 6) if line.of else None


@dataclass(frozen=True, slots=True)
class Extras:
    """What an audit is told by those who know the account: lines and tables per section, and words on top."""

    lines: tuple[Finding, ...] = ()
    exhibits: Mapping[str, tuple[Exhibit, ...]] = field(default_factory=dict)
    told: tuple[str, ...] = ()


def audit_staged(
    ctx: RunContext,
    source: SourcePlugin,
    validators: Sequence[Validator],
    streams: Mapping[str, Stream],
    extras: Extras = Extras(),
) -> Audit:
    """Return the audit of what is staged; the journal keeps its findings.

    :raises PluginError: a validator failed; it is named.
    """
    staging = ctx.journal.staging
    noticed = staging.findings()
    doubles: dict[str, list[Group]] = {}

    def find_doubles(view: StagedView) -> Iterator[Finding]:
        doubles.update(find_duplicates(view))
        yield from duplicate_findings(view, doubles)

    generic = [
        replace(each, check=find_doubles) if each.check is check_duplicates else each
        for each in generic_validators(source.name)
    ]
    view = StagedRecords(ctx.journal, streams)
    found = validate(ctx, (*generic, *validators), view)
    lines = [*_read(noticed, streams), *_rejected(ctx, streams), *_skipped(ctx, streams), *found, *extras.lines]
    latest = staging.latest()
    return Audit(
        source.name,
        latest.as_of if latest else None,
        staging.fingerprint(),
        {stream: staging.count(stream) for stream in staging.streams()},
        ctx.journal.looking.states(),
        tuple(
            _sections(source, [_keyed(line, ctx.source_id) for line in lines], _exhibits(ctx, view, streams, extras))
        ),
        extras.told,
        tuple(line for stream, groups in doubles.items() for line in draft_duplicates(stream, groups)),
    )


def _sections(
    source: SourcePlugin, lines: Sequence[Finding], exhibits: Mapping[str, tuple[Exhibit, ...]]
) -> Iterator[Section]:
    """Yield the sections in order; what belongs to none of them stands in the first."""
    titles = dict(source.audit_sections or CORE_SECTIONS)
    first = next(iter(titles))
    for code, title in titles.items():
        own = [line for line in lines if line.section == code or (code == first and line.section not in titles)]
        yield Section(code, title, tuple(sorted(own, key=lambda line: ORDER[line.severity])), exhibits.get(code, ()))


def _keyed(line: Finding, source_id: str) -> Finding:
    """Return a line with source keys in place of plain ids."""
    prefix = f"{source_id}:"
    stream = line.stream
    if not line.keys or stream is None:
        return line
    return replace(
        line, keys=tuple(key if key.startswith(prefix) else source_key(source_id, stream, key) for key in line.keys)
    )


def _read(noticed: Sequence[Finding], streams: Mapping[str, Stream]) -> Iterator[Finding]:
    """Yield what was noticed while reading."""
    for finding in noticed:
        section = READ_SECTIONS.get(finding.code) or _section_of(finding.stream, streams)
        yield replace(finding, section=section, handling=finding.handling or READ_HANDLING.get(finding.code, ""))


def _rejected(ctx: RunContext, streams: Mapping[str, Stream]) -> Iterator[Finding]:
    """Yield the rows that cannot move as they are."""
    for stream, code, reason, hint, count, ids in ctx.journal.looking.rejections():
        section = READ_SECTIONS.get(code) or _section_of(stream, streams)
        yield Finding(code, reason, "error", stream, count, tuple(ids), section, ctx.journal.staging.count(stream),
                      f"They stay behind. {hint}")  # fmt: skip


def _skipped(ctx: RunContext, streams: Mapping[str, Stream]) -> Iterator[Finding]:
    """Yield the rows that are left out by a rule while reading."""
    for stream, rule, count, ids in ctx.journal.looking.skips():
        section = READ_SECTIONS.get(rule) or _section_of(stream, streams)
        message = SKIPS.get(rule, f"Rows that the rule {rule} leaves out.")
        yield Finding(rule, message, "info", stream, count, tuple(ids), section, ctx.journal.staging.count(stream),
                      "They are left out.")  # fmt: skip


def _section_of(stream: str | None, streams: Mapping[str, Stream]) -> str:
    known = streams.get(stream) if stream is not None else None
    return str(known.schema.get("x-section", "records")) if known is not None else "inventory"


def _exhibits(
    ctx: RunContext, view: StagedRecords, streams: Mapping[str, Stream], extras: Extras
) -> dict[str, tuple[Exhibit, ...]]:
    """Return the tables of the sections: those of the inventory, and what was handed in."""
    found: dict[str, tuple[Exhibit, ...]] = {"inventory": (_files(ctx), _streams(ctx, view, streams), *_codes(ctx))}
    for section, exhibits in extras.exhibits.items():
        found[section] = (*found.get(section, ()), *exhibits)
    return found


def _files(ctx: RunContext) -> Exhibit:
    rows = tuple(
        (file["name"], file["role"] or "not read", file["rows"], file["size"], file["dialect"], file["sha256"][:12])
        for file in ctx.journal.staging.files()
    )
    return Exhibit("Files", ("file", "read as", "rows", "bytes", "written as", "SHA-256 begins"), rows)


def _streams(ctx: RunContext, view: StagedRecords, streams: Mapping[str, Stream]) -> Exhibit:
    """Return what each kind of record covers: its rows, its days, and whether a column says when it was changed."""
    rows: list[tuple[JSON, ...]] = []
    for stream in view.streams():
        properties = view.schema(stream).get("properties", {})
        days = [name for name, each in properties.items() if _is_day(each)]
        years = [day[:4] for name in days for day in view.tally(stream, name, 1, 10) if day]
        stamp = next((name for name, each in properties.items() if each.get("x-change-stamp")), None)
        stamped = ctx.journal.staging.filled(stream, [stamp])[stamp] if stamp else 0
        moves = view.count(stream)
        changed = "" if not moves else f"{stamped:,} of {moves:,}" if stamped else "none"
        rows.append((stream, ctx.journal.staging.count(stream), moves, f"{min(years)}-{max(years)}" if years else "",
                     changed))  # fmt: skip
    missing = sorted(set(streams) - set(view.streams()))
    note = f"Not in this export: {', '.join(missing)}." if missing else ""
    columns = ("kind of record", "rows", "readable", "years", "say when they changed")
    return Exhibit("Records", columns, tuple(rows), note)


def _codes(ctx: RunContext) -> Iterator[Exhibit]:
    """Yield the codes whose meaning is known, when there are any."""
    if rows := tuple(ctx.journal.looking.codebooks()):
        yield Exhibit("Codes with a known meaning", ("kind of record", "field", "codes"), rows)


def _is_day(schema: Mapping[str, object]) -> bool:
    return schema.get("x-type") in ("date", "local-datetime", "datetime") and schema.get("x-person") != "birth_date"
