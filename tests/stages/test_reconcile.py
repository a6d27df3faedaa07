"""What may have been sent is looked for before it is sent again, and found out about by lists and by reading."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from flitstack.errors import FlitError, Unavailable
from flitstack.testing.memory import Fault
from flitstack.testing.migration import Migration

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from flitstack.clock import VirtualClock
    from flitstack.protocols import Operation, Stored

LOST = (Fault.COMMIT_THEN_DROP, Fault.COMMIT_LATE, Fault.DROP)


def faults_at(migration: Migration, wanted: dict[tuple[str, str], Fault]) -> None:
    """Let the first write of each (verb, key) meet a fault."""
    left = dict(wanted)

    def arriving(operation: Operation) -> None:
        fault = left.pop((operation.verb, operation.key), None)
        if fault is not None:
            migration.account.faults[migration.account.arrived] = fault

    migration.account.arriving = arriving


def attempts(migration: Migration, verb: str, key: str) -> int:
    return sum((operation.verb, operation.key) == (verb, key) for operation in migration.account.written)


def settled(migration: Migration) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(migration.journal)) as db:
        return db.execute("SELECT verb, key, state, code FROM operation WHERE state <> 'done'").fetchall()


@pytest.fixture
def people(empty: Migration) -> Migration:
    """Five people, the first two each other's bosses."""
    for number in range(1, 6):
        empty.export.add("contacts", str(number), name=f"Name {number}", phone=str(number))
    empty.export.change("contacts", "1", boss_id="2")
    empty.export.change("contacts", "2", boss_id="1")
    empty.export.add("memos", "m", contact_id="1", name="plan.txt", size=3)
    return empty


@pytest.mark.parametrize("lag_s", [0.0, 2.0, 3.9])
@pytest.mark.parametrize("fault", LOST)
@pytest.mark.parametrize("key", ["memory:contacts:1", "memory:contacts:3", "memory:contacts:5", "memory:memos:m"])
def test_a_create_in_doubt_is_there_once_whatever_became_of_it(
    people: Migration, fault: Fault, key: str, lag_s: float
) -> None:
    people.account.lag_s = lag_s
    faults_at(people, {("create", key): fault})

    report = people.run()

    assert report.exit_code == 0
    assert attempts(people, "create", key) == 1
    assert any("had no answer" in said for said in people.words.said)


def test_the_first_and_the_last_record_of_all_in_doubt_are_waited_for(empty: Migration) -> None:
    """No later record of ours can show in the list; four times the lag must do."""
    empty.export.add("contacts", "1", name="Only")
    empty.account.lag_s = 19.9
    faults_at(empty, {("create", "memory:contacts:1"): Fault.COMMIT_THEN_DROP})
    began = empty.clock.monotonic()

    report = empty.run()

    assert report.objects["contact"]["in_doubt"] == 0
    assert len(empty.account.of("contact")) == 1
    assert empty.clock.monotonic() - began >= 20


def test_a_list_that_lags_more_than_declared_is_no_proof_while_a_later_record_is_missing(empty: Migration) -> None:
    empty.account.lag_s = 3600.0
    for number in range(1, 13):
        empty.export.add("contacts", str(number), name=f"Name {number}")
    faults_at(empty, {("create", "memory:contacts:1"): Fault.COMMIT_THEN_DROP})

    report = empty.run()

    assert report.exit_code == 5
    assert report.streams["contacts"].items() >= {"in_doubt": 1}.items()
    assert attempts(empty, "create", "memory:contacts:1") == 1
    empty.clock.advance(3600)
    assert empty.run().exit_code == 0
    assert len(empty.account.of("contact")) == 12


def test_the_lag_is_counted_from_when_the_answer_was_given_up_not_from_the_intent(empty: Migration) -> None:
    """A write may queue for long between its intent and its last byte, while others are sent."""
    empty.account.lag_s = 4.0
    empty.account.latency_s = 0.5
    for number in range(1, 6):
        empty.export.add("contacts", str(number), name=f"Name {number}")
    queued: list[Operation] = []

    def queue(operation: Operation) -> None:
        if operation.key == "memory:contacts:2" and not queued:
            queued.append(operation)
            empty.clock.advance(60)
            empty.account.faults[empty.account.arrived] = Fault.COMMIT_THEN_DROP

    empty.account.arriving = queue

    assert empty.run().exit_code == 0
    assert attempts(empty, "create", "memory:contacts:2") == 1


