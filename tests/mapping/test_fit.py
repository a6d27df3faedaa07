"""Fitting a spec's schema into an account: what is reused, created, folded, renamed, and what has no room."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flitstack.errors import PlanLimit
from flitstack.mapping import Desired, fit_schema
from flitstack.protocols import LinkRef, ObjectBehaviour, SchemaItem

if TYPE_CHECKING:
    from collections.abc import Callable

BODY = """
    schema:
      - {object: field, of: person, name: Key, type: varchar, key: true}
      - {object: field, of: person, name: Low, type: varchar, priority: 90}
      - {object: field, of: person, name: High, type: date, priority: 10, label: High one}
      - {object: field, of: person, name: Guarantor, type: people, priority: 80}
      - {object: field, of: deal, name: Key, type: varchar, key: true}
      - {object: field, of: deal, name: Codes, type: set, options: [A, B], priority: 50}
      - {object: pipeline, name: Plans}
      - {object: stage, of: Plans, name: Proposed}
    overflow: Reference
    entries:
      - entry: people
        object: person
        from: patients
        as: patient
        links: {Guarantor: {object: person, stream: patients, id: patient.guarantor_id}}
        fields: {name: patient.last_name, Low: patient.status, High: patient.birth_date}
"""
DESIRED = Desired(
    "person",
    "people",
    "dental:patients:1",
    "",
    {"name": "Lee", "Low": ["a", True], "High": "1980-01-01"},
    {"Guarantor": LinkRef("person", "dental:patients:2"), "owner_id": LinkRef("user", "dental:doctors:7")},
    (),
)


@pytest.fixture
def spec(load: Callable[..., Any]) -> Any:
    return load(BODY)


def keys(items: Any) -> list[str]:
    return [item.key for item in items]


def test_with_room_for_all_nothing_folds(spec: Any) -> None:
    fit = fit_schema(spec, [], {"field": 6})

    assert keys(fit.create) == keys(spec.schema)
    assert fit.folded == ()
    assert fit.compromises == ()
    assert fit.apply(DESIRED) == DESIRED


def test_the_least_important_fields_fold_first(spec: Any) -> None:
    fit = fit_schema(spec, [], {"field": 5})

    assert keys(fit.folded) == ["field/person/Guarantor", "field/person/Low"]
    assert keys(fit.create) == [
        "field/person/Key",
        "field/person/High",
        "field/deal/Key",
        "field/deal/Codes",
        "pipeline//Plans",
        "stage/Plans/Proposed",
        "field/person/Reference",
    ]
    assert fit.kept["field/person/Low"] is False
    assert fit.kept["field/person/High"] is True


def test_folded_values_become_lines_of_one_text(spec: Any) -> None:
    found = fit_schema(spec, [], {"field": 5}).apply(DESIRED)

    assert found.fields == {"name": "Lee", "High": "1980-01-01", "Reference": "Low: a, yes"}
    assert set(found.links) == {"owner_id"}


def test_lines_are_ordered_by_importance_and_links_are_named_as_left_out(spec: Any) -> None:
    fit = fit_schema(
        spec, [], {"field": 6}, {"field/person/Low": False, "field/person/High": False, "field/person/Guarantor": False}
    )

    assert fit.apply(DESIRED).fields == {"name": "Lee", "Reference": "High one: 1980-01-01\nLow: a, yes"}
    assert fit.compromises == (
        'person: "High" goes into "Reference", the account has no slot for it.',
        'person: the link "Guarantor" is left out, the account has no slot for its field.',
        'person: "Low" goes into "Reference", the account has no slot for it.',
    )


SHARED = """
    schema:
      - {object: field, of: person, name: Key, type: varchar, key: true}
      - {object: field, of: person, name: Since, type: date, priority: 10, label: Since}
      - {object: field, of: person, name: Codes, type: varchar, priority: 90}
      - {object: field, of: person, name: Rest, type: varchar, priority: 91}
    overflow: Reference
    entries:
      - {entry: people, object: person, from: patients, as: patient, fields: {Since: patient.birth_date, Codes: "'a'"}}
      - entry: prospects
        object: deal
        fields_of: person
        from: patients
        as: patient
        fields: {title: patient.last_name, Since: patient.birth_date, Codes: "'a'"}
