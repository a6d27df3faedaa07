"""Decisions about single records: merged, kept, skipped, adopted, and remembered when the file is gone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from flitstack.errors import ApprovalNeeded, UsageError
from flitstack.matching import Person, duplicates
from flitstack.stages.gates.gate import Passing
from flitstack.stages.intake.decisions import draft_duplicates, write_draft

if TYPE_CHECKING:
    from pathlib import Path

    from flitstack.testing.migration import Migration


def decide(migration: Migration, *lines: str) -> str:
    """Write a decisions file and return what sets it."""
    file = migration.journal.parent / "decided.csv"
    file.write_text("\n".join(("decision,record,other", *lines)), encoding="utf-8")
    return f"decisions={file}"


@pytest.fixture
def twice(empty: Migration) -> Migration:
    """Ann on file twice, each record with what hangs on it."""
    empty.export.add("contacts", "1", name="Ann Archer")
    empty.export.add("contacts", "2", name="Ann Archer", phone="555 0100", boss_id="3")
    empty.export.add("contacts", "3", name="Cy Cooper", boss_id="2")
    empty.export.add("labels", "l1", contact_id="1", label="blue")
    empty.export.add("labels", "l2", contact_id="2", label="red")
    empty.export.add("visits", "v1", contact_id="1", kind="check", note="one")
    empty.export.add("visits", "v2", contact_id="2", kind="check", note="two")
    empty.export.add("tasks", "t1", contact_id="1", day="2026-06-01", what="sweep")
    empty.export.add("tasks", "t2", contact_id="2", day="2026-06-01", what="mop")
    return empty


def test_what_hung_on_a_merged_record_hangs_on_the_one_that_stays(twice: Migration) -> None:
    report = twice.run(sets=(decide(twice, "merge,contacts:2,contacts:1"),))

    held = {stored.key: stored for stored in twice.account.of("contact")}
    ann = held["memory:contacts:1"]
    assert sorted(map(str, held)) == ["memory:contacts:1", "memory:contacts:3"]
    assert ann.fields.items() >= {"name": "Ann Archer", "phone": "555 0100", "Labels__c": ["blue", "red"]}.items()
    assert ann.links["boss"] == held["memory:contacts:3"].id
    assert held["memory:contacts:3"].links["boss"] == ann.id
    assert {stored.links["contact"] for stored in twice.account.of("visit")} == {ann.id}
    assert sorted(str(stored.fields["note"]) for stored in twice.account.of("visit")) == ["one", "sweep\nmop", "two"]
    assert report.streams["contacts"]["folded"] == 1
    assert all(sum(counts.values()) == 2 * counts["read"] for counts in report.streams.values())
    assert report.exit_code == 0


def test_a_merge_holds_for_a_later_export_when_the_file_is_gone(twice: Migration) -> None:
    twice.run(sets=(decide(twice, "merge,contacts:2,contacts:1"),))
    twice.export.add("visits", "v3", contact_id="2", kind="call", note="three")

    report = twice.run()

    (ann,) = (stored for stored in twice.account.of("contact") if stored.key == "memory:contacts:1")
    assert {stored.links["contact"] for stored in twice.account.of("visit")} == {ann.id}
    assert len(twice.account.of("contact")) == 2
    assert report.exit_code == 0


def test_keep_takes_a_merge_back(twice: Migration) -> None:
    twice.run(sets=(decide(twice, "merge,contacts:2,contacts:1"),))

    twice.run(sets=(decide(twice, "keep,contacts:2,"),))

    second = next(stored for stored in twice.account.of("contact") if stored.key == "memory:contacts:2")
    moved = next(stored for stored in twice.account.of("visit") if stored.fields["note"] == "two")
    assert moved.links["contact"] == second.id


def test_a_decision_that_nobody_approved_is_not_remembered(twice: Migration) -> None:
    with pytest.raises(ApprovalNeeded, match="1 merge"):
        twice.run(sets=(decide(twice, "merge,contacts:2,contacts:1"),), passing=Passing())

    twice.run()

    assert len(twice.account.of("contact")) == 3


def test_a_skipped_record_stays_behind_with_what_hangs_on_it(twice: Migration) -> None:
    report = twice.run(sets=(decide(twice, "skip,contacts:2,"),))

    assert len(twice.account.of("contact")) == 2
    assert ("contacts", "decided", 1) in report.skips
    assert ("visits", "parent_skipped", 1) in report.skips


def test_a_person_adopts_a_record_by_its_id(twice: Migration) -> None:
    stored = twice.account.put("contact", name="A. Archer")

    twice.run(sets=(decide(twice, f"adopt,contacts:1,{stored.id}"),))

    held = twice.account.records["contact", stored.id]
    assert (held.key, held.fields["name"]) == ("memory:contacts:1", "A. Archer")


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (("unite,contacts:2,contacts:1",), 'line 2, column "decision"'),
        (("merge,contacts:9,contacts:1",), 'line 2, column "record"'),
        (("merge,contacts:2,visits:v1",), 'line 2, column "other"'),
        (("merge,contacts:2,contacts:2",), 'line 2, column "other"'),
        (("keep,contacts:1,", "skip,contacts:1,"), "line 2 decides the same already"),
        (("merge,contacts:1,contacts:2", "merge,contacts:2,contacts:1"), "merged into itself"),
        (("merge,contacts:1,contacts:2", "skip,contacts:2,"), "which is skipped"),
        (("adopt,contacts:1,",), "the id that the record has in the account"),
        (("adopt,contacts:1,contact-99",), "which the account does not have"),
    ],
)
def test_a_line_that_cannot_be_followed_is_named(twice: Migration, lines: tuple[str, ...], said: str) -> None:
    twice.account.put("contact", name="Somebody Else")

    with pytest.raises(UsageError) as refused:
        twice.run(sets=(decide(twice, *lines),))

    assert said in str(refused.value)
    assert "Ann" not in str(refused.value)


def test_a_file_that_is_not_there_or_of_another_kind_is_named(twice: Migration, tmp_path: Path) -> None:
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")

    for name in ("gone.csv", "other.csv"):
        with pytest.raises(UsageError, match=name):
            twice.run(sets=(f"decisions={tmp_path / name}",))


def test_a_draft_names_records_and_reasons_and_decides_nothing_by_itself(tmp_path: Path) -> None:
    ann = Person("1", given="Ann", family="Archer", birth_date="1980-02-03", phones=("3125552014",))
    groups = duplicates([ann, Person("2", given="Ann", family="Archer", birth_date="1980-02-03", phones=ann.phones)])

    count = write_draft(tmp_path / "flit-reports" / "draft.csv", draft_duplicates("contacts", groups))

    file = tmp_path / "flit-reports" / "draft.csv"
    header, line = file.read_text(encoding="utf-8").splitlines()
    assert count == 1
    assert header == "decision,record,other,proposed,reasons"
    assert line.startswith(",contacts:2,contacts:1,merge,same birth date;")
    assert file.stat().st_mode & 0o777 == 0o600
