"""The sample in SQL: which desired records hang together as one unit, what units hold, and which were chosen."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from flitstack.journal.jsontext import dumps, loads

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from typing import Any

    from flitstack.journal.store import Store
    from flitstack.protocols import JSON

_TARGET = (
    "t.object = json_extract(j.value, '$[0]') AND t.key = json_extract(j.value, '$[1]') "
    "AND t.part = json_extract(j.value, '$[2]')"
)
# A record belongs to the unit of the first record that it cannot do without; one that can do without any is a root.
_HANG = f"""
INSERT INTO sample_unit
SELECT d.pos, coalesce((
    SELECT u.root FROM json_each(d.links) j JOIN desired t ON {_TARGET} JOIN sample_unit u ON u.pos = t.pos
    WHERE json_extract(j.value, '$[3]') = 1 ORDER BY j.id LIMIT 1), d.pos)
FROM desired d WHERE d.object = ? AND d.verdict IS NULL
"""  # noqa: S608 - fixed text
_CONTENT = (
    "SELECT c.stream, s.pos, s.data FROM sample_unit u JOIN desired d ON d.pos = u.pos JOIN contribution c "
    "ON c.object = d.object AND c.key = d.key AND c.part = d.part JOIN staged s ON s.stream = c.stream AND s.id = c.id "
    "WHERE u.root = ? GROUP BY s.pos"
)
_LEADS_TO = f"""
SELECT DISTINCT v.root FROM sample_unit u JOIN desired d ON d.pos = u.pos, json_each(d.links) j
JOIN desired t ON {_TARGET} JOIN sample_unit v ON v.pos = t.pos WHERE u.root = ?1 AND v.root <> ?1
"""  # noqa: S608 - fixed text


class Root(NamedTuple):
    """What a unit hangs on: its number, object and key, and the first source record that it was made from."""

    pos: int
    object: str
    key: str
    stream: str
    id: str


class Sampling:
    """Units of desired records that hang together, and the sample among them."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def hang_together(self, objects: Sequence[str]) -> None:
        """Work out the units anew; `objects` come in the order in which they are made, parents first."""

        def job(db: sqlite3.Connection) -> None:
            db.execute("DELETE FROM sample_unit")
            for object_ in objects:
                db.execute(_HANG, (object_,))

        self._store.write(job)

    def roots(self) -> Iterator[Root]:
        """Yield what every unit hangs on, in the order in which they are made."""
        sql = (
            "SELECT d.pos, d.object, d.key, c.stream, c.id FROM sample_unit u JOIN desired d ON d.pos = u.pos "
            "JOIN contribution c ON c.object = d.object AND c.key = d.key AND c.part = d.part AND c.role <> 'folded' "
            "WHERE u.root = u.pos GROUP BY d.pos ORDER BY d.pos"
        )
        for row in self._store.rows(sql):
            yield Root(*row)

    def streams(self) -> list[str]:
        """Return the streams whose records make desired records."""
        sql = (
            "SELECT DISTINCT stream FROM contribution WHERE object IN (SELECT DISTINCT object FROM desired) ORDER BY 1"
        )
        return [row[0] for row in self._store.rows(sql)]

    def source_records(self, stream: str) -> Iterator[tuple[int | None, Mapping[str, JSON]]]:
        """Yield each record of a stream with a unit that it is part of; None for one that stays behind.

        A record that several units share comes once for each.
        """
        sql = (
            "SELECT DISTINCT u.root, s.pos, s.data FROM staged s LEFT JOIN contribution c ON c.stream = s.stream "
            "AND c.id = s.id LEFT JOIN desired d ON d.object = c.object AND d.key = c.key AND d.part = c.part "
            "LEFT JOIN sample_unit u ON u.pos = d.pos WHERE s.stream = ? AND s.state = 'ok'"
        )
        for row in self._store.rows(sql, (stream,)):
            yield row[0], loads(row[2])

    def desired_records(self) -> Iterator[tuple[int, str, Mapping[str, JSON], Mapping[str, Sequence[Any]]]]:
        """Yield unit, entry, fields and links of every record that hangs together with others, or alone."""
        sql = "SELECT u.root, d.entry, d.fields, d.links FROM sample_unit u JOIN desired d ON d.pos = u.pos"
        for row in self._store.rows(sql):
            yield row[0], row[1], loads(row[2]), loads(row[3])

    def unit(
        self, root: int
    ) -> tuple[list[tuple[str, Mapping[str, JSON]]], list[tuple[str, Mapping[str, JSON], Mapping[str, Sequence[Any]]]]]:
        """Return what a unit holds: (stream, data) of its source records, (entry, fields, links) of what they make."""
        sources = [(row[0], loads(row[2])) for row in self._store.rows(_CONTENT, (root,))]
        sql = "SELECT d.entry, d.fields, d.links FROM sample_unit u JOIN desired d ON d.pos = u.pos WHERE u.root = ?"
        made = [(row[0], loads(row[1]), loads(row[2])) for row in self._store.rows(sql, (root,))]
        return sources, made

    def leads_to(self, root: int) -> list[int]:
        """Return the other units that a unit's links lead to."""
        return [row[0] for row in self._store.rows(_LEADS_TO, (root,))]

    def choose(self, roots: Iterable[int]) -> None:
        """Make the sample what hangs on these roots."""
        chosen = dumps(sorted(roots))
        sql = (
            "INSERT INTO sampled SELECT d.object, d.key, d.part FROM sample_unit u JOIN desired d ON d.pos = u.pos "
            "WHERE u.root IN (SELECT value FROM json_each(?))"
        )

        def job(db: sqlite3.Connection) -> None:
            db.execute("DELETE FROM sampled")
            db.execute(sql, (chosen,))
            db.execute("DELETE FROM sample_unit")

        self._store.write(job)

    def counts(self) -> dict[str, int]:
        """Return how many desired records of each object are in the sample."""
        rows = self._store.rows("SELECT object, count(*) FROM sampled GROUP BY object ORDER BY object")
        return {row[0]: row[1] for row in rows}

    def is_sampled(self, object_: str, key: str, part: str) -> bool:
        """Tell whether a desired record is in the sample."""
        sql = "SELECT 1 FROM sampled WHERE object = ? AND key = ? AND part = ?"
        return self._store.row(sql, (object_, key, part)) is not None

    def open_links(self, user: str) -> int:
        """Return how many links of the sample lead to a desired record that is not in it; 0 when it is closed."""
        sql = (
            "SELECT count(*) FROM sampled s JOIN desired d USING (object, key, part), json_each(d.links) j "  # noqa: S608 - fixed text
            f"JOIN desired t ON {_TARGET} WHERE json_extract(j.value, '$[0]') <> ? AND t.verdict IS NULL "
            "AND json_extract(j.value, '$[1]') NOT LIKE 'schema:%' AND NOT EXISTS (SELECT 1 FROM sampled x "
            "WHERE x.object = t.object AND x.key = t.key AND x.part = t.part)"
        )
        return int(self._store.value(sql, (user,)))
