"""Providers and staff whom an export names by abbreviation or name where an id belongs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from flitstack.protocols import Record
from flitstack_dental.reader import open_export

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from flitstack_dental.reader import DentalReader

PROVIDERS = """\
id,abbreviation,last_name,first_name,title
1,AQ,Quill,Ann,Dr.
2,BR,Rook,Bo,Dr.
3,CR,Rook,Cy,
4,XX,Same,Di,
5,XX,Other,Ed,
"""
STAFF = "id,name,provider_id\n1,Ann Quill,1\n9,Fay Desk,\n"
NAMED = {
    "1": "1", "aq": "1", "AQ": "1", "Quill": "1", "Dr. Quill": "1", "Ann Quill": "1", "Quill, Ann": "1",
    "A. Quill": "1", "Dr. Ann Quill, DDS": "1", "Bo Rook": "2", "CR": "3",
    "Rook": "Rook", "XX": "XX", "Nobody": "Nobody", "77": "77",
}  # fmt: skip
"""What stands in the column, and what it is read as: a name to which two answer, or none, stays."""


def export(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    return folder


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[DentalReader]:
    rows = "".join(f'{n},Bell,patient,"{named}"\n' for n, named in enumerate(NAMED))
    talks = "1,0,2024-01-02T10:00:00,call,Fay Desk\n2,0,2024-01-02T10:00:00,call,Gus\n"
    found = open_export(
        str(
            export(
                tmp_path,
                patients=f"id,last_name,status,primary_provider_id\n{rows}",
                providers=PROVIDERS,
                staff=STAFF,
                communications=f"id,patient_id,happened_at,kind,author_id\n{talks}",
            )
        ),
        {"as_of": "2026-06-30"},
    )
    yield found
    found.close()


def test_a_provider_given_by_abbreviation_or_name_is_the_one_who_answers_to_it(reader: DentalReader) -> None:
    read = [item for item in reader.read("patients") if isinstance(item, Record)]

    assert [item.data["primary_provider_id"] for item in read] == list(NAMED.values())
    findings = {item.code: item for item in reader.findings() if item.stream == "patients"}
    assert (findings["named_people_found"].count, findings["named_people_found"].severity) == (10, "info")
    assert (findings["named_people_unknown"].count, findings["named_people_unknown"].severity) == (3, "warning")
    assert not any(name in item.message for item in findings.values() for name in ("Quill", "Nobody", "Rook"))


def test_one_of_the_staff_is_found_by_name(reader: DentalReader) -> None:
    read = [item for item in reader.read("communications") if isinstance(item, Record)]

    assert [item.data["author_id"] for item in read] == ["9", "Gus"]


def test_read_twice_it_counts_once(reader: DentalReader) -> None:
    first, second = list(reader.read("patients")), list(reader.read("patients"))

    assert first == second
    assert [item.count for item in reader.findings() if item.code == "named_people_found"] == [10]
