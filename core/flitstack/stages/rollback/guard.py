"""Guard: looks at each record once more right before it is deleted or put back: the account is never at rest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flitstack.journal import UNREAD
from flitstack.stages.rollback.survey import record_objects

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime

    from flitstack.journal import OperationRow
    from flitstack.protocols import Stored
    from flitstack.stages.context import RunContext
    from flitstack.stages.rollback.changed import Changes
    from flitstack.stages.rollback.survey import Place

LOOK_EVERY_S = 60.0
GONE, MET = ("done", "already_gone"), ("conflict", "changed_elsewhere")
HUNG = ("conflict", "something_hangs_on_it")


class Guard:
    """Judges the writes of an undo; `RunContext.guard` while it is under way.

    :param newest: per object, the latest time of a record when the account was read, by the account's clock.
    :param going: what goes: that a record which goes itself hangs on another is no reason to keep it.
    """

    def __init__(
        self, ctx: RunContext, changes: Changes, newest: Mapping[str, datetime], going: Collection[Place]
    ) -> None:
        self._ctx = ctx
        self._changes = changes
        self._newest = dict(newest)
        self._going = going
        self._hung: set[Place] = set()
        self._looked: dict[str, float] = {}

    async def judge(self, rows: Sequence[OperationRow]) -> Mapping[int, tuple[str, str]]:
        """Return what must not be sent: gone already, changed since, or something new hangs on it."""
        judged: dict[int, tuple[str, str]] = {}
        for object_ in dict.fromkeys(row.object for row in rows):
            mine = [row for row in rows if row.object == object_ and row.inverse_of is not None]
            if object_ in self._ctx.behaviours.schema_objects:
                judged |= await self._judge_schema(object_, mine)
            elif mine:
                judged |= await self._judge_records(object_, mine)
        return judged

    async def _judge_schema(self, object_: str, rows: Sequence[OperationRow]) -> dict[int, tuple[str, str]]:
        ids = [row.destination_id or "" for row in rows]
        there = {stored.id for stored in await self._ctx.writer.get_many(object_, ids)} if ids else set()
        if not there and ids:  # some destinations read schema items by their list alone
            there = {stored.id async for stored in self._ctx.writer.list(object_)}
        return {row.id: GONE for row in rows if row.destination_id not in there}

    async def _judge_records(self, object_: str, rows: Sequence[OperationRow]) -> dict[int, tuple[str, str]]:
        if any(row.verb == "delete" for row in rows):
            await self._look_for_new(object_)
        ids = [row.destination_id or "" for row in rows]
        held = {stored.id: stored for stored in await self._ctx.writer.get_many(object_, ids)}
        judged: dict[int, tuple[str, str]] = {}
        for row in rows:
            verdict = self._verdict(row, held.get(row.destination_id or ""))
            if verdict is not None:
                judged[row.id] = verdict
        return judged

    def _verdict(self, row: OperationRow, stored: Stored | None) -> tuple[str, str] | None:
        link = self._ctx.journal.records.link(row.object, row.key, row.part)
        if stored is None:
            return GONE
        if link is None or link.destination_id != row.destination_id:
            return MET
        if row.verb == "delete":
            if (row.object, stored.id) in self._hung:
                return HUNG
            return MET if self._changes.since_created(link, stored) else None
        names = {*row.fields, *(f"@{name}" for name in row.links)} - {UNREAD}
        return MET if self._changes.written(link, stored, names) else None

    async def _look_for_new(self, object_: str) -> None:
        """Look for what was hung on records of an object since the account was read: by lists of what is new."""
        now = self._ctx.clock.monotonic()
        if object_ in self._looked and now - self._looked[object_] < LOOK_EVERY_S:
            return
        self._looked[object_] = now
        for other in record_objects(self._ctx):
            leads = {n: to for n, to in self._changes.habits.leads_to.get(other, {}).items() if to == object_}
            if not leads:
                continue
            since = self._newest.get(other) if self._ctx.behaviours.objects[other].filter_since else None
            async for stored in self._ctx.writer.list(other, since=since):
                if (other, stored.id) not in self._going:
                    self._hung |= {(object_, end) for name, end in stored.links.items() if name in leads}
