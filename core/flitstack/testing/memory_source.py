"""A source in memory: an invented export of companies, contacts and what happened with them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

from flitstack.errors import NotAnExportError
from flitstack.protocols import (
    JSON,
    Finding,
    InputFile,
    Record,
    Rejection,
    Skip,
    SourcePlugin,
    Stream,
    Where,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

Row = Record | Rejection | Skip

TEXT: Mapping[str, Any] = {"type": ["string", "null"]}


def _reference(stream: str, name: str) -> Mapping[str, Any]:
    return {**TEXT, "x-references": stream, "x-as": name}


SCHEMAS: Mapping[str, Mapping[str, Any]] = {
    "staff": {"name": TEXT, "email": TEXT},
    "companies": {"name": TEXT, "main_id": _reference("contacts", "main"), "partner_id": TEXT},
    "contacts": {
        "name": TEXT, "phone": TEXT, "email": TEXT, "status": TEXT, "company_id": _reference("companies", "company"),
        "boss_id": _reference("contacts", "boss"), "staff_id": _reference("staff", "staff"),
        "changed_at": {**TEXT, "x-change-stamp": True},
        "born": {**TEXT, "x-type": "date"}, "since": {**TEXT, "x-type": "datetime"},
        "score": {**TEXT, "x-type": "decimal"},
    },
    "labels": {"contact_id": _reference("contacts", "contact"), "label": TEXT},
    "visits": {"contact_id": _reference("contacts", "contact"), "kind": TEXT, "note": TEXT},
    "tasks": {"contact_id": _reference("contacts", "contact"), "day": TEXT, "what": TEXT},
    "memos": {"contact_id": _reference("contacts", "contact"), "name": TEXT, "size": {"type": ["integer", "null"]}},
    "ledger": {"amount": TEXT},
}  # fmt: skip

_ASIDE = """\
skip_streams:
  ledger: {rule: left_behind, why: Ledgers stay.}
owners:
  from:
    - {stream: staff, as: who, email: who.email, name: who.name}
"""
_TO_ANOTHER = """\
template: memory-to-@{destination}
source: memory
destination: @{destination}
variables:
  type: object
  additionalProperties: false
  properties: {}
facts:
  labels: {stream: labels, field: label}
  born: {stream: contacts, field: born}
  scores: {stream: contacts, field: score}
  since: {stream: contacts, field: since}
---
spec: 1
template: memory-to-@{destination}
time_zone: UTC
values: {}
"""


def template_to(destination: str, schema: str, entries: str) -> str:
    """Return a mapping template from this source to a destination; what is not said of it is the same for all.

    :param schema: the spec's `schema`, as a template: `facts` has `labels`, `born`, `scores` and `since`.
    :param entries: the spec's `entries`, likewise.
    """
    return _TO_ANOTHER.replace("@{destination}", destination) + schema + _ASIDE + entries


TEMPLATE = (
    """\
template: memory-to-memory
source: memory
destination: memory
variables:
  type: object
  required: [profile]
  additionalProperties: false
  properties:
    profile: {type: string, enum: [small, full], description: What moves.}
    closing: {type: string, default: regards, description: A constant of the map.}
gates:
  profile: {variable: profile, shows: {small: Moves contacts., full: Moves everything.}}
---
spec: 1
template: memory-to-memory
time_zone: UTC
values: {closing: {{ closing }} }
schema:
  - {object: field, of: company, name: Source_Key__c, type: text, key: true, priority: 0}
  - {object: field, of: contact, name: Source_Key__c, type: text, key: true, priority: 0}
  - {object: field, of: contact, name: Labels__c, type: set, priority: 1}
  - {object: type, name: check}
  - {object: type, name: call}
"""
    + _ASIDE
    + """\
