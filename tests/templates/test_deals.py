"""Treatment plans: what small invented plans and planned items become, field by field."""

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
        ("rejected", [{"planned_on": "2027-01-01"}], {}, "Lost", "lost", "2026-06-30T05:00:00Z"),
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


def test_a_deal_belongs_to_its_provider_as_staff_or_as_provider_else_to_who_presented_it(
    practice: Callable[..., Make], known_users: set[tuple[str, str]]
) -> None:
    given = practice().add("patients", "1", status="patient", last_name="Quill").add("staff", "t", name="Cy")
    given.add("staff", "s", name="Bo", provider_id="p")
    given.add("treatment_plans", "1", patient_id="1", status="unknown", provider_id="p", presenter_id="t")
    given.add("treatment_plan_items", "i", patient_id="1", status="planned", provider_id="p")
    owners = []

    for user in (("none", ""), ("staff", "t"), ("providers", "p"), ("staff", "s")):
        known_users.add(user)
        owners.append(tuple(given.one(entry, number).links["owner_id"].key for entry, number in TWO_WAYS))

    assert owners == [
        ("dental:providers:p", "dental:providers:p"),
        ("dental:staff:t", "dental:providers:p"),
        ("dental:providers:p", "dental:providers:p"),
        ("dental:staff:s", "dental:staff:s"),
    ]


TWO_WAYS = (("treatment_plans", "1"), ("planned_items", "i"))


def test_linked_items_land_in_the_deal_of_their_plan(practice: Callable[..., Make]) -> None:
    given = practice().add("patients", "1", status="patient", last_name="Quill")
    given.add("treatment_plans", "1", patient_id="1", status="unknown", heading="Crowns")
    for number in ("a", "b", "c"):
        given.add("treatment_plan_items", number, patient_id="1", status="planned", fee="10", code=f"D{number}")
    given.add("treatment_plan_links", "1-a", plan_id="1", item_id="a")
    given.add("treatment_plan_links", "9-c", plan_id="9", item_id="c")

    deal, person = given.one("treatment_plans", "1"), given.one("patients", "1")

    assert (deal.fields["value"], deal.fields["Procedure_Code__c"]) == ("10.00", "Da")
    assert [item.role for item in deal.contributions if item.stream == "treatment_plan_links"] == ["folded"]
    assert ("treatment_plan_items", "a") in given.used
    assert given.run("planned_items", "a") is None
    assert given.one("planned_items", "b").fields["value"] == "20.00"
    assert str(person.fields["Treatment_Plan_Summary__c"]).splitlines() == [
        "Crowns: proposed, 10.00", "2 planned items without a plan: 20.00",
    ]  # fmt: skip


LIVE_PLANS: dict[str, tuple[list[str | None], str, str, str, str | None]] = {
    "all done": (["completed", "completed"], "won", "Completed", "200.00", "2024-05-07"),
    "one left": (["completed", None], "open", "In Progress", "200.00", None),
    "done and deleted": (["completed", "deleted"], "won", "Completed", "100.00", "2024-05-06"),
    "referred out": (["referred_out"], "lost", "Lost", "100.00", None),
    "existing work": (["existing_other", "existing_current", "condition"], "open", "Proposed", "0.00", None),
}


@pytest.mark.parametrize("case", LIVE_PLANS)
@pytest.mark.parametrize("profile", ["full", "engagement"])
def test_a_procedure_that_is_done_and_still_attached_counts_in_the_deal_of_its_plan(
    practice: Callable[..., Make], case: str, profile: str
) -> None:
    statuses, status, stage, value, won = LIVE_PLANS[case]
    given = practice(profile).add("patients", "1", status="patient", last_name="Quill")
    given.add("treatment_plans", "1", patient_id="1", status="unknown", proposed_on="2024-01-02")
    given.records |= {"treatment_plan_items": {}, "procedures": {}}
    for at, each in enumerate(statuses):
        given.add("treatment_plan_links", f"1-{at}", plan_id="1", item_id=f"{at}", procedure_id=f"{at}")
        day = f"2024-05-0{at + 6}"
        if each is None:
            given.add("treatment_plan_items", f"{at}", patient_id="1", status="planned", fee="100", code="D0001")
        else:
            given.add("procedures", f"{at}", patient_id="1", status=each, fee="100", performed_on=day, code="D0002")

    deal, person = given.one("treatment_plans", "1"), given.one("patients", "1")

    assert deal.fields["status"] == status
    assert deal.links["stage_id"].key == f"schema:stage/Treatment Plans/{stage}"
    assert deal.fields["value"] == value
    assert (str(deal.fields["won_time"])[:10] if deal.fields.get("won_time") else None) == won
    assert str(person.fields["Treatment_Plan_Summary__c"]) == f"2024-01-02: {stage.lower()}, {value}"


def test_a_copy_of_a_procedure_is_completed_when_the_procedure_is(practice: Callable[..., Make]) -> None:
    given = practice().add("patients", "1", status="patient", last_name="Quill")
    given.add("treatment_plans", "1", patient_id="1", status="unknown")
    given.add("procedures", "7", patient_id="1", status="completed", performed_on="2024-05-06")
    for number, procedure in (("x", "7"), ("y", "8")):
        given.add("treatment_plan_items", number, patient_id="1", plan_id="1", status="planned", procedure_id=procedure)

    assert given.one("treatment_plans", "1").links["stage_id"].key == "schema:stage/Treatment Plans/In Progress"


def test_an_item_that_only_a_link_leads_to_is_folded_into_the_plan(practice: Callable[..., Make]) -> None:
    given = plan(practice, "proposed", {"plan_id": None})
    given.add("treatment_plan_links", "t-i0", plan_id="t", item_id="i0")
    given.add("treatment_plan_links", "t-gone", plan_id="t", item_id="gone")

    made = given.one("treatment_plans", "t")

    assert made.fields["value"] == "100.00"
    assert {(each.stream, each.id, each.role) for each in made.contributions} == {
        ("treatment_plans", "t", "main"),
        ("treatment_plan_links", "t-i0", "folded"),
        ("treatment_plan_links", "t-gone", "folded"),
        ("treatment_plan_items", "i0", "folded"),
    }
