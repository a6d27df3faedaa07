"""Remembers which headers a confirmed map read as what, for the next business of that vendor: names, never a value."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flitstack.errors import UsageError
from flitstack.protocols import Candidate, ColumnProposal, FileProposal, KnownColumn

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from flitstack.protocols import SampledFile

REASON = "confirmed before for these headers"
_LIKE = 0.5
_SURE = 0.99
_ALTERNATIVES = 5


def memory_folder(environment: Mapping[str, str] = os.environ) -> Path:
    """Return where confirmed maps are kept: FLITSTACK_MEMORY, else the user's folder for data."""
    if stated := environment.get("FLITSTACK_MEMORY"):
        return Path(stated).expanduser()
    data = environment.get("XDG_DATA_HOME")
    return (Path(data) if data else Path.home() / ".local" / "share") / "flitstack" / "maps"


@dataclass(frozen=True, slots=True)
class Remembered:
    """One confirmed map; `name` is the file's it came from, `id` what `forget` takes."""

    id: str
    source: str
    name: str
    confirmed_on: str
    columns: tuple[KnownColumn, ...]


class Memory:
    """The confirmed maps of this user."""

    def __init__(self, folder: Path, targets: Collection[str] | None = None) -> None:
        """Take the folder, and the targets that there are: of an older map, what is no target any more is left out."""
        self.folder = folder
        self._targets = None if targets is None else frozenset(targets)

    def keep(self, source: str, name: str, confirmed_on: str, columns: Sequence[KnownColumn]) -> Remembered:
        """Keep a map and return it; the same columns again replace what was kept of them."""
        if not columns:
            raise UsageError(f"{name}: it maps no column, so there is nothing to remember.")
        id_ = _id(source, columns)
        found = Remembered(id_, source, name, confirmed_on, tuple(columns))
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(self.folder / f"{id_}.json", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(_as_json(found), file, indent=1, ensure_ascii=False)
        return found

    def has(self, source: str, columns: Sequence[KnownColumn]) -> bool:
        """Say whether just these columns are kept already, or there are none to keep."""
        return not columns or (self.folder / f"{_id(source, columns)}.json").is_file()

    def all(self, source: str = "") -> list[Remembered]:
        """Return what is kept, of a source or of all, the newest first; a file that is none of ours is passed over."""
        found = [_read(path) for path in sorted(self.folder.glob("*.json"))] if self.folder.is_dir() else []
        kept = [each for each in found if each is not None and source in ("", each.source)]
        return sorted(kept, key=lambda each: (each.confirmed_on, each.id), reverse=True)

    def forget(self, ids: Sequence[str]) -> int:
        """Forget these maps, and return how many they were.

        :raises UsageError: one is not kept.
        """
        known = {each.id for each in self.all()}
        if unknown := [each for each in ids if each not in known]:
            raise UsageError(f"{', '.join(unknown)}: no map of that id is remembered. See: flit map memory list.")
        for id_ in ids:
            (self.folder / f"{id_}.json").unlink()
        return len(ids)

    def stream_of(self, source: str, file: SampledFile) -> str | None:
        """Return the stream that a file with these headers was, None when none like it is remembered."""
        found = self._nearest(source, file)
        return found[0].stream if found else None

    def apply(self, source: str, file: SampledFile, proposal: FileProposal) -> FileProposal:
        """Return the proposal with what was confirmed before put first, where most of the headers were there too."""
        known = {normal(each.column): each for each in self._nearest(source, file) if each.stream == proposal.stream}
        if not known:
            return proposal
        columns = [_confirmed(column, known.get(normal(column.column))) for column in proposal.columns]
        return replace(proposal, columns=tuple(_once_each(columns, known)), reasons=(*proposal.reasons, REASON))

    def _nearest(self, source: str, file: SampledFile) -> list[KnownColumn]:
        headers = {normal(column.name) for column in file.columns}
        best: tuple[float, list[KnownColumn]] = (0.0, [])
        for kept in self.all(source):
            by_file: dict[tuple[str, str], list[KnownColumn]] = {}
            for column in kept.columns:
                if self._targets is None or column.target in self._targets:
                    by_file.setdefault((column.file, column.stream), []).append(column)
            for columns in by_file.values():
                there = {normal(column.column) for column in columns}
                share = len(headers & there) / len(there)
                if len(there) > 1 and share >= _LIKE and (share, len(columns)) > (best[0], len(best[1])):
                    best = (share, columns)
        return best[1]


def normal(header: str) -> str:
    """Return a header without case, blanks and signs, as maps compare them."""
    return "".join(character for character in header.lower() if character.isalnum())


def _id(source: str, columns: Sequence[KnownColumn]) -> str:
    text = json.dumps([[c.file, c.stream, normal(c.column), c.target] for c in columns], sort_keys=True)
    return hashlib.sha256(f"{source}\n{text}".encode()).hexdigest()[:12]


def _confirmed(column: ColumnProposal, known: KnownColumn | None) -> ColumnProposal:
    if known is None:
        return column
    others = [each for each in (column.chosen, *column.others) if each is not None and each.target != known.target]
    chosen = Candidate(known.target, _SURE, (REASON,))
    return replace(column, chosen=chosen, ticked=True, others=tuple(others[:_ALTERNATIVES]))


def _once_each(columns: Sequence[ColumnProposal], known: Mapping[str, KnownColumn]) -> list[ColumnProposal]:
    """Return the columns; one that was not confirmed gives up a target that a confirmed one has."""
    taken = {known[normal(c.column)].target for c in columns if normal(c.column) in known}
    return [
        replace(c, chosen=None, ticked=False)
        if c.chosen is not None and c.chosen.target in taken and normal(c.column) not in known
        else c
        for c in columns
    ]


def _as_json(kept: Remembered) -> dict[str, Any]:
    columns = [{"file": c.file, "stream": c.stream, "column": c.column, "target": c.target} for c in kept.columns]
    return {"source": kept.source, "name": kept.name, "confirmed_on": kept.confirmed_on, "columns": columns}


def _read(path: Path) -> Remembered | None:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        columns = tuple(KnownColumn(c["file"], c["stream"], c["column"], c["target"]) for c in data["columns"])
        return Remembered(path.stem, data["source"], data["name"], data["confirmed_on"], columns)
    except (OSError, ValueError, KeyError, TypeError):
        return None
