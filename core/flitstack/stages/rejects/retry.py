"""Takes corrected rows back: what differs from the export is kept as corrections, which the next reading uses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from flitstack.errors import UsageError
from flitstack.journal import KeptCorrection
from flitstack.protocols import Where, split_source_key
from flitstack.stages.auditlog.purge import require_values
from flitstack.stages.rejects.cells import lost_letters, same_for_a_spreadsheet
from flitstack.stages.rejects.export import rejected_rows, source_id_of
from flitstack.stages.rejects.sheets import INDEX, read_sheet

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from flitstack.journal import Journal
    from flitstack.protocols import JSON
    from flitstack.stages.rejects.sheets import SheetRow


@dataclass(frozen=True, slots=True)
class Retried:
    """What a person's sheets came to, in rows of the export.

    :param corrected: rows that differ from what was exported; :param cells: cells that do.
    :param unchanged: rows that are as they were exported; of these, `again` are sent again as they stand.
    :param not_rejected: rows that are rejected no more, and left alone.
    :param left: rejected rows that no sheet holds: they stay on the list.
    :param rewritten: cells that differ as a spreadsheet writes them by itself, and count as unchanged.
    :param newer: cells that were corrected since their sheet was exported, and stay as they were corrected.
    """

    corrected: int
    cells: int
    unchanged: int
    again: int
    not_rejected: int
    left: int
    rewritten: int
    newer: int = 0

    def as_json(self) -> dict[str, JSON]:
        """Return what `--json` prints."""
        return {name: getattr(self, name) for name in self.__slots__}


def take_corrections(journal: Journal, source: Path, at: str, by: str = "") -> Retried:
    """Keep what sheets correct; nothing at all when any of their rows is not known.

    :param source: a sheet, or the folder of several. :param by: who corrected, for the audit log; "" when not said.
    :raises UsageError: a sheet cannot be read, names a key that nobody knows, was made before the row changed, or
        corrects otherwise what was corrected since it was made.
    """
    require_values(journal)
    source_id, sheets = source_id_of(journal), _sheets(source)
    known = {key: row for row in rejected_rows(journal) for key in row.keys}
    fields = _at_fault(journal)
    corrections: dict[str, KeptCorrection] = {}
    seen: set[str] = set()
    unchanged: list[SheetRow] = []
    kept = {each.mark: each for each in journal.corrections.kept()}
    cells = not_rejected = rewritten = newer = 0
    for path, row in sheets:
        listed = [known[key] for key in row.keys if key in known]
        _require_known(journal, source_id, path, [key for key in row.keys if key not in known])
        if not listed:
            not_rejected += 1
            continue
        now = listed[0]
        _require_same(path, row, now)
        if now.keys[0] in seen:
            raise UsageError(f"{path.name}: {_place(now)} is there twice. Keep one of the two rows.")
        seen.add(now.keys[0])
        changed, alike = _changes(path, row, now, fields.get((now.file, now.line), frozenset()))
        rewritten += alike
        newer += _keep_newer(path, row, now, kept.get(now.mark), changed)
        if not changed:
            unchanged.append(now)
            continue
        cells += len(changed)
        streams = tuple(dict.fromkeys(split_source_key(key)[1] for key in now.keys))
        where = Where(now.file, now.line)
        before = dict(zip(now.columns, now.cells, strict=True))
        was = {name: [before[name]] for name in changed}
        corrections[now.mark] = KeptCorrection(now.mark, where, streams, now.keys, changed, at, "waiting", was)
    journal.corrections.correct(list(corrections.values()), {"by": by} if by else {})
    again = _again(journal, unchanged)
    left = len({row.keys[0] for row in known.values()} - seen)
    return Retried(len(corrections), cells, len(unchanged), again, not_rejected, left, rewritten, newer)


def withdraw_corrections(journal: Journal, keys: Sequence[str], at: str) -> int:
    """Forget the corrections of the rows with these source keys; return how many there were.

    :raises UsageError: a key has none.
    """
    kept = journal.corrections.kept()
    held = {key for each in kept for key in each.keys}
    if unknown := [key for key in keys if key not in held]:
        raise UsageError(f"{unknown[0]}: no correction is kept for this key. `flit rejects corrections` lists them.")
    chosen = [each for each in kept if set(keys) & set(each.keys)]
    journal.corrections.withdraw(chosen, at, {})
    return len(chosen)


def _sheets(source: Path) -> list[tuple[Path, SheetRow]]:
    if not source.exists():
        raise UsageError(f"{source}: no such file or folder.")
    paths = sorted(filter(_is_sheet, source.iterdir())) if source.is_dir() else [source]
    if not paths:
        raise UsageError(f"{source}: no CSV file here. Name the folder that `flit rejects export` wrote.")
    return [(path, row) for path in paths for row in read_sheet(path)]


def _is_sheet(path: Path) -> bool:
    """Tell sheets from the index and from what systems and programs leave in a folder for themselves."""
    name = path.name.lower()
    return name.endswith(".csv") and name != INDEX and not name.startswith((".", "~$"))


def _require_known(journal: Journal, source_id: str, path: Path, keys: Sequence[str]) -> None:
    """:raises UsageError: a key is of no record that was ever read."""
    for key in keys:
        try:
            of, stream, record_id, _ = split_source_key(key)
        except ValueError:
            of, stream, record_id = "", "", ""
        if of != source_id or journal.staging.state(stream, record_id) is None:
            raise UsageError(f"{path.name}: no record has the key {key}. Leave that column as it was exported.")


def _require_same(path: Path, row: SheetRow, now: SheetRow) -> None:
    """:raises UsageError: the row was exported before it said what it says now, or cannot be corrected in a sheet."""
    place = f"{path.name}: {_place(now)}"
    if row.mark != now.mark:
        raise UsageError(f"{place} has changed since this was exported. Export again, and correct it there.")
    if not now.mark and any(row.cells):
        raise UsageError(f"{place} cannot be corrected here. Mend it in the export itself.")
    if now.mark and not any(cell.strip() for cell in row.cells):
        raise UsageError(f"{place} is empty. To leave it rejected, remove the row from the sheet.")
    held = dict(zip(now.columns, now.cells, strict=True))
    if cut := [name for name in row.short if held.get(name, "").strip()]:
        told = f'is cut short before the column "{cut[0]}"; a cell that is to be empty must be there, and empty.'
        raise UsageError(f"{place} {told} Export again, and correct it there.")


def _changes(path: Path, row: SheetRow, now: SheetRow, fields: frozenset[str]) -> tuple[dict[str, str], int]:
    """Return the cells that somebody changed, by column, and how many look changed by the spreadsheet itself.

    :param fields: the columns at fault: what stands in them is taken as it is.
    """
    before = dict(zip(now.columns, now.cells, strict=True))
    after = dict(zip(row.columns, row.cells, strict=True))
    if now.mark and (unknown := [name for name in after if name not in before and after[name]]):
        told = f'{_place(now)} has no column "{unknown[0]}". Leave the first line as it was exported.'
        raise UsageError(f"{path.name}: {told}")
    changed: dict[str, str] = {}
    rewritten = 0
    for name, was in before.items():
        text = after.get(name, was).replace("\r\n", "\n")
        if text == was.replace("\r\n", "\n"):
            continue
        if lost_letters(was, text):
            told = f'{_place(now)}, column "{name}" came back with question marks in place of letters.'
            raise UsageError(f"{path.name}: {told} Export again, and save it as CSV UTF-8.")
        if name not in fields and was.strip() and same_for_a_spreadsheet(was, text):
            rewritten += 1
        else:
            changed[name] = text
    return changed, rewritten


def _keep_newer(path: Path, row: SheetRow, now: SheetRow, kept: KeptCorrection | None, changed: dict[str, str]) -> int:
    """Take out of a row's changes what only its age makes one; return how many cells that is.

    A sheet that was exported before a row was corrected shows the cells as they stood then.

    :raises UsageError: such a cell was changed in the sheet as well: nobody can say which of the two is meant.
    """
    if kept is None or row.revision == now.revision:
        return 0
    older = [name for name in changed if name in kept.cells]
    for name in older:
        earlier = (text.replace("\r\n", "\n") for text in kept.was.get(name, ()))
        if not any(text == changed[name] or same_for_a_spreadsheet(text, changed[name]) for text in earlier):
            raise UsageError(
                f'{path.name}: {_place(now)}, column "{name}" was corrected on {kept.at[:10]}, since this was '
                "exported, and says something else here. Export again, and correct it there."
            )
        del changed[name]
    return len(older)


def _place(row: SheetRow) -> str:
    return f"{row.file} line {row.line}" if row.line else f"{row.keys[0]}, which the export holds no more,"


def _at_fault(journal: Journal) -> dict[tuple[str, int], frozenset[str]]:
    found: dict[tuple[str, int], set[str]] = {}
    for each in journal.corrections.rejected():
        if each.field:
            found.setdefault((each.where.file, each.where.line), set()).add(each.field)
    return {place: frozenset(names) for place, names in found.items()}


def _again(journal: Journal, rows: Sequence[SheetRow]) -> int:
    """Let what the destination refused be planned anew as it stands; return of how many rows."""
    count = 0
    for row in rows:
        refused = journal.corrections.refused([split_source_key(key)[1:3] for key in row.keys])
        journal.operations.withdraw(refused)
        count += bool(refused)
    return count
