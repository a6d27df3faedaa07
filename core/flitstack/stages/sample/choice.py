"""Chooses a sample: representative, made to break things, closed over links, and the same for the same input."""

from __future__ import annotations

import heapq
import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from flitstack.stages.sample.traits import traits

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from flitstack.journal import Root
    from flitstack.protocols import JSON
    from flitstack.stages.context import RunContext

DEFAULT_SIZE = 200
FEW = 50
"""Of a field with at most this many values, the sample holds every one."""
CANDIDATES = 8
CONTROL = 0.1
BESIDE, BESIDE_AT_LEAST = 0.2, 10
TWINS = 6
MANY = 4
NAMING = ("name", "emails", "phones")

Token = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Uncovered:
    """Values of one field that are not in the sample.

    :param of: how many values the field has. :param stay: how many of the missing are only in records that stay behind.
    """

    stream: str
    field: str
    missing: int
    of: int
    stay: int = 0


@dataclass(frozen=True, slots=True)
class Sample:
    """What was chosen.

    :param size: records of the main stream in it, parents that came along included; `asked` for, and there are `of`.
    :param chosen: of them for what they hold, `control` by chance, `along` because another one's links lead there.
    :param beside: what hangs on nothing of the main stream (organizations, leads).
    :param fields: with at most fifty values; `values` of them, of which the sample has `covered`.
    :param uncovered: where it lacks some.
    :param open_links: links that lead out of the sample; 0 when it is closed.
    """

    stream: str
    asked: int
    size: int
    of: int
    chosen: int
    control: int
    along: int
    beside: int
    fields: int
    values: int
    covered: int
    uncovered: tuple[Uncovered, ...]
    objects: Mapping[str, int]
    open_links: int
    random: bool = False

    @property
    def fitting(self) -> int:
        """Return how many values that do move found no room."""
        return sum(each.missing - each.stay for each in self.uncovered)


@dataclass(slots=True)
class _Values:
    """The values of one field and the units that have each; `by_value` is None once there are more than a few."""

    by_value: dict[str, list[tuple[int, int]]] | None = field(default_factory=dict)
    by_trait: dict[str, list[tuple[int, int]]] = field(default_factory=dict)
    longest: tuple[int, int] = (0, 0)
    least: tuple[str, int] | None = None
    most: tuple[str, int] | None = None


class _Index:
    """What there is to cover, with a few candidates for each: units are known by their number and a rank by chance."""

    def __init__(self, ranks: Mapping[int, int]) -> None:
        self._ranks = ranks
        self.fields: dict[tuple[str, str], _Values] = {}

    def add(self, place: str, name: str, value: JSON, root: int | None) -> None:
        """Note that a unit has a value; one without unit stays behind."""
        values = self.fields.setdefault((place, name), _Values())
        text = _text(value)
        if values.by_value is not None and text is not None:
            holders = values.by_value.setdefault(text, [])
            if len(values.by_value) > FEW:
                values.by_value = None
            else:
                self._offer(holders, root)
        if root is None:
            return
        for trait in traits(value if not isinstance(value, list | dict) else text):
            self._offer(values.by_trait.setdefault(trait, []), root)
        if text is not None:
            self._extremes(values, text, root)

    def _extremes(self, values: _Values, text: str, root: int) -> None:
        if len(text) > values.longest[0]:
            values.longest = (len(text), root)
        if text[:1].isdigit():
            if values.least is None or text < values.least[0]:
                values.least = (text, root)
            if values.most is None or text > values.most[0]:
                values.most = (text, root)

    def _offer(self, holders: list[tuple[int, int]], root: int | None) -> None:
        """Keep the candidates that come first by chance, each once."""
        if root is None:
            return
        item = (-self._ranks.get(root, 0), root)
        if item in holders:
            return
        if len(holders) < CANDIDATES:
            heapq.heappush(holders, item)
        else:
            heapq.heappushpop(holders, item)

    def few(self) -> Iterator[tuple[str, str, dict[str, list[tuple[int, int]]]]]:
        """Yield place, field and values of the fields that have few."""
        for (place, name), values in sorted(self.fields.items()):
            if values.by_value is not None:
                yield place, name, values.by_value

    def candidates(self) -> set[int]:
        """Return the units that are worth a look."""
        found: set[int] = set()
        for values in self.fields.values():
            for holders in (*(values.by_value or {}).values(), *values.by_trait.values()):
                found.update(root for _, root in holders)
            found.update(root for _, root in self._extreme(values))
        return found

    def tokens(self, place: str, name: str, value: JSON, root: int) -> Iterator[Token]:
        """Yield what a unit covers by having a value."""
        values = self.fields.get((place, name))
        if values is None:
            return
        text = _text(value)
        if values.by_value is not None and text is not None:
            yield ("value", place, name, text)
        for trait in traits(value if not isinstance(value, list | dict) else text):
            yield ("trait", place, name, trait)
        for kind, holder in self._extreme(values):
            if holder == root:
                yield ("extreme", place, name, kind)

    @staticmethod
    def _extreme(values: _Values) -> Iterator[tuple[str, int]]:
        if values.by_value is None:
            yield "longest", values.longest[1]
            if values.least is not None and values.most is not None:
                yield "least", values.least[1]
                yield "most", values.most[1]


