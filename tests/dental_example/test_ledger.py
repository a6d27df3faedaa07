"""The ledger of planted defects: what it names is there, and what is there it names."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from flitstack_dental.example.defects import DEFECTS, SHAPES

if TYPE_CHECKING:
    from tests.dental_example.conftest import Example, Line

ENTRY_KEYS = {"kind", "stream", "id", "file", "line", "field", "bucket", "code_or_rule", "note"}
NO_CODE = {"created", "folded", "blocked"}


def _by_line(example: Example) -> dict[tuple[str, int], Line]:
    streams = {entry["stream"] for entry in example.ledger}
    return {(stream, line.number): line for stream in streams for line in example.lines(stream)}


def test_every_row_the_ledger_names_is_where_it_says(any_size: Example) -> None:
    lines = _by_line(any_size)

    for entry in any_size.ledger:
        if entry["line"] is None:
            continue
        line = lines[entry["stream"], entry["line"]]
        assert entry["file"] == f"{entry['stream']}.csv"
        assert entry["id"] is None or line.cells["id"] == entry["id"], entry
        assert entry["field"] is None or entry["field"] in line.cells or entry["kind"] == "ragged_row", entry


def test_an_entry_says_where_what_for_and_how_it_ends(any_size: Example) -> None:
    for entry in any_size.ledger:
        assert set(entry) == ENTRY_KEYS
        assert entry["note"]
        assert (entry["code_or_rule"] is None) == (entry["bucket"] in NO_CODE), entry


@pytest.mark.parametrize(("stream", "kind"), [(stream, d.kind) for stream, all_ in DEFECTS.items() for d in all_])
def test_every_kind_of_defect_is_in_the_demo(demo: Example, stream: str, kind: str) -> None:
    assert any(entry["stream"] == stream and entry["kind"] == kind for entry in demo.ledger)


@pytest.mark.parametrize("kind", [shape.kind for shape in SHAPES])
def test_every_defect_of_the_practice_itself_is_in_the_demo(demo: Example, kind: str) -> None:
    assert any(entry["kind"] == kind for entry in demo.ledger)


def test_each_repeated_id_is_foreseen(any_size: Example) -> None:
    for stream in DEFECTS:
        ids = [line.cells["id"] for line in any_size.lines(stream)]
        repeated = Counter(found for found, times in Counter(ids).items() if found not in {"", "id"} and times > 1)

        foreseen = Counter(
            entry["id"]
            for entry in any_size.ledger
            if entry["stream"] == stream and entry["kind"] in {"duplicate_id", "duplicate_row"}
        )

        assert foreseen == repeated, stream


def test_a_repeated_row_is_the_same_to_the_letter_and_a_repeated_id_is_not(any_size: Example) -> None:
    for entry in any_size.ledger:
        if entry["kind"] in {"duplicate_id", "duplicate_row"}:
            lines = [line for line in any_size.lines(entry["stream"]) if line.cells["id"] == entry["id"]]
            assert len(lines) == 2
            assert lines[1].number == entry["line"]
            assert (lines[0].cells == lines[1].cells) == (entry["kind"] == "duplicate_row")


def test_each_row_without_its_patient_is_foreseen(any_size: Example) -> None:
    lost = {
        (entry["file"], entry["line"])
        for entry in any_size.ledger
        if entry["stream"] == "patients" and entry["bucket"] == "rejected" and entry["kind"] != "duplicate_id"
    }
    known = {line.cells["id"] for line in any_size.lines("patients") if ("patients.csv", line.number) not in lost}
    rejected = {
        entry["id"] for entry in any_size.ledger if entry["stream"] == "patients" and entry["bucket"] == "rejected"
    }
    by_line = {(entry["stream"], entry["line"]): entry for entry in any_size.ledger}

    for stream in DEFECTS:
        for line in any_size.lines(stream):
            owner = line.cells.get("patient_id") or ""
            if owner in known | {"", "patient_id"} or stream in {"patients", "referral_sources"}:
                continue
            entry = by_line[stream, line.number]
            fate = ("blocked", None) if owner in rejected else ("rejected", "orphan")
            assert (entry["bucket"], entry["code_or_rule"]) == fate, (stream, line.number)


def test_each_ragged_row_is_foreseen(any_size: Example) -> None:
    for stream in DEFECTS:
        lines = any_size.lines(stream)
        width = Counter(line.width for line in lines).most_common(1)[0][0]

        ragged = {line.number for line in lines if line.width != width}

        assert ragged == {
            entry["line"] for entry in any_size.ledger if entry["stream"] == stream and entry["kind"] == "ragged_row"
        }


def test_secrets_are_named_by_place_and_never_by_value(town: Example) -> None:
    text = (town.out / "defects.ledger.json").read_text(encoding="utf-8")
    secrets = ("ssn", "portal_password")
    values = {record.get(column, "") for record in town.records("patients") for column in secrets} - {""}

    assert len(values) > 500
    assert not [value for value in values if value in text]
    assert "666-" not in text
    assert "4111" not in text


def test_ssn_shapes_stand_only_where_the_ledger_says(any_size: Example) -> None:
    columns = {(e["stream"], e["field"]) for e in any_size.ledger if e["kind"] == "secret_column"}
    cells = {(e["stream"], e["line"], e["field"]) for e in any_size.ledger if e["kind"] == "secret"}

    found = {
        (stream, line.number, column)
        for stream in DEFECTS
        for line in any_size.lines(stream)
        for column, text in line.cells.items()
        if "666-" in text or "4111 1111" in text
    }

    assert {place for place in found if (place[0], place[2]) not in columns} == cells
