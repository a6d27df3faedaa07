"""Entries: conditions in order, collected records, groups, parts, links, and what contributed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from flitstack.errors import MappingError
from flitstack.mapping import Contribution, Desired, Owner, RejectedEntry, Skipped
from flitstack.protocols import LinkRef

if TYPE_CHECKING:
    from collections.abc import Callable

PEOPLE = """
    schema:
      - {object: pipeline, name: Plans}
      - {object: stage, of: Plans, name: Proposed}
      - {object: activity_type, name: Visit}
    entries:
      - entry: people
        object: person
        from: patients
        as: patient
        where: patient.status is not none
        skip: {deleted_patient: patient.status == 'deleted', no_phone: not phones}
        reject:
          no_name: {when: patient.last_name is none, reason: The patient has no name., hint: Fill it., field: last_name}
        collect:
          phones: {from: phones, as: c, by: patient_id, where: c.kind != 'fax', order: [c.rank, {desc: c.id}],
                   each: {value: c.number, label: c.kind, primary: c.rank == 1}}
          first_visit: {from: visits, as: v, by: patient_id, is: patient.id, order: [v.day], limit: 1, fold: false}
        let:
          full_name: join_present(' ', patient.first_name, patient.last_name)
          greeting: join_present(' ', 'Dear', full_name)
        links:
          owner_id: {object: user, stream: doctors, id: patient.doctor_id, fallback: true}
          parent: {object: person, stream: patients, id: patient.guarantor_id, required: true}
          other: {object: person, stream: patients, id: patient.guarantor}
          stage_id: {object: stage, of: Plans, name: "'Proposed'"}
        fields:
          name: full_name
          greeting: greeting
          phones: phones
          first_code: (first_visit|first).code
