"""The simulated source: an export in memory, whose documents' bytes follow from their names."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, BinaryIO

from flitstack.protocols import SourcePlugin, Stream
from flitstack.testing.memory_source import SCHEMAS, TEXT, MemoryExport, MemoryReader

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flitstack.testing.simulation.exports import Rows


class _Reader(MemoryReader):
    def known_streams(self) -> Sequence[Stream]:
        """Return all streams; of a memo also the path of its bytes."""
        return _STREAMS

    def open_attachment(self, path: str) -> BinaryIO:
        """Return the bytes of a document: as many as its path says."""
        return io.BytesIO(b"m" * int(path.rpartition("/")[2]))


_STREAMS = [
    Stream(
        name,
        {"type": "object", "properties": {**schema, "path": TEXT} if name == "memos" else schema},
        (f"{name}.csv",),
    )
    for name, schema in SCHEMAS.items()
]


def export_of(rows: Rows) -> MemoryExport:
    """Return an export that holds these rows."""
    export = MemoryExport()
    for stream, found in rows.items():
        export.rows[stream] = []
        for one, data in found.items():
            extra = {"path": f"{stream}/{one}/{data['size']}"} if stream == "memos" else {}
            export.add(stream, one, **data, **extra)
    return export


class SimulatedSource:
    """A source that reads whichever export is the latest."""

    def __init__(self) -> None:
        self.export = MemoryExport()

    def plugin(self) -> SourcePlugin:
        """Return it as a plugin, named `memory`."""
        return SourcePlugin(
            "memory", {"type": "object", "properties": {}}, lambda path, settings: _Reader(self.export), ()
        )
