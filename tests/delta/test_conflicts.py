"""What people change in the account while the practice goes on is theirs: kept field by field, listed, decidable."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from flitstack.errors import ApprovalNeeded, UsageError
from flitstack.stages.gates.gate import Passing

if TYPE_CHECKING:
    from pathlib import Path

    from flitstack.protocols import Stored
    from flitstack.testing.migration import Migration

ONE = "memory:contacts:1"


def contact(migration: Migration, key: str = ONE) -> Stored:
    return next(stored for stored in migration.account.of("contact") if stored.key == key)


def conflicts(migration: Migration) -> list[tuple[str, str, str]]:
    with migration.open() as journal:
        return [
            (one.key, one.field, one.state)
            for object_ in ("company", "contact", "visit")
            for key in (f"memory:{stream}:{n}" for stream in ("companies", "contacts", "visits") for n in "12345ab")
            for one in journal.conflicts.of_record(object_, key, "")
        ]


@pytest.fixture
def torn(people: Migration) -> Migration:
    """A phone that was changed by hand and in the export, and a name that was changed in the export alone."""
    people.account.edit(contact(people), phone="by hand")
    people.export.change("contacts", "1", phone="by export", name="New name")
    return people


def test_a_field_in_conflict_stays_and_the_others_are_written(torn: Migration) -> None:
    report = torn.run()

    assert contact(torn).fields["phone"] == "by hand"
    assert contact(torn).fields["name"] == "New name"
    assert conflicts(torn) == [(ONE, "phone", "open")]
    assert report.exit_code == 1
    assert report.streams["contacts"]["conflict"] == 1
    assert report.objects["contact"]["conflicts"] == 1
    assert report.verification is not None
    assert report.verification.mismatched == 0


def test_the_same_command_again_writes_nothing_and_still_lists_the_conflict(torn: Migration) -> None:
    torn.run()
    before = len(torn.account.written)

    report = torn.run()
    dry = torn.run(dry_run=True)

    assert len(torn.account.written) == before
    assert (report.exit_code, dict(dry.planned)) == (1, {})
    assert conflicts(torn) == [(ONE, "phone", "open")]


def test_another_change_of_the_source_is_a_conflict_still(torn: Migration) -> None:
    torn.run()
    torn.export.change("contacts", "1", phone="by a later export", email="new@example.org")

    report = torn.run()

    assert contact(torn).fields["phone"] == "by hand"
    assert contact(torn).fields["email"] == "new@example.org"
    assert report.exit_code == 1


def test_a_person_who_sets_the_field_to_what_the_source_says_ends_the_conflict(torn: Migration) -> None:
    torn.run()
    torn.account.edit(contact(torn), phone="by export")
    before = len(torn.account.written)

    report = torn.run()
    torn.export.change("contacts", "1", phone="later")
    later = torn.run()

    assert report.exit_code == later.exit_code == 0
    assert conflicts(torn) == [(ONE, "phone", "settled")]
    assert contact(torn).fields["phone"] == "later"
    assert len(torn.account.written) == before + 1


def test_a_person_who_restores_what_was_written_lets_the_source_be_written(torn: Migration) -> None:
    torn.run()
    torn.account.edit(contact(torn), phone="1")

    report = torn.run()

    assert report.exit_code == 0
    assert contact(torn).fields["phone"] == "by export"


def test_a_source_that_takes_its_change_back_ends_the_conflict_and_writes_nothing(torn: Migration) -> None:
    torn.run()
    torn.export.change("contacts", "1", phone="1")
    before = len(torn.account.written)

    report = torn.run()

    assert report.exit_code == 0
    assert contact(torn).fields["phone"] == "by hand"
    assert len(torn.account.written) == before
    assert report.verification is not None
    assert report.verification.drifted == 1


def test_a_field_that_a_person_changed_and_the_source_did_not_is_left_alone(people: Migration) -> None:
    people.account.edit(contact(people), phone="by hand")
    people.export.change("contacts", "1", name="New name")

    report = people.run()

    assert report.exit_code == 0
    assert contact(people).fields["phone"] == "by hand"
    assert contact(people).fields["name"] == "New name"
    assert conflicts(people) == []


def test_what_the_account_holds_already_is_not_written_again(people: Migration) -> None:
    people.account.edit(contact(people), phone="same")
    people.export.change("contacts", "1", phone="same")
    before = len(people.account.written)

    reports = people.run(), people.run()

    assert [report.exit_code for report in reports] == [0, 0]
    assert len(people.account.written) == before
    assert reports[1].verification is not None
    assert reports[1].verification.drifted == 0


def test_a_link_that_somebody_led_elsewhere_is_a_conflict(people: Migration) -> None:
    other = next(stored for stored in people.account.of("company") if stored.key == "memory:companies:b")
    mine = people.account.put("company", name="By hand")
    one = contact(people)
    people.account.records["contact", one.id] = type(one)(
        one.object, one.id, one.key, one.fields, {**one.links, "company": mine.id}, one.added, one.updated
    )
    people.export.change("contacts", "1", company_id="b", phone="11")
    people.export.change("contacts", "2", company_id="b")

    report = people.run()

    assert contact(people).links["company"] == mine.id
    assert contact(people).fields["phone"] == "11"
    assert contact(people, "memory:contacts:2").links["company"] == other.id
    assert conflicts(people) == [(ONE, "@company", "open")]
    assert report.exit_code == 1


def test_an_emptied_field_is_as_much_a_conflict_as_another_value(people: Migration) -> None:
    people.account.edit(contact(people), phone=None)
    people.export.change("contacts", "1", phone="11")

    people.run()

    assert contact(people).fields["phone"] is None
    assert conflicts(people) == [(ONE, "phone", "open")]


def test_a_record_that_was_deleted_there_is_never_made_again(people: Migration) -> None:
    one = contact(people)
    del people.account.records["contact", one.id]
    people.export.change("contacts", "1", phone="11")
    before = len(people.account.written)

    reports = people.run(), people.run()

    assert [report.exit_code for report in reports] == [1, 1]
    assert len(people.account.written) == before
    assert conflicts(people) == [(ONE, "", "open")]
    people.account.records["contact", one.id] = one
    report = people.run()
    assert report.exit_code == 0
    assert contact(people).fields["phone"] == "11"


def test_an_edit_before_anything_was_read_back_is_not_written_over(people: Migration) -> None:
    people.export.add("contacts", "6", name="Six", phone="6")
    people.account.answering = lambda operation: None
    people.run()
    with people.open() as journal:
        journal._store.write(lambda db: db.execute("UPDATE link SET after = NULL"))  # as if stopped before
    people.account.edit(contact(people, "memory:contacts:6"), phone="by hand")
    people.export.change("contacts", "6", phone="66")

    people.run()
    people.export.change("contacts", "6", phone="666")
    people.run()

    assert contact(people, "memory:contacts:6").fields["phone"] == "by hand"


@pytest.mark.parametrize(("rule", "held"), [("keep", "by hand"), ("overwrite", "by export")])
def test_a_rule_decides_on_every_conflict(torn: Migration, rule: str, held: str) -> None:
    torn.run()

    report = torn.run(sets=(f"conflicts={rule}",))

    assert contact(torn).fields["phone"] == held
    assert report.exit_code == 0
    assert conflicts(torn) == [(ONE, "phone", "kept" if rule == "keep" else "overwritten")]


def test_writing_over_what_a_person_wrote_is_approved_by_a_person_and_what_was_there_is_kept(torn: Migration) -> None:
    torn.run()

    with pytest.raises(ApprovalNeeded) as stopped:
        torn.run(passing=Passing(), sets=("conflicts=overwrite",))

    assert contact(torn).fields["phone"] == "by hand"
    assert "1 contact: phone" in str(stopped.value)
    assert "by hand" not in str(stopped.value)
    torn.run(sets=("conflicts=overwrite",))
    with torn.open() as journal:
        text = journal._store.value("SELECT before FROM operation WHERE state = 'done' ORDER BY id DESC")
    assert '"phone":"by hand"' in text


def test_a_line_of_a_file_decides_on_one_field(torn: Migration, tmp_path: Path) -> None:
    torn.account.edit(contact(torn), email="hand@example.org")
    torn.export.change("contacts", "1", email="export@example.org")
    torn.run()
    decisions = tmp_path / "decisions.csv"
    decisions.write_text(
        "decision,record,other\noverwrite,contacts:1,contact.phone\nkeep,contacts:1,contact.email\n", encoding="utf-8"
    )

    report = torn.run(sets=(f"decisions={decisions}",))

    assert contact(torn).fields["phone"] == "by export"
    assert contact(torn).fields["email"] == "hand@example.org"
    assert conflicts(torn) == [(ONE, "email", "kept"), (ONE, "phone", "overwritten")]
    assert report.exit_code == 0
    assert torn.run().exit_code == 0


def test_a_decision_to_write_over_holds_once(torn: Migration, tmp_path: Path) -> None:
    torn.run()
    decisions = tmp_path / "decisions.csv"
    decisions.write_text("decision,record,other\noverwrite,contacts:1,\n", encoding="utf-8")
    torn.run(sets=(f"decisions={decisions}",))
    torn.account.edit(contact(torn), phone="by hand again")
    torn.export.change("contacts", "1", phone="by a later export")

    report = torn.run()

    assert contact(torn).fields["phone"] == "by hand again"
    assert report.exit_code == 1


def test_a_line_about_no_conflict_is_refused(torn: Migration, tmp_path: Path) -> None:
    decisions = tmp_path / "decisions.csv"
    decisions.write_text("decision,record,other\noverwrite,contacts:2,\n", encoding="utf-8")

    with pytest.raises(UsageError, match=r'line 2, column "record": no conflict is known'):
        torn.run(sets=(f"decisions={decisions}",))


def test_another_word_for_the_rule_is_refused(torn: Migration) -> None:
    with pytest.raises(UsageError, match="conflicts: say one of keep, overwrite"):
        torn.run(sets=("conflicts=maybe",))
