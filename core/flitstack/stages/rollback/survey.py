"""Survey: the whole account read once by pages, kept small: who leads to whom, what changed, what each comes to."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from flitstack.journal import dumps
from flitstack.protocols import JSON, Surveying
from flitstack.stages.rollback.changed import Changes, Habits
from flitstack.stages.rollback.restoring import Restore, restore_of, restored_view
from flitstack.stages.writing.answers import get_held, list_held

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Mapping
    from datetime import datetime

    from flitstack.journal import Link, Ours, Written
    from flitstack.protocols import SchemaItem, Stored
    from flitstack.stages.context import RunContext

Place = tuple[str, str]
EMPTY: tuple[JSON, ...] = (None, "", [])


@dataclass(frozen=True, slots=True)
class Ref:
    """A link of a record that leads to something of ours; `required`: we made it so that it cannot do without."""

    name: str
    place: Place
    required: bool = False


@dataclass(frozen=True, slots=True)
class Seen:
    """One record of the account.

    :param ours: what the journal knows it as, None when it is somebody else's.
    :param refs: its links that lead to something of ours.
    :param holds: fields of ours in which it holds something, with the labels where these are options.
    :param digest: of all that it holds; of a record to be restored, of what it will hold.
    :param changed: fields that somebody changed, of a record that we created.
    """

    place: Place
    ours: Ours | None
    refs: tuple[Ref, ...]
    holds: tuple[tuple[str, tuple[str, ...]], ...]
    digest: str
    changed: tuple[str, ...] = ()


@dataclass(slots=True)
class Survey:
    """What reading the account found.

    :param newest: per object, the latest time of a record, by the account's clock.
    """

    seen: dict[Place, Seen] = field(default_factory=dict)
    items: dict[Place, SchemaItem] = field(default_factory=dict)
    restores: dict[Place, Restore] = field(default_factory=dict)
    newest: dict[str, datetime] = field(default_factory=dict)
    requests: int = 0
    tokens: int = 0


def know_habits(ctx: RunContext, items: Iterable[SchemaItem], disregard: Iterable[str]) -> Habits:
    """Return what the account puts into records by itself, as far as the journal and the writer know."""
    leads = ctx.journal.undo.leads_to()
    if isinstance(ctx.writer, Surveying):
        for object_ in record_objects(ctx):
            leads[object_] = {**leads.get(object_, {}), **ctx.writer.leads_to(object_)}
    customs = frozenset(item.name for item in items if item.of in ctx.behaviours.objects)
    named = (text.partition(".") for text in disregard)
    habits = Habits(customs, leads, frozenset((object_, name) for object_, _, name in named))
    habits.remember(ctx.journal.undo.habits())
    undo = ctx.journal.undo
    habits.learn(undo.beside(), undo.read_back(), undo.filled(read_back=True))
    return habits


def record_objects(ctx: RunContext) -> list[str]:
    """Return the objects that are records, parents before children."""
    return [object_ for object_ in ctx.behaviours.objects if object_ not in ctx.behaviours.schema_objects]


class Reading:
    """Reads the account; `restoring` says which records are to be restored, and which of their writes."""

    def __init__(
        self,
        ctx: RunContext,
        changes: Changes,
        ours: Mapping[Place, Ours],
        restoring: Mapping[Place, Callable[[Written], bool]],
        fields: frozenset[str],
    ) -> None:
        self._ctx = ctx
        self._changes = changes
        self._ours = ours
        self._restoring = restoring
        self._fields = fields
        self._beside: dict[Place, dict[str, JSON]] = {}
        self._led: dict[Place, dict[str, Place]] = {}
        self._survey = Survey()

    async def run(self, items: Iterable[SchemaItem]) -> Survey:
        """Return what the account holds."""
        ctx, survey = self._ctx, self._survey
        survey.items = {(item.object, item.id or ""): item for item in items}
        before = ctx.writer.spent()
        ctx.progress.begin("verify")
        try:
            for object_ in record_objects(ctx):
                links = {link.destination_id: link for link in ctx.journal.records.links(object_)}
                async for stored in all_of(ctx, object_):
                    ctx.stop.check()
                    self._take(stored, links.pop(stored.id, None))
                    ctx.progress.advance()
                for stored in (await get_held(ctx, object_, list(links))).values() if links else ():
                    self._take(stored, links.pop(stored.id, None))
        finally:
            ctx.progress.end()
        self._forgive_gone()
        self._judge_beside()
        spent = ctx.writer.spent()
        survey.requests, survey.tokens = spent.requests - before.requests, spent.tokens - before.tokens
        return survey

    def nothing(self, items: Iterable[SchemaItem]) -> Survey:
        """Return a survey for when nothing of ours is there: no record is read."""
        self._survey.items = {(item.object, item.id or ""): item for item in items}
        return self._survey

    def _take(self, stored: Stored, link: Link | None) -> None:
        place = (stored.object, stored.id)
        if place in self._survey.seen:
            return
        ours, changed = self._ours.get(place), list[str]()
        fields, links = self._ctx.writer.comparable(stored.object, stored.fields), stored.links
        if link is not None and ours is not None and place in self._restoring:
            restore = restore_of(self._ctx, self._changes, ours, link, stored, self._restoring[place])
            self._survey.restores[place] = restore
            fields, links = restored_view(self._ctx, restore, stored)
        elif link is not None and ours is not None and ours.made_by is not None:
            changed = self._changed(place, link, stored)
        refs, holds = self._refs(stored, link, links), self._holds(stored, {**fields, **links})
        self._survey.seen[place] = Seen(place, ours, refs, holds, digest(fields, links), tuple(changed))
        at = stored.updated or stored.added
        if at is not None and at > self._survey.newest.get(stored.object, at.min.replace(tzinfo=at.tzinfo)):
            self._survey.newest[stored.object] = at

    def _changed(self, place: Place, link: Link, stored: Stored) -> list[str]:
        changed = self._changes.written(link, stored)
        for field_ in changed:
            name = field_.removeprefix("@")
            led = self._changes.led_to(link, name) if name != field_ and not stored.links.get(name) else None
            if led is not None:
                self._led.setdefault(place, {})[field_] = led
        if self._changes.key_lost(link, stored):
            changed.append(self._ctx.key_field(link.object) or "key")
        beside = self._changes.beside(link, stored)
        if beside:
            self._beside[place] = beside
        return changed

    def _forgive_gone(self) -> None:
        """Take it for nobody's change that a record leads nowhere, once all is read and what it led to is not there."""
        for place, led in self._led.items():
            gone = {field_: to for field_, to in led.items() if to not in self._survey.seen}
            self._changes.gone |= {*gone.values()}
            seen = self._survey.seen[place]
            self._survey.seen[place] = _with_changed(seen, tuple(one for one in seen.changed if one not in gone))

    def _judge_beside(self) -> None:
        """Tell, once all is read, what somebody filled in from what the account puts into every record itself.

        What was read back after the load says so best; where nothing was, what most of our records hold.
        """
        fresh = [(p[0], n, v, 1) for p, held in self._beside.items() for n, v in held.items()]
        made = (seen.place[0] for seen in self._survey.seen.values() if seen.ours and seen.ours.made_by is not None)
        self._changes.habits.learn(fresh, Counter(made), self._ctx.journal.undo.filled(read_back=False))
        for place, beside in self._beside.items():
            filled = self._changes.filled(place[0], beside)
            if filled:
                seen = self._survey.seen[place]
                self._survey.seen[place] = _with_changed(seen, (*seen.changed, *filled))

    def _refs(self, stored: Stored, link: Link | None, links: Mapping[str, str]) -> tuple[Ref, ...]:
        leads = self._changes.habits.leads_to.get(stored.object, {})
        made: Mapping[str, Any] = link.wanted["links"] if link is not None else {}
        found = []
        for name, end in links.items():
            # A link that nobody knows may lead to anything of that id: rather keep a record than take it from somebody.
            ends = [leads[name]] if name in leads else record_objects(self._ctx)
            for place in ((object_, end) for object_ in ends):
                if place in self._ours:
                    found.append(Ref(name, place, bool(name in made and made[name][3])))
        return tuple(found)

    def _holds(self, stored: Stored, fields: Mapping[str, JSON]) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """Return which fields of ours hold something; a field that is a link is one too."""
        key = self._ctx.key_field(stored.object)
        keyed = {key: stored.key} if key is not None and key not in fields and stored.key is not None else {}
        held = {name: value for name, value in {**fields, **keyed}.items() if name in self._fields}
        return tuple((name, _labels(value)) for name, value in held.items() if value not in EMPTY)


def _with_changed(seen: Seen, changed: tuple[str, ...]) -> Seen:
    return Seen(seen.place, seen.ours, seen.refs, seen.holds, seen.digest, changed)


def _labels(value: JSON) -> tuple[str, ...]:
    values = value if isinstance(value, list) else [value]
    return tuple(str(each).casefold() for each in values if isinstance(each, str))


async def all_of(ctx: RunContext, object_: str) -> AsyncIterator[Stored]:
    """Yield every record of an object, those that lists leave out too."""
    async for stored in list_held(ctx, object_):
        yield stored
    if isinstance(ctx.writer, Surveying):
        async for stored in ctx.writer.archived(object_):
            yield stored


def digest(fields: Mapping[str, JSON], links: Mapping[str, str]) -> str:
    """Return a hash of what a record holds; what is empty does not count."""
    held = {name: value for name, value in fields.items() if value not in EMPTY}
    return hashlib.sha256(dumps([held, dict(links)]).encode()).hexdigest()[:32]
