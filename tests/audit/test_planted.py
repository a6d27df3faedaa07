"""In a copy of the Open Dental export, twenty rows of each kind of defect are planted, and exactly they are found."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.audit import planting

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.audit.conftest import Audited

EXPORTS = os.environ.get("FLITSTACK_EXPORTS")
pytestmark = pytest.mark.skipif(not EXPORTS, reason="FLITSTACK_EXPORTS does not name a folder of exports")


# Mended or refused while reading: all are counted, and not all are named.
WITHOUT_ROWS = {
    "padded_text", "invisible_characters", "control_characters", "amount_as_text", "secret_values_removed",
    "missing_id", "ragged_row", "bad_number", "bad_date", "unknown_code", "duplicate_id", "duplicate_row",
}  # fmt: skip


@pytest.fixture(scope="module")
def audits(
    audit_folder: Callable[..., Audited], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Audited, Audited, list[Any]]:
    """The audits of the export before and after planting, and what was planted."""
    export = Path(EXPORTS or "", "opendental-1k")
    out = tmp_path_factory.mktemp("planted") / "export"
    planted = planting.plant(export, out)
    as_of = f"source.as_of={planting.AS_OF}"
    return audit_folder(export, as_of), audit_folder(out, as_of), planted


def test_exactly_twenty_more_of_each_kind_are_counted(audits: tuple[Audited, Audited, list[Any]]) -> None:
    before, after, planted = audits
    expected: dict[tuple[str, str], int] = {}
    for one in planted:
        for stream, code, often in ((one.kind.stream, one.kind.code, 1), *one.kind.also):
            expected[stream, code] = expected.get((stream, code), 0) + planting.EACH * often

    found = {(stream, code): after.count(stream, code) - before.count(stream, code) for stream, code in expected}

    assert len(planted) > 80
    assert found == expected


def test_the_rows_planted_are_named(audits: tuple[Audited, Audited, list[Any]]) -> None:
    before, after, planted = audits
    rows = {one.kind.name: one for one in planted if one.kind.code not in WITHOUT_ROWS}
    unnamed = {}

    for name, one in rows.items():
        told = after.ids(one.kind.stream, one.kind.code) - before.ids(one.kind.stream, one.kind.code)
        parts = {part for key in told for part in re.split(r"[-@]", key)}
        unnamed[name] = set(one.ids) - parts

    assert len(rows) > 65
    assert {name: ids for name, ids in unnamed.items() if ids} == {}


def test_nothing_else_is_counted_as_wrong(audits: tuple[Audited, Audited, list[Any]]) -> None:
    before, after, planted = audits
    expected = {(one.kind.stream, one.kind.code) for one in planted}
    expected |= {(stream, code) for one in planted for stream, code, _ in one.kind.also}
    expected.add((None, "mixed_encoding"))  # a file that holds the sign of a lost letter was joined from others
    more = {}

    for (stream, code), lines in after.lines.items():
        grown = after.count(stream, code) - before.count(stream, code)
        if grown and (stream, code) not in expected and any(line.severity != "info" for line in lines):
            more[stream, code] = grown

    assert more == {}


def test_there_is_no_false_orphan(audits: tuple[Audited, Audited, list[Any]]) -> None:
    before, after, planted = audits
    orphans = {(one.kind.stream, id_) for one in planted if one.kind.code == "orphan" for id_ in one.ids}

    told = {
        (stream, one.removeprefix("payment-"))
        for stream, code in after.lines
        if code == "orphan" and stream is not None
        for one in after.ids(stream, code)
    }

    assert not any(code == "orphan" for _, code in before.lines)
    assert told == orphans
