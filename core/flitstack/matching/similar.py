"""How alike two words are: typing errors, sound, and the short forms of given names."""

from __future__ import annotations

from functools import lru_cache

from flitstack.matching.nicknames import FORMS

FAR = 9
ALIKE = (0.9, 0.8, 0.6)
_CODES = {
    letter: code for code, letters in enumerate(("bfpv", "cgjkqsxz", "dt", "l", "mn", "r"), 1) for letter in letters
}


def edits(left: str, right: str, most: int = 3) -> int:
    """Return how many typing errors lie between (a letter more, less or other, two swapped); `FAR` when over `most`.

    Source: F. J. Damerau, "A technique for computer detection and correction of spelling errors", CACM 7 (1964).
    """
    if left == right:
        return 0
    if abs(len(left) - len(right)) > most or len(set(left) ^ set(right)) > 2 * most:
        return FAR
    before: list[int] = []
    row = list(range(len(right) + 1))
    for i, a in enumerate(left, 1):
        ahead = [i]
        for j, b in enumerate(right, 1):
            cost = row[j - 1] if a == b else 1 + min(row[j], ahead[-1], row[j - 1])
            if i > 1 and j > 1 and a == right[j - 2] and b == left[i - 2]:
                cost = min(cost, before[j - 2] + 1)
            ahead.append(cost)
        if min(ahead) > most:
            return FAR
        before, row = row, ahead
    return row[-1] if row[-1] <= most else FAR


@lru_cache(maxsize=1 << 16)
def sound(word: str) -> str:
    """Return how a word begins to sound: its first letter and three consonant classes (Soundex, U.S. patent 1918)."""
    if not word:
        return ""
    digits, last = [], _CODES.get(word[0], 0)
    for letter in word[1:]:
        code = _CODES.get(letter, 0)
        if code and code != last:
            digits.append(str(code))
        if letter not in "hw":
            last = code
    return (word[0] + "".join(digits) + "000")[:4]


@lru_cache(maxsize=1 << 18)
def likeness(left: str, right: str) -> float:
    """Return 1.0 for the same word, less for one that typing errors explain or that sounds like it, 0.0 for another."""
    if left == right:
        return 1.0
    shorter = min(len(left), len(right))
    distance = edits(left, right, 0 if shorter < 3 else 1 if shorter < 5 else 2 if shorter < 8 else 3)
    if distance <= 3:
        return ALIKE[distance - 1]
    if shorter >= 4 and (left.startswith(right) or right.startswith(left)):
        return 0.7
    return 0.5 if shorter >= 5 and sound(left) == sound(right) else 0.0


def is_form_of(left: str, right: str) -> bool:
    """Tell whether two given names are forms of one: Bob and Robert, Liz and Elizabeth."""
    return not FORMS.get(left, frozenset()).isdisjoint(FORMS.get(right, frozenset()))
