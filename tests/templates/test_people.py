"""Patients, field by field: what a small invented patient and what hangs on it become."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from flitstack.protocols import LinkRef

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


@pytest.mark.parametrize(("given", "named"), [("Dr. Quill", "Dr. Quill"), ("AQ", "AQ"), ("77", None), ("P-7", None)])
def test_a_provider_whom_no_table_holds_keeps_the_name_that_the_export_gives(
    practice: Callable[..., Make], given: str, named: str | None
) -> None:
    made = patient(practice, primary_provider_id=given).one("patients", "1")

    assert made.fields.get("Provider_Name__c") == named


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


def test_cover_that_says_all_by_itself_needs_no_plan_and_no_carrier(practice: Callable[..., Make]) -> None:
    given = patient(practice)
    given.add("patient_insurance", "i", patient_id="1", ordinal=1, carrier_name="Acme", policy_number="N1",
              group_number="G1", coverage_type="capitation")  # fmt: skip

    fields = given.one("patients", "1").fields

    assert subset(fields, "Insurance_Carrier__c", "Policy_Number__c", "Coverage_Type__c", "Insurance_Details__c") == {
        "Insurance_Carrier__c": "Acme",
        "Policy_Number__c": "N1",
        "Coverage_Type__c": "Capitation",
        "Insurance_Details__c": "Cover: 1, Acme, policy: N1, group: G1",
    }


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


def test_a_patient_names_its_provider_and_is_owned_by_who_is_responsible(
    practice: Callable[..., Make], known_users: set[tuple[str, str]]
) -> None:
    given = patient(practice, primary_provider_id="p").add("definitions", "d", name="Periodontics")
    given.add("providers", "p", first_name="Bo", last_name="Lee", specialty_definition_id="d")
    given.add("staff", "s", name="Bo Lee", provider_id="p")

    unmatched = given.one("patients", "1")
    known_users.add(("providers", "p"))
    by_itself = given.one("patients", "1")
    known_users.add(("staff", "s"))
    by_provider = given.one("patients", "1")
    given.add("staff", "t", name="Cy Orr").add("patient_owners", "o", patient_id="1", staff_id="t")
    departed = given.one("patients", "1")
    known_users.add(("staff", "t"))
    by_staff = given.one("patients", "1")

    assert by_provider.fields["Provider_Name__c"] == "Bo Lee"
    assert by_provider.fields["Provider_Specialty__c"] == "Periodontics"
    assert unmatched.links["owner_id"] == LinkRef("user", "dental:providers:p", fallback=True)
    assert by_itself.links["owner_id"] == LinkRef("user", "dental:providers:p", fallback=True)
    assert by_provider.links["owner_id"] == LinkRef("user", "dental:staff:s")
    assert departed.links["owner_id"] == LinkRef("user", "dental:staff:s")
    assert by_staff.links["owner_id"] == LinkRef("user", "dental:staff:t")
