"""Grade: how complex a migration is, A to D, from four figures that anybody can check; docs/plan.md has the formula."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flitstack.protocols import JSON

MOST = 3
"""Points that each of the four may give; none is the simplest."""
LETTERS = ((2, "A"), (5, "B"), (8, "C"))
"""The most points with which a migration still has that grade; above is D."""
ONE_TO_ONE = (0.75, 0.50, 0.25)
UNCLEAR = (0.01, 0.05, 0.15)
CONSTRAINTS = (5, 15, 30)
WRITES = (10_000, 100_000, 1_000_000)
DAYS = (1, 3, 14)


@dataclass(frozen=True, slots=True)
class Figures:
    """What a grade is computed from.

    :param planned: records that the map makes; `one_to_one`: those made of one source record alone.
    :param read: source records; `stuck`: those that cannot move, or wait for one that cannot.
    :param people: of the source who may own records; `unmatched`: those for whom no user stands.
    :param compromises: what the destination cannot hold as asked, fields that fold and names that clash included.
    :param writes: operations; `days`: on which the account's budget lets them happen, None when it is not known.
    """

    planned: int
    one_to_one: int
    read: int
    stuck: int
    people: int
    unmatched: int
    compromises: int
    writes: int
    days: int | None


@dataclass(frozen=True, slots=True)
class Reason:
    """One of the four: what was measured, in words, and the points it gives."""

    name: str
    points: int
    words: str

    def as_json(self) -> dict[str, JSON]:
        """Return what `--json` prints of it."""
        return {"name": self.name, "points": self.points, "words": self.words}


@dataclass(frozen=True, slots=True)
class Grade:
    """How complex a migration is, and why."""

    letter: str
    reasons: tuple[Reason, ...]

    @property
    def points(self) -> int:
        """Return the sum of the points."""
        return sum(reason.points for reason in self.reasons)

    def as_json(self) -> dict[str, JSON]:
        """Return what `--json` prints of it."""
        return {"letter": self.letter, "points": self.points, "of": MOST * len(self.reasons),
                "reasons": [reason.as_json() for reason in self.reasons]}  # fmt: skip


def grade_of(f: Figures) -> Grade:
    """Return the grade that follows from the figures."""
    direct = f.one_to_one / f.planned if f.planned else 1.0
    unclear = _unclear(f)
    days = "" if f.days is None else f" on {f.days:,} day{'' if f.days == 1 else 's'}"
    reasons = (
        Reason(
            "one to one",
            sum(direct < least for least in ONE_TO_ONE),
            f"{f.one_to_one:,} of {f.planned:,} records ({direct:.0%}) are made of one source record alone; the others "
            "are folded, grouped or split.",
        ),
        Reason(
            "clarity of the map",
            _steps(unclear, UNCLEAR),
            f"{f.stuck:,} of {f.read:,} source records cannot move or wait for one that cannot, and {f.unmatched:,} of "
            f"{f.people:,} people of the source have no user: {unclear:.1%} is unclear.",
        ),
        Reason(
            "constraints of the destination",
            _steps(f.compromises, CONSTRAINTS),
            f"{f.compromises:,} compromise{'' if f.compromises == 1 else 's'}: things that it cannot hold as asked, "
            "fields that fold, names that are taken.",
        ),
        Reason(
            "volume",
            max(_steps(f.writes, WRITES), _steps(f.days or 0, DAYS)),
            f"{f.writes:,} writes{days}.",
        ),
    )
    points = sum(reason.points for reason in reasons)
    return Grade(next((letter for most, letter in LETTERS if points <= most), "D"), reasons)


def _unclear(f: Figures) -> float:
    """Return the share of records that are stuck, or, where it is larger, a tenth of the share of people unmatched.

    A person without a user is settled by one line of the owner map, a record that cannot move is not.
    """
    stuck = f.stuck / f.read if f.read else 0.0
    unmatched = f.unmatched / f.people if f.people else 0.0
    return max(stuck, unmatched / 10)


def _steps(value: float, limits: Sequence[float]) -> int:
    """Return how many of the limits the value is above."""
    return sum(value > limit for limit in limits)
