"""What a verification asks of the journal: the spec that was written by, and sums of the source's own amounts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flitstack.journal.jsontext import loads

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from flitstack.journal.store import Store
    from flitstack.protocols import JSON


class Proving:
    """Reads what the totals of a verification are made of."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def spec_text(self, sha256: str = "") -> str | None:
        """Return a spec as rendered: the one of this hash, else the one that the last operation was planned by."""
        last = "SELECT spec FROM operation WHERE spec NOT NULL AND inverse_of IS NULL ORDER BY id DESC LIMIT 1"
        found = self._store.value("SELECT text FROM spec WHERE sha256 = ?", (sha256 or self._store.value(last),))
        return None if found is None else str(found)

    def amounts(self, stream: str, object_: str) -> Iterator[tuple[Mapping[str, JSON], bool]]:
        """Yield each row of a stream that can move, and whether it has part in a record of ours in the account.

        :param object_: what that record is.
        """
        sql = (
            "SELECT s.data, EXISTS (SELECT 1 FROM contribution c JOIN link l ON l.object = c.object AND l.key = c.key "
            "AND l.part = c.part WHERE c.stream = s.stream AND c.id = s.id AND c.object = ?) AS there "
            "FROM staged s WHERE s.stream = ? AND s.state = 'ok'"
        )
        for row in self._store.rows(sql, (object_, stream)):
            yield loads(row[0]), bool(row[1])

    def open_counts(self) -> dict[str, int]:
        """Return, per object, how many writes were not sent yet, or have no answer that is known."""
        sql = (
            "SELECT object, count(*) FROM operation WHERE state IN ('planned', 'blocked', 'intended', 'in_doubt') "
            "GROUP BY object"
        )
        return {row[0]: row[1] for row in self._store.rows(sql)}