def choose_sample(ctx: RunContext, stream: str, size: int, *, random: bool = False) -> Sample:
    """Choose from the desired records, keep the choice in the journal and return what it came to.

    :param stream: the main one: `size` of its records are chosen, with all that hangs on them.
    :param random: by chance alone, for comparison.
    """
    sampling = ctx.journal.sampling
    objects = [name for name in ctx.behaviours.objects if name not in ctx.behaviours.schema_objects]
    sampling.hang_together(objects)
    seed = ctx.journal.staging.fingerprint()
    roots = {root.pos: root for root in sampling.roots()}
    ranks = {pos: zlib.crc32(f"{seed}:{root.object}:{root.key}".encode()) for pos, root in roots.items()}
    index = _indexed(ctx, ranks)
    chooser = _Chooser(ctx, index, stream, size, roots, ranks)
    if not random:
        chooser.cover(_twins(ctx, roots))
    chooser.by_chance(random)
    found = {token for root in chooser.taken for token in _held(ctx, index, root)}
    sampling.choose(chooser.taken)
    return _summary(ctx, chooser, index, found, random)


def _indexed(ctx: RunContext, ranks: Mapping[int, int]) -> _Index:
    """Look at all source records and all desired records once."""
    index, sampling = _Index(ranks), ctx.journal.sampling
    for stream in sampling.streams():
        for root, data in sampling.source_records(stream):
            for name, value in data.items():
                index.add(stream, name, value, root)
        ctx.stop.check()
    for root, entry, fields, links in sampling.desired_records():
        for name, value in _made(fields, links):
            index.add(f"> {entry}", name, value, root)
    return index


def _held(ctx: RunContext, index: _Index, root: int) -> set[Token]:
    """Return all that a unit covers."""
    sources, made = ctx.journal.sampling.unit(root)
    tokens: set[Token] = set()
    counts: dict[str, int] = {}
    for stream, data in sources:
        counts[stream] = counts.get(stream, 0) + 1
        for name, value in data.items():
            tokens.update(index.tokens(stream, name, value, root))
    for entry, fields, links in made:
        for name, value in _made(fields, links):
            tokens.update(index.tokens(f"> {entry}", name, value, root))
    tokens.update(("count", stream, str(min(n, MANY))) for stream, n in counts.items())
    return tokens


def _made(fields: Mapping[str, JSON], links: Mapping[str, Sequence[Any]]) -> Iterator[tuple[str, JSON]]:
    """Yield what a desired record holds that can be told apart: fields, how many a list has, and where links lead."""
    for name, value in fields.items():
        if isinstance(value, list):
            yield f"{name} (how many)", str(len(value))
            if all(isinstance(item, str) for item in value):
                yield from ((name, item) for item in value)
        else:
            yield name, value
    for name, link in links.items():
        yield name, f"{link[0]} {link[1]}"


def _text(value: JSON) -> str | None:
    if value is None or value == "":
        return None
    if isinstance(value, dict):
        return str(value.get("value", ""))
    return str(value)


def _twins(ctx: RunContext, roots: Mapping[int, Root]) -> list[int]:
    """Return a few units that share with another what people are told apart by: the same name, e-mail or phone."""
    seen: dict[tuple[str, str, str], int] = {}
    pairs: list[int] = []
    for root, entry, fields, _ in ctx.journal.sampling.desired_records():
        if root not in roots:
            continue
        for name in NAMING:
            value = fields.get(name)
            items = (
                [str(item.get("value")) for item in value if isinstance(item, dict)] if isinstance(value, list) else []
            )
            for text in [*items, *([value.casefold()] if isinstance(value, str) else [])]:
                other = seen.setdefault((entry, name, text), root)
                if other != root and len(pairs) < TWINS:
                    pairs += [each for each in (other, root) if each not in pairs]
        if len(pairs) >= TWINS:
            break
    return pairs


