"""Changed: what somebody did to a record of ours since it was written, field by field."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from flitstack.journal import dumps, is_cleared, read_link
from flitstack.protocols import full_key
from flitstack.stages.writing.targets import AS_IT_IS, Targets

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from flitstack.journal import Link
    from flitstack.protocols import JSON, Stored
    from flitstack.stages.context import RunContext


@dataclass(slots=True)
class Habits:
    """What the account itself puts into records: nobody filled that in.

    :param customs: names of its custom fields: only people and their tools fill these.
    :param leads_to: per object, each link and the object that it leads to.
    :param defaults: (object, field) to the value, as JSON, that most created records held from the beginning.
    :param known: objects of which the defaults are known, if there are any.
    :param disregard: (object, field) that may have been filled without it being a reason to keep a record.
    """

    customs: frozenset[str]
    leads_to: Mapping[str, Mapping[str, str]]
    disregard: frozenset[tuple[str, str]] = frozenset()
    defaults: dict[tuple[str, str], str] = field(default_factory=dict)
    known: set[str] = field(default_factory=set)

    def by_object(self) -> dict[str, dict[str, str]]:
        """Return the defaults, object by object; {} for one whose records hold nothing by themselves."""
        found: dict[str, dict[str, str]] = {object_: {} for object_ in self.known}
        for (object_, name), value in self.defaults.items():
            found.setdefault(object_, {})[name] = value
        return found

    def remember(self, kept: Mapping[str, Mapping[str, str]]) -> None:
        """Take over what an earlier undo found: of these objects nothing more is learned."""
        self.known |= set(kept)
        self.defaults |= {(object_, name): value for object_, values in kept.items() for name, value in values.items()}

    def learn(
        self, seen: Iterable[tuple[str, str, JSON, int]], of: Mapping[str, int], filled: Mapping[tuple[str, str], int]
    ) -> None:
        """Take for a default what most records held where flit wrote nothing: (object, field, value, count).

        :param of: how many records of each object were looked at; of one that is known already, nothing is taken.
        :param filled: into how many of them flit wrote each (object, field) itself.
        """
        counts: dict[tuple[str, str], Counter[str]] = {}
        for object_, name, value, count in seen:
            if object_ not in self.known:
                counts.setdefault((object_, name), Counter())[dumps(value)] += count
        for (object_, name), values in counts.items():
            value, most = values.most_common(1)[0]
            if 2 * most > of.get(object_, 0) - filled.get((object_, name), 0):
                self.defaults[object_, name] = value
        self.known |= set(of)


class Changes:
    """Tells what people changed in records of ours."""

    def __init__(self, ctx: RunContext, habits: Habits) -> None:
        self._ctx = ctx
        self.habits = habits
        self.gone: set[tuple[str, str]] = set()
        """Records of ours that somebody deleted: that nothing leads there any more is nobody's edit."""

    def written(self, link: Link, stored: Stored, names: Collection[str] | None = None) -> list[str]:
        """Return what of our own writes the record no longer holds; links as `@NAME`.

        :param names: look at these alone.
        """
        ctx, wanted = self._ctx, link.wanted
        held = ctx.writer.comparable(link.object, stored.fields)
        expected = ctx.writer.comparable(link.object, wanted["fields"])
        changed = [name for name, value in expected.items() if held.get(name) != value]
        for name, target in wanted["links"].items():
            if stored.links.get(name) not in self.ends(link, name, target):
                changed.append(f"@{name}")
        changed += [name for name in wanted.get("theirs", ()) if name not in changed]
        return changed if names is None else [name for name in changed if name in names]

    def ends(self, link: Link, name: str, target: Sequence[Any]) -> tuple[str | None, ...]:
        """Return where a link may lead without anybody having changed it."""
        user = link.wanted.get("users", {}).get(name)
        to = read_link(target)
        if user is not None or is_cleared(to):
            return (user,)
        if to.object in (self._ctx.behaviours.user, AS_IT_IS):
            return (Targets(self._ctx).id(to),)
        found = self._ctx.journal.records.destination_id(to.object, to.key, to.part)
        if (to.object, found) in self.gone:
            return (found, None)
        # What it led to may be gone by our own hand: the account keeps the number, or takes it out.
        return (found,) if found else (None, self._ctx.journal.undo.removed_id((to.object, to.key, to.part)))

    def led_to(self, link: Link, name: str) -> tuple[str, str] | None:
        """Return the record of ours that a link was made to, None when it led elsewhere or nowhere."""
        to = read_link(link.wanted["links"][name])
        found = self._ctx.journal.records.destination_id(to.object, to.key, to.part) if not is_cleared(to) else None
        return (to.object, found) if found else None

    def key_lost(self, link: Link, stored: Stored) -> bool:
        """Tell whether a record that we created carries our key no more."""
        place = self._ctx.behaviours.objects[link.object].key_in
        return not place.startswith("content") and stored.key != full_key(link.key, link.part)

    def beside(self, link: Link, stored: Stored) -> dict[str, JSON]:
        """Return what the record holds beside what we wrote and what nobody can fill in; links as `@NAME`."""
        behaviour = self._ctx.behaviours.objects[link.object]
        if behaviour.key_in == "content":
            return {}
        passed = {*behaviour.settable_times, self._ctx.key_field(link.object) or "", *link.wanted["fields"]}
        held = self._ctx.writer.comparable(link.object, stored.fields)
        found: dict[str, JSON] = {n: v for n, v in held.items() if n not in passed and v not in (None, False, "", [])}
        leads = self.habits.leads_to.get(link.object, {})
        for name, end in stored.links.items():
            if name not in link.wanted["links"] and end and leads.get(name) != self._ctx.behaviours.user:
                found[f"@{name}"] = end
        return {n: v for n, v in found.items() if (link.object, n.removeprefix("@")) not in self.habits.disregard}

    def filled(self, object_: str, beside: Mapping[str, JSON]) -> list[str]:
        """Return what of it somebody filled in: custom fields, and what is not the account's own default."""
        return [
            name
            for name, value in beside.items()
            if name.removeprefix("@") in self.habits.customs
            or self.habits.defaults.get((object_, name)) != dumps(value)
        ]

    def since_created(self, link: Link, stored: Stored) -> list[str]:
        """Return all that somebody changed in a record that we created; `key` when it carries ours no more."""
        changed = [*self.written(link, stored), *self.filled(link.object, self.beside(link, stored))]
        lost = self.key_lost(link, stored)
        return [*changed, self._ctx.key_field(link.object) or "key"] if lost else changed
