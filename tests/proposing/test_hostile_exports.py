"""An export made to do harm: no command fails on it, hangs, runs anything, or lets it steer terminal or page."""

from __future__ import annotations

import csv
import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from flitstack.cli import cli

if TYPE_CHECKING:
    from collections.abc import Sequence

pytestmark = pytest.mark.usefixtures("folder")
STEERING = ("\x1b", "\x07", "\x00", "\u202e", "\u2066")
NASTY = (
    '=cmd|"/c calc"!A1', "@SUM(1+1)", "\x1b[31mred\x1b]0;title\x07", "<script>alert(1)</script><img src=x onerror=a()>",
    "\u202ereversed\u2066", "x" * 100_000, "a\x00b",
    "{{ 7 * 7 }}{% for x in y %}", "[/bold][red]", "'; DROP TABLE x;--",
    "\u2028\u0085", "-2+3", "${HOME}`id`",
)  # fmt: skip
PATIENT = ("id", "last_name", "first_name", "birth_date", "status")
ACCOUNT = (
    "--dest",
    "pipedrive",
    "--set",
    "profile=full",
    "--set",
    "dest.base_url=sandbox:account.db?plan=ultimate&seats=5",
)
COMMANDS = ("propose", "proposed", "audit", "plan", "sample", "explain")
LONG_S = 20.0


def write(name: str, *rows: Sequence[object]) -> None:
    with Path("export", name).open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)


def flit(*words: str) -> tuple[int, str]:
    """Return how a command ends that was neither a bug nor slow, and all that it said."""
    began = time.monotonic()
    result = CliRunner().invoke(cli, list(words), prog_name="flit")
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert result.exit_code != 1, result.stderr
    assert time.monotonic() - began < LONG_S
    said = result.stdout + result.stderr
    turning = () if "--json" in words else STEERING  # a machine gets names as they are, but no control character
    assert not [mark for mark in turning or STEERING[:3] if mark in said]
    return result.exit_code, said


def all_commands(*sets: str, sample: bool = True) -> dict[str, int]:
    """Run what reads an export, look at what it wrote, and return how each command ended."""
    reading = ("--source", "dental", "--input", "export", "--set", "source.as_of=2026-06-30", *sets)
    found = {
        "propose": flit("map", "propose", *reading)[0],
        "proposed": flit("map", "propose", *reading, "--json")[0],
        "audit": flit("audit", *reading, "--offline")[0],
        "plan": flit("plan", *reading, *ACCOUNT)[0],
    }
    if sample:
        found["sample"] = flit("sample", *reading, *ACCOUNT, "-n", "5", "--approve-unseen", "Dana")[0]
        found["explain"] = flit("explain", "patients:1", "--show-values")[0]
    for page in Path("flit-reports").glob("*.html") if Path("flit-reports").exists() else ():
        text = page.read_text(encoding="utf-8")
        assert not [mark for mark in STEERING if mark in text], page.name
        assert "<script" not in text
        assert "<img" not in text
    return found


def test_cells_that_would_run_or_steer_do_nothing() -> None:
    cells = [[n, NASTY[n % len(NASTY)], NASTY[-n % len(NASTY)], "1980-02-03", "patient"] for n in range(1, 14)]
    write("patients.csv", PATIENT, *cells)
    write("clinical_notes.csv", ("id", "patient_id", "written_at", "text"),
          *((n, n, "2026-05-01 09:30", NASTY[n % len(NASTY)]) for n in range(1, 14)))  # fmt: skip

    assert all_commands() == dict.fromkeys(COMMANDS, 0)


def test_headers_that_would_run_or_steer_do_nothing() -> None:
    names = [*(name[:200] for name in NASTY), "{{ patient.id }}", "{% raw %}", "#c", "- d: e", "last_name", "a]b"]
    write("patients.csv", (*PATIENT, *names),
          *((n, f"Bell{n}", "Bo", "1980-02-03", "patient", *("v" for _ in names)) for n in range(1, 9)))  # fmt: skip

    assert all_commands() == dict.fromkeys(COMMANDS, 0)


def test_five_hundred_columns_and_doubled_headers_are_drafted() -> None:
    names = [f"udf {n // 2}" for n in range(495)]
    write("Kunden.csv", ("PatNum", "LName", "FName", "DOB", "Zip", *names),
          *((n, f"Bell{n}", "Bo", "1980-02-03", "80202", *("on" for _ in names)) for n in range(20)))  # fmt: skip

    assert flit("map", "propose", "--input", "export", "--out", "draft.yaml")[0] == 0
    assert flit("map", "check", "draft.yaml")[0] == 0
    assert "left out, by place: 7, 9, 11, 13, 15 and 242 more" in Path("draft.yaml").read_text(encoding="utf-8")


@pytest.mark.parametrize("cell", ["x" * 5_000_000, "1" * 5_000_000, "a " * 2_500_000, "1-" * 2_500_000])
def test_one_cell_of_millions_of_characters_hangs_nothing(cell: str) -> None:
    Path("export", "patients.csv").write_text(f"PatNum,LName,DOB\n1,{cell},1980-02-03\n", encoding="utf-8")

    assert flit("map", "propose", "--input", "export")[0] == 0
    assert flit("audit", "--source", "dental", "--input", "export", "--offline")[0] == 2


@pytest.mark.parametrize("rows", [0, 1])
def test_a_file_of_one_row_or_none_is_looked_at(rows: int) -> None:
    write("patients.csv", PATIENT, *([(1, "Bell", "Bo", "1980-02-03", "patient")] * rows))

    ended = all_commands(sample=bool(rows))

    assert ended == (dict.fromkeys(COMMANDS, 0) if rows else {"propose": 0, "proposed": 0, "audit": 2, "plan": 2})


@pytest.mark.skipif(sys.platform != "linux", reason="only here may a file's name be any bytes")
def test_a_file_whose_name_is_no_text_is_refused_with_what_to_do(folder: Path) -> None:
    write("patients.csv", PATIENT, (1, "Bell", "Bo", "1980-02-03", "patient"))
    bad = bytes(folder / "export") + b"/\xff.csv"
    with open(bad, "wb") as file:
        file.write(b"PatNum,LName\n1,Bell\n")

    code, said = flit("audit", "--source", "dental", "--input", "export", "--offline")
    _, told = flit("audit", "--source", "dental", "--input", "export", "--offline", "--json")

    assert code == 2
    assert "\ufffd.csv: the name of this file is no UTF-8. Rename it." in said
    assert json.loads(told.splitlines()[0])["exit_code"] == 2
