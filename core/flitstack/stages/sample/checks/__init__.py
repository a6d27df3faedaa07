"""Checks of fields against the source's own columns, whatever the map says: what a mistake does to a whole column."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flitstack.stages.sample.checks.amounts import check_amounts
from flitstack.stages.sample.checks.dates import check_dates, check_done
from flitstack.stages.sample.checks.found import Flag, Frame
from flitstack.stages.sample.checks.links import check_links, check_merged, check_owners
from flitstack.stages.sample.checks.lists import check_labels, check_several
from flitstack.stages.sample.checks.texts import check_texts
from flitstack.stages.sample.checks.values import check_crossed, check_names, check_one_for_all, check_words

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from flitstack.stages.sample.observed import Observed

__all__ = ["Flag", "Frame", "check_all"]

OF_A_FIELD = (check_dates, check_texts, check_amounts, check_words, check_one_for_all, check_several, check_labels)
OF_AN_ENTRY = (check_done, check_links, check_owners, check_merged, check_crossed, check_names)


def check_all(observed: Sequence[Observed], frame: Frame) -> Iterator[Flag]:
    """Yield what stands out in the records of one entry."""
    fields = {name: None for each in observed for name in each.held if name not in frame.keys}
    for name in fields:
        for check in OF_A_FIELD:
            yield from check(observed, name, frame)
    for whole in OF_AN_ENTRY:
        yield from whole(observed, frame)
