"""Shows the rows of one file without what is secret, and puts a person's corrections in the place of rows."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING
from zlib import crc32

from flitstack_dental.dialect import normalise
from flitstack_dental.rows import BadRow, Row
from flitstack_dental.sensitive import REMOVED, is_secret_name, remove_secrets

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from collections.abc import Set as AbstractSet

LINE = "(line as it stands)"
"""The column that shows a line which is no row."""


class RowView:
    """How the rows of one file are shown and marked.

    :param role: the layout's name for the file; a mark begins with it, so that other files need not look for it.
    :param secrets: positions of columns that hold secrets: they are not shown, and do not count.
    :param split: returns the cells of a line, [] when its quotes are wrong.
    :param named: the file holds names and values of columns, so that a row may name a secret.
    """

    def __init__(
        self,
        role: str,
        header: Sequence[str],
        secrets: AbstractSet[int],
        split: Callable[[str], list[str]],
        *,
        named: bool,
    ) -> None:
        self._split = split
        self._names = _each_once(header)
        self._secrets = frozenset(at for at in secrets if at < len(header))
        self._shown = [at for at in range(len(header)) if at not in self._secrets]
        self._keys = [normalise(name) for name in self._names]
        self._named = named
        self.prefix = f"{role}:"

    def show(self, row: Row | BadRow) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
        """Return a row's columns and cells; None when what is secret in it cannot be told from the rest.

        Of a line that is no row, or has too few cells or too many, nobody knows which cell is which.
        """
        if isinstance(row, BadRow):
            if self._secrets:
                return None
            return (*self._names, LINE), (*("" for _ in self._names), _plain(row.text.rstrip("\r\n")))
        if len(row.cells) == len(self._names):
            if self._named and any(map(is_secret_name, row.cells)):
                return None
            return tuple(self._names[at] for at in self._shown), tuple(_plain(row.cells[at]) for at in self._shown)
        if self._secrets or self._named:
            return None
        cells = [_plain(cell) for cell in row.cells] + [""] * (len(self._names) - len(row.cells))
        more = (f"(cell {at + 1})" for at in range(len(self._names), len(cells)))
        return (*self._names, *more), tuple(cells)

    def mark(self, row: Row | BadRow) -> str | None:
        """Return what tells a row from every other that says something else; None when it cannot be shown."""
        shown = self.show(row)
        if shown is None:
            return None
        if isinstance(row, BadRow) or len(row.cells) != len(self._names):
            says = [["", *shown[1]]]
        else:
            cells = zip((self._keys[at] for at in self._shown), shown[1], strict=True)
            says = sorted([key, cell] for key, cell in cells if cell)
        digest = hashlib.sha256(json.dumps(says, ensure_ascii=False).encode("utf-8", "surrogatepass")).hexdigest()
        return f"{self.prefix}{self.hint(row)}:{digest[:32]}"

    def hint(self, row: Row | BadRow) -> int:
        """Return 16 bits of what a row shows, whatever the order of its columns: the part quickly found out."""
        if isinstance(row, BadRow):
            return crc32(row.text.encode()) & 0xFFFF
        whole = sum(map(crc32, map(str.encode, row.cells)))
        if len(row.cells) == len(self._names):
            whole -= sum(crc32(row.cells[at].encode()) for at in self._secrets)
        return whole & 0xFFFF

    def replaced(self, row: Row | BadRow, cells: Mapping[str, str]) -> Row | BadRow:
        """Return the row with these cells, by column, in place of its own; a line may also be mended as a whole."""
        before = self._split(cells.get(LINE, "")) if isinstance(row, BadRow) else row.cells
        if isinstance(row, BadRow) and not before and not any(cells.get(name) for name in self._names):
            return row
        names = [*self._names, *(f"(cell {at + 1})" for at in range(len(self._names), len(before)))]
        after = [cells.get(name, before[at] if at < len(before) else "") for at, name in enumerate(names)]
        while len(after) > len(self._names) and not after[-1].strip():
            after.pop()
        return Row(row.line, after)


class FileCorrections:
    """The corrections that are for one file, and which of them were met.

    :param cells: mark to column to text.
    """

    def __init__(self, view: RowView, cells: Mapping[str, Mapping[str, str]]) -> None:
        self._view = view
        self._cells = {mark: new for mark, new in cells.items() if mark.startswith(view.prefix)}
        self._hints = {int(mark.rsplit(":", 2)[1]) for mark in self._cells}
        self.met: set[str] = set()

    def __bool__(self) -> bool:
        return bool(self._cells)

    def apply(self, rows: Iterable[Row | BadRow]) -> Iterator[Row | BadRow]:
        """Yield the rows, corrected where that was done."""
        for row in rows:
            yield self.one(row)

    def one(self, row: Row | BadRow) -> Row | BadRow:
        """Return a row as it is to be read."""
        if self._view.hint(row) not in self._hints:
            return row
        mark = self._view.mark(row)
        new = self._cells.get(mark) if mark else None
        if mark is None or new is None:
            return row
        self.met.add(mark)
        return self._view.replaced(row, new)


def _plain(cell: str) -> str:
    """Return a cell without secrets."""
    found = remove_secrets(cell)
    return REMOVED if found is None else found


def _each_once(header: Sequence[str]) -> list[str]:
    """Return the header's names, numbered where one is there twice or there is none."""
    names: list[str] = []
    for at, name in enumerate(header):
        wanted = name or f"(column {at + 1})"
        number, found = 1, wanted
        while found in names:
            number += 1
            found = f"{wanted} ({number})"
        names.append(found)
    return names
