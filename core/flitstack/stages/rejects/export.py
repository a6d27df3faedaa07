"""Exports rejected rows, with why and what to do, into sheets that people edit."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from flitstack.errors import ConfigurationError, UsageError
from flitstack.protocols import source_key
from flitstack.stages.auditlog.purge import require_values
from flitstack.stages.rejects.sheets import INDEX, INDEX_COLUMNS, SheetRow, sheet_name, write_sheet, write_table

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from flitstack.journal import Journal, KeptCorrection, RejectedRecord
    from flitstack.protocols import SourceRow

ELSEWHERE = "It cannot be corrected here: mend it in the export itself."


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written.

    :param sheets: path of each sheet to the number of its rows. :param records: rejected records in them.
    :param elsewhere: rows that are listed, and can be corrected in the export alone.
    """

    sheets: dict[str, int]
    index: str | None
    records: int
    elsewhere: int

    @property
    def rows(self) -> int:
        """Return how many rows of the export there are."""
        return sum(self.sheets.values())


def source_id_of(journal: Journal) -> str:
    """Return the first part of the journal's source keys.

    :raises ConfigurationError: nothing was read into it yet.
    """
    known = journal.runs.meta("source id")
    if known is None:
        raise ConfigurationError(f"{journal.path}: no export was read into this journal yet. Use `flit run`.")
    return known


def rejected_rows(journal: Journal) -> Iterator[SheetRow]:
    """Yield each row of the export that makes a rejected record, once, in the order of files and lines."""
    source_id = source_id_of(journal)
    kept = {(row.where.file, row.where.line): row for row in journal.corrections.rows()}
    corrected = {each.mark: each for each in journal.corrections.kept()}
    for (file, line, _), found in groupby(journal.corrections.rejected(), key=_row_of):
        row = kept.get((file, line))
        yield _sheet_row(source_id, list(found), row, corrected.get(row.mark) if row else None)


def _row_of(record: RejectedRecord) -> tuple[str, int, tuple[str, str] | None]:
    """Return what rejections of one row share; a record that the export has no more is a row by itself."""
    where = record.where
    return where.file, where.line, None if where.line else (record.stream, record.id)


def _sheet_row(
    source_id: str, found: list[RejectedRecord], row: SourceRow | None, correction: KeptCorrection | None
) -> SheetRow:
    """Return a row as it is read with its correction, one that waits for the next reading included."""
    shown = correction.cells if correction else {}
    reasons = dict.fromkeys(f"{r.field}: {r.reason}" if r.field else r.reason for r in found)
    hints = [*dict.fromkeys(r.hint for r in found), *([] if row else [ELSEWHERE])]
    return SheetRow(
        "; ".join(dict.fromkeys(r.code for r in found)),
        " ".join(reasons),
        " ".join(hints),
        found[0].where.file,
        found[0].where.line,
        tuple(dict.fromkeys(source_key(source_id, r.stream, r.id) for r in found)),
        row.mark if row else "",
        row.columns if row else (),
        tuple(shown.get(name, cell) for name, cell in zip(row.columns, row.cells, strict=True)) if row else (),
        correction.revision if correction else "",
    )


def export_rejected(journal: Journal, target: Path, *, overwrite: bool = False) -> Exported:
    """Write a folder with one sheet for each file and an index; one sheet alone when `target` ends in .csv.

    :raises ConfigurationError: the journal's values were purged.
    :raises UsageError: a sheet is there already, or one is asked for and rows of several files are rejected.
    """
    require_values(journal)
    by_file: dict[str, list[SheetRow]] = {}
    for row in rejected_rows(journal):
        by_file.setdefault(row.file, []).append(row)
    single = target.suffix.lower() == ".csv"
    if single and len(by_file) > 1:
        raise UsageError(
            f"{target}: rows of {len(by_file)} files are rejected, and their columns differ. Name a folder instead."
        )
    sheets: dict[str, Path] = {}
    for file in by_file:
        sheets[file] = target if single else target / sheet_name(file, (path.name for path in sheets.values()))
    index = None if single or not by_file else target / INDEX
    _prepare(target.parent if single else target, [*sheets.values(), *([index] if index else [])], overwrite)
    for file, rows in by_file.items():
        write_sheet(sheets[file], rows)
    if index is not None:
        write_table(index, [INDEX_COLUMNS, *_index(by_file, sheets)])
    rows = [row for found in by_file.values() for row in found]
    return Exported(
        {str(sheets[file]): len(found) for file, found in by_file.items()},
        str(index) if index else None,
        sum(len(row.keys) for row in rows),
        sum(not row.mark for row in rows),
    )


def _prepare(folder: Path, paths: list[Path], overwrite: bool) -> None:
    """Make the folder; refuse to write over what somebody may have edited."""
    there = [path for path in paths if path.exists()]
    if there and not overwrite:
        raise UsageError(
            f"{there[0]}: this file is there already, perhaps edited. Choose another place or --overwrite."
        )
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as exc:
        raise UsageError(f"{folder}: the folder cannot be made ({exc.strerror}).") from exc


def _index(by_file: dict[str, list[SheetRow]], sheets: dict[str, Path]) -> Iterator[tuple[str, ...]]:
    for file, rows in by_file.items():
        counted = Counter((row.code, row.reason, row.what_to_do) for row in rows)
        for (code, reason, what_to_do), count in counted.most_common():
            yield sheets[file].name, file, code, str(count), reason, what_to_do
