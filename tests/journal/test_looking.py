"""What an audit asks of the journal: counts, values, references that fail, and findings kept whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from flitstack.journal import Journal
from flitstack.protocols import Finding, Record, Rejection, Skip, Stream, Where

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PLACE = Where("f.csv", 2)


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with Journal(tmp_path / "flit.db") as opened:
        for name in ("people", "visits"):
            opened.staging.add_stream(1, Stream(name, {}))
        people: list[Record | Rejection | Skip] = [
            Record("people", "1", {"id": "1", "born": "1990-02-03", "boss_id": "2"}, Where("f.csv", 2)),
            Record("people", "2", {"id": "2", "born": None}, Where("f.csv", 3)),
            Rejection("people", "3", "bad_date", "No day.", "Mend it.", Where("f.csv", 4)),
            Skip("people", "4", "totals_line", Where("f.csv", 5)),
            Record("people", "5", {"id": "5", "born": "1991-02-03", "boss_id": "4"}, Where("f.csv", 6)),
        ]
        visits = [
            Record("visits", str(n), {"id": str(n), "person_id": person, "host_id": host}, Where("g.csv", n))
            for n, (person, host) in enumerate([("1", "9"), ("3", None), ("9", "1"), (None, "4"), ("2", "2")], start=1)
        ]
        opened.staging.begin("r", "t")
        opened.staging.add(1, people, frozenset())
        opened.staging.add(1, visits, frozenset())
        yield opened


def test_all_references_of_a_stream_are_looked_at_in_one_go(journal: Journal) -> None:
    broken = journal.looking.broken_references("visits", {"person_id": "people", "host_id": "people"})

    assert list(broken) == [
        ("1", "host_id", None), ("2", "person_id", "rejected"), ("3", "person_id", None), ("4", "host_id", "skipped"),
    ]  # fmt: skip
    assert list(journal.looking.broken_references("people", {"boss_id": "people"})) == [("5", "boss_id", "skipped")]
    assert list(journal.looking.broken_references("visits", {})) == []


def test_values_are_tallied_whole_or_in_part(journal: Journal) -> None:
    assert journal.looking.tally("people", "born", 1, 0) == {None: 1, "1990-02-03": 1, "1991-02-03": 1}
    assert journal.looking.tally("people", "born", 6, 5) == {None: 1, "02-03": 2}


def test_rows_are_counted_by_state(journal: Journal) -> None:
    assert [journal.looking.count("people", state) for state in ("ok", "rejected", "skipped")] == [3, 1, 1]
    assert journal.looking.states() == {"ok": 8, "rejected": 1, "skipped": 1}


def test_texts_are_the_records_as_canonical_json(journal: Journal) -> None:
    assert next(journal.looking.texts("people")) == ("1", '{"born":"1990-02-03","boss_id":"2","id":"1"}')


def test_what_was_refused_and_left_out_is_told_with_ids(journal: Journal) -> None:
    assert journal.looking.rejections() == [("people", "bad_date", "No day.", "Mend it.", 1, ["3"])]
    assert journal.looking.skips() == [("people", "totals_line", 1, ["4"])]


def test_a_line_of_the_audit_comes_back_whole_and_is_no_notice_of_a_run(journal: Journal) -> None:
    notice = Finding("vanished", "Gone.", "warning", "people", 2, ("1", "2"))
    full = Finding(
        "stale", "Long past.", "warning", "visits", 3, ("1",), "calendar", 5, "They stay.", "What are they?", "done",
        "1.00", (("2020s", 3),),
    )  # fmt: skip
    journal.staging.add_findings("stage", [notice])
    journal.staging.add_findings("audit", [full])

    assert journal.staging.findings() == [notice]
    journal.staging.forget_findings("stage")
    assert journal.staging.findings() == []


def test_two_records_of_a_line_without_an_id_are_both_told_as_such(journal: Journal) -> None:
    nameless = Rejection("visits", None, "missing_id", "No id.", "Give it one.", PLACE)

    told = journal.staging.add(1, [nameless, nameless], frozenset())

    assert [rejection.code for rejection in told] == ["missing_id", "missing_id"]
    assert journal.looking.count("visits", "rejected") == 2
