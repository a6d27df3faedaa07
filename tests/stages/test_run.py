"""The whole walk: what a run writes, what the same command writes again, and what a later export changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from flitstack.journal import BUCKETS

if TYPE_CHECKING:
    from flitstack.protocols import Operation, Stored
    from flitstack.testing.migration import Migration


def by_key(migration: Migration, object_: str) -> dict[str, Stored]:
    return {str(stored.key): stored for stored in migration.account.of(object_)}


def writes_of(migration: Migration) -> list[Operation]:
    """Run, and return what took effect in this run."""
    before = len(migration.account.written)
    migration.run()
    return migration.account.written[before:]


def bucket_of(migration: Migration, stream: str) -> dict[str, str]:
    report = migration.run()
    with migration.open() as journal:
        return dict(journal.buckets.of(report.run_id, stream))


def test_every_record_lands_once_with_its_links(migration: Migration) -> None:
    report = migration.run()

    contacts, companies = by_key(migration, "contact"), by_key(migration, "company")
    ann, bob = contacts["memory:contacts:1"], contacts["memory:contacts:2"]
    ace, bee = companies["memory:companies:1"], companies["memory:companies:2"]
    assert report.exit_code == 0
    assert report.verification is not None
    assert report.verification.mismatched == 0
    assert set(contacts) == {f"memory:contacts:{number}" for number in (1, 2, 5)}
    assert dict(ann.links) == {"owner": "u2", "company": ace.id, "boss": bob.id}
    assert dict(bob.links) == {"owner": "u1", "company": ace.id, "boss": ann.id}
    assert dict(ace.links) == {"main": ann.id, "partner": bee.id}
    assert dict(bee.links) == {"partner": ace.id}
    assert ann.fields["Labels__c"] == ["blue"]
    assert len(migration.account.of("visit")) == 4
    assert [memo.fields["size"] for memo in migration.account.of("memo")] == [3, 4]


def test_each_record_is_in_one_bucket_and_the_buckets_add_up(migration: Migration) -> None:
    report = migration.run()

    read = {name: len(rows) for name, rows in migration.export.rows.items()}
    assert {name: counts["read"] for name, counts in report.streams.items()} == read
    for name, counts in report.streams.items():
        assert sum(counts[bucket] for bucket in BUCKETS) == read[name]
    assert report.streams["contacts"].items() >= {"created": 3, "rejected": 1, "skipped": 1}.items()
    assert report.streams["visits"].items() >= {"created": 2, "rejected": 2, "blocked": 1, "skipped": 1}.items()
    assert report.streams["labels"].items() >= {"folded": 1, "skipped": 1}.items()
    assert report.streams["staff"].items() >= {"folded": 1, "skipped": 1}.items()


def test_a_circle_of_links_is_closed_by_a_second_write(migration: Migration) -> None:
    migration.run()

    updates = [operation for operation in migration.account.written if operation.verb == "update"]
    closing = {(operation.key, *operation.links) for operation in updates}
    assert all(not operation.fields for operation in updates)
    assert ("memory:contacts:5", "boss") in closing
    assert ("memory:companies:1", "main") in closing
    assert len([key for key, *_ in closing if key in ("memory:contacts:1", "memory:contacts:2")]) == 1
    eve = by_key(migration, "contact")["memory:contacts:5"]
    assert eve.links["boss"] == eve.id


def test_the_same_command_again_sends_nothing(migration: Migration) -> None:
    migration.run()
    arrived = migration.account.arrived

    report = migration.run()

    assert migration.account.arrived == arrived
    assert report.exit_code == 0
    assert report.streams["contacts"]["unchanged"] == 3
    assert report.objects["contact"].items() >= {"created": 0, "updated": 0, "unchanged": 3}.items()


def test_so_does_the_same_command_a_month_on(migration: Migration) -> None:
    migration.run()
    migration.clock.advance(30 * 86400)

    assert writes_of(migration) == []


def test_one_changed_field_is_one_update_of_that_field(migration: Migration) -> None:
    migration.run()
    migration.export.change("contacts", "2", phone="22")

    (operation,) = writes_of(migration)

    assert (operation.verb, operation.key, operation.links) == ("update", "memory:contacts:2", {})
    assert operation.fields == {"phone": "22"}


def test_a_changed_row_whose_desired_record_is_the_same_sends_nothing(migration: Migration) -> None:
    migration.run()
    migration.export.change("contacts", "2", changed_at="2026-07-01T10:00:00")

    assert writes_of(migration) == []


def test_an_emptied_field_is_cleared(migration: Migration) -> None:
    migration.run()
    migration.export.change("contacts", "1", phone=None)

    (operation,) = writes_of(migration)

    assert operation.fields == {"phone": None}
    assert by_key(migration, "contact")["memory:contacts:1"].fields["phone"] is None
    assert writes_of(migration) == []


def test_a_link_taken_away_is_cleared(migration: Migration) -> None:
    migration.run()
    migration.export.change("contacts", "1", company_id=None)

    (operation,) = writes_of(migration)

    assert (operation.fields, operation.links) == ({}, {"company": ""})
    assert "company" not in by_key(migration, "contact")["memory:contacts:1"].links
    assert writes_of(migration) == []


@pytest.mark.parametrize("gone", ["rejected", "unknown"])
def test_a_link_that_now_leads_to_what_is_not_there_no_longer_leads_elsewhere(migration: Migration, gone: str) -> None:
    """Found by simulation: the record went on pointing where the source no longer says it points."""
    migration.export.add("companies", "rejected", name=None)
    migration.run()
    migration.export.change("contacts", "1", company_id=gone)

    (operation,) = writes_of(migration)

    assert operation.links == {"company": ""}
    assert "company" not in by_key(migration, "contact")["memory:contacts:1"].links
    assert writes_of(migration) == []


def test_a_link_to_a_record_that_is_refused_in_the_same_run_does_not_stay_where_it_led(migration: Migration) -> None:
    """Found by simulation: until the run after, the record pointed where the source no longer says it points."""
    migration.run()
    migration.export.add("contacts", "new", name="New")
    migration.export.change("contacts", "1", boss_id="new")
    migration.account.refuse = lambda operation: operation.key == "memory:contacts:new"

    migration.run()

    assert "boss" not in by_key(migration, "contact")["memory:contacts:1"].links
    assert writes_of(migration) == []


def test_a_link_that_comes_back_is_written_again(migration: Migration) -> None:
    migration.run()
    migration.export.change("contacts", "1", company_id=None)
    migration.run()
    migration.export.change("contacts", "1", company_id="2")

    (operation,) = writes_of(migration)

    assert operation.links == {"company": by_key(migration, "company")["memory:companies:2"].id}
    assert writes_of(migration) == []


@pytest.mark.parametrize("stream", ["staff", "companies", "contacts", "labels", "visits", "tasks", "memos", "ledger"])
def test_a_stream_that_is_absent_changes_nothing(migration: Migration, stream: str) -> None:
    migration.run()
    del migration.export.rows[stream]

    assert writes_of(migration) == []


def test_a_vanished_record_is_kept(migration: Migration) -> None:
    migration.run()
    migration.export.rows["contacts"] = migration.export.rows["contacts"][1:]

    assert writes_of(migration) == []
    assert "memory:contacts:1" in by_key(migration, "contact")


def test_a_row_that_repeats_is_skipped_and_one_that_contradicts_is_rejected(migration: Migration) -> None:
    migration.export.add("contacts", "1", **{k: v for k, v in migration.export.rows["contacts"][0].data.items()})  # type: ignore[union-attr]
    migration.export.add("contacts", "2", name="Not Bob")

    report = migration.run()

    assert report.streams["contacts"].items() >= {"read": 7, "rejected": 2, "skipped": 2}.items()
    assert ("contacts", "duplicate_row", 1) in report.skips
    assert [code for stream, code, *_ in report.rejections if stream == "contacts"].count("duplicate_id") == 1
    assert by_key(migration, "contact")["memory:contacts:2"].fields["name"] == "Bob"


def test_what_hangs_on_nothing_is_rejected_as_an_orphan(migration: Migration) -> None:
    report = migration.run()

    assert [(stream, code, example) for stream, code, _, _, _, example in report.rejections if code == "orphan"] == [
        ("visits", "orphan", "v4")
    ]
    assert bucket_of(migration, "visits")["v4"] == "rejected"


def test_what_hangs_on_a_rejected_record_is_blocked_and_on_a_skipped_one_skipped(migration: Migration) -> None:
    buckets = bucket_of(migration, "visits")

    assert (buckets["v2"], buckets["v3"]) == ("blocked", "skipped")


def test_what_was_blocked_is_written_once_the_parent_is_corrected(migration: Migration) -> None:
    migration.run()
    migration.export.change("contacts", "3", name="Cleo")

    written = [(operation.verb, operation.key) for operation in writes_of(migration)]

    assert written == [("create", "memory:contacts:3"), ("create", "memory:visits:v2")]


def test_records_of_a_group_make_one_record_between_them(migration: Migration) -> None:
    migration.run()

    notes = {key: stored.fields["note"] for key, stored in by_key(migration, "visit").items() if ":tasks:" in key}
    assert notes == {"memory:tasks:1/2026-06-01": "sweep\nmop", "memory:tasks:2/2026-06-01": "dust"}
    assert set(bucket_of(migration, "tasks").values()) == {"unchanged"}


def test_one_changed_record_of_a_group_is_one_update(migration: Migration) -> None:
    migration.run()
    migration.export.change("tasks", "t2", what="polish")

    (operation,) = writes_of(migration)

    assert operation.key == "memory:tasks:1/2026-06-01"
    assert operation.fields == {"note": "sweep\npolish"}


def test_a_new_record_that_closes_a_circle_with_an_old_one_takes_one_run(migration: Migration) -> None:
    migration.run()
    migration.export.add("contacts", "6", name="Fay", boss_id="1")
    migration.export.change("contacts", "1", boss_id="6")

    written = writes_of(migration)

    assert [(operation.verb, operation.key) for operation in written] == [
        ("create", "memory:contacts:6"),
        ("update", "memory:contacts:1"),
    ]
    assert writes_of(migration) == []


def test_records_the_account_already_has_are_left_alone_and_counted(migration: Migration) -> None:
    theirs = migration.account.put("contact", name="Ann")

    report = migration.run()

    assert report.verification is not None
    assert report.verification.left_alone == {"contact": 1}
    assert migration.account.records["contact", theirs.id] == theirs


def test_a_second_record_with_one_of_our_keys_is_a_mismatch(migration: Migration) -> None:
    migration.run()
    migration.account.put("contact", "memory:contacts:1", name="Ann")

    report = migration.run()

    assert report.verification is not None
    assert report.verification.doubled == 1
    assert report.exit_code == 6


def test_a_record_gone_from_the_account_since_it_was_read_back_is_a_conflict(migration: Migration) -> None:
    migration.run()
    ann = by_key(migration, "contact")["memory:contacts:1"]
    del migration.account.records["contact", ann.id]

    report = migration.run()

    assert report.exit_code == 1
    assert ("contact", "memory:contacts:1", "deleted in the account since") in (
        report.verification.examples if report.verification else []
    )


def test_a_record_gone_before_it_was_ever_read_back_is_a_mismatch(migration: Migration) -> None:
    def lose(operation: Operation) -> None:
        if operation.key == "memory:contacts:1":
            migration.account.records.pop(("contact", by_key(migration, "contact")[operation.key].id))

    migration.account.answering = lose

    reports = migration.run(), migration.run()

    assert [report.exit_code for report in reports] == [6, 6]
    assert ("contact", "memory:contacts:1", "missing in the account") in (
        reports[1].verification.examples if reports[1].verification else []
    )


def test_a_field_that_a_person_changed_since_is_drift_and_not_written_over(migration: Migration) -> None:
    migration.run()
    migration.account.edit(by_key(migration, "contact")["memory:contacts:1"], phone="changed by hand")

    report = migration.run()

    assert report.verification is not None
    assert (report.verification.drifted, report.verification.mismatched) == (1, 0)
    assert by_key(migration, "contact")["memory:contacts:1"].fields["phone"] == "changed by hand"


def test_a_dry_run_writes_nothing(migration: Migration) -> None:
    report = migration.run(dry_run=True)

    assert report.status == "dry_run"
    assert migration.account.arrived == 0
    assert report.tokens.predicted > 0


def test_header_only_files_are_empty_streams(empty: Migration) -> None:
    empty.export.rows = {"contacts": [], "companies": []}

    report = empty.run()

    assert report.exit_code == 0
    assert [operation.object for operation in empty.account.written] == ["field", "field", "field", "type", "type"]
