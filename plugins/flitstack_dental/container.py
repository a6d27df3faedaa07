"""The door to an export's files, in a folder or in a zip: safe names, bounded sizes, streams of bytes."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, BinaryIO, Protocol, cast

from flitstack.errors import NotAnExportError

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_FILES = 2_000_000
MAX_UNPACKED = 1 << 40
MAX_RATIO = 1_000  # deflate cannot honestly do better than about 1032 to 1; text does 5 to 50
RATIO_FROM = 64 << 20  # bytes unpacked below which a ratio harms nobody

DAMAGED = "the file or its zip is damaged or cut; copy it again"
_ZIP_STARTS = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
_CUT = "the zip is damaged or cut; copy it again."
_NOISE = frozenset({"__macosx", "thumbs.db", "desktop.ini"})


class Container(Protocol):
    """Files by their relative name, `/` between folders."""

    @property
    def sizes(self) -> Mapping[str, int]:
        """Name to size in bytes, sorted by name."""
        ...

    @property
    def refused(self) -> int:
        """How many entries were refused because they lead outside."""
        ...

    def open(self, name: str) -> BinaryIO:
        """Return the bytes of a file named in `sizes`."""
        ...

    def close(self) -> None: ...


def open_container(path: str) -> Container:
    """Return the container at `path`, a folder or a zip file.

    :raises NotAnExportError: nothing is there, it is another kind of file, or the zip is damaged, locked or a bomb.
    """
    place = Path(path).expanduser()
    if place.is_dir():
        return Folder(place)
    if not place.exists():
        raise NotAnExportError(f"{place.name}: no such file or folder. Give the folder or the zip of the export.")
    if not zipfile.is_zipfile(place):
        if _starts_as_zip(place):
            raise NotAnExportError(f"{place.name}: {_CUT}")
        raise NotAnExportError(
            f"{place.name}: neither a folder nor a zip. Put the export's CSV files into a folder and give that folder."
        )
    return Zip(place)


def _starts_as_zip(place: Path) -> bool:
    try:
        with place.open("rb") as stream:
            return stream.read(4) in _ZIP_STARTS
    except OSError:
        return False


class Folder:
    """A folder; links that lead out of it are refused."""

    def __init__(self, root: Path) -> None:
        self._root = root.resolve()
        self.refused = 0
        self.sizes: Mapping[str, int] = dict(sorted(self._walk().items()))

    def _walk(self) -> dict[str, int]:
        found: dict[str, int] = {}
        for folder, folders, files in os.walk(self._root):
            folders[:] = [name for name in folders if not _is_noise(name)]
            for name in files:
                place = Path(folder, name)
                if _is_noise(name):
                    continue
                if place.is_symlink() and not place.resolve().is_relative_to(self._root):
                    self.refused += 1
                elif place.is_file():
                    found[place.relative_to(self._root).as_posix()] = place.stat().st_size
            self.refused += sum(Path(folder, name).is_symlink() for name in folders)
            if len(found) > MAX_FILES:
                raise NotAnExportError(f"More than {MAX_FILES} files here. Give the export's own folder.")
        return found

    def open(self, name: str) -> BinaryIO:
        if name not in self.sizes:
            raise FileNotFoundError(name)
        return (self._root / name).open("rb")

    def close(self) -> None:
        """A folder holds nothing open."""


class Zip:
    """A zip; nothing is ever unpacked to disk, and what unpacks to absurd sizes is refused."""

    def __init__(self, path: Path) -> None:
        self.refused = 0
        try:
            self._zip = zipfile.ZipFile(path)
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as exc:
            raise NotAnExportError(f"{path.name}: {_CUT}") from exc
        try:
            self._entries = self._list(path.name)
        except NotAnExportError:
            self._zip.close()
            raise
        self.sizes: Mapping[str, int] = {name: self._entries[name].file_size for name in sorted(self._entries)}

    def _list(self, archive: str) -> dict[str, zipfile.ZipInfo]:
        entries: dict[str, zipfile.ZipInfo] = {}
        for info in self._zip.infolist():
            if info.is_dir():
                continue
            name = info.filename.replace("\\", "/")
            parts = PurePosixPath(name).parts
            if name.startswith("/") or ".." in parts or ":" in parts[0]:
                self.refused += 1
                continue
            if any(_is_noise(part) for part in parts):
                continue
            if info.flag_bits & 1:
                raise NotAnExportError(f"{archive}: protected by a password. Unpack it and give the folder.")
            entries[str(PurePosixPath(name))] = info
        _refuse_bombs(archive, entries)
        return entries

    def open(self, name: str) -> BinaryIO:
        if name not in self._entries:
            raise FileNotFoundError(name)
        return cast("BinaryIO", self._zip.open(self._entries[name]))

    def close(self) -> None:
        self._zip.close()


def _refuse_bombs(archive: str, entries: Mapping[str, zipfile.ZipInfo]) -> None:
    total = sum(info.file_size for info in entries.values())
    bomb = any(
        info.file_size > RATIO_FROM and info.file_size > MAX_RATIO * max(info.compress_size, 1)
        for info in entries.values()
    )
    if bomb or total > MAX_UNPACKED or len(entries) > MAX_FILES:
        raise NotAnExportError(f"{archive}: unpacks to an implausible size. Unpack it yourself and give the folder.")


def _is_noise(name: str) -> bool:
    return name.startswith(".") or name.lower() in _NOISE
