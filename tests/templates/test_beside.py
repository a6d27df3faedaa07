"""What stands beside the fourteen rows: charts, contacts, notes of the file, documents, prospects, custom columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from flitstack.protocols import LinkRef

if TYPE_CHECKING:
    from collections.abc import Callable

Make = Any


def patient(make: Callable[..., Make], **data: Any) -> Make:
    return make().add("patients", "1", **{"status": "patient", "first_name": "Ada", "last_name": "Quill", **data})


def test_the_newest_perio_examination_is_kept_in_full(practice: Callable[..., Make]) -> None:
    given = patient(practice)
    given.add("perio_exams", "new", patient_id="1", exam_date="2025-02-02", note="stable")
    given.add("perio_exams", "old", patient_id="1", exam_date="2024-01-01")
    given.add("perio_measurements", "m", exam_id="new", tooth="3", kind="gingival_margin", mb=2, b=105, db=-1)
    given.add("perio_measurements", "o", exam_id="old", tooth="3", kind="probing", mb=9)

    made = given.one("patients", "1")

    assert str(made.fields["Perio_Measurements__c"]).split("\n") == [
        "Examination 2025-02-02",
        "stable",
        "Tooth 3 gingival margin (MB B DB ML L DL): 2 -5 - - - -",
        "Earlier examinations: 2024-01-01",
    ]
    folded = {(item.stream, item.id) for item in made.contributions if item.role == "folded"}
    assert folded == {("perio_exams", "new"), ("perio_exams", "old"), ("perio_measurements", "m")}


def test_the_tooth_chart_has_a_line_per_tooth_newest_first(practice: Callable[..., Make]) -> None:
    given = patient(practice)
    given.add(
        "tooth_chart", "a", patient_id="1", tooth="14", condition="filling", surface="MO", recorded_on="2020-01-01"
    )
    given.add("tooth_chart", "b", patient_id="1", tooth="14", condition="crown", recorded_on="2024-01-01", note="gold")
    given.add("tooth_chart", "c", patient_id="1", tooth="3", condition="missing")
    given.add("tooth_chart", "d", patient_id="1", tooth="A", condition="exfoliated")

    made = given.one("patients", "1")

    assert str(made.fields["Dental_Chart__c"]).split("\n") == [
        "Tooth 3: missing",
        "Tooth 14: crown 2024-01-01 (gold); filling MO 2020-01-01",
        "Tooth A: exfoliated",
    ]


def test_a_chart_too_long_for_a_field_becomes_a_note(practice: Callable[..., Make]) -> None:
    given = patient(practice)
    given.add("tooth_chart", "a", patient_id="1", tooth="14", condition="crown", note="x" * 61_000)

    note = given.one("chart_notes", "1")

    assert "note" in str(given.one("patients", "1").fields["Dental_Chart__c"])
    assert (note.object, note.key) == ("note", "dental:charts:1")
    assert str(note.fields["content"]).startswith("Dental chart: Tooth 14: crown (x")
    assert given.run("chart_notes", "1") != []


def test_a_short_chart_makes_no_note(practice: Callable[..., Make]) -> None:
    given = patient(practice).add("tooth_chart", "a", patient_id="1", tooth="14", condition="crown")

    assert given.run("chart_notes", "1") == []


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("call", "Call"),
        ("email", "Email"),
        ("meeting", "Meeting"),
        ("text", "Text message"),
        ("other", "Communication"),
    ],
)
def test_a_communication_is_a_done_activity_at_its_original_time(
    practice: Callable[..., Make], known_users: set[tuple[str, str]], kind: str, name: str
) -> None:
    given = patient(practice).add("definitions", "d", name="Billing").add("staff", "s", name="Bo Lee")
    known_users.add(("staff", "s"))
    given.add(
        "communications", "c", patient_id="1", kind=kind, happened_at="2024-03-04T16:15:00", direction="in",
        topic_definition_id="d", note="called <back>", author_id="s",
    )  # fmt: skip

    made = given.one("communications", "c")

    assert made.fields == {
        "subject": f"{name} - Billing",
        "due_date": "2024-03-04",
        "due_time": "22:15",
        "done": True,
        "note": f"Kind: {kind}<br>Direction: from the patient<br>Topic: Billing<br>At: 2024-03-04 16:15"
        "<br>By: Bo Lee<br>called &lt;back&gt;",
    }
    assert made.links["type"].key == f"schema:activity_type//{name}"
    assert made.links["owner_id"] == LinkRef("user", "dental:staff:s")


def test_a_communication_without_a_date_is_rejected(practice: Callable[..., Make]) -> None:
    given = patient(practice).add("communications", "c", patient_id="1", kind="call")

    assert given.rule("communications", "c") == "rejected communication_without_time"


def test_notes_of_the_patient_file_become_one_note(practice: Callable[..., Make]) -> None:
    made = patient(practice, medical_alert="latex", financial_note="pays late").one("patient_notes", "1")

    assert made.fields == {"content": "Medical alert: latex<br>Financial note: pays late"}
    assert made.links == {"person_id": LinkRef("person", "dental:patients:1", required=True)}


def test_a_patient_who_does_not_move_leaves_no_note_behind(practice: Callable[..., Make]) -> None:
    assert patient(practice, status="deleted", medical_alert="latex").run("patient_notes", "1") is None


def test_a_document_hangs_on_its_person_and_visit(practice: Callable[..., Make]) -> None:
    given = patient(practice).add("appointments", "a", patient_id="1", status="completed")
    given.add("documents", "d", appointment_id="a", name="x.pdf", path="files/x.pdf", size=12, sha256="00")

    made = given.one("documents", "d")

    assert (made.object, made.fields) == (
        "file", {"name": "x.pdf", "size": 12, "sha256": "00", "path": "files/x.pdf"},
    )  # fmt: skip
    assert made.links == {
        "person_id": LinkRef("person", "dental:patients:1", required=True),
        "activity_id": LinkRef("activity", "dental:appointments:a"),
    }


@pytest.mark.parametrize(
    ("data", "rule"),
    [
        ({"patient_id": "1", "path": "files/x.pdf", "sha256": None}, "rejected document_missing"),
        ({"patient_id": "1", "path": None}, "rejected document_missing"),
        ({"path": "files/x.pdf", "sha256": "00"}, "skipped document_without_patient"),
    ],
)
def test_documents_are_left_out_under_named_rules(
    practice: Callable[..., Make], data: dict[str, Any], rule: str
) -> None:
    given = patient(practice).add("documents", "d", name="x.pdf", **data)

    assert given.rule("documents", "d") == rule


def test_a_prospective_patient_is_a_person_and_a_lead(practice: Callable[..., Make]) -> None:
    given = patient(practice, status="prospective", created_at="2026-01-02T10:00:00")

    lead = given.one("prospective_patients", "1")

    assert given.one("patients", "1").fields["Patient_Status__c"] == "Prospective"
    assert (lead.object, lead.key, lead.fields) == (
        "lead",
        "dental:patients:1",
        {"title": "Prospective patient - Ada Quill", "Original_Create_Date__c": "2026-01-02"},
    )
    assert lead.links["person_id"] == LinkRef("person", "dental:patients:1", required=True)


def test_a_lead_without_a_chart_is_a_person_a_lead_and_a_note(practice: Callable[..., Make]) -> None:
    given = practice()
    given.add(
        "leads", "9", first_name="Cy", last_name="Orr", phone="555-0100", email="cy@example.com", source="Web",
        note="asks for implants", created_at="2026-02-03T08:00:00",
    )  # fmt: skip

    person, lead, note = (given.one(entry, "9") for entry in ("lead_persons", "leads", "lead_notes"))

    assert person.fields == {
        "name": "Cy Orr",
        "phones": [{"value": "555-0100", "label": "other", "primary": True}],
        "emails": [{"value": "cy@example.com", "label": "other", "primary": True}],
        "add_time": "2026-02-03T14:00:00Z",
        "Original_Create_Date__c": "2026-02-03",
        "Patient_Status__c": "Prospective",
    }
    assert (lead.object, lead.fields["title"]) == ("lead", "Lead - Cy Orr")
    assert lead.links["person_id"] == LinkRef("person", "dental:leads:9", required=True)
    assert note.fields["content"] == "Source: Web<br>asks for implants"
    assert note.links == {"lead_id": LinkRef("lead", "dental:leads:9", required=True)}


def test_guarantors_are_linked_through_the_family_and_never_to_oneself(practice: Callable[..., Make]) -> None:
    given = patient(practice, family_id="f").add("families", "f", guarantor_id="2", name="Quill")
    given.add("patients", "2", status="patient", last_name="Quill", guarantor_id="2")

    assert given.one("patients", "1").links["Guarantor__c"] == LinkRef("person", "dental:patients:2")
    assert "Guarantor__c" not in given.one("patients", "2").links


def test_custom_columns_have_a_field_each_whatever_their_names(practice: Callable[..., Make]) -> None:
    given = patient(practice)
    given.add("custom_columns", "a", patient_id="1", name="Shoe: size #1", value="42")
    given.add("custom_columns", "b", patient_id="1", name="Shoe: size #1", value="43")
    given.add("custom_columns", "c", patient_id="1", name="Guarantor", value="none")

    fields = given.one("patients", "1").fields

    assert (fields["Shoe: size #1 (custom)"], fields["Guarantor (custom)"]) == ("42; 43", "none")


@pytest.mark.parametrize(
    ("data", "variables", "rule"),
    [
        ({"status": "deleted"}, {}, "skipped deleted_patient"),
        ({"status": "deceased"}, {}, "skipped deceased_patient"),
        ({"death_date": "2020-01-01"}, {}, "skipped deceased_patient"),
        ({"status": "non_patient"}, {"non_patients": "skip"}, "skipped non_patient"),
        ({"status": "archived"}, {"archived": "skip"}, "skipped archived_patient"),
        ({"first_name": None, "last_name": " "}, {}, "rejected missing_name"),
    ],
)
def test_patients_are_left_out_under_named_rules(
    practice: Callable[..., Make], data: dict[str, Any], variables: dict[str, str], rule: str
) -> None:
    given = practice(**variables).add("patients", "1", **{"status": "patient", "last_name": "Quill", **data})

    assert given.rule("patients", "1") == rule


@pytest.mark.parametrize("status", ["patient", "non_patient", "inactive", "archived", "prospective"])
def test_everybody_else_moves(practice: Callable[..., Make], status: str) -> None:
    assert patient(practice, status=status).one("patients", "1").fields["name"] == "Ada Quill"
