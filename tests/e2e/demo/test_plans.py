"""Row 5: treatment plans as deals, field by field."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from typing import TYPE_CHECKING

from tests.e2e.demo.conftest import Landed, Practice, utc

if TYPE_CHECKING:
    from tests.e2e.conftest import Doc
    from tests.e2e.demo.conftest import Row

STAGES = ("Proposed", "Accepted", "In Progress", "Completed", "Lost")
STAGE_OF = {
    "proposed": "Proposed",
    "accepted": "Accepted",
    "in_progress": "In Progress",
    "suspended": "In Progress",
    "completed": "Completed",
    "rejected": "Lost",
    "inactive": "Lost",
}
REASONS = {"rejected": "Rejected", "inactive": "Inactive"}


def _plans(practice: Practice) -> dict[str, Row]:
    return {row["id"]: row for row in practice.moving("treatment_plans")}


def _items(practice: Practice, plan: str) -> list[Row]:
    return [row for row in practice.rows("treatment_plan_items") if row["plan_id"] == plan]


def _stage(practice: Practice, plan: Row) -> str:
    """Return the stage: by the plan's own status; where that is not known, by its items."""
    if plan["status"] in STAGE_OF:
        return STAGE_OF[plan["status"]]
    statuses = {item["status"] for item in _items(practice, plan["id"])}
    assert statuses == {"planned"}, "the example's plans without a status hold planned items"
    return "Proposed"


def _worth(items: list[Row]) -> Decimal:
    """Return fee by quantity less discount of what is not deleted."""
    return sum(
        (
            Decimal(item["fee"]) * int(item["quantity"] or 1) - Decimal(item["discount"] or 0)
            for item in items
            if item["status"] != "deleted"
        ),
        Decimal(0),
    )


def _stage_name(landed: Landed, deal: Doc) -> str:
    pipelines = {pipeline["id"]: pipeline["name"] for pipeline in landed.state["pipeline"]}
    stage = next(stage for stage in landed.state["stage"] if stage["id"] == deal["stage_id"])
    assert pipelines[stage["pipeline_id"]] == "Treatment Plans"
    return str(stage["name"])


def test_row_5_the_pipeline_has_its_five_stages_in_order(landed: Landed) -> None:
    (pipeline,) = [pipeline for pipeline in landed.state["pipeline"] if pipeline["name"] == "Treatment Plans"]
    stages = sorted(
        (stage for stage in landed.state["stage"] if stage["pipeline_id"] == pipeline["id"]),
        key=lambda stage: int(stage["order_nr"]),
    )

    assert tuple(stage["name"] for stage in stages) == STAGES


def test_row_5_each_plan_is_one_deal_whatever_number_of_items_it_has(practice: Practice, landed: Landed) -> None:
    plans = _plans(practice)

    assert landed.keys("deal", "treatment_plans") == set(plans)
    counts = {len(_items(practice, plan)) for plan in plans}
    assert 0 in counts
    assert max(counts) > 3
    assert {_stage(practice, plan) for plan in plans.values()} == set(STAGES)


def test_row_5_a_deal_has_the_plans_title_value_person_and_owner(practice: Practice, landed: Landed) -> None:
    presenters = practice.by_id("staff")
    for number, plan in _plans(practice).items():
        deal = landed.one("deal", "treatment_plans", number)
        name = practice.name(practice.people[plan["patient_id"]])
        assert deal["title"] == f"{plan['heading']} - {name}", number
        assert Decimal(str(deal["value"])) == _worth(_items(practice, number)), number
        assert deal["currency"] == "USD"
        assert deal["person_id"] == landed.person(plan["patient_id"])["id"], number
        presenter = presenters.get(plan["presenter_id"] or "", {})
        emails = practice.provider_emails(plan["provider_id"]) + practice.staff_emails(presenter.get("id"))
        assert deal["owner_id"] == landed.user(emails), number
        assert deal["by_name"]["Original_Create_Date__c"] == plan["proposed_on"], number


