"""The dental reader shows any row without its secrets, and a correction that changes nothing changes nothing."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

import pytest

from flitstack.protocols import Correctable, Correction, Rejection, SourceRow, Where
from flitstack_dental.example import write_example
from flitstack_dental.reader import DentalReader, open_export
from flitstack_dental.sensitive import is_secret_name, remove_secrets

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from flitstack.protocols import Record, Skip


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An invented practice with every defect that the example has."""
    folder = tmp_path_factory.mktemp("practice") / "export"
    write_example(folder, patients=60, seed=7)
    return folder


@pytest.fixture
def reader(export: Path) -> Iterator[DentalReader]:
    """A reader of it."""
    opened = open_export(str(export), {})
    yield opened
    opened.close()


def all_rows(reader: DentalReader) -> list[SourceRow]:
    """Return every row of every file that can be shown."""
    places = [Where(file.name, line) for file in reader.inventory() for line in range(1, 3000)]
    return [row for row in reader.rows_at(places) if row.where.line > 1]


def everything(reader: DentalReader) -> list[Record | Rejection | Skip]:
    """Return all that is read, stream by stream."""
    return [item for stream in reader.streams() for item in reader.read(stream.name)]


def test_every_rejected_row_is_shown_or_named_as_one_that_cannot_be(reader: DentalReader) -> None:
    rejected = {item.where for item in everything(reader) if isinstance(item, Rejection) and item.where}

    shown = {row.where for row in reader.rows_at(sorted(rejected, key=lambda where: (where.file, where.line)))}

    assert isinstance(reader, Correctable)
    assert len(rejected) > 10
    assert shown <= rejected
    assert len(shown) > len(rejected) * 0.8


def test_no_secret_is_in_any_row_that_is_shown(reader: DentalReader, export: Path) -> None:
    rows = all_rows(reader)
    raw = "".join(path.read_text("utf-8", "replace") for path in export.glob("*.csv"))

    assert remove_secrets(raw) != raw
    assert len(rows) > 1000
    assert [name for row in rows for name in row.columns if is_secret_name(name)] == []
    assert [cell for row in rows for cell in row.cells if remove_secrets(cell) != cell] == []


def test_a_shown_row_is_what_its_file_has(reader: DentalReader, export: Path) -> None:
    with (export / "recalls.csv").open(encoding="utf-8", newline="") as stream:
        header, *_ = csv.reader(stream)

    row = next(row for row in all_rows(reader) if row.where.file == "recalls.csv")

    assert list(row.columns) == header
    line = (export / "recalls.csv").read_text("utf-8").splitlines()[row.where.line - 1]
    assert list(row.cells) == next(csv.reader([line]))


def test_corrections_that_change_nothing_change_nothing(reader: DentalReader, export: Path) -> None:
    rows = all_rows(reader)
    plain = [row for row in rows if not any("[removed]" in cell or "(" in name for name, cell in _pairs(row))]
    again = open_export(str(export), {})

    again.correct([Correction(row.mark, dict(_pairs(row))) for row in plain])

    assert everything(again) == everything(reader)
    assert again.corrected() == {row.mark for row in plain}
    again.close()


def test_only_the_row_that_a_correction_was_made_for_is_read_anew(reader: DentalReader, export: Path) -> None:
    before = {(item.stream, item.id): item for item in everything(reader)}
    row = next(row for row in all_rows(reader) if row.where.file == "recalls.csv")
    again = open_export(str(export), {})

    again.correct([Correction(row.mark, {"interval": "9 months"}), Correction("recalls:1:0", {"interval": "1 month"})])
    after = {(item.stream, item.id): item for item in everything(again)}

    assert [key for key, item in after.items() if item != before[key]] == [("recalls", row.cells[0])]
    assert again.corrected() == {row.mark}
    again.close()


def _pairs(row: SourceRow) -> Iterator[tuple[str, str]]:
    return zip(row.columns, row.cells, strict=True)
