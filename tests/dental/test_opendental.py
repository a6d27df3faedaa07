"""Open Dental's tables become neutral streams: codes decoded, rows routed, several records made of one row."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from flitstack.errors import NotAnExportError
from flitstack.protocols import Record, Rejection
from flitstack_dental.reader import open_export

if TYPE_CHECKING:
    from pathlib import Path

FILES = {
    "patient": """\
PatNum,LName,FName,PatStatus,Gender,Position,Birthdate,SSN,Address,City,State,Zip,HmPhone,WkPhone,WirelessPhone,\
Guarantor,Email,EstBalance,BalTotal,PriProv,SecProv,TxtMsgOk,DateTStamp,SecDateEntry,DateTimeDeceased,MedUrgNote
7,Aldous,Ann,0,1,1,1980-02-03,666123456,1 Elm St,Oak,OH,04512,(555)010-0001,(   )   -    ,555.010.0002,7,\
ann@example.com,-12.50,40.00,2,0,1,2026-01-02 03:04:05.6,2019-05-06,0001-01-01,Latex
8,Aldous,Bob,6,0,2,0001-01-01,666123457,,,,,,,,7,,,,0,0,0,2026-01-02 03:04:05.7,0001-01-01,0001-01-01,
9,Crane,Cy,9,0,0,1990-01-01,666123458,,,,,,,,9,,,,0,0,0,,,,
""",
    "appointment": """\
AptNum,PatNum,AptStatus,Pattern,Confirmed,ProvNum,ProvHyg,AptDateTime,IsNewPatient,AppointmentTypeNum,ClinicNum
1,7,2,/XX/,20,2,0,2024-03-04 09:00:00,t,1,0
2,7,5,RRR,0,2,0,2024-03-05 09:00:00,f,1,0
3,7,7,X,0,2,0,2024-03-06 09:00:00,f,1,0
4,0,1,X,0,2,0,2024-03-07 09:00:00,f,1,0
5,7,UnschedList,X,0,2,0,0001-01-01 00:00:00,f,1,0
6,7,11,X,0,2,0,2024-03-08 09:00:00,f,1,0
""",
    "procedurelog": """\
