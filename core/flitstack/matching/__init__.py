"""Matching: finds records that may be one person, in one export or between an export and an account, with reasons.

It compares neutral persons and knows no platform: `roles` turns a source's or a destination's record into one.
"""

from __future__ import annotations

from flitstack.matching.pairing import Pair, duplicates, pair_up
from flitstack.matching.people import Group, Handling, Match, Person
from flitstack.matching.roles import people_of, people_streams, person_of_fields

__all__ = [
    "Group",
    "Handling",
    "Match",
    "Pair",
    "Person",
    "duplicates",
    "pair_up",
    "people_of",
    "people_streams",
    "person_of_fields",
]
