"""Registers a source: a guest list in one CSV file with the columns `no`, `name` and `phone`."""

from __future__ import annotations

import csv
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flitstack.errors import NotAnExportError
from flitstack.hookspecs import hookimpl
from flitstack.protocols import Finding, InputFile, Record, Rejection, Skip, SourcePlugin, Stream, Where

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

TEXT = {"type": ["string", "null"]}
GUESTS = Stream("guests", {"type": "object", "properties": {"id": {"type": "string"}, "name": TEXT, "phone": TEXT}})


class GuestList:
    """Reads one guest list."""

    def __init__(self, path: str, settings: Mapping[str, Any]) -> None:
        self._path, self._day = Path(path), settings["as_of"]
        if not self._path.is_file():
            raise NotAnExportError(f"{path}: there is no such file. Give the guest list with --input.")

    def known_streams(self) -> Sequence[Stream]:
        """Return all streams a guest list can have."""
        return [GUESTS]

    def streams(self) -> Sequence[Stream]:
        """Return those that this one has."""
        return [GUESTS]

    def read(self, stream: str) -> Iterator[Record | Rejection | Skip]:
        """Yield each line as a record, or as a rejection when it has no number."""
        with self._path.open(encoding="utf-8", newline="") as file:
            for line, row in enumerate(csv.DictReader(file), start=2):
                where = Where(self._path.name, line)
                if row["no"]:
                    data = {"id": row["no"], "name": row["name"] or None, "phone": row["phone"] or None}
                    yield Record(stream, row["no"], data, where)
                else:
                    yield Rejection(stream, None, "no_number", "The guest has no number.", "Add one.", where, "no")

    def as_of(self) -> date | None:
        """Return the day that a setting states: a guest list itself says none, and a file's own time is no answer."""
        return date.fromisoformat(self._day)

    def inventory(self) -> Sequence[InputFile]:
        """Return the one file."""
        return [InputFile(self._path.name, self._path.stat().st_size, "", "UTF-8, comma", "guests")]

    def findings(self) -> Sequence[Finding]:
        """Return nothing: there is nothing to remark."""
        return []

    def close(self) -> None:
        """Keep nothing open."""


@hookimpl
def flit_register_sources(register: Callable[[SourcePlugin], None]) -> None:
    """Register the source, with one setting."""
    as_of = {"type": "string", "format": "date", "description": "The day the list stands for."}
    schema = {"type": "object", "properties": {"as_of": as_of}, "required": ["as_of"]}
    register(SourcePlugin("guests", schema, open=GuestList, required_streams=("guests",)))
