"""Mistakes in a map that the diff names unaided; all twenty are counted by tests/benchmarks/sample/seeded.py."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.benchmarks.sample.mistakes import MISTAKES

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.benchmarks.sample.mistakes import Mistake

    from flitstack.stages.sample.taken import TakenSample

BY_NAME = {mistake.name: mistake for mistake in MISTAKES}


def test_the_shipped_map_is_read_back_as_written_and_nothing_looks_wrong(taken: TakenSample) -> None:
    assert taken.diff.flags == ()
    assert taken.diff.equal == taken.diff.compared > 1000
    assert taken.mismatched == 0


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("date order", "day_and_month"),
        ("wrong time zone", "times_shifted"),
        ("dropped second phone", "only_first"),
        ("recall of the wrong patient", "leads_elsewhere"),
    ],
)
def test_a_mistake_is_named_where_it_was_made(take: Callable[[Mistake], TakenSample], name: str, code: str) -> None:
    mistake = BY_NAME[name]

    flags = take(mistake).diff.flags

    assert code in {flag.code for flag in flags if flag.entry == mistake.entry}
    assert all(flag.entry == mistake.entry for flag in flags)


def test_there_are_twenty_and_each_changes_the_template() -> None:
    assert len(BY_NAME) == 20
