"""Sending: the intent is on disk before a request leaves, the outcome after its answer, and every error has its way."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from flitstack.errors import (
    AuthError,
    BudgetExhausted,
    Fatal,
    FlitError,
    Interrupted,
    PlanLimit,
    RateLimited,
    Stopped,
    Unavailable,
)
from flitstack.stages.writing import apply
from flitstack.testing.memory import Fault

if TYPE_CHECKING:
    from flitstack.protocols import Operation
    from flitstack.testing.migration import Migration


def on_disk(migration: Migration, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
    """Return rows as another process would see them."""
    with closing(sqlite3.connect(f"file:{migration.journal}?mode=ro", uri=True)) as db:
        return db.execute(sql, parameters).fetchall()


def states(migration: Migration) -> dict[str, int]:
    return dict(on_disk(migration, "SELECT state, count(*) FROM operation GROUP BY state"))


def test_the_intent_is_on_disk_before_the_request_leaves(migration: Migration) -> None:
    seen: list[tuple[Any, ...]] = []

    def look(operation: Operation) -> None:
        seen.extend(on_disk(migration, "SELECT state, intended_at, sent_run FROM operation WHERE id = ?", operation.id))

    migration.account.arriving = look
    report = migration.run()

    assert len(seen) == migration.account.arrived
    assert {(state, run) for state, _, run in seen} == {("intended", report.run_id)}
    assert all(at is not None for _, at, _ in seen)


def test_the_outcome_is_not_on_disk_before_the_answer(migration: Migration) -> None:
    seen: list[tuple[Any, ...]] = []

    def look(operation: Operation) -> None:
        sql = "SELECT state, (SELECT count(*) FROM link WHERE made_by = operation.id) FROM operation WHERE id = ?"
        seen.extend(on_disk(migration, sql, operation.id))

    migration.account.answering = look
    migration.run()

    assert set(seen) == {("intended", 0)}
    assert states(migration) == {"done": migration.account.arrived}


def test_link_outcome_and_audit_line_are_committed_together(migration: Migration) -> None:
    migration.run()

    done = on_disk(migration, "SELECT id, destination_id FROM operation WHERE state = 'done'")
    logged = on_disk(
        migration,
        "SELECT event ->> '$.operation', event ->> '$.destination_id' FROM audit WHERE event ->> '$.outcome' = 'done'",
    )
    assert sorted(done) == sorted(logged)


@pytest.mark.parametrize("fault", [Fault.NOT_SENT, Fault.RATE_LIMITED])
def test_what_certainly_was_not_written_is_sent_again_at_once(migration: Migration, fault: Fault) -> None:
    migration.account.faults = {3: fault, 7: fault, 8: fault}
    began = migration.clock.monotonic()

    report = migration.run()

    assert report.exit_code == 0
    assert migration.account.arrived == len(migration.account.written) + 3
    assert migration.clock.monotonic() > began


def test_a_limit_that_holds_on_stops_the_run_and_leaves_the_write_planned(migration: Migration) -> None:
    migration.account.faults = dict.fromkeys(range(6, 100), Fault.RATE_LIMITED)

    with pytest.raises(RateLimited) as stopped:
        migration.run()

    assert stopped.value.exit_code == 5
    assert set(states(migration)) == {"done", "planned"}


@pytest.mark.parametrize(
    ("fault", "error", "exit_code"),
    [
        (Fault.BUDGET, BudgetExhausted, 5),
        (Fault.AUTH, AuthError, 4),
        (Fault.PLAN_LIMIT, PlanLimit, 4),
        (Fault.UNAVAILABLE, Unavailable, 5),
        (Fault.CRASH, Fatal, 1),
    ],
)
def test_what_stops_a_run_leaves_nothing_unaccounted_for(
    migration: Migration, fault: Fault, error: type[FlitError], exit_code: int
) -> None:
    migration.account.faults = {9: fault}

    with pytest.raises(error) as stopped:
        migration.run()

    assert stopped.value.exit_code == exit_code
    unsure = {"in_doubt"} if fault is Fault.UNAVAILABLE else {"intended"} if fault is Fault.CRASH else set()
    assert set(states(migration)) == {"done", "planned"} | unsure
    assert migration.run().exit_code == 0
    assert len(migration.account.of("contact")) == 3


def test_a_refused_record_is_rejected_with_the_destinations_code(migration: Migration) -> None:
    migration.account.refuse = lambda operation: operation.key == "memory:visits:v0"

    report = migration.run()

    assert report.exit_code == 1
    assert report.streams["visits"]["rejected"] == 3
    assert ("visits", "refused", "v0") in {(s, code, example) for s, code, _, _, _, example in report.rejections}
    (row,) = on_disk(migration, "SELECT code, message FROM operation WHERE state = 'rejected'")
    assert row == ("refused", "The account refuses this record. Correct it and run again.")


def test_what_was_refused_is_not_sent_again_as_it_stands(migration: Migration) -> None:
    migration.account.refuse = lambda operation: operation.key in ("memory:contacts:1", "memory:companies:1")
    migration.run()
    arrived = migration.account.arrived

    report = migration.run()

    assert migration.account.arrived == arrived
    assert report.exit_code == 1


def test_what_was_refused_and_then_changed_is_sent_again(migration: Migration) -> None:
    migration.account.refuse = lambda operation: operation.fields.get("note") == "note 0"
    migration.run()
    migration.export.change("visits", "v0", note="better")

    report = migration.run()

    assert report.exit_code == 0
    assert report.streams["visits"].items() >= {"created": 1, "rejected": 2}.items()


def test_a_refused_update_is_not_sent_again_and_forgotten_when_it_is_no_longer_wanted(migration: Migration) -> None:
    migration.run()
    migration.account.refuse = lambda operation: operation.fields.get("phone") == "bad"
    migration.export.change("contacts", "1", phone="bad")
    first = migration.run()
    arrived = migration.account.arrived

    second = migration.run()
    assert (first.exit_code, second.exit_code) == (1, 1)
    assert second.streams["contacts"]["rejected"] == 2
    assert migration.account.arrived == arrived

    migration.export.change("contacts", "1", phone="1")
    third = migration.run()
    assert migration.account.arrived == arrived
    assert third.exit_code == 0
    assert third.streams["contacts"].items() >= {"rejected": 1, "unchanged": 3}.items()


def test_a_refusal_is_forgotten_when_its_record_is_left_out(migration: Migration) -> None:
    migration.account.refuse = lambda operation: operation.key == "memory:contacts:2"
    assert migration.run().exit_code == 1
    migration.export.change("contacts", "2", status="inactive")

    assert migration.run().exit_code == 0
    assert "superseded" in states(migration)


def test_what_needs_a_refused_parent_is_blocked(migration: Migration) -> None:
    migration.account.refuse = lambda operation: operation.key == "memory:contacts:2"

    report = migration.run()

    assert report.streams["visits"]["blocked"] == 2
    assert report.streams["tasks"]["blocked"] == 1
    assert all(operation.links.get("contact") for operation in migration.account.written if operation.object == "visit")


def test_levels_of_which_every_parent_was_refused_are_no_sign_that_nothing_is_answered(
    migration: Migration, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As many levels hang on the refused ones as there may be rounds without progress."""
    monkeypatch.setattr(apply, "FRUITLESS_ROUNDS", 2)
    migration.account.refuse = lambda operation: operation.object == "contact"

    report = migration.run()

    assert report.exit_code == 1
    assert report.streams["visits"]["blocked"] > 0


