"""The functions that every mapping may call."""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flitstack.errors import Rejected
from flitstack.mapping import BUILTIN
from flitstack.mapping.filters import FILTERS
from flitstack.mapping.texts import SMALLEST_LIMIT, html_text, split_text, truncate_text

CALL = {transform.name: transform.call for transform in BUILTIN}

GIVES: list[tuple[str, tuple[Any, ...], Any]] = [
    (
        "join_present",
        (", ", "a", None, " ", ["b", None], 3, Decimal("1.50"), date(2024, 1, 2)),
        "a, b, 3, 1.50, 2024-01-02",
    ),
    ("join_present", (", ", None, ""), None),
    ("lines", ("a", None, "b"), "a\nb"),
    ("first_present", (None, " ", [], 0, "a"), 0),
    ("first_present", (None,), None),
    ("choose", ("a", {"a": 1}), 1),
    ("choose", ("b", {"a": 1}, 2), 2),
    ("choose", (None, {"a": 1}), None),
    ("choose", ("b", {"a": 1}, None), None),
    ("latest", ([{"d": 1, "n": "x"}, {"d": 2, "n": "y"}, {"d": 2, "n": "z"}, {"d": None}], "d"), {"d": 2, "n": "z"}),
    ("earliest", ([{"d": 2}, {"d": 1, "n": "x"}, {"d": 1, "n": "y"}], "d"), {"d": 1, "n": "x"}),
    ("latest", ([], "d"), None),
    ("latest", (None, "d"), None),
    ("sum_of", ([{"v": Decimal("1.10")}, {"v": None}, {"v": 2}], "v"), Decimal("3.10")),
    ("sum_of", ([], "v"), Decimal(0)),
    ("unique", (["b", None, "a", "b", {"x": 1}, {"x": 1}],), ["b", "a", {"x": 1}]),
    ("date_text", (datetime(2024, 1, 2, 3, tzinfo=UTC),), "2024-01-02"),
    ("date_text", (None,), None),
    ("time_text", (datetime(2024, 1, 2, 3, 4),), "03:04"),
    ("time_text", (time(9, 5),), "09:05"),
    ("minutes_text", (90,), "01:30"),
    ("minutes_text", (Decimal(605),), "10:05"),
    ("money", (Decimal("12.345"),), "12.35"),
    ("money", (Decimal("-0.001"),), "0.00"),
    ("money", (3,), "3.00"),
    ("money", (None,), None),
    ("decimal", ("1.20",), Decimal("1.20")),
    ("text", (5,), "5"),
    ("text", (None,), None),
    ("day", (datetime(2024, 1, 2, 23, 0),), date(2024, 1, 2)),
    ("days_between", (date(2024, 2, 28), datetime(2024, 3, 1, 5)), 2),
    ("days_between", (None, date(2024, 1, 1)), None),
    ("minutes_between", (datetime(2024, 1, 1, 9), datetime(2024, 1, 1, 10, 30)), 90),
    ("plus_days", (date(2024, 2, 28), 2), date(2024, 3, 1)),
    ("plus_minutes", (datetime(2024, 1, 1, 23, 30), 45), datetime(2024, 1, 2, 0, 15)),
    ("plus_months", (date(2024, 1, 31), 1), date(2024, 2, 29)),
    ("plus_months", (date(2024, 1, 31), -2), date(2023, 11, 30)),
    ("html_text", ("a<b> & c\r\nd\re",), "a&lt;b&gt; &amp; c<br>d<br>e"),
    ("truncate_text", ("one two three", 9), "one two…"),
    ("truncate_text", ("abcdefghij", 4), "abc…"),
    ("truncate_text", ("short", 9), "short"),
]


@pytest.mark.parametrize(("name", "arguments", "expected"), GIVES)
def test_a_function_gives(name: str, arguments: tuple[Any, ...], expected: Any) -> None:
    assert CALL[name](*arguments) == expected


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("text", (True,)),
        ("join_present", (" ", {"a": 1})),
        ("minutes_text", (-1,)),
        ("decimal", ("x",)),
        ("split_text", ("abc", 3)),
        ("join_present", ("x" * 12_000_000, "a", "b", "c")),
        ("latest", ([{"d": 1}, {"d": "x"}], "d")),
    ],
)
def test_a_function_refuses_what_has_no_meaning(name: str, arguments: tuple[Any, ...]) -> None:
    with pytest.raises((TypeError, ValueError, ArithmeticError)):
        CALL[name](*arguments)


def test_every_function_says_what_it_returns() -> None:
    assert [name for name, call in CALL.items() if "Return" not in (call.__doc__ or "")] == []


