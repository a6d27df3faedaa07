"""Expressions: what they give, what is refused before any record is seen, and what a failing one becomes."""

from __future__ import annotations

import string
from copy import copy
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flitstack.errors import Fatal, MappingError, Rejected
from flitstack.mapping import RejectedEntry
from flitstack.mapping.records import RecordView, open_shape
from flitstack.protocols import Transform

if TYPE_CHECKING:
    from collections.abc import Callable

same_fixtures = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)

GIVES = [
    ("patient.first_name", "Ann"),
    ("patient['first_name']", "Ann"),
    ("patient.id", "1"),
    ("patient.key", "dental:patients:1"),
    ("key_of(patient)", "dental:patients:1"),
    ("patient.birth_date", "1980-02-29"),
    ("patient.birth_date.year", 1980),
    ("patient.balance", "12.30"),
    ("patient.balance * 2", "24.60"),
    ("patient.balance + 0.1", "12.40"),
    ("0.1 + 0.2", "0.3"),
    ("patient.visits % 2 == 1", True),
    ("patient.seen_at", "2024-05-01T15:00:00Z"),
    ("at_zone(patient.created_at, values.time_zone)", "2024-03-10T08:30:00Z"),
    ("at_zone(patient.created_at, time_zone)|in_zone('Europe/Berlin')|time_text", "09:30"),
    ("as_of", "2024-06-01T12:00:00Z"),
    ("as_of.date() > patient.birth_date", True),
    ("patient.doctor.last_name", "Pull"),
    ("patient.guarantor.last_name", None),
    ("patient.guarantor.doctor.last_name is none", True),
    ("'x' if patient.guarantor", None),
    ("'yes' if patient.first_name is present else 'no'", "yes"),
    ("patient.first_name in ['Ann', 'Bea']", True),
    ("patient.first_name|upper", "ANN"),
    ("patient.guarantor_id|upper", None),
    ("patient.guarantor_id|default('none')", "none"),
    ("patient.first_name.startswith('A')", True),
    ("patient.first_name[0:1]", "A"),
    ("[1, 2, 3]|map('int')|sum", 6),
    ("[3, 1, none, 2]|sort", [1, 2, 3, None]),
    ("[3, 1]|max", 3),
    ("[]|first", None),
    ("{'b': 1, 'a': patient.visits}", {"b": 1, "a": 3}),
    ("(patient.visits, 'x')", [3, "x"]),
    ("text(patient.visits) + '!'", "3!"),
    ("patient.balance|round(1)", "12.3"),
    ("choose(patient.status, {'patient': 'Active'})", "Active"),
]


@pytest.mark.parametrize(("expression", "expected"), GIVES)
def test_an_expression_keeps_the_type_of_its_result(
    value_of: Callable[[str], Any], expression: str, expected: Any
) -> None:
    assert value_of(expression) == expected


