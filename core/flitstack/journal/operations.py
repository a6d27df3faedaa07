"""Operations: one intended write each, its intent committed before it is sent and its outcome after the answer."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from flitstack.journal.audit import append_all
from flitstack.journal.conflicts import apply_merge, end_conflicts, overwritten
from flitstack.journal.jsontext import dumps, loads
from flitstack.journal.mapped import link_json
from flitstack.journal.spending import note_spent

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping, Sequence
    from concurrent.futures import Future

    from flitstack.journal.conflicts import Merge
    from flitstack.journal.spending import Spending
    from flitstack.journal.store import Store
    from flitstack.protocols import JSON, LinkRef, Verb

UNREAD = "?"
"""Under this name a link's `after` lists the fields and links that were written since it was read back."""

BESIDE = "*"
"""Under this name a link's `after` keeps what the record held beside what was written, when it was first read back."""

OPEN = ("planned", "blocked", "intended", "in_doubt")


@dataclass(frozen=True, slots=True)
class Planned:
    """A write that the plan wants.

    :param entry: of the spec, which the audit log names.
    :param level: operations of a lower level must be settled first.
    :param before: for an update, what is known of the fields it changes, and of the links, as `@NAME`.
    :param inverse_of: of an undo, the operation that it takes back, the oldest of several.
    """

    verb: Verb
    entry: str
    object: str
    key: str
    part: str
    fields: Mapping[str, JSON]
    links: Mapping[str, LinkRef]
    level: int
    destination_id: str | None = None
    before: Mapping[str, JSON] | None = None
    inverse_of: int | None = None


@dataclass(frozen=True, slots=True)
class OperationRow:
    """An operation as the journal holds it; `links` as in LinkRef.as_json; `inverse_of` is an undo's."""

    id: int
    entry: str
    verb: Verb
    object: str
    key: str
    part: str
    fields: Mapping[str, JSON]
    links: Mapping[str, Sequence[Any]]
    state: str
    level: int
    destination_id: str | None
    intended_at: str | None
    settled_at: str | None
    code: str | None
    inverse_of: int | None = None


@dataclass(frozen=True, slots=True)
class Settlement:
    """What became of one operation.

    :param state: `done`, `rejected`, `in_doubt`, `conflict`, `superseded`; `blocked`, or `planned` when nothing was
        written.
    :param at: when that was known.
    :param facts: what the audit log says of it.
    :param users: field to user id, for links to users: who stood for whom when this was written.
    """

    operation: OperationRow
    state: str
    at: str
    facts: Mapping[str, Any]
    destination_id: str | None = None
    users: Mapping[str, str] = field(default_factory=dict)
    code: str = ""
    message: str = ""


