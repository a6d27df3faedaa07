"""What a source reads: streams of records, rejections and skips; and the Protocols of its reader."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, BinaryIO, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import date, datetime

    from flitstack.protocols.base import JSON, Schema, Severity


@dataclass(frozen=True, slots=True)
class Stream:
    """One kind of source record.

    :param name: neutral name, plural (`people`).
    :param schema: JSON Schema (2020-12) of a record's data. A property may carry `x-references: STREAM` (its value is
        an id of that stream), `x-as` (the name under which an expression reaches the record referred to) and `x-type`
        (`date`, `datetime`, `local-datetime`, `time`, `decimal`): how its text becomes a value in expressions.
    :param files: the files of the export it was read from, for messages.
    :param codebook: field to code to meaning, as the layout or the export states it.
    """

    name: str
    schema: Schema
    files: tuple[str, ...] = ()
    codebook: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Where:
    """Where in the export a record was found; lines count from 1, the header's line included."""

    file: str
    line: int


@dataclass(frozen=True, slots=True)
class Record:
    """One row of a stream: `data` holds JSON values under neutral names; a missing value is None or absent."""

    stream: str
    id: str
    data: Mapping[str, JSON]
    where: Where


@dataclass(frozen=True, slots=True)
class Rejection:
    """A row or record that cannot move: a stable code, the reason and what to do, never a value.

    :param reason: a sentence without the place, so that equal rejections can be counted together.
    """

    stream: str
    id: str | None
    code: str
    reason: str
    hint: str
    where: Where | None = None
    field: str | None = None

    def message(self) -> str:
        """Return place, reason and what to do: `people.csv line 14, column "dob": ...`."""
        place = f"{self.where.file} line {self.where.line}" if self.where else self.stream
        column = f', column "{self.field}"' if self.field else ""
        return f"{place}{column}: {self.reason} {self.hint}"


@dataclass(frozen=True, slots=True)
class Skip:
    """A row that is noticed and left out by a named rule (`totals_line`, `repeated_header`)."""

    stream: str
    id: str | None
    rule: str
    where: Where


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the audit: counts and source keys, never a value.

    :param keys: at most ten ids of records of `stream`, or source keys, as examples.
    :param section: of the audit report, by its code; "" for what is only noticed while reading.
    :param of: how many there are of what was looked at, for the share; None where a share says nothing.
    :param handling: what flit does with them, in words.
    :param decision: what a person has to decide, as a question; "" when nothing; `default` is what holds unanswered.
    :param figure: an amount that stands for the whole, for a person to compare with their own and sign.
    :param spread: (label, count) in order, for a chart: codes, sizes, years; never a value of one person.
    """

    code: str
    message: str
    severity: Severity = "info"
    stream: str | None = None
    count: int = 1
    keys: tuple[str, ...] = ()
    section: str = ""
    of: int | None = None
    handling: str = ""
    decision: str = ""
    default: str = ""
    figure: str = ""
    spread: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class InputFile:
    """One file of the export as it was found.

    :param dialect: encoding, delimiter, quote character and line ending in words, for people.
    :param role: the layout's name for it, or None when no stream reads it.
    :param sha256: of the bytes.
    :param dropped: columns that hold secrets and were dropped while parsing.
    """

    name: str
    size: int
    sha256: str
    dialect: str
    role: str | None
    rows: int | None = None
    dropped: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SourceRow:
    """A row as its file has it, without what is secret.

    :param mark: a hash of what the row says, wherever in its file it stands, before any correction.
    :param columns: the file's own names, each once. :param cells: as they are read now, corrected where they were.
    """

    where: Where
    mark: str
    columns: tuple[str, ...]
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Correction:
    """What to read in a row's place: column to text; a column that is not named stays as the file has it.

    :param mark: of the row that it was made for, as `SourceRow` has it; a row that says anything else is left alone.
    """

    mark: str
    cells: Mapping[str, str]


class SourceReader(Protocol):
    """Reads one export."""

    def streams(self) -> Sequence[Stream]:
        """Return the streams this export holds; a stream whose file is absent is not among them.

        :raises NotAnExportError: nothing here is recognised; the message says which setting would help.
        """
        ...

    def known_streams(self) -> Sequence[Stream]:
        """Return every stream this source can have, present or not."""
        ...

    def read(self, stream: str) -> Iterator[Record | Rejection | Skip]:
        """Yield every row of the stream, in the file's order, each as exactly one of the three."""
        ...

    def as_of(self) -> datetime | date | None:
        """Return what the export says of its own time: a setting or its manifest, else the newest date of what
        happened that was seen while reading (so ask after reading), else None. Never a file's time."""
        ...

    def inventory(self) -> Sequence[InputFile]:
        """Return the files found; rows and dropped columns are complete once their streams were read."""
        ...

    def findings(self) -> Sequence[Finding]:
        """Return what was noticed about the export as a whole (unknown files, empty files, dropped columns)."""
        ...

    def close(self) -> None:
        """Let go of open files."""
        ...


@runtime_checkable
class Attachments(Protocol):
    """A reader whose export holds the bytes of documents."""

    def open_attachment(self, path: str) -> BinaryIO:
        """Return the file's bytes, opened for reading; `path` is as the record states it."""
        ...


@runtime_checkable
class Correctable(Protocol):
    """A reader whose rows can be shown as they are, and be read as a person corrected them."""

    def correct(self, corrections: Sequence[Correction]) -> None:
        """Read from here on the rows that have one of these marks as they were corrected, by the same rules."""
        ...

    def corrected(self) -> frozenset[str]:
        """Return the marks that were met so far; complete once all streams were read."""
        ...

    def rows_at(self, places: Sequence[Where]) -> Iterator[SourceRow]:
        """Yield the rows that begin at these places; one that cannot be shown without what is secret is left out."""
        ...
