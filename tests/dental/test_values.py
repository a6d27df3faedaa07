"""Small values are read as the systems that wrote them meant them."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flitstack_dental import values
from flitstack_dental.values import BadCell, DecimalStyle


@pytest.mark.parametrize(
    ("text", "style", "amount"),
    [
        ("75", "unknown", "75"),
        ("$1,234.50", "unknown", "1234.50"),
        ("(123.45)", "unknown", "-123.45"),
        ("123.45-", "unknown", "-123.45"),
        ("-8.32", "unknown", "-8.32"),
        ("($45.00)", "unknown", "-45.00"),
        ("1.234,50", "unknown", "1234.50"),
        ("12,5", "unknown", "12.5"),
        ("1,234", "unknown", "1234"),
        ("1,234", "comma", "1.234"),
        ("1.234", "comma", "1234"),
        ("1.234", "point", "1.234"),
        ("1,234,567", "unknown", "1234567"),
        (".5", "unknown", "0.5"),
        ("1.5E+3", "unknown", "1500"),
        ("1\xa0234,50", "unknown", "1234.50"),
        ("-0", "unknown", "0"),
        ("", "unknown", None),
        ("--", "unknown", None),
        ("   ", "unknown", None),
    ],
)
def test_an_amount_is_read(text: str, style: DecimalStyle, amount: str | None) -> None:
    assert values.decimal_parser("Fee", style)(text) == amount


@pytest.mark.parametrize(("text", "code"), [("see chart", "bad_number"), ("1.234", "ambiguous_number")])
def test_an_amount_that_cannot_be_read_is_refused(text: str, code: str) -> None:
    with pytest.raises(BadCell) as caught:
        values.decimal_parser("Fee", "unknown")(text)

    assert caught.value.code == code


@given(st.decimals(-(10**9), 10**9, places=2, allow_nan=False))
def test_any_amount_with_two_decimals_is_read_back(amount: Decimal) -> None:
    assert Decimal(values.decimal_parser("Fee", "unknown")(f"{amount:,.2f}") or "") == amount


@pytest.mark.parametrize(
    ("text", "truth"),
    [("t", True), ("f", False), ("Y", True), ("N", False), ("1", True), ("0", False), ("True", True), ("", None)],
)
def test_a_truth_value_is_read(text: str, truth: bool | None) -> None:
    assert values.boolean_parser("IsHidden")(text) is truth


def test_an_unknown_truth_value_is_refused() -> None:
    with pytest.raises(BadCell):
        values.boolean_parser("IsHidden")("maybe")


@pytest.mark.parametrize("text", ["(   )   -    ", "--", "", "  ", "NULL"])
def test_an_empty_mask_is_no_telephone_number(text: str) -> None:
    assert values.phone(text) is None


def test_a_reference_to_nothing_is_none_and_a_rounded_id_is_refused() -> None:
    parse = values.id_parser("PatNum", frozenset({"0"}))

    assert parse("0") is None
    assert parse(" 0012 ") == "0012"
    with pytest.raises(BadCell) as caught:
        parse("1.23E+15")
    assert caught.value.code == "damaged_id"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("D0120", "D0120"),
        ("120.00", "D0120"),
        ("0120", "D0120"),
        ("09987", "D9987"),
        ("d1110", "D1110"),
        ("120", "120"),
        ("LOCAL-7", "LOCAL-7"),
        ("", None),
    ],
)
def test_a_procedure_code_is_restored(text: str, code: str | None) -> None:
    assert values.cdt(text) == code


@pytest.mark.parametrize(
    ("text", "interval"),
    [
        ("6", "6 months"),
        ("1", "1 month"),
        ("393217", "6 months 1 day"),
        ("16777216", "1 year"),
        ("0", None),
        ("", None),
    ],
)
def test_a_recall_interval_is_unpacked(text: str, interval: str | None) -> None:
    assert values.recall_interval(text) == interval


@pytest.mark.parametrize(("text", "minutes"), [("XX", 10), ("/XX/", 20), ("RRR", 15), ("", None)])
def test_a_pattern_is_five_minutes_a_character(text: str, minutes: int | None) -> None:
    assert values.pattern_minutes(text) == minutes


def test_perio_figures_are_decoded() -> None:
    assert [values.perio_depth(text) for text in ("3", "-1", "")] == [3, None, None]
    assert [values.perio_margin(text) for text in ("2", "103", "-1")] == [2, -3, None]


def test_a_memo_forgets_before_it_grows_without_bound() -> None:
    memo = values.Memo(str.upper)

    for number in range(50_000):
        assert memo[f"a{number}"] == f"A{number}"

    assert len(memo) <= 20_001


@pytest.mark.parametrize(
    "text", ["1e1000000", "1e-1000000", "9" * 5_000, "1234567890123456", "0.1234567890123456", "1e16", "1e99999999999"]
)
def test_an_amount_beyond_fifteen_digits_is_no_amount(text: str) -> None:
    with pytest.raises(BadCell) as bad:
        values.decimal_parser("fee", "point")(text)

    assert bad.value.code == "bad_number"
    assert values.decimal_parser("fee", "point")("123456789012345.00") == "123456789012345.00"
