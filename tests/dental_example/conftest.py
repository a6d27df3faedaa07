"""Example practices, made once, and an independent way to read them back."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from flitstack_dental.example import write_example

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# Stated here once more on purpose: the files should be what they are said to be.
_ODD_ENCODINGS = {"addresses": "utf-8-sig", "prescriptions": "cp1252", "communications": "utf-16"}
_ODD_FORMS: dict[str, dict[str, Any]] = {
    "prescriptions": {"delimiter": ";"},
    "communications": {"delimiter": "\t"},
    "custom_columns": {"quotechar": "~"},
    "insurance_plans": {"delimiter": ";"},
}


@dataclass(frozen=True, slots=True)
class Line:
    """One row as it stands in the file: the physical line it begins on, and its cells by header."""

    number: int
    width: int
    cells: dict[str, str]


@dataclass(frozen=True, slots=True)
class Example:
    """An example practice on disk."""

    out: Path
    patients: int

    def lines(self, stream: str) -> list[Line]:
        """Return the rows of a stream's file, headers and totals amid them included."""
        return list(self._lines(stream))

    def _lines(self, stream: str) -> Iterator[Line]:
        text = (self.out / f"{stream}.csv").read_bytes().decode(_ODD_ENCODINGS.get(stream, "utf-8"))
        source = io.StringIO(text, newline="")
        skipped = 0
        if text.startswith("sep="):
            source.readline()
            skipped = 1
        reader = csv.reader(source, **_ODD_FORMS.get(stream, {}))
        header = next(reader)
        begins = reader.line_num + 1
        for cells in reader:
            yield Line(begins + skipped, len(cells), dict(zip(header, cells, strict=False)))
            begins = reader.line_num + 1

    def records(self, stream: str) -> list[dict[str, str]]:
        """Return the cells of the rows that have an id of their own."""
        return [line.cells for line in self.lines(stream) if line.cells["id"] not in {"", "id", "Total"}]

    @property
    def ledger(self) -> list[dict[str, Any]]:
        """The planted defects."""
        loaded: list[dict[str, Any]] = json.loads((self.out / "defects.ledger.json").read_text(encoding="utf-8"))
        return loaded


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Example:
    """The practice of the demo."""
    return _made(tmp_path_factory, 40, 1)


@pytest.fixture(scope="session")
def town(tmp_path_factory: pytest.TempPathFactory) -> Example:
    """A practice of two thousand patients, at full ratios."""
    return _made(tmp_path_factory, 2000, 1)


@pytest.fixture(scope="session", params=[(40, 1), (75, 2), (260, 3)], ids=["demo", "thin", "full"])
def any_size(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Example:
    """Practices of several sizes and seeds."""
    patients, seed = request.param
    return _made(tmp_path_factory, patients, seed)


def _made(factory: pytest.TempPathFactory, patients: int, seed: int) -> Example:
    out = factory.mktemp("example")
    write_example(out, patients, seed)
    return Example(out, patients)
