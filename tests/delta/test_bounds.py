"""What a later export may change without asking is part of what was approved; beyond it, flit stops and says why."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from flitstack.errors import ApprovalNeeded, UsageError
from flitstack.protocols import Record
from flitstack.stages.gates.gate import Passing
from flitstack.stages.gates.passing import approve_shown
from flitstack.testing.migration import Migration

if TYPE_CHECKING:
    from pathlib import Path

    from flitstack.stages.report import RunReport

ASKED = Passing()
PEOPLE = 100


def approve(migration: Migration, *gates: str) -> None:
    with migration.open() as journal:
        for gate in gates:
            name = "admin@example.org" if gate == "schema" else "Dana"
            approve_shown(journal, gate, name, migration.clock.now().isoformat(timespec="milliseconds"))


def stopped(migration: Migration, sets: tuple[str, ...] = ()) -> str:
    with pytest.raises(ApprovalNeeded) as caught:
        migration.run(passing=ASKED, sets=sets)
    return str(caught.value)


def load(migration: Migration, sets: tuple[str, ...] = ()) -> RunReport:
    stopped(migration, sets)
    approve(migration, "profile", "map", "schema", "full")
    return migration.run(passing=ASKED, sets=sets)


@pytest.fixture
def practice(tmp_path: Path) -> Migration:
    migration = Migration(tmp_path)
    for number in range(PEOPLE):
        migration.export.add("contacts", str(number), name=f"Name {number}", phone=f"{number}")
    return migration


@pytest.fixture
def loaded(practice: Migration) -> Migration:
    """A hundred people, looked at, approved and loaded."""
    assert load(practice).exit_code == 0
    return practice


def change(migration: Migration, count: int, phone: str = "new") -> None:
    for number in range(count):
        migration.export.change("contacts", str(number), phone=phone)


def test_the_full_gate_says_what_a_later_export_may_come_to(practice: Migration) -> None:
    told = stopped(practice)

    assert "For 48 hours after this approval" in told
    assert "no more than 20 new, 25 changed and 20 vanished records" in told


def test_a_later_export_within_the_bounds_is_loaded_without_asking(loaded: Migration) -> None:
    change(loaded, 3)
    loaded.export.add("contacts", "new", name="New")
    loaded.export.rows["contacts"].pop(50)

    report = loaded.run(passing=ASKED)

    assert report.exit_code == 0
    assert sum(counts["updated"] for counts in report.objects.values()) == 3
    counts = report.delta.counts["contact"]
    assert (counts.new, counts.changed, counts.vanished, counts.unchanged) == (1, 3, 1, 96)
    assert any(
        said == "A later export: 1 new, 3 changed, 1 vanished. Within what Dana approved on 2026-07-01 09:00 UTC."
        for said in loaded.words.said
    )
    assert len(loaded.account.of("contact")) == PEOPLE + 1


def test_a_run_that_was_stopped_in_a_delta_carries_on_and_uses_nothing_up_twice(loaded: Migration) -> None:
    change(loaded, 20)
    loaded.account.daily = loaded.account.by_day[loaded.clock.now().date()] + 15
    with pytest.raises(Exception, match="no more today"):
        loaded.run(passing=ASKED)
    loaded.account.daily = None

    assert loaded.run(passing=ASKED).exit_code == 0
    loaded.export.change("contacts", "50", phone="later")
    assert loaded.run(passing=ASKED).exit_code == 0


def test_deltas_are_added_up(loaded: Migration) -> None:
    change(loaded, 20)
    loaded.run(passing=ASKED)
    change(loaded, 6, "newer")

    told = stopped(loaded)

    assert "26 changed records, where at most 25 were approved" in told
    assert {str(one.fields["phone"]) for one in loaded.account.of("contact")} & {"newer"} == set()
    approve(loaded, "full")
    loaded.run(passing=ASKED)
    change(loaded, 20, "newest")
    assert loaded.run(passing=ASKED).exit_code == 0


def test_after_the_hours_that_were_approved_it_asks_again(loaded: Migration) -> None:
    change(loaded, 1)
    loaded.clock.advance(49 * 3600)

    assert "it was approved for 48 hours, until 2026-07-03 09:00 UTC" in stopped(loaded)


def test_what_vanished_beyond_the_bound_stops(loaded: Migration) -> None:
    change(loaded, 1)
    del loaded.export.rows["contacts"][30:60]

    told = stopped(loaded)

    assert "30 vanished records, where at most 20 were approved" in told
    assert "== delta ==" in told
    assert "30 of 100 contact would be vanished, 30% of them" in told


def test_the_bounds_are_settings_and_other_bounds_are_another_approval(practice: Migration) -> None:
    sets = ("delta_hours=1", "delta_new=0", "delta_changed=2", "delta_vanished=50%")
    told = stopped(practice, sets)
    assert "For 1 hours after this approval" in told
    assert "no more than 0 new, 2 changed and 50 vanished" in told
    approve(practice, "profile", "map", "schema", "full")
    practice.run(passing=ASKED, sets=sets)
    change(practice, 3)

    assert "3 changed records, where at most 2 were approved" in stopped(practice, sets)


def test_asking_always_is_zero_hours(practice: Migration) -> None:
    sets = ("delta_hours=0",)
    load(practice, sets)
    change(practice, 1)
    practice.clock.advance(1)

    assert "it was approved for 0 hours" in stopped(practice, sets)


def test_another_map_asks_again_however_little_changed(loaded: Migration) -> None:
    change(loaded, 1)

    told = stopped(loaded, ("closing=bye",))

    assert "the map gate shows something else" in told


def test_what_was_passed_unseen_allows_nothing(practice: Migration) -> None:
    practice.run()
    change(practice, 1)

    assert "passed unseen: nobody saw" in stopped(practice)


def test_an_export_that_changed_before_anything_was_loaded_is_no_delta(practice: Migration) -> None:
    stopped(practice)
    approve(practice, "profile", "map", "schema", "full")
    change(practice, 1)

    assert "== full ==" in stopped(practice)
    assert practice.account.written == []


def test_writing_over_what_people_changed_is_never_within_bounds(loaded: Migration) -> None:
    one = next(stored for stored in loaded.account.of("contact") if stored.key == "memory:contacts:0")
    loaded.account.edit(one, phone="by hand")
    change(loaded, 1)
    assert loaded.run(passing=ASKED).exit_code == 1

    told = stopped(loaded, ("conflicts=overwrite",))

    assert "what people changed in the account would be written over" in told
    assert "1 contact: phone" in told


def test_deleting_what_vanished_is_within_bounds_only_if_that_was_approved(loaded: Migration) -> None:
    loaded.export.rows["contacts"].pop(50)
    delete = ("vanished=delete",)

    assert "vanished records would be delete, where keep was approved" in stopped(loaded, delete)

    approve(loaded, "full")
    assert loaded.run(passing=ASKED, sets=delete).exit_code == 0
    loaded.export.rows["contacts"].pop(40)
    report = loaded.run(passing=ASKED, sets=delete)
    assert report.objects["contact"]["deleted"] == 1
    assert len(loaded.account.of("contact")) == PEOPLE - 2


def test_a_rule_to_write_over_is_asked_about_before_there_is_a_conflict(loaded: Migration) -> None:
    change(loaded, 1)

    assert "would be written over" in stopped(loaded, ("conflicts=overwrite",))


def test_half_of_all_changed_is_a_question_of_its_own(loaded: Migration) -> None:
    change(loaded, 51)

    told = stopped(loaded)

    assert "51 of 100 contact would be changed, 51% of them; more than 50% is unusual (mass_changed)" in told
    approve(loaded, "delta", "full")
    assert loaded.run(passing=ASKED).exit_code == 0


def test_a_column_that_is_empty_everywhere_now_is_asked_about_and_not_emptied(loaded: Migration) -> None:
    loaded.export.rows["contacts"] = [
        Record(row.stream, row.id, {"name": row.data["name"], "email": row.data["phone"]}, row.where)
        for row in loaded.export.rows["contacts"]
        if isinstance(row, Record)
    ]

    told = stopped(loaded)
    again = stopped(loaded)

    for each in (told, again):
        assert "contacts: empty in every row now: phone (100 before)" in each
        assert "Filled now and not before: email." in each
    assert {one.fields["phone"] for one in loaded.account.of("contact")} == {str(n) for n in range(PEOPLE)}


@pytest.mark.parametrize(
    "setting", ["delta_hours=soon", "delta_new=-1", "delta_changed=many", "mass_new=12", "mass_vanished=half"]
)
def test_a_bound_that_is_no_number_is_refused(practice: Migration, setting: str) -> None:
    with pytest.raises(UsageError, match=f"{setting.partition('=')[0]}: say a"):
        practice.run(sets=(setting,))
