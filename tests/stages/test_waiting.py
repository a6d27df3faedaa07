"""The day's budget: the run ends, or waits through the days until everything is there."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from flitstack.errors import BudgetExhausted, Interrupted
from flitstack.testing.migration import START, Migration
from flitstack.testing.small_load import small_load

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(params=[1, 4])
def scarce(tmp_path: Path, request: pytest.FixtureRequest) -> Migration:
    """Return a migration into an account that takes few requests a day."""
    migration = Migration(tmp_path, concurrency=request.param)
    small_load(migration.export)
    migration.account.daily = 12
    return migration


def test_a_run_that_may_not_wait_ends_with_the_time_at_which_it_can_go_on(scarce: Migration) -> None:
    with pytest.raises(BudgetExhausted) as stopped:
        scarce.run()

    assert stopped.value.exit_code == 5
    assert stopped.value.resets_at == (START + timedelta(days=1)).replace(hour=0)


def test_a_run_that_waits_carries_on_through_the_days_until_all_is_there(scarce: Migration) -> None:
    report = scarce.run(wait=True)

    assert report.exit_code == 0
    assert len(scarce.account.by_day) >= 3
    assert max(scarce.account.by_day.values()) <= 12
    names = [record.key for record in scarce.account.of("contact")]
    assert len(names) == len(set(names))
    assert scarce.run(wait=True).objects["contact"]["created"] == 0


def test_while_it_waits_it_says_until_when(scarce: Migration) -> None:
    scarce.run(wait=True)

    waits = [line for line in scarce.words.said if "used up" in line]
    assert len(waits) == len(scarce.account.by_day) - 1
    assert "until 2026-07-02 00:00 UTC" in waits[0]


def test_a_reset_that_nobody_states_is_found_by_asking_every_quarter_of_an_hour(scarce: Migration) -> None:
    scarce.account.tells_reset = False
    report = scarce.run(wait=True)

    assert report.exit_code == 0
    opened = [line for line in scarce.words.said if "open again" in line]
    assert opened
    assert all(" 00:0" in line or " 00:1" in line for line in opened)


def test_a_wait_ends_when_a_person_asks_for_it_and_nothing_is_in_doubt(scarce: Migration) -> None:
    say = scarce.words.say

    def say_and_stop(text: str) -> None:
        say(text)
        scarce.stop.raised = scarce.stop.raised or "used up" in text

    scarce.words.say = say_and_stop  # type: ignore[method-assign]
    with pytest.raises(Interrupted):
        scarce.run(wait=True)

    with scarce.open() as journal:
        assert journal.operations.count("in_doubt", "intended") == 0
    assert sum("used up" in line for line in scarce.words.said) == 1
    scarce.words.say = say  # type: ignore[method-assign]
    assert scarce.run(wait=True).exit_code == 0
