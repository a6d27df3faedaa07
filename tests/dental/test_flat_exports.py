"""Exports that hold in one row what other systems keep in several tables: read by their drafted layouts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from flitstack.cli import cli
from flitstack.protocols import Record, Rejection
from flitstack_dental.lexicon import meanings
from flitstack_dental.reader import open_export
from flitstack_dental.values import BadCell, ordinal_parser


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FLITSTACK_MEMORY", str(tmp_path / "memory"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "export").mkdir()
    return tmp_path


def table(name: str, header: str, rows: list[str]) -> None:
    (Path("export") / f"{name}.csv").write_text("\n".join([header, *rows, ""]), encoding="utf-8")


def read(stream: str) -> list[dict[str, Any]]:
    """Return the records of a stream by the layout that is proposed, as it stands."""
    Path("draft.yaml").unlink(missing_ok=True)
    words = ["map", "propose", "--source", "dental", "--input", "export", "--out", "draft.yaml", "--no-memory"]
    result = CliRunner().invoke(cli, words, prog_name="flit")
    assert result.exit_code == 0, result.output
    reader = open_export("export", {"layout": "draft.yaml", "as_of": "2026-06-30"})
    try:
        found = list(reader.read(stream))
    finally:
        reader.close()
    assert not [item for item in found if isinstance(item, Rejection)]
    return [dict(item.data) for item in found if isinstance(item, Record)]


PATIENTS = [f"{n},Bell{n},Bo,1980-02-{n % 27 + 1:02},Active" for n in range(1, 31)]


def test_cover_in_one_file_keeps_its_carrier_group_and_place() -> None:
    table("Patients", "Patient ID,Last Name,First Name,Date of Birth,Status", PATIENTS)
    rows = [
        f"{900 + n},{n},{('Primary', 'Secondary')[n % 2]},{('Delta of Nowhere', 'Guardian & Sons')[n % 2]},W{n:07},"
        f"G{n % 4},{('PPO', 'HMO')[n % 2]},Self,2024-01-01,"
        for n in range(1, 31)
    ]
    header = "Insurance ID,Patient ID,Priority,Carrier Name,Policy Number,Group Number,Coverage Type,Relationship"
    table("Insurance", f"{header},Effective Date,Termination Date", rows)

    covers = read("patient_insurance")

    assert len(covers) == 30
    wanted = {
        "id": "901", "patient_id": "1", "ordinal": 2, "carrier_name": "Guardian & Sons", "policy_number": "W0000001",
        "group_number": "G1", "coverage_type": "capitation", "relationship": "Self", "effective_on": "2024-01-01",
    }  # fmt: skip
    assert wanted.items() <= covers[0].items()


def test_cover_in_the_patients_own_row_is_cover_beside_the_patient() -> None:
    header = "Patient ID,Last Name,First Name,Date of Birth,Status,Insurance Carrier,Policy Number"
    rows = [f"{row},{'Delta' if n % 3 else ''},{f'W{n:07}' if n % 3 else ''},{'Sun' if n % 5 == 0 else ''}"
            for n, row in enumerate(PATIENTS, 1)]  # fmt: skip
    table("Patients", f"{header},Secondary Insurance Carrier", rows)

    covers = {(row["patient_id"], row["ordinal"]): row for row in read("patient_insurance")}

    assert covers["1", 1].items() >= {"carrier_name": "Delta", "policy_number": "W0000001"}.items()
    assert covers["5", 2]["carrier_name"] == "Sun"
    assert ("3", 1) not in covers


@pytest.mark.parametrize("described", [True, False], ids=["described", "by their files alone"])
def test_a_document_is_called_as_its_file_and_not_as_what_it_shows(described: bool) -> None:
    table("Patients", "Patient ID,Last Name,First Name,Date of Birth,Status", PATIENTS)
    shows = ",Panorama" if described else ""
    rows = [f"{500 + n},{n},scan{n}.pdf,X-ray,2026-01-{n % 27 + 1:02}{shows}" for n in range(1, 31)]
    header = "Document ID,Patient ID,File Name,Category,Date Created" + (",Description" if described else "")
    table("Documents", header, rows)

    first = read("documents")[0]

    assert (first["name"], first["path"]) == ("scan1.pdf", "scan1.pdf")
    assert first.get("description") == ("Panorama" if described else None)


@pytest.mark.parametrize(
    ("text", "place"), [("Primary", 1), ("secondary insurance", 2), ("S", 2), ("2", 2), ("2nd", 2), ("", None)]
)
def test_a_place_in_words_is_its_number(text: str, place: int | None) -> None:
    assert ordinal_parser("Priority")(text) == place


def test_a_place_that_nobody_knows_is_no_guess() -> None:
    with pytest.raises(BadCell):
        ordinal_parser("Priority")("whichever")


def test_a_code_that_is_the_meaning_itself_is_known() -> None:
    assert meanings("ledger", "kind")["payment"] == "payment"
    assert meanings("patient_referrals", "direction")["to"] == "to"


def test_the_letter_of_a_marital_status_rejects_nobody() -> None:
    rows = [f"{row},{'SMDW'[n % 4]}" for n, row in enumerate(PATIENTS)]
    table("Patients", "Patient ID,Last Name,First Name,Date of Birth,Status,Marital Status", rows)

    assert [row["marital_status"] for row in read("patients")][:3] == ["single", "married", "divorced"]
