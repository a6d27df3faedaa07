"""What a batch of source records came to, gathered as plain values and written by a few statements."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Any

from flitstack.errors import MappingError
from flitstack.journal.bulk import insert_rows
from flitstack.journal.jsontext import dumps
from flitstack.journal.staging import insert_rejections
from flitstack.protocols import Rejection, Where

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from flitstack.protocols import JSON, LinkRef

INSERT_DESIRED = "INSERT INTO desired (object, key, part, entry, fields, links, verdict)"
INSERT_MADE = "INSERT OR IGNORE INTO contribution (stream, id, object, key, part, role)"
NO_LINKS = "{}"


class Mapped:
    """Desired records and what each was made from; and source records that were rejected, skipped or looked up.

    :ivar skips: (stream, id, rule).
    :ivar used: (stream, id).
    """

    __slots__ = ("_desired", "_made", "count", "rejections", "skips", "used")

    def __init__(self) -> None:
        self._desired: list[str | None] = []  # seven values a record
        self._made: list[str] = []  # six values a contribution
        self.count = 0
        self.rejections: list[Rejection] = []
        self.skips: list[tuple[str, str, str]] = []
        self.used: set[tuple[str, str]] = set()

    def add(
        self,
        name: tuple[str, str, str],
        entry: str,
        fields: Mapping[str, JSON],
        links: Mapping[str, LinkRef],
        made_of: Iterable[Sequence[str]],
        verdict: str | None = None,
    ) -> None:
        """Add a desired record.

        :param name: object, key and part.
        :param made_of: (stream, id, role) of each source record.
        """
        object_, key, part = name
        links_text = dumps({field: link_json(link) for field, link in links.items()}) if links else NO_LINKS
        self._desired += (object_, key, part, entry, dumps(fields), links_text, verdict)
        for stream, record_id, role in made_of:
            self._made += (stream, record_id, object_, key, part, role)
        self.count += 1

    def packed(self) -> tuple[Any, ...]:
        """Return all of it as lists, tuples, texts and numbers, which another process can be sent."""
        rejections = [
            (r.stream, r.id, r.code, r.reason, r.hint, (r.where.file, r.where.line) if r.where else None, r.field)
            for r in self.rejections
        ]
        return self._desired, self._made, self.count, rejections, self.skips, list(self.used)

    @classmethod
    def unpacked(cls, packed: tuple[Any, ...]) -> Mapped:
        """Return what was packed."""
        mapped = cls()
        mapped._desired, mapped._made, mapped.count, rejections, mapped.skips, used = packed
        mapped.used = set(used)
        for stream, record_id, code, reason, hint, where, field in rejections:
            place = Where(*where) if where else None
            mapped.rejections.append(Rejection(stream, record_id, code, reason, hint, place, field))
        return mapped

    def write(self, db: sqlite3.Connection) -> None:
        """Write all of it.

        :raises MappingError: a desired record is there already.
        """
        try:
            insert_rows(db, INSERT_DESIRED, "(?, ?, ?, ?, ?, ?, ?)", self._desired)
        except sqlite3.IntegrityError as exc:
            raise MappingError(
                "The mapping makes one destination record twice: two entries, or two groups of one entry, give the "
                "same object and key. Give one of them a key of its own (key, key_stream)."
            ) from exc
        insert_rows(db, INSERT_MADE, "(?, ?, ?, ?, ?, ?)", self._made)
        db.executemany("INSERT OR REPLACE INTO left_out VALUES (?, ?, ?, 'map', 'skipped')", self.skips)
        db.executemany("INSERT OR IGNORE INTO used VALUES (?, ?)", sorted(self.used))
        insert_rejections(db, self.rejections, "map")


def link_json(link: LinkRef) -> list[Any]:
    """Return a link in the form the journal keeps."""
    return [link.object, link.key, link.part, int(link.required), int(link.fallback)]