entries:
  - entry: companies
    object: company
    from: companies
    as: company
    reject:
      missing_name: {when: company.name is none, reason: A company has no name., hint: Give it one., field: name}
    links:
      main: {object: contact, stream: contacts, id: company.main_id}
      partner: {object: company, stream: companies, id: company.partner_id}
    fields: {name: company.name}
  - entry: contacts
    object: contact
    from: contacts
    as: contact
    skip: {inactive: contact.status == 'inactive'}
    reject:
      missing_name: {when: contact.name is none, reason: A contact has no name., hint: Give it one., field: name}
    collect:
      labels: {from: labels, as: label, by: contact_id, each: label.label, order: [label.label]}
    links:
      owner: {object: user, stream: staff, id: contact.staff_id, fallback: true}
      company: {object: company, stream: companies, id: contact.company_id}
      boss: {object: contact, stream: contacts, id: contact.boss_id}
    fields: {name: contact.name, phone: contact.phone, email: contact.email, Labels__c: labels}
  - entry: visits
    object: visit
    from: visits
    as: visit
    links:
      contact: {object: contact, stream: contacts, id: visit.contact_id, required: true}
      type: {object: type, name: visit.kind, required: true}
    fields: {note: visit.note}
  - entry: rounds
    object: visit
    from: tasks
    as: task
    group: [task.contact_id, task.day]
    key: join_present('/', task.contact_id, task.day)
    links:
      contact: {object: contact, stream: contacts, id: task.contact_id, required: true}
      type: {object: type, name: "'check'", required: true}
    fields: {note: "lines(group | map(attribute='what') | list)"}
  - entry: memos
    object: memo
    from: memos
    as: memo
    links:
      contact: {object: contact, stream: contacts, id: memo.contact_id, required: true}
    fields: {name: memo.name, size: memo.size}
"""
)


def record(stream: str, record_id: str, line: int = 2, **data: JSON) -> Record:
    """Return a record as a reader would give it."""
    return Record(stream, record_id, data, Where(f"{stream}.csv", line))


@dataclass(slots=True)
class MemoryExport:
    """An export: a stream that is not among `rows` is absent; `recognised` says whether it is an export at all."""

    rows: dict[str, list[Row]] = field(default_factory=dict)
    as_of: date | None = date(2026, 6, 30)
    recognised: bool = True

    def add(self, stream: str, record_id: str, **data: JSON) -> None:
        """Add a record."""
        rows = self.rows.setdefault(stream, [])
        rows.append(record(stream, record_id, len(rows) + 2, **data))

    def change(self, stream: str, record_id: str, **data: JSON) -> None:
        """Change fields of a record."""
        self.rows[stream] = [
            Record(row.stream, row.id, {**row.data, **data}, row.where)
            if isinstance(row, Record) and row.id == record_id
            else row
            for row in self.rows[stream]
        ]


class MemoryReader:
    """Reads an export in memory."""

    def __init__(self, export: MemoryExport) -> None:
        self._export = export

    def streams(self) -> Sequence[Stream]:
        """Return the streams that are there."""
        if not self._export.recognised:
            raise NotAnExportError("memory: nothing here is recognised.")
        return [stream for stream in self.known_streams() if stream.name in self._export.rows]

    def known_streams(self) -> Sequence[Stream]:
        """Return all streams."""
        return [
            Stream(name, {"type": "object", "properties": schema}, (f"{name}.csv",)) for name, schema in SCHEMAS.items()
        ]

    def read(self, stream: str) -> Iterator[Row]:
        """Yield the rows."""
        yield from self._export.rows[stream]

    def as_of(self) -> date | None:
        """Return the day the export states."""
        return self._export.as_of

    def inventory(self) -> Sequence[InputFile]:
        """Return one file per stream."""
        return [InputFile(f"{name}.csv", 1, "0" * 64, "memory", name, len(rows)) for name, rows in self._rows()]

    def findings(self) -> Sequence[Finding]:
        """Return nothing."""
        return ()

    def close(self) -> None:
        """Let nothing go."""

    def _rows(self) -> list[tuple[str, list[Row]]]:
        return sorted(self._export.rows.items())


def memory_source(export: MemoryExport, required: tuple[str, ...] = ()) -> SourcePlugin:
    """Return a source, named `memory`, that reads this export whatever the input is called."""
    return SourcePlugin(
        "memory", {"type": "object", "properties": {}}, lambda path, settings: MemoryReader(export), required
    )
