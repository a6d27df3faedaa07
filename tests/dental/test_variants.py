"""One practice written in the many ways in which a stranger's program might: read alike, whatever the way."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from flitstack.protocols import Record
from flitstack_dental.example import write_example
from flitstack_dental.reader import open_export

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

Rows = dict[str, list[dict[str, Any]]]
AS_OF = {"as_of": "2026-06-30"}


@dataclass(frozen=True)
class Way:
    """How the files are written."""

    header: Callable[[str], str] = str
    order: Callable[[Sequence[str]], Sequence[str]] = tuple
    more: Mapping[str, str] = field(default_factory=dict)
    delimiter: str = ","
    end: str = "\n"
    encoding: str = "utf-8"
    first: str = ""
    folder: str = ""
    zipped: bool = False
    suffix: str = ".csv"
    quoting: Any = csv.QUOTE_MINIMAL

    def write(self, rows: Rows, place: Path) -> Path:
        """Write one file per stream; return what a person would give as the input."""
        files = {f"{self.folder}{stream}{self.suffix}": self._text(records) for stream, records in rows.items()}
        if self.zipped:
            with zipfile.ZipFile(place / "export.zip", "w") as archive:
                for name, text in files.items():
                    archive.writestr(name, text.encode(self.encoding))
            return place / "export.zip"
        for name, text in files.items():
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            (place / name).write_bytes(text.encode(self.encoding))
        return place

    def _text(self, records: list[dict[str, Any]]) -> str:
        columns = self.order(tuple(dict.fromkeys(name for record in records for name in record)))
        out = io.StringIO()
        out.write(self.first)
        writer = csv.writer(out, delimiter=self.delimiter, lineterminator=self.end, quoting=self.quoting)
        writer.writerow([*map(self.header, columns), *self.more])
        for record in records:
            writer.writerow([*(_cell(record.get(name)) for name in columns), *self.more.values()])
        return out.getvalue()


def _cell(value: Any) -> str:
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def _spoken(name: str) -> str:
    return name.replace("_", " ").title()


WAYS = {
    "upper case": Way(header=str.upper),
    "words with blanks": Way(header=_spoken),
    "columns in another order": Way(order=lambda names: tuple(reversed(names))),
    "columns nobody knows": Way(more={"Legacy Ref #": "x17", "Colour": "blue", "Remarks 2": ""}),
    "semicolons": Way(delimiter=";"),
    "tabs in text files": Way(delimiter="\t", suffix=".txt"),
    "bars": Way(delimiter="|"),
    "every cell quoted": Way(quoting=csv.QUOTE_ALL),
    "CR LF": Way(end="\r\n"),
    "CR alone": Way(end="\r", quoting=csv.QUOTE_ALL),
    "Windows-1252": Way(encoding="cp1252"),
    "UTF-16": Way(encoding="utf-16"),
    "as a spreadsheet saves it": Way(encoding="utf-8-sig", first="sep=;\r\n", delimiter=";", end="\r\n"),
    "in a folder of a folder": Way(folder="Practice/Export 2026/"),
    "zipped, in a folder": Way(folder="export/", zipped=True),
    "file names in capitals": Way(folder="", header=_spoken, suffix=".CSV"),
}


def _read(path: Path) -> Rows:
    reader = open_export(str(path), AS_OF)
    found: Rows = {}
    for stream in reader.streams():
        items = list(reader.read(stream.name))
        assert all(isinstance(item, Record) for item in items), stream.name
        found[stream.name] = [dict(item.data) for item in items if isinstance(item, Record)]
    reader.close()
    return found


@pytest.fixture(scope="module")
def practice(tmp_path_factory: pytest.TempPathFactory) -> Rows:
    """Return what is readable of an example practice: its streams, and their records' data."""
    place = tmp_path_factory.mktemp("example")
    write_example(place / "written", 8, 3)
    reader = open_export(str(place / "written"), AS_OF)
    rows: Rows = {}
    for stream in reader.streams():
        records = [item for item in reader.read(stream.name) if isinstance(item, Record)]
        rows[stream.name] = [{name: _plain(value) for name, value in record.data.items()} for record in records]
    reader.close()
    rows = {stream: records for stream, records in rows.items() if records}
    return _read(Way().write(rows, place / "plain"))


_PASSES_FOR_UTF8 = re.compile(rb"[\xc2-\xf4](?=[\x80-\xbf])")


def _plain(value: Any) -> Any:
    """Return the value as every encoding can write it, without what reads as another text in another encoding."""
    if not isinstance(value, str):
        return value
    return " ".join(_PASSES_FOR_UTF8.sub(b"", value.encode("cp1252", "ignore")).decode("cp1252").split())


def test_the_practice_is_worth_the_trouble(practice: Rows) -> None:
    assert len(practice) > 25
    assert {"patients", "appointments", "clinical_notes", "treatment_plan_items"} <= practice.keys()


@pytest.mark.parametrize("way", WAYS)
def test_the_way_in_which_files_are_written_changes_nothing(way: str, practice: Rows, tmp_path: Path) -> None:
    assert _read(WAYS[way].write(practice, tmp_path)) == practice


@pytest.mark.parametrize(
    ("stream", "columns"),
    [
        ("patients", {"middle_name", "language", "sex", "guarantor_id", "created_at", "updated_at"}),
        ("appointments", {"type_name", "duration_minutes", "note", "provider_id", "created_at"}),
        ("contact_points", {"label", "rank", "note"}),
        ("treatment_plans", {"heading", "signed_at", "proposed_on"}),
        ("providers", {"email", "specialty", "title", "active"}),
    ],
)
def test_a_column_that_is_missing_is_a_field_that_is_missing(
    stream: str, columns: set[str], practice: Rows, tmp_path: Path
) -> None:
    without = [{name: value for name, value in row.items() if name not in columns} for row in practice[stream]]

    found = _read(Way().write({**practice, stream: without}, tmp_path))

    assert found == {**practice, stream: without}


WORDS = {
    "completed": ["Complete", "COMPLETED", "Left Surgery", "done"],
    "scheduled": ["Pending", "On Standby", "Booked"],
    "arrived": ["Waiting", "In Surgery"],
    "no_show": ["Did Not Attend", "No Show", "no-show", "NoShow", "DNA"],
    "cancelled": ["Cancelled", "Canceled", "Late Cancellation", "late cancel", "Postponed"],
    "deleted": ["Deleted"],
}


@pytest.mark.parametrize(("status", "word"), [(status, word) for status, words in WORDS.items() for word in words])
def test_a_status_in_words_is_understood(status: str, word: str, practice: Rows, tmp_path: Path) -> None:
    written = [{"id": "1", "patient_id": practice["patients"][0]["id"], "status": word}]

    (found,) = _read(Way().write({"patients": practice["patients"], "appointments": written}, tmp_path))["appointments"]

    assert found["status"] == status


@pytest.mark.parametrize("stream", ["appointments", "treatment_plans", "treatment_plan_items", "procedures"])
def test_a_status_that_nobody_explained_is_rejected(stream: str, practice: Rows, tmp_path: Path) -> None:
    written = [{"id": "1", "patient_id": practice["patients"][0]["id"], "status": "perhaps"}]
    reader = open_export(str(Way().write({"patients": practice["patients"], stream: written}, tmp_path)), AS_OF)

    (item,) = reader.read(stream)

    assert (getattr(item, "code", None), getattr(item, "field", None)) == ("unknown_code", "status")
    reader.close()
