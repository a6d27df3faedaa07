"""What an undo comes to: what goes, what is put back, and what stays and why."""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import field as fresh
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flitstack.journal import Ours
    from flitstack.stages.rollback.restoring import Restore

HUNG, NEEDED, OTHERS, UNKNOWN, FIXED, CHANGED, IN_USE = (
    "something_hangs_on_it",
    "needed_by_what_stays",
    "ours_hangs_on_it",
    "origin_unknown",
    "cannot_delete",
    "changed",
    "in_use",
)
REASONS: Mapping[str, str] = {
    CHANGED: "somebody changed it since",
    HUNG: "somebody hung something on it",
    NEEDED: "a record that stays needs it",
    OTHERS: "records of ours that are not to be undone hang on it",
    UNKNOWN: "the journal was rebuilt and does not know who created it",
    FIXED: "the destination cannot delete it",
    IN_USE: "records that stay use it",
    "later_run": "a later run wrote it again",
    "cannot_clear": "the destination cannot empty it again",
    "refused": "the destination refused",
    "changed_elsewhere": "somebody changed it meanwhile",
}


@dataclass(frozen=True, slots=True)
class Kept:
    """Why something stays as it is.

    :param code: one of `REASONS`. :param field: links as `@NAME`; "" for the whole record.
    :param by: object to how many records of it are the reason.
    """

    ours: Ours
    code: str
    field: str = ""
    by: Mapping[str, int] = fresh(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OptionsOff:
    """Options that a field of the account gets rid of again; `operation` added the first of them."""

    ours: Ours
    options: tuple[str, ...]
    operation: int


@dataclass(slots=True)
class Decision:
    """What an undo comes to.

    :param delete: records and schema items that go, the newest first; gone: those somebody deleted already.
    :param options: options of fields that stay, which we added and nothing uses.
    """

    delete: list[Ours] = fresh(default_factory=list)
    gone: list[Ours] = fresh(default_factory=list)
    restore: list[Restore] = fresh(default_factory=list)
    schema: list[Ours] = fresh(default_factory=list)
    options: list[OptionsOff] = fresh(default_factory=list)
    kept: list[Kept] = fresh(default_factory=list)

    @property
    def writes(self) -> int:
        """Return how many writes it takes."""
        return len(self.delete) + len(self.restore) + len(self.schema) + len(self.options)
