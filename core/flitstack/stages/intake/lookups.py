"""What mapping asks of the staged records, asked for many at once and kept for a while."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flitstack.stages.intake.merged import Merged

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flitstack.journal import Staging
    from flitstack.mapping import Entry
    from flitstack.protocols import JSON

    Found = list[tuple[str, Mapping[str, JSON]]]

KEPT = 5_000


class Lookups:
    """Answers of `Scope.lookup` and `Scope.referring`.

    Records that others refer to (users, places, a person's own while its visits come one after another)
    are asked for again and again: the last few thousand are kept. What hangs on the records of a chunk is fetched for
    the chunk. All answers are as after the merges that people decided on.
    """

    def __init__(self, staging: Staging, merged: Merged | None = None) -> None:
        self._staging = staging
        self._merged = merged or Merged()
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
        found = self._staging.get(stream, self._merged.survivor(stream, record_id))
        if found is not None and self._merged:
            found = self._merged.data(stream, self._merged.survivor(stream, record_id), found)
        self._records[name] = found
        return found

    def referring(self, stream: str, field: str, target: str) -> Sequence[tuple[str, Mapping[str, JSON]]]:
        """Return id and data of the records whose field holds `target`, in the stream's order."""
        if stream not in self._held:
            return ()
        gathered = self._gathered.get((stream, field))
        if gathered is not None and target in self._chunk:
            return gathered.get(target, ())
        if not self._merged:
            return self._staging.referring(stream, field, target)
        return self._after_merges(
            stream, self._staging.referring_many(stream, field, self._named(stream, field, target))
        )

    def _named(self, stream: str, field: str, target: str) -> Sequence[str]:
        return self._merged.named(stream, field, target)

    def _after_merges(self, stream: str, found: Mapping[str, Found]) -> Found:
        """Return what was found under several ids as one, merged records left out: they are no records any more."""
        return [
            (number, self._merged.data(stream, number, data))
            for under in found.values()
            for number, data in under
            if self._merged.survivor(stream, number) == number
        ]

    def gather(self, entry: Entry, ids: Sequence[str]) -> None:
        """Fetch what the entry collects for these records, which come next."""
        self._chunk = frozenset(ids)
        self._gathered = {
            (collect.shape.stream, collect.by): {}
            for collect in entry.collects
            if collect.of is None and collect.shape.stream in self._held
        }
        for stream, field in self._gathered:
            if not self._merged:
                self._gathered[stream, field] = self._staging.referring_many(stream, field, ids)
                continue
            names = {one: self._named(stream, field, one) for one in ids}
            found = self._staging.referring_many(stream, field, [name for of in names.values() for name in of])
            self._gathered[stream, field] = {
                one: self._after_merges(stream, {name: found.get(name, []) for name in of}) for one, of in names.items()
            }
