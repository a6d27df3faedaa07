"""A whole source plugin in one file: reads contacts from a text file with a name and a phone on each line."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flitstack.errors import NotAnExportError
from flitstack.hookspecs import hookimpl
from flitstack.protocols import Finding, InputFile, Record, Rejection, Skip, SourcePlugin, Stream, Where

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import date

CONTACTS = Stream(
    "contacts",
    {
        "type": "object",
        "properties": {"id": {"type": "string"}, "name": {"type": "string"}, "phone": {"type": ["string", "null"]}},
        "required": ["id", "name"],
    },
)


class TinyReader:
    """Reads one file; the line number is the record's id."""

    def __init__(self, path: str, settings: Mapping[str, Any]) -> None:
        self._path = Path(path)
        self._day: str = settings["as_of"]
        if self._path.suffix != ".txt" or not self._path.is_file():
            raise NotAnExportError(f"{path}: not a .txt file of contacts. Check --input.")

    def known_streams(self) -> Sequence[Stream]:
        """Return all streams this source can have."""
        return [CONTACTS]

    def streams(self) -> Sequence[Stream]:
        """Return the streams that this export holds."""
        return [CONTACTS]

    def read(self, stream: str) -> Iterator[Record | Rejection | Skip]:
        """Yield every line as exactly one record, rejection or skip."""
        with self._path.open(encoding="utf-8") as file:
            for number, line in enumerate(file, start=1):
                where, cells = Where(self._path.name, number), line.strip().split(";")
                if not line.strip():
                    yield Skip(stream, str(number), "blank_line", where)
                elif not cells[0]:
                    yield Rejection(stream, str(number), "missing_name", "It has no name.", "Add one.", where, "name")
                else:
                    phone = cells[1] if len(cells) > 1 else None
                    yield Record(stream, str(number), {"id": str(number), "name": cells[0], "phone": phone}, where)

    def as_of(self) -> date | None:
        """Return the day the export stands for; here a setting says it."""
        from datetime import date

        return date.fromisoformat(self._day)

    def inventory(self) -> Sequence[InputFile]:
        """Return the files found."""
        content = self._path.read_bytes()
        digest = hashlib.sha256(content).hexdigest()
        return [InputFile(self._path.name, len(content), digest, "UTF-8 text", "contacts")]

    def findings(self) -> Sequence[Finding]:
        """Return what was noticed about the export as a whole."""
        return []

    def close(self) -> None:
        """Nothing stays open."""


@hookimpl
def flit_register_sources(register: Callable[[SourcePlugin], None]) -> None:
    """Register the source."""
    as_of = {"type": "string", "format": "date", "description": "The day the export stands for."}
    schema = {"type": "object", "properties": {"as_of": as_of}, "required": ["as_of"]}
    register(SourcePlugin("tiny", schema, open=TinyReader, required_streams=("contacts",)))
