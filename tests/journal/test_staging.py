"""Staging: every row that was read is kept once, whatever its id, and what an export does not hold stays."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flitstack.errors import Fatal
from flitstack.journal import Journal
from flitstack.protocols import Record, Rejection, Skip, Stream, Where

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flitstack.protocols import JSON

Row = Record | Rejection | Skip
CONTACTS = Stream("contacts", {"type": "object", "properties": {"name": {}, "boss_id": {}}})
NO_STAMPS: frozenset[str] = frozenset()


def contact(record_id: str, line: int, **data: JSON) -> Record:
    return Record("contacts", record_id, data, Where("contacts.csv", line))


def stage(journal: Journal, *chunks: Sequence[Row], stamps: frozenset[str] = NO_STAMPS) -> list[Rejection]:
    snapshot = journal.staging.begin("run", "2026-07-01T09:00:00.000+00:00")
    journal.staging.add_stream(snapshot, CONTACTS)
    rejections = [found for chunk in chunks for found in journal.staging.add(snapshot, chunk, stamps)]
    journal.staging.complete(snapshot, "2026-07-01T09:00:01.000+00:00", "2026-06-30", [], "0")
    return rejections


def names(journal: Journal) -> dict[str, JSON]:
    return {record.id: record.data.get("name") for record in journal.staging.records("contacts")}


@pytest.mark.parametrize("apart", [False, True])
def test_of_two_rows_with_one_id_the_first_moves(journal: Journal, apart: bool) -> None:
    rows = [contact("1", 2, name="Ann"), contact("1", 3, name="Ann"), contact("1", 4, name="Bob")]

    rejections = stage(journal, *([row] for row in rows)) if apart else stage(journal, rows)

    assert names(journal) == {"1": "Ann"}
    assert journal.staging.count("contacts") == 3
    assert [(r.code, r.id, r.where.line if r.where else None) for r in rejections] == [
        ("duplicate_id", "1@contacts.csv:4", 4)
    ]
    assert ("contacts", "duplicate_row", 1) in journal.buckets.skips("run")


def test_rows_of_one_line_with_one_id_are_all_counted(journal: Journal) -> None:
    stage(journal, [contact("1", 2, name=name) for name in ("A", "B", "C", "D")])

    assert journal.staging.count("contacts") == 4
    counted = journal.buckets.streams("run")["contacts"]
    assert (counted["read"], counted["rejected"], counted["skipped"]) == (4, 3, 1)


def test_rows_without_id_and_place_are_all_counted(journal: Journal) -> None:
    lost = Rejection("contacts", None, "bad_row", "It cannot be read.", "Correct it.")

    stage(journal, [lost, lost], [lost])

    assert journal.staging.count("contacts") == 3
    assert journal.buckets.streams("run")["contacts"]["rejected"] == 3


def test_a_record_after_a_rejection_with_its_id_does_not_take_its_place(journal: Journal) -> None:
    bad = Rejection("contacts", "1", "bad_date", "Not a date.", "Correct it.", Where("contacts.csv", 2))

    stage(journal, [bad, contact("1", 3, name="Ann")])

    assert names(journal) == {}
    assert journal.buckets.streams("run")["contacts"]["rejected"] == 2


def test_reading_again_replaces_what_was_rejected_and_keeps_what_vanished(journal: Journal) -> None:
    bad = Rejection("contacts", "3", "bad_date", "Not a date.", "Correct it.", Where("contacts.csv", 4))
    stage(journal, [contact("1", 2, name="Ann"), contact("2", 3, name="Bob"), bad])
    journal.staging.accept()
    stage(journal, [contact("1", 2, name="Anna"), contact("3", 3, name="Cy")])

    assert names(journal) == {"1": "Anna", "2": "Bob", "3": "Cy"}
    assert journal.buckets.rejections() == []


@pytest.mark.parametrize("killed", [False, True])
def test_what_was_read_and_never_accepted_is_forgotten_when_the_next_is_read(journal: Journal, killed: bool) -> None:
    bad = Rejection("contacts", "3", "bad_date", "Not a date.", "Correct it.", Where("contacts.csv", 4))
    stage(journal, [contact("1", 2, name="Ann"), contact("2", 3, name="Bob"), bad])
    journal.staging.accept()
    before = journal.staging.fingerprint()
    if killed:
        snapshot = journal.staging.begin("run", "2026-07-01T09:00:00.000+00:00")
        journal.staging.add_stream(snapshot, CONTACTS)
        journal.staging.add(snapshot, [contact("1", 2, name="Anna")], NO_STAMPS)
    else:
        stage(journal, [contact("1", 2, name="Anna"), contact("3", 3, name="Cy")])

    journal.staging.begin("run", "2026-07-01T10:00:00.000+00:00")

    assert names(journal) == {"1": "Ann", "2": "Bob"}
    assert journal.staging.fingerprint() == before
    assert [code for _, code, *_ in journal.buckets.rejections()] == ["bad_date"]
    latest = journal.staging.latest()
    assert latest is not None
    assert latest.id == 1


Line = tuple[str, str]
LINES = st.lists(st.tuples(st.sampled_from("123456"), st.sampled_from(("Ann", "Bob", "bad", "skip"))), max_size=8)


@settings(max_examples=60, deadline=None)
@given(readings=st.lists(LINES, min_size=2, max_size=5), accepted=st.integers(1, 3))
def test_forgetting_what_nobody_accepted_leaves_every_row_as_it_was(readings: list[list[Line]], accepted: int) -> None:
    with TemporaryDirectory() as folder, Journal(Path(folder) / "flit.db", lease=True) as journal:
        for lines in readings[:accepted]:
            stage(journal, rows_of(lines, "first.csv"))
            journal.staging.accept()
        before = held(journal)
        for lines in readings[accepted:]:
            stage(journal, rows_of(lines, "later.csv"), rows_of(lines[:2], "later.csv"))

        journal.staging.begin("run", "2026-07-01T10:00:00.000+00:00")

        assert held(journal) == before


def test_of_a_record_that_says_the_same_again_nothing_is_kept_twice(journal: Journal) -> None:
    stage(journal, [contact(str(number), number, name="Ann") for number in range(1, 9)])
    journal.staging.accept()

    stage(journal, [contact(str(number), number, name="Ann" if number > 2 else "Anna") for number in range(1, 9)])

    with closing(sqlite3.connect(journal.path)) as db:
        kept = db.execute("SELECT id FROM accepted_staged WHERE data <> '' ORDER BY id").fetchall()
    assert kept == [("1",), ("2",)]


def rows_of(lines: Sequence[Line], file: str) -> list[Row]:
    """Return rows: records, rejections and rows that are left out."""
    rows: list[Row] = []
    for number, (record_id, what) in enumerate(lines, 2):
        where = Where(file, number)
        if what == "bad":
            rows.append(Rejection("contacts", record_id, "bad_date", "Not a date.", "Correct it.", where))
        elif what == "skip":
            rows.append(Skip("contacts", record_id, "empty_row", where))
        else:
            rows.append(Record("contacts", record_id, {"name": what}, where))
    return rows


def held(journal: Journal) -> list[tuple[object, ...]]:
    """Return what is staged, row by row, and what became of the rows."""
    with closing(sqlite3.connect(journal.path)) as db:
        order = {"staged": "pos", "snapshot_stream": "stream", "rejection": "stream, id", "left_out": "stream, id"}
        return [row for name, by in order.items() for row in db.execute(f"SELECT * FROM {name} ORDER BY {by}")]  # noqa: S608 - fixed text


def test_before_anything_was_accepted_nothing_is_left_of_what_was_read(journal: Journal) -> None:
    stage(journal, [contact("1", 2, name="Ann")])

    journal.staging.begin("run", "2026-07-01T10:00:00.000+00:00")

    assert journal.staging.streams() == []
    assert names(journal) == {}
    assert journal.staging.latest() is None


def test_what_is_kept_aside_has_the_columns_of_its_table(journal: Journal) -> None:
    with closing(sqlite3.connect(journal.path)) as db:
        tables = [name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        columns = {name: [row[1:3] for row in db.execute(f"PRAGMA table_info({name})")] for name in tables}

    kept = [name for name in tables if name.startswith("accepted_")]
    assert "accepted_staged" in kept
    assert [name for name in kept if columns[name] != columns[name.removeprefix("accepted_")]] == []


def test_the_fingerprint_is_of_the_content_alone(tmp_path: Path) -> None:
    rows = [contact("1", 2, name="Ann", changed="a"), contact("2", 3, name="Bob", changed="a")]
    orders = {
        "one": [rows],
        "reversed": [list(reversed(rows))],
        "stamped": [[contact("1", 9, name="Ann", changed="b"), rows[1]]],
        "with none": [[contact("1", 2, name="Ann", changed="a", phone=None), rows[1]]],
        "other": [[contact("1", 2, name="Anna", changed="a"), rows[1]]],
    }
    prints = {}
    for name, chunks in orders.items():
        with Journal(tmp_path / f"{name}.db") as journal:
            stage(journal, *chunks, stamps=frozenset({"changed"}))
            prints[name] = journal.staging.fingerprint()

    assert len({prints[name] for name in ("one", "reversed", "stamped", "with none")}) == 1
    assert prints["other"] != prints["one"]


@pytest.mark.parametrize("name", ["a b", "x'); DROP TABLE staged; --", "", "1st", "naïve"])
def test_a_name_that_could_be_more_than_a_name_is_refused(journal: Journal, name: str) -> None:
    with pytest.raises(Fatal, match="is no name"):
        journal.staging.distinct("contacts", name)
    with pytest.raises(Fatal, match="is no name"):
        journal.staging.index(name, "boss_id")


def test_references_that_lead_nowhere_are_found(journal: Journal) -> None:
    stage(journal, [contact("1", 2, boss_id="2"), contact("2", 3, boss_id="9"), contact("3", 4, boss_id=None)])

    assert list(journal.staging.missing_references("contacts", "boss_id", "contacts")) == ["2"]
    assert [record_id for record_id, _ in journal.staging.referring("contacts", "boss_id", "9")] == ["2"]
    assert journal.staging.distinct("contacts", "boss_id") == ["2", "9"]


IDS = st.one_of(st.none(), st.sampled_from(["1", "2", "1@contacts.csv:2", "@contacts.csv:2"]), st.text(max_size=3))
PLACES = st.builds(Where, st.sampled_from(["contacts.csv", ""]), st.integers(2, 3))
ROWS = st.one_of(
    st.builds(contact, st.text(max_size=3), st.integers(2, 3), name=st.sampled_from(["A", "B", None])),
    st.builds(
        Rejection, st.just("contacts"), IDS, st.just("bad"), st.just("r"), st.just("h"), st.one_of(st.none(), PLACES)
    ),
    st.builds(Skip, st.just("contacts"), IDS, st.just("totals_line"), PLACES),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(ROWS, min_size=1, max_size=6), max_size=4))
def test_no_row_is_lost_whatever_the_ids(tmp_path_factory: pytest.TempPathFactory, chunks: list[list[Row]]) -> None:
    rows = sum(map(len, chunks))
    with Journal(tmp_path_factory.mktemp("journal") / "flit.db") as journal:
        for _ in range(2):
            stage(journal, *chunks)
            counted = journal.buckets.streams("run").get("contacts", {"read": 0})
            assert counted["read"] == rows
            assert sum(n for bucket, n in counted.items() if bucket != "read") == rows
