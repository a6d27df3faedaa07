"""Input that is no export gets one clear message that says which setting would help."""

from __future__ import annotations

import os
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flitstack.errors import ConfigurationError, NotAnExportError, UsageError
from flitstack.protocols import Record, Rejection
from flitstack_dental.reader import open_export

PATIENTS = "id,last_name,status\n1,Aldous,patient\n"


def refused(path: Path, **given_settings: Any) -> str:
    with pytest.raises(UsageError) as caught:
        open_export(str(path), given_settings)
    assert caught.value.exit_code == 2
    return str(caught.value)


def test_a_folder_that_is_no_export_is_named(tmp_path: Path) -> None:
    (tmp_path / "shopping.csv").write_text("item,price\nbread,2\n", encoding="utf-8")

    said = refused(tmp_path)

    assert "source.layout" in said
    assert "none with columns of a known export" in said


def test_an_empty_folder_a_missing_one_and_a_wrong_kind_of_file_are_told_apart(tmp_path: Path) -> None:
    single = tmp_path / "one.csv"
    assert "no CSV" in refused(tmp_path)
    single.write_text(PATIENTS, encoding="utf-8")

    assert "no such file or folder" in refused(tmp_path / "nowhere")
    assert "neither a folder nor a zip" in refused(single)


def test_a_workbook_in_place_of_text_files_is_told_to_be_saved_as_csv(tmp_path: Path) -> None:
    book = tmp_path / "patients.xlsx"
    with zipfile.ZipFile(book, "w") as archive:
        archive.writestr("[Content_Types].xml", "<x/>")

    assert "patients.xlsx: spreadsheets are not read. Save each sheet as CSV" in refused(tmp_path)
    assert "is an Excel workbook. Save each of its sheets as CSV" in refused(book)
    book.rename(tmp_path / "patients.csv")
    assert "patients.csv: it is an Excel workbook or a zip, whatever its name says" in refused(tmp_path)
    (tmp_path / "patients.csv").write_text(PATIENTS, encoding="utf-8")
    (tmp_path / "fees.xlsx").write_bytes(b"PK")
    assert open_export(str(tmp_path), {}).streams()


def test_an_empty_file_of_patients_is_refused(tmp_path: Path) -> None:
    (tmp_path / "patients.csv").write_bytes(b"\xef\xbb\xbf\r\n")
    (tmp_path / "ledger.csv").write_text("id,patient_id,kind,amount,posted_on\n", encoding="utf-8")

    assert refused(tmp_path).startswith("patients.csv: the file is empty")


def test_a_header_only_file_is_an_empty_stream_with_a_warning(tmp_path: Path) -> None:
    (tmp_path / "patients.csv").write_text("id,last_name,status\n", encoding="utf-8")
    reader = open_export(str(tmp_path), {})

    assert [stream.name for stream in reader.streams()] == ["patients"]
    assert list(reader.read("patients")) == []
    assert [(finding.code, finding.severity) for finding in reader.findings()] == [("header_only", "warning")]
    reader.close()


def test_a_headerless_file_is_noticed_and_read_when_its_columns_are_given(tmp_path: Path) -> None:
    (tmp_path / "patients.csv").write_text("1,Aldous,patient\n2,Bell,inactive\n", encoding="utf-8")

    said = refused(tmp_path)
    assert said.startswith("patients.csv: the first line is data")
    assert "source.headerless" in said
    assert "Aldous" not in said

    reader = open_export(str(tmp_path), {"headerless": {"patients.csv": ["id", "last_name", "status"]}})
    found = list(reader.read("patients"))
    assert [item.id for item in found if isinstance(item, Record)] == ["1", "2"]
    assert found[0].where is not None
    assert found[0].where.line == 1
    reader.close()


def test_two_exports_in_one_folder_are_not_mixed(tmp_path: Path) -> None:
    for place in ("north", "south"):
        (tmp_path / place).mkdir()
        (tmp_path / place / "patients.csv").write_text(PATIENTS, encoding="utf-8")

    assert "More than one export" in refused(tmp_path)


