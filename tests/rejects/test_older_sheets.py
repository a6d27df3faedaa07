"""Sheets that come back late, or cut short: what was corrected since stays, and nothing is emptied by accident."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
from tests.rejects.test_round_trip import setting

from flitstack.errors import UsageError
from flitstack.journal import Journal

if TYPE_CHECKING:
    from pathlib import Path

    from tests.rejects.conftest import Practice


def cells(practice: Practice) -> dict[str, str]:
    """Return the cells of the one correction that is kept."""
    with Journal.existing(practice.journal) as journal:
        (kept,) = journal.corrections.kept()
        return dict(kept.cells)


@pytest.fixture
def older(practice: Practice) -> Path:
    """A copy of the sheets, from before a row was corrected that is still rejected, and exported again since."""
    folder = practice.sheets()
    copy = folder.with_name("older")
    shutil.copytree(folder, copy)
    practice.edit("patients.csv", setting("birth_date", "no day", id="2"))
    practice.retry(folder)
    practice.run()
    practice.sheets()
    practice.edit("patients.csv", setting("last_name", "Ball", id="2"))
    practice.retry(folder)
    return copy


def test_an_older_sheet_does_not_take_a_newer_correction_back(practice: Practice, older: Path) -> None:
    taken = practice.retry(older / "patients.csv")

    assert (taken.corrected, taken.newer) == (0, 2)
    assert cells(practice) == {"birth_date": "no day", "last_name": "Ball"}


def test_what_only_an_older_sheet_corrects_is_taken(practice: Practice, older: Path) -> None:
    sheet = older / "patients.csv"
    sheet.write_text(sheet.read_text("utf-8").replace("'=1+1", "Bo"), "utf-8")

    taken = practice.retry(sheet)

    assert (taken.corrected, taken.cells, taken.newer) == (1, 1, 2)
    assert cells(practice) == {"birth_date": "no day", "last_name": "Ball", "first_name": "Bo"}


def test_a_cell_that_both_sheets_correct_is_refused_and_nothing_is_taken(practice: Practice, older: Path) -> None:
    sheet = older / "patients.csv"
    sheet.write_text(sheet.read_text("utf-8").replace("Bell", "Bull").replace("'=1+1", "Bo"), "utf-8")

    with pytest.raises(UsageError, match=r'line 3, column "last_name" was corrected on .* Export again') as refused:
        practice.retry(sheet)

    assert "Bull" not in str(refused.value)
    assert "Ball" not in str(refused.value)
    assert cells(practice) == {"birth_date": "no day", "last_name": "Ball"}


def test_the_same_in_both_sheets_is_no_dispute(practice: Practice, older: Path) -> None:
    sheet = older / "patients.csv"
    sheet.write_text(sheet.read_text("utf-8").replace("Bell", "Ball"), "utf-8")

    taken = practice.retry(sheet)

    assert (taken.corrected, taken.newer) == (0, 1)


def test_a_correction_that_waits_is_in_the_next_sheet_and_can_be_corrected_there(practice: Practice) -> None:
    practice.sheets()
    practice.edit("patients.csv", setting("birth_date", "1980-20-02", id="2"))
    practice.retry(practice.folder / "rejected")
    shown = (practice.sheets() / "patients.csv").read_text("utf-8-sig")
    practice.edit("patients.csv", setting("birth_date", "1980-02-20", id="2"))

    taken = practice.retry(practice.folder / "rejected")
    practice.run()

    assert ",1980-20-02" in shown
    assert (taken.corrected, taken.newer) == (1, 0)
    assert practice.names() == {"Aldous", "Bell"}


def test_a_correction_is_taken_back_in_a_sheet_that_shows_it(practice: Practice) -> None:
    practice.sheets()
    practice.edit("patients.csv", setting("last_name", "Ball", id="2"))
    practice.retry(practice.folder / "rejected")
    practice.sheets()
    practice.edit("patients.csv", setting("last_name", "Bell", id="2"))

    practice.retry(practice.folder / "rejected")

    assert cells(practice) == {"last_name": "Bell"}


@pytest.mark.parametrize("end", ["=1+1,patient,1980-02-31", ",patient,1980-02-31", ",1980-02-31"])
def test_a_row_that_was_cut_short_is_refused_and_empties_nothing(practice: Practice, end: str) -> None:
    sheet = practice.sheets() / "patients.csv"
    text = sheet.read_bytes().decode("utf-8-sig")
    sheet.write_bytes(text.replace(end, "").replace(",'\r\n", "\r\n").encode())

    with pytest.raises(UsageError, match=r"patients\.csv: patients\.csv line 3 is cut short before the column"):
        practice.retry(sheet)

    with Journal.existing(practice.journal) as journal:
        assert journal.corrections.kept() == []


def test_a_row_that_ends_within_our_own_columns_is_refused(practice: Practice) -> None:
    sheet = practice.sheets() / "patients.csv"
    lines = sheet.read_bytes().decode("utf-8-sig").split("\r\n")
    sheet.write_bytes("\r\n".join([lines[0], "bad_date,why,what,patients.csv,3,dental:patients:2"]).encode())

    with pytest.raises(UsageError, match=r"patients\.csv row 2: it ends before its mark"):
        practice.retry(sheet)


def test_empty_cells_that_a_program_left_out_at_the_end_are_empty_still(practice: Practice) -> None:
    practice.write(patients="id,last_name,birth_date,status,first_name\n2,Bell,1980-02-31,patient,\n1,A,,patient,\n")
    practice.run()
    sheet = practice.sheets() / "patients.csv"
    text = sheet.read_bytes().decode("utf-8-sig")
    sheet.write_bytes(text.replace("1980-02-31,patient,\r\n", "1980-02-28,patient\r\n").encode())

    taken = practice.retry(sheet)

    assert (taken.corrected, taken.cells) == (1, 1)
