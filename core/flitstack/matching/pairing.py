"""Whom to compare and what follows: probable duplicates within one set, and pairs between two sets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from flitstack.matching.blocking import candidates
from flitstack.matching.facts import Frequencies, facts_of
from flitstack.matching.people import Group, Match
from flitstack.matching.scoring import compare

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from flitstack.matching.people import Handling, Person

AMBIGUOUS = "another record fits as well"
CLEARLY = 6.0
"""Bits by which the best must lead the next, that the next does not count."""


def duplicates(people: Iterable[Person]) -> list[Group]:
    """Return groups of records that may each be one person, in the order of their first records.

    Groups to merge or to ask about hold everybody whom a chain of matches joins. Two who look alike and are two (twins;
    parent and child of one name) are a group of their own with the handling `keep`.
    """
    everybody = list({person.id: person for person in people}.values())
    known = [facts_of(person) for person in everybody]
    frequencies = Frequencies.of(known)
    found = [match for left, right in candidates(known, frequencies) if (match := compare(left, right, frequencies))]
    place = {person.id: number for number, person in enumerate(everybody)}
    return sorted(_groups(found, place), key=lambda group: [place[member] for member in group.ids])


def _groups(found: Sequence[Match], place: dict[str, int]) -> list[Group]:
    parent: dict[str, str] = {}

    def root(one: str) -> str:
        while parent.setdefault(one, one) != one:
            parent[one] = one = parent[parent[one]]
        return one

    for match in found:
        if match.handling != "keep":
            parent[root(match.left)] = root(match.right)
    joined: dict[str, list[Match]] = {}
    apart: list[list[Match]] = []
    for match in found:
        if root(match.left) == root(match.right):
            joined.setdefault(root(match.left), []).append(match)
        else:
            apart.append([match])
    return [_group(matches, place) for matches in (*joined.values(), *apart)]


def _group(matches: Sequence[Match], place: dict[str, int]) -> Group:
    ids = {member for match in matches for member in (match.left, match.right)}
    handlings = {match.handling for match in matches}
    handling: Handling = matches[0].handling if len(handlings) == 1 else "ask"
    strongest = sorted(matches, key=lambda match: -match.score)
    reasons = tuple(dict.fromkeys(words for match in strongest for words in match.reasons))
    return Group(tuple(sorted(ids, key=place.__getitem__)), handling, reasons, tuple(strongest))


@dataclass(frozen=True, slots=True)
class Pair:
    """One of ours with the one of theirs that it is, or may be.

    :param certain: nothing speaks against it, nothing else fits as well, and there is enough for it.
    :param reasons: in words, never a value; when it is not certain, why not is among them.
    """

    ours: str
    theirs: str
    score: float
    certain: bool
    reasons: tuple[str, ...]


def pair_up(ours: Iterable[Person], theirs: Iterable[Person]) -> list[Pair]:
    """Return, for each of ours that looks like one of theirs, the best; each of theirs is certain for one at most.

    Who looks alike and is somebody else (a twin, a parent of the same name) is not paired.
    """
    mine, others = [facts_of(person) for person in ours], [facts_of(person) for person in theirs]
    frequencies = Frequencies.of([*mine, *others])
    found = [
        match
        for left, right in candidates(mine, frequencies, others)
        if (match := compare(left, right, frequencies, by_ties=True)) and match.handling != "keep"
    ]
    found.sort(key=lambda match: (-match.score, match.left, match.right))
    of_ours: dict[str, list[Match]] = {}
    of_theirs: dict[str, list[Match]] = {}
    for match in found:
        of_ours.setdefault(match.left, []).append(match)
        of_theirs.setdefault(match.right, []).append(match)
    best = [_pair(matches[0], (*matches, *of_theirs[matches[0].right])) for matches in of_ours.values()]
    order = {facts.id: number for number, facts in enumerate(mine)}
    return sorted(best, key=lambda pair: order[pair.ours])


def _pair(match: Match, rivals: Sequence[Match]) -> Pair:
    contested = any(rival != match and rival.score > match.score - CLEARLY for rival in rivals)
    reasons = (AMBIGUOUS, *match.reasons) if contested else match.reasons
    return Pair(match.left, match.right, match.score, match.handling == "merge" and not contested, reasons)