"""


def test_who_carries_another_objects_fields_is_renamed_and_folded_like_it(load: Callable[..., Any]) -> None:
    account = [SchemaItem("field", "Since", "person", {"type": "text"}, "1")]
    desired = Desired("deal", "prospects", "k", "", {"title": "Lee", "Since": "1980-01-01", "Codes": "a"}, {}, ())

    fit = fit_schema(load(SHARED), account, {"field": 3})

    assert keys(fit.folded) == ["field/person/Codes", "field/person/Rest"]
    assert fit.apply(desired).fields == {"title": "Lee", "Since (flit)": "1980-01-01", "Reference": "Codes: a"}
    assert fit.apply(replace(desired, entry="deals")) == replace(desired, entry="deals")


def test_what_the_account_has_needs_no_slot(spec: Any) -> None:
    found = [
        SchemaItem("field", "Key", "person", {"type": "varchar", "code": "abc"}, "1"),
        SchemaItem("field", "Codes", "deal", {"type": "set", "options": ["A"]}, "2"),
        SchemaItem("pipeline", "Plans", "", {}, "3"),
    ]

    fit = fit_schema(spec, found, {"field": 4})

    assert fit.folded == ()
    assert fit.items["field/person/Key"] == found[0]
    assert fit.add_options == {"field/deal/Codes": ("B",)}
    assert keys(fit.create) == [
        "field/person/Low",
        "field/person/High",
        "field/person/Guarantor",
        "field/deal/Key",
        "stage/Plans/Proposed",
    ]


def test_an_earlier_decision_holds_when_the_account_changes(spec: Any) -> None:
    first = fit_schema(spec, [], {"field": 4})
    there = [
        SchemaItem(item.object, item.name, item.of, item.settings, str(at)) for at, item in enumerate(first.create)
    ]

    again = fit_schema(spec, there, {"field": 50}, first.kept)

    assert again.folded == first.folded
    assert again.create == ()
    assert again.apply(DESIRED) == first.apply(DESIRED)


def test_a_field_of_the_same_name_and_another_type_is_left_alone(spec: Any) -> None:
    theirs = SchemaItem("field", "High", "person", {"type": "text"}, "9")

    fit = fit_schema(spec, [theirs], {})

    assert fit.clashes == {"field/person/High": SchemaItem("field", "High (flit)", "person", spec.schema[2].settings)}
    assert "field/person/High" not in fit.items
    assert fit.apply(DESIRED).fields == {"name": "Lee", "Low": ["a", True], "High (flit)": "1980-01-01"}
    assert fit.compromises == ('field "High" exists with another type: "High (flit)" is used instead.',)


def test_a_renamed_field_is_found_again(spec: Any) -> None:
    theirs = SchemaItem("field", "High", "person", {"type": "text"}, "9")
    ours = SchemaItem("field", "High (flit)", "person", {"type": "date"}, "10")

    fit = fit_schema(spec, [theirs, ours], {})

    assert fit.items["field/person/High (flit)"] == ours
    assert "field/person/High (flit)" not in keys(fit.create)


def test_a_destination_says_how_a_field_is_named_whose_name_is_taken(spec: Any) -> None:
    theirs = SchemaItem("field", "High", "person", {"type": "text"}, "9")
    behaviour = ObjectBehaviour(frozenset(), {}, 1, "name", limits={"name": 6}, clash_suffix="_own")

    fit = fit_schema(spec, [theirs], {}, objects={"field": behaviour})

    assert fit.clashes["field/person/High"].name == "Hi_own"
    assert fit.apply(DESIRED).fields["Hi_own"] == "1980-01-01"


def test_an_item_that_leads_elsewhere_is_another_one(load: Callable[..., Any]) -> None:
    spec = load("""
        schema:
          - {object: field, of: person, name: Key, type: varchar, key: true}
          - {object: activity_type, name: Main, to: organization}
        entries:
          - {entry: people, object: person, from: patients, as: patient, fields: {name: patient.last_name}}
    """)
    fit = fit_schema(spec, [SchemaItem("activity_type", "Main", "", {"to": "person"}, "1")], {})

    assert fit.clashes["activity_type//Main"].name == "Main (flit)"


def test_a_field_called_like_an_object_does_not_take_the_fields_of_that_object_along(load: Callable[..., Any]) -> None:
    spec = load("""
        schema:
          - {object: field, of: person, name: Key, type: varchar, key: true}
          - {object: field, of: person, name: person, type: date}
          - {object: field, of: person, name: Since, type: date}
        entries:
          - {entry: people, object: person, from: patients, as: patient, fields: {person: patient.birth_date}}
    """)
    fit = fit_schema(spec, [SchemaItem("field", "person", "person", {"type": "text"}, "1")], {})

    assert keys(fit.create) == ["field/person/Key", "field/person/person (flit)", "field/person/Since"]


def test_two_fields_in_the_way_are_said(spec: Any) -> None:
    theirs = [SchemaItem("field", name, "person", {"type": "text"}, name) for name in ("High", "High (flit)")]

    with pytest.raises(PlanLimit, match="Rename one of them"):
        fit_schema(spec, theirs, {})


@pytest.mark.parametrize(
    ("slots", "said"),
    [
        ({"field": 1}, "the source keys alone need 2"),
        ({"field": 2}, "overflow field"),
        ({"pipeline": 0}, "new items of pipeline"),
    ],
)
def test_without_room_nothing_starts(spec: Any, slots: dict[str, int], said: str) -> None:
    with pytest.raises(PlanLimit, match=said):
        fit_schema(spec, [], slots)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    room=st.integers(0, 8),
    there=st.sets(st.sampled_from(["Key", "Low", "High", "Guarantor", "Reference"])),
)
def test_what_is_created_always_has_room_and_no_value_is_lost(spec: Any, room: int, there: set[str]) -> None:
    types = {item.name: item.settings["type"] for item in spec.schema if item.of == "person"}
    found = [SchemaItem("field", name, "person", {"type": types.get(name, "text")}, name) for name in there]

    try:
        fit = fit_schema(spec, found, {"field": room})
    except PlanLimit:
        assert room < 6
        return

    assert sum(item.object == "field" for item in fit.create) <= room
    names = {item.name for item in fit.items.values() if item.of == "person"}
    found_text = str(fit.apply(DESIRED).fields)
    assert "1980-01-01" in found_text
    assert set(fit.apply(DESIRED).fields) <= names | {"name"}
