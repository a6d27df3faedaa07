"""A journal that is lost: what the account holds is taken for ours only when it says what the export says."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from flitstack.errors import ApprovalNeeded, ConfigurationError, FlitError
from flitstack.stages.gates.gate import Passing
from flitstack.testing.memory import Fault
from flitstack.testing.migration import Migration
from flitstack.testing.small_load import small_load

if TYPE_CHECKING:
    from pathlib import Path

    from flitstack.protocols import Stored


def lose_journal(migration: Migration) -> None:
    """Delete the journal and all that belongs to it."""
    for file in migration.journal.parent.glob(f"{migration.journal.name}*"):
        file.unlink()


def visit(migration: Migration, key: str) -> Stored:
    """Return the one visit with this key."""
    (found,) = [stored for stored in migration.account.of("visit") if stored.key == key]
    return found


def test_a_finished_load_is_rebuilt_without_a_write(migration: Migration) -> None:
    before = migration.run()
    held, arrived = migration.account.picture(), migration.account.arrived
    lose_journal(migration)

    report = migration.run(passing=Passing())

    assert report.exit_code == 0
    assert migration.account.arrived == arrived
    assert migration.account.picture() == held
    assert report.verification is not None
    assert before.verification is not None
    assert report.verification.checked == before.verification.checked
    assert (report.verification.mismatched, report.verification.drifted) == (0, 0)
    assert {name: counts["read"] for name, counts in report.streams.items()} == {
        name: counts["read"] for name, counts in before.streams.items()
    }
    assert sum(counts["unchanged"] for counts in report.streams.values()) > 0
    assert sum(counts["pending"] + counts["created"] for counts in report.streams.values()) == 0
    assert any("not here" in line for line in migration.words.said)


def test_what_is_left_of_a_journal_whose_process_died_does_no_harm(migration: Migration) -> None:
    """Only the file itself is deleted; its log, with the last writes in it, stays."""
    log = migration.journal.with_name("flit.db-wal")
    kept: list[bytes] = []
    migration.account.answering = lambda operation: kept.append(log.read_bytes())
    migration.run()
    held, arrived = migration.account.picture(), migration.account.arrived
    migration.journal.unlink()
    log.write_bytes(kept[-1])

    report = migration.run()

    assert len(kept[-1]) > 100_000
    assert report.exit_code == 0
    assert (migration.account.picture(), migration.account.arrived) == (held, arrived)


def test_a_rebuilt_journal_is_this_one_from_then_on(migration: Migration) -> None:
    migration.run()
    lose_journal(migration)
    migration.run()
    requests, said = migration.account.requests, len(migration.words.said)
    migration.export.change("contacts", "1", phone="99")

    report = migration.run()

    assert report.exit_code == 0
    assert [op.verb for op in migration.account.written[-1:]] == ["update"]
    assert migration.account.requests - requests < 20
    assert migration.words.said[said:] == []


@pytest.mark.parametrize("death", [1, 3, 6, 8, 11, 14, 17, 20])
def test_a_load_that_stopped_half_way_completes_without_its_journal(tmp_path: Path, death: int) -> None:
    for name in ("whole", "half"):
        (tmp_path / name).mkdir()
    whole = Migration(tmp_path / "whole")
    small_load(whole.export)
    whole.run()
    half = Migration(tmp_path / "half", concurrency=2)
    small_load(half.export)
    half.account.lag_s = 4.0
    half.account.faults = {death: Fault.CRASH, max(1, death - 1): Fault.COMMIT_THEN_DROP}
    try:
        half.run()
    except FlitError:
        lose_journal(half)

    report = half.run()

    assert report.exit_code == 0
    assert half.account.picture() == whole.account.picture()


def test_another_practice_with_the_same_numbers_is_refused(migration: Migration) -> None:
    migration.run()
    held = migration.account.picture()
    lose_journal(migration)
    migration.export.rows.clear()
    for number in range(1, 6):
        migration.export.add("contacts", str(number), name=f"Someone Else {number}", phone=f"77{number}")
        migration.export.add("visits", f"v{number}", contact_id=str(number), kind="check", note=f"other {number}")

    with pytest.raises(ConfigurationError, match="not those of this export") as refusal:
        migration.run()

    assert refusal.value.exit_code == 4
    assert migration.account.picture() == held


def test_keys_that_the_export_does_not_have_are_no_proof(migration: Migration) -> None:
    migration.run()
    lose_journal(migration)
    migration.export.rows = {"contacts": []}
    migration.export.add("contacts", "100", name="Somebody")

    with pytest.raises(ConfigurationError, match="none is in it"):
        migration.run()


@pytest.mark.parametrize(("edited", "taken"), [(3, True), (6, False)])
def test_more_than_half_of_the_records_must_say_the_same(empty: Migration, edited: int, taken: bool) -> None:
    for number in range(10):
        empty.export.add("contacts", str(number), name=f"Name {number}", phone=f"55{number}")
    empty.run()
    lose_journal(empty)
    for stored in empty.account.of("contact")[:edited]:
        empty.account.edit(stored, name=f"{stored.id} renamed", phone="none")

    if taken:
        report = empty.run()
        assert report.verification is not None
        assert (report.exit_code, report.verification.drifted) == (0, edited)
    else:
        with pytest.raises(ConfigurationError):
            empty.run()


def test_values_that_all_records_share_are_no_proof(empty: Migration) -> None:
    """Two fields of three agree in every record, but they are the same for everybody."""
    for number in range(10):
        empty.export.add("contacts", str(number), name=f"Name {number}", phone="000")
        empty.export.add("labels", f"l{number}", contact_id=str(number), label="blue")
    empty.run()
    lose_journal(empty)
    for number in range(10):
        empty.export.change("contacts", str(number), name=f"Other {number}")

    with pytest.raises(ConfigurationError, match="0 say the same"):
        empty.run()


def test_what_a_person_changed_stays_and_is_shown(migration: Migration) -> None:
    migration.run()
    ann = next(stored for stored in migration.account.of("contact") if stored.key == "memory:contacts:1")
    migration.account.edit(ann, name="Ann Married")
    bob = next(stored for stored in migration.account.of("contact") if stored.key == "memory:contacts:2")
    moved = replace(migration.account.records["contact", bob.id], links={**bob.links, "owner": "u2"})
    migration.account.records["contact", bob.id] = moved
    lose_journal(migration)
    arrived = migration.account.arrived

    report = migration.run()

    assert report.exit_code == 0
    assert migration.account.arrived == arrived
    assert report.verification is not None
    assert report.verification.drifted == 2
    assert ("contact", "memory:contacts:1", "changed in the account since: name") in report.verification.examples

    migration.export.change("contacts", "1", name="Ann Otherwise")
    report = migration.run()

    assert report.exit_code == 1
    assert migration.account.records["contact", ann.id].fields["name"] == "Ann Married"


def test_what_the_account_lacks_is_written(migration: Migration) -> None:
    migration.run()
    lose_journal(migration)
    migration.export.change("contacts", "2", phone="222")

    report = migration.run()

    assert report.exit_code == 0
    (last,) = migration.account.written[-1:]
    assert (last.verb, last.key, dict(last.fields)) == ("update", "memory:contacts:2", {"phone": "222"})


def test_what_the_export_no_longer_has_stays_and_is_counted(migration: Migration) -> None:
    migration.run()
    lose_journal(migration)
    migration.export.rows["visits"] = [row for row in migration.export.rows["visits"] if row.id != "v0"]
    migration.export.change("contacts", "2", phone="222")

    with pytest.raises(ApprovalNeeded, match=r"1 are not in the export"):
        migration.run(passing=Passing())

    assert visit(migration, "memory:visits:v0")
    assert migration.run().exit_code == 0


def test_the_gate_says_what_was_found_and_is_approved_like_any_other(migration: Migration) -> None:
    migration.run()
    lose_journal(migration)
    migration.export.change("contacts", "2", phone="222")

    with pytest.raises(ApprovalNeeded) as stop:
        migration.run(passing=Passing())

    assert [name for name, _ in stop.value.gates] == ["profile", "existing", "map", "full"]
    assert "written by a journal that is not here" in str(stop.value)
    assert "flit approve existing --by NAME" in str(stop.value)
    assert migration.run(passing=Passing(approve="Dana")).exit_code == 0


def test_a_dry_run_takes_nothing_over(migration: Migration) -> None:
    migration.run()
    lose_journal(migration)
    migration.export.change("contacts", "2", phone="222")

    report = migration.run(dry_run=True)

    assert report.planned == {("contact", "update"): 1}
    with pytest.raises(ApprovalNeeded, match="existing"):
        migration.run(passing=Passing())


def test_the_audit_log_tells_of_the_rebuild(migration: Migration) -> None:
    migration.run()
    lose_journal(migration)
    migration.run()

    with migration.open() as journal:
        told = [event for _, _, event, _ in journal.audit.events() if '"outcome":"rebuilt"' in event]
        assert journal.audit.broken_at() is None
    assert len(told) == 1
    assert '"contact":3' in told[0]


def test_files_of_one_name_and_size_are_matched_one_to_one(empty: Migration) -> None:
    empty.export.add("contacts", "1", name="Ann")
    for name in "abc":
        empty.export.add("memos", name, contact_id="1", name="scan.png", size=7)
    empty.run()
    lose_journal(empty)
    del empty.account.records["memo", empty.account.of("memo")[-1].id]

    report = empty.run()

    assert report.exit_code == 0
    assert len(empty.account.of("memo")) == 3
    assert len({op.key for op in empty.account.written if op.object == "memo"}) == 3


def test_a_second_record_with_one_key_is_found_by_verification(migration: Migration) -> None:
    migration.run()
    migration.account.put("contact", "memory:contacts:1", name="Ann")
    lose_journal(migration)

    report = migration.run()

    assert report.exit_code == 6
    assert report.verification is not None
    assert report.verification.doubled == 1


def test_an_account_of_another_source_is_none_of_our_business(migration: Migration, tmp_path: Path) -> None:
    migration.run()
    migration.journal = tmp_path / "second.db"

    report = migration.run(sets=("source_id=second",))

    assert report.exit_code == 0
    assert len(migration.account.of("contact")) == 6


# --- look-alikes ---


@pytest.fixture
def unmarked(migration: Migration) -> Migration:
    """A migration whose journal is lost, and of whose visits one lost its marker."""
    migration.run()
    lost = visit(migration, "memory:visits:v1")
    migration.account.records["visit", lost.id] = replace(lost, key=None)
    lose_journal(migration)
    return migration


def test_a_look_alike_is_in_doubt_and_never_written_again(unmarked: Migration) -> None:
    arrived = unmarked.account.arrived

    for _ in range(3):
        report = unmarked.run()

        assert report.exit_code == 1
        assert report.status == "done_with_others"
        assert report.look_alikes == [("visit", "memory:visits:v1")]
        assert report.objects["visit"]["in_doubt"] == 1
        assert report.streams["visits"]["in_doubt"] == 1
        assert unmarked.account.arrived == arrived


def test_a_look_alike_that_a_person_deletes_is_written_anew(unmarked: Migration) -> None:
    unmarked.run()
    del unmarked.account.records["visit", next(s.id for s in unmarked.account.of("visit") if s.key is None)]

    report = unmarked.run()

    assert report.exit_code == 0
    assert visit(unmarked, "memory:visits:v1").fields["note"] == "note 1"


def test_a_look_alike_that_is_given_its_key_is_linked(unmarked: Migration) -> None:
    unmarked.run()
    arrived = unmarked.account.arrived
    found = next(stored for stored in unmarked.account.of("visit") if stored.key is None)
    unmarked.account.records["visit", found.id] = replace(
        found, key="memory:visits:v1", fields={**found.fields, "note": "edited"}
    )

    report = unmarked.run()

    assert report.exit_code == 0
    assert unmarked.account.arrived == arrived
    assert report.verification is not None
    assert report.verification.drifted == 1


def test_what_differs_or_hangs_elsewhere_is_no_look_alike(unmarked: Migration) -> None:
    found = next(stored for stored in unmarked.account.of("visit") if stored.key is None)
    unmarked.account.edit(found, note="something else")

    report = unmarked.run()

    assert report.exit_code == 0
    assert report.look_alikes == []
    assert visit(unmarked, "memory:visits:v1")


def test_writing_goes_on_around_a_look_alike(unmarked: Migration) -> None:
    unmarked.export.add("visits", "new", contact_id="1", kind="check", note="new")

    report = unmarked.run()

    assert report.exit_code == 1
    assert visit(unmarked, "memory:visits:new")
    assert unmarked.run().exit_code == 1


def test_what_a_person_changed_is_still_told_when_something_else_of_the_record_is_completed(empty: Migration) -> None:
    """The second write of a circle never came, and somebody changed the record's name meanwhile."""
    for number in (1, 2):
        empty.export.add("contacts", str(number), name=f"Name {number}", phone=f"55{number}", boss_id=str(3 - number))
    for number in range(3, 9):
        empty.export.add("contacts", str(number), name=f"Name {number}", phone=f"55{number}")
    empty.run()
    first = next(stored for stored in empty.account.of("contact") if stored.key == "memory:contacts:1")
    loose = replace(first, fields={**first.fields, "name": "Renamed"}, links={})
    empty.account.records["contact", first.id] = loose
    lose_journal(empty)

    report = empty.run()

    assert report.exit_code == 0
    (last,) = empty.account.written[-1:]
    assert (last.key, dict(last.fields), set(last.links)) == ("memory:contacts:1", {}, {"boss", "owner"})
    assert empty.account.records["contact", first.id].fields["name"] == "Renamed"
    assert report.verification is not None
    assert report.verification.drifted == 1
