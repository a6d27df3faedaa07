"""What comparing two records says: evidence in bits, with its words, after Fellegi and Sunter.

An agreement is worth log2(m/u) bits: m is how often it is seen between two records of one person, u how often between
two of different persons. For names, words of an address, phone numbers and e-mail addresses u is how common the value
is among the records given; the other weights are fixed below. docs/matching.md says how they were chosen.
Source: I. P. Fellegi, A. B. Sunter, "A Theory for Record Linkage", JASA 64 (1969).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from flitstack.matching.people import Match
from flitstack.matching.similar import is_form_of, likeness

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Collection, Sequence

    from flitstack.matching.facts import Facts, Frequencies
    from flitstack.matching.people import Handling

ASK = 10.0
MERGE = 18.0
FEW = 2000
"""Among fewer records than this a value counts as rare as if there were so many: a small file has no rare names."""
FEWEST = 200
"""Among fewer records than this nothing is common: three of one name among five people are a family."""
MOST_PLACE = 10.0
OWN_PLACE = 5.0
"""Bits from which an address is a home, and not only a town that many share."""
SAME_BIRTH = 12.0
MORE_PHONES = 5.0


@dataclass(slots=True)
class Evidence:
    """What speaks for and against two records being one, as it is gathered.

    :param name_bits: what their names are worth.
    :param apart: why two that look alike are two; "" when nothing says so.
    :param doubts: whether something forbids to merge them without asking.
    :param ties: what they share besides names and birth date: a phone, an e-mail, an address.
    :param strays: which of these both have, and differ in.
    :param given, family, birth: how these compare, in a word; "" when one has none.
    """

    bits: float = 0.0
    name_bits: float = 0.0
    reasons: list[tuple[float, str]] = field(default_factory=list)
    apart: str = ""
    doubts: bool = False
    ties: int = 0
    strays: int = 0
    given: str = ""
    family: str = ""
    birth: str = ""

    def add(self, bits: float, words: str) -> None:
        """Take one comparison into account."""
        self.bits += bits
        self.reasons.append((bits, words))


def compare(left: Facts, right: Facts, frequencies: Frequencies, *, by_ties: bool = False) -> Match | None:
    """Return what two records say of each other; None when they do not even look alike.

    :param by_ties: where a birth date is missing, a same name and two ties are proof enough to merge.
    """
    if left.is_organization != right.is_organization or _have_nothing_in_common(left, right):
        return None
    evidence = Evidence()
    if left.is_organization:
        _compare_titles(left, right, frequencies, evidence)
    else:
        _compare_names(left, right, frequencies, evidence)
        evidence.name_bits = evidence.bits
        _compare_births(left, right, evidence)
        if _are_two(evidence):
            return None
        _compare_sexes(left, right, evidence)
    _compare_reach(left, right, frequencies, evidence)
    if evidence.bits + MOST_PLACE < ASK:
        return None
    _compare_places(left, right, frequencies, evidence)
    if evidence.bits < ASK or (not left.is_organization and _lacks_proof(evidence)):
        return None
    _tell_apart(left, right, evidence)
    ordered = sorted(evidence.reasons, key=lambda reason: -abs(reason[0]))
    reasons = tuple(words for bits, words in ordered if abs(bits) >= 1)
    handling = _handling(evidence, left.is_organization, by_ties)
    return Match(left.id, right.id, round(evidence.bits, 1), handling, (*filter(None, [evidence.apart]), *reasons))


def _have_nothing_in_common(left: Facts, right: Facts) -> bool:
    """Tell, before anything is reckoned, whether both names and the birth dates are others."""
    if left.given == right.given or left.family == right.family or not left.birth or not right.birth:
        return False
    if left.birth == right.birth or _digits_apart(left.birth, right.birth) <= 2:
        return False
    return _initials(left) != _initials(right)


def _initials(facts: Facts) -> set[str]:
    return {name[:1] for name in facts.names}


def _are_two(evidence: Evidence) -> bool:
    """Tell whether names and birth dates alone say that two are two: members of one family share all the rest."""
    if evidence.birth == "same":
        return False
    if evidence.birth == "alike":
        return evidence.name_bits <= 0
    if evidence.birth == "near":
        return evidence.given not in ("same", "form") or evidence.family not in ("same", "alike")
    if evidence.birth == "differ":
        return evidence.given not in ("same", "form", "alike") or evidence.family not in ("same", "alike", "part")
    return evidence.name_bits <= 0 or evidence.given in ("", "differ")


def _lacks_proof(evidence: Evidence) -> bool:
    """Tell whether what they share besides is too little: an e-mail or a phone alone, or a name alone."""
    if evidence.ties:
        return evidence.birth == "" and evidence.ties < 2 and evidence.family in ("", "differ")
    named = evidence.given not in ("", "differ") and evidence.family not in ("", "differ")
    if evidence.birth in ("same", "alike"):
        return not named or (evidence.birth == "alike" and evidence.strays > 0)
    return evidence.birth != "" or evidence.strays > 0


def _is_one_household(left: Facts, right: Facts) -> bool:
    return left.household != "" and left.household == right.household


def _tell_apart(left: Facts, right: Facts, evidence: Evidence) -> None:
    """Note why two who share much are two: twins, and parent and child of one name."""
    home = evidence.ties > 0 or _is_one_household(left, right)
    if evidence.given == "differ" and evidence.birth in ("same", "alike") and home:
        evidence.apart = "given names differ, birth date and home are the same: twins?"
    elif evidence.birth == "differ" and home:
        evidence.apart = "same name and home, birth dates differ: parent and child?"


def _handling(evidence: Evidence, is_organization: bool, by_ties: bool) -> Handling:
    if evidence.apart:
        return "keep"
    if is_organization:
        return "merge" if evidence.family == "same" and evidence.ties and not evidence.doubts else "ask"
    agree = evidence.given in ("same", "form") and evidence.family == "same"
    proven = evidence.birth == "same" or (by_ties and evidence.birth == "" and evidence.ties > 1)
    return "merge" if agree and proven and not evidence.doubts and evidence.bits >= MERGE else "ask"


def _bits(value: str, counted: Counter[str], count: int) -> float:
    """Return the bits that sharing a value is worth; the two records that share it do not make it common."""
    return -math.log2(max(2 / max(count, FEW), (counted[value] - 2) / max(count, FEWEST)))


def _worth(values: Collection[str], counted: Counter[str], count: int, most: float) -> float:
    """Return the bits that sharing the rarest of these values is worth."""
    return min(most, max(_bits(value, counted, count) for value in values))


# --- names ----------------------------------------------------------------------------------------------------------


def _compare_names(left: Facts, right: Facts, frequencies: Frequencies, evidence: Evidence) -> None:
    given = _given(left, right)
    family = _family(left.family, right.family)
    if given == "differ" or family == "differ":
        crossed = (_family(left.given, right.family), _family(left.family, right.given))
        if "differ" not in crossed and "" not in crossed:
            evidence.given = evidence.family = "alike"
            evidence.add(8.0, "given and family name swapped")
            return
    evidence.given, evidence.family = given, family
    if given == "same":
        evidence.add(_worth(left.given, frequencies.given, frequencies.count, 9.0), "same given name")
    elif given:
        evidence.add(*GIVEN[given])
    if family == "same":
        evidence.add(_worth(left.family, frequencies.family, frequencies.count, 9.0), "same family name")
    elif family:
        evidence.add(*FAMILY[family])
    if left.suffix and right.suffix and left.suffix != right.suffix:
        evidence.apart = "one is Jr., the other Sr., or of another generation"
    elif left.suffix != right.suffix:
        evidence.doubts = True
        evidence.add(-1.0, "only one has a suffix (Jr., Sr.)")
    if left.others and right.others and not {word[0] for word in left.others} & {word[0] for word in right.others}:
        evidence.doubts = True
        evidence.add(-1.0, "middle names differ")


GIVEN = {
    "form": (4.0, "given names are forms of one name"),
    "alike": (4.0, "given names spelt alike"),
    "other": (3.0, "given name is the other's middle or preferred name"),
    "initial": (1.0, "given name begins with the other's initial"),
    "differ": (-5.0, "given names differ"),
}
FAMILY = {
    "part": (4.0, "family name is a part of the other's"),
    "alike": (4.5, "family names spelt alike"),
    "differ": (-4.0, "family names differ"),
}


def _given(left: Facts, right: Facts) -> str:
    if not left.given or not right.given:
        return ""
    a, b = left.given[0], right.given[0]
    if a == b:
        return "same"
    if is_form_of(a, b):
        return "form"
    if 1 in (len(a), len(b)):
        return "initial" if a[0] == b[0] else "differ"
    if likeness(a, b) >= 0.6:
        return "alike"
    if a in right.others or b in left.others:
        return "other"
    return "alike" if likeness(a, b) else "differ"


def _family(left: Sequence[str], right: Sequence[str]) -> str:
    if not left or not right:
        return ""
    if left == right or "".join(left) == "".join(right):
        return "same"
    if likeness("".join(left), "".join(right)):
        return "alike"
    return "differ" if set(left).isdisjoint(right) else "part"


def _compare_titles(left: Facts, right: Facts, frequencies: Frequencies, evidence: Evidence) -> None:
    """Compare the names of organizations: word by word, legal forms aside."""
    mine, theirs = set(left.family), set(right.family)
    shared = mine & theirs
    if not shared:
        evidence.family = "differ"
        evidence.add(-8.0, "names differ")
        return
    bits = sum(_bits(word, frequencies.family, frequencies.count) for word in shared)
    evidence.family = "same" if mine == theirs else "part"
    evidence.add(
        min(14.0, bits) if mine == theirs else min(8.0, bits / 2), f"{'same' if mine == theirs else 'similar'} name"
    )


# --- the person -----------------------------------------------------------------------------------------------------


def _compare_births(left: Facts, right: Facts, evidence: Evidence) -> None:
    a, b = left.birth, right.birth
    if not a or not b:
        return
    if a == b:
        evidence.birth = "same"
        evidence.add(SAME_BIRTH, "same birth date")
    elif a[:4] == b[:4] and a[4:6] == b[6:] and a[6:] == b[4:6]:
        evidence.birth = "alike"
        evidence.add(8.0, "same birth date with day and month swapped")
    elif (apart := _digits_apart(a, b)) == 1:
        evidence.birth = "alike"
        evidence.add(7.0, "birth dates one digit apart")
    elif apart == 2:
        evidence.birth = "near"
        evidence.add(1.0, "birth dates two digits apart")
    else:
        evidence.birth = "differ"
        evidence.add(-6.0, "birth dates differ")


def _digits_apart(left: str, right: str) -> int:
    """Return in how many places two dates differ; two neighbours that are swapped count as one."""
    places = [place for place in range(8) if left[place] != right[place]]
    if len(places) == 2 and places[1] == places[0] + 1:
        first, second = places
        return 1 if (left[first], left[second]) == (right[second], right[first]) else 2
    return len(places)


def _compare_sexes(left: Facts, right: Facts, evidence: Evidence) -> None:
    if left.sex and right.sex:
        same = left.sex == right.sex
        evidence.doubts |= not same
        evidence.add(0.9 if same else -4.0, "same sex" if same else "sexes differ")


# --- how they are reached -------------------------------------------------------------------------------------------


def _compare_reach(left: Facts, right: Facts, frequencies: Frequencies, evidence: Evidence) -> None:
    if _is_one_household(left, right):
        evidence.add(4.0, "same household")
    phones, emails = left.phones & right.phones, left.emails & right.emails
    if phones:
        evidence.ties += 1
        evidence.add(_worth(phones, frequencies.phones, frequencies.count, 7.0), "same phone")
        if len(phones) > 1:
            evidence.add(MORE_PHONES * (len(phones) - 1), "further phones are the same")
        elif left.phones - phones and right.phones - phones:
            evidence.add(-2.0, "other phones differ")
    elif left.phones and right.phones:
        evidence.strays += 1
        evidence.add(-0.5, "phones differ")
    if emails:
        evidence.ties += 1
        evidence.add(_worth(emails, frequencies.emails, frequencies.count, 7.0), "same e-mail")
    elif left.emails and right.emails:
        evidence.strays += 1
        evidence.add(-0.5, "e-mails differ")


def _compare_places(left: Facts, right: Facts, frequencies: Frequencies, evidence: Evidence) -> None:
    if not left.words or not right.words:
        return
    bits, share = _place_bits(left.words, right.words, frequencies)
    if share >= 0.5 and bits >= OWN_PLACE:
        evidence.ties += 1
        evidence.add(min(MOST_PLACE, bits), "same address" if share > 0.95 else "similar address")
    elif share >= 0.5:
        evidence.add(bits, "same town")
    else:
        evidence.strays += 1
        evidence.add(min(2.0, bits) - 4.0 * (1 - share), "addresses differ")


def _place_bits(left: Sequence[str], right: Sequence[str], frequencies: Frequencies) -> tuple[float, float]:
    """Return the bits of the words that two addresses share, and the share of the shorter one's words found again."""
    shorter, longer = (left, right) if len(left) <= len(right) else (right, left)
    there = set(longer)
    found, bits = 0.0, 0.0
    rest = []
    for word in shorter:
        if word in there:
            there.discard(word)
            found += 1
            bits += _bits(word, frequencies.words, frequencies.count) / 2
        else:
            rest.append(word)
    left_over = [word for word in longer if word in there]
    for word in rest:
        near = next((other for other in left_over if likeness(word, other) >= 0.6), None)
        if near is not None:
            left_over.remove(near)
            found += 0.8
            bits += 2.0
    if rest and left_over and (joined := likeness("".join(rest), "".join(left_over))):
        found += joined * len(rest) / 2
        bits += 2.0
    return bits, min(1.0, found / len(shorter))
