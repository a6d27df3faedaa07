"""A record that people deleted in the account is told once, is a conflict from then on, and no mismatch for ever."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from tests.delta.test_conflicts import conflicts, contact

from flitstack.stages.delta.listing import list_conflicts
from flitstack.stages.status import standing_of

if TYPE_CHECKING:
    from pathlib import Path

    from flitstack.protocols import Stored
    from flitstack.testing.migration import Migration

VISIT = "memory:visits:1"


def visit(migration: Migration) -> Stored:
    return next(stored for stored in migration.account.of("visit") if stored.key == VISIT)


def lose(migration: Migration, kept: set[tuple[str, str]]) -> None:
    """Lose what was just written."""
    for place in migration.account.records.keys() - kept:
        del migration.account.records[place]


@pytest.fixture
def without(people: Migration) -> Migration:
    """A visit that somebody deleted, and an export that says the same as before."""
    stored = visit(people)
    del people.account.records["visit", stored.id]
    return people


def test_a_record_that_people_deleted_is_told_once_and_is_a_conflict_from_then_on(without: Migration) -> None:
    said = len(without.words.said)
    written = len(without.account.written)

    first, second = without.run(), without.run()

    told = [line for line in without.words.said[said:] if "deleted in the account" in line]
    assert len(told) == 1
    assert "flit conflicts" in told[0]
    assert "bin" in told[0]
    assert [(report.status, report.exit_code) for report in (first, second)] == [("done_with_others", 1)] * 2
    assert conflicts(without) == [(VISIT, "", "open")]
    assert first.streams["visits"]["conflict"] == second.streams["visits"]["conflict"] == 1
    assert len(without.account.written) == written
    assert first.verification is not None
    assert [(one.kind, one.what) for one in first.verification.differences] == [
        ("changed", "deleted in the account since")
    ]


def test_a_decision_to_keep_it_deleted_lets_runs_end_well(without: Migration, tmp_path: Path) -> None:
    without.run()
    decisions = tmp_path / "decisions.csv"
    decisions.write_text("decision,record,other\nkeep,visits:1,visit\n", encoding="utf-8")

    kept = without.run(sets=(f"decisions={decisions}",))

    assert [kept.exit_code, without.run().exit_code] == [0, 0]
    assert conflicts(without) == [(VISIT, "", "kept")]


def test_under_the_rule_keep_it_counts_as_decided_at_once(without: Migration) -> None:
    report = without.run(sets=("conflicts=keep",))

    assert report.exit_code == 0
    assert conflicts(without) == [(VISIT, "", "kept")]


def test_taken_out_of_the_bin_it_is_carried_on_with(people: Migration) -> None:
    stored = visit(people)
    del people.account.records["visit", stored.id]
    people.run()
    people.account.records["visit", stored.id] = stored
    people.export.change("visits", "1", note="Said later")

    report = people.run()

    assert report.exit_code == 0
    assert visit(people).fields["note"] == "Said later"
    assert conflicts(people) == [(VISIT, "", "settled")]


def test_a_record_that_was_never_read_back_is_lost_however_often_it_is_looked_for(people: Migration) -> None:
    people.export.add("contacts", "6", name="Six", phone="6")
    before = set(people.account.records)
    people.account.answering = lambda operation: lose(people, before)

    report, again = people.run(), people.run()

    assert report.exit_code == again.exit_code == 6
    assert again.verification is not None
    assert [(one.key, one.kind) for one in again.verification.differences] == [("memory:contacts:6", "missing")]
    assert conflicts(people) == []


def test_a_run_that_was_stopped_before_it_read_back_saw_nothing(stopped: Migration) -> None:
    six = contact(stopped, "memory:contacts:6")
    del stopped.account.records["contact", six.id]

    assert stopped.run().exit_code == 6


def test_what_hung_on_it_and_leads_nowhere_now_is_no_loss(people: Migration) -> None:
    one = next(stored for stored in people.account.of("company") if stored.key == "memory:companies:a")
    del people.account.records["company", one.id]
    for stored in people.account.of("contact"):  # the account takes the link away, and stamps no change
        left = {name: end for name, end in stored.links.items() if name != "company"}
        people.account.records["contact", stored.id] = replace(stored, links=left)

    report = people.run()

    assert report.exit_code == 1
    assert report.verification is not None
    assert (report.verification.mismatched, report.verification.drifted) == (0, 6)
    assert conflicts(people) == [("memory:companies:a", "", "open")]


def test_where_it_stands_and_how_to_have_it_back_is_said(without: Migration) -> None:
    without.run()

    with without.open() as journal:
        (told,) = list_conflicts(journal)
    standing = standing_of(without.journal, without.clock.now())

    assert (told.record, told.what) == ("visits:1", "visit")
    assert told.reason.startswith("deleted")
    assert "bin" in told.reason
    assert (standing.state, standing.conflicts) == ("conflicts", 1)


def test_the_audit_log_names_it_once(without: Migration) -> None:
    without.run()
    without.run()

    with without.open() as journal:
        sql = 'SELECT count(*) FROM audit WHERE event LIKE \'%"outcome":"conflict"%\' AND event LIKE ?'
        assert journal._store.value(sql, (f"%{VISIT}%",)) == 1


def test_a_deleted_record_that_the_source_takes_back_too_is_over(without: Migration) -> None:
    without.run()
    rows = without.export.rows["visits"]
    without.export.rows["visits"] = [row for row in rows if row.id != "1"]

    reports = without.run(sets=("vanished=delete",)), without.run(sets=("vanished=delete",))

    assert [report.exit_code for report in reports] == [0, 0]
    assert reports[1].rejections == []
    assert conflicts(without) == [(VISIT, "", "settled")]
