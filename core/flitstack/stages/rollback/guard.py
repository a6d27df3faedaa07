"""Guard: looks at each record once more right before it is deleted or put back: the account is never at rest."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from flitstack.journal import UNREAD
from flitstack.protocols import Surveying
from flitstack.stages.rollback.decision import HUNG, IN_USE
from flitstack.stages.rollback.schema import is_inside
from flitstack.stages.rollback.survey import EMPTY, record_objects
from flitstack.stages.writing.answers import get_held, list_held
from flitstack.stages.writing.looking import ALREADY_GONE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from flitstack.journal import OperationRow
    from flitstack.protocols import JSON, SchemaItem, Stored
    from flitstack.stages.context import RunContext
    from flitstack.stages.rollback.changed import Changes
    from flitstack.stages.rollback.survey import Place

LOOK_EVERY_S = 60.0
GONE, MET = ("done", ALREADY_GONE), ("conflict", "changed_elsewhere")


@dataclass(slots=True)
class _Used:
    """What people began to use while the undo went on: fields by name with the texts in them, and what is linked."""

    places: set[Place] = field(default_factory=set)
    held: dict[str, set[str]] = field(default_factory=dict)

    def note(self, name: str, value: JSON) -> None:
        """Add what a field holds."""
        if value not in EMPTY:
            texts = value if isinstance(value, list) else [value]
            self.held.setdefault(name, set()).update(str(each).casefold() for each in texts)

    def of(self, item: SchemaItem, items: Iterable[SchemaItem], row: OperationRow) -> bool:
        """Tell whether an item, or the options that an update takes out of it, are used."""
        if row.verb == "update":
            options: Any = row.fields.get("remove_options") or ()
            return bool({str(each).casefold() for each in options} & self.held.get(item.name, set()))
        inside = any(
            is_inside(other, item) and not (other.came_along and (other.object, other.id) not in self.places)
            for other in items
        )
        return inside or (item.object, item.id or "") in self.places or (bool(item.of) and item.name in self.held)


def lists_for(ctx: RunContext, changes: Changes, object_: str) -> list[str]:
    """Return the objects whose records may hang on one of this object."""
    every, leads = record_objects(ctx), changes.habits.leads_to
    if not isinstance(ctx.writer, Surveying):
        return every
    return [other for other in every if object_ in leads.get(other, {}).values()]


class Guard:
    """Judges the writes of an undo; `RunContext.guard` while it is under way.

    :param newest: per object, the latest time of a record when the account was read, by the account's clock.
    :param going: what goes: that a record which goes itself hangs on another is no reason to keep it.
    """

    def __init__(
        self, ctx: RunContext, changes: Changes, newest: Mapping[str, datetime], going: Iterable[Place]
    ) -> None:
        self._ctx = ctx
        self._changes = changes
        self._newest = dict(newest)
        self._going = set(going)
        self._hung: set[Place] = set()
        self._looked: dict[str, float] = {}

    async def judge(self, rows: Sequence[OperationRow]) -> Mapping[int, tuple[str, str]]:
        """Return what must not be sent: gone already, changed since, or something new hangs on it."""
        judged: dict[int, tuple[str, str]] = {}
        for object_ in dict.fromkeys(row.object for row in rows):
            mine = [
                row for row in rows if row.object == object_ and (row.verb == "delete" or row.inverse_of is not None)
            ]
            if object_ in self._ctx.behaviours.schema_objects:
                judged |= await self._judge_schema(object_, mine)
            elif mine:
                judged |= await self._judge_records(object_, mine)
        return judged

    async def _judge_schema(self, object_: str, rows: Sequence[OperationRow]) -> dict[int, tuple[str, str]]:
        items = {(item.object, item.id or ""): item for item in await self._ctx.writer.schema()} if rows else {}
        used = await self._used_since() if rows else _Used()
        judged: dict[int, tuple[str, str]] = {}
        for row in rows:
            item = items.get((object_, row.destination_id or ""))
            if item is None:
                judged[row.id] = GONE
            elif used.of(item, items.values(), row):
                judged[row.id] = ("conflict", IN_USE)
        return judged

    async def _used_since(self) -> _Used:
        """Return what records that were changed since the account was read hold, and what they lead to."""
        used = _Used()
        for object_ in record_objects(self._ctx):
            if not self._ctx.behaviours.objects[object_].filter_since:
                continue
            leads = self._changes.habits.leads_to.get(object_, {})
            async for stored in list_held(self._ctx, object_, since=self._newest.get(object_)):
                if (object_, stored.id) not in self._going:
                    fields = self._ctx.writer.comparable(object_, stored.fields)
                    for name, value in {**fields, **stored.links}.items():
                        used.note(name, value)
                    used.places |= {(leads.get(name, ""), end) for name, end in stored.links.items()}
        return used

    async def _judge_records(self, object_: str, rows: Sequence[OperationRow]) -> dict[int, tuple[str, str]]:
        if any(row.verb == "delete" for row in rows):
            await self._look_for_new(object_)
        ids = [row.destination_id or "" for row in rows]
        held = await get_held(self._ctx, object_, ids)
        judged: dict[int, tuple[str, str]] = {}
        for row in rows:
            stored = held.get(row.destination_id or "")
            verdict = self._verdict(row, stored)
            if verdict is not None:
                judged[row.id] = verdict
            if stored is not None and verdict is not None and row.verb == "delete":
                self._stay(stored)
        return judged

    def _stay(self, stored: Stored) -> None:
        """Keep what a record leads to that was to go and stays: gone, it would take from what people made theirs."""
        self._going.discard((stored.object, stored.id))
        self._hung |= self._ends(stored)

    def _verdict(self, row: OperationRow, stored: Stored | None) -> tuple[str, str] | None:
        link = self._ctx.journal.records.link(row.object, row.key, row.part)
        if stored is None:
            return GONE
        if link is None or link.destination_id != row.destination_id:
            return MET
        if row.verb == "delete":
            if (row.object, stored.id) in self._hung:
                return ("conflict", HUNG)
            return MET if self._changes.since_created(link, stored) else None
        names = {*row.fields, *(f"@{name}" for name in row.links)} - {UNREAD}
        return MET if self._changes.written(link, stored, names) else None

    async def _look_for_new(self, object_: str) -> None:
        """Look for what was hung on records of an object since the account was read: by lists of what is new."""
        now = self._ctx.clock.monotonic()
        if object_ in self._looked and now - self._looked[object_] < LOOK_EVERY_S:
            return
        self._looked[object_] = now
        for other in lists_for(self._ctx, self._changes, object_):
            since = self._newest.get(other) if self._ctx.behaviours.objects[other].filter_since else None
            async for stored in list_held(self._ctx, other, since=since):
                if (other, stored.id) not in self._going:
                    self._hung |= self._ends(stored)

    def _ends(self, stored: Stored) -> set[Place]:
        """Return all that a record leads to; a link that nobody knows may lead to anything of that id."""
        leads = self._changes.habits.leads_to.get(stored.object, {})
        anything = record_objects(self._ctx)
        return {
            (object_, end)
            for name, end in stored.links.items()
            for object_ in ([leads[name]] if name in leads else anything)
        }
