"""What a verification asks of the journal: specs, sums of the source's amounts, and what people answer for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from flitstack.journal.audit import append
from flitstack.journal.jsontext import dumps, loads
from flitstack.journal.operations import UNREAD

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Mapping, Sequence

    from flitstack.journal.store import Store
    from flitstack.protocols import JSON

Accepted: TypeAlias = tuple[tuple[str, str, str], "Mapping[str, JSON]"]
"""A record (object, key, part) and, comparable form, what was written in the fields that a person accepted."""


class Proving:
    """Reads what a verification rests on, and keeps what a person accepted of what it found."""

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

    def accept(self, rows: Sequence[Accepted], at: str, run: str) -> None:
        """Take fields for read back as they were written: for what is there instead, a person answers.

        The audit log names them.
        """

        def job(db: sqlite3.Connection) -> None:
            for name, image in rows:
                where = "WHERE object = ? AND key = ? AND part = ?"
                text = db.execute(f"SELECT after FROM link {where}", name).fetchone()[0]  # noqa: S608 - fixed text
                before: dict[str, Any] = loads(text) if text else {}
                left = [each for each in before.pop(UNREAD, ()) if each not in image]
                after = {**before, **image, **({UNREAD: left} if left else {})}
                db.execute(f"UPDATE link SET after = ?, seen = NULL {where}", (dumps(after), *name))  # noqa: S608 - fixed text
                event = {"run": run, "outcome": "accepted", "object": name[0], "key": name[1], "part": name[2]}
                append(db, at, {**event, "fields": sorted(image)})

        self._store.write(job)
