"""A small invented practice, and the shipped template evaluated over it as the stages do."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from flitstack.mapping import (
    Desired,
    RejectedEntry,
    Scope,
    Skipped,
    Spec,
    find_template,
    load_spec,
    load_template,
)
from flitstack.protocols import Stream
from flitstack_dental.policies import POLICY_TRANSFORMS
from flitstack_dental.transforms import TRANSFORMS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

OBJECTS = (
    "field", "pipeline", "stage", "activity_type", "organization", "person", "deal", "lead", "activity", "note", "file",
    "user",
)  # fmt: skip
ACCOUNT = {"currency": "USD", "time_zone": "America/Chicago", "activity_zone": "UTC"}
AS_OF = datetime(2026, 6, 30, 12, 0, tzinfo=ZoneInfo("America/Chicago"))
USERS: set[tuple[str, str]] = set()

Outcome = list[Desired] | Skipped | RejectedEntry | None


@cache
def streams() -> Mapping[str, Stream]:
    """Return the stream schemas of the dental plugin."""
    folder = resources.files("flitstack_dental").joinpath("streams")
    schemas = [json.loads(file.read_text("utf-8")) for file in folder.iterdir() if file.name.endswith(".json")]
    return {schema["title"]: Stream(schema["title"], schema) for schema in schemas}


@dataclass
class Row:
    """One source record."""

    id: str
    data: Mapping[str, Any]


@dataclass
class Practice:
    """Records by stream, and the spec that is evaluated over them."""

    spec: Spec
    records: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    used: set[tuple[str, str]] = field(default_factory=set)

    def add(self, stream: str, record_id: str, **data: Any) -> Practice:
        """Add one record that fits its schema's names."""
        assert data.keys() <= streams()[stream].schema["properties"].keys()
        self.records.setdefault(stream, {})[record_id] = {"id": record_id, **data}
        return self

    def scope(self) -> Scope:
        return Scope(
            source_id="dental",
            as_of=AS_OF,
            lookup=lambda stream, record_id: self.records.get(stream, {}).get(record_id),
            referring=self._referring,
            used=lambda stream, record_id: self.used.add((stream, record_id)),
            has_user=lambda stream, record_id: (stream, record_id) in USERS,
        )

    def _referring(self, stream: str, name: str, record_id: str) -> Sequence[tuple[str, Mapping[str, Any]]]:
        rows = self.records.get(stream, {})
        return [(row_id, row) for row_id, row in rows.items() if row.get(name) == record_id]

    def run(self, entry: str, record_id: str) -> Outcome:
        """Return what the entry of this name makes of a record; of a grouped entry, what its whole group becomes."""
        found = next(item for item in self.spec.entries if item.name == entry)
        rows = [Row(row_id, row) for row_id, row in self.records[found.stream].items()]
        own = next(row for row in rows if row.id == record_id)
        if not found.is_grouped:
            return found.evaluate(own, self.scope())
        key = found.group_key(own, self.scope())
        if not isinstance(key, str):
            return key
        return found.evaluate_group([row for row in rows if found.group_key(row, self.scope()) == key], self.scope())

    def one(self, entry: str, record_id: str) -> Desired:
        """Return the only desired record that the entry makes."""
        outcome = self.run(entry, record_id)
        assert isinstance(outcome, list), outcome
        assert len(outcome) == 1
        return outcome[0]

    def rule(self, entry: str, record_id: str) -> str:
        """Return the rule or code under which the entry leaves the record out."""
        outcome = self.run(entry, record_id)
        if isinstance(outcome, Skipped):
            return f"skipped {outcome.rule}"
        assert isinstance(outcome, RejectedEntry), outcome
        return f"rejected {outcome.code}"


def render(profile: str, facts: Mapping[str, Sequence[str]] | None = None, **variables: Any) -> str:
    """Return the rendered spec, with these facts about the export."""
    template = load_template(find_template("dental-to-pipedrive"))
    known: dict[str, Sequence[str]] = {name: [] for name in template.facts} | dict(facts or {})
    values = template.resolve({"profile": profile, **variables}, ACCOUNT)
    return template.render(values, known, {"streams": sorted(streams())}, ACCOUNT)


@cache
def spec_of(text: str) -> Spec:
    return load_spec(
        text, streams=streams(), transforms=(*TRANSFORMS, *POLICY_TRANSFORMS), objects=OBJECTS, file="spec.yaml"
    )


FACTS = {
    "appointment_type_names": ["Hygiene", "Crown"],
    "appointment_names": ["Crown", "Walk in"],
    "recall_type_names": ["Prophy", "Perio"],
    "custom_columns": ["Guarantor", "Shoe: size #1"],
}


@pytest.fixture
def practice() -> Callable[..., Practice]:
    """Return a factory: profile and variables to an empty practice under that spec."""
    USERS.clear()

    def make(profile: str = "full", **variables: Any) -> Practice:
        return Practice(spec_of(render(profile, FACTS, **variables)))

    return make


@pytest.fixture
def rendered() -> Callable[..., Spec]:
    """Return a factory: profile, facts and variables to the loaded spec."""

    def make(profile: str = "full", facts: Mapping[str, Sequence[str]] | None = None, **variables: Any) -> Spec:
        return spec_of(render(profile, FACTS if facts is None else facts, **variables))

    return make


@pytest.fixture
def known_users() -> set[tuple[str, str]]:
    """Return the set of (stream, id) whom the account knows as users; tests add to it."""
    return USERS


@pytest.fixture(scope="session")
def rendered_fresh() -> Callable[[Mapping[str, Sequence[str]]], Spec]:
    """Return a factory: facts to the loaded spec of the profile full, nothing kept between calls."""

    def make(facts: Mapping[str, Sequence[str]]) -> Spec:
        return spec_of.__wrapped__(render("full", facts))

    return make


@pytest.fixture(scope="session")
def all_streams() -> frozenset[str]:
    """Return the names of all streams the source knows."""
    return frozenset(streams())


@pytest.fixture(scope="session")
def stream_fields() -> Callable[[str], frozenset[str]]:
    """Return a function: a stream's name to the fields of its schema."""
    return lambda name: frozenset(streams()[name].schema["properties"])


@pytest.fixture(scope="session")
def load_text() -> Callable[[str], Spec]:
    """Return a function: the text of a spec to the loaded spec."""
    return spec_of


@pytest.fixture(scope="session")
def schemas() -> Callable[[], Mapping[str, Stream]]:
    """Return a function that gives every stream of the source by name."""
    return streams
