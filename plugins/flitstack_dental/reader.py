"""Reads a dental practice's CSV export, of any layout it knows, as neutral streams of records."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, BinaryIO

from flitstack.errors import NotAnExportError, Rejected, SettingsError
from flitstack.protocols import Finding, InputFile, Record, Rejection, Skip, SourceRow, Stream, Where
from flitstack_dental.container import open_container
from flitstack_dental.convert import codebook
from flitstack_dental.directory import Directory
from flitstack_dental.documents import find_documents
from flitstack_dental.layout import load_layouts, stream_schemas
from flitstack_dental.layout_check import check_columns
from flitstack_dental.manifest import read_manifest
from flitstack_dental.newest import NewestDay
from flitstack_dental.recognise import empty_of, look_at, recognise
from flitstack_dental.settings import parse_settings
from flitstack_dental.table import Table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from flitstack.protocols import Correction
    from flitstack_dental.dates import Order
    from flitstack_dental.documents import Documents
    from flitstack_dental.layout import RecordSpec


PRACTICE = "practice"
"""The stream of one record that the manifest makes, and its record's id."""


def open_export(path: str, settings: Mapping[str, Any]) -> DentalReader:
    """Return a reader of the export at `path`, a folder or a zip.

    :raises NotAnExportError: nothing there is recognised; the message says which setting would help.
    :raises SettingsError: a setting names a file that cannot be used.
    """
    return DentalReader(path, settings)


