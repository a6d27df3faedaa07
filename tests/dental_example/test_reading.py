"""The example read by the dental source: what cannot be read is exactly what the ledger foretells."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from flitstack.protocols import Record, Rejection, Skip
from flitstack_dental.reader import open_export

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.dental_example.conftest import Example

OF_THE_READER = {
    *("unknown_code", "bad_date", "ambiguous_date", "bad_number", "missing_id", "ragged_row", "invalid_row"),
    *("totals_line", "repeated_header", "secret_column"),
}
"""Codes and rules that a row gets while it is read; all others need the whole export."""


@pytest.fixture(scope="module")
def read(any_size: Example) -> Iterator[dict[str, list[Record | Rejection | Skip]]]:
    """Everything the reader yields, by stream."""
    reader = open_export(str(any_size.out), {})
    yield {stream.name: list(reader.read(stream.name)) for stream in reader.streams()}
    reader.close()


def test_the_reader_refuses_and_leaves_out_exactly_what_the_ledger_foretells(
    any_size: Example, read: dict[str, list[Record | Rejection | Skip]]
) -> None:
    foretold = Counter(
        (entry["stream"], entry["line"], entry["code_or_rule"])
        for entry in any_size.ledger
        if entry["code_or_rule"] in OF_THE_READER and entry["bucket"] != "dropped"
    )

    found = Counter(
        (stream, item.where.line if item.where else None, item.code if isinstance(item, Rejection) else item.rule)
        for stream, items in read.items()
        for item in items
        if not isinstance(item, Record)
    )

    assert found == foretold


def test_each_row_of_each_file_is_read_as_exactly_one_thing(
    any_size: Example, read: dict[str, list[Record | Rejection | Skip]]
) -> None:
    for stream, items in read.items():
        if stream == "practice":  # the manifest makes it
            continue
        assert [item.where.line for item in items if item.where] == [line.number for line in any_size.lines(stream)], (
            stream
        )


def test_no_secret_reaches_a_record(any_size: Example, read: dict[str, list[Record | Rejection | Skip]]) -> None:
    columns = {(e["stream"], e["field"]) for e in any_size.ledger if e["kind"] == "secret_column"}
    values = {line.cells.get(column, "") for stream, column in columns for line in any_size.lines(stream)} - {
        "",
        *(column for _, column in columns),
    }
    text = repr([item.data for items in read.values() for item in items if isinstance(item, Record)])

    assert len(values) > 20
    assert not [value for value in values if value in text]
    assert "666-" not in text
    assert "4111 1111" not in text


def test_the_export_states_its_own_day(any_size: Example) -> None:
    reader = open_export(str(any_size.out), {})

    assert str(reader.as_of()).startswith("2026-06-30")
    reader.close()


def test_a_kept_defect_is_read_and_one_unescaped_quote_is_mended(
    any_size: Example, read: dict[str, list[Record | Rejection | Skip]]
) -> None:
    places = {(stream, item.where.line) for stream, items in read.items() for item in items if isinstance(item, Record)}
    kept = [entry for entry in any_size.ledger if entry["bucket"] in {"created", "folded"}]

    assert any(entry["kind"] == "unescaped_quotes" for entry in kept)
    assert [entry for entry in kept if (entry["stream"], entry["line"]) not in places] == []


def test_a_document_has_its_size_and_hash_unless_its_bytes_are_missing(
    any_size: Example, read: dict[str, list[Record | Rejection | Skip]]
) -> None:
    missing = {entry["id"] for entry in any_size.ledger if entry["code_or_rule"] == "document_missing"}
    documents = [item for item in read["documents"] if isinstance(item, Record)]

    assert missing
    assert {item.id for item in documents if item.data.get("size") is None} == missing
    assert {item.id for item in documents if item.data.get("sha256") is None} == missing


def test_a_column_of_secrets_is_reported_as_dropped(any_size: Example) -> None:
    foretold = {(e["file"], e["field"]) for e in any_size.ledger if e["kind"] == "secret_column"}

    reader = open_export(str(any_size.out), {})
    for stream in reader.streams():
        list(reader.read(stream.name))
    dropped = {(file.name, column) for file in reader.inventory() for column in file.dropped}
    reader.close()

    assert dropped == foretold