@pytest.mark.parametrize("name", sorted(set(CALL) - {"sum_of", "split_text", "unique", "has_user", "referring"}))
def test_what_is_missing_never_becomes_text(name: str) -> None:
    more: dict[str, tuple[Any, ...]] = {
        "choose": ({},), "at_zone": ("UTC",), "in_zone": ("UTC",), "plus_days": (1,), "plus_months": (1,),
        "plus_minutes": (1,), "truncate_text": (5,), "days_between": (None,), "minutes_between": (None,),
        "latest": ("d",), "earliest": ("d",),
    }  # fmt: skip

    found = CALL["join_present"](" ", None) if name == "join_present" else CALL[name](None, *more.get(name, ()))

    assert found is None


@pytest.mark.parametrize(
    "name", ["upper", "lower", "trim", "title", "capitalize", "abs", "int", "round", "first", "last"]
)
def test_a_filter_of_nothing_gives_nothing(name: str) -> None:
    assert FILTERS[name](None) is None


@pytest.mark.parametrize(
    ("local", "expected"),
    [
        (datetime(2024, 1, 15, 9), "2024-01-15T15:00:00+00:00"),
        (datetime(2024, 3, 10, 2, 30), "2024-03-10T08:30:00+00:00"),
        (datetime(2024, 11, 3, 1, 30), "2024-11-03T06:30:00+00:00"),
    ],
    ids=["winter", "skipped by the change to summer time", "twice: the first"],
)
def test_a_local_time_is_one_moment_in_its_zone(local: datetime, expected: str) -> None:
    moment = CALL["at_zone"](local, "America/Chicago")

    assert moment.astimezone(UTC).isoformat() == expected
    assert moment.tzinfo == ZoneInfo("America/Chicago")


@pytest.mark.parametrize(
    ("name", "arguments", "code"),
    [
        ("choose", ("b", {"a": 1}), "unknown_value"),
        ("in_zone", (datetime(2024, 1, 1), "UTC"), "time_without_zone"),
        ("at_zone", (datetime(2024, 1, 1), "Mars/Base"), "unknown_time_zone"),
        ("at_zone", (datetime(2024, 1, 1), "../etc/passwd"), "unknown_time_zone"),
    ],
)
def test_what_must_not_be_guessed_is_rejected_with_a_code(name: str, arguments: tuple[Any, ...], code: str) -> None:
    with pytest.raises(Rejected) as caught:
        CALL[name](*arguments)

    assert caught.value.code == code


pieces_of_text = st.lists(
    st.sampled_from(["word ", "&amp;", "&", "<b>", "<", ">", "\r\n", "\n\n", "\n", "x" * 40, "é", "🦷", " ", "&#39;"]),
    max_size=80,
).map("".join)


@given(value=pieces_of_text | st.text(), limit=st.integers(SMALLEST_LIMIT, 120))
def test_splitting_loses_nothing_and_keeps_the_limit(value: str, limit: int) -> None:
    pieces = split_text(value, limit)

    assert "".join(pieces) == value
    assert all(piece and len((html_text(piece) or "").encode("utf-8", "surrogatepass")) <= limit for piece in pieces)


@given(value=pieces_of_text, limit=st.integers(SMALLEST_LIMIT, 60))
def test_splitting_never_cuts_an_entity_or_a_line_break(value: str, limit: int) -> None:
    escaped = (html_text(value) or "").replace("<br>", "\r\n")

    pieces = split_text(escaped, limit)

    for piece, following in itertools.pairwise(pieces):
        assert not (piece.endswith("\r") and following.startswith("\n"))
        assert not any(piece.endswith(cut) for cut in ("&", "&a", "&am", "&amp", "&l", "&lt", "&g", "&gt"))


def test_splitting_prefers_a_paragraph_then_a_line_then_a_space() -> None:
    assert split_text("aaaa aaaa\n\nbbbb bbbb cccc", 24) == ["aaaa aaaa\n\n", "bbbb bbbb cccc"]
    assert split_text("aaaa aaaa a\nbbbb bbbb cccc", 20) == ["aaaa aaaa a\n", "bbbb bbbb cccc"]
    assert split_text("aaaa aaaa aaaa bbbb", 17) == ["aaaa aaaa aaaa ", "bbbb"]
    assert split_text("ääää äääää", 16) == ["ääää ", "äääää"]
    assert split_text(None, 100) == []
    assert split_text("", 100) == []


@given(value=st.text(), length=st.integers(0, 30))
def test_cut_text_is_never_longer_than_asked(value: str, length: int) -> None:
    assert len(truncate_text(value, length) or "") <= length


def test_a_time_with_a_zone_of_its_own_is_the_moment_it_states() -> None:
    moment = CALL["at_zone"](datetime(2020, 1, 1, 10, tzinfo=UTC), "America/Chicago")

    assert moment.isoformat() == "2020-01-01T04:00:00-06:00"


def test_a_note_of_many_million_characters_is_split() -> None:
    note = "word and more words " * 60_000

    pieces = CALL["split_text"](CALL["lines"]("Head", note), 100_000)

    assert "".join(pieces) == "Head\n" + note
    assert max(len(CALL["html_text"](piece)) for piece in pieces) <= 100_000
