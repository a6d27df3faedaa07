"""Cleaned HTML, times and keys, for any input."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flitstack_pipedrive.sandbox.texts import (
    key_string,
    parse_v1_time,
    parse_v2_time,
    sanitize_html,
    v1_time,
    v2_time,
)

HTML_PARTS = st.sampled_from(
    [
        "<p>",
        "</p>",
        "<script>",
        "</script>",
        "<b onclick=x>",
        "</b>",
        "<img src=javascript:x>",
        "<",
        ">",
        "&lt;",
        "a",
        "'",
        '"',
        "<!--",
        "-->",
        "<svg/onload=x>",
    ]
)


@given(st.lists(HTML_PARTS | st.text(max_size=5), max_size=20).map("".join))
def test_nothing_that_runs_survives_cleaning_and_cleaning_again_changes_nothing(content: str) -> None:
    cleaned = sanitize_html(content)

    assert not re.search(r"<\s*(script|svg|iframe)|<[^>]*\son\w+\s*=|<[^>]*javascript:", cleaned, re.IGNORECASE)
    assert sanitize_html(cleaned) == cleaned


@given(st.text().filter(lambda text: "<" not in text))
def test_text_without_tags_stays_as_it_is(content: str) -> None:
    assert sanitize_html(content) == content


@given(st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1)), st.integers(-14 * 60, 14 * 60))
def test_a_time_survives_both_forms_in_utc(naive: datetime, minutes: int) -> None:
    at = naive.replace(microsecond=0, tzinfo=timezone(timedelta(minutes=minutes)))

    stored = parse_v2_time(at.isoformat())

    assert stored == v2_time(at)
    assert parse_v1_time(v1_time(stored)) == stored
    assert datetime.fromisoformat(stored).astimezone(UTC) == at


@pytest.mark.parametrize(
    "wrong",
    ["", "now", "2020-01-01", "2020-01-01T00:00:00", "2020-13-01T00:00:00Z", None, 5, "0001-01-01T00:00:00+14:00"],
)
def test_what_is_no_rfc_3339_time_is_none(wrong: object) -> None:
    assert parse_v2_time(wrong) is None


def test_whole_seconds_are_asked_for_where_it_matters() -> None:
    assert parse_v2_time("2020-01-01T00:00:00.5Z") == "2020-01-01T00:00:00Z"
    assert parse_v2_time("2020-01-01T00:00:00.5Z", whole_seconds=True) is None


@given(st.text())
def test_a_key_is_never_empty_and_only_has_letters_digits_and_underscores(name: str) -> None:
    assert re.fullmatch(r"[a-z0-9_]+", key_string(name))
