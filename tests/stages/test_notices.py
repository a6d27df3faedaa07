"""What a person is told before approving: who vanished, what leads nowhere, who owns what, what will be written."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from flitstack.errors import ApprovalNeeded, SettingsError, UsageError
from flitstack.journal import BUCKETS
from flitstack.stages.gates.gate import Passing
from flitstack.stages.intake.owners import read_owner_map

if TYPE_CHECKING:
    from pathlib import Path

    from flitstack.testing.migration import Migration

ASKING = Passing()


def stopped(migration: Migration) -> ApprovalNeeded:
    with pytest.raises(ApprovalNeeded) as stop:
        migration.run(passing=ASKING)
    return stop.value


def codes(migration: Migration) -> set[str]:
    with migration.open() as journal:
        return {finding.code for finding in journal.staging.findings()}


def test_a_vanished_record_is_counted_before_anything_else_is_approved(migration: Migration) -> None:
    migration.run()
    migration.export.rows["contacts"].pop(0)
    migration.export.change("contacts", "2", phone="another")

    text = str(stopped(migration))

    assert "1 of contacts were in an earlier export, are not in this one, and are kept." in text
    assert "Ann" not in text


def test_references_into_a_stream_that_no_export_held_are_counted(migration: Migration) -> None:
    del migration.export.rows["staff"]

    stopped(migration)

    assert "reference_nowhere" in codes(migration)


def test_the_full_gate_adds_up(migration: Migration) -> None:
    stopped(migration)

    with migration.open() as journal:
        (read,) = {sum(c["read"] for c in journal.buckets.streams("x").values())}
        counts = {b: sum(c[b] for c in journal.buckets.streams("x").values()) for b in BUCKETS}
        shown = journal.runs.last_shown("full")
    moves = read - counts["rejected"] - counts["blocked"] - counts["skipped"]
    assert shown is not None
    assert f"{read} source records." in shown[1]
    assert f"{moves} move, {counts['skipped']} are left out by rule, {counts['rejected']} cannot move" in shown[1]


def test_each_skipped_record_is_counted_under_one_rule(migration: Migration) -> None:
    report = migration.run()

    for stream, buckets in report.streams.items():
        assert sum(count for name, _, count in report.skips if name == stream) == buckets["skipped"]


def test_a_delta_that_creates_no_schema_asks_no_admin(migration: Migration) -> None:
    migration.run()
    migration.export.change("contacts", "2", phone="another")

    assert "schema" not in [name for name, _ in stopped(migration).gates]


def test_the_rendered_spec_lies_where_the_map_gate_says(migration: Migration) -> None:
    text = str(stopped(migration))

    (spec,) = (migration.journal.parent / "flit-reports").glob("mapping-spec-*.yaml")
    assert str(spec) in text
    assert "entry: contacts" in spec.read_text(encoding="utf-8")


def test_an_owner_map_that_changes_asks_again(migration: Migration, tmp_path: Path) -> None:
    file = tmp_path / "owners.csv"
    file.write_text("owner;email\nstaff:1;gil@example.org\nNobody;gil@example.org\n", encoding="utf-8")
    migration.sets = (*migration.sets, f"owner_map={file}")
    before = dict(stopped(migration).gates)
    file.write_text("owner,email\nstaff:1,sam@example.org\nNobody,sam@example.org\n", encoding="utf-8")

    after = dict(stopped(migration).gates)

    assert before["profile"] == after["profile"]
    assert before["map"] != after["map"]
    assert "owner_map_strangers" in codes(migration)


@pytest.mark.parametrize("text", ["who,email\na,b\n", "owner\na\n", ""])
def test_an_owner_map_with_other_columns_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "owners.csv"
    file.write_text(text, encoding="utf-8")

    with pytest.raises(UsageError, match="needs the columns owner and email"):
        read_owner_map(str(file))


def test_an_owner_map_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such file"):
        read_owner_map(str(tmp_path / "none.csv"))


def test_an_unknown_variable_is_told_before_the_profile_is_asked_for(migration: Migration) -> None:
    migration.sets = ("profil=full",)

    with pytest.raises(SettingsError, match="profil"):
        migration.run(passing=ASKING)


def test_a_dry_run_says_what_would_be_written(migration: Migration) -> None:
    report = migration.run(dry_run=True)

    assert report.planned["contact", "create"] == 3
    assert report.as_json()["planned"]
    assert migration.account.written == []


def test_a_field_that_a_person_changed_is_a_conflict_and_not_written_over(migration: Migration) -> None:
    migration.run()
    ann = next(stored for stored in migration.account.of("contact") if stored.key == "memory:contacts:1")
    migration.account.edit(ann, phone="by hand")
    migration.export.change("contacts", "1", phone="by export")

    report = migration.run()
    again = migration.run()

    held = next(stored for stored in migration.account.of("contact") if stored.id == ann.id)
    assert held.fields["phone"] == "by hand"
    assert (report.exit_code, again.exit_code) == (1, 1)
    assert report.objects["contact"]["conflicts"] == 1
