"""The checks of a dental practice, record by record, over invented streams."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from flitstack.journal import Journal
from flitstack.protocols import Record, Stream, Where
from flitstack.stages.intake.validate import StagedRecords
from flitstack.validators import CHECKS as GENERIC
from flitstack_dental.layout import stream_schemas
from flitstack_dental.validators import CHECKS, SECTIONS, VALIDATORS
from flitstack_dental.validators.chart import is_tooth

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from flitstack.protocols import Finding


@pytest.fixture
def check(tmp_path: Path) -> Iterator[Callable[..., dict[str, Finding]]]:
    """Return `check(name, stream=[rows], ...)`: the findings of one check, by code; rows get ids of their own."""
    with Journal(tmp_path / "flit.db") as journal:

        def run(name: str, **streams: list[dict[str, Any]]) -> dict[str, Finding]:
            snapshot = journal.staging.begin("r", "t")
            for stream, rows in streams.items():
                journal.staging.add_stream(snapshot, Stream(stream, stream_schemas()[stream]))
                records = [
                    Record(stream, str(n), {"id": str(n), **row}, Where("f", n)) for n, row in enumerate(rows, 1)
                ]
                journal.staging.add(snapshot, records, frozenset())
            journal.staging.complete(snapshot, "t", "2026-06-30", [], "x")
            known = {name: Stream(name, schema) for name, schema in stream_schemas().items()}
            return {found.code: found for found in {**GENERIC, **CHECKS}[name](StagedRecords(journal, known))}

        yield run


def keys(found: dict[str, Finding]) -> dict[str, tuple[str, ...]]:
    return {code: line.keys for code, line in found.items() if line.keys}


@pytest.mark.parametrize("name", CHECKS)
def test_an_export_without_its_streams_gives_a_check_nothing_to_say(
    check: Callable[..., dict[str, Finding]], name: str
) -> None:
    assert set(check(name)) <= {"no_balances"}


def test_every_finding_stands_in_a_section_that_there_is(check: Callable[..., dict[str, Finding]]) -> None:
    assert len(SECTIONS) == 15
    assert {schema["x-section"] for schema in stream_schemas().values()} <= dict(SECTIONS).keys()
    assert len({validator.name for validator in VALIDATORS}) == len(CHECKS)


def test_circles_of_guarantors_are_found_whoever_hangs_on_them(check: Callable[..., dict[str, Finding]]) -> None:
    guarantors = ["2", "3", "1", "1", "5", None, "6"]  # 1 -> 2 -> 3 -> 1; 4 hangs on it; 5 pays for itself

    found = check("dental-families", patients=[{"status": "patient", "guarantor_id": g} for g in guarantors])

    assert sorted(found["guarantor_circle"].keys) == ["1", "2", "3"]
    assert (found["own_guarantor"].keys, found["no_guarantor"].keys) == (("5",), ("6",))


def test_appointments_are_looked_at_by_the_export_s_own_day(check: Callable[..., dict[str, Finding]]) -> None:
    booked = {"patient_id": "p", "status": "scheduled", "duration_minutes": 30}
    found = check(
        "dental-appointments",
        practice=[{"time_zone": "America/Chicago"}],
        appointments=[
            {**booked, "starts_at": "2026-06-29T09:00:00"},
            {**booked, "starts_at": "2026-06-30T09:00:00"},
            {**booked, "starts_at": "2026-07-01T09:00:00", "status": "completed"},
            {**booked, "starts_at": None},
            {**booked, "starts_at": None, "status": "planned"},
            {**booked, "starts_at": "2026-07-02T09:00:00", "patient_id": None},
            {**booked, "starts_at": "2026-03-08T02:30:00", "status": "completed"},
            {**booked, "starts_at": "2026-03-09T02:30:00", "status": "completed"},
            {**booked, "starts_at": "2026-06-30T09:00:00"},
        ],
    )

    assert keys(found) == {
        "stale_open": ("1",), "completed_in_future": ("3",), "no_day": ("4",), "no_calendar_day": ("5",),
        "no_patient": ("6",), "hour_never_was": ("7",), "appointment_twice": ("9",),
    }  # fmt: skip
    assert "no_time_zone" not in found


def test_without_a_stated_zone_one_is_asked_for(check: Callable[..., dict[str, Finding]]) -> None:
    found = check("dental-appointments", appointments=[{"status": "planned", "patient_id": "p"}])

    assert found["no_time_zone"].decision


def test_only_visits_of_one_provider_that_overlap_are_told(check: Callable[..., dict[str, Finding]]) -> None:
    visit = {"patient_id": "p", "status": "completed", "duration_minutes": 60, "provider_id": "a"}
    found = check(
        "dental-appointments",
        appointments=[
            {**visit, "starts_at": "2026-01-05T09:00:00"},
            {**visit, "starts_at": "2026-01-05T09:30:00"},
            {**visit, "starts_at": "2026-01-05T10:30:00"},
            {**visit, "starts_at": "2026-01-05T09:30:00", "provider_id": "b", "patient_id": "q"},
            {**visit, "starts_at": "2026-01-05T09:15:00", "status": "cancelled"},
        ],
    )

    assert found["overlapping"].keys == ("2",)


def test_a_plan_s_items_and_links_count_for_it(check: Callable[..., dict[str, Finding]]) -> None:
    item = {"patient_id": "p", "status": "planned", "fee": "10.00"}
    found = check(
        "dental-plans",
        treatment_plans=[{"patient_id": "p", "status": "active"}] * 5,
        treatment_plan_items=[
            {**item, "plan_id": "1"},
            {**item, "plan_id": "2", "discount": "10.00"},
            {**item, "plan_id": "3", "status": "deleted"},
            item,
            {**item, "status": "deleted"},
            item,
            {**item, "plan_id": "1", "fee": None},
        ],
        treatment_plan_links=[{"plan_id": "4", "item_id": "6"}],
    )

    assert keys(found) == {
        "item_without_plan": ("4",), "missing_fee": ("7",), "plan_without_items": ("5",),
        "plan_without_value": ("2", "3"),
    }  # fmt: skip


def test_a_plan_whose_attached_procedures_are_done_has_a_value(check: Callable[..., dict[str, Finding]]) -> None:
    links = [{"plan_id": str(n), "item_id": str(n), "procedure_id": str(n)} for n in (1, 2, 3)]
    done = {"patient_id": "p", "fee": "10.00"}
    tables: dict[str, Any] = {
        "treatment_plans": [{"patient_id": "p", "status": "unknown"}] * 3,
        "procedures": [{**done, "status": "completed"}, {**done, "status": "deleted"}],
        "treatment_plan_items": [],
        "treatment_plan_links": links,
    }

    assert keys(check("dental-plans", **tables)) == {"plan_without_value": ("2", "3")}
    assert keys(check("references", **tables)) == {"orphan": ("3",)}


def test_procedures_lack_what_they_lack(check: Callable[..., dict[str, Finding]]) -> None:
    sound = {"patient_id": "p", "status": "completed", "performed_on": "2026-01-05", "fee": "1.00", "code": "D0120"}
    rows: list[dict[str, Any]] = [
        {},
        {"fee": None},
        {"code": None},
        {"code": "LOCAL"},
        {"tooth": "99"},
        {"surface": "XQ"},
        {"performed_on": None},
    ]
    found = check("dental-procedures", procedures=[{**sound, **row} for row in rows], tooth_chart=[
        {"patient_id": "p", "tooth": "AS", "condition": "x"}, {"patient_id": "p", "tooth": "0", "condition": "x"},
    ])  # fmt: skip

    assert keys(found) == {
        "missing_fee": ("2",), "missing_code": ("3",), "local_code": ("4",), "implausible_tooth": ("2",),
        "implausible_surface": ("6",), "completed_without_day": ("7",), "supernumerary": ("1",),
    }  # fmt: skip
    assert found["procedure_statuses"].spread == (("completed", 7),)


@pytest.mark.parametrize(
    ("tooth", "there_is"),
    [("1", True), ("32", True), ("33", True), ("39", False), ("48", True), ("49", False), ("50", False), ("51", True),
     ("85", True), ("86", False), ("0", False), ("A", True), ("T", True), ("U", False), ("AS", True), ("14 ", True)],
)  # fmt: skip
def test_a_tooth_is_one_that_some_numbering_has(tooth: str, there_is: bool) -> None:
    assert is_tooth(tooth) is there_is


def test_recalls_are_told_once_by_what_becomes_of_them(check: Callable[..., dict[str, Finding]]) -> None:
    recall = {"patient_id": "1", "due_on": "2026-12-01"}
    found = check(
        "dental-recalls",
        patients=[{"status": "patient"}, {"status": "inactive"}],
        recalls=[
            {**recall, "type_id": "a", "interval": "6 months"},
            {**recall, "type_id": "b", "due_on": None},
            {**recall, "type_id": "c", "due_on": "2024-12-29"},
            {**recall, "type_id": "d", "due_on": "2024-12-30"},
            {**recall, "type_id": "e", "disabled": True},
            {**recall, "type_id": "a", "patient_id": "2"},
            {**recall, "type_id": "f", "scheduled_on": "2026-11-01"},
            {**recall, "type_id": "a", "interval": "twice"},
        ],
    )

    assert keys(found) == {
        "no_due_day": ("2",), "long_overdue": ("3",), "recall_disabled": ("5",), "recall_of_inactive": ("6",),
        "recall_booked": ("7",), "interval_unreadable": ("8",), "recall_twice": ("8",),
    }  # fmt: skip


def test_cover_takes_what_its_subscription_says(check: Callable[..., dict[str, Finding]]) -> None:
    found = check(
        "dental-insurance",
        insurance_carriers=[{"name": "Delta Dental"}, {"name": "DELTA  dental ins. co."}, {"name": "Aetna"}],
        insurance_plans=[
            {"carrier_id": c, "group_number": g} for c, g in (("1", "X"), ("2", "X"), ("3", "X"), ("1", "Y"))
        ],
        insurance_subscriptions=[{"plan_id": "1", "policy_number": "M1", "terminated_on": "2026-01-01"}],
        patient_insurance=[
            {"patient_id": "p", "subscription_id": "1", "ordinal": 1},
            {"patient_id": "p", "ordinal": 2, "policy_number": "2"},
            {"patient_id": "q", "ordinal": 2, "policy_number": "3", "pending": True},
            {"patient_id": "r", "ordinal": 1, "effective_on": "2026-02-01", "terminated_on": "2026-01-01"},
        ],
    )

    assert keys(found) == {
        "carrier_twice": ("2",), "placeholder_group": ("1", "2", "3"), "cover_expired": ("1", "4"),
        "ends_before_start": ("4",), "no_policy_number": ("4",), "cover_unverified": ("3",),
        "second_without_first": ("3",),
    }  # fmt: skip


def test_totals_are_summed_to_the_cent_and_not_rounded(check: Callable[..., dict[str, Finding]]) -> None:
    found = check(
        "dental-balances",
        account_balances=[
            {"patient_id": "1", "balance": "0.10", "outstanding": "0.10", "days_0_30": "0.10"},
            {"patient_id": "2", "balance": "0.20", "outstanding": "0.20", "days_0_30": "0.10"},
            {"patient_id": "3", "balance": "-1500.05", "outstanding": "0.00"},
            {"patient_id": "4", "balance": "7", "outstanding": "9"},
            {"patient_id": "5"},
        ],
    )

    figures = {code: line.figure for code, line in found.items() if line.figure}
    assert figures["total_owed"] == "7.30"
    assert figures["total_credit"] == "-1,500.05"
    assert figures["total_net"] == "-1,492.75"
    assert figures["total_days_0_30"] == "0.20"
    assert keys(found) == {
        "ageing_differs": ("2",), "large_credit": ("3",), "balances_disagree": ("4",), "balance_without_ageing": ("4",),
    }  # fmt: skip


def test_ledger_lines_that_undo_each_other_are_paired_off(check: Callable[..., dict[str, Finding]]) -> None:
    line = {"patient_id": "1", "kind": "payment", "posted_on": "2026-01-05"}
    found = check(
        "dental-ledger",
        ledger=[{**line, "amount": amount} for amount in ("5.00", "-5.00", "5.00", None, "0.00", "0.00")]
        + [{**line, "patient_id": "2", "amount": "-5.00"}],
    )

    assert keys(found) == {"no_amount": ("4",), "reversal": ("2",)}
    assert found["ledger_payment"].figure == "0.00"


def test_papers_are_looked_at_for_what_they_lack(check: Callable[..., dict[str, Finding]]) -> None:
    note = {"patient_id": "p", "written_at": "2026-01-05T09:00:00"}
    found = check(
        "dental-papers",
        clinical_notes=[{**note, "text": "x" * 100_001}, {**note, "text": "x", "written_at": None}],
        prescriptions=[{"patient_id": "p", "controlled": True}],
        communications=[{"patient_id": "p", "kind": "call"}],
        documents=[
            {"name": "a", "patient_id": "p", "sha256": "x", "size": 30_000_000},
            {"name": "b", "patient_id": "p"},
            {"name": "c", "sha256": "x", "size": 1},
        ],
    )

    assert keys(found) == {
        "oversize_note": ("1",), "note_without_day": ("2",), "controlled_drug": ("1",), "no_drug": ("1",),
        "talk_without_day": ("1",), "large_document": ("1",), "document_missing": ("2",), "document_of_nobody": ("3",),
    }  # fmt: skip
    assert dict(found["note_sizes"].spread)["longer"] == 1
