"""What a file holds and nobody reads is said: columns, letters that were lost, time zones that nobody knows."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from flitstack.protocols import Finding, Record
from flitstack_dental.layout import load_layouts
from flitstack_dental.reader import open_export

if TYPE_CHECKING:
    from pathlib import Path

PATIENTS = "id,last_name,status\n1,Aldous,patient\n"
OD_PATIENTS = "PatNum,LName,FName,PatStatus"


def findings(folder: Path, **files: str) -> list[Finding]:
    for name, text in {"patients": PATIENTS, **files}.items():
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    reader = open_export(str(folder), {})
    for stream in reader.streams():
        list(reader.read(stream.name))
    reader.close()
    return list(reader.findings())


def test_a_column_that_nobody_reads_is_a_warning_per_file(tmp_path: Path) -> None:
    found = findings(
        tmp_path, leads="id,last_name,favourite\n1,Bell,blue\n", staff="id,Shoe Size,Car,password\n1,44,x,y\n"
    )

    told = {finding.message for finding in found if finding.code == "columns_not_read"}
    assert told == {"leads.csv: 1 column is not read: favourite.", "staff.csv: 2 columns are not read: Shoe Size, Car."}
    assert {finding.severity for finding in found if finding.code == "columns_not_read"} == {"warning"}
    assert [finding.message for finding in found if "password" in finding.message] == [
        "staff.csv: columns with secrets were not read: password."
    ]


def test_columns_that_the_layout_leaves_on_purpose_are_no_warning(tmp_path: Path) -> None:
    rows = "1,Aldous,Ann,0,x,0,blue,1\n"
    found = findings(tmp_path, patients=f"{OD_PATIENTS},SecurityHash,TrophyFolder,Favourite,Premed\n{rows}")

    told = [(each.code, each.severity, each.message) for each in found]
    assert told == [
        ("columns_not_read", "warning", "patients.csv: 2 columns are not read: Favourite, Premed."),
        ("columns_left", "info", "patients.csv: 2 columns are left on purpose: SecurityHash, TrophyFolder."),
    ]


def test_a_wide_file_is_one_line(tmp_path: Path) -> None:
    names = ",".join(f"extra{number}" for number in range(300))
    (found,) = findings(tmp_path, leads=f"id,{names}\n1{',' * 300}\n")

    assert found.count == 300
    assert found.message.endswith("extra39 and 260 more.")


@pytest.mark.parametrize("layout", ["neutral", "opendental"])
def test_no_shipped_layout_leaves_a_column_that_it_reads(layout: str) -> None:
    for spec in load_layouts(layout)[0].files:
        own = spec.columns if spec.records else frozenset()
        assert not own & (spec.ignore - load_layouts(layout)[0].ignore), spec.role


def test_names_of_question_marks_are_counted(tmp_path: Path) -> None:
    text = "id,last_name,first_name,status\n1,????,Ann,patient\n2,??? ??,Who?,patient\n3,O?Neill,?,patient\n"
    (found,) = findings(tmp_path, patients=text)

    assert (found.code, found.severity, found.count, found.stream) == ("letters_lost", "warning", 2, "patients")
    assert 'patients.csv, column "last_name"' in found.message


def test_the_manifest_makes_one_record_of_the_practice(tmp_path: Path) -> None:
    (tmp_path / "patients.csv").write_text(PATIENTS, encoding="utf-8")
    stated = {"practice": "Quiet Street", "time_zone": "Europe/Berlin", "as_of": "2026-06-30"}
    (tmp_path / "export_manifest.json").write_text(json.dumps(stated), encoding="utf-8")
    reader = open_export(str(tmp_path), {})

    (practice,) = reader.read("practice")

    assert isinstance(practice, Record)
    assert practice.data == {"id": "practice", "name": "Quiet Street", "time_zone": "Europe/Berlin"}
    assert practice.where.file == "export_manifest.json"
    assert [(each.name, each.files) for each in reader.streams()][1:] == [("practice", ("export_manifest.json",))]
    reader.close()


@pytest.mark.parametrize(
    "text", ["time_zone;as_of\nAsia/Tokyo;2026-06-30\n", "time_zone,Asia/Tokyo\nas_of,2026-06-30\n"]
)
def test_a_manifest_in_csv_states_the_zone_too(text: str, tmp_path: Path) -> None:
    (tmp_path / "patients.csv").write_text(PATIENTS, encoding="utf-8")
    (tmp_path / "export_manifest.csv").write_text(text, encoding="utf-8")
    reader = open_export(str(tmp_path), {})

    (practice,) = reader.read("practice")

    assert isinstance(practice, Record)
    assert practice.data["time_zone"] == "Asia/Tokyo"
    assert str(reader.as_of()).startswith("2026-06-30")
    reader.close()


def test_an_export_without_a_manifest_has_no_practice(tmp_path: Path) -> None:
    (tmp_path / "patients.csv").write_text(PATIENTS, encoding="utf-8")
    reader = open_export(str(tmp_path), {})

    assert "practice" not in [stream.name for stream in reader.streams()]
    with pytest.raises(KeyError):
        list(reader.read("practice"))
    reader.close()


def test_a_time_zone_that_is_no_iana_name_is_told_and_not_used(tmp_path: Path) -> None:
    (tmp_path / "export_manifest.json").write_text('{"time_zone": "Central Standard Time"}', encoding="utf-8")

    found = findings(tmp_path, clinics="id,name,time_zone\n1,East,Central Standard Time\n2,West,America/Chicago\n")

    assert [each.code for each in found] == ["time_zone_not_known", "time_zone_not_known"]
    assert all("--set time_zone=" in each.message for each in found)
    reader = open_export(str(tmp_path), {})
    zones = [item.data.get("time_zone") for item in reader.read("clinics") if isinstance(item, Record)]
    assert zones == [None, "America/Chicago"]
    reader.close()
