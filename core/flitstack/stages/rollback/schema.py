"""Schema: of the fields, pipelines and types that we created, those that nothing uses any more go."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flitstack.stages.rollback.decision import CHANGED, IN_USE, Kept, OptionsOff
from flitstack.stages.writing.schema import SCHEMA_KEY

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from flitstack.journal import Link, Ours
    from flitstack.protocols import SchemaItem
    from flitstack.stages.context import RunContext
    from flitstack.stages.rollback.decision import Decision
    from flitstack.stages.rollback.scope import Wanted
    from flitstack.stages.rollback.survey import Place, Seen, Survey


def decide_schema(ctx: RunContext, survey: Survey, wanted: Wanted, going: set[Place], decision: Decision) -> None:
    """Add to the decision which schema items go, and which stay because something uses them."""
    staying = [seen for place, seen in survey.seen.items() if place not in going]
    use = _Use(ctx, survey, staying, ((one.object, one.destination_id) for one in wanted.delete))
    objects = ctx.behaviours.schema_objects
    leaving: set[Place] = set()
    for one in sorted((o for o in wanted.delete if o.object in objects), key=lambda o: -objects.index(o.object)):
        place = (one.object, one.destination_id)
        item, link = survey.items.get(place), ctx.journal.records.link(*one.name)
        if item is None:
            decision.gone.append(one)
            continue
        changed = _changed(item, link)
        if changed or use.of(item, leaving):
            decision.kept.append(Kept(one, CHANGED if changed else IN_USE, changed))
            continue
        leaving.add(place)
        decision.schema.append(one)
    for one in wanted.restore:
        if one.object in objects:
            _options(ctx, survey, one, use, decision)


def is_inside(item: SchemaItem, of: SchemaItem) -> bool:
    """Tell whether an item belongs to another one: a stage to a pipeline."""
    return item.of == of.name and item.object != of.object


def _changed(item: SchemaItem, link: Link | None) -> str:
    """Return what somebody changed in an item that we created, "" for nothing."""
    if link is None:
        return ""
    if item.key != link.key.removeprefix(SCHEMA_KEY):
        return "name"
    if item.settings.get("renamed"):
        return "options"
    ours = {str(option).casefold() for option in link.wanted["fields"].get("options") or ()}
    added = [option for option in item.settings.get("options") or () if str(option).casefold() not in ours]
    return "options" if added and ours else ""


def _options(ctx: RunContext, survey: Survey, one: Ours, use: _Use, decision: Decision) -> None:
    """Take back the options that were added to a field that stays, but for those that records hold."""
    item = survey.items.get((one.object, one.destination_id))
    added: dict[str, int] = {}
    for write in ctx.journal.undo.written(one.name):
        before: Iterable[Any] = write.before.get("options") or ()
        if write.operation != one.made_by and not write.is_undo:
            now: Sequence[Any] = write.fields.get("options") or ()  # type: ignore[assignment]
            added |= {str(option): write.operation for option in now if option not in before}
    if item is None or not added:
        return
    there = {str(option) for option in item.settings.get("options") or ()}
    held = use.labels(item)
    off = tuple(option for option in added if option in there and option.casefold() not in held)
    if any(option.casefold() in held for option in added):
        decision.kept.append(Kept(one, IN_USE, "options"))
    if off:
        decision.options.append(OptionsOff(one, off, min(added[option] for option in off)))


class _Use:
    """What the records that stay make use of."""

    def __init__(self, ctx: RunContext, survey: Survey, staying: Iterable[Seen], ours: Iterable[Place]) -> None:
        self._survey = survey
        self._records = {o for o in ctx.behaviours.objects if o not in ctx.behaviours.schema_objects}
        # A record without fields of its own object may hold those of another's: a lead has a deal's.
        self._fieldless = self._records - {item.of for item in survey.items.values()}
        self._linked: set[Place] = set()
        self._held: dict[tuple[str, str], set[str]] = {}
        self._ours = set(ours)
        for seen in staying:
            self._linked.update(ref.place for ref in seen.refs)
            for name, labels in seen.holds:
                self._held.setdefault((seen.place[0], name), set()).update(labels)

    def of(self, item: SchemaItem, leaving: set[Place]) -> bool:
        """Tell whether a record holds it or leads to it, or an item that stays belongs to it."""
        if (item.object, item.id or "") in self._linked:
            return True
        if item.of in self._records:
            return any((object_, item.name) in self._held for object_ in (item.of, *self._fieldless))
        return any(
            is_inside(other, item) and place not in leaving and not (other.came_along and self._is_idle(place))
            for place, other in self._survey.items.items()
            if other.of not in self._records
        )

    def _is_idle(self, place: Place) -> bool:
        """Tell whether an item is nobody's: not ours, and no record leads to it."""
        return place not in self._ours and place not in self._linked

    def labels(self, item: SchemaItem) -> set[str]:
        """Return the options of a field that records hold, in lower case."""
        places = [(object_, item.name) for object_ in (item.of, *self._fieldless)]
        return set().union(*(self._held.get(place, set()) for place in places))
