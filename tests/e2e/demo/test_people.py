"""Rows 1 to 3, 6 and 8 to 12: what becomes of patients and of what is folded into them, field by field."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.e2e.demo.conftest import AS_OF, Landed, Practice, utc

if TYPE_CHECKING:
    from tests.e2e.demo.conftest import Row

STATUSES = {
    "patient": "Patient",
    "non_patient": "Non-patient",
    "inactive": "Inactive",
    "archived": "Archived",
    "prospective": "Prospective",
}
COVERAGES = {
    "percentage": "Percentage",
    "ppo": "PPO",
    "flat": "Flat co-pay",
    "capitation": "Capitation",
    "discount": "Discount",
    "indemnity": "Indemnity",
    "unknown": "Unknown",
    None: "Unknown",
}


def test_row_1_each_patient_who_moves_is_one_person_and_nobody_else_is(practice: Practice, landed: Landed) -> None:
    leads = {row["id"] for row in practice.rows("leads")}

    assert landed.keys("person", "patients") == set(practice.people)
    assert landed.keys("person", "leads") == leads
    assert len(landed.state["person"]) == len(practice.people) + len(leads)
    assert {row["status"] for row in practice.people.values()} == set(STATUSES)


def test_row_1_a_person_has_the_patients_name_birth_date_status_and_day_of_entry(
    practice: Practice, landed: Landed
) -> None:
    for number, row in practice.people.items():
        person = landed.person(number)
        fields = person["by_name"]
        assert person["name"] == practice.name(row), number
        assert fields["Source_System_ID__c"] == f"dental:patients:{number}"
        assert fields.get("Date_Of_Birth__c") == row["birth_date"], number
        assert fields["Original_Create_Date__c"] == row["created_at"][:10], number
        assert person["add_time"] == f"{utc(row['created_at']):%Y-%m-%dT%H:%M:%SZ}", number
        assert fields["Patient_Status__c"] == STATUSES[row["status"]], number


def test_row_1_what_has_no_field_of_its_own_stands_in_the_further_details(practice: Practice, landed: Landed) -> None:
    labels = {
        "Chart number": "chart_number",
        "Title": "title",
        "Middle name": "middle_name",
        "Preferred name": "preferred_name",
        "Salutation": "salutation",
        "Original status": "original_status",
        "Sex": "sex",
        "Marital status": "marital_status",
        "First visit": "first_visit_date",
        "Last visit": "last_visit_date",
        "Preferred contact": "contact_preference",
        "Language": "language",
    }
    for number, row in practice.people.items():
        told = dict(
            line.split(": ", 1)
            for line in landed.person(number)["by_name"]["Patient_Details__c"].split("\n")
            if ": " in line
        )
        assert {label: told.get(label) for label in labels} == {label: row[name] for label, name in labels.items()}


def _place(row: Row) -> str:
    town = " ".join(row[part] for part in ("state", "postal_code") if row[part])
    return ", ".join(part for part in (row["line1"], row["line2"], row["city"], town, row["country"]) if part)


def test_row_2_a_person_has_the_mailing_address_and_the_billing_address_or_the_guarantors(
    practice: Practice, landed: Landed
) -> None:
    billed = set()
    for number, row in practice.people.items():
        own = {kind: [_place(a) for a in practice.of("addresses", number) if a["kind"] == kind] for kind in KINDS}
        payer = _guarantor(practice, row)
        theirs = sorted(practice.of("addresses", payer), key=lambda a: str(a["kind"])) if payer else []
        billing = own["billing"][:1] or [_place(a) for a in theirs[:1]]
        fields = landed.person(number)["by_name"]
        assert _address(fields.get("Mailing_Address__c")) == own["mailing"][:1], number
        assert _address(fields.get("Billing_Address__c")) == billing, number
        billed |= {("own" if own["billing"] else "guarantor's") for _ in billing}
    assert billed == {"own", "guarantor's"}


KINDS = ("mailing", "billing")


def _address(value: dict[str, str] | None) -> list[str]:
    return [] if value is None else [value["value"]]


def _guarantor(practice: Practice, row: Row) -> str | None:
    family = practice.by_id("families").get(row["family_id"] or "", {})
    payer: str | None = row["guarantor_id"] or family.get("guarantor_id")
    return None if payer == row["id"] else payer


def test_row_3_a_person_has_the_phones_and_emails_with_labels_and_one_primary(
    practice: Practice, landed: Landed
) -> None:
    longest = 0
    for number in practice.people:
        points = sorted(practice.of("contact_points", number), key=lambda point: int(point["rank"]))
        phones = [(p["value"], p["label"] or p["kind"]) for p in points if p["kind"] != "email"]
        emails = [(p["value"], p["label"] or "other") for p in points if p["kind"] == "email"]
        person = landed.person(number)
        assert [(p["value"], p["label"]) for p in person["phones"]] == phones[:4], number
        assert [(e["value"], e["label"]) for e in person["emails"]] == emails, number
        for entries in (person["phones"], person["emails"]):
            assert [entry["primary"] for entry in entries] == [place == 0 for place in range(len(entries))]
        further = person["by_name"].get("Additional_Phones__c")
        assert (further or "").split("\n") == [f"{value} ({label})" for value, label in phones[4:]] or [""], number
        longest = max(longest, len(phones))
    assert longest > 4


def test_row_6_a_person_has_the_current_insurance_first_and_second(practice: Practice, landed: Landed) -> None:
    plans, carriers = practice.by_id("insurance_plans"), practice.by_id("insurance_carriers")
    subscriptions = practice.by_id("insurance_subscriptions")
    policies = {e["id"] for e in practice.ledger if e["kind"] == "secret" and e["stream"] == "patient_insurance"}
    seen = set()
    for number in practice.people:
        fields = landed.person(number)["by_name"]
        covers = [
            cover
            for cover in practice.of("patient_insurance", number)
            if (cover["terminated_on"] or subscriptions[cover["subscription_id"]]["terminated_on"] or "9999")
            >= str(AS_OF)
        ]
        for place, prefix in (("1", ""), ("2", "Secondary_")):
            cover = next((cover for cover in covers if cover["ordinal"] == place), None)
            wanted: dict[str, str | None] = {
                "Insurance_Carrier__c": None,
                "Policy_Number__c": None,
                "Coverage_Type__c": None,
            }
            if cover is not None:
                plan = plans[cover["plan_id"]]
                subscribed = subscriptions[cover["subscription_id"]]["policy_number"]
                wanted = {
                    "Insurance_Carrier__c": carriers[plan["carrier_id"]]["name"],
                    "Policy_Number__c": subscribed if cover["id"] in policies else cover["policy_number"],
                    "Coverage_Type__c": COVERAGES[plan["type"]],
                }
                seen.add((prefix, wanted["Coverage_Type__c"]))
            assert {name: fields.get(prefix + name) for name in wanted} == wanted, number
    assert {prefix for prefix, _ in seen} == {"", "Secondary_"}


def test_row_8_a_person_has_the_latest_prescription_and_the_history_of_all(practice: Practice, landed: Landed) -> None:
    most = 0
    for number in practice.people:
        drugs = sorted(practice.of("prescriptions", number), key=lambda drug: str(drug["prescribed_on"]))
        fields = landed.person(number)["by_name"]
        latest = drugs[-1] if drugs else {"prescribed_on": None, "drug": None}
        assert fields.get("Prescription_Date__c") == latest["prescribed_on"], number
        assert fields.get("Prescription_Medication__c") == latest["drug"], number
        history = (fields.get("Prescription_Notes__c") or "").split("\n") if drugs else []
        assert len(history) == len(drugs), number
        for line, drug in zip(history, drugs, strict=True):
            told = (
                drug["prescribed_on"],
                drug["drug"],
                drug["directions"],
                f"quantity: {drug['quantity']}",
                drug["notes"],
            )
            assert all(part in line for part in told if part), number
            assert ("controlled" in line) == (drug["controlled"] == "true")
        most = max(most, len(drugs))
    assert most >= 3


def test_row_9_a_referrer_is_an_organization_and_the_person_points_to_it(practice: Practice, landed: Landed) -> None:
    sources = practice.by_id("referral_sources")
    outside = {number: row for number, row in sources.items() if not row["patient_id"]}
    assert landed.keys("organization", "referral_sources") == set(outside)
    for number, row in outside.items():
        organization = landed.one("organization", "referral_sources", number)
        assert organization["name"] == (row["name"] or f"{row['first_name']} {row['last_name']}"), number
        address = ", ".join(
            p for p in (row["address"], row["city"], " ".join(filter(None, (row["state"], row["postal_code"])))) if p
        )
        assert _address(organization["address"]) == [address][: bool(address)], number
        told = organization["by_name"]["Referral_Details__c"]
        assert all(row[part] in told for part in ("specialty", "phone", "email", "note") if row[part]), number


def test_row_9_a_referrer_who_is_a_patient_links_to_that_person(practice: Practice, landed: Landed) -> None:
    sources = practice.by_id("referral_sources")
    kinds = set()
    for number in practice.people:
        received = [r for r in practice.of("patient_referrals", number) if r["direction"] == "from"]
        received = sorted((r for r in received if r["source_id"] in sources), key=lambda r: str(r["referred_on"]))
        organizations = [r["source_id"] for r in received if not sources[r["source_id"]]["patient_id"]]
        friends = [sources[r["source_id"]]["patient_id"] for r in received if sources[r["source_id"]]["patient_id"]]
        fields = landed.person(number)["by_name"]
        wanted = [landed.one("organization", "referral_sources", o)["id"] for o in organizations[:1]]
        assert _link(fields.get("Referral_Source_ID__c")) == wanted, number
        wanted = [landed.person(friend)["id"] for friend in friends[:1] if friend in practice.people]
        assert _link(fields.get("Referring_Patient__c")) == wanted, number
        kinds |= {"organization" for _ in organizations} | {"patient" for _ in friends}
    assert kinds == {"organization", "patient"}


def _link(value: int | None) -> list[int]:
    return [] if value is None else [value]


def test_row_10_a_person_has_the_balance_of_the_snapshot(practice: Practice, landed: Landed) -> None:
    written = {"(45.00)": -45.0, "120.50-": -120.5, "$1,234.56": 1234.56}
    seen = set()
    for number in practice.people:
        row = next(iter(practice.of("account_balances", number)), None)
        fields = landed.person(number)["by_name"]
        if row is None:
            assert not fields.keys() & {"Account_Balance__c", "Outstanding_Amount__c"}, number
            continue
        owed = written.get(row["balance"]) or float(row["balance"])
        assert fields["Account_Balance__c"] == {"value": owed, "currency": "USD"}, number
        assert fields["Outstanding_Amount__c"] == {"value": float(row["outstanding"]), "currency": "USD"}, number
        payments = [
            line["posted_on"]
            for line in practice.of("ledger", number)
            if line["kind"] in {"payment", "insurance_payment"} and line["posted_on"] <= str(AS_OF)
        ]
        paid = row["last_payment_on"] or max(payments, default=None)
        assert fields.get("Last_Payment_Date__c") == paid, number
        seen.add("credit" if owed < 0 else "due" if owed > 0 else "even")
    assert seen == {"credit", "due", "even"}


def test_row_11_a_person_has_the_providers_name_and_specialty(practice: Practice, landed: Landed) -> None:
    specialties = {row["id"]: row["name"] for row in practice.rows("definitions")}
    for number, row in practice.people.items():
        provider = practice.by_id("providers")[row["primary_provider_id"]]
        fields = landed.person(number)["by_name"]
        assert fields["Provider_Name__c"] == practice.provider(provider["id"]), number
        specialty = provider["specialty"] or specialties[provider["specialty_definition_id"]]
        assert fields["Provider_Specialty__c"] == specialty, number


def test_row_12_a_person_belongs_to_the_responsible_member_of_staff_or_the_fallback(
    practice: Practice, landed: Landed
) -> None:
    owners = set()
    for number in practice.people:
        owner = landed.person(number)["owner_id"]
        assert owner == landed.user(practice.patient_emails(number)), number
        owners.add(owner)
    departed = next(user for user in landed.state["user"] if not user["active_flag"])
    assert len(owners) == 2
    assert departed["id"] not in owners
    assert any((row["email"] or "").lower() == departed["email"] for row in practice.rows("staff"))


def test_row_14_a_person_has_the_recall_types_as_a_set(practice: Practice, landed: Landed) -> None:
    types = practice.by_id("recall_types")
    for number in practice.people:
        due = [r for r in practice.of("recalls", number) if r["disabled"] != "true"]
        names = {r["type_name"] or types.get(r["type_id"] or "", {}).get("name") for r in due} - {None}
        assert set(landed.person(number)["by_name"].get("Recall_Type__c") or ()) == names, number
