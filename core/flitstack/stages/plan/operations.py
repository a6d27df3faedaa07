"""Plan: the difference between what the destination should hold and what was written, as operations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flitstack.journal import BESIDE, Frame, Planned, is_cleared, link_json, read_link
from flitstack.protocols import LinkRef, Spent, full_key
from flitstack.stages.delta.leaving import leaving_operations
from flitstack.stages.plan.price import Load, LoadPrice, price_load
from flitstack.stages.proof.verify import sample_size
from flitstack.stages.writing.schema import LEVEL_STEP

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from flitstack.journal import DesiredRow, Link, OperationRow
    from flitstack.protocols import JSON
    from flitstack.stages.context import RunContext

CHUNK = 1000
UNPRICED = LoadPrice({})


@dataclass(frozen=True, slots=True)
class PlanSummary:
    """What a plan holds.

    :param operations: (object, verb) to count.
    :param tokens: budget units that the run will have spent once it has written and verified.
    :param minimum: one create per desired record and schema item, and one listing of each object.
    :param cleared: fields of earlier runs that will be emptied.
    :param unwanted: records of earlier runs that the map makes no more; they stay.
    :param hashes: documents whose bytes verification reads back.
    :param price: of which `tokens` is the sum, hashing aside.
    """

    operations: Mapping[tuple[str, str], int]
    tokens: int
    minimum: int
    cleared: int = 0
    unwanted: int = 0
    hashes: int = 0
    price: LoadPrice = UNPRICED

    @property
    def ahead(self) -> Spent:
        """Return what writing and reading back takes: what was asked of the account so far is not in it."""
        p = self.price
        return Spent(p.requests - p.opening.requests + self.hashes, self.tokens - p.opening.tokens)

    @property
    def writes(self) -> int:
        """Return how many operations there are."""
        return sum(self.operations.values())


def plan_operations(ctx: RunContext) -> PlanSummary:
    """Replace the unsent plan by a new one; what is in doubt, or was refused as it stands, is left alone."""
    operations = ctx.journal.operations
    operations.supersede_unsent()
    counts: dict[tuple[str, str], int] = {}
    numbers = {object_: number for number, object_ in enumerate(ctx.behaviours.objects)}
    outdated: list[int] = []
    cleared = 0
    for object_ in numbers:
        order = _Order(numbers, *_order_within(ctx, object_))
        batch: list[Planned] = []
        for desired, level in _to_think_about(ctx, object_, numbers, counts):
            for planned in _operations_for(ctx, desired, level, order, outdated):
                counts[planned.object, planned.verb] = counts.get((planned.object, planned.verb), 0) + 1
                cleared += sum(value is None for value in planned.fields.values())
                batch.append(planned)
            if len(batch) >= CHUNK:
                operations.plan(ctx.id, ctx.spec_sha256, batch)
                batch = []
        if batch:
            operations.plan(ctx.id, ctx.spec_sha256, batch)
    leaving = [] if ctx.sampled else list(leaving_operations(ctx))
    for planned in leaving:
        counts[planned.object, planned.verb] = counts.get((planned.object, planned.verb), 0) + 1
    operations.plan(ctx.id, ctx.spec_sha256, leaving)
    for object_, behaviour in ctx.behaviours.objects.items():
        if behaviour.key_in == "content":
            operations.part_twins(object_)
    operations.withdraw(outdated)
    return _summary(ctx, counts, cleared)


def _to_think_about(
    ctx: RunContext, object_: str, numbers: Mapping[str, int], counts: dict[tuple[str, str], int]
) -> Iterator[tuple[DesiredRow, int]]:
    """Yield an object's desired records with their level, but for those whose plan is plain: these are planned here."""
    level = numbers[object_] * LEVEL_STEP
    if object_ in ctx.behaviours.schema_objects:  # few, and each at a level of its own: in the order of the spec
        for place, desired in enumerate(ctx.journal.records.desired(object_)):
            if desired.verdict is None:
                yield desired, level + (place if desired.links else 0)
        return
    earlier = [other for other, number in numbers.items() if number < numbers[object_]]
    frame = Frame(ctx.id, ctx.spec_sha256, object_, level, ctx.behaviours.user, ctx.owners.keys(), earlier, ctx.sampled)
    for made, left in ctx.journal.planning.create_new(frame):
        if made:
            counts[object_, "create"] = counts.get((object_, "create"), 0) + made
        for desired in left:
            yield desired, level


