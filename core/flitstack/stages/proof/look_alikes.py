"""Look-alikes: records that carry no key, and look just like one that is to be written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flitstack.stages.writing.schema import SCHEMA_KEY

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from flitstack.journal import DesiredRow, Held
    from flitstack.protocols import JSON
    from flitstack.stages.context import RunContext
    from flitstack.stages.writing.targets import Targets

NOWHERE = ("", "")


def find_look_alikes(ctx: RunContext, object_: str, targets: Targets) -> list[tuple[DesiredRow, str]]:
    """Return desired records that are not linked, each with the id of a record of the account that looks like it.

    Only texts can lose their key: a person who edits one may take the marker away. Alike are records on the same
    parents with the same fields, the text with the marker aside: that one must agree only when nothing else tells.
    """
    place, _, marked = ctx.behaviours.objects[object_].key_in.partition(":")
    if place != "text":
        return []
    loose: dict[tuple[str, str], list[Held]] = {}
    for held in ctx.journal.rebuilding.loose(object_):
        for end in held.links.items() or [NOWHERE]:
            loose.setdefault(end, []).append(held)
    if not loose:
        return []
    wanted = [_Wanted.of(ctx, desired, targets) for desired in ctx.journal.rebuilding.missing(object_)]
    found: list[tuple[DesiredRow, str]] = []
    taken: set[str] = set()
    unlike: list[_Wanted] = []
    for one in wanted:  # a text that is the same is the record itself: each stands for one
        same = next((h for h in one.near(loose) if h.id not in taken and one.is_like(h, marked, whole=True)), None)
        if same is None:
            unlike.append(one)
            continue
        taken.add(same.id)
        found.append((one.desired, same.id))
    for one in unlike:
        like = next((h for h in one.near(loose) if h.id not in taken and one.is_like(h, marked, whole=False)), None)
        if like is not None:
            found.append((one.desired, like.id))
    return found


class _Wanted:
    """A desired record in the form in which it is compared."""

    def __init__(self, desired: DesiredRow, fields: Mapping[str, JSON], ends: Mapping[str, str], here: bool) -> None:
        self.desired = desired
        self._fields = fields
        self._ends = ends
        self._here = here

    @classmethod
    def of(cls, ctx: RunContext, desired: DesiredRow, targets: Targets) -> _Wanted:
        """Return it with its parents as ids; people who own it do not count."""
        links = {name: link for name, link in desired.links.items() if link.object != ctx.behaviours.user}
        ends = {name: end for name, link in links.items() if (end := targets.id(link)) is not None}
        parents = [name for name, link in links.items() if not link.key.startswith(SCHEMA_KEY)]
        here = not parents or any(name in ends for name in parents)
        ordered = {name: ends[name] for name in sorted(ends, key=lambda name: name not in parents)}
        return cls(desired, ctx.writer.comparable(desired.object, desired.fields), ordered, here)

    def near(self, loose: Mapping[tuple[str, str], list[Held]]) -> Iterator[Held]:
        """Yield what hangs where it hangs; nothing, when none of its parents is there."""
        if self._here:
            yield from loose.get(next(iter(self._ends.items()), NOWHERE), ())

    def is_like(self, held: Held, marked: str, *, whole: bool) -> bool:
        """Tell whether a record looks like it.

        :param marked: the text that carries the key. :param whole: that text must be the same too.
        """
        if any(held.links.get(name) != end for name, end in self._ends.items()):
            return False
        others = {name: value for name, value in self._fields.items() if name != marked and value is not None}
        if any(held.fields.get(name) != value for name, value in others.items()):
            return False
        telling = any(not isinstance(value, bool) for value in others.values())
        same_text = held.fields.get(marked) == self._fields.get(marked)
        return same_text or (telling and not whole)
