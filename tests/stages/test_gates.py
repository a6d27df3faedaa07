"""Gates: nothing moves unapproved, and an approval holds for exactly what was shown."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flitstack.errors import ApprovalNeeded, AuthError, BudgetExhausted, SettingsError, UsageError
from flitstack.stages.gates.gate import Gate, Passing, chain
from flitstack.stages.gates.passing import approve_shown
from flitstack.testing.memory import Fault

if TYPE_CHECKING:
    from collections.abc import Callable

    from flitstack.testing.migration import Migration

GATES = ("profile", "map", "schema", "full")
ASKING = Passing()
AT = "2026-07-01T09:00:00.000+00:00"


def approve(migration: Migration, *gates: str, by: str = "admin@example.org") -> None:
    with migration.open() as journal:
        for gate in gates:
            approve_shown(journal, gate, by, AT)


def shown(stop: pytest.ExceptionInfo[ApprovalNeeded]) -> list[str]:
    return [line.split()[1] for line in str(stop.value).splitlines() if line.startswith("== ")]


def test_a_run_without_approval_shows_every_gate_at_once_and_writes_nothing(migration: Migration) -> None:
    with pytest.raises(ApprovalNeeded) as stop:
        migration.run(passing=ASKING)

    assert stop.value.exit_code == 3
    assert shown(stop) == list(GATES)
    for gate in GATES:
        assert f"flit approve {gate} --by " in str(stop.value)
    assert migration.account.arrived == 0


def test_what_gates_show_holds_no_value_of_a_record(migration: Migration) -> None:
    with pytest.raises(ApprovalNeeded) as stop:
        migration.run(passing=ASKING)

    values = {
        str(value)
        for stream in ("contacts", "companies", "memos", "visits")
        for row in migration.export.rows[stream]
        for name, value in row.data.items()  # type: ignore[union-attr]
        if name in ("name", "note") and value
    }
    assert not [value for value in values if value in str(stop.value)]


def test_approved_gate_by_gate_the_run_writes(migration: Migration) -> None:
    with pytest.raises(ApprovalNeeded):
        migration.run(passing=ASKING)
    approve(migration, "profile", "map", "full", by="Dana")
    with pytest.raises(ApprovalNeeded) as stop:
        migration.run(passing=ASKING)
    assert shown(stop) == ["schema"]
    approve(migration, "schema")

    assert migration.run(passing=ASKING).exit_code == 0


def test_a_gate_that_was_never_shown_cannot_be_approved(migration: Migration) -> None:
    migration.run(dry_run=True)

    with pytest.raises(UsageError, match="no run has shown this gate"):
        approve(migration, "map")


@pytest.mark.parametrize("by", ["", "  "])
def test_an_approval_without_a_name_is_refused(migration: Migration, by: str) -> None:
    with pytest.raises(ApprovalNeeded):
        migration.run(passing=ASKING)

    with pytest.raises(UsageError, match="names a person"):
        approve(migration, "map", by=by)


@pytest.mark.parametrize("by", ["Dana", "sam@example.org", "gil@example.org"])
def test_only_an_admins_email_approves_the_schema(migration: Migration, by: str) -> None:
    with pytest.raises(ApprovalNeeded):
        migration.run(passing=ASKING)

    with pytest.raises(AuthError, match="admin"):
        approve(migration, "schema", by=by)
    with pytest.raises(AuthError, match="admin"):
        migration.run(passing=Passing(approve=by))

    assert migration.account.arrived == 0


def test_approve_passes_only_what_an_earlier_run_showed(migration: Migration) -> None:
    passing = Passing(approve="ADMIN@example.org")
    with pytest.raises(ApprovalNeeded):
        migration.run(passing=passing)
    assert migration.account.arrived == 0

    assert migration.run(passing=passing).exit_code == 0


def test_what_changed_after_it_was_shown_is_shown_again_with_all_gates_after_it(migration: Migration) -> None:
    with pytest.raises(ApprovalNeeded):
        migration.run(passing=ASKING)
    approve(migration, *GATES)
    migration.export.add("contacts", "7", name="New")

    with pytest.raises(ApprovalNeeded) as stop:
        migration.run(passing=ASKING)
    assert shown(stop) == ["full"]

    with pytest.raises(ApprovalNeeded) as stop:
        migration.run(passing=ASKING, sets=("closing=cheers",))
    assert shown(stop) == ["map", "schema", "full"]
    assert migration.account.arrived == 0


def test_a_changed_value_alone_needs_a_new_approval(migration: Migration) -> None:
    """The plan's counts are the same; what would be written is not."""
    with pytest.raises(ApprovalNeeded):
        migration.run(passing=ASKING)
    approve(migration, *GATES)
    migration.export.change("contacts", "1", phone="another")

    with pytest.raises(ApprovalNeeded) as stop:
        migration.run(passing=ASKING)

    assert shown(stop) == ["full"]


