"""What a sample holds: every value there is room for, closed over links, the same for the same input."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from flitstack.errors import ApprovalNeeded, UsageError
from flitstack.stages.gates.gate import Passing
from flitstack.stages.gates.passing import approve_shown
from flitstack.stages.options import SampleOptions
from flitstack.stages.publishing import Publishing
from flitstack.testing.migration import Migration

if TYPE_CHECKING:
    from pathlib import Path

    from flitstack.stages.sample.taken import TakenSample


def sampled(migration: Migration, size: int, *, random: bool = False) -> TakenSample:
    """Take a sample and nothing more."""
    found: list[TakenSample] = []

    def publish(taken: TakenSample, folder: Path) -> str:
        found.append(taken)
        return "page"

    migration.run(sample=SampleOptions(size, random, alone=True), publishing=Publishing(sample=publish))
    return found[0]


def keys(migration: Migration) -> set[str]:
    with migration.open() as journal:
        return {link.key for link in journal.records.links("contact")}


def test_it_holds_every_value_of_fields_with_few_and_the_scripts_that_are_rare(contacts: Migration) -> None:
    taken = sampled(contacts, 20)

    assert taken.sample.size == 20
    assert taken.sample.fitting == 0 or all(each.field not in ("status", "kind") for each in taken.sample.uncovered)
    assert {"memory:contacts:c41", "memory:contacts:c23"} <= keys(contacts)
    assert taken.sample.control > 0


def test_no_sampled_record_lacks_what_its_links_lead_to(contacts: Migration) -> None:
    taken = sampled(contacts, 20)

    assert taken.sample.open_links == 0
    there = keys(contacts)
    for child, parent in (("c30", "c20"), ("c40", "c30"), ("c50", "c40")):
        assert f"memory:contacts:{child}" not in there or f"memory:contacts:{parent}" in there
    with contacts.open() as journal:
        visits = {link.key for link in journal.records.links("visit")}
    assert len(visits) == 20


def test_the_same_input_gives_the_same_sample(tmp_path: Path, contacts: Migration) -> None:
    (tmp_path / "again").mkdir()
    again = Migration(tmp_path / "again", required=("contacts",))
    again.export.rows = contacts.export.rows

    first, second = sampled(contacts, 15), sampled(again, 15)

    assert keys(contacts) == keys(again)
    assert first.sample == second.sample


def test_one_by_chance_is_as_large_and_covers_less(tmp_path: Path, contacts: Migration) -> None:
    (tmp_path / "again").mkdir()
    again = Migration(tmp_path / "again", required=("contacts",))
    again.export.rows = contacts.export.rows

    chosen, chance = sampled(contacts, 12).sample, sampled(again, 12, random=True).sample

    assert chosen.size == chance.size == 12
    assert chance.chosen == 0
    assert chosen.covered > chance.covered


def test_a_sample_larger_than_the_export_is_the_export(contacts: Migration) -> None:
    taken = sampled(contacts, 500)

    assert taken.sample.size == taken.sample.of == 60


def test_a_source_without_main_stream_is_told(tmp_path: Path) -> None:
    migration = Migration(tmp_path)
    migration.export.add("contacts", "c1", name="Nora Nettle", status="new")

    with pytest.raises(UsageError, match="names no main stream"):
        sampled(migration, 5)


def test_what_was_sampled_counts_as_migrated_when_all_follows(contacts: Migration) -> None:
    sampled(contacts, 20)
    before = keys(contacts)

    report = contacts.run()

    assert report.exit_code == 0
    assert report.objects["contact"]["created"] == 60 - len(before)
    assert report.objects["contact"]["unchanged"] == len(before)
    assert len(keys(contacts)) == 60


def test_a_run_with_a_sample_stops_at_its_gate_and_the_last_and_carries_on_after_both(
    contacts: Migration,
) -> None:
    option = SampleOptions(10)

    with pytest.raises(ApprovalNeeded) as first:
        contacts.run(passing=Passing(), sample=option)
    approve(contacts, first.value)
    with pytest.raises(ApprovalNeeded) as second:
        contacts.run(passing=Passing(), sample=option)
    shown = [name for name, _ in second.value.gates]
    there = len(keys(contacts))
    approve(contacts, second.value)
    report = contacts.run(passing=Passing(), sample=option)

    assert "sample" not in [name for name, _ in first.value.gates]
    assert shown == ["sample", "full"]
    assert there == 10
    assert report.exit_code == 0
    assert len(keys(contacts)) == 60


def test_a_sample_of_all_stops_at_its_own_gate_alone_and_leaves_nothing_to_approve(contacts: Migration) -> None:
    option = SampleOptions(500)
    with pytest.raises(ApprovalNeeded) as first:
        contacts.run(passing=Passing(), sample=option)
    approve(contacts, first.value)

    with pytest.raises(ApprovalNeeded) as second:
        contacts.run(passing=Passing(), sample=option)

    assert [name for name, _ in second.value.gates] == ["sample"]
    assert len(keys(contacts)) == 60
    assert contacts.run(passing=Passing(), sample=option).exit_code == 0


def approve(migration: Migration, stopped: ApprovalNeeded) -> None:
    with migration.open() as journal:
        for name, _ in stopped.gates:
            approve_shown(journal, name, "admin@example.org", "2026-07-01T09:00:00Z")
