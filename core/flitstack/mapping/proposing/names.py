"""Reads a header as words, abbreviations resolved by a lexicon, and weighs how well it fits a target's name."""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter, defaultdict
from dataclasses import dataclass
from functools import cache
from itertools import takewhile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from flitstack.protocols import Lexicon, Target

_PIECES = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|[^\W\d_]+|\d+")
_NUMBER_SIGN = re.compile(r"#|№")
_LONGEST_PHRASE = 3
_SHORTEST_TO_SPLIT = 4
_COMMON = 0.15
"""Weight of a word that says little here: the stream's own name, one that most columns of the file share, a number."""
_UNKNOWN = 0.7
"""Weight of a word that no target knows, as a share of the rarest word's."""
_NEAREST = 60
_START, _ROOT, _ROOT_SHARE = 3, 4, 0.55
_SHORTENED, _SHORTENED_MUCH, _KIN = 0.8, 0.6, 0.7


@dataclass(frozen=True, slots=True)
class _Measure:
    """How two names are compared: what they share, by the mean of what each has.

    :param words, letters: to which power the weight of a word, and of a group of three letters, is taken.
    :param by_letters: how much of the whole the letters are; the rest are words.
    """

    words: int
    letters: int
    by_letters: float
    mean: Callable[[float, float], float]

    def alike(self, shared: float, one: float, other: float) -> float:
        """Return how alike two names are, 0 to about 1, of the weight they share and of their own."""
        whole = self.mean(one, other)
        return shared / whole if whole else 0.0


# Dice's coefficient where a lexicon has already made synonyms one word; the cosine of TF-IDF where none has, so that
# rare words have to carry it. Each was the better one on the sets in view (docs/proposing.md, How good it is).
_DICE = _Measure(words=1, letters=0, by_letters=0.25, mean=lambda one, other: (one + other) / 2)
_COSINE = _Measure(words=2, letters=2, by_letters=0.10, mean=lambda one, other: math.sqrt(one * other))


class Vocabulary:
    """The words that headers are made of; `measure` is how names made of them are compared."""

    def __init__(self, lexicon: Lexicon, phrases: Iterable[str]) -> None:
        self._resolved: dict[tuple[str, ...], tuple[str, ...]] = {}
        known = {word for phrase in phrases for word in _pieces(phrase)}
        for meaning, spellings in lexicon.words.items():
            meant = tuple(_pieces(meaning))
            known.update(meant)
            for spelling in spellings:
                self._resolved[tuple(_pieces(spelling))] = meant
                known.update(_pieces(spelling))
        self._known = known
        self.measure = _DICE if lexicon.words else _COSINE
        self._words: dict[str, tuple[str, ...]] = {}

    def words(self, header: str) -> tuple[str, ...]:
        """Return the header's words, abbreviations spelt out: `CustLName` is `customer last name`."""
        if header not in self._words:
            pieces = [word for piece in _pieces(header) for word in self._split(piece)]
            self._words[header] = tuple(self._resolve(pieces))
        return self._words[header]

    def _split(self, piece: str) -> tuple[str, ...]:
        """Return the fewest known words that make up a piece (`lastname`), or the piece."""
        if piece in self._known or len(piece) < _SHORTEST_TO_SPLIT:
            return (piece,)
        best: list[tuple[str, ...] | None] = [(), *[None] * len(piece)]
        for end in range(1, len(piece) + 1):
            for start in range(max(0, end - 14), end):
                before, word = best[start], piece[start:end]
                if before is None or len(word) < 2 or (_singular(word) not in self._known and word not in self._known):
                    continue
                found = (*before, word)
                if best[end] is None or len(found) < len(best[end] or ()):
                    best[end] = found
        return best[-1] or (piece,)

    def _resolve(self, pieces: Sequence[str]) -> list[str]:
        found: list[str] = []
        at = 0
        while at < len(pieces):
            for length in range(min(_LONGEST_PHRASE, len(pieces) - at), 0, -1):
                phrase = tuple(pieces[at : at + length])
                meant = (
                    self._resolved.get(phrase)
                    or self._resolved.get(tuple(map(_singular, phrase)))
                    or self._resolved.get(("".join(phrase),))
                )
                if meant is not None:
                    found += map(_singular, meant)
                    at += length
                    break
            else:
                found.append(_singular(pieces[at]))
                at += 1
        return list(dict.fromkeys(found))


def _pieces(text: str) -> list[str]:
    if not any(map(str.isalpha, text)):
        return []  # a number heads anything: it says nothing
    text = _NUMBER_SIGN.sub(" number ", text)
    plain = "".join(c for c in unicodedata.normalize("NFKD", text.replace("ß", "ss")) if not unicodedata.combining(c))
    return [piece.lower() for piece in _PIECES.findall(plain)]


@cache
def _singular(word: str) -> str:
    if len(word) > 3 and word.endswith("ies"):
        return word[:-3] + "y"
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word


def _kinship(word: str, other: str) -> float:
    """Return how surely one word is meant by another: `path` shortens `pathologic`, `staging` is kin to `stage`."""
    if len(word) >= _START and other.startswith(word):
        return _SHORTENED if len(word) > _START else _SHORTENED_MUCH
    same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(word, other, strict=False)))
    return _KIN if same >= _ROOT and same >= _ROOT_SHARE * max(len(word), len(other)) else 0.0


