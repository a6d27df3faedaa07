"""Buckets: where every source record that was read is now, so that the buckets add up to what was read."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flitstack.journal.store import Store

BUCKETS = (
    "in_doubt", "rejected", "conflict", "blocked", "pending", "created", "updated", "unchanged", "folded", "skipped",
)  # fmt: skip

# The worst bucket of a record wins: its place in BUCKETS is its rank, the smallest first.
RANKED = """
WITH made AS (
    SELECT n.stream, n.id, n.role, d.verdict, l.destination_id, m.sent_run AS made_in, c.sent_run AS changed_in,
        (SELECT o.state FROM operation o WHERE o.object = n.object AND o.key = n.key AND o.part = n.part
         AND o.state <> 'superseded' ORDER BY CASE o.state WHEN 'in_doubt' THEN 0 WHEN 'intended' THEN 0
         WHEN 'rejected' THEN 1 WHEN 'conflict' THEN 2 WHEN 'blocked' THEN 3 WHEN 'planned' THEN 4 ELSE 5 END
         LIMIT 1) AS state,
        EXISTS (SELECT 1 FROM conflict k WHERE k.object = n.object AND k.key = n.key AND k.part = n.part
         AND k.about = 'delta' AND k.state = 'open') AS torn
    FROM contribution n
    JOIN desired d ON d.object = n.object AND d.key = n.key AND d.part = n.part
    LEFT JOIN link l ON l.object = n.object AND l.key = n.key AND l.part = n.part
    LEFT JOIN operation m ON m.id = l.made_by
    LEFT JOIN operation c ON c.id = l.changed_by
),
ranked AS (
    SELECT stream, id, CASE
        WHEN verdict LIKE 'rejected:%' THEN 1 WHEN verdict LIKE 'blocked:%' THEN 3 WHEN verdict LIKE 'skipped:%' THEN 9
        WHEN state IN ('in_doubt', 'intended') THEN 0 WHEN state = 'rejected' THEN 1
        WHEN state = 'conflict' OR torn THEN 2
        WHEN state = 'blocked' THEN 3 WHEN state = 'planned' OR destination_id IS NULL THEN 4
        WHEN role = 'folded' THEN 8 WHEN made_in = :run THEN 5 WHEN changed_in = :run THEN 6 ELSE 7 END AS rank
    FROM made
    UNION ALL SELECT stream, id, 1 FROM rejection
    UNION ALL SELECT stream, id, CASE bucket WHEN 'blocked' THEN 3 ELSE 9 END FROM left_out
    UNION ALL SELECT stream, id, 8 FROM used
    UNION ALL SELECT stream, id, CASE WHEN user IS NULL THEN 9 ELSE 8 END FROM owner
),
worst AS (SELECT stream, id, min(rank) AS rank FROM ranked GROUP BY stream, id)
SELECT s.stream, s.id, coalesce(w.rank, 9) AS rank
FROM staged s LEFT JOIN worst w ON w.stream = s.stream AND w.id = s.id
"""

REJECTED = """
SELECT stream, id, code, reason, hint, field FROM rejection
UNION
SELECT c.stream, c.id, o.code, o.message, 'See the documentation of rejections for this code.', NULL
FROM operation o JOIN contribution c ON c.object = o.object AND c.key = o.key AND c.part = o.part
WHERE o.state = 'rejected' AND c.role <> 'folded'
"""

COLUMN = "CASE WHEN field IS NULL THEN '' ELSE 'Column \"' || field || '\": ' END"
KINDS = (
    f"SELECT stream, code, {COLUMN} || min(reason) AS reason, min(hint) AS hint, count(*) AS n, min(id) AS example "  # noqa: S608 - fixed text
    f"FROM ({REJECTED}) GROUP BY stream, code, field ORDER BY n DESC, stream, code, field"
)

RULES = (
    "SELECT stream, rule, count(*) AS n FROM (SELECT r.stream, r.id, coalesce(min(l.rule), 'unclaimed') AS rule "  # noqa: S608 - fixed text
    f"FROM ({RANKED}) r LEFT JOIN left_out l ON l.stream = r.stream AND l.id = r.id AND l.bucket = 'skipped' "
    "WHERE r.rank = 9 GROUP BY r.stream, r.id) GROUP BY stream, rule ORDER BY stream, n DESC, rule"
)


class Buckets:
    """Counts source records by bucket."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def streams(self, run: str) -> dict[str, dict[str, int]]:
        """Return, per stream, `read` and every bucket; the buckets add up to `read`."""
        counted: dict[str, dict[str, int]] = {}
        sql = f"SELECT stream, rank, count(*) AS n FROM ({RANKED}) GROUP BY stream, rank ORDER BY stream"  # noqa: S608 - fixed text
        for row in self._store.rows(sql, {"run": run}):  # type: ignore[arg-type]
            buckets = counted.setdefault(row["stream"], {"read": 0, **dict.fromkeys(BUCKETS, 0)})
            buckets[BUCKETS[row["rank"]]] += row["n"]
            buckets["read"] += row["n"]
        return counted

    def of(self, run: str, stream: str) -> Iterator[tuple[str, str]]:
        """Yield (id, bucket) of a stream's records."""
        for row in self._store.rows(f"SELECT * FROM ({RANKED}) WHERE stream = :stream", {"run": run, "stream": stream}):  # type: ignore[arg-type]  # noqa: S608 - fixed text
            yield row["id"], BUCKETS[row["rank"]]

    def rejections(self) -> list[tuple[str, str, str, str, int, str]]:
        """Return (stream, code, reason, hint, count, one source id), most frequent first."""
        return [(r["stream"], r["code"], r["reason"], r["hint"], r["n"], r["example"]) for r in self._store.rows(KINDS)]

    def refused(self) -> int:
        """Return how many source records the destination refused: nobody could foresee them."""
        return int(self._store.value("SELECT count(*) FROM operation WHERE state = 'rejected'"))

    def skips(self, run: str) -> list[tuple[str, str, int]]:
        """Return (stream, rule, count) of the records whose bucket is skipped, each under one rule."""
        return [(r["stream"], r["rule"], r["n"]) for r in self._store.rows(RULES, {"run": run})]  # type: ignore[arg-type]

    def rejected_rows(self) -> Iterator[tuple[str, str, str, str, str, str | None, str, int]]:
        """Yield (stream, id, code, reason, hint, field, file, line)."""
        sql = (
            f"SELECT r.*, coalesce(s.file, '') AS file, coalesce(s.line, 0) AS line FROM ({REJECTED}) r "  # noqa: S608 - fixed text
            "LEFT JOIN staged s ON s.stream = r.stream AND s.id = r.id ORDER BY r.stream, file, line, r.id"
        )
        for r in self._store.rows(sql):
            yield r["stream"], r["id"], r["code"], r["reason"], r["hint"], r["field"], r["file"], r["line"]
