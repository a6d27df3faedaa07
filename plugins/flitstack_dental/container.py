"""The door to an export's files, in a folder or in a zip: safe names, bounded sizes, streams of bytes."""

from __future__ import annotations

import io
import os
import zipfile
import zlib
from collections import Counter
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, BinaryIO, NoReturn, Protocol, TypeAlias, cast

from flitstack.errors import NotAnExportError
from flitstack_dental.sensitive import REMOVED, remove_ssn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from _typeshed import WriteableBuffer

MAX_FILES = 2_000_000
MAX_UNPACKED = 1 << 40
MAX_RATIO = 1_000  # deflate cannot honestly do better than about 1032 to 1; text does 5 to 50
RATIO_FROM = 64 << 20  # bytes unpacked below which a ratio harms nobody
MAX_TOTAL_RATIO = 200  # of all entries together, to the archive's own size
TOTAL_RATIO_FROM = 512 << 20

DAMAGED = "the file or its zip is damaged or cut; copy it again"
_ZIP_STARTS = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
_CUT = "the zip is damaged or cut; copy it again."
_BUFFER = 1 << 16
_LONGEST_NAME = 200
_Mark: TypeAlias = tuple[int, int, int]
_NOISE = frozenset({"__macosx", "thumbs.db", "desktop.ini"})


class Container(Protocol):
    """Files by their relative name, `/` between folders."""

    @property
    def sizes(self) -> Mapping[str, int]:
        """Name to size in bytes, sorted by name; a social security number in a name shows as `[removed]`."""
        ...

    @property
    def refused(self) -> int:
        """How many entries were refused because they lead outside."""
        ...

    def open(self, name: str) -> BinaryIO:
        """Return the bytes of a file named in `sizes`.

        :raises NotAnExportError: on opening or at the file's end, when it is not as it was when it was listed.
        """
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
        try:
            self._marks = self._walk()
        except OSError as exc:
            self._unreadable(exc)
        self._names = _shown(self._marks)
        self.sizes: Mapping[str, int] = {name: self._marks[real][0] for name, real in sorted(self._names.items())}

    def _walk(self) -> dict[str, _Mark]:
        found: dict[str, _Mark] = {}
        for folder, folders, files in os.walk(self._root, onerror=self._unreadable):
            folders[:] = [name for name in folders if not _is_noise(name)]
            for name in files:
                place = Path(folder, name)
                if _is_noise(name):
                    continue
                if place.is_symlink() and not place.resolve().is_relative_to(self._root):
                    self.refused += 1
                elif place.is_file():
                    found[place.relative_to(self._root).as_posix()] = _mark(place)
            self.refused += sum(Path(folder, name).is_symlink() for name in folders)
            if len(found) > MAX_FILES:
                raise NotAnExportError(f"More than {MAX_FILES} files here. Give the export's own folder.")
        return found

    def _unreadable(self, error: OSError) -> NoReturn:
        name = mask(os.path.relpath(error.filename, self._root))[:_LONGEST_NAME] if error.filename else "."
        name = self._root.name if name == "." else name
        raise NotAnExportError(f"{name}: the folder cannot be read ({error.strerror}). Make it readable, or remove it.")

    def open(self, name: str) -> BinaryIO:
        if name not in self._names:
            raise FileNotFoundError(name)
        real = self._names[name]
        place, mark = self._root / real, self._marks[real]
        check = _unchanged(place, mark, name)
        check()
        return io.BufferedReader(_Watched(io.FileIO(place), check), _BUFFER)

    def close(self) -> None:
        """A folder holds nothing open."""


class Zip:
    """A zip; nothing is ever unpacked to disk, and what unpacks to absurd sizes is refused."""

    def __init__(self, path: Path) -> None:
        self.refused = 0
        try:
            self._check = _unchanged(path, _mark(path), path.name)
            self._zip = zipfile.ZipFile(path)
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as exc:
            raise NotAnExportError(f"{path.name}: {_CUT}") from exc
        try:
            entries = self._list(path.name)
            _refuse_bombs(path, entries)
        except NotAnExportError:
            self._zip.close()
            raise
        self._entries = {name: entries[real] for name, real in sorted(_shown(entries).items())}
        self.sizes: Mapping[str, int] = {name: entry.file_size for name, entry in self._entries.items()}

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
            name = str(PurePosixPath(name))
            if name in entries:
                raise NotAnExportError(
                    f"{archive}: holds {mask(name)} twice. Unpack it, keep the right one and give the folder."
                )
            entries[name] = info
        return entries

    def open(self, name: str) -> BinaryIO:
        if name not in self._entries:
            raise FileNotFoundError(name)
        self._check()
        entry = cast("io.RawIOBase", self._zip.open(self._entries[name]))
        return io.BufferedReader(_Watched(entry, self._check), _BUFFER)

    def close(self) -> None:
        self._zip.close()


class _Watched(io.RawIOBase):
    """Passes a file's bytes on, and looks at its end, or where it cannot be read, whether it was changed."""

    def __init__(self, inner: io.RawIOBase, check: Callable[[], None]) -> None:
        self._inner = inner
        self._check = check

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        try:
            count = self._inner.readinto(buffer)
        except (OSError, EOFError, zipfile.BadZipFile, zlib.error):
            self._check()
            raise
        if not count:
            self._check()
        return count or 0

    def close(self) -> None:
        self._inner.close()
        super().close()


def _mark(place: Path) -> _Mark:
    found = place.stat()
    return found.st_size, found.st_mtime_ns, found.st_ino


def _unchanged(place: Path, mark: _Mark, name: str) -> Callable[[], None]:
    """Return what raises once the file is no longer the one of the mark."""

    def check() -> None:
        try:
            same = _mark(place) == mark
        except OSError:
            same = False
        if not same:
            raise NotAnExportError(f"{name} changed while it was read; copy it to a quiet place and run again.")

    return check


def mask(name: str) -> str:
    """Return a file's name without social security numbers."""
    return remove_ssn(name) or REMOVED


def _shown(names: Iterable[str]) -> dict[str, str]:
    """Return the name under which each file is known to its real one; those that only a number told apart get one."""
    masked = {name: mask(name) for name in names}
    alike = Counter(masked.values())
    found: dict[str, str] = {}
    for number, (name, shown) in enumerate(masked.items(), 1):
        if shown != name and alike[shown] > 1:
            place = PurePosixPath(shown)
            shown = str(place.with_name(f"{place.stem} {number}{place.suffix}"))
        found[shown] = name
    return found


def _refuse_bombs(archive: Path, entries: Mapping[str, zipfile.ZipInfo]) -> None:
    total = sum(info.file_size for info in entries.values())
    packed = sum(info.compress_size for info in entries.values())
    size = archive.stat().st_size
    bomb = any(
        info.file_size > RATIO_FROM and info.file_size > MAX_RATIO * max(info.compress_size, 1)
        for info in entries.values()
    )
    bomb = bomb or packed > size or (total > TOTAL_RATIO_FROM and total > MAX_TOTAL_RATIO * size)
    if bomb or total > MAX_UNPACKED or len(entries) > MAX_FILES:
        raise NotAnExportError(
            f"{archive.name}: unpacks to an implausible size. Unpack it yourself and give the folder."
        )


def _is_noise(name: str) -> bool:
    return name.startswith(".") or name.lower() in _NOISE
