"""Who writes the reports: stages make what a report says, and are handed what turns it into pages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from flitstack.stages.audit.sections import Audit
    from flitstack.stages.plan.document import PlanDocument
    from flitstack.stages.sample.taken import TakenSample

REPORTS = "flit-reports"
"""The folder beside the journal that reports and rendered specs are written into."""


@dataclass(frozen=True, slots=True)
class Publishing:
    """Each writes its report into a folder and returns the path of the page; None where nobody wants that report."""

    audit: Callable[[Audit, Path], str] | None = None
    plan: Callable[[PlanDocument, Path], str] | None = None
    sample: Callable[[TakenSample, Path], str] | None = None