def test_going_back_to_what_was_approved_needs_no_new_approval(migration: Migration) -> None:
    with pytest.raises(ApprovalNeeded):
        migration.run(passing=ASKING)
    approve(migration, *GATES)
    migration.export.change("contacts", "1", phone="another")
    with pytest.raises(ApprovalNeeded):
        migration.run(passing=ASKING)
    migration.export.change("contacts", "1", phone="1")

    assert migration.run(passing=ASKING).exit_code == 0


@pytest.mark.parametrize("at", [1, 4, 6, 12, 18])
def test_a_run_that_was_stopped_half_way_carries_on_under_its_approvals(migration: Migration, at: int) -> None:
    with pytest.raises(ApprovalNeeded):
        migration.run(passing=ASKING)
    approve(migration, *GATES)
    migration.account.faults = {at: Fault.BUDGET}
    with pytest.raises(BudgetExhausted):
        migration.run(passing=ASKING)

    assert migration.run(passing=ASKING).exit_code == 0


def test_a_later_export_is_approved_anew(migration: Migration) -> None:
    migration.run()
    migration.export.change("contacts", "1", phone="another")

    with pytest.raises(ApprovalNeeded) as stop:
        migration.run(passing=ASKING)

    assert "full" in shown(stop)
    assert "update 1 contact" in str(stop.value)


def test_a_run_with_nothing_to_write_asks_nobody(migration: Migration) -> None:
    migration.run()

    assert migration.run(passing=ASKING).exit_code == 0


def test_gates_passed_unseen_are_logged_as_such(migration: Migration) -> None:
    migration.run(passing=Passing(unseen="Robin"))

    with migration.open() as journal:
        events = [json.loads(event) for _, _, event, _ in journal.audit.events()]
    approvals = {event["gate"]: event for event in events if event["outcome"] == "approved"}
    assert set(approvals) == set(GATES)
    assert {event["how"] for event in approvals.values()} == {"unseen"}
    assert approvals["profile"]["note"] == "attestation: none given"
    assert approvals["schema"]["by"] == "Robin (for admin@example.org)"
    assert approvals["map"]["by"] == "Robin"


def test_a_person_at_a_terminal_is_asked_gate_by_gate(migration: Migration) -> None:
    asked: list[str] = []

    def ask(gate: Gate, will_do: Callable[[str], bool]) -> str | None:
        asked.append(gate.name)
        assert will_do("Dana") is not gate.admin
        return "admin@example.org" if gate.name != "full" else None

    with pytest.raises(ApprovalNeeded) as stop:
        migration.run(passing=Passing(ask=ask))

    assert asked == list(GATES)
    assert shown(stop) == ["full"]
    assert migration.account.arrived == 0


def test_a_choice_without_a_default_stops_at_its_gate(migration: Migration) -> None:
    migration.sets = ()

    with pytest.raises(ApprovalNeeded, match=r"--set profile=small or --set profile=full"):
        migration.run()

    assert migration.account.arrived == 0


def test_an_unknown_choice_is_a_settings_error(migration: Migration) -> None:
    migration.sets = ("profile=huge",)

    with pytest.raises(SettingsError, match="profile"):
        migration.run()


@given(st.lists(st.tuples(st.text(), st.text(), st.booleans()), min_size=1, max_size=5), st.data())
def test_each_hash_includes_the_gates_before(texts: list[tuple[str, str, bool]], data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(texts) - 1))
    name, text, admin = texts[at]
    changed = [*texts[:at], (name, text + "!", admin), *texts[at + 1 :]]

    one, other = (chain([Gate(*shown) for shown in sheets]) for sheets in (texts, changed))

    assert [gate.hash for gate in one[:at]] == [gate.hash for gate in other[:at]]
    assert all(mine.hash != theirs.hash for mine, theirs in zip(one[at:], other[at:], strict=True))
