"""Records that the account has already: proposed, approved, adopted, left out, and never overwritten."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from flitstack.errors import ApprovalNeeded, UsageError
from flitstack.stages.gates.gate import Passing
from flitstack.stages.options import SampleOptions
from flitstack.stages.publishing import Publishing
from flitstack.testing.memory import ADMIN, Fault
from flitstack.testing.migration import Migration

if TYPE_CHECKING:
    from pathlib import Path

    from flitstack.protocols import Operation, Stored
    from flitstack.stages.sample.taken import TakenSample

REACHED = {"phone": "(312) 555-2014", "email": "ann@mail.example"}


@pytest.fixture
def ann(empty: Migration) -> Stored:
    """Ann, in the export with a visit and in the account with a note of her own."""
    empty.export.add("contacts", "1", name="Ann Archer", **REACHED)
    empty.export.add("contacts", "2", name="Bob Baker")
    empty.export.add("labels", "l1", contact_id="1", label="blue")
    empty.export.add("visits", "v1", contact_id="1", kind="check", note="note")
    return empty.account.put("contact", name="Ann Archer", remark="likes tea", **REACHED)


def of_contacts(migration: Migration) -> dict[str | None, Stored]:
    return {stored.key: stored for stored in migration.account.of("contact")}


def test_what_is_found_is_shown_at_a_gate_of_its_own_and_nothing_is_written(empty: Migration, ann: Stored) -> None:
    with pytest.raises(ApprovalNeeded) as stop:
        empty.run(passing=Passing())

    assert [name for name, _ in stop.value.gates] == ["profile", "existing", "map", "schema", "full"]
    assert "1 of ours are certainly among them" in str(stop.value)
    assert "Ann" not in str(stop.value)
    assert empty.account.written == []


def test_who_is_adopted_keeps_what_they_have_and_gets_what_is_missing_and_the_key(
    empty: Migration, ann: Stored
) -> None:
    report = empty.run()

    held = empty.account.records["contact", ann.id]
    assert held.key == "memory:contacts:1"
    assert held.fields.items() >= {"remark": "likes tea", "Labels__c": ["blue"], **REACHED}.items()
    (visit,) = empty.account.of("visit")
    assert visit.links["contact"] == ann.id
    assert report.objects["contact"] == {**report.objects["contact"], "created": 1, "updated": 1}
    assert report.exit_code == 0


def test_what_holds_something_else_stays_even_when_the_source_changes_later(empty: Migration, ann: Stored) -> None:
    empty.account.edit(ann, name="Ann B. Archer", Labels__c=["gold"])
    empty.run()
    empty.export.add("labels", "l2", contact_id="1", label="red")

    report = empty.run()

    held = empty.account.records["contact", ann.id]
    assert (held.fields["name"], held.fields["Labels__c"]) == ("Ann B. Archer", ["gold"])
    assert report.verification is not None
    assert report.verification.mismatched == 0


def test_a_second_run_writes_nothing_and_asks_nothing(empty: Migration, ann: Stored) -> None:
    empty.run()
    written = len(empty.account.written)

    report = empty.run(passing=Passing())

    assert len(empty.account.written) == written
    assert report.exit_code == 0


def test_a_proposal_that_nobody_approved_is_made_anew_by_the_next_run(empty: Migration, ann: Stored) -> None:
    with pytest.raises(ApprovalNeeded):
        empty.run(passing=Passing())
    empty.account.edit(ann, phone="(773) 555-0000", email="another@mail.example")

    empty.run()

    assert empty.account.records["contact", ann.id].key is None
    assert len(empty.account.of("contact")) == 3


def test_somebody_who_fills_a_field_between_the_gate_and_the_write_is_not_written_over(
    empty: Migration, ann: Stored
) -> None:
    def fill(operation: Operation) -> None:
        if operation.object == "field":
            empty.account.edit(empty.account.records["contact", ann.id], Labels__c=["gold"])

    empty.account.arriving = fill

    report = empty.run()

    assert empty.account.records["contact", ann.id].fields["Labels__c"] == ["gold"]
    assert report.exit_code == 1


def test_an_adoption_whose_answer_is_lost_is_found_out_about(empty: Migration, ann: Stored) -> None:
    for number in range(1, 12):
        empty.account.faults[number] = Fault.COMMIT_THEN_DROP

    empty.run()

    assert list(of_contacts(empty)) == ["memory:contacts:1", "memory:contacts:2"]
    assert empty.account.records["contact", ann.id].fields["Labels__c"] == ["blue"]


def test_with_skip_a_match_stays_behind_with_what_hangs_on_it(empty: Migration, ann: Stored) -> None:
    report = empty.run(sets=("existing=skip",))

    assert empty.account.records["contact", ann.id].key is None
    assert empty.account.of("visit") == []
    assert report.streams["contacts"]["skipped"] == 1
    assert ("contacts", "existing_skipped", 1) in report.skips
    assert ("visits", "parent_skipped", 1) in report.skips
    assert report.streams["labels"]["skipped"] == 1


def test_with_create_nobody_is_looked_for(empty: Migration, ann: Stored) -> None:
    empty.run(sets=("existing=create",))

    assert empty.account.records["contact", ann.id].key is None
    assert len(empty.account.of("contact")) == 3


def test_an_account_without_matches_shows_no_gate(empty: Migration) -> None:
    empty.export.add("contacts", "1", name="Ann Archer", **REACHED)
    empty.account.put("contact", name="Somebody Else")

    with pytest.raises(ApprovalNeeded) as stop:
        empty.run(passing=Passing())

    assert "existing" not in [name for name, _ in stop.value.gates]


def test_a_match_that_is_not_certain_is_created_anew_unless_a_person_decides(empty: Migration) -> None:
    empty.export.add("contacts", "1", name="Ann Archer", email="ann@mail.example")
    ann = empty.account.put("contact", name="Ann Archer", email="ann@mail.example")

    empty.run()

    assert empty.account.records["contact", ann.id].key is None
    assert len(empty.account.of("contact")) == 2


def test_another_value_is_refused(empty: Migration) -> None:
    with pytest.raises(UsageError, match="ask, adopt, create, skip"):
        empty.run(sets=("existing=perhaps",))


def test_what_was_shown_can_be_approved_by_name_and_is_then_written(empty: Migration, ann: Stored) -> None:
    with pytest.raises(ApprovalNeeded):
        empty.run(passing=Passing())

    report = empty.run(passing=Passing(approve=ADMIN.email))

    assert empty.account.records["contact", ann.id].key == "memory:contacts:1"
    assert report.exit_code == 0
    with empty.open() as journal:
        assert journal.decisions.adoptions() == [("contact", "memory:contacts:1", "", ann.id)]


@pytest.fixture
def counted(tmp_path: Path) -> Migration:
    """A migration whose source names the stream that a sample counts."""
    return Migration(tmp_path, required=("contacts",))


def with_rivals(migration: Migration) -> None:
    """Ann, who is in the account; Bob, who may be; Cy Cole twice in the export and twice in the account; and others."""
    reached = {"phone": "(312) 555-0144", "email": "cy@mail.example"}
    migration.export.add("contacts", "1", name="Ann Archer", **REACHED)
    migration.export.add("contacts", "2", name="Bob Baker", email="bob@mail.example")
    migration.export.add("contacts", "3", name="Cy Cole", **reached)
    migration.export.add("contacts", "4", name="Cy Cole", **reached)
    for number in range(5, 12):
        migration.export.add("contacts", str(number), name=f"Stranger Number {'ABCDEFGHIJKL'[number]}")
    migration.account.put("contact", name="Ann Archer", remark="likes tea", **REACHED)
    migration.account.put("contact", name="Bob Baker", email="bob@mail.example")
    migration.account.put("contact", name="Cy Cole", **reached)


@pytest.mark.parametrize("size", [1, 3, 6])
def test_what_was_approved_with_a_sample_is_not_asked_again_by_the_load(counted: Migration, size: int) -> None:
    with_rivals(counted)
    sample = SampleOptions(size)
    with pytest.raises(ApprovalNeeded) as first:
        counted.run(passing=Passing(), sample=sample)
    assert "existing" in [name for name, _ in first.value.gates]

    with pytest.raises(ApprovalNeeded) as second:
        counted.run(passing=Passing(approve=ADMIN.email), sample=sample)
    with pytest.raises(ApprovalNeeded) as third:
        counted.run(passing=Passing(), sample=sample)

    assert [name for name, _ in second.value.gates] == ["sample", "full"]
    assert third.value.gates == second.value.gates
    report = counted.run(passing=Passing(approve=ADMIN.email), sample=sample)
    assert report.exit_code == 0
    assert len([one for one in counted.account.of("contact") if one.key is None]) == 2  # Bob and Cy stay unlinked
    assert counted.run(passing=Passing(), sample=sample).exit_code == 0


def test_who_is_matched_after_the_sample_for_the_first_time_is_asked_about(counted: Migration) -> None:
    with_rivals(counted)
    with pytest.raises(ApprovalNeeded):
        counted.run(sample=SampleOptions(3), passing=Passing())
    with pytest.raises(ApprovalNeeded):
        counted.run(sample=SampleOptions(3), passing=Passing(approve=ADMIN.email))
    late = {"phone": "(312) 555-0177", "email": "dee@mail.example"}
    counted.export.add("contacts", "20", name="Dee Dunn", **late)
    counted.account.put("contact", name="Dee Dunn", **late)

    with pytest.raises(ApprovalNeeded) as stop:
        counted.run(sample=SampleOptions(3), passing=Passing(approve=ADMIN.email))

    assert "existing" in [name for name, _ in stop.value.gates]


def test_what_an_adopted_record_keeps_does_not_look_wrong_in_the_sample(counted: Migration) -> None:
    counted.export.add("contacts", "1", name="Ann Archer", **REACHED)
    counted.account.put("contact", **{**REACHED, "name": "Ann B. Archer"})
    taken: list[TakenSample] = []

    def keep(sample: TakenSample, folder: Path) -> str:
        taken.append(sample)
        return str(folder / "sample.html")

    counted.run(sample=SampleOptions(1, alone=True), publishing=Publishing(sample=keep))

    (sample,) = taken
    assert [one.key for one in counted.account.of("contact")] == ["memory:contacts:1"]  # adopted
    assert sample.diff.flags == ()
    assert sample.diff.equal == sample.diff.compared > 0
    assert sample.diff.people[0].title == "Ann B. Archer"
