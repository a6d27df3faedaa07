"""Scores every column of a file against every target: by name, by what the cells are, and by what they point to."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from flitstack.mapping.proposing.names import NameIndex, Vocabulary
from flitstack.mapping.proposing.profiles import Profile, fit, profile

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flitstack.protocols import Lexicon, SampledColumn, SampledFile, Target

_PER_COLUMN = 24
_CELLS_COUNT = 0.25
_AGAINST = 0.7
_POINTS = 0.2
_ENOUGH_IDS = 8
_PROVED, _PROVED_NUMBERS = 0.6, 0.9
_MOST = 0.8
_BY_CELLS = 0.5


@dataclass(frozen=True, slots=True)
class Scored:
    """One column against one target.

    :param name: how well the header names it, 0 to 1; `fit` how its cells go with it, -1 to 1.
    :param points: how many of its cells are ids of the stream the target refers to; None where that is unknown.
    :param proved: these are so many that it surely points there.
    :param said: in words, what speaks for it in the name's place; "" for the name.
    """

    target: int
    name: float
    fit: float
    why: str = ""
    points: float | None = None
    proved: bool = False
    said: str = ""

    @property
    def score(self) -> float:
        """All of it in one number, about 0 to 1.4."""
        cells = self.fit * (_CELLS_COUNT if self.fit > 0 else _AGAINST)
        points = 0.0 if self.points is None else (self.points - 0.5) * 2 * _POINTS
        return self.name + cells * (0.4 + 0.6 * self.name) + points


class Scorer:
    """All targets of a source, ready to be compared with files."""

    def __init__(self, targets: Sequence[Target], lexicon: Lexicon) -> None:
        phrases = [name for target in targets for name in (target.field, *target.names)]
        phrases += [name for stream, names in lexicon.streams.items() for name in (stream, *names)]
        self.targets = tuple(targets)
        self.vocabulary = Vocabulary(lexicon, phrases)
        self.stream_names = {
            stream: [self.vocabulary.words(name) for name in (stream, *lexicon.streams.get(stream, ()))]
            for stream in dict.fromkeys(home for target in targets for home in target.homes)
        }
        self._names = NameIndex(targets, self.vocabulary, self.stream_names)

    def score_file(self, file: SampledFile) -> list[list[Scored]]:
        """Return per column its best targets, whatever their stream, the best first."""
        common = self._common([column.name for column in file.columns])
        return [self._score_column(column, common) for column in file.columns]

    def _score_column(self, column: SampledColumn, common: frozenset[str]) -> list[Scored]:
        found = profile(column)
        scored = [
            self._scored(at, name, found) for at, name in self._names.scores(column.name, common).items() if name > 0.1
        ]
        if found.email > _MOST and found.distinct > _BY_CELLS:
            named = {each.target for each in scored}
            unnamed = [at for at, t in enumerate(self.targets) if t.looks == "email" and at not in named]
            scored += [replace(self._scored(at, _BY_CELLS, found), said="its header does not say so") for at in unnamed]
        scored.sort(key=lambda each: (-each.score, each.target))
        return _spread(scored, self.targets)

    def _scored(self, at: int, name: float, found: Profile) -> Scored:
        value, why = fit(found, self.targets[at])
        return Scored(at, name, value, why)

    def reference(self, stream: str, to: str) -> int | None:
        """Return the place of a stream's field that by its name refers to another stream: `member_id` of members."""
        words = set(self.vocabulary.words(to))
        for at, target in enumerate(self.targets):
            if target.stream == stream and not target.part and target.schema.get("x-references") == to:
                if set(self.vocabulary.words(target.field)) - set(self.vocabulary.words("id")) == words:
                    return at
        return None

    def _common(self, headers: Sequence[str]) -> frozenset[str]:
        """Return the words that more than half of the headers share: a prefix of the file's, no part of a name."""
        times = Counter(word for header in headers for word in set(self.vocabulary.words(header)))
        return frozenset(word for word, n in times.items() if len(headers) > 4 and n > len(headers) / 2)


def _spread(scored: Sequence[Scored], targets: Sequence[Target]) -> list[Scored]:
    """Return the best of each stream rather than many of one: the file's stream is not known yet."""
    kept: list[Scored] = []
    per_home: Counter[str] = Counter()
    for each in scored:
        homes = targets[each.target].homes
        if any(per_home[home] < _PER_COLUMN for home in homes):
            per_home.update(homes)
            kept.append(each)
    return kept


@dataclass(frozen=True, slots=True)
class Ids:
    """The ids of a stream: the header of their column, and the cells as written; of a file that was read whole."""

    header: str
    cells: frozenset[str]

    @property
    def plain(self) -> bool:
        """Say whether they are bare numbers, which other columns may hold by chance."""
        return all(cell.isdigit() for cell in self.cells)


def with_references(
    scored: Sequence[Scored], column: SampledColumn, scorer: Scorer, stream: str, ids: Mapping[str, Ids]
) -> list[Scored]:
    """Return the scores of a column again, now that it is known which cells are ids of which stream.

    :param stream: what the column's file is.
    :param ids: per stream the ids seen, where only one file is that stream.
    """
    cells = {cell.strip() for cell in column.values}
    found = []
    for each in scored:
        to = str(scorer.targets[each.target].schema.get("x-references", ""))
        if to in ids and len(cells) >= _ENOUGH_IDS and len(ids[to].cells) >= _ENOUGH_IDS:
            share = len(cells & ids[to].cells) / len(cells)
            each = replace(each, points=share, proved=share > (_PROVED_NUMBERS if ids[to].plain else _PROVED))
        found.append(each)
    for to, those in ids.items():
        if to != stream and cells and cells <= those.cells and column.name == those.header:
            at = scorer.reference(stream, to)
            found = [each for each in found if each.target != at]
            if at is not None:
                said = f"it has the same header as the id of {to}"
                found.append(Scored(at, 1.0, 0.0, "", 1.0, proved=len(cells) >= _ENOUGH_IDS, said=said))
    return sorted(found, key=lambda each: (-each.score, each.target))
