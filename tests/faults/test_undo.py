"""An undo that dies at any moment is carried on, and ends as one that nobody disturbed; what people made theirs stays.

`FLITSTACK_UNDO_DEATHS=1` lets it die at every single moment; otherwise a few are drawn.
"""

from __future__ import annotations

import asyncio
import os
from dataclasses import replace
from itertools import combinations
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flitstack.errors import BudgetExhausted, FlitError
from flitstack.stages.rollback.scope import Scope
from flitstack.stages.rollback.walk import RollbackOptions, rollback
from flitstack.testing.memory import Fault
from flitstack.testing.migration import Migration
from flitstack.testing.small_load import small_load

if TYPE_CHECKING:
    from pathlib import Path

    from tests.faults.conftest import Fate

    from flitstack.protocols import Operation
    from flitstack.stages.rollback.report import RollbackReport

STEP = 1 if os.environ.get("FLITSTACK_UNDO_DEATHS") else 11
CASES = int(os.environ.get("FLITSTACK_UNDO_CASES", "15"))


def undo(migration: Migration, scope: Scope | None = None, **more: Any) -> RollbackReport:
    """Take back, once."""
    options = RollbackOptions(migration.journal, scope or Scope(), **{"unseen": "test", **more})
    migration.stop.raised = False
    return asyncio.run(
        rollback(options, migration.words, migration.stop, registry=migration.registry, clock=migration.clock)
    )


def lived_in(folder: Path, concurrency: int = 3) -> Migration:
    """Return a migration into an account of other people, edited since: some changed, some hung something on."""
    folder.mkdir(exist_ok=True)
    migration = Migration(folder, concurrency=concurrency)
    small_load(migration.export)
    for number in range(10, 16):
        migration.export.add("contacts", str(number), name=f"Name {number}", company_id="1", boss_id=str(number + 1))
        migration.export.add("visits", f"w{number}", contact_id=str(number), kind="call", note=f"Note {number}")
    migration.account.put("contact", name="Zoe", phone="99")
    migration.account.put("company", name="Zed")
    assert migration.run().exit_code == 0
    people = {str(stored.fields["name"]): stored for stored in migration.account.of("contact")}
    migration.account.edit(people["Eve"], phone="555")
    migration.account.edit(people["Zoe"], phone="77")
    visit = migration.account.put("visit", note="they called")
    migration.account.records["visit", visit.id] = replace(visit, links={"contact": people["Name 12"].id})
    return migration


def dies(migration: Migration, fate: Fate) -> bool:
    """Take back until the end of the undo or of the process; return whether it was the process that ended."""
    from tests.faults import conftest

    try:
        undo(migration)
    except BaseException as exc:
        if type(exc).__name__ == conftest.Death.__name__ or (isinstance(exc, FlitError) and fate.dead):
            return True
        raise
    return False


@pytest.mark.parametrize("concurrency", [1, 3])
def test_an_undo_that_dies_at_any_moment_ends_as_if_nothing_had_happened(
    tmp_path: Path, fate: Fate, concurrency: int
) -> None:
    calm = lived_in(tmp_path / "calm", concurrency)
    fate.live()
    assert undo(calm).exit_code == 1
    wanted, moments, deaths = calm.account.picture(), fate.moments, 0

    for last in range(1, moments, STEP):
        fate.live()
        migration = lived_in(tmp_path / f"at-{last}", concurrency)
        fate.govern(migration)
        fate.live(last)
        deaths += dies(migration, fate)
        fate.live()
        report = undo(migration)

        assert report.exit_code == 1
        assert migration.account.picture() == wanted, f"died at moment {last} of {moments}"
        with migration.open() as journal:
            assert journal.audit.broken_at() is None
            assert journal.operations.count("planned", "intended", "in_doubt", "rejected", "conflict", "blocked") == 0
    assert deaths > moments // STEP // 2


