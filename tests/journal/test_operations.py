"""The states of an operation: every way from one to another that the contract knows, and that each is on disk."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from flitstack.journal import UNREAD, Conflict, Journal, Planned, Settlement
from flitstack.protocols import LinkRef

if TYPE_CHECKING:
    from pathlib import Path

    from flitstack.journal import OperationRow

AT = "2026-07-01T09:00:00.000+00:00"
LATER = "2026-07-01T09:00:05.000+00:00"
KEY = ("contact", "memory:contacts:1", "")


def first(journal: Journal) -> OperationRow:
    row = journal.operations.last(*KEY)
    assert row is not None
    return row


def state_on_disk(journal: Journal, number: int = 1) -> Any:
    with closing(sqlite3.connect(f"file:{journal.path}?mode=ro", uri=True)) as db:
        return db.execute("SELECT state FROM operation WHERE id = ?", (number,)).fetchone()[0]


def outcomes(journal: Journal) -> list[str]:
    import json

    return [json.loads(event)["outcome"] for _, _, event, _ in journal.audit.events()]


def test_what_is_planned_is_ready_level_by_level_in_order(planned: Journal) -> None:
    planned.operations.plan("run-1", "spec", [Planned("create", "visits", "visit", "memory:visits:1", "", {}, {}, 5)])

    assert planned.operations.levels() == [0, 5]
    assert [row.id for row in planned.operations.ready(0, 0, 2)] == [1, 2]
    assert [row.id for row in planned.operations.ready(0, 2, 2)] == [3]
    assert [row.id for row in planned.operations.ready(5, 0, 2)] == [4]


def test_planned_to_intended_says_when_and_in_which_run(planned: Journal) -> None:
    planned.operations.intend([1, 2], "run-2", AT).result()

    assert first(planned).intended_at == AT
    assert (state_on_disk(planned, 1), state_on_disk(planned, 2), state_on_disk(planned, 3)) == (
        "intended", "intended", "planned",
    )  # fmt: skip
    assert [row.id for row in planned.operations.ready(0, 0, 9)] == [3]


def test_intended_to_done_makes_the_link_and_its_audit_line(planned: Journal) -> None:
    planned.operations.intend([1], "run-1", AT).result()
    planned.operations.settle([Settlement(first(planned), "done", LATER, {"key": KEY[1]}, "c-1")]).result()

    link = planned.records.link(*KEY)
    assert link is not None
    assert (link.destination_id, link.made_by, link.wanted) == ("c-1", 1, {"fields": {"name": "N1"}, "links": {}})
    assert state_on_disk(planned) == "done"
    assert outcomes(planned)[-1] == "done"


@pytest.mark.parametrize("state", ["rejected", "in_doubt", "conflict"])
def test_intended_to_another_outcome_is_on_disk_with_its_code_and_its_audit_line(planned: Journal, state: str) -> None:
    planned.operations.intend([1], "run-1", AT).result()
    planned.operations.settle(
        [Settlement(first(planned), state, LATER, {}, code="some_code", message="Words.")]
    ).result()

    assert state_on_disk(planned) == state
    assert (first(planned).code, first(planned).settled_at) == ("some_code", LATER)
    assert outcomes(planned)[-1] == state
    assert planned.records.link(*KEY) is None


def test_intended_to_planned_says_nothing_in_the_audit_log(planned: Journal) -> None:
    before = planned.audit.head()
    planned.operations.intend([1], "run-1", AT).result()
    planned.operations.settle([Settlement(first(planned), "planned", LATER, {})]).result()

    assert state_on_disk(planned) == "planned"
    assert planned.audit.head() == before


def test_an_intended_operation_found_at_start_is_in_doubt_from_then_on(planned: Journal) -> None:
    planned.operations.intend([1, 3], "run-1", AT).result()

    assert planned.operations.doubt_intended(LATER) == 2
    assert [(row.id, row.settled_at) for row in planned.operations.in_doubt()] == [(1, LATER), (3, LATER)]
    assert outcomes(planned)[-2:] == ["in_doubt", "in_doubt"]
    assert planned.operations.doubt_intended(LATER) == 0


def test_blocked_waits_until_it_is_unblocked(planned: Journal) -> None:
    planned.operations.settle([Settlement(first(planned), "blocked", AT, {})]).result()
    assert [row.id for row in planned.operations.ready(0, 0, 9)] == [2, 3]

    planned.operations.unblock()

    assert [row.id for row in planned.operations.ready(0, 0, 9)] == [1, 2, 3]


def test_a_new_plan_supersedes_what_was_not_sent_and_leaves_what_was(planned: Journal) -> None:
    planned.operations.settle([Settlement(first(planned), "blocked", AT, {})]).result()
    planned.operations.intend([2], "run-1", AT).result()

    planned.operations.supersede_unsent()

    assert [state_on_disk(planned, number) for number in (1, 2, 3)] == ["superseded", "intended", "superseded"]
    assert planned.operations.last(*KEY) is None


@pytest.mark.parametrize("state", ["in_doubt", "rejected", "done"])
def test_a_new_plan_leaves_what_was_settled(planned: Journal, state: str) -> None:
    planned.operations.settle([Settlement(first(planned), state, AT, {})]).result()

    planned.operations.supersede_unsent()

    assert state_on_disk(planned) == state


@pytest.mark.parametrize(
    ("conflict", "left"), [("open", "conflict"), ("kept", "superseded"), ("settled", "superseded")]
)
def test_a_new_plan_leaves_a_conflict_for_as_long_as_nobody_decided_on_it(
    planned: Journal, conflict: str, left: str
) -> None:
    planned.operations.settle([Settlement(first(planned), "conflict", AT, {})]).result()
    planned.conflicts.note([Conflict(*KEY, "name", "delta", "run-1", AT, conflict)])

    planned.operations.supersede_unsent()

    assert state_on_disk(planned) == left


def test_a_new_plan_leaves_what_an_undo_ran_into(planned: Journal) -> None:
    planned.operations.settle([Settlement(first(planned), "done", AT, {}, "c-1")]).result()
    planned.operations.plan("undo-1", "", [Planned("delete", "contacts", *KEY, {}, {}, 0, "c-1", inverse_of=1)])
    planned.operations.settle([Settlement(first(planned), "conflict", AT, {})]).result()

    planned.operations.supersede_unsent()

    assert state_on_disk(planned, 4) == "conflict"


def test_a_refusal_of_a_record_that_is_no_longer_wanted_is_superseded(planned: Journal) -> None:
    planned.operations.settle([Settlement(first(planned), "rejected", AT, {})]).result()
    planned.records.clear()

    planned.operations.supersede_unsent()

    assert state_on_disk(planned) == "superseded"


def test_rejected_to_superseded_by_a_new_operation_for_the_same_record(planned: Journal) -> None:
    planned.operations.settle([Settlement(first(planned), "rejected", AT, {})]).result()

    planned.operations.plan("run-2", "spec", [Planned("create", "contacts", *KEY, {"name": "Better"}, {}, 0)])

    assert state_on_disk(planned) == "superseded"
    assert first(planned).fields == {"name": "Better"}


def test_only_what_was_refused_can_be_withdrawn(planned: Journal) -> None:
    planned.operations.settle([Settlement(first(planned), "rejected", AT, {})]).result()
    planned.operations.intend([2], "run-1", AT).result()

    planned.operations.withdraw([1, 2, 3])

    assert [state_on_disk(planned, number) for number in (1, 2, 3)] == ["superseded", "intended", "planned"]


def test_no_state_outside_the_contract_is_taken(planned: Journal) -> None:
    from flitstack.errors import JournalError

    with pytest.raises(JournalError):
        planned.operations.settle([Settlement(first(planned), "perhaps", AT, {})]).result()

    assert state_on_disk(planned) == "planned"


def test_an_update_merges_into_what_the_link_says_is_there(planned: Journal) -> None:
    boss = LinkRef("contact", "memory:contacts:2")
    planned.operations.settle([Settlement(first(planned), "done", AT, {}, "c-1")]).result()
    planned.records.set_after([(*KEY, {"name": "N1"}, None)])
    planned.operations.plan(
        "run-1", "spec", [Planned("update", "contacts", *KEY, {"phone": "1"}, {"boss": boss}, 1, "c-1")]
    )

    planned.operations.settle([Settlement(first(planned), "done", LATER, {}, "c-1")]).result()

    link = planned.records.link(*KEY)
    assert link is not None
    assert link.wanted == {
        "fields": {"name": "N1", "phone": "1"},
        "links": {"boss": ["contact", "memory:contacts:2", "", 0, 0]},
    }
    assert link.made_by == 1
    assert link.after == {"name": "N1", UNREAD: ["@boss", "phone"]}


def test_a_delete_takes_the_link_away(planned: Journal) -> None:
    planned.operations.settle([Settlement(first(planned), "done", AT, {}, "c-1")]).result()
    planned.operations.plan("run-1", "spec", [Planned("delete", "contacts", *KEY, {}, {}, 1, "c-1")])

    planned.operations.settle([Settlement(first(planned), "done", LATER, {}, "c-1")]).result()

    assert planned.records.link(*KEY) is None


def test_only_a_record_begun_after_the_doubt_counts_as_later(planned: Journal) -> None:
    operations = planned.operations
    operations.intend([1], "run-1", AT).result()
    operations.intend([2], "run-1", "2026-07-01T09:00:03.000+00:00").result()
    operations.settle([Settlement(first(planned), "in_doubt", LATER, {})]).result()
    two = operations.last("contact", "memory:contacts:2", "")
    assert two is not None
    operations.settle([Settlement(two, "done", LATER, {}, "c-2")]).result()
    assert operations.later_done("contact", 1) == []

    operations.intend([3], "run-1", "2026-07-01T09:00:06.000+00:00").result()
    three = operations.last("contact", "memory:contacts:3", "")
    assert three is not None
    operations.settle([Settlement(three, "done", "2026-07-01T09:00:07.000+00:00", {}, "c-3")]).result()

    assert operations.later_done("contact", 1) == ["c-3"]
    assert operations.later_done("visit", 1) == []


def test_everything_is_there_after_the_journal_is_closed_and_opened(tmp_path: Path, planned: Journal) -> None:
    planned.operations.intend([1], "run-1", AT).result()
    planned.operations.settle([Settlement(first(planned), "done", LATER, {}, "c-1")]).result()
    planned.close()

    with Journal(planned.path) as journal:
        assert journal.operations.counts() == [("contact", "create", "done", 1), ("contact", "create", "planned", 2)]
        assert journal.operations.ever_sent()
        assert journal.audit.broken_at() is None