@dataclass(frozen=True, slots=True)
class _Order:
    """What must exist before what.

    :param numbers: object to its place among all objects.
    :param depths: key to depth among records of the same object; a parent's is lower.
    :param cut: key to the links that would close a circle.
    """

    numbers: Mapping[str, int]
    depths: Mapping[str, int]
    cut: Mapping[str, set[str]]

    def later(self, ctx: RunContext, desired: DesiredRow, links: Mapping[str, LinkRef]) -> dict[str, LinkRef]:
        """Return the links that a second write adds: those that close a circle, and those to what is made later."""
        return {
            name: target
            for name, target in links.items()
            if name in self.cut.get(desired.key, ())
            or (self._is_after(desired, target) and not target.required and not _linked(ctx, target))
        }

    def at_first(self, desired: DesiredRow) -> dict[str, LinkRef]:
        """Return the links that the first write has when nothing exists yet."""
        cut = self.cut.get(desired.key, ())
        return {n: t for n, t in desired.links.items() if n not in cut and not self._is_after(desired, t)}

    def level_after(self, targets: Mapping[str, LinkRef]) -> int:
        """Return a level at which all of these exist, or never will in this run."""
        return max(self.numbers[target.object] for target in targets.values()) * LEVEL_STEP + LEVEL_STEP - 1

    def _is_after(self, desired: DesiredRow, target: LinkRef) -> bool:
        return self.numbers.get(target.object, -1) > self.numbers[desired.object]


def _operations_for(
    ctx: RunContext, desired: DesiredRow, level: int, order: _Order, outdated: list[int]
) -> Iterator[Planned]:
    """Yield what a desired record needs; add to `outdated` what was refused and is no longer asked for."""
    last = ctx.journal.operations.last(desired.object, desired.key, desired.part)
    if last is not None and last.state in ("intended", "in_doubt"):
        return
    link = ctx.journal.records.link(desired.object, desired.key, desired.part)
    links = {name: target for name, target in desired.links.items() if _reachable(ctx, target)}
    refused = last if last is not None and last.state == "rejected" else None
    if link is not None:
        update = _update(ctx, desired, link, links, level, order)
        if update is None and refused is not None:
            outdated.append(refused.id)
        elif update is not None and not _refused_before(refused, update.fields, update.links):
            yield update
        return
    later = order.later(ctx, desired, links)
    now = {name: target for name, target in links.items() if name not in later}
    asked_before = (now, links, desired.links, order.at_first(desired))
    if any(_refused_before(refused, desired.fields, asked) for asked in asked_before):
        return
    depth = order.depths.get(desired.key, 0)
    name = (desired.entry, desired.object, desired.key, desired.part)
    yield Planned("create", *name, desired.fields, now, level + depth)
    if later:
        yield Planned("update", *name, {}, later, order.level_after(later))


def _refused_before(refused: OperationRow | None, fields: Mapping[str, JSON], links: Mapping[str, LinkRef]) -> bool:
    """Tell whether the destination refused exactly this: asked again, it would say the same."""
    asked = {name: link_json(target) for name, target in links.items()}
    return refused is not None and refused.fields == fields and refused.links == asked


def _update(
    ctx: RunContext, desired: DesiredRow, link: Link, links: Mapping[str, LinkRef], level: int, order: _Order
) -> Planned | None:
    before: dict[str, Any] = link.wanted["fields"]
    fields = {name: value for name, value in desired.fields.items() if before.get(name) != value}
    key_field, whole_key = ctx.key_field(desired.object), full_key(desired.key, desired.part)
    fields |= {
        name: None
        for name, value in before.items()
        if name not in desired.fields and value is not None and name != key_field
    }
    known: dict[str, Any] = link.wanted["links"]
    kept = link.wanted.get("kept")
    if kept is not None:  # the account had it before: what it holds stays, and it has no key of ours yet
        beside: Any = (link.after or {}).get(BESIDE) or {}
        kept = {*kept, *beside}
        fields = {name: value for name, value in fields.items() if name not in kept}
        links = {name: target for name, target in links.items() if f"@{name}" not in kept}
        if key_field is not None and before.get(key_field) != whole_key:
            fields[key_field] = whole_key
    changed = {name: target for name, target in links.items() if known.get(name) != link_json(target)}
    for field, kept_link in known.items():
        if not is_cleared(read_link(kept_link)) and _led_elsewhere(ctx, kept_link, desired.links.get(field), links):
            changed[field] = LinkRef(kept_link[0], "")
    withheld = ctx.standing.withheld.get((desired.object, desired.key, desired.part))
    if withheld:
        fields = {name: value for name, value in fields.items() if name not in withheld}
        changed = {name: target for name, target in changed.items() if f"@{name}" not in withheld}
    if (not fields and not changed) or (withheld and "" in withheld):
        return None
    coming = {
        name: target
        for name, target in changed.items()
        if target.object in order.numbers and not is_cleared(target) and not _linked(ctx, target)
    }
    image = _before(ctx, link, fields, changed)
    name = (desired.entry, desired.object, desired.key, desired.part)
    level = order.level_after(coming) if coming else level
    return Planned("update", *name, fields, changed, level, link.destination_id, image)