"""


@pytest.fixture
def phones(practice: Any) -> None:
    practice.add("phones", "a", patient_id="1", number="555-1", kind="home", rank=2)
    practice.add("phones", "b", patient_id="1", number="555-2", kind="fax", rank=1)
    practice.add("phones", "c", patient_id="1", number="555-3", kind="mobile", rank=1)
    practice.add("phones", "d", patient_id="1", number="555-4", kind="work", rank=None)
    practice.add("phones", "e", patient_id="2", number="555-5", kind="work", rank=1)
    practice.add("phones", "f", patient_id="1", number="555-6", kind="work", rank=2)


@pytest.mark.usefixtures("phones")
def test_a_record_becomes_a_desired_record_with_links_and_contributions(
    load: Callable[..., Any], practice: Any, patient: Any
) -> None:
    practice.add("visits", "v2", patient_id="1", day="2024-02-01", code="B")
    practice.add("visits", "v1", patient_id="1", day="2024-01-01", code="A")
    entry = load(PEOPLE).entries[0]

    found = entry.evaluate(patient, practice.scope)

    assert found == [
        Desired(
            object="person",
            entry="people",
            key="dental:patients:1",
            part="",
            fields={
                "name": "Ann Lee",
                "greeting": "Dear Ann Lee",
                "phones": [
                    {"value": "555-3", "label": "mobile", "primary": True},
                    {"value": "555-6", "label": "work", "primary": False},
                    {"value": "555-1", "label": "home", "primary": False},
                    {"value": "555-4", "label": "work", "primary": False},
                ],
                "first_code": "A",
            },
            links={
                "owner_id": LinkRef("user", "dental:doctors:7", fallback=True),
                "parent": LinkRef("person", "", required=True),
                "stage_id": LinkRef("stage", "schema:stage/Plans/Proposed"),
            },
            contributions=(
                Contribution("patients", "1", "main"),
                Contribution("phones", "c", "folded"),
                Contribution("phones", "f", "folded"),
                Contribution("phones", "a", "folded"),
                Contribution("phones", "d", "folded"),
            ),
        )
    ]


@pytest.mark.usefixtures("phones")
@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({"status": None}, None),
        ({"status": "deleted", "last_name": None}, Skipped("people", "patients", "1", "deleted_patient")),
        (
            {"status": "patient", "last_name": None},
            RejectedEntry("people", "patients", "1", "no_name", "The patient has no name.", "Fill it.", "last_name"),
        ),
    ],
)
def test_conditions_are_judged_in_order(load: Callable[..., Any], practice: Any, data: Any, expected: Any) -> None:
    record = practice.add("patients", "1", **data)

    assert load(PEOPLE).entries[0].evaluate(record, practice.scope) == expected


def test_a_condition_may_ask_for_collected_records(load: Callable[..., Any], practice: Any, patient: Any) -> None:
    found = load(PEOPLE).entries[0].evaluate(patient, practice.scope)

    assert found == Skipped("people", "patients", "1", "no_phone")


@pytest.mark.usefixtures("phones")
def test_the_lineage_of_a_field_names_columns_through_let_and_references(load: Callable[..., Any]) -> None:
    lineage = load(PEOPLE).entries[0].lineage

    assert lineage["greeting"].expression == "greeting"
    assert lineage["greeting"].columns == ("patients.first_name", "patients.last_name")
    assert set(lineage["phones"].columns) >= {"phones.number", "phones.kind"}
    assert lineage["owner_id"].columns == ("patients.doctor_id",)


def test_the_lineage_of_a_value_behind_a_reference_names_both_columns(load_fields: Callable[..., Any]) -> None:
    lineage = load_fields({"doctor": "patient.doctor.last_name", "year": "patient.birth_date.year"}).entries[0].lineage

    assert lineage["doctor"].columns == ("doctors.last_name", "patients.doctor_id")
    assert lineage["year"].columns == ("patients.birth_date",)


GROUPS = """
    entries:
      - entry: visits
        object: activity
        from: visits
        as: visit
        skip: {no_day: visit.day is none}
        group: [visit.patient_id, visit.day]
        key: join_present('/', visit.patient_id, date_text(visit.day))
        key_stream: visit_days
        reject:
          too_many: {when: group|length > 2, reason: Too many., hint: Split the day.}
        fields:
          subject: join_present(', ', group|map(attribute='code'))
          value: sum_of(group, 'fee')
"""


def test_records_of_one_group_make_one_desired_record(load: Callable[..., Any], practice: Any) -> None:
    entry = load(GROUPS).entries[0]
    records = [
        practice.add("visits", "1", patient_id="9", day="2024-01-01", code="A", fee="10.50"),
        practice.add("visits", "2", patient_id="9", day="2024-01-01", code="B", fee=None),
    ]

    keys = {entry.group_key(record, practice.scope) for record in records}
    found = entry.evaluate_group(records, practice.scope)

    assert entry.is_grouped
    assert keys == {'["9","2024-01-01"]'}
    assert found == [
        Desired(
            "activity",
            "visits",
            "dental:visit_days:9/2024-01-01",
            "",
            {"subject": "A, B", "value": "10.50"},
            {},
            (Contribution("visits", "1", "grouped"), Contribution("visits", "2", "grouped")),
        )
    ]


def test_a_record_is_left_out_before_it_joins_a_group(load: Callable[..., Any], practice: Any) -> None:
    record = practice.add("visits", "3", patient_id="9", day=None)

    assert load(GROUPS).entries[0].group_key(record, practice.scope) == Skipped("visits", "visits", "3", "no_day")


def test_a_condition_on_the_group_rejects_it_as_a_whole(load: Callable[..., Any], practice: Any) -> None:
    records = [practice.add("visits", str(at), patient_id="9", day="2024-01-01") for at in range(3)]

    found = load(GROUPS).entries[0].evaluate_group(records, practice.scope)

    assert isinstance(found, RejectedEntry)
    assert (found.code, found.id) == ("too_many", "0")


def test_a_long_text_lands_in_parts(load: Callable[..., Any], practice: Any) -> None:
    record = practice.add("visits", "1", patient_id="9", note="first words here\nsecond words here\nthird")
    entry = load("""
        values: {limit: 24}
        entries:
          - entry: notes
            object: note
            from: visits
            as: visit
            parts: {as: chunk, of: "split_text(visit.note, values.limit)"}
            links: {person_id: {object: person, stream: patients, id: visit.patient_id, required: true}}
            fields: {content: html_text(chunk)}
        """).entries[0]

    found = entry.evaluate(record, practice.scope)

    assert [(desired.part, desired.fields["content"]) for desired in found] == [
        ("", "first words here<br>"),
        ("2", "second words here<br>"),
        ("3", "third"),
    ]
    assert {desired.key for desired in found} == {"dental:visits:1"}


OWNED = """
    entries:
    - entry: people
      object: person
      from: patients
      as: patient
      links:
        owner_id:
        - {object: user, stream: patients, id: patient.guarantor_id}
        - {object: user, stream: doctors, id: patient.doctor_id}
        - {object: user, stream: doctors, id: "'9'", fallback: true}
        parent:
        - {object: person, stream: patients, id: patient.guarantor_id}
        - {object: person, stream: patients, id: patient.id, required: true}
      fields: {name: patient.last_name}
