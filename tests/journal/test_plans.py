"""The queries that run once per record go through an index: with a million records, a scan each would take days."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from flitstack.journal import Journal, Planned, Settlement
from flitstack.protocols import Record, Rejection, Stream, Where

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

KEY = ("contact", "memory:contacts:1", "")
AT = "2026-07-01T09:00:00.000+00:00"
# The last line of the audit log is read from its end: that "scan" stops at one row.
SCANS = re.compile(r"SCAN (?!json_each|CONSTANT ROW|audit$)")

HOT: dict[str, Callable[[Journal], Any]] = {
    "a link": lambda j: j.records.link(*KEY),
    "a verdict": lambda j: j.records.verdict(*KEY),
    "a desired record": lambda j: j.records.get(*KEY),
    "the last operation": lambda j: j.operations.last(*KEY),
    "what is ready": lambda j: j.operations.ready(0, 0, 500),
    "levels": lambda j: j.operations.levels(),
    "how many": lambda j: j.operations.count("planned"),
    "what is in doubt": lambda j: j.operations.in_doubt(),
    "contributors": lambda j: j.records.contributors(*KEY),
    "a staged record": lambda j: j.staging.get("contacts", "1"),
    "its state": lambda j: j.staging.state("contacts", "1"),
    "by number": lambda j: j.staging.at(1),
    "whether it is rejected": lambda j: j.records.is_rejected("contacts", "1"),
    "whether it is left out": lambda j: j.records.is_left_out("contacts", "1"),
    "what refers to it": lambda j: j.staging.referring("contacts", "boss_id", "1"),
    "the records of a stream": lambda j: list(j.staging.records("contacts")),
    "what is unclaimed": lambda j: list(j.records.unclaimed("contacts")),
    "the groups of an entry": lambda j: list(j.records.groups("rounds")),
    "an approval": lambda j: j.runs.approval("map", "0"),
    "the head of the log": lambda j: j.audit.head(),
}
HOT_WRITES: dict[str, Callable[[Journal], Any]] = {
    "an intent": lambda j: j.operations.intend([1], "run", AT).result(),
    "an outcome": lambda j: j.operations.settle([Settlement(_last(j), "done", AT, {}, "c-1")]).result(),
    "another outcome": lambda j: j.operations.settle([Settlement(_last(j), "in_doubt", AT, {})]).result(),
    "the read-back": lambda j: j.records.set_after([(*KEY, {}, None)]),
    "a verdict": lambda j: j.records.set_verdicts([(*KEY, "skipped:x")], [], []),
    "a new plan": lambda j: j.operations.plan("run", "s", [Planned("create", "contacts", *KEY, {}, {}, 0)]),
}


def _last(journal: Journal) -> Any:
    return journal.operations.last(*KEY)


@pytest.fixture
def filled(planned: Journal) -> Journal:
    """Return a journal in which no query can be spared: rows in every table that the hot ones read."""
    schema = {"type": "object", "properties": {"boss_id": {}}}
    snapshot = planned.staging.begin("run-1", AT)
    planned.staging.add_stream(snapshot, Stream("contacts", schema))
    rows = [Record("contacts", str(n), {"boss_id": "1"}, Where("contacts.csv", n)) for n in (1, 2, 3)]
    planned.staging.add(snapshot, rows, frozenset())
    planned.staging.add(snapshot, [Rejection("contacts", "4", "bad", "r", "h", Where("contacts.csv", 5))], frozenset())
    planned.staging.index("contacts", "boss_id")
    planned.records.add_group_values("rounds", [("a", 1)])
    return planned


def asked_by(journal: Journal, ask: Callable[[Journal], Any]) -> list[str]:
    """Return the SQL that a question comes to, with its values in place."""
    seen: list[str] = []
    store = journal._store
    for connection in (store._read, store._write):
        connection.set_trace_callback(seen.append)
    try:
        ask(journal)
    finally:
        for connection in (store._read, store._write):
            connection.set_trace_callback(None)
    return [sql for sql in seen if sql.split()[0] in ("SELECT", "UPDATE", "DELETE", "WITH", "INSERT")]


def scans(journal: Journal, statements: list[str]) -> Iterator[tuple[str, str]]:
    with closing(sqlite3.connect(journal.path)) as db:
        for sql in statements:
            for *_, detail in db.execute(f"EXPLAIN QUERY PLAN {sql}"):
                if SCANS.match(detail):
                    yield sql, detail


@pytest.mark.parametrize("name", HOT)
def test_what_is_asked_per_record_goes_through_an_index(filled: Journal, name: str) -> None:
    statements = asked_by(filled, HOT[name])

    assert statements
    assert list(scans(filled, statements)) == []


@pytest.mark.parametrize("name", HOT_WRITES)
def test_what_is_written_per_record_goes_through_an_index(filled: Journal, name: str) -> None:
    statements = asked_by(filled, HOT_WRITES[name])

    assert statements
    assert list(scans(filled, statements)) == []


def test_a_scan_is_noticed(filled: Journal) -> None:
    assert list(scans(filled, ["SELECT * FROM operation WHERE message = 'x'"]))


def test_counting_buckets_reads_each_table_once_and_looks_the_rest_up(filled: Journal) -> None:
    (sql,) = asked_by(filled, lambda journal: journal.buckets.streams("run"))

    with closing(sqlite3.connect(filled.path)) as db:
        plan = [detail for *_, detail in db.execute(f"EXPLAIN QUERY PLAN {sql}")]
    scanned = [line.split()[1] for line in plan if line.startswith("SCAN")]
    assert len(scanned) == len(set(scanned))
    assert {"d", "l", "m", "c", "o"}.isdisjoint(scanned)
    assert not [line for line in plan if "AUTOMATIC" in line and " w " not in line]
