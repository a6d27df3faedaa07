"""What lands beside the fourteen rows: charts, talks, inline notes, documents, prospects, families, own columns."""

from __future__ import annotations

import hashlib
from collections import Counter
from typing import TYPE_CHECKING

from tests.e2e.demo.conftest import AS_OF, Landed, Practice, lines, utc

if TYPE_CHECKING:
    from tests.e2e.demo.conftest import Row

SITES = ("mb", "b", "db", "ml", "l", "dl")
TALKS = {
    "call": "Call",
    "email": "Email",
    "meeting": "Meeting",
    "text": "Text message",
    "letter": "Letter",
    "other": "Communication",
}
INLINE = {
    "medical_alert": "Medical alert",
    "address_note": "Address note",
    "financial_note": "Financial note",
    "appointment_note": "Appointment note",
    "treatment_note": "Treatment note",
}
LEFT_OUT = {"deleted", "existing_current", "existing_other", "referred_out"}


def test_a_person_has_the_newest_perio_exam_in_full_and_the_days_of_the_others(
    practice: Practice, landed: Landed
) -> None:
    most = 0
    for number in practice.people:
        exams = sorted(practice.of("perio_exams", number), key=lambda exam: str(exam["exam_date"]))
        told = landed.person(number)["by_name"].get("Perio_Measurements__c")
        assert bool(told) == bool(exams), number
        if not exams:
            continue
        rows = [row for row in practice.rows("perio_measurements") if row["exam_id"] == exams[-1]["id"]]
        found = told.split("\n")
        assert found[0] == f"Examination {exams[-1]['exam_date']}", number
        figures = Counter(line for line in found if line.startswith("Tooth "))
        assert figures == Counter(map(_perio_line, rows)), number
        earlier = ", ".join(exam["exam_date"] for exam in reversed(exams[:-1]))
        assert (f"Earlier examinations: {earlier}" in found) == bool(earlier), number
        assert exams[-1]["note"] is None or exams[-1]["note"] in found, number
        most = max(most, len(exams))
    assert most > 1


def _perio_line(row: Row) -> str:
    figures = " ".join(_figure(row[site], row["kind"]) for site in SITES)
    return f"Tooth {row['tooth']} {row['kind'].replace('_', ' ')} (MB B DB ML L DL): {figures}"


def _figure(cell: str | None, kind: str) -> str:
    """Return a figure as a dentist reads it: above 100 is a margin below the line, -1 was not measured."""
    if cell is None or int(cell) < 0:
        return "-"
    return str(100 - int(cell)) if kind == "gingival_margin" and int(cell) > 100 else cell


def test_a_person_has_the_dental_chart_a_line_a_tooth(practice: Practice, landed: Landed) -> None:
    charted = 0
    for number in practice.people:
        rows = practice.of("tooth_chart", number)
        told = landed.person(number)["by_name"].get("Dental_Chart__c")
        found = told.split("\n") if told else []
        assert len(found) == len({row["tooth"] for row in rows}), number
        by_tooth = dict(line.removeprefix("Tooth ").split(": ", 1) for line in found)
        for row in rows:
            parts = filter(None, (row["condition"], row["surface"], row["recorded_on"], row["note"]))
            assert all(part in by_tooth[row["tooth"]] for part in parts), number
        charted += bool(rows)
    assert charted > 3


