"""A small invented practice, and the ways to load a spec over it and to evaluate one entry."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from flitstack.mapping import Scope, Spec, load_spec
from flitstack.protocols import Record, Stream, Transform, Where

TEXT = {"type": ["string", "null"]}
OBJECTS = frozenset({"person", "deal", "activity", "note", "field", "pipeline", "stage", "activity_type", "user"})


def _reference(stream: str, name: str) -> dict[str, Any]:
    return {**TEXT, "x-references": stream, "x-as": name}


SCHEMAS: Mapping[str, Mapping[str, Any]] = {
    "doctors": {"id": TEXT, "first_name": TEXT, "last_name": TEXT, "email": TEXT, "active": {"type": "boolean"}},
    "patients": {
        "id": TEXT,
        "first_name": TEXT,
        "last_name": TEXT,
        "status": {"enum": ["patient", "deleted"]},
        "birth_date": {**TEXT, "x-type": "date"},
        "created_at": {**TEXT, "x-type": "local-datetime"},
        "seen_at": {**TEXT, "x-type": "datetime"},
        "balance": {**TEXT, "x-type": "decimal"},
        "visits": {"type": ["integer", "null"]},
        "doctor_id": _reference("doctors", "doctor"),
        "guarantor_id": _reference("patients", "guarantor"),
    },
    "phones": {"id": TEXT, "patient_id": _reference("patients", "patient"), "number": TEXT, "kind": TEXT,
               "rank": {"type": ["integer", "null"]}},
    "visits": {"id": TEXT, "patient_id": _reference("patients", "patient"), "day": {**TEXT, "x-type": "date"},
               "code": TEXT, "fee": {**TEXT, "x-type": "decimal"}, "note": TEXT},
}  # fmt: skip


@pytest.fixture
def streams() -> dict[str, Stream]:
    return {name: Stream(name, {"type": "object", "properties": properties}) for name, properties in SCHEMAS.items()}


LoadSpec = Callable[..., Spec]


@pytest.fixture
def load(streams: dict[str, Stream]) -> LoadSpec:
    """Load a spec from the text of its entries, or of everything below the template's name."""

    def load_text(body: str, transforms: Sequence[Transform] = (), *, strict_streams: bool = True) -> Spec:
        text = "spec: 1\ntemplate: small\n" + textwrap.dedent(body).lstrip("\n")
        return load_spec(
            text,
            streams=streams,
            transforms=transforms,
            objects=OBJECTS,
            file="small.yaml",
            strict_streams=strict_streams,
        )

    return load_text


@pytest.fixture
def load_fields(load: LoadSpec) -> LoadSpec:
    """Load a spec with one entry over patients (`patient`) and these fields."""

    def load_text(fields: Mapping[str, Any], more: str = "", transforms: Sequence[Transform] = ()) -> Spec:
        lines = ["time_zone: America/Chicago", "entries:", "- entry: people", "  object: person", "  from: patients"]
        lines += ["  as: patient", *(f"  {line}" for line in textwrap.dedent(more).strip().splitlines()), "  fields:"]
        for name, expression in fields.items():
            quoted = str(expression).replace("'", "''")
            lines.append(f"    {name}: '{quoted}'")
        return load("\n".join(lines), transforms)

    return load_text


@dataclass
class Practice:
    """Records by stream and id, as a stage would hold them, and what was looked up."""

    records: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    used: list[tuple[str, str]] = field(default_factory=list)

    def add(self, stream: str, record_id: str, **data: Any) -> Record:
        self.records.setdefault(stream, {})[record_id] = {"id": record_id, **data}
        return self.record(stream, record_id)

    def record(self, stream: str, record_id: str) -> Record:
        return Record(stream, record_id, self.records[stream][record_id], Where(f"{stream}.csv", 2))

    def _referring(self, stream: str, name: str, wanted: str) -> list[tuple[str, Mapping[str, Any]]]:
        return [(key, data) for key, data in self.records.get(stream, {}).items() if data.get(name) == wanted]

    @property
    def scope(self) -> Scope:
        return Scope(
            source_id="dental",
            as_of=datetime(2024, 6, 1, 12, tzinfo=UTC),
            lookup=lambda stream, record_id: self.records.get(stream, {}).get(record_id),
            referring=self._referring,
            used=lambda stream, record_id: self.used.append((stream, record_id)),
        )


@pytest.fixture
def practice() -> Practice:
    return Practice()


@pytest.fixture
def patient(practice: Practice) -> Record:
    practice.add("doctors", "7", first_name="Ada", last_name="Pull", email="ada@example.org", active=True)
    return practice.add(
        "patients",
        "1",
        first_name="Ann",
        last_name="Lee",
        status="patient",
        birth_date="1980-02-29",
        created_at="2024-03-10T02:30:00",
        seen_at="2024-05-01T10:00:00-05:00",
        balance="12.30",
        visits=3,
        doctor_id="7",
    )


@pytest.fixture
def value_of(load_fields: LoadSpec, practice: Practice, patient: Record) -> Callable[[str], Any]:
    """Return the canonical value of one expression over the patient; a rejection as it is."""

    def evaluate(expression: str) -> Any:
        found = load_fields({"answer": expression}).entries[0].evaluate(patient, practice.scope)
        return found[0].fields["answer"] if isinstance(found, list) else found

    return evaluate
