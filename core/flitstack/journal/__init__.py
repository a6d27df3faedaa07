"""The journal: the SQLite file that is the migration, and the only room that knows SQL."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flitstack.errors import ConfigurationError
from flitstack.journal.approvals import Approvals, RowChanges, Shown
from flitstack.journal.audit import AuditLog, Head
from flitstack.journal.buckets import BUCKETS, Buckets
from flitstack.journal.decisions import Adoption, Decisions
from flitstack.journal.jsontext import dumps
from flitstack.journal.looking import Looking
from flitstack.journal.mapped import Mapped, link_json
from flitstack.journal.operations import UNREAD, OperationRow, Operations, Planned, Settlement
from flitstack.journal.planning import Frame, Planning
from flitstack.journal.rebuilding import LOOK_ALIKE, Held, Rebuilding
from flitstack.journal.records import DesiredRow, Link, Records, is_cleared, read_link
from flitstack.journal.runs import Approval, Runs
from flitstack.journal.sampling import Root, Sampling
from flitstack.journal.staging import Snapshot, Staged, Staging
from flitstack.journal.store import Store
from flitstack.journal.throwaways import Throwaway, Throwaways

if TYPE_CHECKING:
    from pathlib import Path

__all__ = [
    "BUCKETS",
    "LOOK_ALIKE",
    "UNREAD",
    "Adoption",
    "Approval",
    "Approvals",
    "AuditLog",
    "Buckets",
    "Decisions",
    "DesiredRow",
    "Frame",
    "Head",
    "Held",
    "Journal",
    "Link",
    "Looking",
    "Mapped",
    "OperationRow",
    "Operations",
    "Planned",
    "Planning",
    "Rebuilding",
    "Records",
    "Root",
    "RowChanges",
    "Runs",
    "Sampling",
    "Settlement",
    "Shown",
    "Snapshot",
    "Staged",
    "Staging",
    "Throwaway",
    "Throwaways",
    "dumps",
    "is_cleared",
    "link_json",
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
        self.buckets = Buckets(self._store)
        self.runs = Runs(self._store)
        self.approvals = Approvals(self._store)
        self.throwaways = Throwaways(self._store)
        self.rebuilding = Rebuilding(self._store)
        self.sampling = Sampling(self._store)
        self.decisions = Decisions(self._store)
        self.audit = AuditLog(self._store)

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
