"""Reading back: what is missing, different or there twice is found, and what people changed is told apart from it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from flitstack.errors import ConfigurationError, FlitError, Rejected, UsageError
from flitstack.protocols import Outcome
from flitstack.registry import load_plugins
from flitstack.stages.context import StopFlag
from flitstack.stages.proof.recheck import RecheckOptions, recheck
from flitstack.stages.proof.verify import sample_size
from flitstack.testing.memory import Fault, MemoryAccount, MemoryWriter, memory_behaviours, memory_destination
from flitstack.testing.memory_source import TEMPLATE, memory_source
from flitstack.testing.migration import MemoryPlugin, Migration

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from flitstack.protocols import Behaviours, Operation, Stored
    from flitstack.stages.proof.recheck import RecheckReport


def read_back(migration: Migration, *sets: str, hash_files: bool = False) -> RecheckReport:
    """Read back as `flit verify` does."""
    options = RecheckOptions(migration.journal, sets, hash_files=hash_files)
    words, clock = migration.words, migration.clock
    return asyncio.run(recheck(options, words, StopFlag(), registry=migration.registry, clock=clock))


def test_reading_back_needs_no_export_and_writes_nothing(migration: Migration) -> None:
    report = migration.run()
    migration.export.rows.clear()
    arrived = migration.account.arrived
    journal = migration.journal.read_bytes()

    found = read_back(migration)

    assert (found.status, found.exit_code) == ("verified", 0)
    assert report.verification is not None
    assert found.verification.checked == report.verification.checked > 10
    assert migration.account.arrived == arrived
    assert migration.journal.read_bytes() == journal


def test_what_a_person_changed_is_told_and_no_fault(migration: Migration) -> None:
    migration.run()
    ann = next(stored for stored in migration.account.of("contact") if stored.key == "memory:contacts:1")
    migration.account.edit(ann, name="Ann Married")

    for _ in range(2):  # nothing of it is kept, so the second time says the same
        found = read_back(migration)

        assert (found.status, found.exit_code) == ("drifted", 0)
        assert found.verification.examples == [("contact", "memory:contacts:1", "changed in the account since: name")]


def test_what_differs_though_the_account_knows_of_no_change_is_a_mismatch(migration: Migration) -> None:
    migration.run()
    ann = next(stored for stored in migration.account.of("contact") if stored.key == "memory:contacts:1")
    spoilt = replace(ann, fields={**ann.fields, "name": "An"})
    migration.account.records["contact", ann.id] = spoilt

    found = read_back(migration)

    assert (found.status, found.exit_code) == ("mismatched", 6)
    (one,) = found.verification.differences
    assert (one.object, one.key, one.kind, one.fields) == ("contact", "memory:contacts:1", "altered", ("name",))
    assert "cut short" in one.what

    migration.account.edit(spoilt, name="An")  # by now somebody saved it as it is
    assert [one.kind for one in read_back(migration).verification.differences] == ["changed"]


def test_a_destination_that_stamps_nothing_cannot_tell_and_people_are_believed(migration: Migration) -> None:
    for stored in list(migration.account.records.values()):
        migration.account.records[stored.object, stored.id] = replace(stored, updated=None)
    migration.run()
    for stored in migration.account.of("contact"):
        fields = {**stored.fields, "name": "Other"}
        migration.account.records["contact", stored.id] = replace(stored, fields=fields, updated=None)

    assert {one.kind for one in read_back(migration).verification.differences} == {"changed"}


def test_strict_fails_for_what_people_changed_too(migration: Migration) -> None:
    migration.run()
    migration.account.edit(migration.account.of("contact")[0], name="Ann Married")
    options = RecheckOptions(migration.journal, strict=True)
    words, clock = migration.words, migration.clock

    found = asyncio.run(recheck(options, words, StopFlag(), registry=migration.registry, clock=clock))

    assert (found.status, found.exit_code) == ("drifted", 6)


def test_a_later_run_does_not_take_a_persons_change_for_damage(migration: Migration) -> None:
    """The stamp that counts is the one of when all was as written, not of the last reading."""
    migration.run()
    migration.account.edit(migration.account.of("contact")[0], name="Ann Married")
    migration.run()
    migration.run()

    assert [one.kind for one in read_back(migration).verification.differences] == ["changed"]


def test_a_record_that_is_gone_is_a_mismatch(migration: Migration) -> None:
    migration.run()
    del migration.account.records["visit", migration.account.of("visit")[0].id]

    found = read_back(migration)

    assert (found.status, found.exit_code) == ("mismatched", 6)
    assert found.verification.objects["visit"].mismatched == 1


@pytest.mark.parametrize("object_", ["contact", "visit", "memo"])
def test_what_a_list_showed_too_late_is_there_twice_and_found(migration: Migration, object_: str) -> None:
    """The first write of the record shows long after the declared lag: the engine looked in vain and wrote again."""
    hidden: list[Stored] = []

    def lose(operation: Operation) -> None:
        found = migration.account.of(object_)
        if len(found) == 1 and not hidden:
            hidden.append(found[0])
            del migration.account.records[object_, found[0].id]

    plain = migration.account.arriving
    first = _number_of_first(migration, object_)
    migration.account.faults = {first: Fault.COMMIT_THEN_DROP}
    migration.account.answering = lose
    assert migration.run().exit_code == 0
    migration.account.answering = plain
    migration.account.records[object_, hidden[0].id] = hidden[0]

    found = read_back(migration)

    assert found.exit_code == 6
    assert found.verification.objects[object_].doubled == 1
    assert any("second record" in what for name, _, what in found.verification.examples if name == object_)
    assert found.verification.mismatched == 1


def _number_of_first(migration: Migration, object_: str) -> int:
    """Return which write is the first of an object, as it will be in the same load."""
    folder = migration.journal.parent / "trial"
    folder.mkdir()
    trial = type(migration)(folder)
    trial.export.rows = {name: list(rows) for name, rows in migration.export.rows.items()}
    order: list[str] = []
    trial.account.arriving = lambda operation: order.append(operation.object)
    trial.run()
    return order.index(object_) + 1


def test_a_record_with_a_key_that_the_journal_does_not_know_is_a_mismatch(migration: Migration) -> None:
    """As after the journal was put back from an old copy."""
    migration.run()
    migration.account.put("contact", "memory:contacts:77", name="Later")
    migration.account.put("contact", "elsewhere:contacts:78", name="Not ours")

    found = read_back(migration)

    assert found.exit_code == 6
    assert found.verification.objects["contact"].unknown == 1
    assert found.verification.objects["contact"].left_alone == 1


def test_a_journal_that_wrote_nothing_has_nothing_to_read_back(migration: Migration, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no journal here"):
        read_back(migration)


def test_the_token_of_another_account_is_refused(migration: Migration) -> None:
    migration.run()
    migration.account.id = "account-2"

    with pytest.raises(ConfigurationError, match="another account"):
        read_back(migration)


def test_settings_of_the_source_mean_nothing_here(migration: Migration) -> None:
    migration.run()

    with pytest.raises(UsageError, match=r"dest\.KEY"):
        read_back(migration, "source.path=x")


def test_writes_that_are_still_open_are_told(migration: Migration) -> None:
    migration.run()
    migration.export.add("visits", "v9", contact_id="1", kind="check", note="x")
    migration.run(dry_run=True)

    assert read_back(migration).open == 1


@pytest.mark.parametrize(
    ("minimum", "documents", "expected"),
    [(1_000, 500, 0), (20_000, 500, 1), (100_000, 500, 5), (900_000, 500, 10), (900_000, 3, 3), (900_000, 0, 0)],
)
def test_a_run_hashes_few_documents_within_a_thousandth_of_its_price(
    minimum: int, documents: int, expected: int
) -> None:
    behaviours = memory_behaviours()
    memo = replace(behaviours.objects["memo"], cost={**behaviours.objects["memo"].cost, "hash": 20})
    priced = replace(behaviours, objects={**behaviours.objects, "memo": memo})

    assert sample_size(priced, minimum, {"memo": documents, "contact": 9}) == expected


def test_nothing_is_hashed_where_the_destination_cannot(migration: Migration) -> None:
    assert sample_size(memory_behaviours(), 10**9, {"memo": 5}) == 0


def test_a_change_of_one_field_does_not_hide_what_a_person_changed_in_another(empty: Migration) -> None:
    empty.export.add("contacts", "1", name="Ann", phone="1")
    empty.run()
    empty.account.edit(empty.account.of("contact")[0], phone="2")
    empty.export.change("contacts", "1", name="Anna")

    report = empty.run()

    assert report.exit_code == 0
    assert report.verification is not None
    assert report.verification.drifted == 1

    empty.export.change("contacts", "1", phone="3")
    report = empty.run()

    assert report.exit_code == 1
    assert empty.account.of("contact")[0].fields == {"name": "Anna", "phone": "2", "Labels__c": []}


def test_two_changes_in_a_row_without_reading_back_between_are_no_conflict(empty: Migration) -> None:
    empty.export.add("contacts", "1", name="Ann")
    empty.export.add("contacts", "2", name="Bob")
    empty.run()
    empty.export.change("contacts", "1", name="Anna")
    empty.export.change("contacts", "2", name="Rob")
    empty.account.faults = {empty.account.arrived + 2: Fault.AUTH}
    empty.behaviours = memory_behaviours(concurrency=1)
    with pytest.raises(FlitError):
        empty.run()
    empty.account.faults = {}
    empty.export.change("contacts", "1", name="Annabel")

    assert empty.run().exit_code == 0
    assert {stored.fields["name"] for stored in empty.account.of("contact")} == {"Annabel", "Rob"}


class HashingWriter(MemoryWriter):
    """A writer that can read bytes back; in this account a document's checksum is what its record says."""

    def __init__(self, account: MemoryAccount, behaviours: Behaviours, asked: list[str]) -> None:
        super().__init__(account, behaviours)
        self._held = account
        self._asked = asked

    async def file_sha256(self, destination_id: str) -> str:
        """Return the checksum."""
        self._asked.append(destination_id)
        if destination_id.endswith("9"):
            raise Rejected("not_found", "The account has no such document.", "Look for it.")
        return str(self._held.records["memo", destination_id].fields["checksum"])