def _before(ctx: RunContext, link: Link, fields: Mapping[str, JSON], links: Mapping[str, LinkRef]) -> dict[str, JSON]:
    """Return what an update replaces: an adopted record's own value, as the account had it, or what was written last.

    A link stands under `@NAME`.
    """
    written: dict[str, Any] = link.wanted["fields"]
    had = {n: v for n, v in link.wanted.get("had", {}).items() if n in fields}
    same = ctx.writer.comparable(link.object, {name: written.get(name) for name in had})
    own = {n for n, v in ctx.writer.comparable(link.object, had).items() if same.get(n) == v}
    image = {name: had[name] if name in own else written.get(name) for name in fields}
    return {**image, **{f"@{name}": link.wanted["links"].get(name) for name in links}}


def _led_elsewhere(
    ctx: RunContext, kept: Sequence[Any], wanted: LinkRef | None, reachable: Mapping[str, LinkRef]
) -> bool:
    """Tell whether a link that was written must go: none is wanted, or one to a record that is not there.

    Left as it is, it would lead to a record that the source says it does not lead to.
    """
    if wanted is None:
        return True
    return wanted.object != ctx.behaviours.user and wanted not in reachable.values() and link_json(wanted) != kept


def _linked(ctx: RunContext, target: LinkRef) -> bool:
    return ctx.journal.records.link(target.object, target.key, target.part) is not None


def _reachable(ctx: RunContext, target: LinkRef) -> bool:
    if target.object == ctx.behaviours.user:
        return target.key in ctx.owners or target.fallback
    if _linked(ctx, target):
        return True
    exists, verdict = ctx.journal.records.verdict(target.object, target.key, target.part)
    if not exists or verdict is not None:
        return False
    last = None if target.required else ctx.journal.operations.last(target.object, target.key, target.part)
    return last is None or last.state != "rejected"


def _order_within(ctx: RunContext, object_: str) -> tuple[dict[str, int], dict[str, set[str]]]:
    """Order records that point to records of the same object which are not there yet.

    :return: key to depth (a parent's is lower), and key to the links that would close a circle: they are written
        by a second operation, once both ends exist.
    """
    edges: dict[str, dict[str, str]] = {}
    for desired in ctx.journal.planning.within(object_):
        edges[desired.key] = {n: t.key for n, t in desired.links.items() if t.object == object_ and not _linked(ctx, t)}
    depths: dict[str, int] = {}
    cut: dict[str, set[str]] = {}
    for start in edges:
        _walk(start, edges, depths, cut)
    return depths, cut


def _walk(start: str, edges: Mapping[str, Mapping[str, str]], depths: dict[str, int], cut: dict[str, set[str]]) -> None:
    """Give depths to `start` and all it points to, without recursion; cut each link that closes a circle."""
    path, open_ = [start], {start}
    while path:
        key = path[-1]
        if key in depths:
            open_.discard(path.pop())
            continue
        onward = None
        for name, target in edges.get(key, {}).items():
            if target in open_:
                cut.setdefault(key, set()).add(name)
            elif target not in depths and target in edges:
                onward = target
                break
        if onward is not None:
            path.append(onward)
            open_.add(onward)
            continue
        parents = [t for name, t in edges.get(key, {}).items() if name not in cut.get(key, ())]
        depths[key] = 1 + max((depths.get(t, 0) for t in parents), default=-1)
        open_.discard(path.pop())


def _summary(ctx: RunContext, counts: Mapping[tuple[str, str], int], cleared: int) -> PlanSummary:
    objects, records = ctx.behaviours.objects, ctx.journal.records
    held = {object_: records.expected(object_, sampled=ctx.sampled) for object_ in objects}
    price = price_load(ctx.behaviours, Load(counts, records.counts(sampled=ctx.sampled), held), ctx.writer.spent())
    hashes = sample_size(ctx.behaviours, price.minimum, held)
    hashing = hashes * max(each.cost.get("hash", 0) for each in objects.values())
    return PlanSummary(dict(counts), price.tokens + hashing, price.minimum, cleared, records.unwanted(), hashes, price)
