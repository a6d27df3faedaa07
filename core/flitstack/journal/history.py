"""History: runs, days, gates and counts, for those who look back at a migration or look in on one; it only reads."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flitstack.journal.jsontext import loads
from flitstack.journal.staging import safe_name
from flitstack.journal.store import LEASE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flitstack.journal.store import Store

VERIFIED = "verified"
"""Name under which what reading back came to last is remembered."""
WAITING = "waiting"
"""Name under which a run remembers until when it waits for the budget."""
RECENT = 500

_LAST_RUN = "SELECT run FROM shown ORDER BY at DESC, rowid DESC LIMIT 1"
_OBJECTS = """
SELECT object, sum(wanted), sum(held), sum(adopted), sum(read_back) FROM (
    SELECT object, verdict IS NULL AS wanted, 0 AS held, 0 AS adopted, 0 AS read_back FROM desired
    WHERE key NOT LIKE 'schema:%'
    UNION ALL
    SELECT object, 0, 1, made_by IS NULL, after NOT NULL FROM link WHERE key NOT LIKE 'schema:%'
) GROUP BY object ORDER BY object
"""
_AMOUNTS = """
SELECT c.object, c.key, c.part, l.destination_id, {held} AS held, l.after IS NULL AS unread, {amount} AS amount,
    {newest} AS newest, s.id
FROM staged s LEFT JOIN contribution c ON c.stream = s.stream AND c.id = s.id
    AND EXISTS (SELECT 1 FROM desired d WHERE d.object = c.object AND d.key = c.key AND d.part = c.part
        AND d.entry = :entry)
