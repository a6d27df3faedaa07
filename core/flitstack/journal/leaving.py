"""Records of ours that the source no longer has: groups that emptied, and, where that is wanted, what vanished."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flitstack.journal.delta import SAME, STALE
from flitstack.journal.records import Link, read_linked

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from flitstack.journal.store import Store

VANISHED = "skipped:vanished"

_MARK = (
    f"UPDATE desired AS d SET verdict = '{VANISHED}' WHERE d.verdict IS NULL AND d.key NOT LIKE 'schema:%' AND {STALE}"  # noqa: S608 - fixed text
)
_WITHOUT = f"""
SELECT l.*, m.entry AS entry, coalesce(c.spec, m.spec) AS spec FROM link l
JOIN operation m ON m.id = l.made_by LEFT JOIN operation c ON c.id = l.changed_by
WHERE NOT EXISTS (SELECT 1 FROM desired d WHERE {SAME.format("d", "l")}) ORDER BY m.id DESC
"""  # noqa: S608 - fixed text
_GONE = f"""
SELECT l.*, d.entry AS entry FROM link l JOIN desired d ON {SAME.format("d", "l")}
WHERE l.made_by NOT NULL AND d.verdict = '{VANISHED}' ORDER BY l.made_by DESC
"""  # noqa: S608 - fixed text
_NEEDED = """
SELECT DISTINCT json_extract(j.value, '$[0]') AS object, json_extract(j.value, '$[1]') AS key,
    json_extract(j.value, '$[2]') AS part
FROM desired d, json_each(d.links) j WHERE d.verdict IS NULL AND d.links <> '{}'
"""

_NEVER_WRITTEN = f"""
SELECT d.object, d.key, d.part FROM desired d WHERE d.verdict IS NULL AND d.key NOT LIKE 'schema:%'
    AND NOT EXISTS (SELECT 1 FROM link l WHERE {SAME.format("l", "d")})
    AND NOT EXISTS (SELECT 1 FROM operation o WHERE {SAME.format("o", "d")} AND o.state IN ('intended', 'in_doubt'))
    AND {STALE}
"""  # noqa: S608 - fixed text
_LINKED = """
SELECT d.object, d.key, d.part, json_extract(j.value, '$[0]'), json_extract(j.value, '$[1]'),
    json_extract(j.value, '$[2]')
FROM desired d, json_each(d.links) j WHERE d.verdict IS NULL AND d.links <> '{}'
"""


class Leaving:
    """Finds records that may have to go."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def mark_vanished(self) -> None:
        """Take what the last export no longer has for left out, under the rule `vanished`."""
        self._store.write(lambda db: db.execute(_MARK))

    def pass_over_unwritten(self) -> None:
        """Leave out what an export had that was never loaded, and the last one has not, if nothing else needs it."""
        stale = {(row[0], row[1], row[2]) for row in self._store.rows(_NEVER_WRITTEN)}
        if not stale:
            return
        ends = [((row[0], row[1], row[2]), (row[3], row[4], row[5] or "")) for row in self._store.rows(_LINKED)]
        while needed := {end for name, end in ends if name not in stale and end in stale}:
            stale -= needed
        sql = f"UPDATE desired SET verdict = '{VANISHED}' WHERE object = ? AND key = ? AND part = ?"  # noqa: S608 - fixed text
        self._store.write(lambda db: db.executemany(sql, sorted(stale)))

    def without_wish(self, entries: Collection[str]) -> Iterator[tuple[str, str, Link]]:
        """Yield (entry, spec, link) of what these entries made, and the map makes no more of the same source."""
        for row in self._store.rows(_WITHOUT):
            if row["entry"] in entries:
                yield row["entry"], str(row["spec"] or ""), read_linked(row)

    def vanished(self) -> Iterator[tuple[str, Link]]:
        """Yield (entry, link) of what was marked as vanished and is there, made by us."""
        for row in self._store.rows(_GONE):
            yield row["entry"], read_linked(row)

    def needed(self) -> set[tuple[str, str, str]]:
        """Return the records (object, key, part) to which anything leads that stays."""
        return {(row[0], row[1], row[2]) for row in self._store.rows(_NEEDED)}