ProcNum,PatNum,AptNum,ProcDate,ProcFee,Surf,ToothNum,ProcStatus,ProvNum,CodeNum,UnitQty,DateTP,DateComplete
1,7,1,2024-03-04,75,MOD,14,2,2,3,1,0001-01-01,2024-03-04
2,7,1,2024-03-04,125.5,,,1,2,4,1,2024-02-01,0001-01-01
3,7,1,2024-03-04,10,,,8,2,4,1,,
4,7,1,2024-03-04,10,,,6,2,4,1,,
5,7,1,2024-03-04,10,,,TP,2,4,1,,
6,7,1,2024-03-04,10,,,42,2,4,1,,
""",
    "patientnote": "PatNum,FamFinancial,Medical,Treatment,SecDateTEdit\n7,Pays late,Latex,,2026-01-01\n8,,,,\n",
    "insplan": "PlanNum,GroupNum,PlanType,CarrierNum\n1,G1,,1\n2,G2,p,1\n3,G3,Z,0\n",
    "recall": "RecallNum,PatNum,DateDueCalc,DateDue,RecallInterval,IsDisabled,RecallTypeNum,RecallStatus\n"
    "1,7,2024-01-01,2024-09-01,393217,0,1,5\n2,7,2024-01-01,0001-01-01,6,1,1,0\n",
    "refattach": "RefAttachNum,ReferralNum,PatNum,RefType,RefDate\n1,1,7,0,2024-01-01\n2,1,7,t,\n3,1,7,2,\n",
    "definition": "DefNum,Category,ItemName\n20,2,Confirmed by phone\n5,13,Left message\n9,99,Else\n",
    "payment": "PayNum,PayAmt,PatNum,PayDate\n1,20.00,7,2024-05-01\n",
    "adjustment": "AdjNum,AdjAmt,PatNum,AdjDate\n1,-8.32,7,2024-05-02\n",
    "provider": "ProvNum,Abbr,LName,FName,IsHidden,IsSecondary,NationalProvID,DEANum,Specialty\n"
    + "".join(f"{number},D{number},Doe,Dee,f,t,666-12-345{number},AB1,3\n" for number in range(1, 5)),
    "periomeasure": "PerioMeasureNum,PerioExamNum,SequenceType,IntTooth,ToothValue,MBvalue,Bvalue\n"
    "1,1,4,3,-1,3,-1\n2,1,2,3,-1,102,1\n3,1,0,3,2,-1,-1\n",
    "commlog": "CommlogNum,PatNum,CommDateTime,CommType,Mode_,SentOrReceived,UserNum,Note\n"
    "1,7,2024-01-02 10:00:00,5,3,2,1,Called\n2,7,2024-01-02 10:00:00,5,,,1,\n",
    "treatplan": "TreatPlanNum,PatNum,DateTP,Heading,TPStatus\n1,7,2024-02-01,Saved,0\n2,7,2024-02-02,Live,1\n"
    "3,7,2024-02-03,Old,2\n",
    "treatplanattach": "TreatPlanAttachNum,TreatPlanNum,ProcNum,Priority\n1,2,2,0\n2,2,5,31\n",
    "proctp": "ProcTPNum,TreatPlanNum,PatNum,ProcNumOrig,ToothNumTP,Surf,ProcCode,Descript,FeeAmt,Discount\n"
    "2,1,7,2,14,MO,D2740,Crown,900.00,50\n",
    "procnote": "ProcNoteNum,PatNum,ProcNum,EntryDateTime,UserNum,Note\n4,7,1,2024-03-04 10:00:00,1,Draft\n"
    "5,7,1,2024-03-04 11:00:00,1,Final\n",
    "phonenumber": "PhoneNumberNum,PatNum,PhoneNumberVal,PhoneType\n1,7,555.010.0003,0\n2,7,(555)010-0001,HmPhone\n",
    "medicationpat": "MedicationPatNum,PatNum,MedDescript,DateStart,PatNote\n3,7,Ibuprofen,2024-01-05,at night\n",
    "histappointment": "HistApptNum,AptNum\n1,1\n",
    "zipcode": "ZipCodeNum,ZipCodeDigits\n1,04512\n",
}


SHARED = {
    "ledger": {"payment", "adjustment"},
    "treatment_plan_items": {"procedurelog", "proctp"},
    "clinical_notes": {"patientnote", "procnote", "medicationpat"},
    "contact_points": {"phonenumber"},
}
"""Streams that several files feed."""


@pytest.fixture(scope="module")
def streams(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Any]]:
    folder = tmp_path_factory.mktemp("opendental")
    for name, text in FILES.items():
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    reader = open_export(str(folder), {})
    assert reader.layout == "opendental"
    found = {stream.name: list(reader.read(stream.name)) for stream in reader.streams()}
    reader.close()
    return found


def rows(items: list[Any]) -> dict[str, Any]:
    return {item.id: item.data for item in items if isinstance(item, Record)}


def test_a_patient_row_becomes_a_patient_with_decoded_codes(streams: dict[str, list[Any]]) -> None:
    ann, bob = rows(streams["patients"]).values()

    assert ann == {
        "id": "7", "last_name": "Aldous", "first_name": "Ann", "status": "patient", "original_status": "Patient",
        "sex": "female", "marital_status": "married", "birth_date": "1980-02-03", "primary_provider_id": "2",
        "guarantor_id": "7", "family_id": "7", "text_ok": True, "medical_alert": "Latex",
        "created_at": "2019-05-06T00:00:00", "updated_at": "2026-01-02 03:04:05.6",
    }  # fmt: skip
    assert bob["status"] == "prospective"
    assert not {"birth_date", "created_at", "text_ok", "primary_provider_id"} & bob.keys()


def test_an_unknown_status_is_rejected_and_names_the_column(streams: dict[str, list[Any]]) -> None:
    rejected = streams["patients"][2]

    assert isinstance(rejected, Rejection)
    assert (rejected.code, rejected.id, rejected.field) == ("unknown_code", "9", "PatStatus")
    assert "patients.status" in rejected.hint


def test_addresses_contacts_families_and_balances_come_from_the_same_row(streams: dict[str, list[Any]]) -> None:
    assert rows(streams["addresses"])["7-mailing"]["postal_code"] == "04512"
    assert {key: row["value"] for key, row in rows(streams["contact_points"]).items()} == {
        "7-mobile": "555.010.0002",
        "7-home": "(555)010-0001",
        "7-email": "ann@example.com",
        "phonenumber-1": "555.010.0003",
        "phonenumber-2": "(555)010-0001",
    }
    assert rows(streams["families"]).keys() == {"7", "9"}
    assert rows(streams["account_balances"])["7"]["balance"] == "-12.50"


def test_appointment_codes_and_lengths_are_decoded(streams: dict[str, list[Any]]) -> None:
    found = rows(streams["appointments"])

    assert {key: row["status"] for key, row in found.items()} == {
        "1": "completed",
        "2": "no_show",
        "3": "not_appointment",
        "4": "not_appointment",
        "5": "unscheduled",
    }
    assert [row["duration_minutes"] for row in found.values()] == [20, 15, 5, 5, 5]
    assert found["1"]["confirmation_definition_id"] == "2-20"
    assert found["2"]["original_status"] == "Broken"
    assert "starts_at" not in found["5"]
    assert [item.code for item in streams["appointments"] if isinstance(item, Rejection)] == ["unknown_code"]


def test_each_procedure_row_is_in_exactly_one_stream(streams: dict[str, list[Any]]) -> None:
    items, done = rows(streams["treatment_plan_items"]), rows(streams["procedures"])

    assert {key: row["status"] for key, row in items.items()} == {
        "2": "planned", "3": "inactive", "5": "planned", "proctp-2": "planned",
    }  # fmt: skip
    assert {key: row["status"] for key, row in done.items()} == {"1": "completed", "4": "deleted"}
    assert [item.id for item in streams["procedures"] if isinstance(item, Rejection)] == ["6"]
    assert (items["2"]["planned_on"], items["3"]["planned_on"]) == ("2024-02-01", "2024-03-04")
    assert (done["1"]["fee"], done["1"]["tooth"], done["1"]["surface"]) == ("75", "14", "MOD")


def test_each_filled_note_of_a_patient_is_a_note(streams: dict[str, list[Any]]) -> None:
    assert {key: row["text"] for key, row in rows(streams["clinical_notes"]).items()} == {
        "7-financial": "Pays late",
        "7-medical": "Latex",
        "4": "Draft",
        "5": "Final",
        "medication-3": "Ibuprofen: at night",
    }


def test_plans_their_live_items_and_their_saved_ones(streams: dict[str, list[Any]]) -> None:
    assert [plan["status"] for plan in rows(streams["treatment_plans"]).values()] == ["unknown", "unknown", "inactive"]
    assert rows(streams["treatment_plan_links"]) == {
        "2-2": {"id": "2-2", "plan_id": "2", "item_id": "2", "procedure_id": "2"},
        "2-5": {"id": "2-5", "plan_id": "2", "item_id": "5", "procedure_id": "5", "priority_definition_id": "20-31"},
    }
    assert rows(streams["treatment_plan_items"])["proctp-2"] == {
        "id": "proctp-2", "status": "planned", "plan_id": "1", "patient_id": "7", "procedure_id": "2", "code": "D2740",
        "description": "Crown", "tooth": "14", "surface": "MO", "fee": "900.00", "discount": "50",
    }  # fmt: skip


def test_versions_of_a_note_and_kinds_of_further_numbers_are_told(streams: dict[str, list[Any]]) -> None:
    notes, numbers = rows(streams["clinical_notes"]), rows(streams["contact_points"])

    assert [notes[number]["version_of"] for number in ("4", "5")] == ["1", "1"]
    assert [numbers[f"phonenumber-{number}"]["kind"] for number in (1, 2)] == ["other", "home"]


def test_a_plan_type_that_nobody_knows_is_unknown(streams: dict[str, list[Any]]) -> None:
    plans = rows(streams["insurance_plans"])

    assert [plan["type"] for plan in plans.values()] == ["unknown", "ppo", "unknown"]
    assert "carrier_id" not in plans["3"]


def test_the_rest_of_the_codebook(streams: dict[str, list[Any]]) -> None:
    assert [row["interval"] for row in rows(streams["recalls"]).values()] == ["6 months 1 day", "6 months"]
    assert [row["due_on"] for row in rows(streams["recalls"]).values()] == ["2024-09-01", "2024-01-01"]
    assert [row["direction"] for row in rows(streams["patient_referrals"]).values()] == ["to", "from", "custom"]
    assert {key: row["category"] for key, row in rows(streams["definitions"]).items()} == {
        "2-20": "appointment_confirmed",
        "13-5": "recall_status",
        "99-9": "other",
    }
    assert {key: row["kind"] for key, row in rows(streams["ledger"]).items()} == {
        "payment-1": "payment",
        "adjustment-1": "adjustment",
    }
    talks = rows(streams["communications"])
    assert [(talk["kind"], talk["direction"]) for talk in talks.values()] == [("call", "in"), ("other", "unknown")]
    measures = list(rows(streams["perio_measurements"]).values())
    assert [measure["kind"] for measure in measures] == ["probing", "gingival_margin", "mobility"]
    assert [(measure.get("mb"), measure.get("b")) for measure in measures] == [(3, None), (-2, 1), (None, 2)]
    provider = rows(streams["providers"])["1"]
    assert (provider["active"], provider["is_hygienist"]) == (True, True)


def test_no_secret_of_the_files_is_in_any_record(streams: dict[str, list[Any]]) -> None:
    assert not re.search(r"66612345|666-12|AB1", repr(streams))


def test_known_files_without_a_stream_are_named(tmp_path: Path) -> None:
    for name in ("patient", "zipcode"):
        (tmp_path / f"{name}.csv").write_text(FILES[name], encoding="utf-8")
    reader = open_export(str(tmp_path), {})

    (finding,) = [finding for finding in reader.findings() if finding.code == "file_not_used"]
    assert "zipcode.csv" in finding.message
    assert {file.name: file.role for file in reader.inventory()} == {"patient.csv": "patient", "zipcode.csv": None}
    reader.close()


def test_a_stream_whose_columns_are_not_in_the_file_is_absent_rather_than_empty(tmp_path: Path) -> None:
    (tmp_path / "patient.csv").write_text("PatNum,LName,FName,PatStatus,SSN\n7,Aldous,Ann,0,1\n", encoding="utf-8")
    reader = open_export(str(tmp_path), {})

    assert [stream.name for stream in reader.streams()] == ["patients"]
    reader.close()


@pytest.mark.parametrize("missing", sorted(set(FILES) - {"patient"}))
def test_a_missing_file_changes_no_other_stream(missing: str, streams: dict[str, list[Any]], tmp_path: Path) -> None:
    for name, text in FILES.items():
        if name != missing:
            (tmp_path / f"{name}.csv").write_text(text, encoding="utf-8")
    reader = open_export(str(tmp_path), {})

    for stream in reader.streams():
        if missing in SHARED.get(stream.name, ()):
            continue
        assert list(reader.read(stream.name)) == streams[stream.name]
    reader.close()


@pytest.mark.parametrize("empty", ["", "(   )   -    ", "\\N", "--"])
def test_a_phone_that_is_an_empty_mask_is_no_contact_point(empty: str, tmp_path: Path) -> None:
    row = f"7,Aldous,Ann,0,1,1980-02-03,{empty},{empty},5550100002,7"
    header = "PatNum,LName,FName,PatStatus,Gender,Birthdate,HmPhone,WkPhone,WirelessPhone,Guarantor"
    (tmp_path / "patient.csv").write_text(f"{header}\n{row}\n", encoding="utf-8")

    reader = open_export(str(tmp_path), {})

    points = [item for item in reader.read("contact_points")]
    assert [type(item) for item in points] == [Record]


def test_the_human_readable_format_is_refused_for_its_names_are_no_ids(tmp_path: Path) -> None:
    header = "PatNum,LName,FName,PatStatus,Gender,Birthdate,Guarantor"
    rows = ['"Aldous, Ann",Aldous,Ann,Patient,Female,02/03/1980,"Aldous, Ann"', '"Bell, Bo",Bell,Bo,Patient,Male,,']
    (tmp_path / "patient.csv").write_text("\n".join([header, *rows, ""]), encoding="utf-8")

    with pytest.raises(NotAnExportError) as refused:
        open_export(str(tmp_path), {})

    assert "patient.csv: column PatNum holds names in place of ids" in str(refused.value)
    assert "Aldous" not in str(refused.value)
