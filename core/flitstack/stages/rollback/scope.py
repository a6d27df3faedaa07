"""Scope: which of the records that the journal is linked to are to be undone, and which of their writes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from flitstack.errors import UsageError
from flitstack.protocols import full_key

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flitstack.journal import Journal, Ours


@dataclass(frozen=True, slots=True)
class Scope:
    """What the operator asked to undo; nothing said means the whole migration.

    :param run: one run. :param object: all records of one object.
    :param keys: source keys, with or without their source id, or `object:key` in the words of the report.
    """

    run: str | None = None
    object: str | None = None
    keys: tuple[str, ...] = ()

    @property
    def is_whole(self) -> bool:
        """Return whether everything is meant."""
        return self.run is None and self.object is None and not self.keys

    def words(self) -> str:
        """Return it in words."""
        if self.run is not None:
            return f"run {self.run}"
        if self.object is not None:
            return f"every {self.object}"
        return f"{len(self.keys):,} source keys" if self.keys else "the whole migration"


@dataclass(slots=True)
class Wanted:
    """What a scope comes to.

    :param delete: what a write in scope created, the newest first.
    :param restore: what the account had before, or another run created, and a write in scope changed.
    :param others: all else that is linked.
    """

    delete: list[Ours] = field(default_factory=list)
    restore: list[Ours] = field(default_factory=list)
    others: list[Ours] = field(default_factory=list)


def choose(journal: Journal, scope: Scope, source_id: str) -> Wanted:
    """Return what the scope comes to.

    :raises UsageError: the scope names a run, an object or a key that the journal does not know.
    """
    wanted = Wanted()
    ours = journal.undo.ours()
    _refuse_unknown(journal, scope, source_id, ours)
    touched = journal.undo.touched(scope.run) if scope.run is not None else set()
    keys = {_whole(key, source_id) for key in scope.keys}
    for one in ours:
        if scope.run is not None:
            chosen = one.name in touched
            deletes = one.run == scope.run
        else:
            named = one.key in keys or full_key(one.key, one.part) in keys
            chosen = scope.is_whole or one.object == scope.object or named
            deletes = one.made_by is not None
        place = wanted.others if not chosen else wanted.delete if deletes else wanted.restore
        place.append(one)
    return wanted


def _whole(key: str, source_id: str) -> str:
    """Return a key as the journal has it: `people:17` stands for `SOURCE_ID:people:17`."""
    return key if key.startswith(f"{source_id}:") or key.startswith("schema:") else f"{source_id}:{key}"


def _refuse_unknown(journal: Journal, scope: Scope, source_id: str, ours: Sequence[Ours]) -> None:
    """:raises UsageError: the scope names what is not there; the message says what is."""
    if scope.run is not None and scope.run not in {run for run, _, _ in journal.undo.runs()}:
        known = "".join(f"\n  {run}  ({began[:16]}, {count:,} writes)" for run, began, count in journal.undo.runs())
        raise UsageError(f"--run {scope.run}: no run of that name wrote anything. These did:{known or ' none.'}")
    if scope.object is not None and scope.object not in {one.object for one in ours}:
        known = ", ".join(sorted({one.object for one in ours})) or "nothing"
        raise UsageError(f"--object {scope.object}: nothing of it was written. There is: {known}.")
    there = {one.key for one in ours} | {full_key(one.key, one.part) for one in ours}
    unknown = [key for key in scope.keys if _whole(key, source_id) not in there]
    if unknown and not any(journal.undo.removed_id((o, _whole(k, source_id), "")) for k in unknown for o in _all(ours)):
        raise UsageError(
            f"--keys: {len(unknown):,} of {len(scope.keys):,} name nothing that is in the account, {unknown[0]} for "
            "one. A key is STREAM:ID, as `flit explain` and the reports show it."
        )


def _all(ours: Sequence[Ours]) -> set[str]:
    return {one.object for one in ours}
