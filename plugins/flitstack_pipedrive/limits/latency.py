"""Knows how long an answer takes: at least, lately, and as a mean."""

from __future__ import annotations

from math import inf, sqrt

LATELY = 256  # answers
ENOUGH = 16
CAUTION = 2.5
MOST_CREDIT_S = 0.25


class Latency:
    """Times from sending to the answer."""

    def __init__(self) -> None:
        self._least = self._least_before = inf
        self._count = self._count_before = 0
        self._noted = 0
        self.mean_s = 0.0

    @property
    def least_s(self) -> float:
        """Shortest time among the last 256 to 512 answers."""
        least = min(self._least, self._least_before)
        return 0.0 if least == inf else least

    @property
    def credit_s(self) -> float:
        """Seconds that any request spends on its way there and back: somewhat less than the least seen.

        The least possible is the further below it, the more the times differ and the fewer of them are known.
        """
        if self._noted < ENOUGH:
            return 0.0
        least_s = self.least_s
        beyond_s = CAUTION * max(self.mean_s - least_s, 0.0) / sqrt(self._count + self._count_before)
        return min(max(least_s - beyond_s, 0.0), MOST_CREDIT_S)

    def note(self, seconds: float) -> None:
        """Add one answer's time."""
        self._noted += 1
        self.mean_s += (seconds - self.mean_s) / min(self._noted, LATELY)
        self._least = min(self._least, seconds)
        self._count += 1
        if self._count == LATELY:
            self._least_before, self._least = self._least, inf
            self._count_before, self._count = self._count, 0
