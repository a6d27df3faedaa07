"""An export without headers, or read amiss, shows no cell of a patient: terminal, pages, JSON, drafts, journal."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from flitstack.cli import cli
from flitstack.journal.purging import KEPT

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("folder")
PLANTED = ("zyxquor", "wvulmip", "kjaxtoft", "078-05-1120", "078051120", "qvimdrex")
ROWS = [
    f"P{n:04},{('Zyxquor,Wvulmip', 'Bell,Bo', 'Ash,Cy')[n % 3]},{'FM'[n % 2]},{('Kjaxtoft', 'Rye')[n % 2]}"
    for n in range(30)
]
"""Rows without a day, an address or a number alone, by which a first line is easily told from a header."""
DATED = [f"{n},Zyxquor,Wvulmip,1980-02-{n % 27 + 1:02},zyxquor{n}@kjaxtoft.example" for n in range(1, 30)]
WIDE = [f"{n},Zyxquor,Wvulmip,F,Kjaxtoft,078-05-1120" for n in range(1, 30)]
HEADER = "PatNum,LName,FName,Gender,City"
CONTENTS = {
    "names_alone": ROWS,
    "days_and_addresses": DATED,
    "headed_alike": ["P0000,Zyxquor,Zyxquor,Kjaxtoft,Kjaxtoft", *ROWS],
    "an_open_quote": [HEADER.replace("FName", '"FName'), *ROWS],
    "a_title_first": ["Patients of Zyxquor,Kjaxtoft", *ROWS],
    "a_title_over_a_real_header": ["Patients of Zyxquor,Kjaxtoft", HEADER, *ROWS],
    "first_names_under_a_header_that_says_nothing": [
        "PatNum,LName,Col7,Gender",
        *(f"P{n:04},Bell{n},{('Zyxquor', 'Wvulmip', 'Qvimdrex')[n % 3]},{'FM'[n % 2]}" for n in range(30)),
    ],
    "first_names_by_which_people_are_called": [
        "PatNum,LName,FName,Preferred,Known as,Shirt Buddy",
        *(f"P{n:04},Bell{n},Bo{n},{first},{first},{first}"
          for n in range(30) for first in (('Zyxquor', 'Wvulmip', 'Qvimdrex')[n % 3],)),
    ],
    "names_of_others_in_capitals_and_small": [
        "PatNum,LName,FName,Sponsor,Wombat,Shade Group",
        *(f"P{n:04},{last},{last.title()},{last.upper()},{last},{last.title()}"
          for n in range(30) for last in (('zyxquor', 'wvulmip', 'qvimdrex')[n % 3],)),
    ],
    "names_in_a_column_of_codes": [
        "PatNum,LName,FName,Sex",
        *(f"P{n:04},Bell,{first},{first}" for n in range(30) for first in (('Zyxquor', 'Wvulmip')[n % 2],)),
    ],
    "a_header_too_short": ["LName,FName,Sex", *WIDE],
    "numbers_of_society": [f"078-05-1120,{row}" for row in ROWS],
    "one_row": ["P0000,Zyxquor,Wvulmip,1980-02-03,Kjaxtoft"],
    "semicolons_and_commas": [row.replace(",", ";", 2) for row in ROWS],
    "codes_that_are_names": ["PatNum,LName,Sex", *(f"{n},Bell,{('Zyxquor', 'Qvimdrex')[n % 2] if n < 8 else f'x{n}'}"
                                                   for n in range(30))],
}  # fmt: skip
LAYOUT = """\
name: own
title: Own
files:
  patients:
    records:
      - {stream: patients, id: PatNum, set: {status: patient}, fields: {last_name: LName}}
