"""The shapes of matching: persons and organizations as neutral records, and what comparing two of them says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Handling: TypeAlias = Literal["merge", "ask", "keep"]


@dataclass(frozen=True, slots=True)
class Person:
    """A person (or organization) as the matcher sees one, whatever system the record is from.

    :param id: under which the caller knows the record; unique among the records given.
    :param name: the whole name, where its parts are not known; all an organization has.
    :param birth_date: ISO 8601, or eight digits, year first; text that is no date counts as missing.
    :param sex: `female` or `male`, or their first letters; anything else counts as not known.
    :param addresses: each in one text, its parts in any order.
    :param household: an id that members of one family share, as the source states it.
    """

    id: str
    given: str = ""
    family: str = ""
    middle: str = ""
    preferred: str = ""
    suffix: str = ""
    name: str = ""
    birth_date: str = ""
    sex: str = ""
    emails: tuple[str, ...] = ()
    phones: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    household: str = ""
    is_organization: bool = False


@dataclass(frozen=True, slots=True)
class Match:
    """Two records that may be one person.

    :param score: evidence in bits: each one more doubles the odds that they are one.
    :param handling: `merge` when nothing speaks against it and enough for it; `ask` a person; `keep` when they look
        alike and are two (twins; parent and child).
    :param reasons: in words, never a value, the strongest first.
    """

    left: str
    right: str
    score: float
    handling: Handling
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """Records that may all be one person.

    :param ids: in the order in which the records were given; the first is proposed to stay.
    :param handling: the most careful of its matches'.
    :param reasons: of all its matches, each once.
    :param matches: the pairs it is made of.
    """

    ids: tuple[str, ...]
    handling: Handling
    reasons: tuple[str, ...]
    matches: tuple[Match, ...]
