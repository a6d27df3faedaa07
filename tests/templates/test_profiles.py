"""The template as a whole: it renders for every choice, claims every stream, and fits both plans."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flitstack.errors import SettingsError
from flitstack.mapping import find_template, fit_schema, load_template

if TYPE_CHECKING:
    from collections.abc import Callable

    from flitstack.mapping import Spec

CLINICAL = frozenset({
    "account_balances", "clinical_notes", "communications", "custom_columns", "documents", "ledger",
    "patient_insurance", "patient_referrals", "perio_exams", "perio_measurements", "prescriptions", "procedures",
    "tooth_chart",
})  # fmt: skip
KEYS = ("field/person/Source_System_ID__c", "field/organization/Source_System_ID__c", "field/deal/Source_System_ID__c")


def fields_of(spec: Spec) -> list[str]:
    return [item.key for item in spec.schema if item.object == "field"]


@pytest.mark.parametrize("profile", ["engagement", "full"])
def test_every_stream_is_claimed(rendered: Callable[..., Spec], all_streams: frozenset[str], profile: str) -> None:
    spec = rendered(profile)

    assert spec.streams() == all_streams


@pytest.mark.parametrize("profile", ["engagement", "full"])
@pytest.mark.parametrize(
    "choices",
    [
        {"stale_open": "open"},
        {"stale_open": "skip", "cancelled": "skip", "non_patients": "skip", "archived": "skip"},
        {"procedures": "per_visit", "deceased": "import"},
        {"pipeline": 'Plans: "a" #1', "stage_lost": "it's {{ lost }}", "suspended": "lost"},
    ],
)
def test_every_choice_of_policies_loads(rendered: Callable[..., Spec], profile: str, choices: dict[str, str]) -> None:
    spec = rendered(profile, **choices)

    assert all(spec.values[name] == value for name, value in choices.items() if name in spec.values)
    assert f"pipeline//{choices.get('pipeline', 'Treatment Plans')}" in [item.key for item in spec.schema]


@pytest.mark.parametrize("profile", ["engagement", "full"])
def test_an_export_without_any_facts_loads(rendered: Callable[..., Spec], profile: str) -> None:
    spec = rendered(profile, {})

    assert "field/person/Recall_Type__c" not in fields_of(spec)
    assert all(item.settings.get("options") != [] for item in spec.schema)


def test_the_profile_has_no_default() -> None:
    template = load_template(find_template("dental-to-pipedrive"))

    with pytest.raises(SettingsError, match="profile"):
        template.resolve({}, {"currency": "USD", "time_zone": "UTC", "activity_zone": "UTC"})


def test_every_variable_is_described_and_every_fact_names_a_field(
    all_streams: frozenset[str], stream_fields: Callable[[str], frozenset[str]]
) -> None:
    template = load_template(find_template("dental-to-pipedrive"))

    assert all(schema.get("description") for schema in template.variables["properties"].values())
    assert all(fact.stream in all_streams for fact in template.facts.values())
    assert all(fact.field in stream_fields(fact.stream) for fact in template.facts.values())
    assert set(template.gates["profile"]["shows"]) == {"engagement", "full"}


def test_the_profile_engagement_leaves_the_clinical_record_behind(rendered: Callable[..., Spec]) -> None:
    spec = rendered("engagement")

    left = {stream for stream, skipped in spec.skip_streams.items() if skipped.rule == "left_by_profile"}
    read = {entry.stream for entry in spec.entries}
    read |= {collect.shape.stream for entry in spec.entries for collect in entry.collects}
    assert left >= CLINICAL
    assert not read & left


def test_the_profile_engagement_reads_no_clinical_column(rendered: Callable[..., Spec]) -> None:
    spec = rendered("engagement")

    read = {column for entry in spec.entries for lineage in entry.lineage.values() for column in lineage.columns}
    private = {
        "patients.birth_date",
        "patients.medical_alert",
        "appointments.reason",
        "appointments.note",
        "recalls.note",
    }
    assert not read & private


def test_each_activity_type_exists_once(rendered: Callable[..., Spec]) -> None:
    facts = {
        "appointment_type_names": ["Call", "Recall", "Crown", "Recall: Exam"],
        "appointment_names": ["Crown", ""],
        "recall_type_names": ["Exam"],
    }

    names = [item.name for item in rendered("full", facts).schema if item.object == "activity_type"]

    assert len(names) == len(set(names))
    assert {"Call", "Recall", "Crown", "Appointment", "Procedure"} <= set(names)


def test_the_fixed_fields_fit_the_next_plan_without_folding(rendered: Callable[..., Spec]) -> None:
    spec = rendered("full")

    fit = fit_schema(spec, [], {"field": 100})

    assert len(fields_of(rendered("full", {}))) < 45
    assert fit.folded == ()
    assert not any("Dental_Reference__c" in key for key in fit.items)


def test_on_the_smallest_plan_the_least_important_fields_fold(rendered: Callable[..., Spec]) -> None:
    spec = rendered("full")

    fit = fit_schema(spec, [], {"field": 30})

    created = [item for item in fit.create if item.object == "field"]
    priorities = {item.key: item.settings["priority"] for item in spec.schema if item.object == "field"}
    folded = [item.key for item in fit.folded]
    kept = [key for key in priorities if key not in folded]
    assert len(created) == 30
    assert min(priorities[key] for key in folded) > max(priorities[key] for key in kept)
    assert all(key in fit.items for key in KEYS)
    assert {item.of for item in fit.folded} == {"person"}
    assert "field/person/Dental_Reference__c" in fit.items


def test_engagement_fits_the_smallest_plan(rendered: Callable[..., Spec]) -> None:
    assert fit_schema(rendered("engagement"), [], {"field": 30}).folded == ()


def test_a_folded_field_is_read_in_the_overflow_text(
    rendered: Callable[..., Spec], practice: Callable[..., Any]
) -> None:
    fit = fit_schema(rendered("full"), [], {"field": 30})
    given = practice().add("patients", "1", status="patient", last_name="Quill", chart_number="C7")
    given.add("custom_columns", "a", patient_id="1", name="Guarantor", value="uncle")

    made = fit.apply(given.one("patients", "1"))

    assert str(made.fields["Dental_Reference__c"]).endswith("Guarantor: uncle")
    assert "Chart number: C7" in str(made.fields["Dental_Reference__c"])
    assert "Guarantor (custom)" not in made.fields


@settings(deadline=None, max_examples=5)  # each loads the whole spec, about 0.4 s
@given(st.lists(st.text(min_size=1, max_size=30), max_size=4, unique=True))
def test_no_name_in_the_export_can_break_the_spec(rendered_fresh: Callable[..., Spec], names: list[str]) -> None:
    facts = dict.fromkeys(("appointment_type_names", "recall_type_names", "custom_columns"), names)

    spec = rendered_fresh(facts)

    assert {f"{name} (custom)" for name in names} <= {item.name for item in spec.schema}
