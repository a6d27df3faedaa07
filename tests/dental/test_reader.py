"""A neutral export is read as it stands: records, rejections and skips add up to its rows."""

from __future__ import annotations

import json
import zipfile
from collections import Counter
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import pytest

from flitstack.errors import Rejected
from flitstack.protocols import Attachments, Record, Rejection, Skip, SourceReader
from flitstack_dental.example import write_example
from flitstack_dental.reader import DentalReader, open_export

if TYPE_CHECKING:
    from pathlib import Path

PATIENTS = "id,last_name,first_name,status,birth_date,ssn\n1,Aldous,Ann,patient,1980-02-03,666-12-3456\n"


def export(folder: Path, **files: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in {"patients": PATIENTS, **files}.items():
        (folder / f"{name}.csv").write_text(text, encoding="utf-8", newline="")
    return folder


def read(path: Path, stream: str, **settings: Any) -> list[Record | Rejection | Skip]:
    reader = open_export(str(path), settings)
    try:
        return list(reader.read(stream))
    finally:
        reader.close()


def records(path: Path, stream: str, **settings: Any) -> list[dict[str, Any]]:
    return [dict(item.data) for item in read(path, stream, **settings) if isinstance(item, Record)]


def codes(items: list[Record | Rejection | Skip]) -> list[str | None]:
    return [
        item.code if isinstance(item, Rejection) else item.rule if isinstance(item, Skip) else None for item in items
    ]


def test_the_reader_is_what_core_expects(tmp_path: Path) -> None:
    reader: SourceReader = open_export(str(export(tmp_path)), {})

    assert isinstance(reader, Attachments)
    assert [stream.name for stream in reader.streams()] == ["patients"]
    assert {stream.name for stream in reader.known_streams()} > {"patients", "ledger", "recalls"}
    assert reader.streams()[0].files == ("patients.csv",)
    assert reader.streams()[0].codebook["status"]["deceased"] == "deceased"
    reader.close()


def test_a_record_holds_values_of_its_types_and_where_it_was_found(tmp_path: Path) -> None:
    text = (
        "ID;Patient ID;Starts_At;Duration Minutes;STATUS;is_new_patient;updated_at;note\r\n"
        'A1;1;2024-03-05 14:30;45;Completed;Y;v1;"two\r\nlines"\r\n'
        "A2;1;2024-03-06 02:15p;;no_show;n;;\r\n"
    )

    first, second = read(export(tmp_path, appointments=text), "appointments")

    assert isinstance(first, Record)
    assert first.data == {
        "id": "A1",
        "patient_id": "1",
        "starts_at": "2024-03-05T14:30:00",
        "duration_minutes": 45,
        "status": "completed",
        "is_new_patient": True,
        "updated_at": "v1",
        "note": "two\r\nlines",
    }
    assert (first.where.file, first.where.line) == ("appointments.csv", 2)
    assert isinstance(second, Record)
    assert second.where.line == 4


def test_an_appointment_without_a_patient_is_not_one(tmp_path: Path) -> None:
    text = "id,patient_id,status\nA1,,scheduled\n"

    assert records(export(tmp_path, appointments=text), "appointments")[0]["status"] == "not_appointment"


def test_bad_rows_are_rejected_one_by_one_with_code_place_and_no_value(tmp_path: Path) -> None:
    text = (
        "id,patient_id,kind,posted_on,amount\n"
        "1,1,payment,2024-01-02,10.00\n"
        "2,1,tribute,2024-01-02,10.00\n"
        "3,1,payment,2024-02-30,10.00\n"
        "4,1,payment,03/04/2024,10.00\n"
        "5,1,payment,2024-01-02,plenty\n"
        ",1,payment,2024-01-02,10.00\n"
        "7,1,payment,2024-01-02\n"
        "8,1,payment,2024-01-02,10.00,surplus\n"
        "9,,payment,2024-01-02,10.00\n"
        "10,1,payment,2024-01-02,10.00,,,\n"
        "id,patient_id,kind,posted_on,amount\n"
        ",,,,\n"
        "\n"
        "Total,,,,123.00\n"
    )

    items = read(export(tmp_path, ledger=text), "ledger")

    assert codes(items) == [
        None, "unknown_code", "bad_date", "ambiguous_date", "bad_number", "missing_id", "ragged_row", "ragged_row",
        "invalid_row", None, "repeated_header", "blank_row", "totals_line",
    ]  # fmt: skip
    said = " ".join(f"{item.reason} {item.hint} {item.field}" for item in items if isinstance(item, Rejection))
    assert not any(value in said for value in ("tribute", "2024-02-30", "03/04/2024", "plenty", "surplus"))
    assert [item.where.line for item in items if item.where] == [2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 15]
    unknown = items[1]
    assert isinstance(unknown, Rejection)
    assert (unknown.id, unknown.field) == ("2", "kind")
    assert "source.codes" in unknown.hint
    assert 'ledger.csv line 3, column "kind"' in unknown.message()


def test_codes_that_the_operator_explains_are_read(tmp_path: Path) -> None:
    text = "id,patient_id,kind\n1,1,tribute\n"
    book = tmp_path / "codes.yaml"
    book.write_text("ledger.kind: {Tribute: payment}\n", encoding="utf-8")
    folder = export(tmp_path / "export", ledger=text)

    assert records(folder, "ledger", codes=str(book))[0]["kind"] == "payment"
    assert records(folder, "ledger", codes={"ledger.kind": {"tribute": "refund"}})[0]["kind"] == "refund"


def test_the_order_of_dates_is_decided_by_the_rows_of_the_column(tmp_path: Path) -> None:
    text = "id,patient_id,prescribed_on\n1,1,03/04/2024\n2,1,25/12/2024\n"
    folder = export(tmp_path, prescriptions=text)

    assert [row["prescribed_on"] for row in records(folder, "prescriptions")] == ["2024-04-03", "2024-12-25"]
    assert records(folder, "prescriptions", date_order="mdy")[0]["prescribed_on"] == "2024-03-04"


def test_rows_that_contradict_each_other_decide_nothing(tmp_path: Path) -> None:
    text = "id,patient_id,prescribed_on\n1,1,03/04/2024\n2,1,25/12/2024\n3,1,12/25/2024\n"

    assert codes(read(export(tmp_path, prescriptions=text), "prescriptions")) == ["ambiguous_date", None, None]


def test_secret_columns_are_dropped_by_name_and_by_what_they_hold(tmp_path: Path) -> None:
    text = "id,last_name,abbreviation,dea_number,suffix\n" + "".join(
        f"{number},Doe,666-12-345{number},AB1234567,DDS\n" for number in range(1, 6)
    )
    folder = export(tmp_path, providers=text)
    reader = open_export(str(folder), {})

    items = [item for stream in reader.streams() for item in reader.read(stream.name)]

    dropped = {file.name: file.dropped for file in reader.inventory()}
    assert dropped == {"patients.csv": ("ssn",), "providers.csv": ("dea_number", "abbreviation")}
    assert "666-12-345" not in repr(items)
    assert "AB1234567" not in repr(items)
    assert sum(finding.code == "secrets_dropped" for finding in reader.findings()) == 2
    reader.close()


def test_secrets_inside_texts_are_masked_and_counted(tmp_path: Path) -> None:
    text = (
        "id,patient_id,text\n"
        "1,1,Her SSN is 666-12-3456 she says\n"
        "2,1,Paid by 4111 1111 1111 1111\n"
        "3,1,nothing here\n4,1,nor here\n"
    )
    reader = open_export(str(export(tmp_path, clinical_notes=text)), {})

    texts = [item.data["text"] for item in reader.read("clinical_notes") if isinstance(item, Record)]

    assert texts == ["Her SSN is [removed] she says", "Paid by [removed]", "nothing here", "nor here"]
    assert [finding.count for finding in reader.findings() if finding.code == "secret_values_removed"] == [2]
    reader.close()


def test_a_long_telephone_number_stays_and_an_ssn_in_its_place_does_not(tmp_path: Path) -> None:
    text = "id,patient_id,kind,value\n1,1,mobile,4111111111111111\n2,1,home,call 666-12-3456\n3,1,work,(   )   -    \n"
    items = read(export(tmp_path, contact_points=text), "contact_points")

    assert [item.data["value"] for item in items if isinstance(item, Record)] == ["4111111111111111", "call [removed]"]
    assert codes(items) == [None, None, "invalid_row"]


def test_an_id_that_is_a_social_security_number_is_refused(tmp_path: Path) -> None:
    text = "id,last_name,status\n666-12-3456,Doe,patient\n"

    (item,) = read(export(tmp_path, patients=text), "patients")

    assert isinstance(item, Rejection)
    assert (item.code, item.id) == ("secret_id", None)
    assert "666" not in repr(item)


def test_a_custom_column_that_holds_secrets_is_left_out(tmp_path: Path) -> None:
    text = "id,patient_id,name,value\n1,1,Driver License,D123\n2,1,Hobby,Chess\n"

    assert codes(read(export(tmp_path, custom_columns=text), "custom_columns")) == ["secret_column", None]


def test_a_zip_with_a_folder_inside_reads_as_the_folder_does(tmp_path: Path) -> None:
    folder = export(tmp_path / "plain")
    archive = tmp_path / "export.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        packed.write(folder / "patients.csv", "practice/2024/patients.csv")

    assert records(archive, "patients") == records(folder, "patients")


def test_a_stream_in_two_files_is_read_from_both(tmp_path: Path) -> None:
    folder = export(tmp_path)
    (folder / "patients (2).csv").write_text("id,status,last_name\n2,inactive,Bell\n", encoding="utf-8")

    assert [row["id"] for row in records(folder, "patients")] == ["2", "1"]


def test_duplicate_ids_are_passed_on_as_they_come(tmp_path: Path) -> None:
    text = "id,status\n1,patient\n1,patient\n"

    assert codes(read(export(tmp_path, patients=text), "patients")) == [None, None]


def test_the_day_comes_from_the_setting_then_the_manifest_then_the_newest_event(tmp_path: Path) -> None:
    events = "id,patient_id,status,performed_on\n1,1,completed,2024-05-06\n2,1,condition,2025-01-01\n"
    booked = (
        "id,patient_id,status,starts_at,updated_at\n"
        "1,1,scheduled,2026-01-01,2027-01-01\n2,1,completed,2024-05-07 10:00,\n"
    )
    folder = export(tmp_path, procedures=events, appointments=booked)

    def day(**settings: Any) -> date | None:
        reader = open_export(str(folder), settings)
        for stream in reader.streams():
            list(reader.read(stream.name))
        reader.close()
        return reader.as_of()

    assert day() == date(2024, 5, 7)
    (folder / "export_manifest.json").write_text('{"as_of": "2024-06-01T08:00:00"}', encoding="utf-8")
    assert day() == datetime(2024, 6, 1, 8)
    (folder / "export_manifest.json").unlink()
    (folder / "export_manifest.csv").write_text("key,value\nas_of,2024-06-02\n", encoding="utf-8")
    assert day() == date(2024, 6, 2)
    assert day(as_of="2024-07-01") == date(2024, 7, 1)


def test_a_mistyped_year_does_not_become_the_day_of_the_export(tmp_path: Path) -> None:
    days = "".join(f"{number},1,payment,2024-05-{number:02}\n" for number in range(1, 25))
    folder = export(tmp_path, ledger=f"id,patient_id,kind,posted_on\n{days}99,1,payment,2042-05-24\n")
    reader = open_export(str(folder), {})
    list(reader.read("ledger"))

    assert reader.as_of() == date(2024, 5, 24)
    assert "day_passed_over" in [finding.code for finding in reader.findings()]
    reader.close()


def test_documents_carry_size_and_hash_only_when_their_bytes_are_there(tmp_path: Path) -> None:
    text = "id,patient_id,name,path\n1,1,Letter,files\\P1\\Letter.TXT\n2,1,Scan,files/scan.pdf\n"
    folder = export(tmp_path, documents=text)
    (folder / "files" / "P1").mkdir(parents=True)
    (folder / "files" / "P1" / "letter.txt").write_bytes(b"Dear Ann")
    reader = open_export(str(folder), {})

    here, missing = (item.data for item in reader.read("documents") if isinstance(item, Record))

    assert (here["size"], len(str(here["sha256"]))) == (8, 64)
    assert "sha256" not in missing
    with reader.open_attachment(str(here["path"])) as stream:
        assert stream.read() == b"Dear Ann"
    with pytest.raises(Rejected, match="not in the export"):
        reader.open_attachment("files/scan.pdf")
    assert [file.name for file in reader.inventory()] == ["documents.csv", "patients.csv"]
    reader.close()


def test_the_inventory_counts_rows_and_describes_dialects(tmp_path: Path) -> None:
    folder = export(tmp_path)
    (folder / "providers.csv").write_bytes("\ufeffid\tlast_name\r\n1\tDoe\r\n2\tRoe\r\n".encode("utf-16-le"))
    reader = open_export(str(folder), {})
    for stream in reader.streams():
        list(reader.read(stream.name))

    files = {file.name: file for file in reader.inventory()}

    assert files["providers.csv"].dialect == 'UTF-16, tab, quotes ", CRLF'
    assert (files["providers.csv"].rows, files["providers.csv"].role) == (2, "providers")
    assert len(files["providers.csv"].sha256) == 64
    reader.close()


def test_the_example_practice_is_read_as_its_ledger_of_defects_foretells(tmp_path: Path) -> None:
    write_example(tmp_path, 120, 3)
    reader = open_export(str(tmp_path), {})
    met = {
        (item.where.file, item.where.line, item.code if isinstance(item, Rejection) else item.rule)
        for stream in reader.streams()
        for item in reader.read(stream.name)
        if not isinstance(item, Record) and item.where
    }
    reader.close()

    ledger = json.loads((tmp_path / "defects.ledger.json").read_text(encoding="utf-8"))
    ours = {code for _, _, code in met}
    foretold = {
        (each["file"], each["line"], each["code_or_rule"])
        for each in ledger
        if each["code_or_rule"] in ours and each["line"] is not None
    }
    assert {"unknown_code", "bad_date", "ragged_row", "repeated_header", "totals_line"} <= ours
    assert met == foretold
    assert Counter(each["code_or_rule"] for each in ledger)["bad_date"] > 0


def test_a_reader_holds_no_open_file_after_a_stream_is_left_early(tmp_path: Path) -> None:
    rows = "".join(f"{number},patient\n" for number in range(5_000))
    reader = DentalReader(str(export(tmp_path, patients=f"id,status\n{rows}")), {})

    stream = reader.read("patients")
    first = next(stream)
    del stream

    assert isinstance(first, Record)
    reader.close()