class DentalReader:
    """One export, opened; see `flitstack.protocols.SourceReader` and `Attachments`."""

    def __init__(self, path: str, settings: Mapping[str, Any]) -> None:
        self._settings = parse_settings(settings)
        layouts = load_layouts(self._settings.layout)
        self._container = open_container(path)
        self._agreed: Order | None = None
        try:
            self._files = look_at(self._container, self._settings, layouts)
            manifests = {layout.manifest for layout in layouts if layout.manifest}
            data = [file for file in self._files if file.stem not in manifests]
            for layout in layouts:
                if layout.file:
                    check_columns(layout, data, {})
            found = recognise(data, layouts, Path(path).name)
            self._layout = found.layout
            self._home = found.home
            if self._layout.file:
                check_columns(self._layout, data, found.roles)
            self._manifest = read_manifest(self._container, self._layout.manifest, self._files)
            self._stated = self._stated_as_of()
            reference = self._stated.date() if isinstance(self._stated, datetime) else self._stated
            self._tables = {
                file.name: Table(self._container, file, found.roles[file.name], found.layout, self._settings, reference)
                for file in data
                if file.name in found.roles
            }
            for table in self._tables.values():
                table.read_dates_as(self._order)
            self._refuse_names_for_ids()
            self._documents = self._find_documents()
        except LookupError as exc:
            self._container.close()
            raise SettingsError("source.encoding: no such encoding.") from exc
        except Exception:
            self._container.close()
            raise
        self._newest = NewestDay()
        self._directory = Directory(self._rows_of)

    @property
    def layout(self) -> str:
        """The name of the layout that was recognised."""
        return self._layout.name

    def streams(self) -> Sequence[Stream]:
        """Return the streams this export holds, in the order of the schemas."""
        files: dict[str, list[str]] = {}
        books: dict[str, dict[str, dict[str, str]]] = {}
        for spec, table in self._sources():
            names = files.setdefault(spec.stream, [])
            if table.file.name not in names:
                names.append(table.file.name)
            books.setdefault(spec.stream, {}).update(codebook(spec, self._layout))
        if self._practice() is not None and self._manifest is not None:
            files[PRACTICE], books[PRACTICE] = [self._manifest.file], {}
        return [
            Stream(name, schema, tuple(files[name]), books[name])
            for name, schema in stream_schemas().items()
            if name in files
        ]

    def known_streams(self) -> Sequence[Stream]:
        """Return all neutral streams, whether this export holds them or not."""
        return [Stream(name, schema) for name, schema in stream_schemas().items()]

    def read(self, stream: str) -> Iterator[Record | Rejection | Skip]:
        """Yield every row of the stream; `KeyError` when the export does not hold it."""
        if stream == PRACTICE and (practice := self._practice()) is not None:
            yield practice
            return
        rows = self._rows_of(stream)
        if stream == "documents":
            self._documents.begin()
        conditions = [each for each in self._layout.as_of if each.stream == stream]
        names_people = self._directory.begin(stream)
        for item in rows:
            if isinstance(item, Record):
                for condition in conditions:
                    self._notice_day(item.data, condition.date_field, condition.when)
                if stream == "documents":
                    item = self._documents.with_bytes(item)
                if names_people:
                    item = self._directory.with_ids(item)
            yield item

    def _rows_of(self, stream: str) -> Iterator[Record | Rejection | Skip]:
        """Return the rows of a stream's files as they are; `KeyError` when the export does not hold it."""
        tables = list(dict.fromkeys(table.file.name for spec, table in self._sources() if spec.stream == stream))
        if not tables:
            raise KeyError(stream)
        return (item for name in tables for item in self._tables[name].read(stream))

    def as_of(self) -> datetime | date | None:
        """Return the day by a setting, else by the manifest, else the newest clinical or transaction date read."""
        if self._stated is not None:
            return self._stated
        return self._newest.day()

    def inventory(self) -> Sequence[InputFile]:
        """Return the text files found; documents are not among them."""
        return [
            InputFile(
                name=file.name,
                size=file.encoded.size,
                sha256=file.encoded.sha256,
                dialect=file.dialect.described(file.encoded.described),
                role=self._role(file.name),
                rows=self._tables[file.name].rows if file.name in self._tables else None,
                dropped=self._tables[file.name].dropped if file.name in self._tables else (),
            )
            for file in self._files
        ]

    def findings(self) -> Sequence[Finding]:
        """Return what was noticed about the export as a whole; complete once its streams were read."""
        found = [finding for table in self._tables.values() for finding in table.findings()]
        found += self._unread_files()
        found += self._documents.findings()
        found += self._directory.findings()
        if self._manifest is not None and self._manifest.bad_zone:
            message = (
                f"{self._manifest.file} states a time zone that is no IANA name; it was not used. Give the practice's "
                "with --set time_zone=America/Chicago."
            )
            found.append(Finding("time_zone_not_known", message, "warning"))
        if self._stated is None and (slips := self._newest.slips()):
            message = "Rows dated more than a month after all others were passed over when the export's day was found."
            found.append(Finding("day_passed_over", message, "warning", count=slips))
        if self._container.refused:
            found.append(
                Finding(
                    "refused_path",
                    "Entries that lead outside the export were refused.",
                    "warning",
                    count=self._container.refused,
                )
            )
        return found

    def open_attachment(self, path: str) -> BinaryIO:
        """Return a document's bytes.

        :raises Rejected: `document_missing`, the export does not hold them.
        """
        name = self._documents.find(path)
        if name is None:
            raise Rejected(
                "document_missing",
                "The document's file is not in the export.",
                "Put it into the export at the path that the row states, or say where the documents are with "
                "--set source.documents=FOLDER.",
                "path",
            )
        return self._documents.open(name)

    def correct(self, corrections: Sequence[Correction]) -> None:
        """Read from here on the rows that have one of these marks as they were corrected."""
        cells = {correction.mark: correction.cells for correction in corrections}
        for table in self._tables.values():
            table.correct(cells)
        self._directory = Directory(self._rows_of)

    def corrected(self) -> frozenset[str]:
        """Return the marks that were met; complete once all streams were read."""
        return frozenset().union(*(table.corrected() for table in self._tables.values()))

    def rows_at(self, places: Sequence[Where]) -> Iterator[SourceRow]:
        """Yield the rows that begin at these places, without secrets; those of no table of ours are left out."""
        for name, table in self._tables.items():
            if lines := {place.line for place in places if place.file == name}:
                yield from table.rows_at(lines)

    def close(self) -> None:
        """Let go of open files."""
        self._container.close()

    def _refuse_names_for_ids(self) -> None:
        """:raises NotAnExportError: names stand where ids should: who is who could no more be told."""
        for name, table in self._tables.items():
            if column := table.named_ids():
                raise NotAnExportError(
                    f"{name}: column {column} holds names in place of ids, so people of one name would become one. "
                    f"Export again with ids as they are ({self._layout.title}: the format Raw, not Human-readable)."
                )

    def _order(self) -> Order:
        """Return the order of day and month that all columns of the export that show one agree on."""
        if self._agreed is None:
            found: set[Order] = set().union(*(table.orders() for table in self._tables.values()))
            agreed: Order = found.pop() if len(found) == 1 and "mixed" not in found else "unknown"
            self._agreed = agreed
        return self._agreed

    def _sources(self) -> Iterator[tuple[RecordSpec, Table]]:
        for table in self._tables.values():
            for spec in table.records:
                yield spec, table

    def _role(self, name: str) -> str | None:
        table = self._tables.get(name)
        return table.spec.role if table is not None and table.records else None

    def _stated_as_of(self) -> datetime | date | None:
        if text := self._settings.as_of:
            try:
                return _day_or_time(text)
            except ValueError as exc:
                raise SettingsError("source.as_of: no such day. Write it as YYYY-MM-DD.") from exc
        day = self._manifest.day() if self._manifest is not None else None
        return _day_or_time(day) if day else None

    def _practice(self) -> Record | None:
        """Return what the manifest states of the practice as a record, None when it states nothing."""
        if self._manifest is None or not (self._manifest.practice or self._manifest.time_zone):
            return None
        stated = {"id": PRACTICE, "name": self._manifest.practice, "time_zone": self._manifest.time_zone}
        data = {key: value for key, value in stated.items() if value}
        return Record(PRACTICE, PRACTICE, data, Where(self._manifest.file, 1))

    def _find_documents(self) -> Documents:
        tables = [table.file.name for spec, table in self._sources() if spec.stream == "documents"]
        table = tables[0] if tables else next(iter(self._tables), "")
        return find_documents(self._container, table, self._settings.documents, self._settings.documents_by_name)

    def _notice_day(self, data: Mapping[str, Any], field: str, when: Mapping[str, Any]) -> None:
        day = data.get(field)
        if day and all(data.get(name) == value for name, value in when.items()):
            self._newest.notice(day[:10])

    def _unread_files(self) -> list[Finding]:
        unread = [file for file in self._files if file.name not in self._tables and file.stem != self._layout.manifest]
        found = [_empty_file(file.name) for file in unread if empty_of(file, self._layout)]
        unread = [file for file in unread if not empty_of(file, self._layout)]
        named = {name for spec in self._layout.files for name in spec.names}
        below = [file.name for file in unread if self._home in PurePosixPath(file.name).parent.parents]
        unread = [file for file in unread if file.name not in below]
        found += [_foreign_columns(file.name) if file.stem in named else _foreign_file(file.name) for file in unread]
        if below:
            message = f"Files in folders beneath the export's own count as documents: {', '.join(below)}."
            found.append(Finding("file_beneath", message, "warning", count=len(below)))
        if unused := [name for name, table in self._tables.items() if not table.spec.records]:
            message = f"Known files that hold nothing the streams have room for: {', '.join(unused)}."
            found.append(Finding("file_not_used", message, count=len(unused)))
        return found


def _foreign_columns(name: str) -> Finding:
    return Finding(
        "columns_not_known",
        f"{name} was not read: its name is known and its columns are not. Describe them in a layout file "
        "(--set source.layout=FILE).",
        "error",
    )


def _empty_file(name: str) -> Finding:
    return Finding(
        "empty_file",
        f"{name} is empty, without even a header. It counts as absent: what an earlier export held of it stays. If it "
        "should hold something, export it again.",
        "warning",
    )


def _foreign_file(name: str) -> Finding:
    return Finding("file_not_known", f"{name} was not read: the layout has no such file.", "warning")


def _day_or_time(text: str) -> datetime | date:
    return date.fromisoformat(text) if len(text) == 10 else datetime.fromisoformat(text)