class Operations:
    """The states of every operation."""

    def __init__(self, store: Store) -> None:
        self._store = store

    # --- planning ---

    def plan(self, run: str, spec: str, planned: Sequence[Planned]) -> None:
        """Add operations; one that the destination refused before is superseded by the new one."""

        def job(db: sqlite3.Connection) -> None:
            db.executemany(
                "UPDATE operation SET state = 'superseded' WHERE object = ? AND key = ? AND part = ? "
                "AND state IN ('rejected', 'conflict')",
                [(p.object, p.key, p.part) for p in planned],
            )
            db.executemany(
                "INSERT INTO operation (run, entry, verb, object, key, part, fields, links, state, level, "
                "destination_id, before, spec, inverse_of) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'planned', ?, ?, ?, ?, ?)",
                [
                    (run, p.entry, p.verb, p.object, p.key, p.part, dumps(dict(p.fields)),
                     dumps({name: link_json(link) for name, link in p.links.items()}), p.level, p.destination_id,
                     dumps(dict(p.before)) if p.before is not None else None, spec or None, p.inverse_of)
                    for p in planned
                ],
            )  # fmt: skip

        self._store.write(job)

    def supersede_unsent(self) -> None:
        """Withdraw what was never sent, and what was refused and is no longer wanted: a new plan follows."""

        def job(db: sqlite3.Connection) -> None:
            db.execute("UPDATE operation SET state = 'superseded' WHERE state IN ('planned', 'blocked')")
            db.execute(
                "UPDATE operation SET state = 'superseded' WHERE state = 'rejected' AND NOT EXISTS (SELECT 1 "
                "FROM desired d WHERE d.object = operation.object AND d.key = operation.key "
                "AND d.part = operation.part AND d.verdict IS NULL)"
            )
            db.execute(
                "UPDATE operation SET state = 'superseded' WHERE state = 'conflict' AND inverse_of IS NULL "
                "AND NOT EXISTS (SELECT 1 FROM conflict c WHERE c.object = operation.object AND c.key = operation.key "
                "AND c.part = operation.part AND c.state = 'open')"
            )

        self._store.write(job)

    def withdraw(self, operations: Sequence[int]) -> None:
        """Withdraw operations that the destination refused: what they asked for is no longer wanted."""
        sql = "UPDATE operation SET state = 'superseded' WHERE id = ? AND state = 'rejected'"
        self._store.write(lambda db: db.executemany(sql, [(number,) for number in operations]))

    def unblock(self) -> None:
        """Plan again what waited for a parent: something was settled since."""
        self._store.write(lambda db: db.execute("UPDATE operation SET state = 'planned' WHERE state = 'blocked'"))

    def last(self, object_: str, key: str, part: str) -> OperationRow | None:
        """Return the latest operation of a record that was not superseded."""
        sql = (
            "SELECT * FROM operation WHERE object = ? AND key = ? AND part = ? AND state <> 'superseded' "
            "ORDER BY id DESC"
        )
        row = self._store.row(sql, (object_, key, part))
        return read_operation(row) if row else None

    def levels(self) -> list[int]:
        """Return the levels that still hold something to send."""
        sql = "SELECT DISTINCT level FROM operation WHERE state = 'planned' ORDER BY level"
        return [row["level"] for row in self._store.rows(sql)]

    def ready(self, level: int, after: int, limit: int) -> list[OperationRow]:
        """Return planned operations of a level, from number `after` on."""
        sql = "SELECT * FROM operation WHERE state = 'planned' AND level = ? AND id > ? ORDER BY id LIMIT ?"
        return [read_operation(row) for row in self._store.rows(sql, (level, after, limit))]

    def count(self, *states: str) -> int:
        """Return how many operations are in one of these states."""
        marks = ", ".join("?" for _ in states)
        return int(self._store.value(f"SELECT count(*) FROM operation WHERE state IN ({marks})", states))  # noqa: S608 - marks are ?

    def counts(self) -> list[tuple[str, str, str, int]]:
        """Return (object, verb, state, count) of what was not superseded."""
        sql = (
            "SELECT object, verb, state, count(*) AS n FROM operation WHERE state <> 'superseded' "
            "GROUP BY object, verb, state"
        )
        return [(r["object"], r["verb"], r["state"], r["n"]) for r in self._store.rows(sql)]

    def run_counts(self, run: str) -> list[tuple[str, str, int]]:
        """Return (object, verb, count) of what this run carried out."""
        sql = (
            "SELECT object, verb, count(*) AS n FROM operation WHERE state = 'done' AND sent_run = ? "
            "GROUP BY object, verb"
        )
        return [(r["object"], r["verb"], r["n"]) for r in self._store.rows(sql, (run,))]

    def touched(self, run: str, object_: str) -> int:
        """Return how many records of an object this run created or changed and that are still there."""
        sql = (
            "SELECT count(*) FROM link l WHERE l.object = ? AND EXISTS (SELECT 1 FROM operation o "
            "WHERE o.id IN (l.made_by, l.changed_by) AND o.sent_run = ?)"
        )
        return int(self._store.value(sql, (object_, run)))

    def planned_deletes(self) -> int:
        """Return how many records are about to be deleted because the source has them no more."""
        sql = "SELECT count(*) FROM operation WHERE verb = 'delete' AND state = 'planned' AND inverse_of IS NULL"
        return int(self._store.value(sql))

    def ever_sent(self) -> bool:
        """Tell whether this journal has ever sent anything."""
        return self._store.row("SELECT 1 FROM operation WHERE intended_at NOT NULL") is not None

    # --- sending ---

    def intend(
        self, ids: Sequence[int], run: str, at: str, merges: Sequence[Merge] = (), spent: Spending | None = None
    ) -> Future[None]:
        """Commit that these operations are about to be sent; nothing may leave before the future resolves.

        :param merges: what looking at their records came to, of those that are not sent too.
        :param spent: what the run will have spent once these are sent.
        """

        def job(db: sqlite3.Connection) -> None:
            note_spent(db, spent)
            for merge in merges:
                apply_merge(db, merge)
            db.executemany(
                "UPDATE operation SET state = 'intended', intended_at = ?, sent_run = ? WHERE id = ?",
                [(at, run, number) for number in ids],
            )

        return self._store.submit(job)

    def settle(self, settlements: Sequence[Settlement], spent: Spending | None = None) -> Future[None]:
        """Commit what became of operations, together: states, links, and a line each in the audit log.

        `planned` and `blocked` (nothing was written) are not logged.

        :param spent: what the run has spent until now.
        """

        def job(db: sqlite3.Connection) -> None:
            note_spent(db, spent)
            db.executemany(
                "UPDATE operation SET state = ?, settled_at = ?, code = ?, message = ?, "
                "destination_id = coalesce(?, destination_id) WHERE id = ?",
                [
                    (s.state, s.at, s.code or None, s.message or None, s.destination_id, s.operation.id)
                    for s in settlements
                ],
            )
            for settled in settlements:
                if settled.state == "done":
                    done = settled.operation
                    _keep_link(db, done, settled.destination_id or "", settled.users)
                    names = (*done.fields, *(f"@{name}" for name in done.links))
                    overwritten(db, (done.object, done.key, done.part), names)
                    if done.verb == "delete":
                        end_conflicts(db, (done.object, done.key, done.part))
            append_all(db, [(s.at, _event(s)) for s in settlements if s.state not in ("planned", "blocked")])

        return self._store.submit(job)

    # --- after a stop ---

    def doubt_intended(self, at: str) -> int:
        """Put in doubt what was sent by a run that did not live to see the answer; return how many."""

        def job(db: sqlite3.Connection) -> int:
            found = db.execute("SELECT id, object, key, part FROM operation WHERE state = 'intended'").fetchall()
            events = (
                {"operation": row["id"], "object": row["object"], "key": row["key"], "outcome": "in_doubt",
                 "code": "stopped_before_answer"}
                for row in found
            )  # fmt: skip
            append_all(db, [(at, event) for event in events])
            # Nobody saw the last byte leave: counted from now, any wait is long enough.
            db.execute("UPDATE operation SET state = 'in_doubt', settled_at = ? WHERE state = 'intended'", (at,))
            return len(found)

        return self._store.write(job)

    def last_settled_at(self) -> str | None:
        """Return when a write was last known to be done."""
        value = self._store.value("SELECT max(settled_at) FROM operation WHERE state = 'done'")
        return None if value is None else str(value)

    def part_twins(self, object_: str) -> None:
        """Let documents of one name and size in one place follow each other level by level.

        What is known by its content alone can be told from its twin only while one of them at most is in doubt.
        """
        sql = (
            "UPDATE operation SET level = level + twin.place FROM (SELECT id, row_number() OVER (PARTITION BY links, "
            "json_extract(fields, '$.name'), json_extract(fields, '$.size') ORDER BY id) - 1 AS place FROM operation "
            "WHERE object = :object AND verb = 'create' AND state = 'planned') AS twin "
            "WHERE operation.id = twin.id AND twin.place > 0"
        )
        self._store.write(lambda db: db.execute(sql, {"object": object_}))

    def in_doubt(self) -> list[OperationRow]:
        """Return what was sent and is in doubt, oldest first; what was never sent because of a look-alike is not."""
        sql = "SELECT * FROM operation WHERE state = 'in_doubt' AND intended_at NOT NULL ORDER BY id"
        return [read_operation(row) for row in self._store.rows(sql)]

    def later_done(self, object_: str, operation: int) -> list[str]:
        """Return destination ids of the object's records whose creation began after this one was given up."""
        sql = (
            "SELECT destination_id FROM operation WHERE object = ? AND verb = 'create' AND state = 'done' "
            "AND intended_at > (SELECT settled_at FROM operation WHERE id = ?) LIMIT 100"
        )
        return [row["destination_id"] for row in self._store.rows(sql, (object_, operation))]


