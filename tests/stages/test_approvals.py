"""After an approval something changes: it is refused, and the person is told by whom it was given and what changed."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from flitstack.errors import ApprovalNeeded, UsageError
from flitstack.protocols import SchemaItem, User
from flitstack.stages.gates.gate import Gate, Passing
from flitstack.stages.gates.passing import approve_shown
from flitstack.testing.memory import STAFF
from flitstack.testing.memory_source import TEMPLATE
from flitstack.testing.migration import Migration
from flitstack.testing.small_load import small_load

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

GATES = ("profile", "map", "schema", "full")
AT = "2026-07-01T09:00:00.000+00:00"
WORDS = "the agreement is in writing."
ATTESTING = TEMPLATE.replace(
    "shows: {small: Moves contacts., full: Moves everything.}",
    f"shows: {{small: Moves contacts., full: Moves everything.}}, attest: {{full: {WORDS}}}",
).replace("type: set, priority: 1}", "type: set, priority: 1, options: [blue, red]}")


@pytest.fixture
def migration(tmp_path: Path) -> Migration:
    """Return a migration whose full profile asks for an attestation, with its gates shown."""
    made = Migration(tmp_path, template=ATTESTING)
    small_load(made.export)
    stopped(made)
    return made


def stopped(migration: Migration, passing: Passing | None = None) -> ApprovalNeeded:
    with pytest.raises(ApprovalNeeded) as stop:
        migration.run(passing=passing or Passing())
    return stop.value


def approve(migration: Migration, *gates: str) -> None:
    with migration.open() as journal:
        for gate in gates:
            attest = "BAA 7 of 2026-05-04" if gate == "profile" else None
            approve_shown(journal, gate, "admin@example.org", AT, attest)


def refused(migration: Migration) -> dict[str, str]:
    """Return, by gate, what the next run shows at the gates that are open; nothing was written."""
    stop = stopped(migration)
    assert migration.account.arrived == 0
    shown = str(stop).split("\n\nNothing was written.")[0]
    parts = [part.split(" ==\n", 1) for part in shown.removeprefix("== ").split("\n\n== ")]
    assert [name for name, _ in parts] == [name for name, _ in stop.gates]
    return dict(map(tuple, parts))  # type: ignore[arg-type]


def remap(migration: Migration, old: str, new: str) -> None:
    path = migration.journal.parent / "memory.yaml.j2"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


SINCE = "Approved by admin@example.org on 2026-07-01 09:00 UTC; since then:"


def test_one_field_of_the_spec_changed_after_approval_is_refused_and_named(migration: Migration) -> None:
    approve(migration, *GATES)
    remap(migration, "phone: contact.phone", "phone: contact.status")

    gates = refused(migration)

    assert list(gates) == ["map", "schema", "full"]
    assert gates["map"].startswith(SINCE)
    assert "map, entries > contacts > fields > phone: was contact.phone, is now contact.status" in gates["map"]
    assert "nothing in what it shows; it stands on map, which changed" in gates["schema"]
    assert "it stands on map and schema" not in gates["schema"]
    assert gates["full"].startswith(SINCE)


def test_one_option_of_the_schema_changed_after_approval_is_refused_and_named(migration: Migration) -> None:
    approve(migration, *GATES)
    remap(migration, "options: [blue, red]", "options: [blue, red, green]")

    gates = refused(migration)

    assert "schema > field contact Labels__c > options: now with green" in gates["map"]
    assert "create > field/contact/Labels__c > options: now with green" in gates["schema"]


def test_one_source_row_changed_after_approval_is_refused_and_counted(migration: Migration) -> None:
    approve(migration, *GATES)
    migration.export.change("contacts", "1", phone="another")

    gates = refused(migration)

    assert list(gates) == ["full"]
    assert gates["full"].startswith(SINCE)
    assert "export, rows of contacts: 1 changed" in gates["full"]


def test_rows_that_are_new_or_vanished_are_counted_by_stream(migration: Migration) -> None:
    approve(migration, *GATES)
    migration.export.add("contacts", "8", name="Hal")
    migration.export.add("contacts", "9", name="Ida")
    del migration.export.rows["labels"][0]

    gates = refused(migration)

    assert "export, rows of contacts: 2 new" in gates["full"]
    assert "export, rows of labels: 1 vanished" in gates["full"]


def test_what_changed_is_told_against_what_was_approved_not_what_was_shown_last(migration: Migration) -> None:
    approve(migration, *GATES)
    migration.export.change("contacts", "1", phone="another")
    refused(migration)
    migration.export.change("contacts", "2", phone="another")

    assert "export, rows of contacts: 2 changed" in refused(migration)["full"]


def test_an_option_that_the_account_lost_after_approval_is_refused_and_named(migration: Migration) -> None:
    labels = SchemaItem("field", "Labels__c", "contact", {"type": "set", "options": ["blue"]}, "field-9")
    migration.account.items["field", "field-9"] = labels
    stopped(migration)
    approve(migration, *GATES)
    migration.account.items["field", "field-9"] = replace(labels, settings={"type": "set", "options": []})

    gates = refused(migration)

    assert list(gates) == ["schema", "full"]
    assert "options to add > field/contact/Labels__c: now with blue" in gates["schema"]


def test_a_smaller_cap_after_approval_is_refused_and_told(migration: Migration) -> None:
    migration.account.slots = {"field": 10}
    stopped(migration)
    approve(migration, *GATES)
    migration.account.slots = {"field": 4}

    gates = refused(migration)

    assert list(gates) == ["schema", "full"]
    assert "room > field > free: was 10, is now 4" in gates["schema"]
    assert "Takes 3 of the 4 fields for which the account's plan has room." in gates["schema"]


def test_a_user_deactivated_after_approval_is_refused_and_named(migration: Migration) -> None:
    approve(migration, *GATES)
    migration.account.users = (
        *(user for user in migration.account.users if user != STAFF),
        replace(STAFF, active=False),
    )

    gates = refused(migration)

    assert "owners > people > staff:s1: was sam@example.org, is now nobody" in gates["map"]


def test_as_many_owners_as_before_but_others_are_refused(migration: Migration) -> None:
    approve(migration, *GATES)
    nora = User("u9", "Nora New", "nora@example.org", active=True)
    migration.account.users = (*(u for u in migration.account.users if u != STAFF), nora)

    gates = refused(migration)

    assert "owners > people > staff:s1: was sam@example.org, is now nobody" in gates["map"]
    assert "owners > people > staff:s2: was nobody, is now nora@example.org" in gates["map"]


def test_another_profile_kills_everything(migration: Migration) -> None:
    approve(migration, *GATES)
    migration.sets = ("profile=small",)

    gates = refused(migration)

    assert list(gates) == list(GATES)
    assert "- profile = full: Moves everything." in gates["profile"]
    assert "+ profile = small: Moves contacts." in gates["profile"]
    assert "it stands on profile, which changed" in gates["map"]


def test_what_was_passed_unseen_is_said_so_when_a_later_export_comes(migration: Migration) -> None:
    migration.run()
    migration.export.change("contacts", "1", phone="another")

    text = str(stopped(migration))

    assert "Passed unseen by test on 2026-07-01" in text
    assert "export, rows of contacts: 1 changed" in text


def test_nothing_of_a_record_is_told_with_what_changed(migration: Migration) -> None:
    approve(migration, *GATES)
    migration.export.change("contacts", "1", phone="5550199", name="Zebulon")

    assert "Zebulon" not in str(stopped(migration))
    assert "5550199" not in str(stopped(migration))


# --- the attestation ---


def test_the_full_profile_is_not_approved_without_an_attestation(migration: Migration) -> None:
    with migration.open() as journal, pytest.raises(UsageError, match="--attest"):
        approve_shown(journal, "profile", "Dana", AT)

    text = str(stopped(migration, Passing(approve="admin@example.org")))

    assert f"Whoever approves this attests in writing: {WORDS}" in text
    assert 'flit approve profile --by NAME --attest "AGREEMENT, ITS DATE" --journal' in text
    assert "== map ==" not in text  # what asks for nothing was approved
    assert migration.account.arrived == 0


def test_who_attested_what_is_kept_with_the_audit_logs_length_and_head(migration: Migration) -> None:
    with migration.open() as journal:
        before = journal.audit.head()
        approve_shown(journal, "profile", "Dana Cho", AT, "BAA 7 of 2026-05-04")

        approval = journal.approvals.last("profile")
        last = json.loads(list(journal.audit.events())[-1][2])

    assert approval is not None
    assert (approval.by, approval.attestation) == ("Dana Cho", "BAA 7 of 2026-05-04")
    assert (approval.audit_length, approval.audit_head) == (before.length, before.hash)
    assert last["attestation"] == "BAA 7 of 2026-05-04"


@pytest.mark.parametrize("reference", ["", "  ", "two\nlines", "x" * 201])
def test_an_attestation_names_an_agreement_on_one_line(migration: Migration, reference: str) -> None:
    with migration.open() as journal, pytest.raises(UsageError, match="--attest"):
        approve_shown(journal, "profile", "Dana", AT, reference)


def test_where_nothing_is_to_be_attested_an_attestation_is_refused(migration: Migration) -> None:
    with migration.open() as journal, pytest.raises(UsageError, match="nothing is to be attested"):
        approve_shown(journal, "map", "Dana", AT, "BAA")


def test_a_smaller_profile_asks_for_no_attestation(migration: Migration) -> None:
    migration.sets = ("profile=small",)

    assert "attests" not in str(stopped(migration))
    assert migration.run(passing=Passing(approve="admin@example.org")).exit_code == 0


def test_a_run_that_approves_and_attests_goes_on(migration: Migration) -> None:
    passing = Passing(approve="admin@example.org", attestation="BAA 7")

    assert migration.run(passing=passing).exit_code == 0

    with migration.open() as journal:
        given = {approval.gate: approval.attestation for approval in journal.approvals.given()}
    assert given == {"profile": "BAA 7", "map": "", "schema": "", "full": ""}


@pytest.mark.parametrize("answer", ["BAA 7", None])
def test_a_person_at_a_terminal_is_asked_for_the_agreement(migration: Migration, answer: str | None) -> None:
    asked: list[str] = []

    def ask(gate: Gate, will_do: Callable[[str], bool]) -> str | None:
        return "admin@example.org"

    def attest(gate: Gate) -> str | None:
        asked.append(gate.name)
        return answer

    passing = Passing(ask=ask, ask_attestation=attest)
    if answer:
        assert migration.run(passing=passing).exit_code == 0
    else:
        assert [name for name, _ in stopped(migration, passing).gates] == ["profile"]

    assert asked == ["profile"]


def test_an_approval_given_twice_stands_once_and_another_persons_beside_it(migration: Migration) -> None:
    approve(migration, *GATES)
    with migration.open() as journal:
        length = journal.audit.head().length
        again = approve_shown(journal, "map", "admin@example.org", "2026-07-02T09:00:00.000+00:00")
        assert journal.audit.head().length == length
        assert again.at == AT

        approve_shown(journal, "map", "Dana Cho", AT)

        assert journal.audit.head().length == length + 1
