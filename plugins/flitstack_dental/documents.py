"""Finds the bytes of documents in an export: by path, by path in another case, or by a name that only one file has."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flitstack.protocols import Record
    from flitstack_dental.container import Container

_BLOCK = 1 << 20


class Documents:
    """The files of an export that rows may refer to."""

    def __init__(self, container: Container) -> None:
        self._container = container
        self._folded: dict[str, str] | None = None
        self._by_name: dict[str, str | None] = {}

    def find(self, path: str) -> str | None:
        """Return the name in the container of the file a row calls `path`, None when it is not there."""
        wanted = str(PurePosixPath(path.replace("\\", "/")))
        if wanted in self._container.sizes:
            return wanted
        folded = self._index()
        wanted = wanted.casefold()
        return folded.get(wanted) or self._by_name.get(PurePosixPath(wanted).name)

    def with_bytes(self, record: Record) -> Record:
        """Return the record with `size` and `sha256` of its file where the export holds it, without them else."""
        path = record.data.get("path")
        name = self.find(path) if isinstance(path, str) else None
        data = {key: value for key, value in record.data.items() if key not in ("size", "sha256")}
        if name is not None:
            data |= {"size": self._container.sizes[name], "sha256": self._hash(name)}
        return replace(record, data=data)

    def _hash(self, name: str) -> str:
        with self._container.open(name) as stream:
            digest = hashlib.sha256()
            while block := stream.read(_BLOCK):
                digest.update(block)
            return digest.hexdigest()

    def _index(self) -> dict[str, str]:
        if self._folded is None:
            self._folded = {}
            for name in self._container.sizes:
                folded = name.casefold()
                self._folded[folded] = name
                last = PurePosixPath(folded).name
                self._by_name[last] = None if last in self._by_name else name
        return self._folded
