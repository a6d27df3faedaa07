"""The dental functions of expressions: nothing is lost on the way into text, and every plan has a stage."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flitstack.mapping import BUILTIN
from flitstack_dental.transforms import (
    TRANSFORMS,
    chart_text,
    contact_entries,
    contact_text,
    labelled,
    midnight,
    one_line,
    plan_stage,
    plan_value,
    procedure_codes,
    procedure_title,
    provider_name,
)

WORDS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Z"]), min_size=1, max_size=8)
ITEM = st.fixed_dictionaries({
    "status": st.sampled_from([
        "planned", "accepted", "scheduled", "completed", "referred", "rejected", "inactive", "deleted",
    ]),
    "fee": st.none() | st.decimals(0, 9999, places=2),
    "quantity": st.none() | st.integers(0, 9),
    "discount": st.none() | st.decimals(0, 99, places=2),
    "appointment_id": st.none() | WORDS,
})  # fmt: skip


def _plain(point: tuple[str, str | None]) -> str:
    return "".join(filter(str.isalnum, point[0].casefold())) or point[0]


@given(st.lists(st.tuples(WORDS, st.none() | WORDS), max_size=8, unique_by=_plain), st.integers(1, 5))
def test_every_contact_point_is_an_entry_or_in_the_text(points: list[tuple[str, str | None]], limit: int) -> None:
    records = [{"value": value, "label": None, "kind": "home", "note": note} for value, note in points]

    entries, text = contact_entries(records, limit), contact_text(records, limit) or ""

    assert [entry["value"] for entry in entries] == [value for value, _ in points[:limit]]
    assert [entry["primary"] for entry in entries] == [True, *[False] * 9][: len(entries)]
    assert all(value in text for value, _ in points[limit:])
    assert all(note in text for _, note in points if note)


def test_a_number_that_comes_twice_is_one_contact_point() -> None:
    numbers = ["(555) 010-0001", "5550100001", "555.010.0001 x7"]
    records = [{"value": number, "label": None, "kind": "home", "note": None} for number in numbers]

    assert [entry["value"] for entry in contact_entries(records, 4)] == ["(555) 010-0001", "555.010.0001 x7"]
    assert contact_text(records, 1) == "555.010.0001 x7 (home)"


@given(st.sampled_from(["unknown", None]), st.lists(ITEM, max_size=6), st.booleans(), st.booleans())
def test_every_plan_has_a_stage(status: str | None, items: list[dict[str, Any]], signed: bool, booked: bool) -> None:
    stage = plan_stage(status, items, signed, booked)

    live = [item for item in items if item["status"] not in {"deleted", "inactive", "rejected", "referred"}]
    assert (stage == "lost") is (bool(items) and not live)
    assert (stage == "completed") is (bool(live) and all(item["status"] == "completed" for item in live))


@given(st.lists(ITEM, max_size=6), ITEM)
def test_the_value_of_a_plan_adds_up(items: list[dict[str, Any]], more: dict[str, Any]) -> None:
    quantity = 1 if more["quantity"] is None else more["quantity"]
    own = (more["fee"] or Decimal(0)) * quantity - (more["discount"] or Decimal(0))

    assert plan_value([*items, more]) == plan_value(items) + (0 if more["status"] == "deleted" else own)


@given(st.lists(st.tuples(st.none() | WORDS, WORDS), max_size=6))
def test_no_entry_of_a_chart_is_lost(rows: list[tuple[str | None, str]]) -> None:
    records = [
        {"id": str(at), "tooth": tooth, "condition": condition, "recorded_on": None}
        for at, (tooth, condition) in enumerate(rows)
    ]

    text = chart_text(records) or ""

    assert all(condition in text for _, condition in rows)
    assert len(text.split("\n")) == max(len({tooth for tooth, _ in rows}), 1)


@given(st.text(), st.integers(1, 40))
def test_one_line_is_one_line_within_the_limit(text: str, limit: int) -> None:
    made = one_line(text, limit)

    assert made is None or (len(made) <= limit and len(made.splitlines()) == 1)


@pytest.mark.parametrize(
    ("record", "title"),
    [
        ({"code": "D1", "description": "Crown", "tooth": "3", "surface": "O"}, "D1 Crown (tooth 3 O)"),
        ({"code": "D1", "surface": "UL"}, "D1 (surface UL)"),
        ({"procedure_code": {"code": "D2", "description": "Post"}}, "D2 Post"),
        ({}, "Procedure"),
    ],
)
def test_a_procedure_is_titled_by_what_is_known_of_it(record: dict[str, Any], title: str) -> None:
    assert procedure_title(record) == title


def test_what_is_missing_stays_missing() -> None:
    assert labelled("Note", None) is None
    assert labelled("Note", "  ") is None
    assert provider_name(None) is None
    assert provider_name({"abbreviation": "BL"}) == "BL"
    assert midnight(None) is None
    assert procedure_codes([{}]) is None
    assert contact_text([], 4) is None


def test_no_function_hides_a_built_in_one() -> None:
    assert not {item.name for item in TRANSFORMS} & {item.name for item in BUILTIN}