REFUSED = [
    ("patient.frist_name", 'Did you mean "first_name"?'),
    ("pateint.first_name", 'Did you mean "patient"?'),
    ("patient.doctor.lastname", 'Did you mean "last_name"?'),
    ("join_presnt(' ', 'a')", 'Did you mean "join_present"?'),
    ("patient.first_name|uper", 'Did you mean "upper"?'),
    ("patient.first_name is nonne", 'Did you mean "none"?'),
    ("values.time_zoen", 'Did you mean "time_zone"?'),
    ("[patient]|map(attribute='frist_name')", 'Did you mean "first_name"?'),
    ("[patient]|selectattr('statsu', 'eq', 'x')", 'Did you mean "status"?'),
    ("[patient]|selectattr('status', 'equl', 'x')", "unknown test"),
    ("[patient]|sort(attribute='birthdate')", 'Did you mean "birth_date"?'),
    ("latest([patient], 'birthdate')", 'Did you mean "birth_date"?'),
    ("[patient]|latest('birth_date')|upper ~ 'x'", "join_present"),
    ("latest([patient], 'birth_date').frist_name", 'Did you mean "first_name"?'),
    ("sum_of([patient], patient.status)", "plain text in quotes"),
    ("[patient].status", "Choose an item first"),
    ("[patient]|map('string')", "join_present"),
    ("patient.first_name ~ patient.last_name", "join_present"),
    ("patient.first_name|string", "join_present"),
    ("'%s'|format(patient.first_name)", "join_present"),
    ("[patient.first_name]|join(',')", "join_present"),
    ("'%s' % patient.first_name", "join_present"),
    ("'x' * 1000000000", "does not work on text"),
    ("2 ** 100", "cannot be used"),
    ("patient + 1", "record"),
    ("''.__class__", '"__class__"'),
    ("patient.__init__", '"__init__"'),
    ("patient._shape", '"_shape"'),
    ("patient['__class__']", '"__class__"'),
    ("patient.data", '"data"'),
    ("''.format(1)", '"format"'),
    ("lipsum()", "unknown function"),
    ("range(1000000000)", "unknown function"),
    ("cycler(1)", "unknown function"),
    ("dict(a=1)", "unknown function"),
    ("patient.first_name()", "is no function"),
    ("patient.first_name.upper", "write upper(...)"),
    ("join_present", "is a function"),
    ("patient.first_name|attr('x')", "unknown filter"),
    ("patient.first_name is defined", "is present"),
    ("self", "unknown name"),
    ("has_user('doctrs', '1')", 'Did you mean "doctors"?'),
    ("referring('phnes', 'patient_id', '1')", 'Did you mean "phones"?'),
    ("referring('phones', 'patent_id', '1')", 'Did you mean "patient_id"?'),
    ("referring('phones', patient.id, '1')", "plain text in quotes"),
    ("has_user(patient.id, '1')", "plain text in quotes"),
    ("'doctors'|has_user('1')", "unknown filter"),
    ("patient.first_name patient", "follows the end"),
    ("patient.", "no expression"),
    ("{{ patient.first_name }}", "braces belong to the template"),
    ("   ", "empty"),
    ("(" * 3000 + "1" + ")" * 3000, "no expression|too deep|longer"),
    ("9" * 5000, "no expression"),
]


@pytest.mark.parametrize(("expression", "said"), REFUSED)
def test_what_no_record_could_make_right_is_refused_with_its_line(
    load_fields: Callable[..., Any], expression: str, said: str
) -> None:
    with pytest.raises(MappingError, match=r"^small\.yaml line 10, entries\.0\.fields\.answer: ") as caught:
        load_fields({"answer": expression})

    assert any(part in str(caught.value) for part in said.split("|"))


@same_fixtures
@given(name=st.text(string.ascii_lowercase + "_", min_size=1, max_size=12))
def test_an_unknown_attribute_is_always_refused_with_its_line(load_fields: Callable[..., Any], name: str) -> None:
    name = f"q{name}q"

    with pytest.raises(MappingError, match=rf'line 11, entries\.0\.fields\.second: .*has no "{name}"'):
        load_fields({"first": "patient.id", "second": f"patient.{name}"})


@same_fixtures
@given(
    hidden=st.sampled_from(["__class__", "__globals__", "__init__", "mro", "gi_frame", "_scope", "_data", "__dict__"]),
    start=st.sampled_from(["patient", "''", "as_of", "[]", "{}", "patient.doctor", "values", "1", "latest([1], 'x')"]),
    brackets=st.booleans(),
)
def test_nothing_internal_is_ever_reached(
    value_of: Callable[[str], Any], hidden: str, start: str, brackets: bool
) -> None:
    expression = f"{start}['{hidden}']" if brackets else f"{start}.{hidden}"

    try:
        found = value_of(expression)
    except MappingError:
        return
    assert isinstance(found, RejectedEntry)


def test_what_is_named_only_at_run_time_is_held_to_the_same_rules(value_of: Callable[[str], Any]) -> None:
    for hidden in ("__class__", "format", "_shape"):
        found = value_of(f"choose('a', {{'a': patient.first_name}})[choose('a', {{'a': '{hidden}'}})]")

        assert isinstance(found, RejectedEntry)
        assert found.code == "expression_failed"


