"""The short ways to a value give what the long ones give, whatever the cell holds."""

from __future__ import annotations

from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from flitstack_dental.dates import DateRules, date_parser, datetime_parser, quick_datetime
from flitstack_dental.sensitive import SHORTEST, remove_secrets
from flitstack_dental.values import NO_TEXT, BadCell

RULES = DateRules("when", "mdy")
DIGITS = st.integers(0, 99).map("{:02}".format)
YEARS = st.integers(0, 2200).map("{:04}".format)
DAYS = st.builds("{}{}{}{}{}".format, YEARS, st.sampled_from("-/"), DIGITS, st.sampled_from("-/."), DIGITS)
TIMES = st.builds("{}{}{}:{}{}{}".format, DAYS, st.sampled_from("T  t"), DIGITS, DIGITS, st.sampled_from(":."), DIGITS)


def outcome(parse: Any, text: str) -> Any:
    try:
        return parse(text)
    except BadCell as bad:
        return bad.code


@given(TIMES)
@example("2024-02-30 10:00:00")
@example("0001-01-01 00:00:00")
@example("2024-01-01T24:00:00")
def test_a_time_read_quickly_is_the_time_read_slowly(text: str) -> None:
    slow = datetime_parser(RULES)

    assert outcome(quick_datetime(slow), text) == outcome(slow, text)


@given(DAYS)
@example("1799-12-31")
@example("2024-02-30")
@example("0000-00-00")
def test_a_day_read_quickly_is_the_day_read_slowly(text: str) -> None:
    parse = date_parser(RULES)

    assert outcome(parse, text) == outcome(parse, f" {text}")  # the blank in front leaves only the slow way


@given(st.text(max_size=SHORTEST))
def test_a_text_taken_as_it_is_has_nothing_to_strip_and_no_secret(text: str) -> None:
    if text.isalnum() and len(text) < SHORTEST and text not in NO_TEXT:
        assert text.strip() == text
        assert remove_secrets(text) == text


@given(st.from_regex(r"[a-z ]{0,5}\d{3}-\d{2}-\d{4}[a-z ]{0,5}", fullmatch=True))
def test_looking_for_digits_first_misses_no_secret(text: str) -> None:
    kept = remove_secrets(text)

    assert kept is None or not any(character.isdigit() for character in kept)
