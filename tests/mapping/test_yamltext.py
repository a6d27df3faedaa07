"""YAML with lines: what is data, what is refused, and where."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from flitstack.errors import MappingError
from flitstack.mapping.yamltext import read_yaml


def test_every_value_knows_its_line() -> None:
    found = read_yaml("a: 1\nb:\n  - x\n  - c: y\nd: |\n  text\n", "f.yaml", first_line=10)

    assert found.data == {"a": 1, "b": ["x", {"c": "y"}], "d": "text\n"}
    assert [found.line(path) for path in (("a",), ("b", 1, "c"), ("d",), ("b", 7), ("nowhere",))] == [
        10,
        13,
        15,
        12,
        10,
    ]


def test_only_true_and_false_are_booleans_and_dates_stay_text() -> None:
    found = read_yaml("[on, no, true, 2024-01-01, 012, 1_000, '5', 1.50, null, ~]", "f.yaml")

    assert found.data == ["on", "no", True, "2024-01-01", "012", "1_000", "5", 1.5, None, None]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: [1", "f.yaml line 1: this is not YAML"),
        ("a: 1\nb: {{ x }}", "f.yaml line 2: a key must be text"),
        ("a: 1\na: 2", 'f.yaml line 2: the key "a" stands here twice'),
        ("a: &x [1]\nb: *x", "f.yaml line 2: an alias"),
        ("a: !!python/object/apply:os.system [x]", "f.yaml line 1: a tag"),
        ("a: \x00", "f.yaml: this is not YAML (ReaderError)"),
        ("[" * 60 + "]" * 60, "nested more than"),
        ("a: 'x\n", "this is not YAML"),
    ],
)
def test_what_cannot_be_read_says_where(text: str, said: str) -> None:
    with pytest.raises(MappingError) as caught:
        read_yaml(text, "f.yaml")

    assert said in str(caught.value)


@given(st.text(max_size=60))
def test_any_text_is_data_or_one_clear_error(text: str) -> None:
    said = "f.yaml"
    try:
        read_yaml(text, "f.yaml")
    except MappingError as exc:
        said = str(exc)

    assert said.startswith("f.yaml")


plain = st.recursive(
    st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), max_size=6)
    | st.integers(-999, 999)
    | st.booleans(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)


@given(plain)
def test_what_was_written_is_read_back(data: object) -> None:
    text = yaml.dump(data, default_style='"' if isinstance(data, str) else None, Dumper=_NoAliases)

    assert read_yaml(text, "f.yaml").data == data


class _NoAliases(yaml.SafeDumper):
    def ignore_aliases(self, data: object) -> bool:
        return True