def test_a_record_whose_optional_parent_was_refused_is_written_without_it_and_linked_later(
    migration: Migration,
) -> None:
    migration.account.refuse = lambda operation: operation.key == "memory:companies:1"
    migration.run()
    (ann,) = (stored for stored in migration.account.of("contact") if stored.key == "memory:contacts:1")
    assert "company" not in ann.links
    arrived = migration.account.arrived
    migration.run()
    assert migration.account.arrived == arrived

    migration.account.refuse = lambda operation: False
    migration.export.change("companies", "1", name="Ace & Co")
    migration.run()
    report = migration.run()

    (ace,) = (stored for stored in migration.account.of("company") if stored.key == "memory:companies:1")
    assert migration.account.records["contact", ann.id].links["company"] == ace.id
    assert report.exit_code == 0


def test_an_update_with_nothing_left_to_say_is_not_sent(migration: Migration) -> None:
    migration.run()
    migration.account.refuse = lambda operation: operation.key == "memory:companies:3"
    migration.export.add("companies", "3", name="Cee")
    migration.export.change("contacts", "5", company_id="3")
    arrived = migration.account.arrived

    report = migration.run()

    assert migration.account.arrived == arrived + 1
    assert report.streams["contacts"].items() >= {"unchanged": 3, "rejected": 1}.items()


