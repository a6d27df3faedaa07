"""Cells survive a spreadsheet: nothing runs, everything comes back, and its own rewriting is known."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from flitstack.stages.rejects.cells import lost_letters, protected, same_for_a_spreadsheet, unprotected
from flitstack.stages.rejects.sheets import LEADING, SheetRow, read_sheet, write_sheet

if TYPE_CHECKING:
    from pathlib import Path

CELLS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12) | st.text("=+-@'\t\r\n＝ ,;\"a1", max_size=8)  # noqa: RUF001 - a wide sign is meant


@given(CELLS)
@example("'=1+1")
@example("''=1+1")
@example("'t Hooft")
def test_a_protected_cell_comes_back_exactly(cell: str) -> None:
    assert unprotected(protected(cell)) == cell


@given(CELLS)
def test_no_protected_cell_begins_a_formula(cell: str) -> None:
    assert not protected(cell).startswith(("=", "+", "-", "@", "\t", "\r", "\n", "＝"))  # noqa: RUF001 - as above


def test_what_a_person_types_with_an_apostrophe_stays() -> None:
    assert unprotected("'t Hooft") == "'t Hooft"
    assert protected("O'Brien") == "O'Brien"


@given(rows=st.lists(st.tuples(CELLS, CELLS, CELLS), min_size=1, max_size=5))
def test_a_sheet_gives_back_every_cell_exactly(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, ...]]
) -> None:
    path = tmp_path_factory.mktemp("sheet") / "sheet.csv"
    written = [
        SheetRow("code", "why", "what", "f.csv", line, ("k:s:1",), "m", ("id", "code", "note"), cells)
        for line, cells in enumerate(rows, 2)
    ]

    write_sheet(path, written)

    assert read_sheet(path) == written


def test_a_sheet_is_for_its_owner_alone_and_says_that_it_is_utf_8(tmp_path: Path) -> None:
    write_sheet(tmp_path / "sheet.csv", [SheetRow("c", "r", "w", "f", 2, ("k:s:1",), "m", ("id",), ("ä",))])

    content = (tmp_path / "sheet.csv").read_bytes()
    assert content.startswith("\ufeffcode,".encode())
    assert content.decode("utf-8-sig").splitlines()[0] == ",".join((*LEADING, "id"))
    assert (tmp_path / "sheet.csv").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("0120", "120"), ("007", "7"), ("5.50", "5.5"), ("1234567890123456", "1.23457E+15"), ("120.00", "120"),
        ("2026-01-02", "02/01/2026"), ("2026-01-02", "1/2/26"), ("01/02/2026", "2026-01-02"), ("true", "TRUE"),
        ("2026-01-02 09:05", "1/2/2026 9:05"), ("01/02/2026 9:05 PM", "2026-02-01 21:05"), ("x ", "x"), ("1,50", "1.5"),
    ],
)  # fmt: skip
def test_what_a_spreadsheet_rewrites_by_itself_is_the_same(before: str, after: str) -> None:
    assert same_for_a_spreadsheet(before, after)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("0120", "1200"), ("2026-01-02", "2026-01-03"), ("1234567890123456", "1.23999E+15"), ("12", "1E+2"), ("a", ""),
        ("2026-01-02 09:05", "2026-01-02 21:05"), ("yes", "no"), ("1.5", "15"), ("Bell", "Ball"), ("", "0"),
    ],
)  # fmt: skip
def test_what_a_person_changed_is_not_the_same(before: str, after: str) -> None:
    assert not same_for_a_spreadsheet(before, after)


@pytest.mark.parametrize(
    ("before", "after"),
    [("Müller", "M?ller"), ("उषा", "???"), ("a 🦷 b", "a ? b"), ("a 🦷 b", "a ?? b"), ("Zoë\nwhy?", "Zo?\r\nwhy?")],
)
def test_letters_that_a_character_set_lost_are_known(before: str, after: str) -> None:
    assert lost_letters(before, after)


@pytest.mark.parametrize(
    ("before", "after"),
    [("why", "why?"), ("Müller", "Müller?"), ("Müller", "Miller"), ("?", "?"), ("é", "")],
)
def test_a_question_mark_that_a_person_wrote_is_no_lost_letter(before: str, after: str) -> None:
    assert not lost_letters(before, after)
