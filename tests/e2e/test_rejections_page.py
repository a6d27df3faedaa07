"""The page of rejections lists every code and rule that can occur, and none that cannot."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest
from tests.docs.codes import rejection_codes, template_codes

import flitstack
import flitstack_dental
import flitstack_hubspot
import flitstack_pipedrive
import flitstack_sqlite
from flitstack.mapping import find_template

DOCS = Path(__file__).parents[2] / "docs"
PACKAGES = (flitstack, flitstack_dental, flitstack_hubspot, flitstack_pipedrive, flitstack_sqlite)
TEMPLATES = ("dental-to-pipedrive", "dental-to-hubspot", "sqlite-to-pipedrive")
ROW = re.compile(r"^\| `(\w+)` \| (.+?) \|", re.MULTILINE)


@cache
def _in_code() -> set[str]:
    return rejection_codes([Path(str(package.__file__)).parent for package in PACKAGES])


@cache
def _in_template() -> set[str]:
    return {code for name in TEMPLATES for code in template_codes(find_template(name).read_text("utf-8"))}


@pytest.fixture(scope="module")
def page() -> dict[str, str]:
    """Code or rule to the sentence that the page has for it."""
    return dict(ROW.findall((DOCS / "rejections.md").read_text("utf-8")))


def test_every_code_and_rule_of_the_code_is_on_the_page(page: dict[str, str]) -> None:
    codes = _in_code()

    assert {"bad_date", "destination_refused", "duplicate_id", "orphan", "parent_skipped", "unreferenced"} <= codes
    assert sorted(codes - page.keys()) == []


def test_every_code_and_rule_of_the_template_is_on_the_page(page: dict[str, str]) -> None:
    codes = _in_template()

    assert {"deleted_patient", "stale_open_appointment", "left_by_profile", "missing_name"} <= codes
    assert sorted(codes - page.keys()) == []


def test_the_page_has_no_code_that_cannot_occur(page: dict[str, str]) -> None:
    assert sorted(page.keys() - _in_code() - _in_template()) == []


def test_each_code_stands_once_with_a_sentence() -> None:
    rows = ROW.findall((DOCS / "rejections.md").read_text("utf-8"))

    assert len(rows) == len({code for code, _ in rows})
    assert all(len(sentence) > 12 for _, sentence in rows)
