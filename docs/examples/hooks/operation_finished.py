"""Observes single writes: counts what was done and what was refused, per object."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from flitstack.hookspecs import hookimpl

if TYPE_CHECKING:
    from flitstack.protocols import Operation, Outcome

TALLY: Counter[tuple[str, str, bool]] = Counter()


@hookimpl
def flit_operation_finished(operation: Operation, outcome: Outcome) -> None:
    """Count it; `outcome.error` is None when it was done."""
    TALLY[operation.verb, operation.object, outcome.error is None] += 1
