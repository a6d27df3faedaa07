"""Specs: what one says beside its entries, and how a wrong one is refused."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator

import flitstack.mapping
from flitstack.errors import MappingError
from flitstack.mapping import SkippedStream, spec_schema

if TYPE_CHECKING:
    from collections.abc import Callable

FULL = """
    time_zone: Europe/Berlin
    values: {currency: EUR, limits: {note: 100}, rate: 0.19}
    schema:
      - {object: field, of: person, name: Source_Key, type: varchar, priority: 0, key: true}
      - {object: field, of: person, name: Recall_Type__c, type: set, options: [Prophy], priority: 60, label: Recall}
      - {object: pipeline, name: Plans}
      - {object: stage, of: Plans, name: Proposed, icon: star}
    overflow: Reference__c
    references: {doctors: looked up by patients}
    skip_streams: {visits: not_moved, phones: {rule: too_old, why: They are.}}
    compromises: [Something is not as asked.]
    entries:
      - {entry: people, object: person, from: patients, as: patient, fields: {Recall_Type__c: "[values.currency]"}}
"""


def test_a_spec_says_everything_that_stages_need(load: Callable[..., Any]) -> None:
    spec = load(FULL)

    assert spec.sha256 == hashlib.sha256(spec.text.encode()).hexdigest()
    assert spec.values == {"time_zone": "Europe/Berlin", "currency": "EUR", "limits": {"note": 100}, "rate": 0.19}
    assert [item.key for item in spec.schema] == [
        "field/person/Source_Key",
        "field/person/Recall_Type__c",
        "pipeline//Plans",
        "stage/Plans/Proposed",
    ]
    assert spec.schema[1].settings == {"type": "set", "options": ["Prophy"], "priority": 60, "label": "Recall"}
    assert spec.schema[3].settings == {"icon": "star"}
    assert spec.overflow == "Reference__c"
    assert spec.references == {"doctors": "looked up by patients"}
    assert spec.skip_streams == {
        "visits": SkippedStream("not_moved", ""),
        "phones": SkippedStream("too_old", "They are."),
    }
    assert spec.compromises == ("Something is not as asked.",)
    assert spec.streams() == {"patients", "doctors", "visits", "phones"}


def test_values_are_constants_of_every_expression(value_of: Callable[..., Any]) -> None:
    assert value_of("values.time_zone + values['time_zone'] + time_zone") == "America/Chicago" * 3


def test_a_value_with_a_point_is_exact(load: Callable[..., Any], practice: Any, patient: Any) -> None:
    spec = load(FULL.replace('"[values.currency]"', "patient.balance * values.rate"))

    assert spec.entries[0].evaluate(patient, practice.scope)[0].fields == {"Recall_Type__c": "2.3370"}


@pytest.mark.parametrize(
    ("wrong", "right", "line", "said"),
    [
        ("entires:", "entries:", 1, "missing: entries"),
        ("time_zone: Mars/Base", "time_zone: Europe/Berlin", 3, 'no time zone "Mars/Base"'),
        ("object: feild", "object: field", 6, 'has no object "feild". Did you mean "field"'),
        ("of: Plan,", "of: Plans,", 9, '"Plan" is neither an object nor an item above. Did you mean "Plans"'),
        ("name: Recall_Type__c,", "name: Source_Key,", 7, "stands here twice"),
        ("{doctrs:", "{doctors:", 11, 'unknown stream "doctrs". Did you mean "doctors"'),
        ("{vists:", "{visits:", 12, 'unknown stream "vists"'),
        ("priority: high", "priority: 60", 7, "schema.1.priority"),
        ("object: persn", "object: person", 15, 'Did you mean "person"'),
        (
            "{Recal_Type__c:",
            "{Recall_Type__c:",
            15,
            'the schema has no field "Recal_Type__c". Did you mean "Recall_Type__c"',
        ),
    ],
)
def test_a_wrong_spec_is_refused_with_line_and_nearest_name(
    load: Callable[..., Any], wrong: str, right: str, line: int, said: str
) -> None:
    body = FULL.replace("name: Recall_Type__c,", "name: Source_Key,") if "twice" in said else FULL.replace(right, wrong)

    with pytest.raises(MappingError) as caught:
        load(body)

    assert f"small.yaml line {line}" in str(caught.value)
    assert said in str(caught.value)


def test_an_empty_where_leaves_nothing_out(load: Callable[..., Any], practice: Any, patient: Any) -> None:
    spec = load("entries:\n  - {entry: x, object: person, from: patients, as: p, where: , fields: {a: p.id}}")

    assert spec.entries[0].evaluate(patient, practice.scope)[0].fields == {"a": "1"}


def test_two_entries_of_one_name_are_refused(load: Callable[..., Any]) -> None:
    entry = "  - {entry: people, object: person, from: patients, as: patient}\n"

    with pytest.raises(MappingError, match='two entries are called "people"'):
        load("entries:\n" + entry + entry)


def test_a_stream_without_a_schema_can_be_allowed(load: Callable[..., Any], practice: Any) -> None:
    body = "entries:\n  - {entry: x, object: person, from: extras, as: e, fields: {a: e.anything, b: e.other}}"
    record = practice.add("extras", "1", anything="yes")

    with pytest.raises(MappingError, match='unknown stream "extras"'):
        load(body)
    found = load(body, strict_streams=False).entries[0].evaluate(record, practice.scope)

    assert found[0].fields == {"a": "yes", "b": None}


def test_the_published_schema_is_a_json_schema() -> None:
    Draft202012Validator.check_schema(spec_schema())


def test_what_the_room_offers_is_what_it_lists() -> None:
    assert all(hasattr(flitstack.mapping, name) for name in flitstack.mapping.__all__)
    assert sorted(flitstack.mapping.__all__) == flitstack.mapping.__all__
