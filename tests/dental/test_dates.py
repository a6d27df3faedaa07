"""Dates are read when they can be read one way, and refused when they cannot."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flitstack_dental.dates import DateRules, Order, date_parser, datetime_parser
from flitstack_dental.values import BadCell


@pytest.mark.parametrize(
    ("text", "order", "day"),
    [
        ("2024-02-29", "unknown", "2024-02-29"),
        ("2024/2/9", "unknown", "2024-02-09"),
        ("20240229", "unknown", "2024-02-29"),
        ("2024-02-29 10:11:12.131415", "unknown", "2024-02-29"),
        ("13/02/2024", "unknown", "2024-02-13"),
        ("02/13/2024", "unknown", "2024-02-13"),
        ("02/02/2024", "unknown", "2024-02-02"),
        ("03/04/2024", "dmy", "2024-04-03"),
        ("03/04/2024", "mdy", "2024-03-04"),
        ("3.4.2024", "dmy", "2024-04-03"),
        ("05-Mar-2024", "unknown", "2024-03-05"),
        ("March 5, 2024", "unknown", "2024-03-05"),
        ("03/04/69", "mdy", "2069-03-04"),
        ("03/04/70", "mdy", "1970-03-04"),
    ],
)
def test_a_date_is_read(text: str, order: Order, day: str) -> None:
    assert date_parser(DateRules("d", order))(text) == day


@pytest.mark.parametrize(
    "text", ["", "  ", "0001-01-01", "1753-03-02", "0000-00-00", "  /  /  ", "1/0/1900", "0", "--"]
)
def test_what_systems_write_for_no_date_is_none(text: str) -> None:
    assert date_parser(DateRules("d"))(text) is None


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("2024-02-30", "bad_date"),
        ("31/02/2024", "bad_date"),
        ("13/13/2024", "bad_date"),
        ("soon", "bad_date"),
        ("45658", "bad_date"),
        ("03/04/2024", "ambiguous_date"),
    ],
)
def test_a_date_that_cannot_be_read_is_refused_without_its_value(text: str, code: str) -> None:
    with pytest.raises(BadCell) as caught:
        date_parser(DateRules("Birthdate"))(text)

    assert caught.value.code == code
    assert caught.value.column == "Birthdate"
    assert text not in f"{caught.value.reason} {caught.value.hint} {caught.value}"


@pytest.mark.parametrize(
    ("text", "reference", "day"),
    [
        ("05/06/49", date(2026, 1, 1), "1949-05-06"),
        ("05/06/26", date(2026, 7, 1), "2026-05-06"),
        ("05/06/27", date(2026, 7, 1), "1927-05-06"),
        ("05/06/85", None, "1985-05-06"),
    ],
)
def test_a_two_digit_birth_is_never_in_the_future(text: str, reference: date | None, day: str) -> None:
    assert date_parser(DateRules("dob", "mdy", reference, birth=True))(text) == day


def test_a_two_digit_birth_without_a_day_of_reference_is_refused_with_the_setting_that_helps() -> None:
    with pytest.raises(BadCell) as caught:
        date_parser(DateRules("dob", "mdy", birth=True))("05/06/49")

    assert caught.value.code == "ambiguous_date"
    assert "source.as_of" in caught.value.hint


def test_spreadsheet_days_are_read_only_when_a_setting_says_so() -> None:
    assert date_parser(DateRules("d", excel=True))("45658") == "2025-01-01"
    assert datetime_parser(DateRules("d", excel=True))("45658.5") == "2025-01-01T12:00:00"


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2024-01-02 09:30a", "2024-01-02T09:30:00"),
        ("2024-01-02 02:15p", "2024-01-02T14:15:00"),
        ("2024-01-02 12:05 AM", "2024-01-02T00:05:00"),
        ("2024-01-02 12:05 p.m.", "2024-01-02T12:05:00"),
        ("2024-01-02T23:59:59", "2024-01-02T23:59:59"),
        ("2024-01-02 16:18:33.125462", "2024-01-02T16:18:33"),
        ("2024-01-02T10:00:00Z", "2024-01-02T10:00:00+00:00"),
        ("2024-01-02T10:00:00+0200", "2024-01-02T10:00:00+02:00"),
        ("2024-01-02", "2024-01-02T00:00:00"),
    ],
)
def test_a_time_is_read(text: str, time: str) -> None:
    assert datetime_parser(DateRules("d"))(text) == time


@pytest.mark.parametrize(("text", "time"), [("2026-05-04 9 5", "09:05"), ("5/14/2026 14 30", "14:30")])
def test_a_day_an_hour_and_a_minute_of_three_columns_are_a_time(text: str, time: str) -> None:
    found = datetime_parser(DateRules("d", order="mdy"))(text)

    assert found is not None
    assert found[11:16] == time


def test_three_numbers_with_blanks_are_still_a_day() -> None:
    assert datetime_parser(DateRules("d", order="mdy"))("4 15 2026") == "2026-04-15T00:00:00"


@pytest.mark.parametrize("text", ["2024-01-02 25 00", "2024-01-02 25:00", "2024-01-02 13:00p", "2024-01-02 09:61"])
def test_an_impossible_time_is_refused(text: str) -> None:
    with pytest.raises(BadCell) as caught:
        datetime_parser(DateRules("d"))(text)

    assert caught.value.code == "bad_time"


@given(st.dates(min_value=date(1800, 1, 1)))
def test_any_day_is_read_back_in_each_order(day: date) -> None:
    assert date_parser(DateRules("d"))(day.isoformat()) == day.isoformat()
    assert date_parser(DateRules("d", "dmy"))(f"{day.day}/{day.month}/{day.year:04}") == day.isoformat()
    assert date_parser(DateRules("d", "mdy"))(f"{day.month:02}-{day.day:02}-{day.year:04}") == day.isoformat()


@given(st.text(max_size=20))
def test_any_text_is_a_date_or_nothing_or_refused(text: str) -> None:
    try:
        found = datetime_parser(DateRules("d"))(text)
    except BadCell:
        return
    assert found is None or date.fromisoformat(found[:10]).year >= 1800
