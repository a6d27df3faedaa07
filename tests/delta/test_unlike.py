"""What nobody ever saw as it was written is listed, and differs until it is right or a person accepts it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from tests.delta.test_conflicts import ONE, contact

from flitstack.errors import UsageError
from flitstack.stages.delta.listing import list_conflicts

if TYPE_CHECKING:
    from pathlib import Path

    from flitstack.testing.migration import Migration

SIX = "memory:contacts:6"


def listed(migration: Migration) -> list[tuple[str, str, str]]:
    with migration.open() as journal:
        return [(told.record, told.what, told.conflict.state) for told in list_conflicts(journal, every=True)]


def decide(folder: Path, *lines: str) -> tuple[str, ...]:
    path = folder / "decisions.csv"
    path.write_text("\n".join(["decision,record,other", *lines, ""]), encoding="utf-8")
    return (f"decisions={path}",)


@pytest.fixture
def early(stopped: Migration) -> Migration:
    """A new contact whose phone somebody changed before anything of it was read back, as the run was stopped."""
    stopped.account.edit(contact(stopped, SIX), phone="by hand")
    return stopped


def test_an_edit_in_the_minutes_of_the_load_differs_until_a_person_accepts_it(early: Migration, tmp_path: Path) -> None:
    first, again = early.run(), early.run()
    assert [first.exit_code, again.exit_code] == [6, 6]
    assert listed(early) == [("contacts:6", "contact.phone", "open")]

    accepted = early.run(sets=decide(tmp_path, "keep,contacts:6,contact.phone"))
    later = early.run()

    assert [accepted.exit_code, later.exit_code] == [0, 0]
    assert listed(early) == [("contacts:6", "contact.phone", "kept")]
    assert later.verification is not None
    assert (later.verification.mismatched, later.verification.drifted) == (0, 1)


def test_what_was_accepted_is_a_persons_and_stays_when_the_source_changes(early: Migration, tmp_path: Path) -> None:
    early.run()
    early.run(sets=decide(tmp_path, "keep,contacts:6,contact"))
    early.export.change("contacts", "6", phone="66")

    report = early.run()

    assert contact(early, SIX).fields["phone"] == "by hand"
    assert report.exit_code == 1
    assert ("contacts:6", "contact.phone", "open") in listed(early)


def test_it_is_over_once_somebody_sets_it_right(early: Migration) -> None:
    early.run()
    early.account.edit(contact(early, SIX), phone="6")

    report = early.run()

    assert report.exit_code == 0
    assert listed(early) == [("contacts:6", "contact.phone", "settled")]


def test_no_rule_accepts_what_may_have_been_lost(early: Migration) -> None:
    assert [early.run(sets=("conflicts=keep",)).exit_code for _ in range(2)] == [6, 6]


def test_to_write_over_it_is_refused_with_what_to_do(early: Migration, tmp_path: Path) -> None:
    early.run()

    with pytest.raises(UsageError, match="Set it right in the account, or say keep"):
        early.run(sets=decide(tmp_path, "overwrite,contacts:6,contact.phone"))


def test_a_write_that_went_wrong_is_no_persons_edit_and_differs(people: Migration) -> None:
    people.export.add("contacts", "6", name="Six, whose name is cut", phone="6")

    def cut(operation: object) -> None:
        if any(stored.key == SIX for stored in people.account.of("contact")):
            six = contact(people, SIX)
            people.account.records["contact", six.id] = replace(six, fields={**six.fields, "name": "Six"})

    people.account.answering = cut
    report = people.run()
    people.clock.advance(3600)

    assert [report.exit_code, people.run().exit_code] == [6, 6]
    assert listed(people) == [("contacts:6", "contact.name", "open")]


def test_a_clock_that_is_off_makes_no_edit_of_what_was_altered_on_its_way(people: Migration) -> None:
    people.export.add("contacts", "6", name="Six", phone="6")

    def alter(operation: object) -> None:
        if any(stored.key == SIX for stored in people.account.of("contact")):
            later = people.clock.now() + timedelta(hours=1)  # by the account's clock, or by ours, which was set back
            people.account.edit(contact(people, SIX), phone="altered")
            six = contact(people, SIX)
            people.account.records["contact", six.id] = replace(six, updated=later)

    people.account.answering = alter

    assert [people.run().exit_code, people.run().exit_code] == [6, 6]


def test_a_record_that_was_never_seen_is_accepted_as_deleted(early: Migration, tmp_path: Path) -> None:
    six = contact(early, SIX)
    del early.account.records["contact", six.id]
    assert early.run().exit_code == 6
    assert ("contacts:6", "contact", "open") in listed(early)

    accepted = early.run(sets=decide(tmp_path, "keep,contacts:6,contact"))

    assert [accepted.exit_code, early.run().exit_code] == [0, 0]


def test_the_audit_log_says_who_answers_for_it_without_a_value(early: Migration, tmp_path: Path) -> None:
    early.run()
    early.run(sets=decide(tmp_path, "keep,contacts:6,contact.phone"))

    with early.open() as journal:
        sql = 'SELECT event FROM audit WHERE event LIKE \'%"outcome":"accepted"%\''
        (event,) = [row[0] for row in journal._store.tuples(sql)]
    assert SIX in event
    assert '"fields":["phone"]' in event
    assert "by hand" not in event
    assert ONE not in event