@cache
def _letters(words: tuple[str, ...]) -> frozenset[str]:
    text = f" {' '.join(words)} "
    return frozenset(text[at : at + 3] for at in range(len(text) - 2))


class NameIndex:
    """All names of all targets, ready to be compared with headers."""

    def __init__(
        self, targets: Sequence[Target], vocabulary: Vocabulary, stream_names: Mapping[str, Sequence[tuple[str, ...]]]
    ) -> None:
        self._vocabulary = vocabulary
        self._targets = targets
        self._stream_names = {stream: [frozenset(name) for name in names] for stream, names in stream_names.items()}
        self._stream_words = {stream: frozenset().union(*names) for stream, names in self._stream_names.items()}
        self._names: list[tuple[int, frozenset[str], frozenset[str]]] = []
        self._by_word: dict[str, list[int]] = defaultdict(list)
        self._by_letters: dict[str, list[int]] = defaultdict(list)
        seen: Counter[str] = Counter()
        for at, target in enumerate(targets):
            of_target = {vocabulary.words(name) for name in (target.field, *target.names)}
            seen.update({word for words in of_target for word in words})
            for words in sorted(of_target):
                self._add(at, words)
        whole = len(targets) or 1
        self._measure = vocabulary.measure
        self._weights = {word: math.log(1 + whole / times) for word, times in seen.items()}
        self._unknown = math.log(1 + whole) * _UNKNOWN
        self._by_start: dict[str, list[str]] = defaultdict(list)
        for word in sorted(seen):
            self._by_start[word[:_START]].append(word)
        self._kin: dict[str, dict[str, float]] = {}
        self._letters_whole = [self._letters_weight(letters) for _, _, letters in self._names]

    def _add(self, at: int, words: tuple[str, ...]) -> None:
        number = len(self._names)
        self._names.append((at, frozenset(words), _letters(words)))
        for word in set(words):
            self._by_word[word].append(number)
        for letters in _letters(words):
            self._by_letters[letters].append(number)

    def _letters_weight(self, letters: Iterable[str]) -> float:
        return math.fsum(map(self._letter_weight, letters))

    def _letter_weight(self, letters: str) -> float:
        times = len(self._by_letters.get(letters, ())) or 1
        return float(math.log(1 + len(self._names) / times) ** self._measure.letters)

    def scores(self, header: str, common: frozenset[str]) -> dict[int, float]:
        """Return per target (by its place) how well the header names it, 0 to 1; 1 means word for word.

        :param common: words that most columns of the file share.
        """
        words = self._vocabulary.words(header)
        near = self._near(_letters(words))
        shared = {number for word in words for near_word in self._related(word) for number in self._by_word[near_word]}
        shared.update(sorted(near, key=lambda number: (-near[number], number))[:_NEAREST])
        by_letters = self._measure.by_letters
        found: dict[int, float] = {}
        for number in shared:
            at, name, _ = self._names[number]
            score = self._score(frozenset(words), name, at, common)
            if score < 1.0:
                score = (1 - by_letters) * score + by_letters * near.get(number, 0.0)
            if score > found.get(at, 0.0):
                found[at] = score
        return found

    def _near(self, letters: frozenset[str]) -> dict[int, float]:
        """Return the names that share groups of letters, with how alike they are by these."""
        shared: dict[int, list[float]] = defaultdict(list)
        for piece in letters:
            weight = self._letter_weight(piece)
            for number in self._by_letters.get(piece, ()):
                shared[number].append(weight)
        own = self._letters_weight(letters)
        return {n: self._measure.alike(math.fsum(w), own, self._letters_whole[n]) for n, w in shared.items()}

    def _score(self, words: frozenset[str], name: frozenset[str], at: int, common: frozenset[str]) -> float:
        home = self._targets[at].homes[0]
        if words == name or self._without(words - common, home) & self._without(name, home):
            return 1.0
        own = self._stream_words[home]

        def weight(word: str) -> float:
            full = self._weights.get(word, self._unknown)
            says_little = word in own or word in common or word.isdigit()
            return float((full * _COMMON if says_little else full) ** self._measure.words)

        met: dict[str, float] = {}
        for word in words:
            for near, share in self._related(word).items():
                if near in name:
                    met[near] = max(share, met.get(near, 0.0))
        shared = math.fsum(weight(near) * share for near, share in met.items())  # exact: a set's order changes nothing
        return min(0.99, self._measure.alike(shared, math.fsum(map(weight, words)), math.fsum(map(weight, name))))

    def _related(self, word: str) -> dict[str, float]:
        """Return the targets' words that a word stands for, with how much: itself, what it shortens, its kin."""
        if word not in self._kin:
            found = {other: share for other in self._by_start[word[:_START]] if (share := _kinship(word, other))}
            self._kin[word] = {**found, **({word: 1.0} if word in self._weights else {})}
        return self._kin[word]

    def _without(self, words: frozenset[str], stream: str) -> set[frozenset[str]]:
        """Return the words, and what is left of them without a whole name of the stream: `customer last name`."""
        return {words, *(words - name for name in self._stream_names[stream] if name < words)} - {frozenset()}
