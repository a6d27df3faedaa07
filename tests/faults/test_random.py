"""Random exports, faults, lags and deaths: whatever happens, the account ends as it would have without."""

from __future__ import annotations

from collections import Counter
from itertools import count
from typing import TYPE_CHECKING, Any, Protocol

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flitstack.errors import FlitError
from flitstack.journal import BUCKETS
from flitstack.protocols import Record, Rejection, Skip, Where
from flitstack.testing.memory import Fault
from flitstack.testing.migration import Migration

if TYPE_CHECKING:
    from pathlib import Path

    from flitstack.protocols import Operation
    from flitstack.stages.report import RunReport
    from flitstack.testing.memory_source import Row

IDS = ("1", "2", "3", "4", "5")
STREAMS = ("staff", "companies", "contacts", "labels", "visits", "tasks", "memos", "ledger")
FLAWS = {"empty", "no_parent", "unknown_parent", "not_found", "unknown_field", "duplicate_name"}
PASSING = [fault for fault in Fault if fault is not Fault.REJECTED]


class Fate(Protocol):
    def live(self, last: int | None = None) -> None: ...

    def govern(self, migration: Migration) -> None: ...

    def outlive(self, migration: Migration) -> bool: ...


def maybe(values: tuple[str, ...]) -> st.SearchStrategy[str | None]:
    return st.one_of(st.none(), st.sampled_from(values))


TEXTS = maybe(("red", "blue"))
FIELDS: dict[str, dict[str, st.SearchStrategy[Any]]] = {
    "staff": {"name": TEXTS, "email": maybe(("sam@example.org", "gil@example.org", "no@example.org"))},
    "companies": {"name": TEXTS, "main_id": maybe(IDS), "partner_id": maybe(IDS)},
    "contacts": {
        "name": TEXTS, "phone": TEXTS, "status": maybe(("inactive",)), "company_id": maybe(IDS),
        "boss_id": maybe(IDS), "staff_id": maybe(IDS),
    },
    "labels": {"contact_id": maybe(IDS), "label": TEXTS},
    "visits": {"contact_id": maybe(IDS), "kind": maybe(("check", "call", "unheard of")), "note": TEXTS},
    "tasks": {"contact_id": maybe(IDS), "day": maybe(("monday", "friday")), "what": TEXTS},
    "memos": {"contact_id": maybe(IDS), "name": TEXTS, "size": st.integers(1, 3)},
    "ledger": {"amount": TEXTS},
}  # fmt: skip


@st.composite
def rows_of(draw: st.DrawFn, stream: str) -> list[Row]:
    """Rows with ids that may repeat, or be missing; some rejected or skipped by the reader already."""
    rows: list[Row] = []
    for _ in range(draw(st.integers(0, 5))):
        line, record_id = draw(st.integers(2, 5)), draw(st.sampled_from(IDS))
        where = Where(f"{stream}.csv", line)
        kind = draw(st.integers(0, 11))
        if kind == 0:
            known = draw(st.one_of(st.none(), st.just(record_id)))
            place = draw(st.one_of(st.none(), st.just(where)))
            rows.append(Rejection(stream, known, "bad_row", "It cannot be read.", "Correct it.", place))
        elif kind == 1:
            rows.append(Skip(stream, draw(st.one_of(st.none(), st.just(record_id))), "totals_line", where))
        else:
            data = draw(st.fixed_dictionaries(FIELDS[stream]))
            rows.append(Record(stream, record_id, data, where))
    return rows


EXPORTS = st.fixed_dictionaries({}, optional={stream: rows_of(stream) for stream in STREAMS})
FAULTS = st.dictionaries(st.integers(1, 30), st.sampled_from(PASSING), max_size=8)
REFUSED = st.sets(st.sampled_from([f"memory:{s}:{i}" for s in STREAMS for i in IDS]), max_size=3)
DEATHS = st.lists(st.integers(1, 200), max_size=3)


NUMBERS = count()