"""


@pytest.mark.parametrize(
    ("users", "guarantor", "owner", "parent"),
    [
        (set(), None, LinkRef("user", "dental:doctors:9", fallback=True), "dental:patients:1"),
        ({("doctors", "7")}, None, LinkRef("user", "dental:doctors:7"), "dental:patients:1"),
        ({("doctors", "7")}, "2", LinkRef("user", "dental:doctors:7"), "dental:patients:2"),
        ({("doctors", "7"), ("patients", "2")}, "2", LinkRef("user", "dental:patients:2"), "dental:patients:2"),
    ],
)
def test_of_several_targets_the_first_that_is_there_counts(
    load: Callable[..., Any], practice: Any, patient: Any, users: set[Any], guarantor: str, owner: LinkRef, parent: str
) -> None:
    entry = load(OWNED).entries[0]
    patient.data["guarantor_id"] = guarantor
    scope = replace(practice.scope, has_user=lambda stream, record_id: (stream, record_id) in users)

    (made,) = entry.evaluate(patient, scope)

    assert made.links["owner_id"] == owner
    assert made.links["parent"].key == parent
    assert entry.lineage["owner_id"].columns == ("patients.doctor_id", "patients.guarantor_id")


def test_a_link_to_an_item_that_the_schema_lacks_is_refused_at_load(load: Callable[..., Any]) -> None:
    with pytest.raises(MappingError, match=r'has no stage "Propsed"\. Did you mean "Proposed"'):
        load(PEOPLE.replace("\"'Proposed'\"", "\"'Propsed'\""))


def test_a_record_that_asks_for_an_item_the_schema_lacks_is_rejected(load: Callable[..., Any], practice: Any) -> None:
    record = practice.add("visits", "1", code="Other")
    entry = load("""
        schema: [{object: activity_type, name: Visit}]
        entries:
          - {entry: visits, object: activity, from: visits, as: visit,
             links: {type: {object: activity_type, name: visit.code}}}
        """).entries[0]

    found = entry.evaluate(record, practice.scope)

    assert isinstance(found, RejectedEntry)
    assert (found.code, found.field) == ("unknown_schema_item", "type")


@pytest.mark.parametrize(
    ("more", "code", "field"),
    [
        ("fields: {at: patient.created_at}", "time_without_zone", "at"),
        ("key: patient.guarantor_id", "no_key", "key"),
        ("let: {x: patient.visits + patient.first_name}", "expression_failed", "x"),
        ("links: {a: {object: person, stream: patients, id: patient.balance}}", "expression_failed", "a"),
        ("collect: {x: {from: visits, as: v, by: patient_id, each: v.fee + 'x'}}", "expression_failed", "each"),
        ("skip: {x: patient.visits > 'a'}", "expression_failed", "x"),
    ],
)
def test_whatever_fails_is_a_rejection_of_this_record(
    load: Callable[..., Any], practice: Any, patient: Any, more: str, code: str, field: str
) -> None:
    practice.add("visits", "1", patient_id="1", fee="1.00")
    spec = load(f"""
        entries:
          - entry: people
            object: person
            from: patients
            as: patient
            {more}
        """)

    found = spec.entries[0].evaluate(patient, practice.scope)

    assert isinstance(found, RejectedEntry)
    assert (found.code, found.field) == (code, field)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("where: phones", "computed after where and group"),
        ("let: {patient: '1'}", "is taken"),
        ("let: {money: '1'}", "means something already"),
        ("collect: {x: {from: phoness, as: c, by: patient_id}}", 'unknown stream "phoness"'),
        ("collect: {x: {from: phones, as: c, by: patient}}", 'Did you mean "patient_id"'),
        ("links: {a: {object: persn, stream: patients, id: '1'}}", 'Did you mean "person"'),
        ("links: {a: {object: person, stream: patiens, id: '1'}}", 'Did you mean "patients"'),
        ("links: {a: {object: person}}", "either stream and id, or name"),
        ("links: {a: [{object: person}]}", "either stream and id, or name"),
        ("links: {a: []}", "links.a"),
        ("fields_of: persn", 'Did you mean "person"'),
        ("feilds: {a: '1'}", 'unknown key "feilds". Did you mean "fields"'),
        ("group: [patient.id]", "missing: key"),
        ("where: {a: b}", "an expression must be text"),
        ("let: {Upper: '1'}", "lower case"),
    ],
)
def test_a_wrong_entry_is_refused_at_load(load: Callable[..., Any], more: str, said: str) -> None:
    phones = "" if more.startswith(("collect", "group")) else "collect: {phones: {from: phones, as: c, by: patient_id}}"

    with pytest.raises(MappingError, match=r"^small\.yaml line \d+, entries\.0") as caught:
        load(f"""
            entries:
              - entry: people
                object: person
                from: patients
                as: patient
                {more}
                {phones}
            """)

    assert said in str(caught.value)


def test_owners_are_read_from_every_stream_named(load: Callable[..., Any], practice: Any, patient: Any) -> None:
    spec = load("""
        owners:
          from:
            - {stream: doctors, as: who, email: who.email, name: "join_present(' ', who.first_name, who.last_name)",
               active: who.active}
        entries: []
        """)

    found = spec.owners[0].evaluate(practice.record("doctors", "7"), practice.scope)

    assert found == Owner("doctors", "7", "dental:doctors:7", "ada@example.org", "Ada Pull", True)


def test_the_same_record_always_gives_the_same(load: Callable[..., Any], practice: Any, patient: Any) -> None:
    one, other = load(PEOPLE).entries[0], load(PEOPLE).entries[0]

    assert one.evaluate(patient, practice.scope) == other.evaluate(patient, practice.scope)


@pytest.mark.usefixtures("phones")
def test_a_list_of_references_folds_what_they_lead_to_and_an_unknown_one_is_named(
    load: Callable[..., Any], practice: Any, patient: Any
) -> None:
    practice.add("visits", "v1", patient_id="1", day="2024-01-01", code="A")
    practice.add("patients", "1", last_name="Lee")
    leading = PEOPLE.replace("limit: 1, fold: false", "limit: 1, fold: [patient]")

    found = load(leading).entries[0].evaluate(patient, practice.scope)

    assert Contribution("visits", "v1", "folded") in found[0].contributions
    assert Contribution("patients", "1", "folded") in found[0].contributions
    with pytest.raises(MappingError, match=r'visits has no reference "pacient"'):
        load(leading.replace("[patient]", "[pacient]"))
