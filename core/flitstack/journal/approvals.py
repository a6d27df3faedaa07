"""What approvals rest on: what was shown, whose word was last given for it, and the rows of the export at that time."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flitstack.journal.runs import Approval, read_approval

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flitstack.journal.store import Store

# A row as an approval knows it: its state, whether the last export that holds its stream has it, and its content.
_MARK = "s.state || CASE WHEN s.snapshot < p.snapshot THEN '-' ELSE '+' END || substr(s.hash, 1, 16)"
# Rows without an id of their own are known by their line, which moves with any row above it: they say nothing.
_NOW = (
    f"SELECT s.stream, s.id, {_MARK} AS mark FROM staged s JOIN snapshot_stream p ON p.stream = s.stream "  # noqa: S608 - fixed text
    "WHERE s.id NOT LIKE '@%'"
)
_CHANGES = f"""
SELECT stream, sum(was IS NULL AND is_there), sum(was_there AND is_there AND was <> mark),
    sum(was_there AND NOT is_there), sum(was IS NOT NULL AND NOT was_there AND is_there)
FROM (
    SELECT n.stream, n.mark, a.mark AS was, instr(n.mark, '+') > 0 AS is_there,
        ifnull(instr(a.mark, '+') > 0, 0) AS was_there
    FROM ({_NOW}) n LEFT JOIN approved_row a ON a.stream = n.stream AND a.id = n.id
    UNION ALL
    SELECT a.stream, '', a.mark, 0, instr(a.mark, '+') > 0 FROM approved_row a
    WHERE NOT EXISTS (SELECT 1 FROM staged s WHERE s.stream = a.stream AND s.id = a.id)
)
GROUP BY stream ORDER BY stream
"""  # noqa: S608 - fixed text


@dataclass(frozen=True, slots=True)
class Shown:
    """What one gate showed.

    :param basis: what the text rests on, part by part.
    :param attest: what whoever approves it must attest, in words; "" for nothing.
    """

    gate: str
    hash: str
    text: str
    basis: Mapping[str, Any]
    attest: str
    at: str


@dataclass(frozen=True, slots=True)
class RowChanges:
    """How the rows of one stream differ from those of the export that was approved."""

    stream: str
    new: int
    changed: int
    vanished: int
    returned: int = 0


class Approvals:
    """What gates showed, the last approval of each, and the rows that the last `full` one was given for."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def shown(self, gate: str, digest: str) -> Shown | None:
        """Return what was shown under a hash."""
        row = self._store.row("SELECT * FROM shown WHERE gate = ? AND hash = ?", (gate, digest))
        if row is None:
            return None
        return Shown(gate, digest, row["text"], json.loads(row["basis"]), row["attest"], row["at"])

    def last(self, gate: str) -> Approval | None:
        """Return the approval that was given last for a gate, whatever it showed."""
        row = self._store.row("SELECT * FROM approval WHERE gate = ? ORDER BY at DESC, rowid DESC", (gate,))
        return read_approval(row) if row else None

    def given(self) -> list[Approval]:
        """Return all approvals, the first one first."""
        return [read_approval(row) for row in self._store.rows("SELECT * FROM approval ORDER BY at, rowid")]

    def spec_text(self, sha256: str) -> str | None:
        """Return a rendered spec that an approval rests on."""
        value = self._store.value("SELECT text FROM spec WHERE sha256 = ?", (sha256,))
        return None if value is None else str(value)

    def last_spec(self) -> tuple[str, str] | None:
        """Return hash and text of the spec that was rendered last, None when there is none yet."""
        row = self._store.row("SELECT sha256, text FROM spec ORDER BY rendered_at DESC, rowid DESC")
        return (row["sha256"], row["text"]) if row else None

    def keep_rows(self) -> None:
        """Keep what is staged now, row by row, as what was approved last."""

        def job(db: Any) -> None:
            db.execute("DELETE FROM approved_row")
            db.execute(f"INSERT INTO approved_row {_NOW} ORDER BY s.stream, s.id")

        self._store.write(job)

    def row_changes(self) -> list[RowChanges]:
        """Return, per stream with any, the rows that are new, changed, vanished or back since the approval."""
        changes = [RowChanges(*(row[0], *(int(n or 0) for n in row[1:]))) for row in self._store.tuples(_CHANGES)]
        return [one for one in changes if one.new or one.changed or one.vanished or one.returned]

    def has_rows(self) -> bool:
        """Tell whether the rows of an approved export are kept."""
        return self._store.row("SELECT 1 FROM approved_row") is not None