def prepared(
    folder: Path, rows: dict[str, list[Row]], refused: set[str], fate: Fate, concurrency: int = 1, lag_s: float = 0.0
) -> Migration:
    place = folder / str(next(NUMBERS))
    place.mkdir()
    migration = Migration(place, concurrency=concurrency)
    migration.account.lag_s = lag_s
    migration.export.rows = dict(rows)

    def refuse(operation: Operation) -> bool:
        return operation.key in refused

    migration.account.refuse = refuse
    fate.govern(migration)
    return migration


def until_settled(migration: Migration) -> RunReport:
    for _ in range(40):
        try:
            report = migration.run()
        except FlitError:
            continue
        if report.status in ("done", "done_with_others"):
            return report
    raise AssertionError("it never ends")


def assert_adds_up(migration: Migration, report: RunReport) -> None:
    """Each row that was read is in exactly one bucket, and none was refused for how it was sent."""
    assert FLAWS.isdisjoint(code for _, code, *_ in report.rejections)
    rows = migration.export.rows
    assert {name: counts["read"] for name, counts in report.streams.items()} == {
        name: len(found) for name, found in rows.items() if found
    }
    for counts in report.streams.values():
        assert sum(counts[bucket] for bucket in BUCKETS) == counts["read"]
    with migration.open() as journal:
        for name, counts in report.streams.items():
            placed = list(journal.buckets.of(report.run_id, name))
            assert len({record_id for record_id, _ in placed}) == len(placed) == counts["read"]
            assert Counter(bucket for _, bucket in placed) == Counter({b: counts[b] for b in BUCKETS if counts[b]})


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(EXPORTS, FAULTS, REFUSED, DEATHS, st.integers(1, 4), st.sampled_from([0.0, 1.0, 3.9]))
def test_the_account_ends_as_it_would_have_without(
    tmp_path: Path,
    fate: Fate,
    rows: dict[str, list[Row]],
    faults: dict[int, Fault],
    refused: set[str],
    deaths: list[int],
    concurrency: int,
    lag_s: float,
) -> None:
    fate.live()
    calm = prepared(tmp_path, rows, refused, fate)
    wanted = until_settled(calm)
    assert_adds_up(calm, wanted)

    migration = prepared(tmp_path, rows, refused, fate, concurrency, lag_s)
    migration.account.faults = faults
    for last in deaths:
        fate.live(last)
        fate.outlive(migration)
    fate.live()
    report = until_settled(migration)

    assert migration.account.picture() == calm.account.picture()
    assert_adds_up(migration, report)
    assert outcomes(report) == outcomes(wanted)
    arrived = migration.account.arrived
    again = migration.run()
    assert migration.account.arrived == arrived
    assert outcomes(again) == outcomes(report)


def outcomes(report: RunReport) -> dict[str, dict[str, int]]:
    """Return the buckets of a report, with all that is in the account in one: which run wrote it does not matter."""
    there = ("created", "updated", "unchanged")
    return {
        name: {
            **{bucket: counts[bucket] for bucket in BUCKETS if bucket not in there},
            "there": sum(counts[bucket] for bucket in there),
        }
        for name, counts in report.streams.items()
    }


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(EXPORTS, FAULTS, DEATHS), min_size=2, max_size=4), REFUSED, st.integers(1, 4))
def test_so_it_does_after_each_of_several_exports(
    tmp_path: Path,
    fate: Fate,
    exports: list[tuple[dict[str, list[Row]], dict[int, Fault], list[int]]],
    refused: set[str],
    concurrency: int,
) -> None:
    calm = prepared(tmp_path, {}, refused, fate)
    migration = prepared(tmp_path, {}, refused, fate, concurrency, lag_s=3.9)

    for rows, faults, deaths in exports:
        fate.live()
        calm.export.rows = migration.export.rows = dict(rows)
        wanted = until_settled(calm)
        migration.account.faults = {migration.account.arrived + number: fault for number, fault in faults.items()}
        for last in deaths:
            fate.live(last)
            fate.outlive(migration)
        fate.live()
        report = until_settled(migration)

        assert migration.account.picture() == calm.account.picture()
        assert outcomes(report) == outcomes(wanted)
        assert FLAWS.isdisjoint(code for _, code, *_ in report.rejections)
        arrived = migration.account.arrived
        again = migration.run()
        assert migration.account.arrived == arrived
        assert outcomes(again) == outcomes(report)