def test_a_clock_set_back_delays_nobody_for_longer_than_the_lag(people: Migration) -> None:
    people.account.faults = {8: Fault.CRASH}
    with pytest.raises(FlitError):
        people.run()
    people.clock.advance(-7200)
    began = people.clock.monotonic()

    people.run()

    assert people.clock.monotonic() - began < 60


@pytest.mark.parametrize("fault", LOST)
def test_a_schema_item_in_doubt_is_there_once(people: Migration, fault: Fault) -> None:
    people.account.faults = {1: fault, 4: fault}

    report = people.run()

    assert report.exit_code == 0
    assert sorted(item.key for item in people.account.items.values()) == [
        "field/company/Source_Key__c",
        "field/contact/Labels__c",
        "field/contact/Source_Key__c",
        "type//call",
        "type//check",
    ]


class Jumping:
    """A machine's clock that somebody sets; the account's is another."""

    def __init__(self, right: VirtualClock) -> None:
        self._right = right
        self.drift = timedelta()

    def now(self) -> datetime:
        return self._right.now() + self.drift

    def monotonic(self) -> float:
        return self._right.monotonic()

    async def sleep(self, seconds: float) -> None:
        await self._right.sleep(seconds)


def test_a_clock_that_is_set_on_shortens_no_wait(people: Migration) -> None:
    """Found by simulation: the lag was taken for over, and a record that no list showed yet was created again."""
    clock = Jumping(people.clock)
    people.clock = clock  # type: ignore[assignment]
    people.account.lag_s = 3.9
    faults_at(people, {("create", "memory:contacts:3"): Fault.COMMIT_THEN_DROP})
    strike = people.account.arriving

    def arriving(operation: Operation) -> None:
        strike(operation)
        if operation.key == "memory:contacts:4":
            clock.drift = timedelta(minutes=20)

    people.account.arriving = arriving

    assert people.run().exit_code == 0
    assert attempts(people, "create", "memory:contacts:3") == 1


def test_an_update_in_doubt_over_what_the_account_made_of_a_value_is_no_conflict(people: Migration) -> None:
    """Found by simulation: what was read back is what the record held before, not what was once sent."""
    (three,) = (one for one in _written(people) if one.key == "memory:contacts:3")
    people.account.edit(three, phone="made by the account")
    people.run()
    people.export.change("contacts", "3", phone="33")
    faults_at(people, {("update", "memory:contacts:3"): Fault.DROP})

    report = people.run()

    assert report.objects["contact"]["conflicts"] == 0
    assert people.account.records["contact", three.id].fields["phone"] == "33"


def _written(migration: Migration) -> list[Stored]:
    """Return the records of a run that ended before it read anything back."""

    async def stop(self: object, *_: object, **__: object) -> None:
        raise Unavailable("before it was read back")

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("flitstack.stages.run.verify", stop)
        with pytest.raises(Unavailable):
            migration.run()
    return migration.account.of("contact")


@pytest.mark.parametrize("fault", LOST)
def test_an_update_in_doubt_takes_effect(people: Migration, fault: Fault) -> None:
    people.run()
    people.export.change("contacts", "3", phone="33")
    faults_at(people, {("update", "memory:contacts:3"): fault})

    report = people.run()

    assert report.exit_code == 0
    assert {stored.fields["phone"] for stored in people.account.of("contact")} == {"1", "2", "33", "4", "5"}
    assert attempts(people, "update", "memory:contacts:3") == 1


@pytest.mark.parametrize("fault", LOST)
def test_the_link_that_closes_a_circle_is_not_lost_in_doubt(people: Migration, fault: Fault) -> None:
    circle = {("update", "memory:contacts:1"): fault, ("update", "memory:contacts:2"): fault}
    faults_at(people, circle)

    report = people.run()

    one, two = (
        stored for stored in people.account.of("contact") if stored.key in ("memory:contacts:1", "memory:contacts:2")
    )
    assert report.exit_code == 0
    assert (one.links["boss"], two.links["boss"]) == (two.id, one.id)
    assert report.objects["contact"]["conflicts"] == 0


