"""Single checks on records made by hand: what they name, and what they leave alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flitstack.stages.sample.checks import Frame, check_all
from flitstack.stages.sample.observed import Observed, Row
from flitstack.stages.sample.traits import traits

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from flitstack.protocols import JSON

FRAME = Frame(
    "things", "things", False, {"held": ("things.said",)}, {}, {}, frozenset(), "user", frozenset(),
    datetime(2026, 6, 30, tzinfo=UTC), ZoneInfo("America/Chicago"), ZoneInfo("UTC"),
)  # fmt: skip


def records(said: Sequence[JSON], make: Callable[[JSON], JSON]) -> list[Observed]:
    """Return a record per value that the source says, holding what `make` makes of it."""
    return [
        Observed("things", "thing", f"k{at}", "", {"held": make(value)}, {}, {}, {}, frozenset(),
                 (Row("things", f"t{at}", {"id": f"t{at}", "said": value}),))
        for at, value in enumerate(said)
    ]  # fmt: skip


def codes(observed: Sequence[Observed]) -> set[str]:
    return {flag.code for flag in check_all(observed, FRAME)}


DAYS = [(date(2024, 1, 3) + timedelta(days=23 * at)).isoformat() for at in range(30)]
TEXTS = [f"A remark of some length about matter number {at}, café {at}" for at in range(12)]


@pytest.mark.parametrize(
    ("said", "make", "code"),
    [
        (DAYS, lambda day: f"{day[:4]}-{day[8:]}-{day[5:7]}" if day[8:] <= "12" else day, "day_and_month"),
        (DAYS, lambda day: f"{day[:4]}-01-01", "day_lost"),
        (DAYS, lambda day: (date.fromisoformat(day) + timedelta(days=1)).isoformat(), "days_off"),
        (TEXTS, lambda text: text[:30], "cut_short"),
        (TEXTS, lambda text: text.replace("é", "?"), "letters_lost"),
        ([f"Name{at}" for at in range(9)], lambda text: text[:-1], "last_character"),
        ([f"00{at}417" for at in range(1, 9)], lambda text: text.lstrip("0"), "leading_zeros"),
        ([f"{at}.50" for at in range(2, 9)], lambda text: f"-{text}", "sign"),
        ([f"{at}.50" for at in range(2, 9)], lambda text: f"{float(text) * 100:.2f}", "scale"),
        (["red", "blue", "green"] * 5, lambda text: {"red": "blue", "blue": "red"}.get(text, text), "words_crossed"),
        (["red", "blue", "green"] * 5, lambda text: "thing", "one_for_all"),
    ],
)
def test_what_a_wrong_map_does_to_a_column_is_named(said: list[JSON], make: Callable[[JSON], JSON], code: str) -> None:
    assert code in codes(records(said, make))


@pytest.mark.parametrize("said", [DAYS, TEXTS, [f"00{at}417" for at in range(9)], ["red", "blue", "green"] * 5])
def test_a_column_that_is_carried_over_as_it_is_looks_right(said: list[JSON]) -> None:
    assert codes(records(said, lambda value: value)) == set()


def test_a_text_that_ends_by_chance_with_most_of_a_short_number_is_not_called_clipped() -> None:
    said = [f"{2500 + at}" for at in range(40)]
    held = records(said, lambda number: f"on page 7{str(number)[:-1]}")

    assert "last_character" not in codes(held)


def test_a_name_that_lacks_its_last_letter_is_called_clipped_though_others_end_in_a_title() -> None:
    said = [f"{name}er" for name in ("Ald", "Birk", "Ced", "Dogwood", "Eld", "Fig")] * 4

    clipped = [f"Dr {name}, DD" if at % 3 else f"Dr {name}"[:-1] for at, name in enumerate(said)]
    held = iter(clipped)

    assert "last_character" in codes(records(said, lambda name: next(held)))


def test_a_reference_that_leads_nowhere_is_no_reason_to_call_a_field_the_same_for_all() -> None:
    frame = replace(FRAME, lineage={"held": ("things.topic_id",)}, references={"things": {"topic_id": "topics"}})
    rows = [Row("things", f"t{at}", {"id": f"t{at}", "topic_id": f"27-{at % 5}"}) for at in range(30)]
    held = [
        Observed("things", "thing", row.id, "", {"held": "Communication"}, {}, {}, {}, frozenset(), (row,))
        for row in rows
    ]
    topics = [replace(each, beside=(Row("topics", str(each.main[0].data["topic_id"]), {}),)) for each in held]

    assert not any(flag.code == "one_for_all" for flag in check_all(held, frame))
    assert any(flag.code == "one_for_all" for flag in check_all(topics, frame))


@given(st.lists(st.one_of(st.none(), st.booleans(), st.text(max_size=40), st.integers()), max_size=25))
def test_whatever_the_source_says_a_faithful_copy_is_never_flagged(said: list[JSON]) -> None:
    assert codes(records(said, lambda value: value)) == set()


@given(st.one_of(st.none(), st.text(), st.integers(), st.dates().map(str), st.decimals(allow_nan=False).map(str)))
def test_traits_of_anything_are_words(value: object) -> None:
    assert all(isinstance(trait, str) and trait for trait in traits(value))