"""
GOOD = [
    "id,last_name,first_name,birth_date,status",
    *(f"{n},Good{n},Name,1980-02-03,patient" for n in range(20)),
]


def flit(*words: str) -> str:
    """Return all that a command says."""
    result = CliRunner().invoke(cli, list(words), prog_name="flit")
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert result.exit_code != 1, result.output  # a bug
    return result.stdout + result.stderr


def shown(folder: Path, said: Sequence[str]) -> list[str]:
    """Return what was planted and stands in something said, in a file beside the export, or in what a purge keeps."""
    texts = dict(enumerate(said)) | {
        path.name: path.read_text(encoding="utf-8", errors="replace")
        for path in folder.rglob("*")
        if path.is_file() and "export" not in path.parts and path.suffix in (".html", ".json", ".yaml", ".csv", ".md")
    }
    journal = folder / "flit.db"
    if journal.exists():
        with closing(sqlite3.connect(journal)) as db:
            there = {name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            for table in there & set(KEPT):
                texts[table] = str(db.execute(f"SELECT * FROM {table}").fetchall())  # noqa: S608 - names of our own
    return [f"{where}: {word}" for where, text in texts.items() for word in PLANTED if word in text.casefold()]


def commands(*more: str) -> list[list[str]]:
    reading = ["--source", "dental", "--input", "export", *more]
    account = ["--set", "dest.base_url=sandbox:account.db?plan=ultimate&seats=5", "--set", "profile=full"]
    return [
        ["map", "propose", *reading],
        ["map", "propose", *reading, "--json"],
        ["map", "propose", *reading, "--out", "draft.yaml"],
        ["audit", *reading, "--offline"],
        ["audit", *reading, "--offline", "--json"],
        ["plan", "--dest", "pipedrive", *reading, *account, "--journal", "flit.db"],
        ["status"],
    ]


@pytest.mark.parametrize("beside", [False, True], ids=["alone", "beside a good file"])
@pytest.mark.parametrize("content", CONTENTS)
def test_no_cell_of_a_file_without_a_header_is_shown(folder: Path, content: str, beside: bool) -> None:
    (folder / "export" / ("leads.csv" if beside else "patients.csv")).write_text(
        "\n".join([*CONTENTS[content], ""]), encoding="utf-8"
    )
    if beside:
        (folder / "export" / "patients.csv").write_text("\n".join([*GOOD, ""]), encoding="utf-8")

    said = [flit(*words) for words in commands()]

    assert shown(folder, said) == []


@pytest.mark.parametrize("content", CONTENTS)
def test_no_cell_is_shown_where_a_layout_of_ones_own_takes_a_file_by_its_name(folder: Path, content: str) -> None:
    (folder / "export" / "patients.csv").write_text("\n".join([*CONTENTS[content], ""]), encoding="utf-8")
    (folder / "layout.yaml").write_text(LAYOUT, encoding="utf-8")

    said = [
        flit(*words) for words in commands("--set", "source.layout=layout.yaml", "--set", "source.as_of=2026-06-30")
    ]

    assert shown(folder, said) == []


@pytest.mark.parametrize("header", ["Col7", "F7", "Preferred", "Column 3", "Rufname", "Partner", "Ort", "Remarks"])
def test_recurring_words_of_a_column_that_the_layout_leaves_are_no_options(folder: Path, header: str) -> None:
    rows = [f"P{n:04},Bell{n},{('Zyxquor', 'Wvulmip', 'Qvimdrex')[n % 3]}" for n in range(30)]
    (folder / "export" / "patients.csv").write_text("\n".join([f"PatNum,LName,{header}", *rows, ""]), encoding="utf-8")
    (folder / "layout.yaml").write_text(LAYOUT, encoding="utf-8")

    said = [flit(*words) for words in commands("--set", "source.layout=layout.yaml")[:3]]

    assert shown(folder, said) == []
    assert f"# {header}: text; 100% of the rows have it" in (folder / "draft.yaml").read_text(encoding="utf-8")


def test_words_that_a_header_calls_choices_are_shown_unless_one_is_a_name(folder: Path) -> None:
    rows = [
        f"P{n:04},{('Bell', 'Gold')[n % 2]},{('Alpha', 'Beta')[n % 2]},{('Silver', 'Gold')[n % 2]}" for n in range(30)
    ]
    lines = ["PatNum,LName,Tier,Grade", *rows, ""]
    (folder / "export" / "patients.csv").write_text("\n".join(lines), encoding="utf-8")
    (folder / "layout.yaml").write_text(LAYOUT, encoding="utf-8")

    text = flit("map", "propose", "--input", "export", "--set", "source.layout=layout.yaml")

    assert "# Tier: one of 2: Alpha, Beta" in text
    assert "# Grade: text;" in text


def test_no_cell_is_shown_where_the_delimiter_is_said_wrongly(folder: Path) -> None:
    (folder / "export" / "patients.csv").write_text("\n".join([*DATED, ""]), encoding="utf-8")

    said = [flit(*words) for words in commands("--set", "source.delimiter=|")]

    assert shown(folder, said) == []


def test_what_is_a_header_is_listed_of_a_file_that_was_not_placed(folder: Path) -> None:
    rows = [f"{n},{n * 7},on" for n in range(20)]
    (folder / "export" / "devices.csv").write_text("\n".join(["Autoclave,Cycles,Lamp", *rows]), encoding="utf-8")
    (folder / "export" / "patients.csv").write_text("\n".join(GOOD).replace("id,", "PatNum,", 1), encoding="utf-8")

    text = flit("map", "propose", "--input", "export")
    told = json.loads(flit("map", "propose", "--input", "export", "--json").partition("\n")[0])

    assert "# Its columns: Autoclave, Cycles, Lamp" in text
    devices = next(file for file in told["files"] if file["file"] == "devices.csv")
    assert [column["column"] for column in devices["columns"]] == ["Autoclave", "Cycles", "Lamp"]


def test_a_layout_of_ones_own_that_knows_the_export_is_the_draft(folder: Path) -> None:
    rows = ["PatNum,LName,Shirt", *(f"{n},Bell,{('red', 'blue')[n % 2]}" for n in range(20))]
    (folder / "export" / "patients.csv").write_text("\n".join([*rows, ""]), encoding="utf-8")
    (folder / "layout.yaml").write_text(LAYOUT, encoding="utf-8")

    text = flit("map", "propose", "--input", "export", "--set", "source.layout=layout.yaml", "--out", "draft.yaml")

    assert "The layout layout.yaml knows this export; only columns it leaves are on offer." in text
    assert "# Shirt: one of 2: blue, red" in (folder / "draft.yaml").read_text(encoding="utf-8")
    assert "nothing is wrong in it" in flit("map", "check", "draft.yaml")