def test_an_update_in_doubt_on_a_record_that_somebody_else_changed_is_a_conflict(people: Migration) -> None:
    people.run()
    people.export.change("contacts", "3", phone="33")
    faults_at(people, {("update", "memory:contacts:3"): Fault.DROP})
    (three,) = (stored for stored in people.account.of("contact") if stored.key == "memory:contacts:3")
    people.account.edit(three, phone="by hand")

    report = people.run()

    assert settled(people) == [("update", "memory:contacts:3", "conflict", "changed_elsewhere")]
    assert people.account.records["contact", three.id].fields["phone"] == "by hand"
    assert report.exit_code == 1
    assert report.streams["contacts"].items() >= {"conflict": 1}.items()
    assert attempts(people, "update", "memory:contacts:3") == 0
    assert people.run().exit_code == 1
    assert attempts(people, "update", "memory:contacts:3") == 0


def test_an_update_in_doubt_of_a_record_that_is_gone_is_a_conflict(people: Migration) -> None:
    people.run()
    people.export.change("contacts", "3", phone="33")
    faults_at(people, {("update", "memory:contacts:3"): Fault.DROP})
    (three,) = (stored for stored in people.account.of("contact") if stored.key == "memory:contacts:3")
    del people.account.records["contact", three.id]

    people.run()

    assert settled(people) == [("update", "memory:contacts:3", "conflict", "record_gone")]


def test_a_change_of_owner_in_doubt_when_the_run_ended_takes_effect(empty: Migration) -> None:
    """Which user stands for whom is not known yet when the next run looks for what was in doubt."""
    empty.export.add("staff", "s1", name="Sam", email="sam@example.org")
    empty.export.add("contacts", "1", name="Ann")
    empty.run()
    empty.export.change("contacts", "1", staff_id="s1")
    empty.account.faults = {empty.account.arrived + 1: Fault.CRASH}
    with pytest.raises(FlitError):
        empty.run()

    report = empty.run()

    assert report.exit_code == 0
    assert [stored.links["owner"] for stored in empty.account.of("contact")] == ["u2"]


def test_two_files_of_one_name_and_size_in_doubt_are_told_apart(empty: Migration) -> None:
    empty.export.add("contacts", "1", name="Ann")
    empty.export.add("memos", "a", contact_id="1", name="scan.png", size=7)
    empty.export.add("memos", "b", contact_id="1", name="scan.png", size=7)
    faults_at(empty, {("create", "memory:memos:a"): Fault.COMMIT_THEN_DROP, ("create", "memory:memos:b"): Fault.DROP})

    report = empty.run()

    assert report.exit_code == 0
    assert len(empty.account.of("memo")) == 2


def test_children_wait_for_a_parent_in_doubt(people: Migration) -> None:
    people.export.add("visits", "v", contact_id="3", kind="check", note="x")
    faults_at(people, {("create", "memory:contacts:3"): Fault.DROP})

    report = people.run()

    (visit,) = people.account.of("visit")
    assert report.exit_code == 0
    assert people.account.records["contact", visit.links["contact"]].key == "memory:contacts:3"


@pytest.mark.parametrize("key", ["memory:contacts:1", "memory:memos:m"])
def test_a_write_that_was_done_though_its_answer_says_that_it_was_refused_is_found(people: Migration, key: str) -> None:
    faults_at(people, {("create", key): Fault.CONTRADICTED})

    report = people.run()

    assert report.exit_code == 0
    assert attempts(people, "create", key) == 1


def test_what_was_refused_by_an_answer_that_accepts_it_too_is_rejected_once_it_was_looked_for(
    people: Migration,
) -> None:
    people.account.refuse = lambda operation: operation.key == "memory:contacts:3"
    faults_at(people, {("create", "memory:contacts:3"): Fault.CONTRADICTED})

    report = people.run()

    assert report.exit_code == 1
    assert settled(people) == [("create", "memory:contacts:3", "rejected", "refused")]
    assert [(stream, code) for stream, code, *_ in report.rejections] == [("contacts", "refused")]
    assert any("had no answer" in said for said in people.words.said)


def test_looking_takes_one_list_however_many_are_in_doubt(tmp_path: Path) -> None:
    requests = {}
    for doubts in (1, 4):
        folder = tmp_path / str(doubts)
        folder.mkdir()
        migration = Migration(folder, concurrency=1)
        for number in range(20):
            migration.export.add("contacts", str(number), name=f"Name {number}")
        lost = {("create", f"memory:contacts:{number}"): Fault.COMMIT_THEN_DROP for number in range(0, 5 * doubts, 5)}
        faults_at(migration, lost)
        migration.run()
        requests[doubts] = migration.account.requests

    assert requests[1] == requests[4]