def test_each_talk_is_a_done_activity_of_its_kind_at_its_time(practice: Practice, landed: Landed) -> None:
    staff = practice.by_id("staff")
    talks = {row["id"]: row for row in practice.moving("communications")}

    assert landed.keys("activity", "communications") == set(talks)
    assert {row["kind"] for row in talks.values()} == set(TALKS)
    for number, row in talks.items():
        activity = landed.one("activity", "communications", number)
        happened = utc(row["happened_at"])
        assert landed.type_name(activity) == TALKS[row["kind"]], number
        assert activity["subject"] == f"{TALKS[row['kind']]} - {row['topic']}", number
        assert (activity["due_date"], activity["due_time"]) == (f"{happened:%Y-%m-%d}", f"{happened:%H:%M:%S}"), number
        assert activity["done"] is (row["happened_at"] < f"{AS_OF}T00:00:00"), number
        assert activity["person_id"] == landed.person(row["patient_id"])["id"], number
        author = staff.get(row["author_id"] or "", {})
        emails = practice.staff_emails(row["author_id"]) + practice.provider_emails(author.get("provider_id"))
        assert activity["owner_id"] == landed.user(emails), number
        told = lines(activity["note"])
        assert f"At: {row['happened_at'][:16].replace('T', ' ')}" in told, number
        assert (f"By: {author.get('name')}" in told) == bool(author), number
        assert row["note"] is None or row["note"] in told, number


def test_the_notes_on_a_patients_card_are_a_note_of_the_person(practice: Practice, landed: Landed) -> None:
    wanted = {number for number, row in practice.people.items() if any(row[name] for name in INLINE)}

    assert {key.partition("#")[0] for key in landed.keys("note", "patients")} == wanted
    for number in wanted:
        told = [line for part in landed.parts("note", "patients", number) for line in lines(part["content"])]
        for name, label in INLINE.items():
            text = practice.people[number][name]
            first = f"{label}: {text.splitlines()[0]}" if text else None
            assert first is None or first in told, number
            assert all(line in told for line in (text or "").splitlines()[1:]), number


def test_a_condition_that_was_noted_is_a_note_and_other_peoples_work_stays_behind(
    practice: Practice, landed: Landed
) -> None:
    noted = {row["id"]: row for row in practice.moving("procedures") if row["status"] == "condition"}

    assert {key.partition("#")[0] for key in landed.keys("note", "procedures")} == set(noted)
    for number, row in noted.items():
        note = landed.one("note", "procedures", number)
        assert note["add_time"] == f"{utc(row['performed_on'] + 'T00:00:00'):%Y-%m-%d %H:%M:%S}", number
        assert row["code"] in lines(note["content"])[0], number
    left = {row["id"] for row in practice.rows("procedures") if row["status"] in LEFT_OUT}
    assert left
    assert not left & landed.keys("activity", "procedures")


def test_each_document_is_a_file_with_its_bytes_on_its_person_or_appointment(
    practice: Practice, landed: Landed
) -> None:
    visits = landed.keys("activity", "appointments")
    wanted: Counter[tuple[str, str, int, int | None]] = Counter()
    for row in practice.moving("documents"):
        content = (practice.out / row["path"]).read_bytes()
        activity = row["appointment_id"] if row["appointment_id"] in visits else None
        wanted[
            row["name"],
            hashlib.sha256(content).hexdigest(),
            landed.person(row["patient_id"])["id"],
            landed.one("activity", "appointments", activity)["id"] if activity else None,
        ] += 1

    found = Counter((f["name"], f["sha256"], f["person_id"], f["activity_id"]) for f in landed.state["file"])

    assert found == wanted
    assert {bool(activity) for *_, activity in wanted} == {True, False}
    names = Counter(name for name, _, _, _ in wanted)
    assert max(names.values()) > 1, "two documents of one name, told apart by their bytes"


def test_what_a_file_has_no_place_for_stands_in_a_note_of_its_person(practice: Practice, landed: Landed) -> None:
    rows = practice.moving("documents")
    for row in rows:
        (note,) = landed.parts("note", "document_lists", row["patient_id"])
        assert note["person_id"] == landed.person(row["patient_id"])["id"]
        told = ", ".join((row["name"], row["created_at"][:10], row["category"], row["description"]))
        assert told in lines(note["content"]), row["id"]
    assert len(rows) > 50


