"""The journal: the SQLite file that is the migration, and the only room that knows SQL."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flitstack.errors import ConfigurationError
from flitstack.journal.approvals import Approvals, RowChanges, Shown
from flitstack.journal.audit import START, AuditLog, Head, next_hash
from flitstack.journal.buckets import BUCKETS, Buckets
from flitstack.journal.conflicts import ABOUT, About, Conflict, Conflicts, Merge
from flitstack.journal.corrections import Corrections, KeptCorrection, RejectedRecord
from flitstack.journal.decisions import Adoption, Decisions
from flitstack.journal.delta import Changed, Delta
from flitstack.journal.history import VERIFIED, WAITING, Amount, Approved, Day, History, ObjectRow, OpenGate, RunRow
from flitstack.journal.jsontext import dumps
from flitstack.journal.leaving import Leaving
from flitstack.journal.lives import Lives, Place, Sent, StagedRow
from flitstack.journal.looking import Looking
from flitstack.journal.mapped import Mapped, link_json
from flitstack.journal.operations import BESIDE, UNREAD, OperationRow, Operations, Planned, Settlement
from flitstack.journal.planning import Frame, Planning
from flitstack.journal.proving import Proving
from flitstack.journal.purging import PURGED, Purging, compact
from flitstack.journal.rebuilding import LOOK_ALIKE, Held, Rebuilding
from flitstack.journal.records import DesiredRow, Link, Records, is_cleared, read_link
from flitstack.journal.runs import Approval, Runs
from flitstack.journal.sampling import Root, Sampling
from flitstack.journal.spending import Spending
from flitstack.journal.staging import Snapshot, Staged, Staging
from flitstack.journal.store import Store
from flitstack.journal.throwaways import Throwaway, Throwaways
from flitstack.journal.undo import Ours, Undo, Written

if TYPE_CHECKING:
    from pathlib import Path

__all__ = [
    "ABOUT",
    "BESIDE",
    "BUCKETS",
    "LOOK_ALIKE",
    "PURGED",
    "START",
    "UNREAD",
    "VERIFIED",
    "WAITING",
    "About",
    "Adoption",
    "Amount",
    "Approval",
    "Approvals",
    "Approved",
    "AuditLog",
    "Buckets",
    "Changed",
    "Conflict",
    "Conflicts",
    "Corrections",
    "Day",
    "Decisions",
    "Delta",
    "DesiredRow",
    "Frame",
    "Head",
    "Held",
    "History",
    "Journal",
    "KeptCorrection",
    "Leaving",
    "Link",
    "Lives",
    "Looking",
    "Mapped",
    "Merge",
    "ObjectRow",
    "OpenGate",
    "OperationRow",
    "Operations",
    "Ours",
    "Place",
    "Planned",
    "Planning",
    "Proving",
    "Purging",
    "Rebuilding",
    "Records",
    "RejectedRecord",
    "Root",
    "RowChanges",
    "RunRow",
    "Runs",
    "Sampling",
    "Sent",
    "Settlement",
    "Shown",
    "Snapshot",
    "Spending",
    "Staged",
    "StagedRow",
    "Staging",
    "Throwaway",
    "Throwaways",
    "Undo",
    "Written",
    "compact",
    "dumps",
    "is_cleared",
    "link_json",
    "next_hash",
    "read_link",
]


class Journal:
    """An open journal and its parts.

    :param lease: hold the one writing run's lock until closed.
    :raises JournalError: it cannot be written, or another run holds it.
    """

    def __init__(self, path: Path, *, lease: bool = False) -> None:
        self.path = path
        self._store = Store(path, lease=lease)
        self.staging = Staging(self._store)
        self.looking = Looking(self._store)
        self.records = Records(self._store)
        self.operations = Operations(self._store)
        self.planning = Planning(self._store)
        self.proving = Proving(self._store)
        self.buckets = Buckets(self._store)
        self.runs = Runs(self._store)
        self.approvals = Approvals(self._store)
        self.throwaways = Throwaways(self._store)
        self.rebuilding = Rebuilding(self._store)
        self.sampling = Sampling(self._store)
        self.decisions = Decisions(self._store)
        self.audit = AuditLog(self._store)
        self.history = History(self._store)
        self.lives = Lives(self._store)
        self.corrections = Corrections(self._store)
        self.purging = Purging(self._store)
        self.conflicts = Conflicts(self._store)
        self.delta = Delta(self._store)
        self.leaving = Leaving(self._store)
        self.undo = Undo(self._store)

    @classmethod
    def existing(cls, path: Path) -> Journal:
        """Open a journal that must be there.

        :raises ConfigurationError: there is no such file.
        """
        if not path.exists():
            raise ConfigurationError(f"{path}: no journal here. Name it with --journal, or run `flit run` first.")
        if path.stat().st_size == 0:
            raise ConfigurationError(f"{path}: this file is empty, and no journal. Name another with --journal.")
        return cls(path)

    def read_apart(self) -> None:
        """In a forked child, first of all: read over a connection of its own, and write never."""
        self._store.read_apart()

    def close(self) -> None:
        """Finish what is queued and let the file go."""
        self._store.close()

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
