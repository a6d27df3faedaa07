"""Finds the name by which a layout knows a file within the name that an export gave it, with its day or a prefix."""

from __future__ import annotations

import re
from collections import Counter
from functools import lru_cache
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from flitstack_dental.dialect import normalise

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from collections.abc import Set as AbstractSet

_WORD = re.compile(r"[^\W\d_]+|\d+")


@lru_cache(maxsize=8192)  # asked for every file in every role of every layout
def plain_stem(name: str) -> str:
    """Return a file's name as layouts write it: `SdPat (2).csv` is `sdpat`."""
    return normalise(_stem(name))


def known_within(names: Sequence[str], known: AbstractSet[str]) -> dict[str, str]:
    """Return, by file, the known name that its own name holds; of files that are known as they are, nothing.

    What stands beside it must be numbers, such as a day, or words that half of all files have, such as the practice's
    name. A known name may hold a day itself: a later export has another. A name that two files would have is neither's.

    :param names: all text files of the export, :param known: normalised names of the layouts' files.
    """
    words = {name: [word.lower() for word in _WORD.findall(_stem(name))] for name in names}
    times = Counter(word for each in words.values() for word in set(each))
    shared = {word for word, n in times.items() if n > 1 and n * 2 >= len(names)}
    bare = _only_ones((_letters(_WORD.findall(name)), name) for name in known)
    found: dict[str, str] = {}
    for name in names:
        if plain_stem(name) in known:
            continue
        runs = {"".join(run): run for run in _runs(words[name], shared)}
        for text in sorted(runs, key=len, reverse=True):
            if role := text if text in known else bare.get(_letters(runs[text]), ""):
                found[name] = role
                break
    taken = Counter([*found.values(), *map(plain_stem, names)])
    return {name: role for name, role in found.items() if taken[role] == 1}


def _stem(name: str) -> str:
    return re.sub(r"[ _-]*\(\d+\)$", "", PurePosixPath(name).stem)


def _runs(words: Sequence[str], shared: AbstractSet[str]) -> list[Sequence[str]]:
    """Return the parts of a name beside which there are only numbers and shared words."""

    def plain(outside: Sequence[str]) -> bool:
        return all(word.isdigit() or word in shared for word in outside)

    return [
        words[start:end]
        for start in range(len(words))
        for end in range(start + 1, len(words) + 1)
        if plain(words[:start]) and plain(words[end:])
    ]


def _letters(words: Sequence[str]) -> str:
    return "".join(word for word in words if not word.isdigit())


def _only_ones(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return the pairs whose first is there once and not empty."""
    listed = list(pairs)
    times = Counter(first for first, _ in listed)
    return {first: second for first, second in listed if first and times[first] == 1}
