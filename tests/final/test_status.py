"""Status: every state a migration can be in, on one screen, and while a run is under way."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from io import StringIO
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner
from rich.console import Console

from flitstack.cli import cli
from flitstack.errors import ApprovalNeeded, BudgetExhausted, Interrupted, Unavailable
from flitstack.journal import Journal
from flitstack.reports.status import print_standing
from flitstack.stages.auditlog.purge import purge
from flitstack.stages.gates.gate import Passing
from flitstack.stages.gates.passing import approve_shown
from flitstack.stages.options import SampleOptions
from flitstack.stages.status import Standing, standing_of
from flitstack.testing.migration import Migration
from flitstack.testing.small_load import small_load

if TYPE_CHECKING:
    from pathlib import Path

    from flitstack.protocols import Operation


def look(migration: Migration) -> Standing:
    return standing_of(migration.journal, migration.clock.now())


def screen(found: Standing) -> list[str]:
    out = StringIO()
    print_standing(found, Console(file=out, width=80, height=24))
    return out.getvalue().splitlines()


def test_without_a_journal_nothing_was_begun(tmp_path: Path) -> None:
    found = standing_of(tmp_path / "flit.db", datetime(2026, 7, 1, tzinfo=UTC))

    assert found.state == "nothing_yet"
    assert any("flit run" in line for line in found.next)
    assert not (tmp_path / "flit.db").exists()


def test_open_gates_are_named_with_the_commands_that_approve_them(migration: Migration) -> None:
    with pytest.raises(ApprovalNeeded) as stopped:
        migration.run(passing=Passing())

    found = look(migration)

    assert found.state == "waiting_for_approval"
    assert [(gate.gate, gate.hash) for gate in found.gates] == list(stopped.value.gates)
    assert [line.split()[2] for line in found.next if "flit approve" in line] == [
        name for name, _ in stopped.value.gates
    ]
    assert any("--by ADMIN-EMAIL" in line for line in found.next if "schema" in line)


def test_a_gate_that_was_approved_since_is_open_no_more(migration: Migration) -> None:
    with pytest.raises(ApprovalNeeded):
        migration.run(passing=Passing())
    gates = [gate.gate for gate in look(migration).gates]
    with Journal.existing(migration.journal) as journal:
        admin = (journal.runs.meta("admins") or "").split("\n")[0]
        for gate in gates[:-1]:
            approve_shown(journal, gate, admin, "2026-07-01T10:00:00.000+00:00")

    assert [gate.gate for gate in look(migration).gates] == gates[-1:]

    with Journal.existing(migration.journal) as journal:
        approve_shown(journal, gates[-1], admin, "2026-07-01T10:00:00.000+00:00")

    assert look(migration).state == "approved"


def test_a_dry_run_leaves_the_export_staged(migration: Migration) -> None:
    migration.run(dry_run=True)

    found = look(migration)

    assert found.state == "staged"
    assert found.read > 0
    assert found.in_destination == 0


def test_a_sample_that_was_taken_is_told_until_the_rest_follows(tmp_path: Path) -> None:
    migration = Migration(tmp_path, required=("contacts",))
    small_load(migration.export)
    for number in range(30, 50):
        migration.export.add("contacts", str(number), name=f"N{number}")
    migration.run(sample=SampleOptions(3, alone=True))

    found = look(migration)
    assert found.state == "sample_taken"
    assert 0 < found.in_destination < found.wanted

    migration.run()
    assert look(migration).state == "done"


def test_once_values_are_purged_nothing_is_offered_that_refuses(migration: Migration) -> None:
    migration.run()
    purge(migration.journal, "2026-08-01T09:00:00.000+00:00", "Dana Cho")

    found = look(migration)

    assert found.state == "done"
    assert "purged on 2026-08-01" in found.words
    assert [line.split(" --journal ")[0] for line in found.next] == ["flit report", "flit journal verify"]
    for line in found.next:
        assert CliRunner().invoke(cli, line.split()[1:]).exit_code == 0


def test_done_says_what_was_read_back(migration: Migration) -> None:
    report = migration.run()

    found = look(migration)

    assert found.state == "done"
    assert found.in_destination == found.wanted
    assert report.verification is not None
    assert found.verified is not None
    assert found.verified["checked"] == report.verification.checked
    assert found.rejected == sum(counts["rejected"] for counts in report.streams.values())


def test_a_used_up_budget_is_told_with_when_it_opens_again(migration: Migration) -> None:
    migration.account.daily = 12
    with pytest.raises(BudgetExhausted):
        migration.run()

    found = look(migration)

    assert found.state == "waiting_for_budget"
    assert found.until.startswith("2026-07-02T00:00")
    assert any("--wait" in line for line in found.next)
    assert 0 < found.done < found.planned


def test_a_run_that_waits_for_the_budget_is_seen_to_while_it_holds_the_lease(migration: Migration) -> None:
    migration.account.daily = 12
    seen: list[Standing] = []

    def says(text: str) -> None:
        if "waiting until" in text:
            seen.append(look(migration))

    migration.words.say = says  # type: ignore[method-assign]
    migration.run(wait=True)

    assert seen
    assert {found.state for found in seen} == {"waiting_for_budget"}
    assert seen[0].until.startswith("2026-07-02T00:00")
    assert look(migration).state == "done"


def test_a_run_that_writes_is_seen_to_with_how_far_it_is(migration: Migration) -> None:
    for number in range(100, 160):
        migration.export.add("contacts", str(number), name=f"N{number}")
    seen: list[Standing] = []
    arrived: list[int] = []

    def arriving(operation: Operation) -> None:
        arrived.append(operation.id)
        if len(arrived) % 10 == 5:
            seen.append(look(migration))

    migration.account.arriving = arriving
    migration.run()

    assert {found.state for found in seen} == {"writing"}
    assert [found.done for found in seen] == sorted(found.done for found in seen)
    assert all(0 <= found.done <= found.planned for found in seen)
    assert seen[0].left_s is None
    last = seen[-1]
    assert last.left_s is not None
    left = last.planned - last.done
    assert last.left_s == pytest.approx(left * 0.0625 / 4, rel=1.0)
    assert 0 < last.tokens_today <= last.predicted


@pytest.mark.parametrize("error", [Interrupted, Unavailable])
def test_a_run_that_was_stopped_says_why(migration: Migration, error: type[Exception]) -> None:
    def arriving(operation: Operation) -> None:
        if len(migration.account.written) == 5:
            migration.stop.raised = True
            if error is Unavailable:
                raise Unavailable("away")

    migration.account.arriving = arriving
    with pytest.raises((Interrupted, Unavailable)):
        migration.run()

    found = look(migration)
    assert found.state == "stopped"
    assert "carries on" in found.next[0]


def test_a_run_that_was_killed_is_told_from_one_that_goes_on(migration: Migration) -> None:
    migration.run()
    with Journal.existing(migration.journal) as journal:
        journal.runs.begin("killed", "2026-07-01T11:00:00.000+00:00", "0")

    assert look(migration).state == "stopped"
    assert "without a word" in look(migration).words

    with Journal(migration.journal, lease=True):
        assert look(migration).state == "running"


def test_looking_never_keeps_a_run_from_beginning(migration: Migration) -> None:
    migration.run()

    with Journal.existing(migration.journal) as looking:
        assert not looking.history.is_writing()
        with Journal(migration.journal, lease=True):
            assert looking.history.is_writing()
        assert not looking.history.is_writing()


def test_it_fits_on_one_screen_in_every_state(migration: Migration) -> None:
    with pytest.raises(ApprovalNeeded):
        migration.run(passing=Passing())
    screens = [screen(look(migration))]
    migration.account.daily = 12
    with pytest.raises(BudgetExhausted):
        migration.run()
    screens.append(screen(look(migration)))
    migration.account.daily = None
    migration.run()
    screens.append(screen(look(migration)))

    for lines in screens:
        assert len(lines) <= 22, "\n".join(lines)


def test_a_watch_is_told_until_its_time_has_come(migration: Migration) -> None:
    migration.run()
    with Journal.existing(migration.journal) as journal:
        journal.runs.remember("watch", json.dumps({"folder": "/exports", "until": "2026-07-02T09:00:00+00:00"}))

    found = look(migration)
    assert found.state == "watching"
    assert found.watching == "/exports, until 2026-07-02 09:00 UTC"

    migration.clock.advance(2 * 86_400)
    assert look(migration).state == "done"


def test_the_command_tells_it_to_machines_and_people(demo: Path) -> None:
    runner = CliRunner()

    told = json.loads(runner.invoke(cli, ["status", "--journal", str(demo), "--json"]).stdout)
    shown = runner.invoke(cli, ["status", "--journal", str(demo)])

    assert shown.exit_code == 0
    assert told["state"] == "done"
    assert told["gates"] == []
    assert told["last_run"]["status"] == "done"
    assert "Done, and read back as written." in shown.stdout
    assert f"{told['in_destination']:,} of {told['wanted']:,}" in shown.stdout
