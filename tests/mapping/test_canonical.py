"""Canonical JSON: equal values are equal texts."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flitstack.errors import Rejected
from flitstack.mapping import canonical


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        (True, True),
        (3, 3),
        (1.5, 1.5),
        (Decimal("12.30"), "12.30"),
        (Decimal("1E+3"), "1000"),
        (date(2024, 1, 2), "2024-01-02"),
        (time(9, 5), "09:05"),
        (time(9, 5, 7), "09:05:07"),
        (datetime(2024, 1, 2, 10, tzinfo=timezone(timedelta(hours=-5))), "2024-01-02T15:00:00Z"),
        (datetime(2024, 1, 2, 10, 0, 0, 999_999, tzinfo=UTC), "2024-01-02T10:00:00Z"),
        ({"b", "a"}, ["a", "b"]),
        (("a", None), ["a", None]),
        (iter(["a"]), ["a"]),
        ({"k": [Decimal("1.0")]}, {"k": ["1.0"]}),
    ],
)
def test_a_value_has_one_canonical_form(value: Any, expected: Any) -> None:
    found = canonical(value)

    assert found == expected
    assert type(found) is type(expected)


def test_a_time_without_a_zone_is_rejected() -> None:
    with pytest.raises(Rejected) as caught:
        canonical({"at": datetime(2024, 1, 2, 10)})

    assert caught.value.code == "time_without_zone"


@pytest.mark.parametrize(
    "value", [object(), timedelta(1), b"x", {1: "a"}, float("nan"), Decimal("NaN"), Decimal("1E+999999")]
)
def test_what_is_no_value_is_refused(value: Any) -> None:
    with pytest.raises((TypeError, ValueError)):
        canonical(value)


def test_a_list_that_holds_itself_is_refused() -> None:
    endless: list[Any] = []
    endless.append(endless)

    with pytest.raises(ValueError, match="too deep"):
        canonical(endless)


scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=5)
    | st.decimals(-1000, 1000)
    | st.dates()
    | st.frozensets(st.text(max_size=3), max_size=4)
)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=4)
)


@given(values)
def test_canonical_json_is_deterministic_and_settled(value: Any) -> None:
    found = canonical(value)

    assert canonical(value) == found
    assert canonical(found) == found
    assert json.loads(json.dumps(found)) == found
