"""Each row of the map, field by field: what a small invented record becomes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from flitstack.mapping import LinkRef

if TYPE_CHECKING:
    from collections.abc import Callable

    from flitstack.protocols import JSON

Make = Any


def patient(make: Callable[..., Make], **data: Any) -> Make:
    """Return a practice with one patient, Ada Quill, id 1."""
    given = {"status": "patient", "first_name": "Ada", "last_name": "Quill", **data}
    return make().add("patients", "1", **given)


def subset(fields: dict[str, JSON] | Any, *names: str) -> dict[str, JSON]:
    return {name: fields[name] for name in names}


def test_a_patient_becomes_a_person_with_its_own_dates(practice: Callable[..., Make]) -> None:
    made = patient(practice, birth_date="1980-02-03", created_at="2019-05-06T09:30:00", suffix="Jr.").one(
        "patients", "1"
    )

    assert (made.object, made.key, made.part) == ("person", "dental:patients:1", "")
    assert subset(
        made.fields, "name", "Date_Of_Birth__c", "Original_Create_Date__c", "add_time", "Patient_Status__c"
    ) == {
        "name": "Ada Quill Jr.",
        "Date_Of_Birth__c": "1980-02-03",
        "Original_Create_Date__c": "2019-05-06",
        "add_time": "2019-05-06T14:30:00Z",
        "Patient_Status__c": "Patient",
    }


def test_a_patient_without_a_creation_time_is_dated_by_the_first_visit(practice: Callable[..., Make]) -> None:
    made = patient(practice, first_visit_date="2019-01-06").one("patients", "1")

    assert made.fields["add_time"] == "2019-01-06T06:00:00Z"
    assert made.fields["Original_Create_Date__c"] == "2019-01-06"


def test_addresses_go_into_their_fields(practice: Callable[..., Make]) -> None:
    given = patient(practice)
    given.add(
        "addresses", "a", patient_id="1", kind="mailing", line1="1 Elm", city="Rye", state="NY", postal_code="01234"
    )
    given.add("addresses", "b", patient_id="1", kind="billing", line1="PO Box 9", city="Rye")
    given.add("addresses", "c", patient_id="1", kind="mailing", line1="2 Oak")

    made = given.one("patients", "1")

    assert made.fields["Mailing_Address__c"] == "1 Elm, Rye, NY 01234"
    assert made.fields["Billing_Address__c"] == "PO Box 9, Rye"
    assert "Further mailing addresses: 2 Oak" in str(made.fields["Patient_Details__c"])


def test_the_bill_goes_to_the_guarantor_where_the_patient_has_no_billing_address(practice: Callable[..., Make]) -> None:
    given = patient(practice, guarantor_id="2").add("patients", "2", status="patient", last_name="Quill")
    given.add("addresses", "a", patient_id="2", kind="mailing", line1="7 Ash")

    made = given.one("patients", "1")

    assert made.fields["Billing_Address__c"] == "7 Ash"
    assert made.links["Guarantor__c"] == LinkRef("person", "dental:patients:2")
    assert [item.stream for item in made.contributions] == ["patients"]


def test_phones_past_the_maximum_go_into_a_text(practice: Callable[..., Make]) -> None:
    given = practice(phones_max=2).add("patients", "1", status="patient", last_name="Quill")
    for rank, kind in enumerate(["home", "mobile", "work"]):
        given.add("contact_points", kind, patient_id="1", kind=kind, value=f"555-010{rank}", rank=rank)
    given.add("contact_points", "e", patient_id="1", kind="email", value="ada@example.com", label="private")

    made = given.one("patients", "1")

    assert made.fields["phones"] == [
        {"value": "555-0100", "label": "home", "primary": True},
        {"value": "555-0101", "label": "mobile", "primary": False},
    ]
    assert made.fields["emails"] == [{"value": "ada@example.com", "label": "private", "primary": True}]
    assert made.fields["Additional_Phones__c"] == "555-0102 (work)"
    assert {item.role for item in made.contributions} == {"main", "folded"}


def appointment(make: Callable[..., Make], *, variables: dict[str, Any] | None = None, **data: Any) -> Make:
    given = make(**(variables or {})).add("patients", "1", status="patient", first_name="Ada", last_name="Quill")
    given.add("appointment_types", "t", name="Hygiene", minutes=40)
    given.add("providers", "p", title="Dr.", first_name="Bo", last_name="Lee", suffix="DDS")
    row = {"patient_id": "1", "status": "completed", "starts_at": "2026-03-02T09:30:00", "type_id": "t", **data}
    return given.add("appointments", "a", **row)


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
    practice: Callable[..., Make], data: dict[str, str], done: bool, outcome: str | None
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


def plan(make: Callable[..., Make], status: str, *items: dict[str, Any], **data: Any) -> Make:
    """Return a practice with one plan; each item is planned on 2024-01-02 for 100.00 unless it says otherwise."""
    given = make(**data.pop("variables", {})).add(
        "patients", "1", status="patient", first_name="Ada", last_name="Quill"
    )
    given.add("procedure_codes", "k", code="D2740", description="Crown")
    given.add("treatment_plans", "t", patient_id="1", status=status, **{"proposed_on": "2024-01-01", **data})
    for at, item in enumerate(items):
        row = {
            "patient_id": "1",
            "plan_id": "t",
            "planned_on": "2024-01-02",
            "fee": "100.00",
            "status": "planned",
            **item,
        }
        given.add("treatment_plan_items", f"i{at}", **row)
    return given


def test_a_treatment_plan_becomes_a_deal_with_its_items_folded_in(practice: Callable[..., Make]) -> None:
    given = plan(
        practice, "accepted",
        {"procedure_code_id": "k", "tooth": "14", "surface": "MO", "quantity": 2, "discount": "10.50", "fee": "900.00"},
        {"code": "D0120", "description": "Check", "fee": None},
        {"code": "D9999", "status": "deleted", "fee": "5000.00"},
        heading="Upper right", provider_id="p",
    )  # fmt: skip

    made = given.one("treatment_plans", "t")

    assert (made.object, made.key) == ("deal", "dental:treatment_plans:t")
    assert made.fields == {
        "title": "Upper right - Ada Quill",
        "value": "1789.50",
        "currency": "USD",
        "status": "open",
        "won_time": None,
        "lost_time": None,
        "lost_reason": None,
        "Original_Create_Date__c": "2024-01-01",
        "Procedure_Details__c": "D2740 Crown (tooth 14 MO), 2024-01-02, 1789.50, planned\n"
        "D0120 Check, 2024-01-02, planned\nD9999, 2024-01-02, 5000.00, deleted",
        "Procedure_Code__c": "D2740, D0120, D9999",
        "Treatment_Plan_Details__c": "Heading: Upper right\nStatus: accepted",
    }
    assert made.links == {
        "stage_id": LinkRef("stage", "schema:stage/Treatment Plans/Accepted"),
        "person_id": LinkRef("person", "dental:patients:1", required=True),
        "owner_id": LinkRef("user", "dental:providers:p", fallback=True),
    }
    assert [(item.stream, item.id, item.role) for item in made.contributions] == [
        ("treatment_plans", "t", "main"),
        ("treatment_plan_items", "i0", "folded"),
        ("treatment_plan_items", "i1", "folded"),
        ("treatment_plan_items", "i2", "folded"),
    ]


@pytest.mark.parametrize(
    ("status", "items", "data", "stage", "deal_status", "closed"),
    [
        ("proposed", [{"status": "completed"}], {}, "Proposed", "open", None),
        ("in_progress", [], {}, "In Progress", "open", None),
        ("suspended", [], {}, "In Progress", "open", None),
        ("completed", [], {"completed_on": "2024-05-01"}, "Completed", "won", "2024-05-01T05:00:00Z"),
        ("completed", [{"completed_on": "2024-04-01"}], {}, "Completed", "won", "2024-04-01T05:00:00Z"),
        ("rejected", [], {"closed_on": "2024-02-01"}, "Lost", "lost", "2024-02-01T06:00:00Z"),
        ("inactive", [{}], {}, "Lost", "lost", "2024-01-02T06:00:00Z"),
        ("unknown", [{"status": "completed"}, {"status": "deleted"}], {}, "Completed", "won", "2024-01-02T06:00:00Z"),
        ("unknown", [{"status": "completed"}, {}], {}, "In Progress", "open", None),
        ("unknown", [{"appointment_id": "a"}], {}, "Accepted", "open", None),
        ("unknown", [{}], {"signed_at": "2024-01-03T10:00:00"}, "Accepted", "open", None),
        ("unknown", [{"status": "inactive"}, {"status": "referred"}], {}, "Lost", "lost", "2024-01-02T06:00:00Z"),
        ("unknown", [{}], {}, "Proposed", "open", None),
        ("unknown", [], {}, "Proposed", "open", None),
    ],
)
def test_a_plan_stands_where_its_status_or_its_items_say(
    practice: Callable[..., Make],
    status: str,
    items: list[dict[str, Any]],
    data: dict[str, Any],
    stage: str,
    deal_status: str,
    closed: str | None,
) -> None:
    made = plan(practice, status, *items, **data).one("treatment_plans", "t")

    assert made.links["stage_id"].key == f"schema:stage/Treatment Plans/{stage}"
    assert made.fields["status"] == deal_status
    assert (made.fields["won_time"] or made.fields["lost_time"]) == closed
    assert (made.fields["won_time"] is not None) is (deal_status == "won")
    assert (made.fields["lost_reason"] is not None) is (deal_status == "lost")


def test_a_suspended_plan_may_be_lost(practice: Callable[..., Make]) -> None:
    made = plan(practice, "suspended", variables={"suspended": "lost", "stage_lost": "Verloren"}).one(
        "treatment_plans", "t"
    )

    assert made.links["stage_id"].key == "schema:stage/Treatment Plans/Verloren"
    assert subset(made.fields, "status", "lost_reason") == {"status": "lost", "lost_reason": "Suspended"}


def test_the_person_carries_a_summary_of_the_plans(practice: Callable[..., Make]) -> None:
    given = plan(practice, "accepted", {}, {"quantity": 2}, {"plan_id": None, "fee": "7.00"}, heading="Bridge")

    text = given.one("patients", "1").fields["Treatment_Plan_Summary__c"]

    assert text == "2024-01-01 Bridge: accepted, 300.00\n1 planned items without a plan: 7.00"


def test_planned_items_without_a_plan_become_one_deal_per_patient_day_and_provider(
    practice: Callable[..., Make],
) -> None:
    given = practice().add("patients", "1", status="patient", first_name="Ada", last_name="Quill")
    for at, provider in enumerate(["p", "p", "q"]):
        given.add(
            "treatment_plan_items", f"i{at}", patient_id="1", planned_on="2024-01-02", provider_id=provider,
            status="planned", fee="10.00", code=f"D{at}", appointment_id="a",
        )  # fmt: skip
    given.add(
        "treatment_plan_items", "gone", patient_id="1", planned_on="2024-01-02", provider_id="p", status="deleted"
    )

    made = given.one("planned_items", "i1")

    assert (made.key, made.fields["value"]) == ("dental:planned_items:1@2024-01-02@p", "20.00")
    assert made.links["stage_id"].key == "schema:stage/Treatment Plans/Proposed"
    assert made.fields["title"] == "Treatment plan 2024-01-02 - Ada Quill"
    assert made.fields["Procedure_Code__c"] == "D0, D1"
    assert [(item.id, item.role) for item in made.contributions] == [("i0", "grouped"), ("i1", "grouped")]
    assert given.one("planned_items", "i2").key == "dental:planned_items:1@2024-01-02@q"
    assert given.rule("planned_items", "gone") == "skipped deleted_plan_item"


@pytest.mark.parametrize("through_subscription", [True, False])
def test_insurance_goes_into_primary_and_secondary_fields(
    practice: Callable[..., Make], through_subscription: bool
) -> None:
    given = patient(practice)
    for at, (carrier, kind) in enumerate([("Acme", "ppo"), ("Best", "unknown")], 1):
        given.add("insurance_carriers", f"c{at}", name=carrier)
        given.add("insurance_plans", f"p{at}", carrier_id=f"c{at}", type=kind, group_number=f"G{at}")
        given.add("insurance_subscriptions", f"s{at}", plan_id=f"p{at}", policy_number=f"N{at}")
        via = (
            {"subscription_id": f"s{at}"} if through_subscription else {"plan_id": f"p{at}", "policy_number": f"N{at}"}
        )
        given.add("patient_insurance", f"i{at}", patient_id="1", ordinal=at, **via)
    given.add("patient_insurance", "old", patient_id="1", ordinal=1, policy_number="N0", terminated_on="2020-01-01")

    made = given.one("patients", "1")

    assert subset(
        made.fields, "Insurance_Carrier__c", "Policy_Number__c", "Coverage_Type__c", "Secondary_Insurance_Carrier__c",
        "Secondary_Policy_Number__c", "Secondary_Coverage_Type__c",
    ) == {
        "Insurance_Carrier__c": "Acme",
        "Policy_Number__c": "N1",
        "Coverage_Type__c": "PPO",
        "Secondary_Insurance_Carrier__c": "Best",
        "Secondary_Policy_Number__c": "N2",
        "Secondary_Coverage_Type__c": "Unknown",
    }  # fmt: skip
    assert str(made.fields["Insurance_Details__c"]).split("\n")[1:] == [
        "Cover: 1, policy: N0, until: 2020-01-01",
        "Cover: 2, Best, policy: N2, group: G2",
    ]
    assert ("insurance_carriers", "c1") in given.used


def test_a_clinical_note_keeps_time_author_and_text(
    practice: Callable[..., Make], known_users: set[tuple[str, str]]
) -> None:
    given = patient(practice).add("staff", "s", name="Bo Lee")
    given.add(
        "clinical_notes", "n", patient_id="1", author_id="s", written_at="2024-07-01T10:00:00", text="<b>x</b>\ny & z"
    )

    unmatched = given.one("clinical_notes", "n")
    known_users.add(("staff", "s"))
    matched = given.one("clinical_notes", "n")

    assert unmatched.fields == {
        "content": "By Bo Lee, 2024-07-01<br>&lt;b&gt;x&lt;/b&gt;<br>y &amp; z", "add_time": "2024-07-01T15:00:00Z",
    }  # fmt: skip
    assert "user_id" not in unmatched.links
    assert matched.fields["content"] == "&lt;b&gt;x&lt;/b&gt;<br>y &amp; z"
    assert matched.links["user_id"] == LinkRef("user", "dental:staff:s")
    assert matched.links["person_id"] == LinkRef("person", "dental:patients:1", required=True)


def test_a_long_note_is_split_without_loss(practice: Callable[..., Make]) -> None:
    text = "word & word " * 400
    given = practice(note_limit=1000).add("patients", "1", status="patient", last_name="Quill")
    given.add("clinical_notes", "n", patient_id="1", text=text)

    parts = given.run("clinical_notes", "n")

    contents = [str(part.fields["content"]) for part in parts]
    assert [part.part for part in parts] == ["", *(str(at) for at in range(2, len(parts) + 1))]
    assert max(map(len, contents)) <= 1000
    assert "".join(contents) == text.replace("&", "&amp;")


def test_a_blank_note_is_left_out(practice: Callable[..., Make]) -> None:
    given = patient(practice).add("clinical_notes", "n", patient_id="1", text=" \n ")

    assert given.rule("clinical_notes", "n") == "skipped empty_note"


def test_the_latest_prescription_shows_and_all_are_kept(practice: Callable[..., Make]) -> None:
    given = patient(practice).add("providers", "p", abbreviation="BL")
    given.add("prescriptions", "b", patient_id="1", prescribed_on="2024-02-02", drug="Amoxicillin", quantity="21")
    given.add("prescriptions", "a", patient_id="1", prescribed_on="2023-01-01", drug="Ibuprofen", provider_id="p",
              directions="as needed", controlled=True)  # fmt: skip

    fields = given.one("patients", "1").fields

    assert subset(fields, "Prescription_Date__c", "Prescription_Medication__c", "Prescription_Notes__c") == {
        "Prescription_Date__c": "2024-02-02",
        "Prescription_Medication__c": "Amoxicillin",
        "Prescription_Notes__c": "2023-01-01, Ibuprofen, as needed, by: BL, controlled\n"
        "2024-02-02, Amoxicillin, quantity: 21",
    }


def test_a_referring_dentist_is_an_organization_and_a_referring_patient_a_person(practice: Callable[..., Make]) -> None:
    given = patient(practice).add("patients", "2", status="patient", last_name="Moss")
    given.add(
        "referral_sources", "d", name="Bright Smiles", specialty="Endodontics", city="Rye", state="NY", is_doctor=True
    )
    given.add("referral_sources", "m", last_name="Moss", patient_id="2")
    given.add("patient_referrals", "r1", patient_id="1", source_id="d", direction="from", referred_on="2020-01-01")
    given.add("patient_referrals", "r2", patient_id="1", source_id="m", direction="from", referred_on="2021-01-01")
    given.add("patient_referrals", "r3", patient_id="1", source_id="d", direction="to", referred_on="2022-01-01")

    person, organization = given.one("patients", "1"), given.one("referral_sources", "d")

    assert (organization.object, organization.fields["name"], organization.fields["address"]) == (
        "organization", "Bright Smiles", "Rye, NY",
    )  # fmt: skip
    assert organization.fields["Referral_Details__c"] == "Specialty: Endodontics\nDentist: yes"
    assert given.rule("referral_sources", "m") == "skipped referrer_is_patient"
    assert person.links["Referral_Source_ID__c"] == LinkRef("organization", "dental:referral_sources:d")
    assert person.links["Referring_Patient__c"] == LinkRef("person", "dental:patients:2")
    assert "Referred to Bright Smiles, 2022-01-01" in str(person.fields["Patient_Details__c"])


def test_balances_come_from_the_snapshot_and_the_last_payment_from_it_or_the_ledger(
    practice: Callable[..., Make],
) -> None:
    given = patient(practice)
    given.add("account_balances", "b", patient_id="1", balance="-12.5", outstanding="40", balance_on="2026-06-30")
    given.add("ledger", "1", patient_id="1", kind="payment", posted_on="2026-05-01", amount="-10")
    given.add("ledger", "2", patient_id="1", kind="charge", posted_on="2026-06-01", amount="99")

    made = given.one("patients", "1")

    assert subset(made.fields, "Account_Balance__c", "Outstanding_Amount__c", "Last_Payment_Date__c") == {
        "Account_Balance__c": {"value": "-12.50", "currency": "USD"},
        "Outstanding_Amount__c": {"value": "40.00", "currency": "USD"},
        "Last_Payment_Date__c": "2026-05-01",
    }
    assert [item.id for item in made.contributions if item.stream == "ledger"] == ["1"]


def test_a_patient_names_its_provider_and_is_owned_by_who_is_responsible(practice: Callable[..., Make]) -> None:
    given = patient(practice, primary_provider_id="p").add("definitions", "d", name="Periodontics")
    given.add("providers", "p", first_name="Bo", last_name="Lee", specialty_definition_id="d")
    given.add("staff", "s", name="Bo Lee", provider_id="p")

    by_provider = given.one("patients", "1")
    given.add("staff", "t", name="Cy Orr").add("patient_owners", "o", patient_id="1", staff_id="t")
    by_staff = given.one("patients", "1")

    assert by_provider.fields["Provider_Name__c"] == "Bo Lee"
    assert by_provider.fields["Provider_Specialty__c"] == "Periodontics"
    assert by_provider.links["owner_id"] == LinkRef("user", "dental:staff:s", fallback=True)
    assert by_staff.links["owner_id"] == LinkRef("user", "dental:staff:t", fallback=True)


def procedure(make: Callable[..., Make], *, variables: dict[str, Any] | None = None, **data: Any) -> Make:
    given = make(**(variables or {})).add("patients", "1", status="patient", last_name="Quill")
    row = {"patient_id": "1", "status": "completed", "performed_on": "2024-03-04", "code": "D2391", **data}
    return given.add("procedures", "x", **row)


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


def recall(make: Callable[..., Make], **data: Any) -> Make:
    given = make().add("patients", "1", status="patient", last_name="Quill", primary_provider_id="p")
    given.add("recall_types", "t", name="Prophy", interval="6 months")
    return given.add("recalls", "r", **{"patient_id": "1", "type_id": "t", "due_on": "2026-09-01", **data})


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
