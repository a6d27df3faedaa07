"""Buckets: the worst of a record's contributions decides, and a refusal is told with the record it concerns."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from flitstack.journal import BUCKETS, DesiredRow, Journal, Planned, Settlement
from flitstack.protocols import Record, Rejection, Stream, Where

if TYPE_CHECKING:
    from collections.abc import Iterable

AT = "2026-07-01T09:00:00.000+00:00"


def staged(journal: Journal, *ids: str) -> None:
    snapshot = journal.staging.begin("run-1", AT)
    journal.staging.add_stream(snapshot, Stream("contacts", {"type": "object"}))
    rows = [Record("contacts", record_id, {}, Where("contacts.csv", line)) for line, record_id in enumerate(ids, 2)]
    journal.staging.add(snapshot, rows, frozenset())


def desired(journal: Journal, key: str, ids: Iterable[str], role: str = "main", verdict: str | None = None) -> None:
    made_of = tuple(("contacts", record_id, role) for record_id in ids)
    journal.records.add([DesiredRow("contact", key, "", "contacts", {}, {}, verdict, made_of)], (), (), ())


def operation(journal: Journal, key: str, state: str, verb: str = "create") -> None:
    journal.operations.plan("run-1", "s", [Planned(verb, "contacts", "contact", key, "", {}, {}, 0)])  # type: ignore[arg-type]
    row = journal.operations.last("contact", key, "")
    assert row is not None
    if state == "done":
        journal.operations.intend([row.id], "run-1", AT).result()
        journal.operations.settle([Settlement(row, "done", AT, {}, f"c-{key}")]).result()
    elif state == "intended":
        journal.operations.intend([row.id], "run-1", AT).result()
    elif state != "planned":
        journal.operations.settle([Settlement(row, state, AT, {}, code="code", message="Words.")]).result()


def bucket(journal: Journal, run: str = "run-1", record_id: str = "1") -> str:
    return dict(journal.buckets.of(run, "contacts"))[record_id]


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ("planned", "pending"), ("blocked", "blocked"), ("intended", "in_doubt"), ("in_doubt", "in_doubt"),
        ("rejected", "rejected"), ("conflict", "conflict"), ("done", "created"),
    ],
)  # fmt: skip
def test_a_records_bucket_follows_from_the_state_of_its_operation(journal: Journal, state: str, expected: str) -> None:
    staged(journal, "1")
    desired(journal, "k", ["1"])
    operation(journal, "k", state)

    assert bucket(journal) == expected


@pytest.mark.parametrize(
    ("verdict", "expected"),
    [("rejected:orphan", "rejected"), ("blocked:parent_rejected", "blocked"), ("skipped:parent_skipped", "skipped")],
)
def test_or_from_its_verdict(journal: Journal, verdict: str, expected: str) -> None:
    staged(journal, "1")
    desired(journal, "k", ["1"], verdict=verdict)

    assert bucket(journal) == expected


def test_created_updated_and_unchanged_are_told_apart_by_the_run(journal: Journal) -> None:
    staged(journal, "1")
    desired(journal, "k", ["1"])
    operation(journal, "k", "done")
    assert (bucket(journal, "run-1"), bucket(journal, "run-2")) == ("created", "unchanged")

    journal.operations.plan("run-2", "s", [Planned("update", "contacts", "contact", "k", "", {}, {}, 0)])
    row = journal.operations.last("contact", "k", "")
    assert row is not None
    journal.operations.intend([row.id], "run-2", AT).result()
    journal.operations.settle([Settlement(row, "done", AT, {}, "c-k")]).result()

    assert (bucket(journal, "run-2"), bucket(journal, "run-3")) == ("updated", "unchanged")


@pytest.mark.parametrize("folded_first", [True, False])
def test_the_worst_of_several_contributions_decides(journal: Journal, folded_first: bool) -> None:
    staged(journal, "1")
    roles = [("a", "folded", "done"), ("b", "main", "in_doubt"), ("c", "grouped", "rejected")]
    for key, role, state in roles if folded_first else reversed(roles):
        desired(journal, key, ["1"], role)
        operation(journal, key, state)

    assert bucket(journal) == "in_doubt"
    assert journal.buckets.streams("run-1")["contacts"]["read"] == 1


def test_a_record_that_is_only_folded_in_is_folded_once_the_whole_is_there(journal: Journal) -> None:
    staged(journal, "1")
    desired(journal, "k", ["1"], "folded")
    assert bucket(journal) == "pending"

    operation(journal, "k", "done")

    assert bucket(journal) == "folded"


def test_a_first_write_that_was_refused_outranks_its_second_that_waits(journal: Journal) -> None:
    staged(journal, "1")
    desired(journal, "k", ["1"])
    creation = Planned("create", "contacts", "contact", "k", "", {}, {}, 0)
    closing = Planned("update", "contacts", "contact", "k", "", {}, {}, 1)
    journal.operations.plan("run-1", "s", [creation, closing])
    first, second = journal.operations.ready(0, 0, 1)[0], journal.operations.ready(1, 0, 1)[0]
    journal.operations.settle([Settlement(first, "rejected", AT, {}, code="refused", message="Words.")]).result()
    journal.operations.settle([Settlement(second, "blocked", AT, {})]).result()

    assert bucket(journal) == "rejected"


def test_what_was_superseded_does_not_count(journal: Journal) -> None:
    staged(journal, "1")
    desired(journal, "k", ["1"])
    operation(journal, "k", "rejected")
    operation(journal, "k", "done")

    assert bucket(journal) == "created"
    assert journal.buckets.refused() == 0
    assert journal.buckets.rejections() == []


def test_every_bucket_is_counted_and_they_add_up(journal: Journal) -> None:
    staged(journal, *"123456789")
    for record_id, state in zip(
        "1234567", ["planned", "blocked", "intended", "in_doubt", "rejected", "conflict", "done"], strict=True
    ):
        desired(journal, record_id, [record_id])
        operation(journal, record_id, state)
    journal.records.leave_out([("contacts", "8", "by_rule", "skipped")], [Rejection("contacts", "9", "bad", "r", "h")])

    counted = journal.buckets.streams("run-1")["contacts"]

    assert {name: n for name, n in counted.items() if n} == {
        "read": 9, "in_doubt": 2, "rejected": 2, "conflict": 1, "blocked": 1, "pending": 1, "created": 1, "skipped": 1,
    }  # fmt: skip
    assert set(counted) == {"read", *BUCKETS}


def test_a_refusal_is_told_with_code_file_and_line_and_no_value(journal: Journal) -> None:
    staged(journal, "1", "2")
    desired(journal, "k", ["2"])
    operation(journal, "k", "rejected")
    journal.records.leave_out([], [Rejection("contacts", "1", "bad", "Reason.", "Hint.", field="name")])

    assert list(journal.buckets.rejected_rows()) == [
        ("contacts", "1", "bad", "Reason.", "Hint.", "name", "contacts.csv", 2),
        (
            "contacts",
            "2",
            "code",
            "Words.",
            "See the documentation of rejections for this code.",
            None,
            "contacts.csv",
            3,
        ),
    ]
    assert journal.buckets.refused() == 1