def test_the_second_write_of_a_refused_record_is_not_sent(migration: Migration) -> None:
    migration.account.refuse = lambda operation: operation.verb == "create" and operation.key == "memory:contacts:5"

    report = migration.run()

    assert all(op.destination_id for op in migration.account.written if op.verb == "update")
    assert report.streams["contacts"].items() >= {"rejected": 2, "blocked": 0}.items()


def test_a_person_who_asks_to_stop_gets_what_is_under_way_settled(migration: Migration) -> None:
    def ask(operation: Operation) -> None:
        migration.stop.raised = migration.account.arrived >= 8

    migration.account.arriving = ask
    with pytest.raises(Interrupted) as stopped:
        migration.run()

    assert stopped.value.exit_code == 130
    assert set(states(migration)) == {"done", "planned"}
    assert states(migration)["done"] == len(migration.account.written) < 20
    migration.account.arriving = lambda operation: None
    assert migration.run().exit_code == 0


def test_asking_to_stop_while_the_limit_holds_is_an_interruption(migration: Migration) -> None:
    migration.account.faults = dict.fromkeys(range(5, 100), Fault.RATE_LIMITED)

    def ask(operation: Operation) -> None:
        migration.stop.raised = migration.account.arrived >= 8

    migration.account.arriving = ask

    with pytest.raises(Interrupted):
        migration.run()

    assert set(states(migration)) == {"done", "planned"}


def test_asking_to_stop_before_anything_is_sent_sends_nothing(migration: Migration) -> None:
    class Stopping(list[Any]):
        def __iter__(self) -> Any:
            migration.stop.raised = True
            return super().__iter__()

    migration.export.rows["contacts"] = Stopping(migration.export.rows["contacts"])

    with pytest.raises(Interrupted):
        migration.run()

    assert migration.account.arrived == 0


def test_too_many_doubts_in_a_row_stop_the_run(migration: Migration) -> None:
    migration.account.faults = dict.fromkeys(range(6, 60), Fault.DROP)

    with pytest.raises(Stopped):
        migration.run()

    assert migration.account.arrived < 20
    migration.account.faults = {}
    assert migration.run().exit_code == 0


def test_many_levels_with_a_doubt_each_do_not_stop_a_run_that_has_something_blocked(empty: Migration) -> None:
    """Every doubt that is settled plans the blocked again; that alone is no sign of a destination in trouble."""
    for number in range(12):
        boss = {"boss_id": str(number - 1)} if number else {}
        empty.export.add("contacts", str(number), name=f"N{number}", **boss)
    empty.export.add("contacts", "refused", name="R")
    empty.export.add("contacts", "below", name="B", boss_id="refused")
    empty.export.add("memos", "m", contact_id="refused", name="a", size=1)
    empty.export.add("visits", "v", contact_id="refused", kind="check", note="x")
    arrived: set[int] = set()

    def refuse(operation: Operation) -> bool:
        return operation.key == "memory:contacts:refused"

    def doubt(operation: Operation) -> None:
        if operation.id not in arrived and operation.object == "contact" and not refuse(operation):
            empty.account.faults[empty.account.arrived] = Fault.COMMIT_THEN_DROP
        arrived.add(operation.id)

    empty.account.refuse = refuse
    empty.account.arriving = doubt

    report = empty.run()

    assert report.exit_code == 1
    assert len(empty.account.of("contact")) == 13
