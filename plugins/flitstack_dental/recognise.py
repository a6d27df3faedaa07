"""Recognises an export: which layout it is, which of its files is what, and which lack their header."""

from __future__ import annotations

import re
import zipfile
import zlib
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from flitstack.errors import NotAnExportError
from flitstack.terminal import visible
from flitstack_dental.container import DAMAGED
from flitstack_dental.dialect import Dialect, find_dialect, normalise
from flitstack_dental.encoding import ERRORS, Encoded, examine
from flitstack_dental.filenames import known_within, plain_stem
from flitstack_dental.rows import BadRow, Tally, read_rows

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from flitstack_dental.container import Container
    from flitstack_dental.layout import FileSpec, Layout
    from flitstack_dental.settings import Settings

SUFFIXES = frozenset({".csv", ".txt", ".tsv", ".tab", ".psv", ".dat", ".rep"})
SAMPLE_CHARS = 1 << 15
WORKBOOKS = frozenset({".xlsx", ".xlsm", ".xls", ".xlsb", ".ods"})
OTHER_KINDS = {
    b"PK\x03\x04": "it is an Excel workbook or a zip",
    b"\xd0\xcf\x11\xe0": "it is an old Excel workbook",
    b"%PDF": "it is a PDF",
}
"""How files begin that are no text, whatever their name says."""
_NAMED = 5
_REQUIRED = "patients"
"""The stream without which there is no export; a file of any other may be empty, and counts as absent."""
_HALVES = re.compile("[\ud800-\udfff]")
"""As what Python reads bytes of a name that are no UTF-8; nothing that holds one can be kept or printed."""
_DATA_CELL = re.compile(r"[\d\s.,:/()$€£+\-]*\d[\d\s.,:/()$€£+\-]*|\S+@\S+\.\S+")


@dataclass(frozen=True, slots=True)
class DataFile:
    """One text file of the export, as it was found.

    :param header: its columns as written; from a setting when the file has no header line.
    :param headed: the first row is the header.
    :param kind: what it is instead of a text, in words; "" for a text.
    :param known_as: the name of a layout that its own name holds beside a day or what all files share; "" for none.
    """

    name: str
    encoded: Encoded
    dialect: Dialect
    header: tuple[str, ...]
    headed: bool = True
    kind: str = ""
    known_as: str = ""

    @property
    def stem(self) -> str:
        """Its name as layouts know it: `SdPat (2).csv` is `sdpat`, `2026-06-30_SDPAT.csv` perhaps, too."""
        return self.known_as or plain_stem(self.name)


@dataclass(frozen=True, slots=True)
class Recognised:
    """The layout, what each recognised file is, by the file's name, and the folder in which they are."""

    layout: Layout
    roles: Mapping[str, FileSpec]
    home: PurePosixPath


def look_at(container: Container, settings: Settings, layouts: Sequence[Layout]) -> list[DataFile]:
    """Return the export's text files with encoding, dialect and header; documents in subfolders are left out.

    :raises NotAnExportError: there are workbooks in place of text files, or a file's name is no text.
    """
    known = frozenset().union(*(layout.known_columns() for layout in layouts))
    named = frozenset().union(*(spec.names for layout in layouts for spec in layout.files))
    names = [name for name in container.sizes if PurePosixPath(name).suffix.lower() in SUFFIXES]
    if not names:
        _refuse_workbooks(container)
    tables = [name for name in names if not name.lower().endswith(".txt")] or names  # a README.txt is no table
    depth = min((name.count("/") for name in tables), default=0)
    within = known_within(names, named)
    chosen = [name for name in names if name.count("/") == depth or plain_stem(name) in named or name in within]
    for name in chosen:
        if _HALVES.search(name):
            raise NotAnExportError(f"{visible(name)}: the name of this file is no UTF-8. Rename it.")
    return [replace(_look_at_file(container, name, settings, known), known_as=within.get(name, "")) for name in chosen]


def _refuse_workbooks(container: Container) -> None:
    """:raises NotAnExportError: spreadsheets are all there is, or the export itself is one (inside, it is a zip)."""
    books = [name for name in container.sizes if PurePosixPath(name).suffix.lower() in WORKBOOKS]
    if "[Content_Types].xml" in container.sizes:
        raise NotAnExportError("--input is an Excel workbook. Save each of its sheets as CSV (UTF-8) into one folder.")
    if books:
        more = f" and {len(books) - _NAMED} more" if len(books) > _NAMED else ""
        raise NotAnExportError(
            f"{', '.join(books[:_NAMED])}{more}: spreadsheets are not read. Save each sheet as "
            "CSV (UTF-8) into one folder."
        )


def _look_at_file(container: Container, name: str, settings: Settings, known: AbstractSet[str]) -> DataFile:
    try:
        with container.open(name) as stream:
            encoded = examine(stream, settings.encoding)
        with container.open(name) as stream:
            head = stream.read(SAMPLE_CHARS * 2)
    except (OSError, EOFError, zipfile.BadZipFile, zlib.error, NotImplementedError) as exc:
        raise NotAnExportError(f"{name}: cannot be read: {DAMAGED}.") from exc
    sample = head.decode(encoded.encoding, ERRORS).lstrip("\ufeff").replace("\0", "")
    dialect = find_dialect(sample, known, settings.delimiter, settings.quote)
    given = settings.headerless.get(PurePosixPath(name).name.lower()) or settings.headerless.get(name.lower())
    header = given or _first_row(container, name, encoded, dialect)
    kind = next((kind for mark, kind in OTHER_KINDS.items() if head.startswith(mark)), "")
    return DataFile(name, encoded, dialect, tuple(header), headed=given is None, kind=kind)


