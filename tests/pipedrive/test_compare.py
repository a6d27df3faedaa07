"""Two values are equal in comparable form exactly if they mean the same."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flitstack_pipedrive.codec.compare import comparable_fields
from flitstack_pipedrive.codec.fieldbook import CustomField, FieldBook

if TYPE_CHECKING:
    from flitstack.protocols import JSON

TYPES = ("varchar", "text", "double", "monetary", "enum", "set", "address", "date")
BOOK = FieldBook()
BOOK.replace_all("person", [CustomField("person", f"{number:040x}", kind, kind) for number, kind in enumerate(TYPES)])


def form(object: str, name: str, value: JSON) -> JSON:
    return comparable_fields(object, {name: value}, BOOK)[name]


SAME: list[tuple[str, str, Any, Any]] = [
    ("person", "name", "Ann  Example ", "Ann Example"),
    ("person", "name", "Zoe\u0301", "Zo\u00e9"),
    ("person", "name", None, ""),
    ("person", "phones", [], None),
    ("person", "phones", ["+1 (555) 010-0000"], [{"value": "+15550100000", "label": "work", "primary": True}]),
    ("person", "phones", [{"value": "555-0100 ext. 12"}], [{"value": "5550100 x12", "label": "Work", "primary": True}]),
    (
        "person",
        "phones",
        [{"value": "1", "label": "home", "primary": True}, {"value": "2", "label": "work"}],
        [{"value": "2", "label": "work", "primary": False}, {"value": "1", "label": "home", "primary": True}],
    ),
    ("person", "emails", [{"value": "Ann@Example.com"}], [{"value": "ann@example.com", "label": "work"}]),
    ("person", "add_time", "2020-01-02T03:04:05Z", "2020-01-02T03:04:05.000+00:00"),
    ("deal", "value", "12.50", "12.5"),
    ("deal", "won_time", "2020-01-02T03:04:05Z", "2020-01-02T04:04:05+01:00"),
    ("activity", "due_time", "09:30", "09:30:00"),
    ("activity", "note", "<p>a &amp; b</p>", "<div>a & b</div>\n"),
    ("note", "content", "one<br>two", "<p>one</p><p>two</p>"),
    ("note", "content", "<p>Asked &amp; said.</p><p>2 teeth<br>3 visits</p>", "Asked & said.2 teeth3 visits"),
    ("activity", "note", "<ul><li>one</li><li>two</li></ul>", "onetwo"),
    ("person", "double", "12.50", "12.5"),
    ("person", "monetary", {"value": "10.00", "currency": "EUR"}, {"value": "10", "currency": "eur"}),
    ("person", "set", ["B", "A"], ["A", "B"]),
    ("person", "text", "a\r\nb \n", "a\nb"),
    ("person", "varchar", "a  b", "a b"),
]
OTHER: list[tuple[str, str, Any, Any]] = [
    ("person", "name", "Ann Example", "Anne Example"),
    ("person", "phones", [{"value": "1"}], [{"value": "2"}]),
    ("person", "phones", [{"value": "1", "label": "home"}], [{"value": "1", "label": "work"}]),
    ("person", "phones", [{"value": "1 x2"}], [{"value": "12"}]),
    ("person", "phones", ["1", "2"], ["2", "1"]),
    ("deal", "value", "12.50", "12.51"),
    ("activity", "done", True, False),
    ("note", "content", "<b>a</b>b", "a c"),
    ("note", "content", "<p>take 2 50 mg</p>", "<p>take 250 mg</p>"),
    ("note", "content", "<p>1. 5 mg</p>", "<p>1.5 mg</p>"),
    ("person", "set", ["A"], ["A", "B"]),
    ("person", "text", "a\nb", "a b"),
    ("person", "date", "2020-01-02", "2020-02-01"),
    ("person", "varchar", "Ann", None),
]


@pytest.mark.parametrize(("object", "name", "one", "other"), SAME)
def test_what_means_the_same_is_equal(object: str, name: str, one: JSON, other: JSON) -> None:
    assert form(object, name, one) == form(object, name, other)


@pytest.mark.parametrize(("object", "name", "one", "other"), OTHER)
def test_what_means_something_else_is_not(object: str, name: str, one: JSON, other: JSON) -> None:
    assert form(object, name, one) != form(object, name, other)


@given(text=st.text(st.characters(exclude_categories=("Cs", "Cc"))))
def test_text_is_the_same_escaped_or_not_whatever_it_holds(text: str) -> None:
    assert form("note", "content", html.escape(text)) == form("note", "content", f"<p>{html.escape(text)}</p>")


@pytest.mark.parametrize("kind", TYPES)
def test_the_comparable_form_of_a_comparable_form_is_itself(kind: str) -> None:
    @given(value=st.one_of(st.none(), st.text(max_size=20), st.lists(st.text(max_size=9), max_size=4)))
    def check(value: JSON) -> None:
        once = form("person", kind, value)
        assert form("person", kind, once) == once

    check()


def test_what_no_list_shows_of_a_document_is_not_compared() -> None:
    fields: dict[str, JSON] = {"name": "x.pdf", "size": 3, "path": "documents/x.pdf", "sha256": "00"}

    assert comparable_fields("file", fields, BOOK) == {"name": "x.pdf", "size": 3}
