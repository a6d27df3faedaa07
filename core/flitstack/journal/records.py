"""Desired records: what the destination should hold, and which source records each was made from."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any, TypeAlias

from flitstack.journal.audit import append
from flitstack.journal.conflicts import torn_fields
from flitstack.journal.jsontext import dumps, loads
from flitstack.journal.mapped import Mapped
from flitstack.journal.spending import note_spent
from flitstack.journal.staging import Staged, insert_rejections
from flitstack.protocols import LinkRef, source_key

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Mapping, Sequence
    from concurrent.futures import Future

    from flitstack.journal.spending import Spending
    from flitstack.journal.store import Store
    from flitstack.protocols import JSON, Rejection


@dataclass(frozen=True, slots=True)
class DesiredRow:
    """A desired record as the journal holds it.

    :param verdict: None when it may be written; else `BUCKET:name` (`skipped:parent_skipped`).
    :param contributions: (stream, id, role) of the source records it was made from.
    """

    object: str
    key: str
    part: str
    entry: str
    fields: Mapping[str, JSON]
    links: Mapping[str, LinkRef]
    verdict: str | None = None
    contributions: tuple[tuple[str, str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Link:
    """A desired record's place in the destination.

    :param wanted: `{"fields": ..., "links": ...}` as last written.
    :param after: the fields as last read back, comparable form; None before the first verification.
    :param made_by: the operation that created it; None when the account already had it.
    :param seen: the account's stamp of its last change when all of it was as written; None when that is not known.
    """

    object: str
    key: str
    part: str
    destination_id: str
    wanted: Mapping[str, Any]
    after: Mapping[str, JSON] | None
    made_by: int | None
    seen: str | None = None


ReadBack: TypeAlias = tuple[str, str, str, "Mapping[str, JSON]", str | None]
"""Object, key, part, the fields as read back, and the account's stamp of the last change (`Link.seen`)."""

# Where a source record's fate can be written; `x` is a row of the table, `s` the staged record.
CLAIMS = {
    "contribution": "x.stream = s.stream AND x.id = s.id",
    "left_out": "x.stream = s.stream AND x.id = s.id",
    "rejection": "x.stream = s.stream AND x.id = s.id",
    "used": "x.stream = s.stream AND x.id = s.id",
    "owner": "x.stream = s.stream AND x.id = s.id AND x.user NOT NULL",
}