def _first_row(container: Container, name: str, encoded: Encoded, dialect: Dialect) -> tuple[str, ...]:
    with container.open(name) as stream:
        for row in read_rows(stream, encoded.encoding, dialect, None, Tally()):
            cells = [] if isinstance(row, BadRow) else row.cells
            while cells and not cells[-1].strip():
                cells.pop()
            return tuple(cell.strip() for cell in cells)
    return ()


def recognise(files: Sequence[DataFile], layouts: Sequence[Layout], place: str) -> Recognised:
    """Return the layout that most files fit, and their roles.

    :raises NotAnExportError: no file fits any layout, the patients' file is empty, or a known file lacks its header.
    """
    tried = [(layout, *_assign(files, layout)) for layout in layouts]
    layout, roles, headerless = max(tried, key=lambda each: (_worth(each[0], each[1]), len(each[2])))
    empty = [file for file in files if empty_of(file, layout)]
    for file in empty:
        if _REQUIRED in empty_of(file, layout) or not any(spec.records for spec in roles.values()):
            raise NotAnExportError(f"{file.name}: the file is empty, without even a header. Export it again.")
    if headerless:
        raise _no_header(headerless)
    if not any(spec.records for spec in roles.values()):
        raise _nothing(files, layouts, place)
    home = _home(roles)
    roles = {name: spec for name, spec in roles.items() if home not in PurePosixPath(name).parent.parents}
    _refuse_two_exports(roles)
    return Recognised(layout, roles, home)


def empty_of(file: DataFile, layout: Layout) -> frozenset[str]:
    """Return the streams that a file of a known name would hold if it held anything at all; else nothing."""
    named = [spec for spec in layout.files if file.encoded.empty and file.stem in spec.names]
    return frozenset(record.stream for spec in named for record in spec.records)


def _home(roles: Mapping[str, FileSpec]) -> PurePosixPath:
    """Return the folder that holds most of the recognised files; what lies beneath it are documents."""
    folders = Counter(PurePosixPath(name).parent for name in roles)
    return max(folders, key=lambda folder: (folders[folder], -len(folder.parts)))


def _refuse_two_exports(roles: Mapping[str, FileSpec]) -> None:
    folders: dict[str, set[str]] = {}
    for name, spec in roles.items():
        folders.setdefault(spec.role, set()).add(str(PurePosixPath(name).parent))
    for role, found in folders.items():
        if len(found) > 1:
            raise NotAnExportError(
                f"More than one export here: {role} is in {', '.join(sorted(found))}. Give one folder."
            )


def _worth(layout: Layout, roles: Mapping[str, FileSpec]) -> int:
    return sum(3 if spec.records else 1 for spec in roles.values())


def _assign(files: Sequence[DataFile], layout: Layout) -> tuple[dict[str, FileSpec], list[DataFile]]:
    """Return the files' roles, and the files known by name whose first line is data."""
    roles: dict[str, FileSpec] = {}
    headerless: list[DataFile] = []
    for file in files:
        named = [spec for spec in layout.files if file.stem in spec.names]
        columns = frozenset(map(normalise, file.header))
        fitting = [spec for spec in named if spec.require <= columns] or _by_header(columns, layout)
        if fitting:
            roles[file.name] = fitting[0]
        elif named and file.header and _is_data(file.header) and not columns & named[0].columns:
            headerless.append(file)
    return roles, headerless


def _by_header(columns: AbstractSet[str], layout: Layout) -> list[FileSpec]:
    """Return the one spec that a file of unknown name fits: all it requires, and most columns known; else nothing."""
    fits = {
        spec.role: (len(columns & spec.columns), spec)
        for spec in layout.files
        if spec.records and spec.require <= columns and len(spec.require) > 1
    }
    ranked = sorted(fits.values(), key=lambda each: each[0], reverse=True)
    if not ranked or ranked[0][0] * 2 < len(columns) or (len(ranked) > 1 and ranked[0][0] == ranked[1][0]):
        return []
    return [ranked[0][1]]


def _is_data(header: Sequence[str]) -> bool:
    """Say whether a first line looks like a row: it holds numbers, dates or addresses, which no header does."""
    return any(_DATA_CELL.fullmatch(cell) for cell in header if cell)


def _no_header(files: Sequence[DataFile]) -> NotAnExportError:
    names = ", ".join(file.name for file in files)
    plain = PurePosixPath(files[0].name).name
    return NotAnExportError(
        f"{names}: the first line is data, not a header. Export with column names, or say what the columns are with "
        f"""--set source.headerless='{{"{plain}": ["id", "..."]}}' (or a YAML file of that)."""
    )


def _nothing(files: Sequence[DataFile], layouts: Sequence[Layout], place: str) -> NotAnExportError:
    if not files:
        return NotAnExportError(f"{place}: no CSV or text files here. Give the folder or the zip of the export.")
    if others := [f"{file.name}: {file.kind}" for file in files if file.kind]:
        told = "; ".join(others[:_NAMED])
        return NotAnExportError(f"{place}: no table of a known export. {told}, whatever its name says; save it as CSV.")
    if len(layouts) == 1:  # the one that the operator named: to draft another would lead in a circle
        return NotAnExportError(
            f'{place}: the layout "{layouts[0].name}" reads none of its {len(files)} text file(s). Each to be read '
            "stands under `files` by its name, with `records`; without --set source.layout all layouts that ship are "
            "tried."
        )
    return NotAnExportError(
        f"{place}: {len(files)} text file(s), none with columns of a known export. Describe them in a layout file, "
        "which `flit map propose` drafts, and give it as --set source.layout=FILE; if the delimiter was misjudged, "
        "--set source.delimiter=CHARACTER helps."
    )