def test_all_that_is_wrong_is_said_at_once(load_fields: Callable[..., Any]) -> None:
    with pytest.raises(MappingError) as caught:
        load_fields({"a": "patient.xyz", "b": "nobody.id", "c": "patient.id"})

    lines = str(caught.value).splitlines()
    assert [line.split(":")[0] for line in lines] == [
        "small.yaml line 10, entries.0.fields.a",
        "small.yaml line 11, entries.0.fields.b",
    ]


def test_the_line_inside_a_block_of_text_is_counted(load: Callable[..., Any]) -> None:
    with pytest.raises(MappingError, match=r"line 12, entries\.0\.fields\.name"):
        load("""
            entries:
              - entry: people
                object: person
                from: patients
                as: patient
                fields:
                  name: |
                    join_present(' ',
                      patient.first_name,
                      patient.lost_name)
            """)


def test_a_failing_expression_rejects_its_record_and_names_no_value(
    load_fields: Callable[..., Any], practice: Any
) -> None:
    record = practice.add("patients", "5", first_name="Secretive", visits=None)
    spec = load_fields({"name": "patient.first_name", "age": "patient.visits + 1"})

    found = spec.entries[0].evaluate(record, practice.scope)

    assert found == RejectedEntry(
        entry="people",
        stream="patients",
        id="5",
        code="expression_failed",
        reason="The mapping's expression fields.age failed: TypeError.",
        hint="Look at the record's values in that place, or make the expression allow for them.",
        field="age",
    )


@pytest.mark.parametrize(
    ("expression", "kind"),
    [
        ("[1][5] + 1", "UndefinedError"),
        ("choose('a', {'a': 'x'}) * 1000000000", "SecurityError"),
        ("patient.doctor", "TypeError"),
        ("patient.visits // 0", "ZeroDivisionError"),
        ("[1][5]", "TypeError"),
        ("'x'|int", "ValueError"),
        ("decimal('1e999999999')|int", "ValueError"),
        ("decimal('nan')", "ValueError"),
        ("('a'|replace('a', patient.first_name)).split('') ", "ValueError"),
    ],
)
def test_what_fails_at_run_time_is_named_by_its_kind(
    value_of: Callable[[str], Any], expression: str, kind: str
) -> None:
    found = value_of(expression)

    assert isinstance(found, RejectedEntry)
    assert found.reason.endswith(f": {kind}.")


def test_text_that_doubles_again_and_again_is_stopped(
    load_fields: Callable[..., Any], practice: Any, patient: Any
) -> None:
    doubles = "\n".join(f"  x{at + 1}: x{at} + x{at}" for at in range(40))
    spec = load_fields({"out": "x40"}, f"let:\n  x0: \"'0123456789'\"\n{doubles}")

    found = spec.entries[0].evaluate(patient, practice.scope)

    assert isinstance(found, RejectedEntry)
    assert found.field is not None
    assert found.field.startswith("x")


def test_a_transform_may_reject_the_record_in_its_own_words(
    load_fields: Callable[..., Any], practice: Any, patient: Any
) -> None:
    def refuse(value: object) -> str:
        raise Rejected("odd_phone", "The phone is odd.", "Correct it.", "phone")

    spec = load_fields({"x": "patient.id|refuse"}, transforms=[Transform("refuse", refuse)])

    found = spec.entries[0].evaluate(patient, practice.scope)

    assert isinstance(found, RejectedEntry)
    assert (found.code, found.reason, found.hint, found.field) == (
        "odd_phone",
        "The phone is odd.",
        "Correct it.",
        "phone",
    )


def test_filters_and_tests_of_plugins_can_be_used(load_fields: Callable[..., Any], practice: Any, patient: Any) -> None:
    transforms = [
        Transform("shout", lambda value: value + "!", kind="filter"),
        Transform("short", lambda value: len(value) < 5, kind="test"),
        Transform("newest", lambda items, name: name, kind="filter", attributes=(1,)),
    ]
    spec = load_fields({"x": "patient.first_name|shout", "y": "patient.first_name is short"}, transforms=transforms)

    assert spec.entries[0].evaluate(patient, practice.scope)[0].fields == {"x": "Ann!", "y": True}
    with pytest.raises(MappingError, match='Did you mean "status"'):
        load_fields({"x": "[patient]|newest('statu')"}, transforms=transforms)