class _Chooser:
    """Takes units until the sample is full."""

    def __init__(
        self,
        ctx: RunContext,
        index: _Index,
        stream: str,
        size: int,
        roots: Mapping[int, Root],
        ranks: Mapping[int, int],
    ) -> None:
        self._ctx, self._index = ctx, index
        self.stream, self.asked = stream, size
        self.main = {pos for pos, root in roots.items() if root.stream == stream}
        self._roots, self._ranks = roots, ranks
        self._room_beside = max(BESIDE_AT_LEAST, int(size * BESIDE))
        self._beside = 0
        self.taken: dict[int, str] = {}

    def count(self, *why: str) -> int:
        """Return how many of the main stream were taken, for one of these reasons if any is given."""
        return sum(pos in self.main and (not why or reason in why) for pos, reason in self.taken.items())

    def cover(self, twins: Sequence[int]) -> None:
        """Take what holds most that is not there yet, for what it costs, until all is there or the room is used up."""
        index, room = self._index, self.asked - int(self.asked * CONTROL)
        for root in twins:
            self._take(root, "chosen", room)
        held = {root: _held(self._ctx, index, root) for root in sorted(index.candidates()) if root in self._roots}
        covered: set[Token] = set()
        for root in self.taken:
            covered |= held.get(root) or _held(self._ctx, index, root)
        queue = [(-self._worth(root, tokens, covered), self._ranks[root], root) for root, tokens in held.items()]
        heapq.heapify(queue)
        while queue:
            _, rank, root = heapq.heappop(queue)
            worth = self._worth(root, held[root], covered)
            if root in self.taken or not worth:
                continue
            if queue and -worth > queue[0][0]:
                heapq.heappush(queue, (-worth, rank, root))
                continue
            for each in self._take(root, "chosen", room):
                covered |= held.get(each) or _held(self._ctx, index, each)

    def _worth(self, root: int, tokens: set[Token], covered: Collection[Token]) -> float:
        gain = sum(self._weight(token) for token in tokens if token not in covered)
        new = sum(each in self.main for each in self._closure(root) if each not in self.taken)
        return gain / max(1, new)

    def _weight(self, token: Token) -> float:
        """Return how much a token counts: the fewer values a field has, the more each of them."""
        if token[0] != "value":
            return 1.0
        values = self._index.fields[token[1], token[2]].by_value
        return 1.0 + FEW / len(values) if values else 1.0

    def by_chance(self, alone: bool) -> None:
        """Fill what room is left by chance."""
        order = sorted(self._roots, key=lambda pos: (self._ranks[pos], pos))
        beside = [pos for pos in order if pos not in self.main]
        share = self.asked / max(1, len(self.main))
        for pos in (pos for pos in order if pos in self.main):
            if self.count() >= self.asked:
                break
            self._take(pos, "control", self.asked)
        for pos in beside[: int(len(beside) * min(1.0, share)) if alone else 0]:
            self._take(pos, "control", self.asked)

    def _take(self, root: int, why: str, room: int) -> list[int]:
        """Take a unit and all that its links lead to; nothing when there is no room for all of it."""
        if root in self.taken:
            return []
        new = [each for each in self._closure(root) if each not in self.taken]
        added = sum(each in self.main for each in new)
        if added and self.count() + added > room:
            return []
        if not added and self._beside >= self._room_beside:
            return []
        self._beside += not added
        for each in new:
            self.taken[each] = why if each == root else "along"
        return new

    def _closure(self, root: int) -> list[int]:
        found, ahead = [root], [root]
        while ahead:
            for other in self._ctx.journal.sampling.leads_to(ahead.pop()):
                if other not in found:
                    found.append(other)
                    ahead.append(other)
        return found


def _summary(ctx: RunContext, chooser: _Chooser, index: _Index, found: Collection[Token], random: bool) -> Sample:
    fields = values = covered = 0
    uncovered: list[Uncovered] = []
    for place, name, by_value in index.few():
        there = sum(("value", place, name, text) in found for text in by_value)
        stay = sum(not holders for holders in by_value.values())
        fields, values, covered = fields + 1, values + len(by_value), covered + there
        if there < len(by_value):
            uncovered.append(Uncovered(place.removeprefix("> "), name, len(by_value) - there, len(by_value), stay))
    sampling = ctx.journal.sampling
    return Sample(
        chooser.stream, chooser.asked, chooser.count(), len(chooser.main), chooser.count("chosen"),
        chooser.count("control"), chooser.count("along"), len(chooser.taken) - chooser.count(), fields, values, covered,
        tuple(uncovered), sampling.counts(), sampling.open_links(ctx.behaviours.user), random,
    )  # fmt: skip
