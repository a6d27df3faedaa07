"""Appointments, procedures and recalls: what small invented ones become, field by field."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from flitstack.protocols import LinkRef

if TYPE_CHECKING:
    from collections.abc import Callable

    from flitstack.protocols import JSON

Make = Any


def subset(fields: dict[str, JSON] | Any, *names: str) -> dict[str, JSON]:
    return {name: fields[name] for name in names}


def appointment(make: Callable[..., Make], *, variables: dict[str, Any] | None = None, **data: Any) -> Make:
    given = make(**(variables or {})).add("patients", "1", status="patient", first_name="Ada", last_name="Quill")
    given.add("appointment_types", "t", name="Hygiene", minutes=40)
    given.add("providers", "p", title="Dr.", first_name="Bo", last_name="Lee", suffix="DDS")
    row = {"patient_id": "1", "status": "completed", "starts_at": "2026-03-02T09:30:00", "type_id": "t", **data}
    return given.add("appointments", "a", **row)


def procedure(make: Callable[..., Make], *, variables: dict[str, Any] | None = None, **data: Any) -> Make:
    given = make(**(variables or {})).add("patients", "1", status="patient", last_name="Quill")
    row = {"patient_id": "1", "status": "completed", "performed_on": "2024-03-04", "code": "D2391", **data}
    return given.add("procedures", "x", **row)


def recall(make: Callable[..., Make], **data: Any) -> Make:
    given = make().add("patients", "1", status="patient", last_name="Quill", primary_provider_id="p")
    given.add("recall_types", "t", name="Prophy", interval="6 months")
    return given.add("recalls", "r", **{"patient_id": "1", "type_id": "t", "due_on": "2026-09-01", **data})


def test_an_appointment_becomes_an_activity(practice: Callable[..., Make]) -> None:
    given = appointment(
        practice, duration_minutes=50, provider_id="p", reason="Cleaning", original_status="2",
        arrived_at="2026-03-02T09:25:00", dismissed_at="2026-03-02T10:20:00", note="a < b",
    )  # fmt: skip
    given.add(
        "procedures", "x", patient_id="1", appointment_id="a", status="completed", code="D1110", description="Polish"
    )

    made = given.one("appointments", "a")

    assert subset(made.fields, "subject", "due_date", "due_time", "duration", "done") == {
        "subject": "Hygiene - Cleaning",
        "due_date": "2026-03-02",
        "due_time": "15:30",
        "duration": "00:50",
        "done": True,
    }
    assert str(made.fields["note"]).split("<br>") == [
        "Status: completed",
        "Status in the source: 2",
        "Type: Hygiene",
        "Starts: 2026-03-02 09:30 America/Chicago",
        "Arrived: 2026-03-02 09:25",
        "Dismissed: 2026-03-02 10:20",
        "Provider: Dr. Bo Lee DDS",
        "Reason: Cleaning",
        "Note: a &lt; b",
        "Procedures: D1110 Polish, completed",
    ]
    assert made.links == {
        "type": LinkRef("activity_type", "schema:activity_type//Hygiene"),
        "person_id": LinkRef("person", "dental:patients:1", required=True),
        "owner_id": LinkRef("user", "dental:providers:p", fallback=True),
    }


@pytest.mark.parametrize(
    ("data", "done", "outcome"),
    [
        ({"status": "scheduled", "starts_at": "2026-06-30T12:00:00"}, False, None),
        ({"status": "scheduled", "starts_at": "2026-06-30T11:59:00"}, True, "Unresolved"),
        ({"status": "scheduled", "starts_at": "2026-06-30T00:00:00"}, False, None),
        ({"status": "arrived", "starts_at": "2026-06-30T09:00:00"}, False, None),
        ({"status": "arrived", "starts_at": "2026-06-29T09:00:00"}, True, "Unresolved"),
        ({"status": "completed", "starts_at": "2026-07-30T09:00:00"}, True, None),
        ({"status": "no_show"}, True, "No-show"),
        ({"status": "cancelled"}, True, "Cancelled"),
    ],
)
def test_done_comes_from_the_status_and_the_snapshots_time(
    practice: Callable[..., Make], data: dict[str, Any], done: bool, outcome: str | None
) -> None:
    made = appointment(practice, **data).one("appointments", "a")

    assert made.fields["done"] is done
    assert made.fields["subject"] == (f"Hygiene - {outcome}" if outcome else "Hygiene")
    assert ("Outcome" in str(made.fields["note"])) is (outcome is not None)


def test_an_appointment_without_a_time_of_day_has_only_a_day(practice: Callable[..., Make]) -> None:
    made = appointment(practice, starts_at="2026-03-02T00:00:00").one("appointments", "a")

    assert subset(made.fields, "due_date", "due_time", "duration") == {
        "due_date": "2026-03-02", "due_time": None, "duration": None,
    }  # fmt: skip


def test_an_appointment_at_midnight_has_that_time(practice: Callable[..., Make]) -> None:
    made = appointment(practice, starts_at="2026-03-02T00:00:00", at_midnight=True).one("appointments", "a")

    assert subset(made.fields, "due_date", "due_time", "duration") == {
        "due_date": "2026-03-02", "due_time": "06:00", "duration": "00:40",
    }  # fmt: skip
    today = appointment(practice, status="scheduled", starts_at="2026-06-30T00:00:00", at_midnight=True)
    assert today.one("appointments", "a").fields["done"] is True


@pytest.mark.parametrize(("minutes", "duration"), [(None, "00:40"), (0, None), (-5, None), (75, "01:15")])
def test_a_duration_is_the_appointments_else_its_types_and_never_negative(
    practice: Callable[..., Make], minutes: int | None, duration: str | None
) -> None:
    made = appointment(practice, duration_minutes=minutes).one("appointments", "a")

    assert made.fields["duration"] == duration


def test_a_clinic_of_its_own_time_zone_sets_the_hour(practice: Callable[..., Make]) -> None:
    given = appointment(practice, clinic_id="c", starts_at="2026-03-02T20:30:00")
    given.add("clinics", "c", name="West", time_zone="America/Los_Angeles")

    made = given.one("appointments", "a")

    assert subset(made.fields, "due_date", "due_time") == {"due_date": "2026-03-03", "due_time": "04:30"}


@pytest.mark.parametrize(
    ("data", "variables", "rule"),
    [
        ({"status": "deleted"}, {}, "skipped deleted_appointment"),
        ({"status": "not_appointment", "patient_id": None}, {}, "skipped not_an_appointment"),
        ({"patient_id": None}, {}, "skipped appointment_without_patient"),
        ({"status": "unscheduled", "starts_at": None}, {}, "skipped no_calendar_time"),
        ({"status": "planned"}, {}, "skipped no_calendar_time"),
        ({"starts_at": None}, {}, "rejected appointment_without_time"),
        ({"status": "cancelled"}, {"cancelled": "skip"}, "skipped cancelled_appointment"),
        ({"status": "scheduled"}, {"stale_open": "skip"}, "skipped stale_open_appointment"),
        ({"status": "completed"}, {"profile": "engagement"}, "skipped left_by_profile"),
        ({"status": "scheduled"}, {"profile": "engagement"}, "skipped left_by_profile"),
    ],
)
def test_appointments_are_left_out_under_named_rules(
    practice: Callable[..., Make], data: dict[str, Any], variables: dict[str, str], rule: str
) -> None:
    assert appointment(practice, variables=variables, **data).rule("appointments", "a") == rule


def test_stale_appointments_may_be_left_open(practice: Callable[..., Make]) -> None:
    made = appointment(practice, variables={"stale_open": "open"}, status="scheduled").one("appointments", "a")

    assert (made.fields["done"], made.fields["subject"]) == (False, "Hygiene")


def test_no_open_appointment_is_made_for_the_deceased(practice: Callable[..., Make]) -> None:
    given = appointment(practice, variables={"deceased": "import"}, status="scheduled", starts_at="2026-08-02T09:30:00")
    given.records["patients"]["1"]["status"] = "deceased"

    assert given.rule("appointments", "a") == "skipped open_for_deceased"
    assert given.one("patients", "1").fields["Patient_Status__c"] == "Deceased"


def test_a_completed_procedure_becomes_a_done_activity(practice: Callable[..., Make]) -> None:
    given = procedure(
        practice, description="Filling", tooth="3", surface="O", fee="150", note="no pain", provider_id="p"
    )

    made = given.one("procedures", "x")

    assert subset(made.fields, "subject", "due_date", "done") == {
        "subject": "D2391 Filling (tooth 3 O)", "due_date": "2024-03-04", "done": True,
    }  # fmt: skip
    for line in ("Code: D2391", "Tooth: 3", "Surface: O", "Fee: 150", "Note: no pain"):
        assert line in str(made.fields["note"]).split("<br>")
    assert made.links["type"].key == "schema:activity_type//Procedure"
    assert given.one("patients", "1").fields["Procedure_Code__c"] == "D2391"


def test_procedures_may_be_grouped_by_visit(practice: Callable[..., Make]) -> None:
    given = procedure(practice, variables={"procedures": "per_visit"}, appointment_id="a")
    given.add(
        "procedures",
        "y",
        patient_id="1",
        status="completed",
        performed_on="2024-03-04",
        appointment_id="a",
        code="D0120",
    )
    given.add("procedures", "z", patient_id="1", status="completed", performed_on="2024-03-04", code="D0140")

    visit, loose = given.one("procedures", "y"), given.one("procedures", "z")

    assert (visit.key, visit.fields["subject"]) == ("dental:visits:a", "Visit - D2391, D0120")
    assert [item.id for item in visit.contributions] == ["x", "y"]
    assert loose.key == "dental:visits:1@2024-03-04"
    assert visit.links["type"].key == "schema:activity_type//Visit"


@pytest.mark.parametrize(
    ("data", "rule"),
    [
        ({"status": "deleted"}, "skipped deleted_procedure"),
        ({"status": "existing_current"}, "skipped pre_existing_work"),
        ({"status": "existing_other"}, "skipped pre_existing_work"),
        ({"status": "referred_out"}, "skipped referred_out"),
        ({"performed_on": None}, "rejected procedure_without_date"),
    ],
)
@pytest.mark.parametrize("grouping", ["each", "per_visit"])
def test_procedures_are_left_out_under_named_rules(
    practice: Callable[..., Make], data: dict[str, Any], rule: str, grouping: str
) -> None:
    assert procedure(practice, variables={"procedures": grouping}, **data).rule("procedures", "x") == rule


def test_a_condition_is_noted_and_is_no_activity(practice: Callable[..., Make]) -> None:
    given = procedure(practice, status="condition", description="Caries", tooth="3", code=None)

    assert given.run("procedures", "x") is None
    assert given.one("conditions", "x").fields["content"] == "Condition: Caries (tooth 3)<br>Noted on: 2024-03-04"


def test_a_recall_becomes_an_activity_to_be_done(practice: Callable[..., Make]) -> None:
    given = recall(practice, previous_on="2026-03-01")

    made = given.one("recalls", "r")

    assert made.fields == {
        "subject": "Recall: Prophy",
        "due_date": "2026-09-01",
        "done": False,
        "note": "Recall: Prophy<br>Due: 2026-09-01<br>Interval: 6 months<br>Last done: 2026-03-01",
    }
    assert made.links["type"].key == "schema:activity_type//Recall: Prophy"
    assert made.links["owner_id"].key == "dental:providers:p"
    assert given.one("patients", "1").fields["Recall_Type__c"] == ["Prophy"]


def test_an_overdue_recall_keeps_its_day_and_says_so(practice: Callable[..., Make]) -> None:
    made = recall(practice, due_on="2024-01-01").one("recalls", "r")

    assert (made.fields["due_date"], made.fields["done"]) == ("2024-01-01", False)
    assert "Overdue when exported" in str(made.fields["note"])


@pytest.mark.parametrize(
    ("data", "status", "rule"),
    [
        ({"disabled": True}, "patient", "skipped disabled_recall"),
        ({"scheduled_on": "2026-08-01"}, "patient", "skipped recall_scheduled"),
        ({"due_on": None}, "patient", "rejected recall_without_due_date"),
        ({}, "inactive", "skipped recall_of_inactive_patient"),
        ({}, "archived", "skipped recall_of_inactive_patient"),
        ({}, "deceased", "skipped recall_of_inactive_patient"),
    ],
)
def test_recalls_are_left_out_under_named_rules(
    practice: Callable[..., Make], data: dict[str, Any], status: str, rule: str
) -> None:
    given = recall(practice, **data)
    given.records["patients"]["1"]["status"] = status

    assert given.rule("recalls", "r") == rule


@pytest.mark.parametrize(
    ("status", "codes", "outcome"),
    [
        ("no_show", ["D9987"], "Cancelled"),
        ("no_show", ["D9986"], "No-show"),
        ("no_show", [], "No-show"),
        ("completed", ["D9987"], "Cancelled"),
        ("completed", ["D9986"], "No-show"),
        ("completed", ["D0120", "D9987"], None),
    ],
)
def test_a_visit_called_off_or_missed_may_say_so_by_a_procedures_code_alone(
    practice: Callable[..., Make], status: str, codes: list[str], outcome: str | None
) -> None:
    given = appointment(practice, status=status, reason=None)
    for at, code in enumerate(codes):
        given.add("procedures", f"x{at}", patient_id="1", appointment_id="a", code=code, status="completed",
                  performed_on="2026-05-04")  # fmt: skip

    made = given.one("appointments", "a")

    assert str(made.fields["subject"]).endswith(outcome or "Hygiene")
    assert made.fields["done"] is True
