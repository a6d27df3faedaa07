"""The grade: four figures, each worth up to three points, give a letter that anybody can compute again."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flitstack.stages.plan.grade import Figures, grade_of

EASY = Figures(100, 100, 100, 0, 4, 0, 0, 100, 1)


@pytest.mark.parametrize(
    ("changed", "points"),
    [
        ({}, [0, 0, 0, 0]),
        ({"one_to_one": 75}, [0, 0, 0, 0]),
        ({"one_to_one": 74}, [1, 0, 0, 0]),
        ({"one_to_one": 24}, [3, 0, 0, 0]),
        ({"planned": 0, "one_to_one": 0}, [0, 0, 0, 0]),
        ({"stuck": 1}, [0, 0, 0, 0]),
        ({"stuck": 2}, [0, 1, 0, 0]),
        ({"stuck": 16}, [0, 3, 0, 0]),
        ({"unmatched": 4}, [0, 2, 0, 0]),
        ({"compromises": 5}, [0, 0, 0, 0]),
        ({"compromises": 31}, [0, 0, 3, 0]),
        ({"writes": 10_001}, [0, 0, 0, 1]),
        ({"writes": 1_000_001}, [0, 0, 0, 3]),
        ({"days": 2}, [0, 0, 0, 1]),
        ({"days": 15}, [0, 0, 0, 3]),
        ({"days": None}, [0, 0, 0, 0]),
    ],
)
def test_each_figure_gives_the_points_of_the_table(changed: dict[str, int | None], points: list[int]) -> None:
    grade = grade_of(replace(EASY, **changed))  # type: ignore[arg-type]

    assert [reason.points for reason in grade.reasons] == points
    assert grade.points == sum(points)


@pytest.mark.parametrize(
    ("one_to_one", "stuck", "compromises", "days", "letter"),
    [(100, 0, 0, 3, "A"), (40, 0, 0, 4, "B"), (20, 10, 0, 4, "C"), (20, 16, 31, 15, "D")],
)
def test_the_points_give_the_letter(one_to_one: int, stuck: int, compromises: int, days: int, letter: str) -> None:
    figures = replace(EASY, one_to_one=one_to_one, stuck=stuck, compromises=compromises, days=days)

    assert grade_of(figures).letter == letter


@given(
    st.builds(Figures, *[st.integers(0, 10**7) for _ in range(8)], st.none() | st.integers(1, 1000)),
    st.sampled_from(["stuck", "unmatched", "compromises", "writes"]),
    st.integers(1, 10**6),
)
def test_more_trouble_never_gives_a_better_grade(figures: Figures, name: str, more: int) -> None:
    worse = replace(figures, **{name: getattr(figures, name) + more})

    assert grade_of(worse).points >= grade_of(figures).points
    assert grade_of(worse).letter >= grade_of(figures).letter
