"""What mapping asks of the staged records, asked for many at once and kept for a while."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flitstack.journal import Staging
    from flitstack.mapping import Entry
    from flitstack.protocols import JSON

    Found = list[tuple[str, Mapping[str, JSON]]]

KEPT = 5_000


class Lookups:
    """Answers of `Scope.lookup` and `Scope.referring`.

    Records that others refer to (providers, clinics, a patient's own while its appointments come one after another)
    are asked for again and again: the last few thousand are kept. What hangs on the records of a chunk is fetched for
    the chunk.
    """

    def __init__(self, staging: Staging) -> None:
        self._staging = staging
        self._empty = {stream for stream in staging.streams() if staging.count(stream) == 0}
        self._held = {stream for stream in staging.streams()} - self._empty
        self._records: dict[tuple[str, str], Mapping[str, JSON] | None] = {}
        self._chunk: frozenset[str] = frozenset()
        self._gathered: dict[tuple[str, str], Mapping[str, Found]] = {}

    def lookup(self, stream: str, record_id: str) -> Mapping[str, JSON] | None:
        """Return a record's data, None when there is none."""
        name = (stream, record_id)
        if name in self._records:
            return self._records[name]
        if len(self._records) >= KEPT:
            self._records.clear()
        found = self._records[name] = self._staging.get(stream, record_id)
        return found

    def referring(self, stream: str, field: str, target: str) -> Sequence[tuple[str, Mapping[str, JSON]]]:
        """Return id and data of the records whose field holds `target`, in the stream's order."""
        if stream not in self._held:
            return ()
        gathered = self._gathered.get((stream, field))
        if gathered is not None and target in self._chunk:
            return gathered.get(target, ())
        return self._staging.referring(stream, field, target)

    def gather(self, entry: Entry, ids: Sequence[str]) -> None:
        """Fetch what the entry collects for these records, which come next."""
        self._chunk = frozenset(ids)
        self._gathered = {
            (collect.shape.stream, collect.by): {}
            for collect in entry.collects
            if collect.of is None and collect.shape.stream in self._held
        }
        for stream, field in self._gathered:
            self._gathered[stream, field] = self._staging.referring_many(stream, field, ids)
