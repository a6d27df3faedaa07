"""Persons made comparable: names folded to plain letters, dates and numbers to digits, addresses to words."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from flitstack.matching.people import Person

SUFFIXES = {"jr": "jr", "junior": "jr", "sr": "sr", "senior": "sr", "ii": "ii", "iii": "iii", "iv": "iv"}
TITLES = frozenset({"mr", "mrs", "ms", "miss", "dr", "prof", "herr", "frau", "sir", "rev"})
LEGAL = frozenset({"inc", "llc", "ltd", "gmbh", "pllc", "pc", "pa", "dds", "dmd", "co", "corp", "the", "and"})
STREETS = {
    "street": "st", "str": "st", "strasse": "st", "road": "rd", "avenue": "ave", "av": "ave", "drive": "dr",
    "lane": "ln", "court": "ct", "crt": "ct", "place": "pl", "circuit": "cct", "cir": "cct", "circle": "cct",
    "crescent": "cr", "cres": "cr", "boulevard": "blvd", "highway": "hwy", "terrace": "tce", "close": "cl",
    "apartment": "apt", "unit": "apt", "suite": "apt", "north": "n", "south": "s", "east": "e", "west": "w",
    "saint": "st", "mount": "mt",
}  # fmt: skip
NOBODY = frozenset({"none", "no", "noemail", "unknown", "test", "na", "null", "nobody", "declined", "noreply"})
_LETTERS = str.maketrans({"ß": "ss", "æ": "ae", "ø": "o", "œ": "oe", "ł": "l", "đ": "d", "ð": "d", "þ": "th"})
_WORDS = re.compile(r"[^\W_]+")
_EXTENSION = re.compile(r"(?:x|ext\.?|extension)\s*\d+\s*$", re.IGNORECASE)
_NUMBER = re.compile(r"\+?\d[\d\s().\-]{5,}\d")
LOCAL_DIGITS = 7
TELLING_DIGITS = 9


@dataclass(slots=True)
class Facts:
    """What is compared of one person; empty where nothing is known.

    :param given: words of the given name. :param others: words of middle and preferred names.
    :param birth: eight digits, year first.
    :param words: of all addresses, in their order.
    """

    id: str
    given: tuple[str, ...]
    family: tuple[str, ...]
    others: tuple[str, ...]
    suffix: str
    birth: str
    sex: str
    emails: frozenset[str]
    phones: frozenset[str]
    words: tuple[str, ...]
    household: str
    is_organization: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """Return given and family name, each as one word."""
        return tuple(name for name in ("".join(self.given), "".join(self.family)) if name)


def fold(text: str) -> str:
    """Return text in small letters, without marks over them."""
    plain = unicodedata.normalize("NFKD", text.casefold().translate(_LETTERS))
    return "".join(letter for letter in plain if not unicodedata.combining(letter))


def facts_of(person: Person) -> Facts:
    """Return what is compared of a person."""
    given, family, suffix = _names(person)
    others = [*_words_of(person.middle), *_words_of(person.preferred), *given[1:]]
    return Facts(
        id=person.id,
        given=tuple(given[:1]),
        family=tuple(family),
        others=tuple(dict.fromkeys(others)),
        suffix=suffix,
        birth=birth_of(person.birth_date),
        sex={"f": "f", "m": "m"}.get(person.sex[:1].casefold(), ""),
        emails=frozenset(email for text in person.emails if (email := email_of(text))),
        phones=frozenset(number for text in person.phones for number in phones_of(text)),
        words=tuple(dict.fromkeys(word for text in person.addresses for word in address_words(text))),
        household=person.household,
        is_organization=person.is_organization,
    )


def _words_of(text: str) -> list[str]:
    return _WORDS.findall(fold(text.replace("'", "").replace("\u2019", "").replace("-", " ")))


def _names(person: Person) -> tuple[list[str], list[str], str]:
    """Return words of the given and of the family name, and the suffix, wherever it stands."""
    given, family = _words_of(person.given), _words_of(person.family)
    if person.is_organization:
        given, family = [], [word for word in _words_of(person.name or person.family) if word not in LEGAL]
    elif not given and "," in (whole := person.family or person.name):
        last, _, first = whole.partition(",")  # "Last, First (Preferred)" in one cell
        given, family = _words_of(first), _words_of(last)
        if given and given[0] in SUFFIXES:
            given, family = family[:1], [*family[1:], given[0]]
    elif not given and not family:
        words = [word for word in _words_of(person.name) if word not in TITLES]
        end = next((n for n in range(len(words), 0, -1) if words[n - 1] not in SUFFIXES), 0)
        given, family = words[: end - 1], words[max(0, end - 1) :]
    suffixes = [SUFFIXES[word] for word in (*_words_of(person.suffix), *family, *given[1:]) if word in SUFFIXES]
    family = [word for word in family if word not in SUFFIXES] or family
    return [word for word in given if word not in TITLES] or given, family, suffixes[0] if suffixes else ""


def birth_of(text: str) -> str:
    """Return eight digits, year first; "" for what is no date, and for days that stand for no day."""
    digits = text[:10].replace("-", "")
    if len(digits) != 8 or not digits.isdigit() or digits[:4] in ("0001", "1753") or digits in ("19000101", "00000000"):
        return ""
    return digits


def email_of(text: str) -> str:
    """Return an e-mail address in small letters; "" for what is none, or nobody's."""
    local, at, domain = text.strip().casefold().rpartition("@")
    return f"{local}@{domain}" if at and local and "." in domain and local not in NOBODY else ""


def phones_of(text: str) -> list[str]:
    """Return the last digits of the numbers in a text, extension and country code aside; local numbers are left out."""
    numbers = []
    for part in re.split(r"[/;,]| or ", text):
        found = _NUMBER.search(_EXTENSION.sub("", part.strip()))
        digits = re.sub(r"\D", "", found.group()) if found else ""
        if len(digits) > LOCAL_DIGITS and len(set(digits)) > 2:
            numbers.append(digits[-TELLING_DIGITS:])
    return numbers


def address_words(text: str) -> list[str]:
    """Return the words of an address, kinds of streets in one spelling."""
    return [STREETS.get(word, word) for word in _WORDS.findall(fold(text))]


@dataclass(frozen=True, slots=True)
class Frequencies:
    """How often each value occurs among the records compared: what many share tells little."""

    count: int
    given: Counter[str]
    family: Counter[str]
    words: Counter[str]
    phones: Counter[str]
    emails: Counter[str]

    @classmethod
    def of(cls, everybody: Sequence[Facts]) -> Frequencies:
        """Count the values of all records."""
        return cls(
            max(1, len(everybody)),
            _counted(facts.given for facts in everybody),
            _counted(facts.family for facts in everybody),
            _counted(facts.words for facts in everybody),
            _counted(facts.phones for facts in everybody),
            _counted(facts.emails for facts in everybody),
        )


def _counted(values: Iterable[Iterable[str]]) -> Counter[str]:
    return Counter(value for of in values for value in of)
