"""What an estimate says, against what the same load then spends of an account that charges for everything."""

from __future__ import annotations

import asyncio
import json
import os
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from flitstack.cli import cli
from flitstack.clock import VirtualClock
from flitstack.errors import SettingsError
from flitstack.stages.context import StopFlag
from flitstack.stages.gates.gate import Passing
from flitstack.stages.options import RunOptions
from flitstack.stages.plan.estimate import Estimate, estimate_export
from flitstack.stages.run import run_migration
from flitstack.stages.setup import set_up
from flitstack.testing.migration import Words
from flitstack_dental.example import write_example

if TYPE_CHECKING:
    from pathlib import Path

    from flitstack.stages.report import RunReport

NOW = datetime(2026, 7, 1, 8, tzinfo=UTC)
PLAN, SEATS = "ultimate", 20


@dataclass(frozen=True, slots=True)
class Place:
    """An export and an account of its own, in a folder."""

    folder: Path

    @property
    def journal(self) -> Path:
        return self.folder / "flit.db"

    def options(self, *sets: str, account: str = "account") -> RunOptions:
        base = f"dest.base_url=sandbox:{self.folder / account}?plan={PLAN}&seats={SEATS}"
        given = ("profile=full", base, "dest.list_lag_s=0", *sets)
        export = str(self.folder / "export")
        return RunOptions("dental", "pipedrive", self.journal, export, None, given, Passing(unseen="A Test"))

    def estimate(self, *sets: str, policies: bool = False, offline: bool = False) -> Estimate:
        setup = set_up(self.options(*sets), clock=VirtualClock(NOW))
        return asyncio.run(
            estimate_export(setup, Words(), StopFlag(), journal=self.journal, policies=policies, offline=offline)
        )

    def run(self, *sets: str) -> RunReport:
        return asyncio.run(run_migration(self.options(*sets), Words(), StopFlag(), clock=VirtualClock(NOW)))


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """Return a practice of 60 patients and an account that has nothing."""
    write_example(tmp_path / "export", 60, 1)
    return Place(tmp_path)


@pytest.fixture
def tiny(tmp_path: Path) -> Place:
    """Return a practice of six patients."""
    write_example(tmp_path / "export", 6, 1)
    return Place(tmp_path)


def within(estimated: int, spent: int, share: float = 0.02) -> bool:
    return abs(estimated - spent) <= share * spent


def test_the_estimate_is_within_two_percent_of_what_the_load_then_spends(place: Place) -> None:
    signed_in, offline = place.estimate(), place.estimate("dest.plan=ultimate", "dest.seats=20", offline=True)

    report = place.run()

    assert report.status == "done"
    for found in (signed_in, offline):
        assert within(found.base.price.tokens, report.tokens.spent)
        assert within(found.base.price.requests, report.requests)
    assert signed_in.base.price.opening == offline.base.price.opening
    assert report.tokens.spent <= 1.02 * report.tokens.minimum


def test_what_all_policies_together_are_said_to_save_they_save(tiny: Place) -> None:
    found = tiny.estimate(policies=True)
    promised = {variant.policy: variant.price.tokens for variant in found.policies}

    report = tiny.run("procedures=per_visit", "notes=per_visit", "stale_open=skip", "active_since=2024-06-30")

    assert set(promised) == {
        "procedures=per_visit", "notes=per_visit", "stale_open=skip", "active_since=2024-06-30", "all of them",
    }  # fmt: skip
    assert max(promised.values()) <= found.base.price.tokens
    assert within(promised["all of them"], report.tokens.spent)


def test_a_finished_load_has_nothing_left_but_to_be_read(tiny: Place) -> None:
    tiny.run()
    before = tiny.journal.read_bytes()

    found = tiny.estimate()

    assert found.base.price.writes == 0
    assert tiny.journal.read_bytes() == before
    assert not list(tiny.folder.glob(".flit-estimate-*"))


def test_a_grouping_changed_after_the_first_write_is_refused_with_its_price(tiny: Place) -> None:
    tiny.run("procedures=per_visit", "notes=per_visit")

    for policy, other in (("procedures", "notes"), ("notes", "procedures")):
        with pytest.raises(SettingsError, match=rf"{policy}=per_visit.*[1-9][0-9]* records.*about [1-9]"):
            tiny.run(f"{policy}=each", f"{other}=per_visit")

    assert tiny.run("procedures=per_visit", "notes=per_visit", "stale_open=open").status == "done"


def test_a_fixed_policy_is_not_offered_once_records_are_written(tiny: Place) -> None:
    tiny.run()

    offered = {variant.policy for variant in tiny.estimate(policies=True).policies}

    assert not any(name.startswith(("procedures", "notes")) for name in offered)
    assert any(name.startswith("active_since") for name in offered)


def flit(*arguments: str) -> Any:
    return CliRunner().invoke(cli, list(arguments), env={"PIPEDRIVE_API_TOKEN": "", "COLUMNS": "160"})


def test_without_a_token_an_empty_account_is_assumed_and_the_output_says_so(tiny: Place) -> None:
    ended = flit(
        "estimate", "--input", str(tiny.folder / "export"), "--journal", str(tiny.journal), "--set", "profile=full",
        "--plan", "growth", "--seats", "3",
    )  # fmt: skip

    assert ended.exit_code == 0, ended.output
    for words in ("No account was asked", "procedures=per_visit", "growth *", "39 USD", "2026-09-20", "all of them"):
        assert words in ended.output
    assert not tiny.journal.exists()


