"""Measures what could be used beside another client by a sender that knows all there is to know.

    python tests/benchmarks/limits/bound.py [--seeds 4] [--writes 2000]

It knows when each of its own requests reached the server, the other's mean rate, and each of the other's requests up to
the server's time of its own latest answer. It sends when the risk of a refusal, the other's unseen requests being
Poisson, is below a threshold; of several thresholds the best is taken with which at most one in 1,000 was refused.
"""

from __future__ import annotations

import argparse
import heapq
import statistics
from bisect import bisect_left, bisect_right
from itertools import pairwise
from math import exp
from random import Random

import click
from tests.pipedrive.rolling import NEAR_S, OTHERS_SHARE, WAY_S, WINDOW_S

LIMITS = (40, 100, 120, 480)
RISKS = (0.0003, 0.001, 0.003, 0.01, 0.03, 0.06)
STEP_S = 0.001
PAUSE_S = 1.0  # after a refusal
LEAD_S = 6.0


class Account:
    """The server's window, the other client, and our requests on the way."""

    def __init__(self, limit: int, random: Random, way_s: tuple[float, float], writes: int) -> None:
        self.limit, self.rate = limit, limit * OTHERS_SHARE / WINDOW_S
        self._random, self._way_s = random, way_s
        self._others, at = [], -LEAD_S
        while at < 3 * writes / (self.rate * 2) + 30:
            at += random.expovariate(self.rate)
            self._others.append(at)
        self._next = 0
        self.accepted: list[float] = []
        self.ours: list[float] = []
        self.done: list[bool] = []
        self._under_way: list[float] = []
        self._answers: list[tuple[float, float]] = []
        self.known_until, self.closed_until = -LEAD_S, -LEAD_S

    def send(self, now: float) -> None:
        """Let one of ours leave."""
        heapq.heappush(self._under_way, now + self._random.uniform(*self._way_s))

    def pass_to(self, now: float) -> None:
        """Let everything arrive that arrives until then, and our answers come back."""
        while min(self._others[self._next], self._under_way[0] if self._under_way else now + 1) <= now:
            if self._under_way and self._under_way[0] < self._others[self._next]:
                self._arrive(heapq.heappop(self._under_way))
            else:
                self._count(self._others[self._next])
                self._next += 1
        while self._answers and self._answers[0][0] <= now:
            self.known_until = max(self.known_until, heapq.heappop(self._answers)[1])

    def risk(self, now: float) -> float:
        """Return the probability that one that leaves now is refused."""
        arrives = now + sum(self._way_s) / 2
        begins = now + self._way_s[0] - WINDOW_S  # at the earliest: what leaves the window later may still be in it
        known = max(bisect_right(self.accepted, self.known_until) - bisect_right(self.accepted, begins), 0)
        own = len(self._under_way) + len(self.ours) - bisect_right(self.ours, self.known_until)
        return at_least(self.limit - known - own, self.rate * (arrives - max(self.known_until, begins)))

    def others_between(self, first: float, last: float) -> int:
        """Return how many of the other's requests were accepted in that time."""
        both = bisect_right(self.accepted, last) - bisect_left(self.accepted, first)
        return both - (bisect_right(self.ours, last) - bisect_left(self.ours, first))

    def _count(self, at: float) -> bool:
        has_room = len(self.accepted) - bisect_right(self.accepted, at - WINDOW_S) < self.limit
        if has_room:
            self.accepted.append(at)
        return has_room

    def _arrive(self, at: float) -> None:
        answered_at = at + self._random.uniform(*self._way_s)
        self.done.append(self._count(at))
        if self.done[-1]:
            self.ours.append(at)
        else:
            self.closed_until = answered_at + PAUSE_S
        heapq.heappush(self._answers, (answered_at, at))


def at_least(count: int, mean: float) -> float:
    """Return the probability that a Poisson number of this mean is `count` or more."""
    if count <= 0:
        return 1.0
    each = below = exp(-mean)
    for number in range(1, count):
        each *= mean / number
        below += each
    return max(1.0 - below, 0.0)


def use(limit: int, seed: int, risk: float, way_s: tuple[float, float], writes: int) -> tuple[float, int, int]:
    """Return the share used of what the other leaves, refusals, and refusals in a row."""
    account = Account(limit, Random(seed), way_s, writes)  # noqa: S311 - a simulation
    now = 0.0
    while len(account.ours) < writes:
        now += STEP_S
        account.pass_to(now)
        if now >= account.closed_until and account.risk(now) <= risk:
            account.send(now)
    first, last = account.ours[0], account.ours[-1]
    allowed = limit * (last - first) / WINDOW_S - account.others_between(first, last)
    refused = [not done for done in account.done]
    return (writes - 1) / allowed, sum(refused), sum(a and b for a, b in pairwise(refused))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=4)
    parser.add_argument("--writes", type=int, default=2_000)
    given = parser.parse_args()
    for name, way_s in (("1 to 5 ms", NEAR_S), ("20 to 80 ms", WAY_S)):
        for limit in LIMITS:
            best, refused_then = 0.0, 0.0
            for risk in RISKS:
                runs = [use(limit, 900 + seed, risk, way_s, given.writes) for seed in range(given.seeds)]
                refused = sum(run[1] for run in runs) * 1_000 / (given.writes * given.seeds)
                share = statistics.median(run[0] for run in runs)
                if refused <= 1 and share > best:
                    best, refused_then = share, refused
            click.echo(f"{name:12} {limit:4}   {best:.3f}   {refused_then:.2f} refused per 1,000")


if __name__ == "__main__":
    main()