def test_a_known_file_with_foreign_columns_is_an_error_in_the_audit(tmp_path: Path) -> None:
    (tmp_path / "patients.csv").write_text(PATIENTS, encoding="utf-8")
    (tmp_path / "ledger.csv").write_text("soll,haben\n", encoding="utf-8")
    (tmp_path / "other.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    reader = open_export(str(tmp_path), {})
    list(reader.read("patients"))

    assert {(finding.code, finding.severity) for finding in reader.findings()} == {
        ("columns_not_known", "error"),
        ("file_not_known", "warning"),
    }
    reader.close()


@pytest.mark.parametrize(
    ("settings", "word"),
    [
        ({"layout": "nobody"}, "source.layout"),
        ({"as_of": "2024-02-30"}, "source.as_of"),
        ({"encoding": "klingon"}, "source.encoding"),
        ({"encoding": "idna"}, "source.encoding"),
        ({"encoding": "punycode"}, "source.encoding"),
        ({"encoding": "undefined"}, "source.encoding"),
        ({"codes": "/nowhere.yaml"}, "source.codes"),
        ({"delimiter": "::"}, "source.delimiter"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(tmp_path: Path, settings: dict[str, str], word: str) -> None:
    (tmp_path / "patients.csv").write_text(PATIENTS, encoding="utf-8")

    with pytest.raises(ConfigurationError, match=word):
        open_export(str(tmp_path), settings)


def test_a_layout_of_the_users_own_is_read_and_its_mistakes_are_named(tmp_path: Path) -> None:
    layout = tmp_path / "mine.yaml"
    text = """
name: mine
title: Mine
files:
  kunden:
    require: [Nr, Name]
    records:
      - stream: patients
        id: Nr
        set: {status: patient}
        fields: {last_name: Name}
"""
    layout.write_text(text, encoding="utf-8")
    folder = tmp_path / "export"
    folder.mkdir()
    (folder / "Kunden.csv").write_text("Nr;Name\n7;Aldous\n", encoding="utf-8")

    reader = open_export(str(folder), {"layout": str(layout)})
    assert [item.data for item in reader.read("patients") if isinstance(item, Record)] == [
        {"id": "7", "last_name": "Aldous", "status": "patient"}
    ]
    reader.close()
    layout.write_text(text.replace("last_name", "lastname"), encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r'mine\.yaml, files\.kunden.*no field "lastname".*"last_name"'):
        open_export(str(folder), {"layout": str(layout)})


def test_a_file_whose_id_is_a_secret_column_is_an_error_in_the_audit(tmp_path: Path) -> None:
    layout = tmp_path / "mine.yaml"
    layout.write_text(
        "{name: mine, title: Mine, files: {kunden: {require: [Name], records: "
        "[{stream: patients, id: SSN, set: {status: patient}, fields: {last_name: Name}}]}, "
        "aerzte: {require: [Nr], records: [{stream: providers, id: Nr}]}}}",
        encoding="utf-8",
    )
    (tmp_path / "kunden.csv").write_text("SSN,Name\n666123456,Aldous\n", encoding="utf-8")
    (tmp_path / "aerzte.csv").write_text("Nr\n1\n", encoding="utf-8")
    reader = open_export(str(tmp_path), {"layout": str(layout)})

    assert [stream.name for stream in reader.streams()] == ["providers"]
    assert [finding.code for finding in reader.findings() if finding.severity == "error"] == ["no_id_column"]
    reader.close()


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=300), st.sampled_from([b"", b"id,last_name,status,birth_date\n", b"\xff\xfei\0d\0,\0"]))
def test_any_bytes_are_read_or_refused_and_never_end_in_a_traceback(tail: bytes, head: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "patients.csv").write_bytes(head + tail)
        try:
            reader = open_export(folder, {})
        except UsageError:
            return
        list(reader.read("patients"))
        reader.findings()
        reader.close()


def test_links_and_names_that_lead_outside_are_refused(tmp_path: Path) -> None:
    folder = tmp_path / "export"
    folder.mkdir()
    (folder / "patients.csv").write_text(PATIENTS, encoding="utf-8")
    outside = tmp_path / "ledger.csv"
    outside.write_text("id,patient_id,kind\n1,1,payment\n", encoding="utf-8")
    os.symlink(outside, folder / "ledger.csv")
    archive = tmp_path / "export.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("patients.csv", PATIENTS)
        packed.writestr("../ledger.csv", "id,patient_id,kind\n1,1,payment\n")

    for path in (folder, archive):
        reader = open_export(str(path), {})
        assert [stream.name for stream in reader.streams()] == ["patients"]
        list(reader.read("patients"))
        assert [finding.code for finding in reader.findings()] == ["refused_path"]
        reader.close()


def test_a_damaged_zip_and_a_bomb_are_refused(tmp_path: Path) -> None:
    archive = tmp_path / "export.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("patients.csv", PATIENTS)
    whole = archive.read_bytes()
    for damaged in (whole[:40] + whole[60:], whole[: len(whole) // 2], whole[:-30]):
        archive.write_bytes(damaged)
        assert "damaged or cut; copy it again" in refused(archive)

    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as packed:
        packed.writestr("patients.csv", b"0" * (80 << 20))
    assert "implausible size" in refused(archive)


def test_a_file_that_changes_while_it_is_read_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "patients.csv"
    rows = "".join(f"{number},Aldous,patient\n" for number in range(20_000))

    def truncate() -> None:
        file.write_text(PATIENTS, encoding="utf-8")

    def replace() -> None:
        other = tmp_path / "other.csv"
        other.write_text(PATIENTS + rows, encoding="utf-8")
        os.replace(other, file)

    def grow() -> None:
        with file.open("a", encoding="utf-8") as stream:
            stream.write("20001,Bell,patient\n")

    for change in (truncate, replace, grow, file.unlink):
        file.write_text(PATIENTS + rows, encoding="utf-8")
        for taken in (0, 1):
            file.write_text(PATIENTS + rows, encoding="utf-8")
            reader = open_export(str(tmp_path), {})
            found = reader.read("patients")
            for _ in range(taken):
                next(found)
            change()
            with pytest.raises(NotAnExportError, match=r"patients\.csv changed while it was read"):
                list(found)
            reader.close()


def test_a_zip_that_changes_while_it_is_read_is_refused(tmp_path: Path) -> None:
    archive = tmp_path / "export.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("patients.csv", PATIENTS)
    reader = open_export(str(archive), {})
    archive.write_bytes(archive.read_bytes() + b"x")

    with pytest.raises(NotAnExportError, match=r"export\.zip changed while it was read"):
        list(reader.read("patients"))
    reader.close()


def test_a_folder_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "patients.csv").write_text(PATIENTS, encoding="utf-8")
    place = os.open(tmp_path, os.O_RDONLY)
    for _ in range(20):  # deeper than any path may be long
        os.mkdir("f" * 250, dir_fd=place)
        below = os.open("f" * 250, os.O_RDONLY, dir_fd=place)
        os.close(place)
        place = below
    os.close(place)

    assert "the folder cannot be read" in refused(tmp_path)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_zip_that_holds_one_name_twice_is_refused(tmp_path: Path) -> None:
    archive = tmp_path / "export.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("patients.csv", PATIENTS)
        packed.writestr("patients.csv", PATIENTS.replace("Aldous", "Bell"))

    assert "patients.csv twice" in refused(archive)


def test_many_small_bombs_are_one_bomb(tmp_path: Path) -> None:
    archive = tmp_path / "export.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as packed:
        packed.writestr("patients.csv", PATIENTS)
        packed.writestr("files/0.bin", bytes(60 << 20))
        for number in range(1, 10):
            packed.writestr(f"files/{number}.bin", bytes(60 << 20))

    assert "implausible size" in refused(archive)


def test_a_document_that_is_named_like_a_stream_is_not_read_as_one(tmp_path: Path) -> None:
    (tmp_path / "patients.csv").write_text(PATIENTS, encoding="utf-8")
    (tmp_path / "ledger.csv").write_text("id,patient_id,kind\n1,1,payment\n", encoding="utf-8")
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "appointments.csv").write_text(
        "id,patient_id,starts_at,status\n1,1,2020-01-01 10:00,completed\n", encoding="utf-8"
    )
    reader = open_export(str(tmp_path), {})

    assert {stream.name for stream in reader.streams()} == {"patients", "ledger"}
    for stream in reader.streams():
        list(reader.read(stream.name))
    assert [finding.code for finding in reader.findings() if "files/appointments.csv" in finding.message] == [
        "file_beneath"
    ]
    reader.close()


def test_a_file_named_with_a_social_security_number_is_shown_without_it(tmp_path: Path) -> None:
    (tmp_path / "patients.csv").write_text(PATIENTS, encoding="utf-8")
    (tmp_path / "export 621-44-9137.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    (tmp_path / "621-44-9138.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    (tmp_path / "621-44-9139.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    reader = open_export(str(tmp_path), {})
    list(reader.read("patients"))

    shown = repr((reader.inventory(), reader.findings()))
    assert "export [removed].csv" in shown
    assert "621-44" not in shown
    assert len(reader.inventory()) == 4
    reader.close()


def test_secrets_in_ids_codes_and_stamps_are_not_read(tmp_path: Path) -> None:
    (tmp_path / "patients.csv").write_text(
        "id,last_name,status\nA-621-44-9137,Aldous,patient\n2,Bell,patient\n", encoding="utf-8"
    )
    (tmp_path / "procedures.csv").write_text(
        "id,patient_id,status,code\n1,2,completed,621-44-9137\n2,2,completed,D0120\n", encoding="utf-8"
    )
    reader = open_export(str(tmp_path), {})

    found = [item for stream in reader.streams() for item in reader.read(stream.name)]
    assert [item.code for item in found if isinstance(item, Rejection)] == ["secret_id"]
    assert "621-44" not in repr(found)
    reader.close()
