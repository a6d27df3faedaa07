"""The questions of an account, asked by core: agreed to first, journaled before anything is made, removed after."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from flitstack.clock import VirtualClock
from flitstack.errors import (
    ApprovalNeeded,
    BudgetExhausted,
    ConfigurationError,
    Fatal,
    InDoubt,
    Interrupted,
    PlanLimit,
    Rejected,
    UsageError,
)
from flitstack.hookspecs import hookimpl
from flitstack.journal import Journal
from flitstack.protocols import Account, DestinationPlugin, Probe, ProbeAnswer, Spent
from flitstack.registry import load_plugins
from flitstack.stages.context import StopFlag
from flitstack.stages.gates.gate import Passing
from flitstack.stages.probe import ProbeOptions, ProbeReport, run_probes
from flitstack.testing.memory import ADMIN, memory_behaviours
from flitstack.testing.migration import Words

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from flitstack.protocols import Bench, Writer

QUESTIONS = (
    Probe("size", "How big?", {"contact": 2}, 20),
    Probe("shape", "Which shape?", {"visit": 1}, 10),
    Probe("noise", "How loud?", {}, 5, on_request=True, warning="everybody hears it"),
)


@dataclass
class Place:
    """An account that can be asked, a journal, and what happens at each question.

    :param happens: raised instead of an answer, by question, once everything was made.
    :param losing: raised by creations after they took effect.
    """

    journal: Path
    clock: VirtualClock = field(default_factory=lambda: VirtualClock(datetime(2026, 7, 1, tzinfo=UTC)))
    happens: dict[str, Exception] = field(default_factory=dict)
    losing: Exception | None = None
    keeps: bool = False
    account_id: str = "account-1"
    held: dict[str, str] = field(default_factory=dict)
    noted: list[str] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    looked_at: list[datetime] = field(default_factory=list)
    behaviours: Any = field(default_factory=lambda: memory_behaviours(lag_s=5))

    @hookimpl
    def flit_register_destinations(self, register: Callable[[DestinationPlugin], None]) -> None:
        """Register it."""
        schema = {"type": "object", "properties": {"speed": {"type": "integer", "default": 1}}}
        register(DestinationPlugin("place", schema, {}, frozenset(), memory_behaviours(), lambda *_: self.writer()))

    def writer(self) -> Writer:
        """Return itself: it is its own writer."""
        found: Any = self
        return found  # type: ignore[no-any-return]

    async def account(self) -> Account:
        return Account(self.account_id, "Place", ADMIN, {}, {})

    def probes(self) -> Sequence[Probe]:
        return QUESTIONS

    async def ask(self, probe: str, bench: Bench) -> ProbeAnswer:
        self.asked.append(probe)

        async def create(name: str) -> str | None:
            with Journal.existing(self.journal) as journal:
                self.noted += [one.name for one in journal.throwaways.left() if one.name == name]
            self.held[str(len(self.held) + 1)] = name
            if self.losing is not None:
                raise self.losing
            return str(len(self.held))

        for object_, count in next(one for one in QUESTIONS if one.name == probe).creates.items():
            for _ in range(count):
                await bench.make(object_, create)
        if probe in self.happens:
            raise self.happens[probe]
        return ProbeAnswer({"of": probe}, "as it is", "nothing")

    async def remove(self, object: str, name: str, destination_id: str | None, since: datetime) -> bool:
        self.looked_at.append(self.clock.now())
        if self.keeps:
            return False
        for id, held in list(self.held.items()):
            if held == name and destination_id in (None, id):
                self.gone.append(id)
                self.held[id] = ""
        return True

    def spent(self) -> Spent:
        return Spent(7, 70)

    async def aclose(self) -> None: ...

    def run(self, *only: str, passing: Passing | None = None, sets: Sequence[str] = ()) -> ProbeReport:
        """Probe once."""
        options = ProbeOptions("place", self.journal, sets, only, passing or Passing(unseen="Dana"))
        registry = load_plugins((), {"place": self})
        return asyncio.run(run_probes(options, Words(), StopFlag(), registry=registry, clock=self.clock))

    def learned(self) -> Mapping[str, Any]:
        with Journal.existing(self.journal) as journal:
            return journal.runs.learned()

    def holds(self) -> list[str]:
        return [name for name in self.held.values() if name]


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """Return an account nobody has asked yet."""
    return Place(tmp_path / "flit.db")


def test_every_record_is_in_the_journal_before_it_is_made_and_gone_at_the_end_the_newest_first(place: Place) -> None:
    report = place.run()

    assert place.noted == list(dict.fromkeys(place.noted))
    assert len(place.noted) == 3
    assert all(name.startswith("flit probe ") for name in place.noted)
    assert place.gone == ["2", "1", "3"]
    assert (report.exit_code, report.left) == (0, [])


def test_answers_are_kept_in_the_journal_and_told(place: Place) -> None:
    report = place.run()

    assert place.learned() == {"probe.size": {"of": "size"}, "probe.shape": {"of": "shape"}}
    assert report.as_json()["answers"]["size"]["value"] == {"of": "size"}
    assert (report.requests, report.tokens) == (7, 70)


def test_what_a_probe_spent_counts_against_the_day(place: Place) -> None:
    place.run()

    with Journal.existing(place.journal) as journal:
        assert journal.runs.spent_since("2026-07-01T00:00:00") == 70


def test_a_question_with_an_effect_is_asked_only_by_its_name(place: Place) -> None:
    place.run()
    place.run("noise")

    assert place.asked == ["size", "shape", "noise"]


def test_an_unknown_question_is_refused_with_the_nearest_name(place: Place) -> None:
    with pytest.raises(UsageError, match='"shape"'):
        place.run("shap")


def test_without_consent_nothing_is_made_and_all_is_told(place: Place) -> None:
    with pytest.raises(ApprovalNeeded) as stopped:
        place.run(passing=Passing())

    assert stopped.value.exit_code == 3
    for part in (
        "2 contact, 1 visit",
        "at most 30",
        "size: How big?",
        "noise (everybody hears it)",
        "--approve-unseen",
    ):
        assert part in str(stopped.value)
    assert place.asked == []
    assert place.held == {}


@pytest.mark.parametrize(("name", "asked"), [("Dana", ["size"]), (None, [])])
def test_a_person_at_a_terminal_is_asked(place: Place, name: str | None, asked: list[str]) -> None:
    seen: list[str] = []

    def ask(gate: Any, will_do: Any) -> str | None:
        seen.append(gate.text)
        return name

    if name is None:
        with pytest.raises(ApprovalNeeded):
            place.run("size", passing=Passing(ask=ask))
    else:
        place.run("size", passing=Passing(ask=ask))

    assert "Creates at most 2 contact" in seen[0]
    assert place.asked == asked


def test_who_agreed_stands_in_the_audit_log(place: Place) -> None:
    place.run("size")

    with Journal.existing(place.journal) as journal:
        shown = journal.runs.last_shown("probe")
        assert shown is not None
        approval = journal.runs.approval("probe", shown[0])
    assert approval is not None
    assert (approval.by, approval.how) == ("Dana", "unseen")


@pytest.mark.parametrize(
    "error",
    [
        Rejected("no", "Refused.", "Ask again."),
        InDoubt("Lost."),
        PlanLimit("No room."),
        Fatal("Odd."),
        ValueError("a value of somebody"),
    ],
)
def test_a_question_that_fails_is_unknown_and_the_next_is_asked(place: Place, error: Exception) -> None:
    place.happens = {"size": error}

    report = place.run()

    assert [answer.value for _, answer in report.answers] == [None, {"of": "shape"}]
    assert place.learned() == {"probe.shape": {"of": "shape"}}
    assert "somebody" not in report.answers[0][1].words
    assert place.holds() == []


def test_an_answer_from_before_is_not_lost_to_one_that_is_unknown(place: Place) -> None:
    place.run("size")
    place.happens = {"size": Rejected("no", "Refused.", "Ask again.")}

    place.run("size")

    assert place.learned() == {"probe.size": {"of": "size"}}


@pytest.mark.parametrize("error", [BudgetExhausted("Used up."), Interrupted("Stopped.")])
def test_a_stop_is_a_stop_and_what_was_made_is_removed_if_it_can_be(place: Place, error: Exception) -> None:
    place.happens = {"size": error}

    with pytest.raises(type(error)):
        place.run()

    assert place.asked == ["size"]
    assert place.holds() == []


def test_a_record_whose_answer_was_lost_is_looked_for_once_its_list_must_show_it(place: Place) -> None:
    place.losing = InDoubt("The answer was lost.")
    began = place.clock.now()

    report = place.run("shape")

    assert report.answers[0][1].value is None
    assert (place.looked_at[0] - began).total_seconds() >= 20
    assert place.holds() == []


def test_a_record_that_a_person_took_over_is_listed_and_not_asked_for_again(place: Place) -> None:
    place.keeps = True
    report = place.run("shape")
    assert report.exit_code == 1
    assert len(report.left) == 1
    assert report.left[0].startswith('visit "flit probe ')
    looks = len(place.looked_at)

    place.keeps = False
    place.run("noise")

    assert len(place.looked_at) == looks


def test_a_journal_of_another_account_is_refused(place: Place) -> None:
    place.run("size")
    place.account_id = "account-2"

    with pytest.raises(ConfigurationError, match="another account"):
        place.run("size")


@pytest.mark.parametrize("item", ["source.layout=x", "profile=full"])
def test_a_setting_that_is_not_the_destinations_is_refused(place: Place, item: str) -> None:
    with pytest.raises(UsageError, match=item.partition("=")[0]):
        place.run("size", sets=(item,))


def test_what_stops_the_removing_is_told_with_what_is_left(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    async def used_up(*_: object) -> bool:
        raise BudgetExhausted("Used up.")

    monkeypatch.setattr(place, "remove", used_up)
    words = Words()
    options = ProbeOptions("place", place.journal, (), ("shape",), Passing(unseen="Dana"))
    registry = load_plugins((), {"place": place})

    with pytest.raises(BudgetExhausted):
        asyncio.run(run_probes(options, words, StopFlag(), registry=registry, clock=place.clock))

    assert any(one.startswith('Left in the account, removed by the next `flit probe`: visit "') for one in words.said)
    with Journal.existing(place.journal) as journal:
        assert [one.state for one in journal.throwaways.left()] == ["made"]
