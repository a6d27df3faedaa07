"""Purge: values leave the journal once a migration is over, with a certificate of what went and what still proves."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flitstack import __version__
from flitstack.errors import ConfigurationError, UsageError
from flitstack.journal import Journal, compact
from flitstack.stages.auditlog.verifying import check_journal
from flitstack.stages.publishing import REPORTS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from flitstack.journal import Head
    from flitstack.protocols import JSON

NO_LONGER = (
    "compare the account with what was written (flit verify)",
    "take the migration back (flit rollback): what people changed since could not be told from what was written",
    "carry on, or take in a later export, with this journal (flit run)",
    "show or correct rejected rows (flit rejects export, retry)",
)
NOT_TOUCHED = (
    "the export itself, and copies of this journal or of its disk",
    "what was written into the account",
    "reports (flit-reports), exported rejected rows and exported audit logs: delete what is not to be kept",
)


@dataclass(frozen=True, slots=True)
class PurgePlan:
    """What a person is shown before anything goes: open writes and rejected records, which could be settled before."""

    planned: int
    rejected: int

    def text(self) -> str:
        """Return that in words."""
        lines = ["Purging takes every value of a record out of the journal, for good. Nobody will be able to:"]
        lines += [f"  - {each}" for each in NO_LONGER]
        if self.planned:
            lines.append(f"{self.planned:,} writes are planned and not sent: they will never be.")
        if self.rejected:
            lines.append(f"{self.rejected:,} records are rejected: they will stay behind.")
        return "\n".join([*lines, "Not touched:", *(f"  - {each}" for each in NOT_TOUCHED)])


@dataclass(frozen=True, slots=True)
class Certificate:
    """What was purged.

    :param emptied: table to how many of its rows held values. :param before, after: the audit log's heads.
    :param sha256: of the journal's file as the purge left it. :param path: of the certificate itself.
    """

    journal: str
    at: str
    by: str
    emptied: Mapping[str, int]
    before: Head
    after: Head
    sha256: str
    size: int
    path: str

    def as_json(self) -> dict[str, JSON]:
        """Return what the certificate's file holds."""
        return {
            "certificate": "purge", "flit": __version__, "journal": self.journal, "at": self.at, "by": self.by,
            "emptied": dict(self.emptied), "rows": sum(self.emptied.values()), "audit_before": str(self.before),
            "audit_after": str(self.after), "sha256": self.sha256, "size": self.size,
            "no_longer_possible": list(NO_LONGER), "not_touched": list(NOT_TOUCHED),
        }  # fmt: skip

    def text(self) -> str:
        """Return it in words."""
        lines = [f"{table}: {count:,} rows emptied" for table, count in self.emptied.items() if count]
        return "\n".join([
            f"Purged {self.journal} at {self.at}, by {self.by}.",
            *(lines or ["There was nothing to empty."]),
            f"Audit log before: {self.before}",
            f"Audit log after:  {self.after}",
            f"The file, {self.size:,} bytes, SHA-256 {self.sha256}",
            f"The certificate: {self.path}",
        ])  # fmt: skip


def plan_purge(path: Path) -> PurgePlan:
    """Return what there is to know before a purge.

    :raises ConfigurationError: there is no journal, or writes are in doubt.
    """
    with Journal.existing(path) as journal:
        _refuse(journal)
        return PurgePlan(
            journal.operations.count("planned", "blocked"),
            len({(each.stream, each.id) for each in journal.corrections.rejected()}),
        )


def purge(path: Path, at: str, by: str) -> Certificate:
    """Take the values out of a journal, write its file anew, and return the certificate, which is kept as a file.

    :raises UsageError: nobody is named.
    :raises JournalError: another run or another program has the journal open.
    """
    by = by.strip()
    if not by:
        raise UsageError("Say who purges: a name.")
    Journal.existing(path).close()
    with Journal(path, lease=True) as journal:
        _refuse(journal)
        before = journal.audit.head()
        emptied = journal.purging.purge(at, by)
        compact(journal.path.resolve())
        after = journal.audit.head()
    content = path.read_bytes()
    file = path.parent / REPORTS / f"purge-{''.join(c for c in at if c.isdigit())[:14]}.json"
    digest = hashlib.sha256(content).hexdigest()
    found = Certificate(str(path), at, by, emptied, before, after, digest, len(content), str(file))
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(found.as_json(), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return found


def require_values(journal: Journal) -> None:
    """:raises ConfigurationError: the journal's values were purged, so that nothing can be compared or written."""
    if (at := journal.purging.purged_at()) is not None:
        raise ConfigurationError(
            f"{journal.path}: its values were purged on {at[:10]}, so that this is no longer possible. What is left: "
            "flit journal verify, flit journal export, flit rejects list."
        )


def _refuse(journal: Journal) -> None:
    if doubtful := journal.operations.count("intended", "in_doubt"):
        raise ConfigurationError(
            f"{journal.path}: {doubtful:,} writes are in doubt, and without their values nobody could find out. Run "
            "`flit run` again first."
        )
    checked = check_journal(journal, ())
    if checked.problem:
        raise ConfigurationError(f"{journal.path}: the audit log is not whole: {checked.problem} Nothing was purged.")
    if unknown := journal.purging.unknown_tables():
        raise ConfigurationError(
            f"{journal.path}: nobody has said whether the table {unknown[0]} holds values. Nothing was purged."
        )