LEFT JOIN link l ON l.object = c.object AND l.key = c.key AND l.part = c.part
WHERE s.stream = :stream AND s.state = 'ok' ORDER BY s.pos
"""


@dataclass(frozen=True, slots=True)
class RunRow:
    """One invocation.

    :param status: `running` until it ended; a status of its report, or the kind of error that stopped it.
    :param tokens: spent; until its end, as of its last commit, what was just leaving included.
    :param predicted, minimum: None when it never came to plan anything.
    """

    id: str
    started_at: str
    finished_at: str | None
    status: str
    version: str
    requests: int
    tokens: int
    predicted: int | None
    minimum: int | None


@dataclass(frozen=True, slots=True)
class Day:
    """What was written on one day, UTC, and what that spent.

    :param exact: False where a run went on over midnight: its tokens are then shared out by its writes.
    """

    day: str
    writes: int
    tokens: int
    exact: bool = True


@dataclass(frozen=True, slots=True)
class ObjectRow:
    """How many records of an object are wanted, are in the destination, were there before, and were read back."""

    object: str
    wanted: int
    held: int
    adopted: int
    read_back: int


@dataclass(frozen=True, slots=True)
class Amount:
    """One row of the source that states an amount, and the record of the destination that it went into.

    :param name: object, key and part; None when it went into none. :param destination_id: None while it is not there.
    :param held: what the record's field holds as read back, comparable form; None also when it holds nothing.
    :param unread: it was not read back yet.
    """

    id: str
    amount: Any
    newest: str
    name: tuple[str, str, str] | None
    destination_id: str | None
    held: Any
    unread: bool


@dataclass(frozen=True, slots=True)
class OpenGate:
    """A gate that the last run showed and nobody approved since; `attest` is what approving it attests."""

    gate: str
    hash: str
    attest: str
    at: str


@dataclass(frozen=True, slots=True)
class Approved:
    """An approval as the audit log has it; `line` is its line there, `stands` False once it was withdrawn."""

    line: int
    at: str
    gate: str
    hash: str
    by: str
    how: str
    attestation: str
    note: str
    stands: bool


class History:
    """Looks back."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def runs(self) -> list[RunRow]:
        """Return all runs, the first one first."""
        sql = (
            "SELECT id, started_at, finished_at, status, version, requests, tokens, tokens_predicted, minimum FROM run "
            "ORDER BY started_at, rowid"
        )
        return [RunRow(*row) for row in self._store.tuples(sql)]

    def is_writing(self) -> bool:
        """Tell whether some process holds the lease of the one writing run."""
        path = self._store.path.resolve()
        lease = path.with_name(path.name + LEASE)
        if not lease.exists():
            return False
        try:
            with closing(sqlite3.connect(f"{lease.as_uri()}?mode=ro", uri=True, timeout=0)) as connection:
                connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        except sqlite3.OperationalError as exc:
            return "locked" in str(exc)
        return False

    def days(self) -> list[Day]:
        """Return what was written and spent per day, the first one first."""
        sql = (
            "SELECT sent_run, substr(settled_at, 1, 10), count(*) FROM operation WHERE sent_run NOT NULL "
            "AND settled_at NOT NULL AND state = 'done' GROUP BY 1, 2 ORDER BY 2"
        )
        written: dict[str, dict[str, int]] = {}
        for run, day, count in self._store.tuples(sql):
            written.setdefault(run, {})[day] = count
        days: dict[str, tuple[int, float, bool]] = {}
        for run in self.runs():
            shares = written.get(run.id) or {run.started_at[:10]: 0}
            whole = sum(shares.values())
            for day, count in shares.items():
                before = days.get(day, (0, 0.0, True))
                tokens = run.tokens * (count / whole if whole else 1)
                days[day] = (before[0] + count, before[1] + tokens, before[2] and len(shares) == 1)
        return [Day(day, n, round(tokens), exact) for day, (n, tokens, exact) in sorted(days.items())]

    def open_gates(self) -> list[OpenGate]:
        """Return the gates that the last run to show any has shown, and that nobody approved, in their order."""
        sql = (
            "SELECT s.gate, s.hash, s.attest, s.at FROM shown s LEFT JOIN approval a ON a.gate = s.gate "  # noqa: S608 - fixed text
            f"AND a.hash = s.hash WHERE s.run = ({_LAST_RUN}) AND a.gate IS NULL ORDER BY s.rowid"
        )
        return [OpenGate(*row) for row in self._store.tuples(sql)]

    def last_basis(self, gate: str) -> dict[str, Any]:
        """Return what the last text shown at a gate rests on; {} when none was."""
        text = self._store.value("SELECT basis FROM shown WHERE gate = ? ORDER BY at DESC, rowid DESC LIMIT 1", (gate,))
        return dict(loads(text)) if text else {}

    def objects(self) -> list[ObjectRow]:
        """Return the counts of every object but schema items."""
        return [ObjectRow(*row) for row in self._store.tuples(_OBJECTS)]

    def schema_items(self) -> dict[str, int]:
        """Return how many fields, stages and types were created, per object."""
        sql = (
            "SELECT object, count(*) FROM link WHERE key LIKE 'schema:%' AND made_by NOT NULL GROUP BY object "
            "ORDER BY object"
        )
        return dict(self._store.tuples(sql))

    def done_by(self, run: str) -> int:
        """Return how many writes a run has carried out."""
        return int(self._store.value("SELECT count(*) FROM operation WHERE sent_run = ? AND state = 'done'", (run,)))

    def recent(self, run: str) -> tuple[int, str, str]:
        """Return of the last writes of a run how many these are, and when the first and the last of them ended."""
        sql = (
            "SELECT count(*), min(settled_at), max(settled_at) FROM (SELECT settled_at FROM operation "
            "WHERE sent_run = ? AND state = 'done' ORDER BY settled_at DESC LIMIT ?)"
        )
        ((count, first, last),) = self._store.tuples(sql, (run, RECENT))
        return count, first or "", last or ""

    def sampled(self) -> int:
        """Return how many records the sample holds that was taken last."""
        return int(self._store.value("SELECT count(*) FROM sampled"))

    def undone(self) -> dict[str, dict[str, int]]:
        """Return, per object, how many writes took something back, by state."""
        sql = (
            "SELECT object, state, count(*) FROM operation WHERE inverse_of NOT NULL AND state <> 'superseded' "
            "GROUP BY object, state ORDER BY object, state"
        )
        found: dict[str, dict[str, int]] = {}
        for object_, state, count in self._store.tuples(sql):
            found.setdefault(object_, {})[state] = count
        return found

    def refused(self) -> list[tuple[str, str, int]]:
        """Return (object, code, count) of the writes that ended in a conflict."""
        sql = (
            "SELECT object, coalesce(code, ''), count(*) FROM operation WHERE state = 'conflict' GROUP BY 1, 2 "
            "ORDER BY 1, 2"
        )
        return self._store.tuples(sql)

    def undo_under_way(self) -> bool:
        """Tell whether something that is to be taken back is not yet."""
        sql = (
            "SELECT 1 FROM operation WHERE inverse_of NOT NULL AND state IN ('planned', 'blocked', 'intended', "
            "'in_doubt')"
        )
        return self._store.row(sql) is not None

    def rejected(self) -> int:
        """Return how many source records cannot move, or were refused by the destination."""
        sql = (
            "SELECT count(*) FROM (SELECT stream, id FROM rejection UNION SELECT c.stream, c.id FROM operation o "
            "JOIN contribution c ON c.object = o.object AND c.key = o.key AND c.part = o.part "
            "WHERE o.state = 'rejected' AND c.role <> 'folded')"
        )
        return int(self._store.value(sql))

    def approved(self) -> list[Approved]:
        """Return every approval that was ever given, from the audit log, the first one first."""
        sql = 'SELECT seq, at, event FROM audit WHERE instr(event, \'"outcome":"approved"\') > 0 ORDER BY seq'
        standing = set(self._store.tuples("SELECT gate, hash, at FROM approval"))
        told = [(seq, at, loads(event)) for seq, at, event in self._store.tuples(sql)]
        return [
            Approved(seq, at, e["gate"], e["hash"], e["by"], e["how"], e.get("attestation", ""), e.get("note", ""),
                     (e["gate"], e["hash"], at) in standing)
            for seq, at, e in told
            if e.get("outcome") == "approved"
        ]  # fmt: skip

    def filled(self, entry: str, fields: Sequence[str]) -> tuple[int, dict[str, int]]:
        """Return how many records of an entry the destination holds, and in how many each field has a value."""
        sums = "".join(f", sum(json_extract(d.fields, ?{n + 2}) NOT NULL)" for n in range(len(fields)))
        sql = (
            f"SELECT count(*){sums} FROM desired d JOIN link l ON l.object = d.object AND l.key = d.key "  # noqa: S608 - marks alone
            "AND l.part = d.part WHERE d.entry = ?1 AND d.verdict IS NULL"
        )
        ((count, *filled),) = self._store.tuples(sql, (entry, *map(_path, fields)))
        return count, {field: n or 0 for field, n in zip(fields, filled, strict=True)}

    def amounts(self, stream: str, amount: str, newest: str, entry: str, field: str) -> list[Amount]:
        """Return every row of a stream that states an amount, with the record of an entry that it went into."""
        sql = _AMOUNTS.format(
            held="json_quote(json_extract(l.after, :field))",
            amount=f"json_extract(s.data, '$.{safe_name(amount)}')",
            newest=f"json_extract(s.data, '$.{safe_name(newest)}')" if newest else "''",
        )
        named = {"entry": entry, "stream": stream, "field": _path(field)}
        return [
            Amount(
                r["id"], r["amount"], str(r["newest"] or ""), (r["object"], r["key"], r["part"]) if r["key"] else None,
                r["destination_id"], loads(r["held"]), bool(r["unread"]),
            )
            for r in self._store.rows(sql, named)  # type: ignore[arg-type]
            if r["amount"] is not None
        ]  # fmt: skip


def _path(field: str) -> str:
    """Return the place of a field in JSON text, whatever its name."""
    quoted = field.replace('"', '\\"')
    return f'$."{quoted}"'