def test_row_5_a_deal_is_in_its_stage_and_won_or_lost_at_the_original_time(practice: Practice, landed: Landed) -> None:
    for number, plan in _plans(practice).items():
        deal = landed.one("deal", "treatment_plans", number)
        stage = _stage(practice, plan)
        assert _stage_name(landed, deal) == stage, number
        status = {"Completed": "won", "Lost": "lost"}.get(stage, "open")
        assert deal["status"] == status, number
        closed = plan["completed_on"] if status == "won" else plan["closed_on"] if status == "lost" else None
        moment = f"{utc(closed + 'T00:00:00'):%Y-%m-%dT%H:%M:%SZ}" if closed else None
        assert deal["won_time"] == (moment if status == "won" else None), number
        assert deal["lost_time"] == (moment if status == "lost" else None), number
        assert deal["lost_reason"] == REASONS.get(plan["status"]), number


def test_row_5_a_deal_names_its_procedures_and_their_codes(practice: Practice, landed: Landed) -> None:
    for number in _plans(practice):
        items = _items(practice, number)
        fields = landed.one("deal", "treatment_plans", number)["by_name"]
        assert _codes(fields.get("Procedure_Code__c")) == list(dict.fromkeys(item["code"] for item in items)), number
        told = (fields.get("Procedure_Details__c") or "").split("\n") if items else []
        assert len(told) == len(items), number
        for line, item in zip(told, items, strict=True):
            amount = Decimal(item["fee"]) * int(item["quantity"]) - Decimal(item["discount"] or 0)
            parts = [item["code"], item["description"], item["surface"], f"{amount:.2f}", item["status"]]
            parts += [f"tooth {item['tooth']}" if item["tooth"] else None, item["completed_on"] or item["planned_on"]]
            assert all(part in line for part in parts if part), number


def test_row_5_what_else_the_plan_says_stands_in_its_details(practice: Practice, landed: Landed) -> None:
    staff = practice.by_id("staff")
    for number, plan in _plans(practice).items():
        told = dict(
            line.partition(": ")[::2]
            for line in landed.one("deal", "treatment_plans", number)["by_name"]["Treatment_Plan_Details__c"].split(
                "\n"
            )
        )
        wanted = {
            "Heading": plan["heading"],
            "Status": plan["status"],
            "Provider": practice.provider(plan["provider_id"]),
            "Presented by": staff[plan["presenter_id"]]["name"] if plan["presenter_id"] else None,
            "Signed": plan["signed_at"].replace("T", " ")[:16] if plan["signed_at"] else None,
            "Completed": plan["completed_on"],
            "Closed": plan["closed_on"],
            "Note": plan["note"],
        }
        assert {label: told.get(label) for label in wanted} == wanted, number
        assert ("No items" in told) == (not _items(practice, number)), number


def test_row_5_planned_items_without_a_plan_are_one_deal_per_patient_day_and_provider(
    practice: Practice, landed: Landed
) -> None:
    groups: dict[str, list[Row]] = defaultdict(list)
    for item in practice.moving("treatment_plan_items"):
        if not item["plan_id"] and item["status"] != "deleted":
            groups[f"{item['patient_id']}@{item['planned_on']}@{item['provider_id']}"].append(item)

    assert groups
    assert landed.keys("deal", "planned_items") == set(groups)
    for key, items in groups.items():
        deal = landed.one("deal", "planned_items", key)
        name = practice.name(practice.people[items[0]["patient_id"]])
        assert deal["title"] == f"Treatment plan {items[0]['planned_on']} - {name}"
        assert Decimal(str(deal["value"])) == _worth(items)
        assert (_stage_name(landed, deal), deal["status"]) == ("Proposed", "open")
        assert deal["person_id"] == landed.person(items[0]["patient_id"])["id"]


def test_row_5_a_person_has_a_line_for_each_plan(practice: Practice, landed: Landed) -> None:
    for number in practice.people:
        plans = practice.of("treatment_plans", number)
        loose = [item for item in practice.of("treatment_plan_items", number) if not item["plan_id"]]
        told = landed.person(number)["by_name"].get("Treatment_Plan_Summary__c")
        found = told.split("\n") if told else []
        assert len(found) == len(plans) + bool(loose), number
        for plan in plans:
            worth = f"{_worth(_items(practice, plan['id'])):.2f}"
            assert any(plan["proposed_on"] in line and plan["heading"] in line and worth in line for line in found), (
                number
            )


def _codes(told: str | None) -> list[str]:
    return told.split(", ") if told else []