def _event(settled: Settlement) -> dict[str, Any]:
    event = {**settled.facts, "operation": settled.operation.id, "outcome": settled.state}
    if settled.state == "done":
        return {**event, "destination_id": settled.destination_id}
    return {**event, "code": settled.code}


def _keep_link(db: sqlite3.Connection, operation: OperationRow, destination_id: str, users: Mapping[str, str]) -> None:
    name = (operation.object, operation.key, operation.part)
    if operation.verb == "delete":
        db.execute("DELETE FROM link WHERE object = ? AND key = ? AND part = ?", name)
        return
    wanted: dict[str, Any] = {"fields": dict(operation.fields), "links": dict(operation.links)}
    if operation.verb == "create":
        if users:
            wanted["users"] = dict(users)
        db.execute(
            "INSERT OR REPLACE INTO link (object, key, part, destination_id, wanted, made_by, changed_by) "
            "VALUES (?, ?, ?, ?, ?, ?, ?)",
            (*name, destination_id, dumps(wanted), operation.id, operation.id),
        )
        return
    row = db.execute("SELECT wanted, after FROM link WHERE object = ? AND key = ? AND part = ?", name).fetchone()
    before = loads(row[0]) if row else {"fields": {}, "links": {}}
    after = _still_known(row[1], operation) if row and row[1] else None
    merged = {**before, **{kind: {**before[kind], **wanted[kind]} for kind in ("fields", "links")}}
    _take_out_options(merged["fields"])
    if before.get("theirs"):  # what somebody else wrote there is ours again
        written = {*operation.fields, *(f"@{name}" for name in operation.links)}
        merged["theirs"] = [name for name in before["theirs"] if name not in written]
    if users or before.get("users"):
        merged["users"] = {**before.get("users", {}), **users}
    db.execute(
        "UPDATE link SET wanted = ?, after = ?, changed_by = ? WHERE object = ? AND key = ? AND part = ?",
        (dumps(merged), after, operation.id, *name),
    )


def _take_out_options(fields: dict[str, Any]) -> None:
    """Let options that an undo took out of a field of the account count as written no more: a later plan adds them."""
    gone = fields.pop("remove_options", None)
    if gone and fields.get("options"):
        fields["options"] = [option for option in fields["options"] if option not in gone]


def _still_known(after: str, operation: OperationRow) -> str:
    """Return what was read back before an update, without what it wrote: that is named, and not known until read."""
    known: dict[str, Any] = loads(after)
    written = {*operation.fields, *(f"@{name}" for name in operation.links), *known.pop(UNREAD, ())}
    return dumps({**{name: value for name, value in known.items() if name not in written}, UNREAD: sorted(written)})


def read_operation(row: sqlite3.Row) -> OperationRow:
    return OperationRow(
        row["id"], row["entry"], row["verb"], row["object"], row["key"], row["part"], loads(row["fields"]),
        loads(row["links"]), row["state"], row["level"], row["destination_id"], row["intended_at"],
        row["settled_at"], row["code"], row["inverse_of"],
    )  # fmt: skip
