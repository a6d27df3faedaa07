"""Rejected rows as CSV files that people edit: one for each file of the export, its own columns behind ours."""

from __future__ import annotations

import csv
import io
import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flitstack.errors import UsageError
from flitstack.stages.rejects.cells import protected, unprotected

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

LEADING = ("code", "reason", "what_to_do", "file", "line", "key", "mark")
INDEX = "index.csv"
INDEX_COLUMNS = ("sheet", "file", "code", "rows", "reason", "what_to_do")
BOM = "\ufeff"
SHOWS = "+"
"""Between a row's mark and the revision of the corrections that its cells show already."""
csv.field_size_limit(max(csv.field_size_limit(), 1 << 28))  # a cell may hold a long text
_FIRST = re.compile(rf'"?{LEADING[0]}"?([,;\t])')
_UNSAFE = re.compile(r"[^\w.\- ()]+")


@dataclass(frozen=True, slots=True)
class SheetRow:
    """One row of a sheet: a row of the export that makes at least one rejected record.

    :param keys: source keys of those records. :param mark: "" for a row that cannot be corrected in the sheet.
    :param cells: the export's own cells, by its columns.
    :param revision: which corrections the cells show; "" for none.
    :param short: the columns that a sheet's row ends before.
    """

    code: str
    reason: str
    what_to_do: str
    file: str
    line: int
    keys: tuple[str, ...]
    mark: str
    columns: tuple[str, ...]
    cells: tuple[str, ...]
    revision: str = ""
    short: tuple[str, ...] = ()


def sheet_name(file: str, taken: Iterable[str]) -> str:
    """Return the name of the sheet for a file of the export, unlike those taken."""
    stem = _UNSAFE.sub("_", file.rsplit(".", 1)[0]).strip(". ")[:120] or "rows"
    used = {name.lower() for name in taken} | {INDEX}
    name, number = f"{stem}.csv", 1
    while name.lower() in used:
        number += 1
        name = f"{stem}-{number}.csv"
    return name


def write_sheet(path: Path, rows: Sequence[SheetRow]) -> None:
    """Write the rejected rows of one file.

    :raises OSError: it cannot be written.
    """
    columns = list(dict.fromkeys(column for row in rows for column in row.columns))
    table: list[Sequence[str]] = [(*LEADING, *columns)]
    for row in rows:
        own = dict(zip(row.columns, row.cells, strict=True))
        mark = f"{row.mark}{SHOWS}{row.revision}" if row.mark and row.revision else row.mark
        leading = (row.code, row.reason, row.what_to_do, row.file, str(row.line), " ".join(row.keys), mark)
        table.append((*leading, *(own.get(column, "") for column in columns)))
    write_table(path, table)


def write_table(path: Path, table: Iterable[Sequence[str]]) -> None:
    """Write a table for spreadsheets, readable by its owner alone: UTF-8 with its mark, nothing that runs."""
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\r\n").writerows([protected(cell) for cell in row] for row in table)
    # Opened for the first time with these rights: nobody can look in between.
    with os.fdopen(os.open(path, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600), "wb") as out:
        out.write((BOM + text.getvalue()).encode("utf-8", "surrogatepass"))


def read_sheet(path: Path) -> list[SheetRow]:
    """Return the rows of a sheet as somebody saved it: comma, semicolon or tab, in UTF-8.

    :raises UsageError: it is no such sheet any more; the message says what is missing.
    """
    header, *body = _table(path) or [[]]
    if tuple(header[: len(LEADING)]) != LEADING:
        raise UsageError(
            f"{path.name}: this is no file of `flit rejects export`: its first columns must be {', '.join(LEADING)}."
        )
    columns = header[len(LEADING) :]
    while columns and not columns[-1]:
        columns.pop()
    if "" in columns or len(set(columns)) < len(columns):
        raise UsageError(f"{path.name}: a column has no name, or two have the same. Leave the first line as it was.")
    rows = []
    for number, cells in enumerate(body, 2):
        if not any(cells):
            continue
        if any(cells[len(LEADING) + len(columns) :]):
            raise UsageError(f"{path.name} row {number}: it has more cells than the first line has columns.")
        rows.append(_row(path, number, cells, tuple(columns)))
    return rows


def _row(path: Path, number: int, cells: Sequence[str], columns: tuple[str, ...]) -> SheetRow:
    if len(cells) < len(LEADING):
        raise UsageError(f"{path.name} row {number}: it ends before its mark. Export again, and correct it there.")
    short = columns[len(cells) - len(LEADING) :]
    cells = [*cells, *[""] * len(short)]
    code, reason, what_to_do, file, line, keys, mark = cells[: len(LEADING)]
    mark, _, revision = mark.partition(SHOWS)
    if not keys.split():
        raise UsageError(f"{path.name} row {number}: its key is empty, so nobody knows which row it is for.")
    own = tuple(cells[len(LEADING) : len(LEADING) + len(columns)])
    whole = int(line) if line.isdecimal() and line.isascii() and len(line) < 18 else 0
    return SheetRow(code, reason, what_to_do, file, whole, tuple(keys.split()), mark, columns, own, revision, short)


def _table(path: Path) -> list[list[str]]:
    """Return a file's rows, whatever of the usual delimiters a spreadsheet saved it with."""
    try:
        text = path.read_bytes().decode("utf-8-sig", "surrogatepass")
    except UnicodeDecodeError as exc:
        told = f"{path.name}: not UTF-8. Save it as CSV UTF-8 (a format of its own in Excel's list)."
        raise UsageError(told) from exc
    except OSError as exc:
        raise UsageError(f"{path}: cannot be read ({exc.strerror}).") from exc
    found = _FIRST.match(text)
    delimiter = found[1] if found else ","
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
    except csv.Error as exc:
        raise UsageError(f"{path.name}: not a CSV file that can be read ({exc}).") from exc
    return [[unprotected(cell) for cell in row] for row in rows]