def test_two_transforms_of_one_name_are_refused(load_fields: Callable[..., Any]) -> None:
    with pytest.raises(MappingError, match='two plugins register the function "money"'):
        load_fields({"x": "1"}, transforms=[Transform("money", str)])


def test_a_failing_lookup_is_not_taken_for_the_records_fault(
    load_fields: Callable[..., Any], practice: Any, patient: Any
) -> None:
    def broken(stream: str, record_id: str) -> None:
        raise OSError("disk")

    spec = load_fields({"x": "patient.doctor.last_name"})
    scope = type(practice.scope)("dental", practice.scope.as_of, broken, practice.scope.referring)

    with pytest.raises(Fatal, match="looking up records of doctors failed: OSError"):
        spec.entries[0].evaluate(patient, scope)


def test_whether_a_person_is_a_user_is_asked_of_the_scope(
    load_fields: Callable[..., Any], practice: Any, patient: Any
) -> None:
    spec = load_fields(
        {
            "a": "has_user('doctors', patient.doctor_id)",
            "b": "has_user('doctors', 'x')",
            "c": "has_user('doctors', none)",
        }
    )
    scope = replace(practice.scope, has_user=lambda stream, record_id: (stream, record_id) == ("doctors", "7"))

    assert spec.entries[0].evaluate(patient, scope)[0].fields == {"a": True, "b": False, "c": False}
    assert spec.entries[0].evaluate(patient, practice.scope)[0].fields == {"a": False, "b": False, "c": False}


def test_records_that_refer_to_one_are_looked_up(load_fields: Callable[..., Any], practice: Any, patient: Any) -> None:
    for number, kind in (("1", "home"), ("2", "work")):
        practice.add("phones", number, patient_id="1", kind=kind)
    spec = load_fields(
        {
            "kinds": "referring('phones', 'patient_id', patient.id) | map(attribute='kind') | list",
            "owner": "(referring('phones', 'patient_id', patient.id) | first).patient.last_name",
            "none": "referring('phones', 'patient_id', none)",
        },
        "where: referring('phones', 'patient_id', patient.id)",
    )

    (made,) = spec.entries[0].evaluate(patient, practice.scope)

    assert made.fields == {"kinds": ["home", "work"], "owner": "Lee", "none": []}
    assert ("phones", "2") in practice.used


def test_plain_python_reads_a_record_as_expressions_do(
    load_fields: Callable[..., Any], practice: Any, patient: Any
) -> None:
    seen: list[Any] = []

    def look(record: Any) -> str:
        seen.extend([record.birth_date, record.doctor.last_name, record.guarantor, record.id, hasattr(record, "nme")])
        return "x"

    spec = load_fields({"x": "look(patient)"}, transforms=[Transform("look", look)])

    assert spec.entries[0].evaluate(patient, practice.scope)[0].fields == {"x": "x"}
    assert seen == [date(1980, 2, 29), "Pull", None, "1", False]


@pytest.mark.parametrize("name", ["_scope", "_shape", "__class__", "__next__", "_read_slowly"])
def test_a_record_of_an_unknown_stream_has_no_inner_names_either(name: str, practice: Any) -> None:
    view = RecordView(open_shape("things", {}), "1", {name: "x"}, practice.scope)

    assert getattr(view, name, None) != "x"
    assert copy(view).id == "1"


def test_following_a_reference_is_told(load_fields: Callable[..., Any], practice: Any, patient: Any) -> None:
    spec = load_fields({"x": "patient.doctor.last_name", "y": "patient.guarantor.last_name"})

    spec.entries[0].evaluate(patient, practice.scope)

    assert practice.used == [("doctors", "7")]
