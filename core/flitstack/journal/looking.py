"""What an audit asks of staged records: quick looks at all of them, counts of values, and references that fail."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flitstack.journal.jsontext import loads
from flitstack.journal.staging import safe_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from flitstack.journal.store import Store

CHUNK = 2000


class Looking:
    """Reads staged records as an audit needs them."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def texts(self, stream: str) -> Iterator[tuple[str, str]]:
        """Yield id and canonical JSON of each record that can move, in reading order."""
        sql = "SELECT pos, id, data FROM staged WHERE stream = ? AND state = 'ok' AND pos > ? ORDER BY pos LIMIT ?"
        last = 0
        while rows := list(self._store.tuples(sql, (stream, last, CHUNK))):
            last = rows[-1][0]
            for _, record_id, text in rows:
                yield record_id, text

    def count(self, stream: str, state: str) -> int:
        """Return how many rows of a stream are in a state."""
        return int(self._store.value("SELECT count(*) FROM staged WHERE stream = ? AND state = ?", (stream, state)))

    def states(self) -> dict[str, int]:
        """Return how many rows of all streams are in each state."""
        found = dict(self._store.tuples("SELECT state, count(*) FROM staged GROUP BY state"))
        return {state: int(found.get(state, 0)) for state in ("ok", "rejected", "skipped")}

    def tally(self, stream: str, field: str, first: int, length: int) -> dict[str | None, int]:
        """Return how many records have each value of a field, or each value of a part of it; see `StagedView`."""
        value = f"json_extract(data, '$.{safe_name(field)}')"
        if length:
            value = f"substr({value}, {int(first)}, {int(length)})"
        sql = f"SELECT {value} AS v, count(*) FROM staged WHERE stream = ? AND state = 'ok' GROUP BY v ORDER BY v"  # noqa: S608 - a checked identifier
        return {None if value is None else str(value): n for value, n in self._store.tuples(sql, (stream,))}

    def broken_references(self, stream: str, targets: Mapping[str, str]) -> Iterator[tuple[str, str, str | None]]:
        """Yield id, field and what is wrong, of records that refer to a row that is not there or cannot move.

        What is wrong is the state of the row referred to, None when there is none. All fields are looked at in one go.

        :param targets: field to the stream that it refers to.
        """
        if not targets:
            return
        fields = {field: f"json_extract(s.data, '$.{safe_name(field)}')" for field in targets}
        told = [f"CASE WHEN {value} IS NULL THEN 'ok' ELSE ifnull(t{n}.state, '') END AS w{n}"
                for n, value in enumerate(fields.values())]  # fmt: skip
        joins = [f"LEFT JOIN staged t{n} ON t{n}.stream = ? AND t{n}.id = {value}"
                 for n, value in enumerate(fields.values())]  # fmt: skip
        wrong = " OR ".join(f"w{n} <> 'ok'" for n in range(len(fields)))
        sql = (
            f"SELECT s.id, {', '.join(told)} FROM staged s {' '.join(joins)} "  # noqa: S608 - checked identifiers
            f"WHERE s.stream = ? AND s.state = 'ok' AND ({wrong}) ORDER BY s.pos"
        )
        for record_id, *states in self._store.rows(sql, (*targets.values(), stream)):
            for field, state in zip(targets, states, strict=True):
                if state != "ok":
                    yield record_id, field, state or None

    def codebooks(self) -> list[tuple[str, str, int]]:
        """Return (stream, field, number of codes) of the codes whose meaning the export or its layout states."""
        books = self._store.tuples("SELECT stream, codebook FROM snapshot_stream ORDER BY stream")
        return [(stream, field, len(codes)) for stream, book in books for field, codes in sorted(loads(book).items())]

    def rejections(self) -> list[tuple[str, str, str, str, int, list[str]]]:
        """Return (stream, code, reason, hint, count, some ids) of what was rejected while reading."""
        sql = (
            "SELECT stream, code, reason, hint, count(*), min(id) FROM rejection WHERE stage = 'stage' "
            "GROUP BY stream, code, reason, hint ORDER BY stream, code, reason"
        )
        ids = "SELECT id FROM rejection WHERE stage = 'stage' AND stream = ? AND code = ? AND reason = ? LIMIT 10"
        return [
            (stream, code, reason, hint, n, [row[0] for row in self._store.tuples(ids, (stream, code, reason))])
            for stream, code, reason, hint, n, _ in list(self._store.tuples(sql))
        ]

    def skips(self) -> list[tuple[str, str, int, list[str]]]:
        """Return (stream, rule, count, some ids) of what was left out while reading."""
        sql = "SELECT stream, rule, count(*) FROM left_out WHERE stage = 'stage' GROUP BY stream, rule ORDER BY 1, 2"
        ids = "SELECT id FROM left_out WHERE stage = 'stage' AND stream = ? AND rule = ? LIMIT 10"
        return [
            (stream, rule, n, [row[0] for row in self._store.tuples(ids, (stream, rule))])
            for stream, rule, n in list(self._store.tuples(sql))
        ]