@pytest.fixture
def hashing(tmp_path: Path) -> tuple[Migration, list[str]]:
    """A migration of twelve documents whose bytes can be read back, and the ids of those that were."""
    fields = "fields: {name: memo.name, size: memo.size"
    migration = Migration(tmp_path, template=TEMPLATE.replace(fields, f"{fields}, sha256: memo.name"))
    migration.export.add("contacts", "1", name="Ann")
    for number in range(12):
        migration.export.add("memos", str(number), contact_id="1", name=f"sum {number}", size=number)
    asked: list[str] = []
    plain = memory_destination(migration.account, migration.behaviours)
    opening = replace(plain, open=lambda *_: HashingWriter(migration.account, migration.behaviours, asked))
    plugin = MemoryPlugin(memory_source(migration.export), opening)
    migration.registry = load_plugins((), {"memory": plugin})
    migration.run()
    for stored in migration.account.of("memo"):
        migration.account.edit(stored, checksum=stored.fields["sha256"])
    asked.clear()
    return migration, asked


def test_ten_documents_are_read_back_and_all_when_asked(hashing: tuple[Migration, list[str]]) -> None:
    migration, asked = hashing
    gone = sum(stored.id.endswith("9") for stored in migration.account.of("memo"))

    read_back(migration)
    assert len(set(asked)) == 10

    asked.clear()
    found = read_back(migration, hash_files=True)
    assert len(set(asked)) == found.verification.hashed == 12
    assert found.verification.mismatched == gone == 1
    assert [what for _, _, what in found.verification.examples] == ["its bytes cannot be read"]


