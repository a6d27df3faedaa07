"""What the source has no more: kept and listed, or deleted where that is wanted, and never what people made theirs."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from flitstack.errors import ApprovalNeeded, UsageError
from flitstack.protocols import Record
from flitstack.stages.gates.gate import Passing

if TYPE_CHECKING:
    from flitstack.protocols import Operation, Stored
    from flitstack.testing.migration import Migration

DELETE = ("vanished=delete",)


def keys(migration: Migration, object_: str) -> set[str | None]:
    return {stored.key for stored in migration.account.of(object_)}


def held(migration: Migration, object_: str, key: str) -> Stored:
    """Return the record of that key."""
    return next(stored for stored in migration.account.of(object_) if stored.key == key)


def conflicts(migration: Migration) -> list[tuple[str, str, str]]:
    """Return key, field and state of every conflict that stands."""
    with migration.open() as journal:
        return [(one.key, one.field, one.state) for one in journal.conflicts.standing()]


def leave(migration: Migration, stream: str, *ids: str) -> None:
    rows = migration.export.rows[stream]
    migration.export.rows[stream] = [row for row in rows if not (isinstance(row, Record) and row.id in ids)]


@pytest.fixture
def grouped(people: Migration) -> Migration:
    """Two rounds of one person: two tasks on one day, one on another."""
    for number, day in (("a", "2026-01-05"), ("b", "2026-01-05"), ("c", "2026-01-06")):
        people.export.add("tasks", number, contact_id="1", day=day, what=f"Task {number}")
    assert people.run().exit_code == 0
    assert "memory:tasks:1/2026-01-06" in keys(people, "visit")
    return people


def test_what_vanished_is_kept_unless_it_is_to_be_deleted(people: Migration) -> None:
    leave(people, "visits", "1")

    kept = people.run()
    deleted = people.run(sets=DELETE)

    assert kept.objects["visit"]["deleted"] == 0
    assert deleted.objects["visit"]["deleted"] == 1
    assert deleted.exit_code == 0
    assert keys(people, "visit") == {f"memory:visits:{number}" for number in (2, 3, 4, 5)}
    assert deleted.streams["visits"]["skipped"] == 1


def test_deleting_is_approved_first_and_done_once(people: Migration) -> None:
    leave(people, "visits", "1")

    with pytest.raises(ApprovalNeeded, match="delete 1 visit"):
        people.run(sets=DELETE, passing=Passing())

    assert "memory:visits:1" in keys(people, "visit")
    people.run(sets=DELETE)
    before = len(people.account.written)
    assert people.run(sets=DELETE).exit_code == 0
    assert len(people.account.written) == before


def test_children_go_before_their_parents(people: Migration) -> None:
    leave(people, "visits", "1")
    leave(people, "contacts", "1")

    report = people.run(sets=DELETE)

    deletes = [(operation.object, operation.key) for operation in people.account.written if operation.verb == "delete"]
    assert deletes == [("visit", "memory:visits:1"), ("contact", "memory:contacts:1")]
    assert report.exit_code == 0


def test_what_something_of_ours_hangs_on_that_stays_is_kept(people: Migration) -> None:
    leave(people, "contacts", "1")

    people.run(sets=DELETE)

    assert "memory:contacts:1" in keys(people, "contact")


def test_what_a_person_changed_is_not_deleted(people: Migration) -> None:
    leave(people, "visits", "1")
    one = next(stored for stored in people.account.of("visit") if stored.key == "memory:visits:1")
    people.account.edit(one, note="by hand")

    report = people.run(sets=DELETE)
    again = people.run(sets=DELETE)

    assert "memory:visits:1" in keys(people, "visit")
    assert report.objects["visit"]["deleted"] == 0
    assert (report.exit_code, again.exit_code) == (1, 1)
    with people.open() as journal:
        (conflict,) = journal.conflicts.open()
    assert (conflict.key, conflict.field) == ("memory:visits:1", "note")


def test_what_a_person_hung_something_on_is_not_deleted(people: Migration) -> None:
    leave(people, "visits", "1")
    leave(people, "contacts", "1")
    one = next(stored for stored in people.account.of("contact") if stored.key == "memory:contacts:1")
    mine = people.account.put("memo", name="by hand.txt", size=3)
    people.account.records["memo", mine.id] = type(mine)(
        "memo", mine.id, None, mine.fields, {"contact": one.id}, mine.added, mine.updated
    )

    report = people.run(sets=DELETE)

    assert "memory:contacts:1" in keys(people, "contact")
    assert "memory:visits:1" not in keys(people, "visit")
    assert report.exit_code == 1
    with people.open() as journal:
        (conflict,) = journal.conflicts.open()
    assert (conflict.key, conflict.field) == ("memory:contacts:1", "")


def test_a_group_that_empties_is_deleted(grouped: Migration) -> None:
    grouped.export.change("tasks", "c", day="2026-01-05")

    report = grouped.run()

    assert "memory:tasks:1/2026-01-06" not in keys(grouped, "visit")
    assert report.objects["visit"]["deleted"] == 1
    assert report.exit_code == 0
    before = len(grouped.account.written)
    assert grouped.run().exit_code == 0
    assert len(grouped.account.written) == before


def test_a_group_that_a_person_changed_stays_when_it_empties(grouped: Migration) -> None:
    grouped.account.edit(held(grouped, "visit", "memory:tasks:1/2026-01-06"), note="by hand")
    grouped.export.change("tasks", "c", day="2026-01-05")

    reports = grouped.run(), grouped.run()

    assert "memory:tasks:1/2026-01-06" in keys(grouped, "visit")
    assert [report.exit_code for report in reports] == [1, 1]


def test_a_group_whose_rows_vanished_is_kept(grouped: Migration) -> None:
    leave(grouped, "tasks", "c")

    report = grouped.run()

    assert "memory:tasks:1/2026-01-06" in keys(grouped, "visit")
    assert report.exit_code == 0


def test_another_word_for_the_rule_is_refused(people: Migration) -> None:
    with pytest.raises(UsageError, match="vanished: say one of keep, delete"):
        people.run(sets=("vanished=hide",))


def test_what_a_person_filled_in_beside_ours_keeps_the_record(people: Migration) -> None:
    leave(people, "visits", "1")
    leave(people, "contacts", "1")
    people.account.edit(held(people, "contact", "memory:contacts:1"), hobby="chess")

    report = people.run(sets=DELETE)

    assert held(people, "contact", "memory:contacts:1").fields["hobby"] == "chess"
    assert report.exit_code == 1
    assert conflicts(people) == [("memory:contacts:1", "hobby", "open")]


def test_what_holds_a_record_that_a_person_changed_is_not_deleted(people: Migration) -> None:
    leave(people, "visits", "1")
    leave(people, "contacts", "1")
    people.account.edit(held(people, "visit", "memory:visits:1"), note="by hand")

    report = people.run(sets=DELETE)

    assert held(people, "visit", "memory:visits:1").links["contact"] == held(people, "contact", "memory:contacts:1").id
    assert report.exit_code == 1
    assert [key for key, _, _ in conflicts(people)] == ["memory:visits:1"]


def test_what_a_person_does_while_the_load_goes_on_keeps_the_record_and_what_it_hangs_on(people: Migration) -> None:
    leave(people, "visits", "1", "2")
    leave(people, "contacts", "1", "2")

    def meanwhile(operation: Operation) -> None:
        if operation.verb == "update":
            people.account.edit(held(people, "visit", "memory:visits:1"), note="by hand")
            memo = people.account.put("memo", name="by hand.txt", size=3)
            ends = {"contact": held(people, "contact", "memory:contacts:2").id}
            people.account.records["memo", memo.id] = replace(memo, links=ends)

    people.export.change("contacts", "5", phone="99")
    people.account.arriving = meanwhile

    report = people.run(sets=DELETE)

    assert report.exit_code == 1
    assert {"memory:contacts:1", "memory:contacts:2"} <= keys(people, "contact")
    assert "memory:visits:1" in keys(people, "visit")
    assert {key for key, _, _ in conflicts(people)} >= {"memory:visits:1", "memory:contacts:2"}


@pytest.mark.parametrize(("rule", "code", "state"), [("keep", 0, "kept"), ("overwrite", 1, "open")])
def test_a_rule_for_conflicts_never_deletes_what_a_person_changed(
    people: Migration, rule: str, code: int, state: str
) -> None:
    leave(people, "visits", "1")
    people.account.edit(held(people, "visit", "memory:visits:1"), note="by hand")

    reports = [people.run(sets=(*DELETE, f"conflicts={rule}")) for _ in range(2)]

    assert held(people, "visit", "memory:visits:1").fields["note"] == "by hand"
    assert [report.exit_code for report in reports] == [code, code]
    assert [state for _, _, state in conflicts(people)] == [state]