class Records:
    """Desired records, contributions, links and owners."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def clear(self) -> None:
        """Forget what an earlier mapping derived; links stay."""

        def job(db: sqlite3.Connection) -> None:
            for table in ("desired", "contribution", "used", "grouped"):
                db.execute(f"DELETE FROM {table}")  # noqa: S608 - names from the line above
            db.execute("DELETE FROM rejection WHERE stage = 'map'")
            db.execute("DELETE FROM left_out WHERE stage = 'map'")

        self._store.write(job)

    def add(
        self,
        desired: Sequence[DesiredRow],
        rejections: Sequence[Rejection],
        skips: Sequence[tuple[str, str, str]],
        used: Sequence[tuple[str, str]],
    ) -> None:
        """Write what one batch of source records came to; `skips` are (stream, id, rule)."""
        batch = Mapped()
        for d in desired:
            batch.add((d.object, d.key, d.part), d.entry, d.fields, d.links, d.contributions, d.verdict)
        batch.rejections, batch.skips, batch.used = list(rejections), list(skips), set(used)
        self.submit(batch).result()

    def submit(self, batch: Mapped) -> Future[None]:
        """Write a batch; the future resolves after the commit.

        :raises MappingError: the future does; a desired record is there already.
        """
        return self._store.submit(batch.write)

    def add_group_values(self, entry: str, rows: Sequence[tuple[str, int]]) -> None:
        """Note the group value of source records, each known by its number in the stream."""
        self._store.write(
            lambda db: db.executemany(
                "INSERT OR IGNORE INTO grouped VALUES (?, ?, ?)", [(entry, value, pos) for value, pos in rows]
            )
        )

    def groups(self, entry: str) -> Iterator[tuple[str, list[Staged]]]:
        """Yield (group value, its source records in the stream's order), group by group."""
        sql = (
            "SELECT g.value, s.stream, s.id, s.data, s.file, s.line FROM grouped g JOIN staged s ON s.pos = g.pos "
            "WHERE g.entry = ? ORDER BY g.value, g.pos"
        )
        rows = self._store.rows(sql, (entry,))
        for value, members in groupby(rows, key=lambda row: str(row[0])):
            yield value, [Staged(row[1], row[2], loads(row[3]), row[4], row[5]) for row in members]

    def desired(self, object_: str | None = None) -> Iterator[DesiredRow]:
        """Yield desired records in writing order, without their contributions."""
        where, parameters = ("WHERE object = ?", (object_,)) if object_ else ("", ())
        for row in self._store.rows(f"SELECT * FROM desired {where} ORDER BY pos", parameters):  # noqa: S608 - fixed text
            yield read_desired(row)

    def of_entry(self, entry: str) -> Iterator[DesiredRow]:
        """Yield the desired records of one entry that may be written, without their contributions."""
        sql = "SELECT * FROM desired WHERE entry = ? AND verdict IS NULL ORDER BY pos"
        for row in self._store.rows(sql, (entry,)):
            yield read_desired(row)

    def entry_counts(self) -> dict[str, int]:
        """Return how many desired records each entry made that may be written."""
        rows = self._store.rows("SELECT entry, count(*) FROM desired WHERE verdict IS NULL GROUP BY entry")
        return {row[0]: row[1] for row in rows}

    def get(self, object_: str, key: str, part: str) -> DesiredRow | None:
        """Return one desired record."""
        sql = "SELECT * FROM desired WHERE object = ? AND key = ? AND part = ?"
        row = self._store.row(sql, (object_, key, part))
        return read_desired(row) if row else None

    def verdict(self, object_: str, key: str, part: str) -> tuple[bool, str | None]:
        """Return whether a desired record exists, and its verdict."""
        sql = "SELECT verdict FROM desired WHERE object = ? AND key = ? AND part = ?"
        row = self._store.row(sql, (object_, key, part))
        return (True, row["verdict"]) if row else (False, None)

    def set_verdicts(
        self,
        verdicts: Sequence[tuple[str, str, str, str]],
        rejections: Sequence[Rejection],
        skips: Sequence[tuple[str, str, str]],
    ) -> None:
        """Mark desired records (object, key, part, verdict) that may not be written, and note why."""

        def job(db: sqlite3.Connection) -> None:
            db.executemany(
                "UPDATE desired SET verdict = ?4 WHERE object = ?1 AND key = ?2 AND part = ?3",
                verdicts,
            )
            db.executemany("INSERT OR REPLACE INTO left_out VALUES (?, ?, ?, 'map', 'skipped')", skips)
            insert_rejections(db, rejections, "map")

        self._store.write(job)

    def unclaimed(self, stream: str) -> Iterator[tuple[str, Mapping[str, JSON]]]:
        """Yield id and data of the records of a stream that came to nothing so far."""
        tables = [
            name
            for name in CLAIMS
            if self._store.row(f"SELECT 1 FROM {name} WHERE stream = ?", (stream,)) is not None  # noqa: S608 - fixed names
        ]
        claims = "".join(f" AND NOT EXISTS (SELECT 1 FROM {name} x WHERE {CLAIMS[name]})" for name in tables)  # noqa: S608 - fixed text
        sql = f"SELECT s.id, s.data FROM staged s WHERE s.stream = ? AND s.state = 'ok'{claims} ORDER BY s.pos"  # noqa: S608 - fixed text
        for row in self._store.rows(sql, (stream,)):
            yield row[0], loads(row[1])

    def required_links(self, user: str) -> Iterator[tuple[tuple[str, str, str], LinkRef, bool]]:
        """Yield the links that a desired record (object, key, part) cannot do without, in writing order.

        With each, whether what it points to is desired; links to users and to schema items are not among them.
        """
        sql = (
            "SELECT d.object, d.key, d.part, j.value, EXISTS (SELECT 1 FROM desired t "
            "WHERE t.object = json_extract(j.value, '$[0]') AND t.key = json_extract(j.value, '$[1]') "
            "AND t.part = json_extract(j.value, '$[2]')) AS there "
            "FROM desired d CROSS JOIN json_each(d.links) j WHERE d.links <> '{}' "
            "AND json_extract(j.value, '$[3]') = 1 AND json_extract(j.value, '$[0]') <> ? "
            "AND json_extract(j.value, '$[1]') NOT LIKE 'schema:%' ORDER BY d.pos, j.id"
        )
        for row in self._store.rows(sql, (user,)):
            yield (row[0], row[1], row[2]), read_link(loads(row[3])), bool(row[4])

    def leave_out(self, rows: Sequence[tuple[str, str, str, str]], rejections: Sequence[Rejection]) -> None:
        """Put source records (stream, id, rule, bucket) in bucket skipped or blocked, and note rejections."""

        def job(db: sqlite3.Connection) -> None:
            db.executemany("INSERT OR REPLACE INTO left_out VALUES (?1, ?2, ?3, 'map', ?4)", rows)
            insert_rejections(db, rejections, "map")

        self._store.write(job)

    def is_rejected(self, stream: str, record_id: str) -> bool:
        """Tell whether a source record was rejected."""
        return self._store.row("SELECT 1 FROM rejection WHERE stream = ? AND id = ?", (stream, record_id)) is not None

    def is_left_out(self, stream: str, record_id: str) -> bool:
        """Tell whether a source record was left out by a rule."""
        return self._store.row("SELECT 1 FROM left_out WHERE stream = ? AND id = ?", (stream, record_id)) is not None

    def contributors(self, object_: str, key: str, part: str) -> list[tuple[str, str, str]]:
        """Return (stream, id, role) of the source records that made a desired record."""
        sql = "SELECT stream, id, role FROM contribution WHERE object = ? AND key = ? AND part = ?"
        return [(r["stream"], r["id"], r["role"]) for r in self._store.rows(sql, (object_, key, part))]

    def counts(self, *, sampled: bool = False) -> dict[str, int]:
        """Return how many desired records are ours to make, per object; what the account had before is not.

        :param sampled: only those of the sample, and schema items.
        """
        sql = (
            "SELECT d.object, count(*) AS n FROM desired d LEFT JOIN link l ON l.object = d.object AND l.key = d.key "  # noqa: S608 - fixed text
            f"AND l.part = d.part WHERE d.verdict IS NULL AND (l.key IS NULL OR l.made_by NOT NULL) {_only(sampled)} "
            "GROUP BY d.object"
        )
        return {row["object"]: row["n"] for row in self._store.rows(sql)}

    def of_entries(self) -> dict[str, int]:
        """Return how many records that may be written each entry of the spec makes."""
        sql = "SELECT entry, count(*) FROM desired WHERE verdict IS NULL GROUP BY entry ORDER BY entry"
        return dict(self._store.tuples(sql))

    def expected(self, object_: str, *, sampled: bool = False) -> int:
        """Return how many records of an object the destination holds of ours once all, or the sample, is written."""
        sql = (
            "SELECT count(*) FROM (SELECT key, part FROM desired d "  # noqa: S608 - fixed text
            f"WHERE object = ?1 AND verdict IS NULL {_only(sampled)} "
            "UNION SELECT key, part FROM link WHERE object = ?1)"
        )
        return int(self._store.value(sql, (object_,)))

    def unwanted(self) -> int:
        """Return how many records of ours the destination holds that the mapping makes no more."""
        sql = (
            "SELECT count(*) FROM link l WHERE l.made_by NOT NULL AND NOT EXISTS (SELECT 1 FROM desired d "
            "WHERE d.object = l.object AND d.key = l.key AND d.part = l.part)"
        )
        return int(self._store.value(sql))

    # --- links ---

    def link(self, object_: str, key: str, part: str) -> Link | None:
        """Return where a desired record is in the destination, None while it is not there."""
        row = self._store.row("SELECT * FROM link WHERE object = ? AND key = ? AND part = ?", (object_, key, part))
        return read_linked(row) if row else None

    def destination_id(self, object_: str, key: str, part: str) -> str | None:
        """Return the id of a desired record in the destination, None while it is not there."""
        sql = "SELECT destination_id FROM link WHERE object = ? AND key = ? AND part = ?"
        value = self._store.value(sql, (object_, key, part))
        return None if value is None else str(value)

    def links(self, object_: str | None = None) -> Iterator[Link]:
        """Yield all links, or those of one object."""
        where, parameters = ("WHERE object = ?", (object_,)) if object_ else ("", ())
        for row in self._store.rows(f"SELECT * FROM link {where}", parameters):  # noqa: S608 - fixed text
            yield read_linked(row)

    def link_objects(self) -> dict[str, int]:
        """Return how many records of each object are in the destination."""
        return {
            row["object"]: row["n"]
            for row in self._store.rows("SELECT object, count(*) AS n FROM link GROUP BY object")
        }

    def adopt(self, object_: str, key: str, destination_id: str, wanted: Mapping[str, Any]) -> None:
        """Link to something the account already has: it was not made by us, and is not ours to remove."""
        row = (object_, key, "", destination_id, dumps(dict(wanted)))
        sql = (
            "INSERT INTO link (object, key, part, destination_id, wanted) VALUES (?, ?, ?, ?, ?) "
            "ON CONFLICT DO UPDATE SET destination_id = excluded.destination_id, wanted = excluded.wanted"
        )
        self._store.write(lambda db: db.execute(sql, row))

    def set_after(self, rows: Sequence[ReadBack], spent: Spending | None = None) -> None:
        """Keep what was read back, and what the run has spent until now.

        Of a field in which a conflict stands, what was known before stays: what it holds now is not ours.
        """
        sql = "UPDATE link SET after = ?, seen = ? WHERE object = ? AND key = ? AND part = ?"

        def job(db: sqlite3.Connection) -> None:
            note_spent(db, spent)
            torn = torn_fields(db)
            values = [
                (dumps(_without(db, (object_, key, part), fields, torn)), seen, object_, key, part)
                for object_, key, part, fields, seen in rows
            ]
            db.executemany(sql, values)

        self._store.write(job)

    # --- owners ---

    def set_owners(self, rows: Sequence[tuple[str, str, str | None, str]]) -> None:
        """Replace who owns what: (stream, id, user id or None, how it was found)."""

        def job(db: sqlite3.Connection) -> None:
            db.execute("DELETE FROM owner")
            db.executemany("INSERT INTO owner VALUES (?, ?, ?, ?)", rows)

        self._store.write(job)

    def owners(self, source_id: str) -> dict[str, str]:
        """Return, by source key, the user who stands for each person of the source that was matched."""
        rows = self._store.rows("SELECT stream, id, user FROM owner WHERE user NOT NULL")
        return {source_key(source_id, row["stream"], row["id"]): row["user"] for row in rows}

    def owner_count(self) -> int:
        """Return how many people of the source may own records."""
        return int(self._store.value("SELECT count(*) FROM owner"))

    def owner_rows(self) -> list[tuple[str, str, str | None, str]]:
        """Return (stream, id, user id or None, how it was found) of everybody at the source who may own records."""
        return self._store.tuples("SELECT stream, id, user, how FROM owner ORDER BY stream, id")

    # --- the schema decision ---

    def schema_decision(self) -> dict[str, bool]:
        """Return, per field, whether it was given a field of its own when that was first decided."""
        return {
            row["key"]: row["placed"] == "own" for row in self._store.rows("SELECT key, placed FROM schema_decision")
        }

    def keep_schema_decision(self, own: Mapping[str, bool]) -> None:
        """Keep which fields have one of their own, so that later runs decide alike."""
        rows = sorted((key, "own" if placed else "overflow") for key, placed in own.items())
        self._store.write(lambda db: db.executemany("INSERT OR IGNORE INTO schema_decision VALUES (?, ?)", rows))

    def keep_spec(
        self, sha256: str, text: str, variables: Mapping[str, Any], at: str, lineage: Mapping[str, Any]
    ) -> None:
        """Keep a rendered spec; the first time, the audit log says where each field of it comes from."""
        row = (sha256, text, dumps(dict(variables)), at)

        def job(db: sqlite3.Connection) -> None:
            if db.execute("SELECT 1 FROM spec WHERE sha256 = ?", (sha256,)).fetchone() is None:
                db.execute("INSERT INTO spec VALUES (?, ?, ?, ?)", row)
                append(db, at, {"outcome": "spec_rendered", "spec": sha256, "entries": dict(lineage)})

        self._store.write(job)


def _without(
    db: sqlite3.Connection,
    name: tuple[str, str, str],
    fields: Mapping[str, JSON],
    torn: Mapping[tuple[str, str, str], set[str]],
) -> dict[str, JSON]:
    """Return what was read back, with what was known before in the fields in which a conflict stands."""
    held = torn.get(name)
    if not held:
        return dict(fields)
    text = db.execute("SELECT after FROM link WHERE object = ? AND key = ? AND part = ?", name).fetchone()
    before: Mapping[str, JSON] = loads(text[0]) if text and text[0] else {}
    kept = {field: before[field] for field in held if field in before}
    return {**{field: value for field, value in fields.items() if field not in held}, **kept}


def _only(sampled: bool) -> str:
    """Return the condition that keeps the sample, and schema items, of the desired records `d`."""
    mine = "EXISTS (SELECT 1 FROM sampled p WHERE p.object = d.object AND p.key = d.key AND p.part = d.part)"
    return f"AND (d.key LIKE 'schema:%' OR {mine})" if sampled else ""


def read_desired(row: sqlite3.Row) -> DesiredRow:
    """Return a row of the table, without its contributions."""
    links = {name: read_link(link) for name, link in loads(row["links"]).items()}
    return DesiredRow(row["object"], row["key"], row["part"], row["entry"], loads(row["fields"]), links, row["verdict"])


def is_cleared(link: LinkRef) -> bool:
    """Tell whether a link was taken away: it pointed somewhere before, and points nowhere now."""
    return not link.key and not link.required and not link.fallback


def read_link(value: Sequence[Any]) -> LinkRef:
    """Return a link from the form the journal keeps."""
    return LinkRef(value[0], value[1], value[2], bool(value[3]), bool(value[4]))


def read_linked(row: sqlite3.Row) -> Link:
    """Return a row of the table of links."""
    after = loads(row["after"]) if row["after"] else None
    return Link(
        row["object"], row["key"], row["part"], row["destination_id"], loads(row["wanted"]), after, row["made_by"],
        row["seen"],
    )  # fmt: skip