def test_bytes_that_differ_are_a_mismatch(hashing: tuple[Migration, list[str]]) -> None:
    migration, _ = hashing
    first = migration.account.of("memo")[0]
    migration.account.edit(first, checksum="another")

    found = read_back(migration, hash_files=True)

    assert found.exit_code == 6
    assert ("memo", "memory:memos:0", "its bytes differ") in found.verification.examples


def test_the_bytes_of_a_document_that_people_deleted_are_not_asked_for(hashing: tuple[Migration, list[str]]) -> None:
    migration, asked = hashing
    first = migration.account.of("memo")[0]
    del migration.account.records["memo", first.id]

    before = read_back(migration)
    report = migration.run()
    asked.clear()
    after = read_back(migration, hash_files=True)

    assert "was there when it was last read back" in before.verification.examples[0][2]
    assert (before.exit_code, report.exit_code) == (6, 1)
    assert first.id not in asked
    assert [what for _, _, what in after.verification.examples if "deleted" in what] == ["deleted in the account since"]


def test_a_small_load_reads_no_bytes_back_by_itself(hashing: tuple[Migration, list[str]]) -> None:
    migration, asked = hashing

    migration.run()

    assert asked == []


class MistakenWriter(MemoryWriter):
    """A writer that answers each create of a kind, but for the first, with the id of the first."""

    def __init__(self, account: MemoryAccount, behaviours: Behaviours, kind: str, first: list[str]) -> None:
        super().__init__(account, behaviours)
        self._kind = kind
        self._first = first

    async def apply(self, operations: Sequence[Operation]) -> list[Outcome]:
        """Carry out the first alone."""
        outcomes = []
        for one in operations:
            if (one.verb, one.object) == ("create", self._kind) and self._first:
                outcomes.append(Outcome(one.id, self._first[0]))
                continue
            outcomes += await super().apply([one])
            self._first += [outcomes[-1].destination_id or ""] if one.object == self._kind else []
        return outcomes


@pytest.mark.parametrize("kind", ["contact", "memo"])
def test_records_that_share_one_id_are_one_record_and_the_others_are_missing(tmp_path: Path, kind: str) -> None:
    migration, first = Migration(tmp_path, concurrency=1), list[str]()
    for number in range(1, 4):
        migration.export.add("contacts", str(number), name="Ann")
        migration.export.add("memos", str(number), contact_id="1", name="plan.txt", size=3)
    plain = memory_destination(migration.account, migration.behaviours)
    mistaken = replace(plain, open=lambda *_: MistakenWriter(migration.account, migration.behaviours, kind, first))
    migration.registry = load_plugins((), {"memory": MemoryPlugin(memory_source(migration.export), mistaken)})

    for _ in range(2):  # carrying on does not make it right
        report = migration.run()

        assert report.status == "mismatched"
        assert report.verification is not None
        missing = [(one.object, one.kind) for one in report.verification.differences if "another record" in one.what]
        assert missing == [(kind, "missing")] * 2
    assert len(migration.account.of(kind)) == 1
