"""Writes the example's CSV files row by row, each in its own dialect, and plants defects on the way."""

from __future__ import annotations

import csv
import json
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date, datetime
from importlib.resources import files
from typing import TYPE_CHECKING

from flitstack_dental.example.defects import DEFECTS, Ledger, RowDefect

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path
    from types import TracebackType
    from typing import TextIO

    from flitstack_dental.example.defects import Cell, Fields, Row

SECRET_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "patients": ("ssn", "drivers_license", "portal_password"),
    "providers": ("dea_number",),
    "staff": ("password",),
}
"""Columns beyond the neutral ones that a reader must drop."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """How one file is written.

    :param bom: the file begins with a byte order mark.
    :param sep_line: the first line states the delimiter, as spreadsheets write it.
    :param day_first: dates are DD/MM/YYYY instead of ISO.
    :param quote_all: every cell is quoted.
    """

    encoding: str = "utf-8"
    delimiter: str = ","
    quote: str = '"'
    newline: str = "\n"
    bom: bool = False
    sep_line: bool = False
    day_first: bool = False
    quote_all: bool = False

    @property
    def date_format(self) -> str:
        """The form of its dates, for the manifest."""
        return "DD/MM/YYYY" if self.day_first else "YYYY-MM-DD"


DIALECTS: Mapping[str, Dialect] = {
    "addresses": Dialect(bom=True),
    "prescriptions": Dialect(encoding="cp1252", delimiter=";", day_first=True),
    "communications": Dialect(encoding="utf-16-le", delimiter="\t", bom=True),
    "custom_columns": Dialect(quote="~", newline="\r\n", quote_all=True),
    "insurance_plans": Dialect(delimiter=";", sep_line=True),
    "recalls": Dialect(newline="\r\n"),
}
"""The files that are not plain comma, UTF-8, LF: each of these dialects is seen in real exports."""

PLAIN = Dialect()
_OF_THE_MANIFEST = frozenset({"practice.json"})


def stream_columns() -> dict[str, tuple[str, ...]]:
    """Return the columns of every neutral stream that has a file, in the order of its schema, secrets at the end."""
    found: dict[str, tuple[str, ...]] = {}
    folder = files("flitstack_dental") / "streams"
    for entry in sorted(folder.iterdir(), key=lambda item: item.name):
        if entry.name.endswith(".json") and entry.name not in _OF_THE_MANIFEST:
            name = entry.name.removesuffix(".json")
            schema = json.loads(entry.read_text(encoding="utf-8"))
            found[name] = (*schema["properties"], *SECRET_COLUMNS.get(name, ()))
    return found


class _Out:
    """Where the csv module writes to: passes finished rows on and counts the physical lines they cover."""

    def __init__(self, handle: TextIO) -> None:
        self.handle = handle
        self.next_line = 1
        self.mangle: Callable[[str], str] | None = None

    def write(self, text: str) -> None:
        """Take one finished row."""
        if self.mangle is not None:
            text = self.mangle(text)
        self.handle.write(text)
        self.next_line += text.count("\n")


class StreamFile:
    """One CSV file under way."""

    def __init__(self, stream: str, columns: tuple[str, ...], dialect: Dialect, handle: TextIO) -> None:
        self.name = f"{stream}.csv"
        self.columns = columns
        self.rows = 0
        self._dialect = dialect
        self._out = _Out(handle)
        self._writer = csv.writer(
            self._out,
            delimiter=dialect.delimiter,
            quotechar=dialect.quote,
            lineterminator=dialect.newline,
            quoting=csv.QUOTE_ALL if dialect.quote_all else csv.QUOTE_MINIMAL,
        )
        if dialect.bom:
            handle.write("\ufeff")
        if dialect.sep_line:
            self._out.write(f"sep={dialect.delimiter}{dialect.newline}")
        self.write_cells(columns)

    def write_cells(self, cells: Sequence[str], mangle: Callable[[str], str] | None = None) -> int:
        """Write one row as it stands and return the line it begins on.

        :param mangle: what happens to the finished text of the row.
        """
        line = self._out.next_line
        self._out.mangle = mangle
        self._writer.writerow(cells)
        return line

    def cells(self, row: Fields) -> list[str]:
        """Return the row's cells in the file's order and date format."""
        return [self._text(row.get(column)) for column in self.columns]

    def _text(self, value: Cell) -> str:
        if value is None:
            return ""
        if isinstance(value, str):
            return value
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, datetime):
            return value.isoformat(timespec="seconds")
        if isinstance(value, date):
            return value.strftime("%d/%m/%Y") if self._dialect.day_first else value.isoformat()
        return str(value)


class Export:
    """The folder being written: all files open at once, so that memory stays flat."""

    def __init__(self, out: Path) -> None:
        self._stack = ExitStack()
        self.out = out
        self.ledger = Ledger(self._stack.enter_context(_text_file(out / "defects.ledger.json", "utf-8")))
        self._files = {name: self._open(name, columns) for name, columns in stream_columns().items()}
        self._plain_rows = dict.fromkeys(self._files, 0)

    def _open(self, stream: str, columns: tuple[str, ...]) -> StreamFile:
        dialect = DIALECTS.get(stream, PLAIN)
        handle = self._stack.enter_context(_text_file(self.out / f"{stream}.csv", dialect.encoding))
        return StreamFile(stream, columns, dialect, handle)

    def __enter__(self) -> Export:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.ledger.close()
        finally:
            self._stack.__exit__(kind, error, trace)

    def rows(self, stream: str) -> int:
        """Return how many records of the stream were written so far."""
        return self._files[stream].rows

    def next_id(self, stream: str, prefix: str) -> str:
        """Return an id for the stream's next record."""
        return f"{prefix}{self._files[stream].rows + 1:06d}"

    def emit(
        self, stream: str, row: Fields, rng: random.Random | None = None, shape: RowDefect | None = None
    ) -> RowDefect | None:
        """Write one record, perhaps with a defect, and return the one that keeps it from moving, None when none does.

        :param rng: given for a row that a defect may befall: an ordinary row of an ordinary patient, so that
            nothing else decides its bucket.
        :param shape: the defect that the row has already; it is entered unless another one befalls it.
        """
        file = self._files[stream]
        file.rows += 1
        defect = self._defect(stream, rng) if rng is not None else None
        if defect is None:
            line = file.write_cells(file.cells(row))
            if shape is not None:
                self.ledger.add(shape, stream, str(row["id"]), file.name, line)
            return None
        return self._plant(stream, file, dict(row), defect)

    def emit_lost(self, stream: str, row: Fields, parent: RowDefect) -> None:
        """Write one record of a patient whose own row cannot move, and foretell its fate.

        :param parent: what befell the patient; when its row cannot even be named, the record is an orphan.
        """
        file = self._files[stream]
        file.rows += 1
        line = file.write_cells(file.cells(row))
        self.ledger.add(BLOCKED if parent.has_id else LOST, stream, str(row["id"]), file.name, line)

    def _defect(self, stream: str, rng: random.Random) -> RowDefect | None:
        candidates = DEFECTS.get(stream)
        if candidates is None:
            return None
        self._plain_rows[stream] += 1
        count = self._plain_rows[stream]
        drawn = rng.random()
        for defect in candidates:
            if count == defect.first_at:
                return defect
        for defect in candidates:
            drawn -= defect.rate
            if drawn < 0:
                return defect
        return None

    def _plant(self, stream: str, file: StreamFile, row: Row, defect: RowDefect) -> RowDefect | None:
        cells = file.cells(defect.changed(row))
        line = file.write_cells(cells[: -defect.cut] if defect.cut else [*cells, *defect.extra], defect.mangle)
        if defect.again is not None:
            file.rows += 1
            row = defect.again(dict(row))
            line = file.write_cells(file.cells(row))
        self.ledger.add(defect, stream, str(row["id"]), file.name, line)
        moves = defect.again is not None or defect.bucket not in {"rejected", "skipped"}
        return None if moves else defect

    def note_secret_column(self, stream: str, column: str) -> None:
        """Enter a column of secrets into the ledger."""
        self.ledger.add_secret_column(stream, f"{stream}.csv", column)

    def write_totals(self, stream: str, cells: dict[str, str]) -> None:
        """End a file with a line of totals, as spreadsheets do."""
        file = self._files[stream]
        line = file.write_cells([cells.get(column, "") for column in file.columns])
        self.ledger.add(TOTALS, stream, None, file.name, line)

    def repeat_header(self, stream: str) -> None:
        """Write the header once more in the middle of the file, as joined exports have it."""
        file = self._files[stream]
        self.ledger.add(REPEATED_HEADER, stream, None, file.name, file.write_cells(file.columns))


def _text_file(path: Path, encoding: str) -> TextIO:
    return path.open("w", buffering=1 << 15, encoding=encoding, newline="")


LOST = RowDefect("parent_lost", "rejected", "orphan", "Its patient's own row has no id that can be read.")
BLOCKED = RowDefect("parent_rejected", "blocked", None, "Its patient's own row is rejected.")
TOTALS = RowDefect("totals_line", "skipped", "totals_line", "A line of totals at the end of the file.")
REPEATED_HEADER = RowDefect("repeated_header", "skipped", "repeated_header", "The header again, amid the rows.")
