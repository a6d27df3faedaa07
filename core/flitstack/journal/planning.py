"""The plan where it needs no thought, in SQL: what is new is created as desired, what is as it was stays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from flitstack.journal.delta import STALE
from flitstack.journal.jsontext import dumps
from flitstack.journal.records import read_desired

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection, Iterator, Sequence

    from flitstack.journal.records import DesiredRow
    from flitstack.journal.store import Store

WINDOW = 20_000

_SAME = "{0}.object = {1}.object AND {0}.key = {1}.key AND {0}.part = {1}.part"
_TARGET = (
    "{0}.object = json_extract(j.value, '$[0]') AND {0}.key = json_extract(j.value, '$[1]') "
    "AND {0}.part = json_extract(j.value, '$[2]')"
)

# A link that is written as it is: to a user who is known or replaced; to what is there; or to what this plan, or one
# that is being carried out, makes before.
_PLAIN_LINK = f"""
    (json_extract(j.value, '$[0]') = :user
        AND (json_extract(j.value, '$[4]') = 1
            OR json_extract(j.value, '$[1]') IN (SELECT value FROM json_each(:users))))
    OR (json_extract(j.value, '$[0]') <> :user AND (
        EXISTS (SELECT 1 FROM link t WHERE {_TARGET.format("t")})
        OR (json_extract(j.value, '$[0]') IN (SELECT value FROM json_each(:earlier))
            AND EXISTS (SELECT 1 FROM desired t WHERE {_TARGET.format("t")} AND t.verdict IS NULL)
            AND NOT EXISTS (SELECT 1 FROM operation t WHERE {_TARGET.format("t")} AND t.state = 'rejected'))))
"""  # noqa: S608 - fixed text

# A plan of the sample alone leaves everything else for later.
_SAMPLED = f"""(:sampled = 0 OR EXISTS (SELECT 1 FROM sampled p WHERE {_SAME.format("p", "d")}))"""  # noqa: S608 - fixed text

_CREATE = f"""
INSERT INTO operation (run, entry, verb, object, key, part, fields, links, state, level, spec)
SELECT :run, d.entry, 'create', d.object, d.key, d.part, d.fields, d.links, 'planned', :level, :spec
FROM desired d
WHERE d.object = :object AND d.pos > :after AND d.pos <= :last AND d.verdict IS NULL
    AND NOT EXISTS (SELECT 1 FROM link l WHERE {_SAME.format("l", "d")})
    AND {_SAMPLED}
    AND NOT EXISTS (SELECT 1 FROM operation o WHERE {_SAME.format("o", "d")} AND o.state <> 'superseded')
    AND (d.links = '{{}}' OR NOT EXISTS (SELECT 1 FROM json_each(d.links) j WHERE NOT ({_PLAIN_LINK})))
ORDER BY d.pos
"""  # noqa: S608 - fixed text

# `wanted` is canonical text, so what begins like this holds exactly these fields and links.
_AS_IT_WAS = """'{"fields":' || d.fields || ',"links":' || d.links"""
# What the export at hand no longer has keeps what was written: what was staged of it since, nobody may have approved.
_REST = f"""
SELECT d.* FROM desired d LEFT JOIN link l ON {_SAME.format("l", "d")}
WHERE d.object = :object AND d.pos > :after AND d.pos <= :last AND d.verdict IS NULL
    AND {_SAMPLED}
    AND NOT EXISTS (SELECT 1 FROM operation o WHERE {_SAME.format("o", "d")} AND o.state = 'planned')
    AND NOT (l.key NOT NULL AND {STALE})
    AND NOT (l.key NOT NULL
        AND substr(l.wanted, 1, length(d.fields) + length(d.links) + 19) = {_AS_IT_WAS}
        AND substr(l.wanted, length(d.fields) + length(d.links) + 20, 1) IN ('}}', ',')
        AND NOT EXISTS (SELECT 1 FROM operation o WHERE {_SAME.format("o", "d")} AND o.state = 'rejected'))
ORDER BY d.pos
"""  # noqa: S608 - fixed text

_WITHIN = f"""
SELECT d.* FROM desired d
WHERE d.object = :object AND d.verdict IS NULL AND instr(d.links, :mark) > 0
    AND EXISTS (SELECT 1 FROM json_each(d.links) j WHERE json_extract(j.value, '$[0]') = d.object
        AND NOT EXISTS (SELECT 1 FROM link t WHERE {_TARGET.format("t")}))
ORDER BY d.pos
"""  # noqa: S608 - fixed text


@dataclass(frozen=True, slots=True)
class Frame:
    """What the plan of one object is made in.

    :param level: of its creations.
    :param user: the object of users; `users`: keys of those who are matched.
    :param earlier: objects that are made before this one.
    :param sampled: plan only what is in the sample.
    """

    run: str
    spec: str
    object: str
    level: int
    user: str
    users: Collection[str]
    earlier: Sequence[str]
    sampled: bool = False


class Planning:
    """Plans what follows from the tables alone, and tells what is left to be thought about."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def create_new(self, frame: Frame) -> Iterator[tuple[int, Iterator[DesiredRow]]]:
        """Plan the creation of each desired record that is new and whose links are all plain, a window at a time.

        Yield how many were planned, and the records of the window for which that was not all: neither planned now,
        nor in the destination just as desired.
        """
        fixed = {
            "run": frame.run, "spec": frame.spec, "object": frame.object, "level": frame.level, "user": frame.user,
            "users": dumps(sorted(frame.users)), "earlier": dumps(list(frame.earlier)), "sampled": int(frame.sampled),
        }  # fmt: skip
        after = 0
        while True:
            count, last = self._window(frame.object, after)
            if last is None:
                return
            window = {**fixed, "after": after, "last": last}
            made = self._store.write(lambda db, window=window: _changed(db, window))  # type: ignore[misc]
            yield made, self._rest(window) if made < count else iter(())
            after = last

    def within(self, object_: str) -> Iterator[DesiredRow]:
        """Yield records that point to records of the same object which are not there yet."""
        for row in self._store.rows(_WITHIN, {"object": object_, "mark": f'["{object_}",'}):  # type: ignore[arg-type]
            yield read_desired(row)

    def _window(self, object_: str, after: int) -> tuple[int, int | None]:
        sql = (
            "SELECT sum(verdict IS NULL) AS n, max(pos) AS last FROM (SELECT pos, verdict FROM desired "
            "WHERE object = ? AND pos > ? ORDER BY pos LIMIT ?)"
        )
        row = self._store.row(sql, (object_, after, WINDOW))
        return (row["n"], row["last"]) if row else (0, None)

    def _rest(self, window: dict[str, object]) -> Iterator[DesiredRow]:
        asked = {name: window[name] for name in ("object", "after", "last", "sampled")}
        for row in self._store.rows(_REST, asked):  # type: ignore[arg-type]
            yield read_desired(row)


def _changed(db: sqlite3.Connection, window: dict[str, object]) -> int:
    return db.execute(_CREATE, window).rowcount
