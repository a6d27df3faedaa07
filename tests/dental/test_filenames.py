"""A file is what its name says, whatever day, practice or case an export writes beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from flitstack_dental.filenames import known_within
from flitstack_dental.reader import open_export

if TYPE_CHECKING:
    from pathlib import Path

KNOWN = frozenset({"patient", "provider", "appointment", "appointmenttype", "definition"})


@pytest.mark.parametrize(
    "pattern",
    ["2026-06-30_{}.csv", "{}_20260630.csv", "{}-30.06.2026 101500.txt", "Bright Practice {}.csv", "dbo.{}.csv"],
)
def test_a_day_or_what_all_files_share_is_not_part_of_a_name(pattern: str) -> None:
    names = [pattern.format(name) for name in ("PATIENT", "Provider", "Appointment_Type", "appointment")]

    found = known_within(names, KNOWN)

    assert list(found.values()) == ["patient", "provider", "appointmenttype", "appointment"]


def test_a_word_of_one_file_alone_makes_it_another_file() -> None:
    names = ["old_provider.csv", "patient.csv", "appointment.csv", "definition.csv", "provider notes 2026.csv"]

    assert known_within(names, KNOWN) == {}


def test_a_name_that_two_files_would_have_is_neithers() -> None:
    assert known_within(["provider_2025.csv", "provider_2026.csv", "patient_2026.csv"], KNOWN) == {
        "patient_2026.csv": "patient"
    }
    assert known_within(["provider.csv", "provider_2026.csv"], KNOWN) == {}


def test_the_day_in_a_layouts_own_name_is_another_in_a_later_export() -> None:
    drafted = frozenset({"patients20260630", "providers20260630", "list1", "list2"})

    found = known_within(["patients_2026-07-31.csv", "providers_2026-07-31.csv", "list_3.csv"], drafted)

    assert found == {
        "patients_2026-07-31.csv": "patients20260630",
        "providers_2026-07-31.csv": "providers20260630",
    }


def test_small_tables_of_open_dental_are_read_whatever_their_files_are_called(tmp_path: Path) -> None:
    tables = {
        "patient": "PatNum,LName,FName,PatStatus,Gender,Birthdate,Guarantor,PriProv\n1,Aldous,Ann,0,1,1980-02-03,1,3\n",
        "provider": "ProvNum,Abbr,LName,FName,Suffix,Specialty,IsSecondary,IsHidden\n3,DrQ,Quill,Petra,DMD,0,0,0\n",
        "recalltype": "RecallTypeNum,Description,DefaultInterval,TimePattern\n1,Prophy,393217,\n",
    }
    for name, text in tables.items():
        (tmp_path / f"2026-06-30_{name.upper()}.csv").write_text(text)

    reader = open_export(str(tmp_path), {})

    assert {"patients", "providers", "recall_types"} <= {stream.name for stream in reader.streams()}
    assert not [finding for finding in reader.findings() if finding.code == "file_not_known"]
