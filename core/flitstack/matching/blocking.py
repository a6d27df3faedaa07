"""Which records are worth comparing: those that share one of several keys, so that nobody is compared with everybody.

A key that many share (a common name, a birth date that stands for none) is not skipped: its records are sorted, and
each is compared with its next neighbours, so the work grows with the number of records and not with its square.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flitstack.matching.similar import sound

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from flitstack.matching.facts import Facts, Frequencies

LARGEST = 24
NEIGHBOURS = 6
RAREST = 3


def candidates(
    everybody: Sequence[Facts], frequencies: Frequencies, others: Sequence[Facts] | None = None
) -> Iterator[tuple[Facts, Facts]]:
    """Yield pairs that share a key, each once.

    :param others: the second set, when one is compared with another; None when one is compared within itself.
    """
    blocks: dict[str, list[int]] = {}
    whole = [*everybody, *(others or ())]
    for number, facts in enumerate(whole):
        for key in keys(facts, frequencies):
            blocks.setdefault(key, []).append(number)
    border = len(everybody) if others is not None else None
    seen: set[int] = set()
    for block in blocks.values():
        for left, right in _pairs(block, whole, border):
            code = left * len(whole) + right
            if code not in seen:
                seen.add(code)
                yield whole[left], whole[right]


def _pairs(block: list[int], whole: Sequence[Facts], border: int | None) -> Iterator[tuple[int, int]]:
    reach = len(block)
    if reach > LARGEST:
        block = sorted(block, key=lambda number: _order(whole[number]))
        reach = NEIGHBOURS + 1
    for place, one in enumerate(block):
        for other in block[place + 1 : place + reach]:
            left, right = (one, other) if one < other else (other, one)
            if border is None or left < border <= right:
                yield left, right


def _order(facts: Facts) -> tuple[tuple[str, ...], str, tuple[str, ...], str]:
    return facts.family, facts.birth, facts.given, facts.id


def keys(facts: Facts, frequencies: Frequencies) -> Iterator[str]:
    """Yield the keys of one record."""
    yield from (f"phone {number}" for number in facts.phones)
    yield from (f"email {email}" for email in facts.emails)
    sounds = sorted({sound(name) for name in facts.names})
    if len(sounds) > 1:
        yield f"names {' '.join(sounds)}"
    for name in facts.names:
        if frequencies.given[name] + frequencies.family[name] <= LARGEST:
            yield f"name {name}"
    if facts.is_organization:
        yield from (f"word {word}" for word in facts.family)
    if facts.birth:
        yield f"born {facts.birth}"
        year, month, day = facts.birth[:4], facts.birth[4:6], facts.birth[6:]
        for heard in sounds:
            yield f"year {year} {heard}"
            yield f"day {''.join(sorted((month, day)))} {heard}"
    if facts.words:
        rarest = sorted(facts.words, key=lambda word: (frequencies.words[word], word))
        telling = sorted(rarest[: RAREST + 1])
        for place, word in enumerate(telling):
            yield from (f"place {word} {other}" for other in telling[place + 1 :])
        for heard in sounds:
            yield from (f"at {word} {heard}" for word in rarest[:RAREST])
