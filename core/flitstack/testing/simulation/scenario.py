"""A scenario: all that one seed decides, as plain data, so that it can be printed, replayed and made smaller."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from flitstack.testing.simulation.exports import Rows, first_export, second_export

if TYPE_CHECKING:
    from collections.abc import Mapping

DECLARED_LAG_S = 5.0
SEARCH_LAG_S = 600.0
ROAD_S = 0.3  # the longest way of a request to the account
LAST_REQUEST = 120
LAST_MOMENT = 400

#: What can happen to one request, and in how many of a hundred faulty ones it does.
FAULTS: Mapping[str, int] = {
    "connect": 8,
    "lost": 12,
    "late": 10,
    "commit_then_drop": 14,
    "commit_then_5xx": 12,
    "truncated": 10,
    "not_json": 8,
    "drip": 8,
    "signed_out": 5,
    "blocked": 3,
    "too_fast": 5,
    "refused_5xx": 5,
}


@dataclass(frozen=True, slots=True)
class Scenario:
    """What happens in one simulation.

    :param exports: what the source holds, one after the other; a stream that is not among them is absent.
    :param lag_s: lists show a record at most so much later; never more than is declared.
    :param refused: keys of records that the account does not take, whenever they come.
    :param automated: keys of contacts of which the account itself changes the phone once they are created.
    :param faults: number of a request to what happens to it.
    :param deaths: per process, the number of its last moment.
    :param disk_full: per process, the number of the commit from which the disk is full.
    :param jumps: number of a request to the seconds by which the machine's wall clock jumps before it.
    :param rivals: numbers of requests at which somebody starts a second run on the same journal.
    """

    seed: int
    exports: tuple[Rows, ...]
    concurrency: int = 4
    lag_s: float = 0.0
    refused: frozenset[str] = frozenset()
    automated: frozenset[str] = frozenset()
    faults: Mapping[int, str] = field(default_factory=dict)
    deaths: tuple[int, ...] = ()
    disk_full: tuple[int, ...] = ()
    jumps: Mapping[int, float] = field(default_factory=dict)
    rivals: frozenset[int] = frozenset()

    def kinds(self) -> set[str]:
        """Return the kinds of misfortune that are planned."""
        found = set(self.faults.values())
        found |= {"death"} if self.deaths else set()
        found |= {"disk_full"} if self.disk_full else set()
        found |= {"clock_jump"} if self.jumps else set()
        found |= {"two_runners"} if self.rivals else set()
        found |= {"refused_4xx"} if self.refused else set()
        found |= {"list_lag"} if self.lag_s else set()
        found |= {"automation"} if self.automated else set()
        found |= {"delta"} if len(self.exports) > 1 else set()
        return found


def scenario_of(seed: int) -> Scenario:
    """Return the scenario that a seed stands for."""
    dice = random.Random(f"scenario {seed}")  # noqa: S311 - repeatable choices, no secret
    first = first_export(dice)
    exports = [first]
    if dice.random() < 0.4:
        exports.append(second_export(dice, first))
    return Scenario(
        seed=seed,
        exports=tuple(exports),
        concurrency=dice.choice((1, 2, 4, 8)),
        lag_s=dice.choice((0.0, round(dice.uniform(0.0, DECLARED_LAG_S - 2 * ROAD_S), 3))),
        refused=_some_keys(dice, exports, ("companies", "contacts", "visits"), 0.15),
        automated=_some_keys(dice, exports, ("contacts",), 0.15),
        faults=_faults(dice),
        deaths=tuple(_moment(dice) for _ in range(dice.choice((0, 0, 1, 1, 2, 3, 5)))),
        disk_full=tuple(dice.randint(1, 120) for _ in range(dice.choice((0, 0, 0, 0, 1, 2)))),
        jumps={
            dice.randint(1, LAST_REQUEST): float(dice.choice((-1, 1)) * dice.choice((3, 60, 1200, 7200)))
            for _ in range(dice.choice((0, 0, 0, 1, 2)))
        },
        rivals=frozenset(dice.randint(1, LAST_REQUEST) for _ in range(dice.choice((0, 0, 0, 1)))),
    )


def _faults(dice: random.Random) -> dict[int, str]:
    names, weights = list(FAULTS), list(FAULTS.values())
    count = dice.choice((0, 1, 1, 2, 3, 5, 8))
    return {dice.randint(1, LAST_REQUEST): dice.choices(names, weights)[0] for _ in range(count)}


def _moment(dice: random.Random) -> int:
    """Return the number of a process's last moment; half of them are among the first of its writes."""
    return dice.randint(1, dice.choice((60, 150, LAST_MOMENT)))


def _some_keys(dice: random.Random, exports: list[Rows], streams: tuple[str, ...], chance: float) -> frozenset[str]:
    if dice.random() > chance:
        return frozenset()
    keys = sorted({f"memory:{name}:{row}" for rows in exports for name in streams for row in rows.get(name, {})})
    return frozenset(dice.sample(keys, min(len(keys), dice.randint(1, 2))))
