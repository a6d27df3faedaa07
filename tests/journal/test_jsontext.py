"""Canonical text: the compiled library's and Python's are one, and what goes in comes out."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flitstack.journal.jsontext import dumps, loads

TEXTS = st.text(st.characters(codec="utf-8"))
LEAVES = st.none() | st.booleans() | st.integers() | TEXTS
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner),
    max_leaves=20,
)


@given(VALUES)
def test_what_is_written_is_read_as_it_was(value: object) -> None:
    assert loads(dumps(value)) == value


@given(VALUES)
def test_the_text_is_the_one_that_python_itself_writes(value: object) -> None:
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))

    assert dumps(value).lstrip(" ") == text


@given(st.dictionaries(TEXTS, LEAVES))
def test_equal_values_give_equal_text_whatever_their_order(value: dict[str, object]) -> None:
    assert dumps(dict(reversed(list(value.items())))) == dumps(value)


@pytest.mark.parametrize("number", [2**63 - 1, 2**64, -(2**70), 10**40])
def test_a_number_beyond_64_bits_is_not_rounded(number: int) -> None:
    assert loads(dumps({"a": [number]})) == {"a": [number]}


def test_what_is_no_json_is_refused() -> None:
    with pytest.raises(TypeError):
        dumps({1, 2})