def test_an_undo_that_dies_is_left_be_by_a_run_that_writes_everything_again(tmp_path: Path, fate: Fate) -> None:
    fate.live()
    migration = lived_in(tmp_path)
    whole = migration.account.picture()
    fate.govern(migration)
    fate.live(50)
    assert dies(migration, fate)
    fate.live()

    report = migration.run()

    assert report.exit_code == 0
    assert migration.account.picture() == whole


@pytest.mark.parametrize("faults", list(combinations((None, Fault.COMMIT_THEN_DROP, Fault.DROP, Fault.NOT_SENT), 2)))
def test_answers_that_are_lost_are_found_out_about(tmp_path: Path, faults: tuple[Fault | None, ...]) -> None:
    migration = lived_in(tmp_path)
    arrived = migration.account.arrived
    migration.account.faults = {
        arrived + place + 10 * turn: fault
        for turn in range(4)
        for place, fault in enumerate(faults, 1)
        if fault is not None
    }

    report = undo(migration)

    assert report.exit_code == 1
    assert report.proof is not None
    assert report.proof.expected == report.proof.found
    assert {stored.fields["name"] for stored in migration.account.of("contact")} >= {"Zoe", "Eve", "Name 12"}


def test_the_end_of_the_budget_stops_it_and_the_next_day_it_carries_on(tmp_path: Path) -> None:
    calm, migration = lived_in(tmp_path / "calm"), lived_in(tmp_path / "one")
    undo(calm)
    migration.account.daily = migration.account.by_day[migration.clock.now().date()] + 30

    with pytest.raises(BudgetExhausted):
        undo(migration)
    migration.clock.advance(86_400)
    migration.account.daily = None

    assert undo(migration).exit_code == 1
    assert migration.account.picture() == calm.account.picture()


def test_it_waits_for_the_next_day_when_told_to(tmp_path: Path) -> None:
    calm, migration = lived_in(tmp_path / "calm"), lived_in(tmp_path / "one")
    undo(calm)
    migration.account.daily = 40 + migration.account.by_day[migration.clock.now().date()]

    assert undo(migration, wait=True).exit_code == 1
    assert migration.account.picture() == calm.account.picture()


@settings(max_examples=CASES, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_no_edit_of_a_person_is_ever_lost(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    """Random edits, hangings and deletions, before and while it is undone; what nobody touched is gone."""
    migration = lived_in(tmp_path_factory.mktemp("one"))
    ours = [s for s in migration.account.records.values() if s.key is not None or s.object == "memo"]
    strangers = {place: s for place, s in migration.account.records.items() if s.key is None and s.object != "memo"}
    edits = data.draw(
        st.lists(st.tuples(st.integers(0, len(ours) - 1), st.booleans()), max_size=4, unique_by=lambda e: e[0])
    )
    edited: dict[tuple[str, str], str] = {}

    def edit(place: tuple[str, str], number: int) -> None:
        if place in migration.account.records:
            migration.account.edit(migration.account.records[place], remark=f"edit {number}")
            edited[place] = f"edit {number}"

    waiting = {data.draw(st.integers(0, 40)): (number, at) for number, (at, late) in enumerate(edits) if late}
    for number, (at, late) in enumerate(edits):
        if not late:
            edit((ours[at].object, ours[at].id), number)
    began = migration.account.arrived

    def meanwhile(operation: Operation) -> None:
        number_at = waiting.pop(migration.account.arrived - began, None)
        if number_at is not None:
            number, at = number_at
            if (ours[at].object, ours[at].id) != (operation.object, operation.destination_id):
                under_way = (ours[at].object, ours[at].id)
                if under_way[0] != operation.object:  # what is judged already may be on its way
                    edit(under_way, number)

    migration.account.arriving = meanwhile
    report = undo(migration)

    for place, text in edited.items():
        if place[0] != "memo":  # a document's name, place and size are all there is of it
            assert migration.account.records[place].fields["remark"] == text
    for place, stored in strangers.items():
        assert migration.account.records[place] == stored
    assert report.proof is not None
    assert not report.proof.wrong
    kept = {(one.ours.object, one.ours.destination_id) for one in report.kept}
    left = {p for p, s in migration.account.records.items() if p not in strangers}
    assert left <= kept