def test_each_prospect_is_a_lead_on_its_person(practice: Practice, landed: Landed) -> None:
    prospects = {number for number, row in practice.people.items() if row["status"] == "prospective"}
    assert prospects
    assert landed.keys("lead", "patients") == prospects
    for number in prospects:
        lead = landed.one("lead", "patients", number)
        name = practice.name(practice.people[number])
        assert lead["title"] == f"Prospective patient - {name}"
        assert lead["person_id"] == landed.person(number)["id"]
        assert lead["by_name"]["Original_Create_Date__c"] == practice.people[number]["created_at"][:10]


def test_each_row_of_leads_is_a_lead_a_person_and_a_note(practice: Practice, landed: Landed) -> None:
    rows = practice.by_id("leads")
    assert landed.keys("lead", "leads") == set(rows)
    for number, row in rows.items():
        lead, person = landed.one("lead", "leads", number), landed.one("person", "leads", number)
        name = " ".join(filter(None, (row["first_name"], row["last_name"])))
        assert person["name"] == name, number
        assert [phone["value"] for phone in person["phones"]] == [row["phone"]][: bool(row["phone"])], number
        assert [email["value"] for email in person["emails"]] == [row["email"]][: bool(row["email"])], number
        assert person["by_name"]["Patient_Status__c"] == "Prospective"
        assert (lead["title"], lead["person_id"]) == (f"Lead - {name}", person["id"]), number
        assert lead["by_name"]["Original_Create_Date__c"] == row["created_at"][:10], number
        (note,) = landed.parts("note", "leads", number)
        assert note["lead_id"] == lead["id"], number
        assert note["add_time"] == f"{utc(row['created_at']):%Y-%m-%d %H:%M:%S}", number
        assert row["note"] in lines(note["content"]), number


def test_a_person_points_to_the_guarantor_cycles_and_missing_ones_included(practice: Practice, landed: Landed) -> None:
    families = practice.by_id("families")
    payers: dict[str, str] = {}
    for number, row in practice.people.items():
        payer = row["guarantor_id"] or families[row["family_id"]]["guarantor_id"]
        if payer != number and payer in practice.people:
            payers[number] = payer

    for number in practice.people:
        wanted = landed.person(payers[number])["id"] if number in payers else None
        assert landed.person(number)["by_name"].get("Guarantor__c") == wanted, number
    cycle = {entry["id"] for entry in practice.ledger if entry["kind"] == "guarantor_cycle"}
    gone = {entry["id"] for entry in practice.ledger if entry["kind"] == "guarantor_gone"}
    assert {payers[number] for number in cycle} == cycle
    assert len(cycle) == 2
    assert gone
    assert not gone & payers.keys()


def test_each_column_of_their_own_is_a_field_with_its_values(practice: Practice, landed: Landed) -> None:
    names = {row["name"] for row in practice.rows("custom_columns")}
    fields = {field["field_name"] for field in landed.state["field"] if field["of"] == "person"}
    assert len(names) == 4
    assert {f"{name} (custom)" for name in names} <= fields
    for number in practice.people:
        rows = practice.of("custom_columns", number)
        for name in names:
            values = "; ".join(row["value"] for row in rows if row["name"] == name)
            found = landed.person(number)["by_name"].get(f"{name} (custom)")
            assert (found or "") == values, (number, name)


def test_what_was_there_before_is_left_as_it_was(landed: Landed) -> None:
    assert landed.run.report["verified"]["left_alone"] == {}
    (pipeline,) = [pipeline for pipeline in landed.state["pipeline"] if pipeline["name"] == "Pipeline"]
    assert sum(stage["pipeline_id"] == pipeline["id"] for stage in landed.state["stage"]) == 5


def test_every_record_of_the_account_carries_a_source_key(landed: Landed) -> None:
    sources = {
        "activity": ("appointments", "procedures", "recalls", "communications"),
        "note": ("clinical_notes", "patients", "procedures", "leads", "charts", "document_lists"),
        "deal": ("treatment_plans", "planned_items"),
        "lead": ("patients", "leads"),
        "person": ("patients", "leads"),
        "organization": ("referral_sources",),
    }
    for name, streams in sources.items():
        assert sum(len(landed.keys(name, stream)) for stream in streams) == len(landed.state[name]), name
