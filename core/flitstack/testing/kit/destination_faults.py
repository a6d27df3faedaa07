"""Faults at every write, deaths at every moment: whatever happens, everything is there exactly once in the end."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

from flitstack.errors import AuthError, FlitError
from flitstack.testing.kit.bench import DestinationBench, key
from flitstack.testing.kit.levels import check
from flitstack.testing.kit.loads import many, typical
from flitstack.testing.kit.port import place_of
from flitstack.testing.kit.trial import LOOK
from flitstack.testing.simulation.campaign import replay_command
from flitstack.testing.simulation.scenario import DECLARED_LAG_S, ROAD_S, scenario_of

if TYPE_CHECKING:
    from flitstack.testing.kit.bench import Bench
    from flitstack.testing.kit.trial import Trial

NEVER = 10**9
RANDOM_FIELDS = ("concurrency", "lag_s", "refused", "faults", "deaths", "disk_full", "jumps", "rivals")


class FaultsPart(DestinationBench):
    """F1 to F13."""

    kind = "destination"

    @check("F1", "gold")
    def test_a_connection_that_is_refused(self, bench: Bench) -> None:
        """A write that never left is sent again, and done once."""
        self._struck(bench, "connect")

    @check("F2", "gold")
    def test_no_answer_and_nothing_done(self, bench: Bench) -> None:
        """A write that got lost on its way is found missing, and done once."""
        self._struck(bench, "lost")

    @check("F3", "silver")
    def test_done_and_the_answer_lost(self, bench: Bench) -> None:
        """A write that was done, and whose answer got lost, is found and not done again."""
        self._struck(bench, "commit_then_drop")

    @check("F3", "gold")
    def test_the_answer_lost_and_done_later(self, bench: Bench) -> None:
        """A write that is done only after nobody waits any more is found all the same."""
        self._struck(bench, "late")

    @check("F4", "gold")
    def test_done_and_answered_with_an_error(self, bench: Bench) -> None:
        """A server error is no proof that nothing was done."""
        self._struck(bench, "commit_then_5xx")

    @check("F4", "gold")
    def test_not_done_and_answered_with_an_error(self, bench: Bench) -> None:
        """A server error is no proof that something was done."""
        self._struck(bench, "refused_5xx")

    @check("F5", "gold")
    def test_an_answer_that_is_cut(self, bench: Bench) -> None:
        """An answer that ends in the middle says nothing."""
        self._struck(bench, "truncated")

    @check("F5", "gold")
    def test_an_answer_that_is_a_page(self, bench: Bench) -> None:
        """An answer in another format says nothing, whatever its status."""
        self._struck(bench, "not_json")

    @check("F6", "gold")
    def test_an_answer_that_trickles_in(self, bench: Bench) -> None:
        """An answer that takes longer than anybody waits is one that got lost."""
        self._struck(bench, "drip")

    @check("F7", "silver")
    def test_signed_out_in_the_middle(self, bench: Bench) -> None:
        """A refused token ends the run with the exit code of a sign-in, and the next run carries on."""
        calm = bench(typical())
        calm.run()
        for number in self.places(len(calm.world.wire.writes)):
            trial = bench(typical(), faults={calm.world.wire.writes[number - 1]: "signed_out"})
            told = trial.stops(AuthError, f"a token that is refused at write {number}")
            assert told.exit_code == 4, (
                f"{type(told).__name__} ends the run with exit code {told.exit_code}, and a sign-in ends it with 4: "
                "return an AuthError as it is in flitstack.errors, with no exit code of its own"
            )
            trial.check(trial.until_done())

    @check("F8", "silver")
    def test_a_refusal_is_final(self, bench: Bench) -> None:
        """A record that the account refuses is sent once, whatever the reason, and told by a code."""
        calm = bench(many(5))
        calm.run()
        trial = bench(many(5), refused=frozenset({key("contacts", "3")}))
        report = trial.until_done()

        trial.check(report)
        rejected = report.streams["contacts"]["rejected"]
        assert rejected == 1, (
            f"the account refuses one of five contacts, and {rejected} were told as rejected: apply() answers "
            "Rejected, with a code"
        )
        assert len(trial.world.wire.writes) <= len(calm.world.wire.writes), (
            f"{len(calm.world.wire.writes)} writes are enough, and {len(trial.world.wire.writes)} were sent: a refused "
            "write was sent again; apply() answers Rejected, and sends no second time"
        )

    @check("F8", "gold")
    def test_a_gateway_that_blocks(self, bench: Bench) -> None:
        """A gateway that blocks the token stops the run, which can be resumed."""
        self._struck(bench, "blocked")

    @check("F9", "silver")
    def test_a_process_that_ends_anywhere(self, bench: Bench) -> None:
        """Killed before an intent, after it, after a send or after an answer: the same command carries on."""
        moments = 4 * len(self._calm(bench).world.wire.writes)
        for moment in self.places(moments):
            trial = bench(typical(), deaths=(moment,))
            trial.check(trial.until_done())

    @check("F9", "gold")
    def test_a_process_that_ends_again_and_again(self, bench: Bench) -> None:
        """Killed several times, in the load and while it finds out what happened, it carries on each time."""
        for moment in self.places(60):
            trial = bench(typical(), deaths=(moment, moment // 2 + 1, moment // 3 + 1))
            trial.check(trial.until_done())

    @check("F10", "gold")
    def test_a_disk_that_is_full(self, bench: Bench) -> None:
        """When the journal cannot be written the run stops, and the next one knows all that was done."""
        for commit in self.places(40):
            trial = bench(typical(), disk_full=(commit,))
            trial.check(trial.until_done())

    @check("F11", "silver")
    def test_lists_that_are_late(self, bench: Bench) -> None:
        """Lists that show a record as late as is declared lead to no duplicate after a lost answer."""
        calm = self._calm(bench)
        for number in self.places(len(calm.world.wire.writes)):
            struck = {calm.world.wire.writes[number - 1]: "commit_then_drop"}
            trial = bench(typical(), faults=struck, lag_s=DECLARED_LAG_S - 2 * ROAD_S)
            trial.check(trial.until_done())

    @check("F12", "gold")
    def test_a_clock_that_jumps(self, bench: Bench) -> None:
        """A machine whose clock is set, forth or back, loses nothing and doubles nothing."""
        for jump in (-7200.0, -60.0, 60.0, 7200.0):
            struck = self._calm(bench).world.wire.writes[2]
            trial = bench(typical(), jumps={struck: jump}, faults={struck + 1: "commit_then_drop"})
            trial.check(trial.until_done())

    @check("F13", "gold")
    def test_two_runs_at_once(self, bench: Bench) -> None:
        """A second run on the same journal is not let in."""
        trial = bench(typical(), rivals=frozenset({5, 12}))
        trial.check(trial.until_done())

    @check("X7", "gold")
    def test_at_random(self, bench: Bench) -> None:
        """Random exports, faults, deaths, lags and refusals: nothing is lost, and nothing is there twice."""
        for seed in self.seeds():
            scenario = scenario_of(seed)
            trial = bench(scenario.exports[0], **{name: getattr(scenario, name) for name in RANDOM_FIELDS})
            try:
                for rows in scenario.exports[1:]:
                    trial.until_done()
                    trial.give(copy.deepcopy(rows))
                trial.until_done()
                wrong = trial.differences()
                sent = len(trial.world.wire.writes)
                trial.until_done()
            except AssertionError as exc:
                raise AssertionError(f"seed {seed}: {exc}{self._replayed(seed)}") from exc
            assert not wrong, f"seed {seed}: {'; '.join(wrong[:4])}. {LOOK}{self._replayed(seed)}"
            more = len(trial.world.wire.writes) - sent
            assert not more, f"seed {seed}: everything was there, and a further run sent {more} writes. {LOOK}"

    def _replayed(self, seed: int) -> str:
        """Return how to see a seed alone, made as small as it gets."""
        place = place_of(self.port, self.plugin)
        return f". Made smaller: {replay_command(place, seed)}" if place else ""

    def _calm(self, bench: Bench) -> Trial:
        """Return a trial in which nothing happened."""
        trial = bench(typical())
        trial.until_done()
        return trial

    def _struck(self, bench: Bench, fault: str) -> None:
        """Let a fault strike writes, one trial each; the account must hold everything once."""
        writes = self._calm(bench).world.wire.writes
        for number in self.places(len(writes)):
            trial = bench(typical(), faults={writes[number - 1]: fault})
            try:
                trial.check(trial.until_done())
            except (AssertionError, FlitError) as exc:
                raise AssertionError(f"{fault} at write {number} of {len(writes)}: {exc}") from exc
            assert trial.world.struck[fault], (
                f"{fault} was to strike request {writes[number - 1]}, and never did: the port does not carry its "
                "requests over world.wire (WireTransport does)"
            )
