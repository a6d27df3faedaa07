"""Fits how score and confidence go together on the vendors that were in view, and says how it holds for the others.

    python -m tests.benchmarks.proposing.calibrate

Platt's scaling: a logistic regression of "right" on the logit of the stated confidence, for headers alone and with
cells together. Prints the two figures, what the constants of `flitstack.mapping.proposing.calibration` become with
them, and the Brier score (mean squared error of the confidence) on vendors held out, before and after.
Source: J. Platt, "Probabilistic outputs for support vector machines" (1999).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from tests.benchmarks.proposing.dental import Cells, cases

from flitstack.mapping.proposing import calibration

if TYPE_CHECKING:
    from collections.abc import Sequence

STEPS = 4_000
RATE = 0.5


def main() -> None:
    """Print figures and constants."""
    found = [case for cells in (None, Cells()) for case in cases(cells) if case.proposed is not None]
    pairs = [(_logit(case.confidence), case.proposed == case.truth, case.split) for case in found]
    seen = [(x, right) for x, right, split in pairs if split != "held_out"]
    held = [(x, right) for x, right, split in pairs if split == "held_out"]
    base, slope = fit(seen)
    print(f"base {base:.3f}, slope {slope:.3f}, on {len(seen)} proposals")  # noqa: T201 - a command
    names = ("SCORE", "LEAD", "CELLS")
    now = {"BASE": base + slope * calibration.BASE, **{n: slope * getattr(calibration, n) for n in names}}
    print(", ".join(f"{name} = {value:.2f}" for name, value in now.items()))  # noqa: T201 - a command
    print(f"Brier on {len(held)} held out: {brier(held, 0, 1):.4f} before, {brier(held, base, slope):.4f} after")  # noqa: T201 - a command


def fit(pairs: Sequence[tuple[float, bool]]) -> tuple[float, float]:
    """Return base and slope that make the confidences most likely, by gradient ascent."""
    base, slope = 0.0, 1.0
    for _ in range(STEPS):
        errors = [(right - _share(base + slope * x), x) for x, right in pairs]
        base += RATE * sum(error for error, _ in errors) / len(pairs)
        slope += RATE * sum(error * x for error, x in errors) / len(pairs) / 4
    return base, slope


def brier(pairs: Sequence[tuple[float, bool]], base: float, slope: float) -> float:
    """Return the mean squared error of the confidence."""
    return sum((right - _share(base + slope * x)) ** 2 for x, right in pairs) / len(pairs)


def _share(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def _logit(share: float) -> float:
    share = min(max(share, 0.001), 0.999)
    return math.log(share / (1 - share))


if __name__ == "__main__":
    main()
