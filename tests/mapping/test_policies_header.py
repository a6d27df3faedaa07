"""Policies and ratios in a template's header: read as written, and what is wrong is named with file and line."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest

from flitstack.errors import MappingError
from flitstack.mapping import load_template

if TYPE_CHECKING:
    from pathlib import Path

HEADER = """\
template: small
source: acme
destination: barn
variables:
  properties:
    grouping: {type: string, enum: [each, joined], default: each}
    since: {type: [string, "null"], default: null}
"""


def template(folder: Path, more: str) -> Path:
    """Return a template with this in its header."""
    file = folder / "small.yaml.j2"
    file.write_text(f"{HEADER}{more}---\nspec: 1\n", "utf-8")
    return file


def test_a_policy_offers_values_and_days_before_the_export(tmp_path: Path) -> None:
    more = """\
policies:
  grouping: {offer: [joined], gives_up: Detail., fixed: true, entries: [visits]}
  since: {offer: [{months_before_export: 12}, "2020-01-01"], gives_up: Old ones.}
"""
    found = load_template(template(tmp_path, more)).policies

    assert (found["grouping"].fixed, found["grouping"].entries) == (True, ("visits",))
    assert found["grouping"].offers(date(2026, 6, 30)) == ["joined"]
    assert found["since"].offers(date(2024, 2, 29)) == ["2023-02-28", "2020-01-01"]


def test_ratios_are_read_with_what_each_policy_makes_of_them(tmp_path: Path) -> None:
    more = """\
ratios:
  per: customers
  given: {grouping: each}
  schema: {field: 3}
  rows:
    - {object: visit, each: 4, source: A count., with: {grouping: 0.5}}
"""
    found = load_template(template(tmp_path, more)).ratios

    assert found is not None
    assert (found.per, found.given, found.schema) == ("customers", {"grouping": "each"}, {"field": 3})
    assert (found.rows[0].object, found.rows[0].each, found.rows[0].with_policy) == ("visit", 4.0, {"grouping": 0.5})


WRONG = {
    "a variable that is none": (
        "policies:\n  groupin: {offer: [joined], gives_up: x}\n",
        'policy "groupin"',
    ),
    "nothing given up": ("policies:\n  grouping: {offer: [joined]}\n", "gives_up"),
    "an unknown key": ("policies:\n  grouping: {offer: [joined], gives_up: x, saves: y}\n", "grouping"),
    "an offer that is no list": ("policies:\n  grouping: {offer: joined, gives_up: x}\n", "offer is a list"),
    "an offer of nothing": ("policies:\n  grouping: {offer: [], gives_up: x}\n", "offer is a list"),
    "an offer in years": ("policies:\n  grouping: {offer: [{years: 2}], gives_up: x}\n", "months_before_export"),
    "ratios without rows": ("ratios: {per: customers}\n", "ratios"),
    "a ratio without a source": ("ratios: {rows: [{object: visit, each: 4}]}\n", "source"),
    "a ratio that is no number": ("ratios: {rows: [{object: visit, each: many, source: x}]}\n", "ratios"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_named_with_file_and_line(tmp_path: Path, case: str) -> None:
    more, words = WRONG[case]

    with pytest.raises(MappingError, match=words) as caught:
        load_template(template(tmp_path, more))

    assert str(caught.value).startswith(("small.yaml.j2 line 8: ", "small.yaml.j2 line 9: "))
