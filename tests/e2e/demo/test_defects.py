"""Each planted defect ends where the ledger foresees, nothing else is rejected, and no secret stands anywhere."""

from __future__ import annotations

import sqlite3
from collections import Counter
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from flitstack.journal import BUCKETS, Journal

if TYPE_CHECKING:
    from tests.e2e.demo.conftest import Landed, Practice

WITH_REASON = {"rejected", "skipped"}


@pytest.fixture(scope="module")
def fates(landed: Landed) -> dict[tuple[str, str], tuple[str, str]]:
    """Stream and id of every row read, to its bucket and the code or rule that the journal has for it."""
    path = landed.folder / "flit.db"
    rows = _rows(landed, "SELECT stream, id, code FROM rejection UNION SELECT stream, id, rule FROM left_out")
    reasons = {(stream, record): str(reason) for stream, record, reason in rows}
    with Journal.existing(path) as journal:
        run = landed.run.report["run_id"]
        return {
            (stream, record): (bucket, reasons.get((stream, record), ""))
            for stream in journal.staging.streams()
            for record, bucket in journal.buckets.of(run, stream)
        }


@pytest.fixture(scope="module")
def places(landed: Landed) -> dict[tuple[str, int], list[str]]:
    """File and line of every row read, to the ids under which the journal has it."""
    found: dict[tuple[str, int], list[str]] = {}
    for file, line, record in _rows(landed, "SELECT file, line, id FROM staged"):
        found.setdefault((file, line), []).append(record)
    return found


def _rows(landed: Landed, sql: str) -> list[Any]:
    uri = f"{(landed.folder / 'flit.db').as_uri()}?mode=ro"
    with closing(sqlite3.connect(uri, uri=True)) as journal:
        return list(journal.execute(sql))


def test_each_defect_of_the_ledger_ends_in_the_bucket_it_foresees(
    practice: Practice,
    fates: dict[tuple[str, str], tuple[str, str]],
    places: dict[tuple[str, int], list[str]],
) -> None:
    wrong = []
    for entry in practice.ledger:
        if entry["bucket"] == "dropped":
            continue
        (record,) = places[entry["file"], entry["line"]]
        bucket, reason = fates[entry["stream"], record]
        if (bucket, reason if bucket in WITH_REASON else None) != (entry["bucket"], entry["code_or_rule"]):
            wrong.append((entry["stream"], entry["line"], entry["kind"], entry["bucket"], bucket, reason))
    assert not wrong
    assert len(practice.ledger) > 100


def test_nothing_else_is_rejected(practice: Practice, landed: Landed) -> None:
    foreseen = Counter((e["stream"], e["code_or_rule"]) for e in practice.ledger if e["bucket"] == "rejected")

    told = Counter[tuple[str, str]]()
    for line in landed.run.report["rejections"]:
        told[line["stream"], line["code"]] += line["count"]

    assert told == foreseen


def test_the_buckets_add_up_to_the_rows_of_the_files(practice: Practice, landed: Landed) -> None:
    for stream, counts in landed.run.report["streams"].items():
        assert set(counts) == {"read", *BUCKETS}
        assert sum(counts[bucket] for bucket in BUCKETS) == counts["read"], stream
        # The manifest, which is no table, makes the one record of the stream `practice`.
        assert counts["read"] == (1 if stream == "practice" else len(practice._lines(stream))), stream
    assert landed.run.report["streams"]["practice"]["skipped"] == 1


def test_what_is_told_of_rejected_and_skipped_rows_adds_up_to_their_buckets(landed: Landed) -> None:
    report = landed.run.report

    for told, bucket in ((report["rejections"], "rejected"), (report["skipped"], "skipped")):
        by_stream = Counter[str]()
        for line in told:
            by_stream[line["stream"]] += line["count"]
        held = {stream: counts[bucket] for stream, counts in report["streams"].items() if counts[bucket]}
        assert held == dict(by_stream), bucket
        assert len(held) > 5, bucket


def test_everything_was_read_back_and_nothing_differs(landed: Landed) -> None:
    report = landed.run.report
    held = sum(count["created"] + count["unchanged"] for count in report["objects"].values())

    assert report["status"] == "done"
    assert report["verified"]["mismatched"] == 0
    assert report["verified"]["checked"] == held
    assert report["verified"]["fields"] > 3000


def test_each_dropped_column_is_told_by_name(practice: Practice, landed: Landed) -> None:
    told = [line["message"] for line in landed.run.report["findings"] if line["code"] == "secrets_dropped"]

    for entry in practice.ledger:
        if entry["bucket"] == "dropped":
            assert any(entry["file"] in message and entry["field"] in message for message in told), entry


def test_no_planted_secret_stands_in_journal_account_or_output(practice: Practice, landed: Landed) -> None:
    secrets = {secret.encode() for secret in practice.secrets()}
    kept = [path for path in landed.folder.iterdir() if path.is_file()]
    places = {path.name: path.read_bytes() for path in kept}
    places |= {"stdout": landed.run.out.encode(), "stderr": landed.run.err.encode()}

    assert len(secrets) > 40
    assert {"flit.db", "pipedrive-sandbox.db"} <= places.keys()
    assert not [(name, len(secret)) for name, content in places.items() for secret in secrets if secret in content]


def test_no_value_of_a_patient_stands_in_the_output(practice: Practice, landed: Landed) -> None:
    told = landed.run.out + landed.run.err
    values = {row[name] for row in practice.people.values() for name in ("last_name", "birth_date", "medical_alert")}
    values |= {row["value"] for row in practice.rows("contact_points")}

    assert not [len(value) for value in values - {None} if value in told]


def test_the_journal_is_for_its_owner_alone(landed: Landed) -> None:
    assert (landed.folder / "flit.db").stat().st_mode & 0o077 == 0