def test_a_migration_under_way_is_not_estimated_without_its_account(tiny: Place) -> None:
    tiny.run()

    ended = flit(
        "estimate",
        "--dest",
        "pipedrive",
        "--input",
        str(tiny.folder / "export"),
        "--journal",
        str(tiny.journal),
        "--set",
        "profile=full",
    )

    assert ended.exit_code == 2
    assert "under way" in ended.output


def test_an_estimate_without_an_export_goes_by_ratios() -> None:
    ended = flit("estimate", "--records", "8000", "--plan", "growth", "--seats", "3", "--json")

    found = json.loads(ended.stdout)
    assert found["objects"]["person"]["operations"]["create"] in range(7_500, 8_500)
    assert found["plan"] == "growth"
    assert found["days"] > 5
    assert {variant["policy"] for variant in found["policies"]} >= {"procedures=per_visit", "notes=per_visit"}
    assert all(variant["tokens"] < found["tokens"] for variant in found["policies"])
    growth = next(offer for offer in found["plans"] if offer["plan"] == "growth")
    assert growth["price"] == "39 USD"
    assert growth["days"] == found["days"]


def test_a_policy_that_is_set_is_reckoned_with_and_not_offered_again() -> None:
    plain, joined = (
        json.loads(flit("estimate", "--dest", "pipedrive", "--records", "800", "--json", *more).stdout)
        for more in ((), ("--set", "notes=per_visit"))
    )

    promised = next(one["tokens"] for one in plain["policies"] if one["policy"] == "notes=per_visit")
    assert joined["tokens"] == promised
    assert not any(one["policy"].startswith("notes") for one in joined["policies"])


def test_ratios_are_refused_for_what_they_do_not_hold_for() -> None:
    ended = flit("estimate", "--dest", "pipedrive", "--records", "800", "--set", "profile=engagement")

    assert ended.exit_code == 2
    assert "profile=full" in ended.output


def test_without_seats_every_plan_is_reckoned_with_one_and_the_days_stay_unknown() -> None:
    ended = flit("estimate", "--dest", "pipedrive", "--records", "500", "--json")

    found = json.loads(ended.stdout)
    assert (found["seats"], found["days"]) == (None, None)
    assert {offer["seats"] for offer in found["plans"]} == {1}
    assert any("Seats are not stated" in line for line in found["assumptions"])


@pytest.mark.parametrize("arguments", [(), ("--input", "x", "--records", "3")])
def test_an_estimate_needs_an_export_or_a_number(arguments: tuple[str, ...]) -> None:
    ended = flit("estimate", *arguments)

    assert ended.exit_code == 2
    assert "--records" in ended.output


def test_the_number_can_be_said_by_the_name_of_the_sources_main_stream() -> None:
    named, joined, plain = (
        flit("estimate", "--dest", "pipedrive", "--plan", "growth", "--json", *more).stdout
        for more in (("--patients", "900"), ("--patients=900",), ("--records", "900", "--source", "dental"))
    )

    assert named == joined == plain
    assert json.loads(plain)["tokens"] > 0


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--doctors", "3"), "No such option: --doctors.*What can be counted: --patients"),
        (("--source", "sqlite", "--patients", "3"), "No such option: --patients"),
        (("--patients", "many"), "Invalid value for '--patients'"),
        (("--patients", "0"), "Invalid value for '--patients'"),
        (("--patients", "3", "--records", "3"), "--records and --patients say the same"),
        (("--patients", "3", "--patients", "4"), "unexpected extra arguments"),
        (("--plann", "growth", "--records", "3"), r"No such option '?--plann.*--plan"),
        (("--input", "x", "--jsn"), r"No such option '?--jsn.*--json"),
        (("--input", "x", "-z"), "unexpected extra arguments"),
        (("3",), "unexpected extra arguments"),
    ],
)
def test_a_word_that_counts_nothing_is_refused_as_an_option_that_is_not_there(
    arguments: tuple[str, ...], told: str
) -> None:
    ended = flit("estimate", *arguments)

    assert ended.exit_code == 2
    assert re.search(told, ended.output, re.DOTALL), ended.output


@pytest.mark.skipif(not os.environ.get("FLITSTACK_LONG"), reason="twenty minutes; nox -s long runs it")
def test_ten_thousand_patients_cost_what_was_estimated_and_no_more_than_they_must(tmp_path: Path) -> None:
    write_example(tmp_path / "export", 10_000, 1)
    place = Place(tmp_path)
    found = place.estimate()

    report = place.run()

    figures = (found.base.price.tokens, report.tokens)
    assert report.status == "done", figures
    assert within(found.base.price.tokens, report.tokens.spent), figures
    assert report.tokens.spent <= 1.02 * report.tokens.minimum, figures


@pytest.mark.skipif(not os.environ.get("FLITSTACK_LONG"), reason="minutes; nox -s long runs it")
def test_the_ratios_without_an_export_give_what_the_example_practice_gives(tmp_path: Path) -> None:
    write_example(tmp_path / "export", 3_000, 2)
    found = Place(tmp_path).estimate(offline=True)

    by_ratio = json.loads(flit("estimate", "--records", "3000", "--json").stdout)

    assert within(by_ratio["tokens"], found.base.price.tokens, 0.05)
