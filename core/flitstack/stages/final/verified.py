"""Keeps what reading back came to, so that a report can say it later."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from flitstack.journal import VERIFIED, dumps

if TYPE_CHECKING:
    from flitstack.journal import Journal
    from flitstack.stages.proof.verify import Verification

KEPT = 1_000
"""So many differences are kept by name; the verification itself tells them all."""
TOTALS = ("checked", "fields", "mismatched", "drifted", "doubled", "hashed")


def keep_verified(journal: Journal, found: Verification, run: str, at: str) -> None:
    """Remember what reading everything back came to: counts, and the first differences by key and field.

    :param run: who read: a run's id, or `verify`.
    """
    kept = {
        "run": run,
        "at": at,
        **{name: found.total(name) for name in TOTALS},
        "differences": [[one.object, one.key, one.kind, one.what, *one.fields] for one in found.differences[:KEPT]],
        "objects": {name: asdict(counted) for name, counted in found.objects.items()},
    }
    journal.runs.remember(VERIFIED, dumps(kept))
