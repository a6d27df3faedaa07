"""Turns a score into a confidence that means what it says, by figures fitted on headers with a known truth."""

from __future__ import annotations

import math

# Logistic regression of "is it right" on the score of the candidate, its lead over the next best, and whether cells
# could be looked at. Scaled by tests/benchmarks/proposing/calibrate.py; docs/proposing.md has the reliability table.
BASE, SCORE, LEAD, CELLS = -5.71, 7.42, 1.98, 0.49
TICK = 0.95
"""Confidence from which a proposal is pre-ticked, if its name fits word for word and no cell speaks against it."""
LOWEST = 0.34
"""Score below which a pair is not even considered."""
LEAST = 0.25
"""Confidence below which a column is rather left unmapped; what was found stands among its alternatives."""


def confidence(score: float, lead: float, with_cells: bool) -> float:
    """Return how likely a candidate is right, 0 to 1.

    :param lead: over the next best candidate of the column; below 0 for all but the first.
    """
    if score <= 0:
        return 0.0
    sum_ = BASE + SCORE * score + LEAD * max(-1.0, min(1.0, lead)) + (CELLS if with_cells else 0.0)
    return round(1 / (1 + math.exp(-sum_)), 3)
