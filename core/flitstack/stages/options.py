"""What the operator asked of a run."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from flitstack.stages.gates.gate import Passing
from flitstack.stages.publishing import Publishing

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class SampleOptions:
    """How a sample is taken.

    :param size: records of the main stream. :param random: by chance alone. :param alone: stop after it.
    """

    size: int
    random: bool = False
    alone: bool = False


@dataclass(frozen=True, slots=True)
class RunOptions:
    """What the command line said.

    :param wait: when the day's budget is used up, carry on once it is open again.
    :param publishing: writes the reports; without one for the audit, the export is not audited.
    :param plan_only: stop once the gates have shown the plan; nothing is written and nobody is asked.
    :param sample: migrate a sample first, or alone; None for none.
    :param allow_irreversible: fill fields of adopted records that no undo could empty again.
    """

    source: str
    dest: str
    journal: Path
    input: str | None = None
    mapping: str | None = None
    sets: Sequence[str] = ()
    passing: Passing = field(default_factory=Passing)
    dry_run: bool = False
    demo: bool = False
    wait: bool = False
    sample: SampleOptions | None = None
    publishing: Publishing = field(default_factory=Publishing)
    plan_only: bool = False
    allow_irreversible: bool = False
