"""Finds the bytes of documents in an export, by the path that a row states; a bare name is a path and proves nothing
more, because many patients have an `xray.png`."""

from __future__ import annotations

import hashlib
import zipfile
import zlib
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from flitstack.errors import NotAnExportError, SettingsError
from flitstack.protocols import Finding
from flitstack_dental.container import DAMAGED, Folder

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import BinaryIO

    from flitstack.protocols import Record
    from flitstack_dental.container import Container

_BLOCK = 1 << 20


def find_documents(container: Container, table: str, setting: str, by_name: bool) -> Documents:
    """Return the documents of an export.

    :param table: name in the container of the file that lists them; without the setting, paths start at its folder.
    :param setting: their folder, in the export or anywhere, "" for none.
    :param by_name: a bare name may be that of one file in any folder beneath.
    :raises SettingsError: there is no such folder.
    """
    beside = PurePosixPath(table).parent
    if not setting:
        return Documents(container, beside, by_name)
    inside = PurePosixPath(setting.replace("\\", "/"))
    for folder in (beside / inside, inside):
        if any(PurePosixPath(name).is_relative_to(folder) for name in container.sizes):
            return Documents(container, folder, by_name)
    place = Path(setting).expanduser()
    if not place.is_dir():
        raise SettingsError("source.documents: no such folder, neither in the export nor elsewhere.")
    return Documents(Folder(place), PurePosixPath(), by_name)


class Documents:
    """The files that rows may refer to.

    :param base: the folder of the container at which the rows' paths start.
    """

    def __init__(self, container: Container, base: PurePosixPath, by_name: bool) -> None:
        self._container = container
        self._base = base
        self._by_name = by_name
        self._index: tuple[Mapping[str, str | None], Mapping[str, str | None]] | None = None
        self._stated = 0
        self._missing = 0

    def find(self, path: str) -> str | None:
        """Return the name in the container of the file a row calls `path`, None when it is not there.

        The whole path counts, in any case of letters as long as only one file has it.
        """
        wanted = PurePosixPath(path.replace("\\", "/"))
        exact = str(self._base / wanted)
        if exact in self._container.sizes:
            return exact
        paths, names = self._indexed()
        found = paths.get(exact.casefold())
        if found is None and self._by_name and len(wanted.parts) == 1:
            found = names.get(wanted.name.casefold())
        return found

    def open(self, name: str) -> BinaryIO:
        """Return the bytes of a file that `find` named."""
        return self._container.open(name)

    def begin(self) -> None:
        """Forget what was counted: the rows are read again."""
        self._stated = self._missing = 0

    def with_bytes(self, record: Record) -> Record:
        """Return the record with `size` and `sha256` of its file where the export holds it, without them else.

        :raises NotAnExportError: the bytes are there and cannot be read.
        """
        path = record.data.get("path")
        name = self.find(path) if isinstance(path, str) else None
        self._stated += isinstance(path, str)
        self._missing += isinstance(path, str) and name is None
        data = {key: value for key, value in record.data.items() if key not in ("size", "sha256")}
        if name is not None:
            data |= {"size": self._container.sizes[name], "sha256": self._hash(name)}
        return replace(record, data=data)

    def findings(self) -> Iterator[Finding]:
        """Yield a warning when most documents are missing: then not files are lost, but their folder is another."""
        if self._missing * 2 > self._stated:
            message = (
                f"{self._missing} of {self._stated} documents are not at the paths that their rows state. If they are "
                "in another folder, name it with --set source.documents=FOLDER; if rows state bare names and no name "
                "occurs twice, --set source.documents_by_name=true finds them in any folder."
            )
            yield Finding("documents_missing", message, "warning", "documents", self._missing)

    def _hash(self, name: str) -> str:
        try:
            with self._container.open(name) as stream:
                digest = hashlib.sha256()
                while block := stream.read(_BLOCK):
                    digest.update(block)
                return digest.hexdigest()
        except (OSError, EOFError, zipfile.BadZipFile, zlib.error, NotImplementedError) as exc:
            raise NotAnExportError(f"A document cannot be read: {DAMAGED}.") from exc

    def _indexed(self) -> tuple[Mapping[str, str | None], Mapping[str, str | None]]:
        """Return path and name, both in lower case, to the file; None for what several files share."""
        if self._index is None:
            paths: dict[str, str | None] = {}
            names: dict[str, str | None] = {}
            for name in self._container.sizes:
                folded = name.casefold()
                paths[folded] = None if folded in paths else name
                if PurePosixPath(name).is_relative_to(self._base):
                    last = PurePosixPath(folded).name
                    names[last] = None if last in names else name
            self._index = paths, names
        return self._index
